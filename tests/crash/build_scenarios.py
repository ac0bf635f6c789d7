"""What the engine does with a Dockerfile, as one process would do it.

The simulated kernel starts programs and runs none.  `Obliging` lets each end at once, and
leaves a file where its container could write, so that a RUN comes to a layer.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyminidock.build.options import Options
from pyminidock.build.output import Failed, Message
from pyminidock.engine import build
from pyminidock.engine.house import House
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import Answer, Process
from pyminidock.kernel.recording import Recording
from tests.builder import Context, packed

CONTEXT: Context = {
    "Dockerfile": (
        "FROM web:1 AS first\n"
        "COPY app /srv/app\n"
        'RUN ["sh", "-c", "compile"]\n'
        "FROM web:1\n"
        "ENV MODE=fast\n"
        "WORKDIR /srv\n"
        "COPY --from=first /srv/app .\n"
    ),
    "app": "print(1)\n" * 2000,
}


class Obliging(ModelBody):
    """A simulated kernel whose programs write a file and end."""

    def perform(
        self, plan: Plan, *, answer: Answer, lockstep: bool = False, watchers: int = 0
    ) -> Process | None:
        """See Body."""
        process = super().perform(plan, answer=answer, lockstep=lockstep, watchers=watchers)
        if process:
            (stack,) = (call for call in plan if isinstance(call, calls.PrepareOverlay))
            Path(stack.upper, "compiled").write_bytes(b"\x7fELF" * 1000)
            self.finish(process.pid)
        return process


@contextmanager
def house(root: Path) -> Iterator[House]:
    made = House(root, Recording(Obliging()))
    yield made
    made.close()


def made(house: House, context: Context, **options: object) -> str:
    """Build; give the image.  A build that fails is an AssertionError."""
    building = build.start(house, Options(**{"tags": ("app:1",)} | options))  # type: ignore[arg-type]
    building.begin(io.BytesIO(packed(context)))
    said: list[Message] = []
    image = building.run(said.append)
    assert image, [each.message for each in said if isinstance(each, Failed)]
    return image


def build_app(root: Path) -> None:
    """Build `app` upon `web`, without the cache: each time all of it."""
    with house(root) as here:
        made(here, CONTEXT, uses_cache=False)
