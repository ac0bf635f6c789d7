"""Kill an engine at every place of a real build, and say what the next one leaves.

Run in namespaces of its own (`tests.edge.private`).  The arguments are the places; without
any, all that a build passes.  Standard output is JSON: for each death its place and the
names of what was left, once the next engine had come and gone, that was not there before.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory

from pyminidock.engine import images, kernels, removing
from pyminidock.engine.house import House
from tests import leaks
from tests.builder import Context
from tests.crash.build_scenarios import made
from tests.crash.harness import Runner, Scenario, crashes
from tests.reference import wait_until

CONTEXT: Context = {
    "Dockerfile": (
        "FROM busybox AS first\n"
        "COPY app /srv/app\n"
        "RUN mkdir /srv/made && cp /srv/app /srv/made/app && echo done\n"
        "FROM busybox\n"
        "ENV MODE=fast\n"
        "WORKDIR /srv\n"
        "COPY --from=first /srv/made .\n"
        "RUN cat app >copy; sleep 0.1\n"
    ),
    "app": "print(1)\n" * 2000,
}
_before = leaks.Snapshot()
_left: list[tuple[str, ...]] = []


@contextmanager
def house(root: Path) -> Iterator[House]:
    """Open an engine on the real kernel."""
    here = House(root, kernels.choose("linux-root", root))
    try:
        yield here
    finally:
        here.close()


def busybox(root: Path) -> None:
    """Have an image to build on; note what there is when no engine is."""
    with house(root) as here:
        images.make(here, "busybox")
    _before.clear()
    _before.update(_seen(root))


def build_app(root: Path) -> None:
    """Build all of it, without the cache."""
    with house(root) as here:
        made(here, CONTEXT, uses_cache=False)


def build_held(root: Path) -> None:
    """Begin a build that would take its time."""
    text = "FROM busybox\nRUN echo begun >/begun; sleep 1000\n"
    with house(root) as here:
        made(here, {"Dockerfile": text}, uses_cache=False)


def look(root: Path) -> None:
    """Let an engine put things in order and go; then nothing that it had made is left."""
    with house(root) as here:
        assert here.lives() == ()
        assert list((root / "containers").iterdir()) == []
        assert here.store.leases.held() == ()
        removing.prune(here)
    _left.append(leaks.settled(_before, lambda: _seen(root)))


def _seen(root: Path) -> leaks.Snapshot:
    """Count all but files: those of the store have invariants of their own."""
    seen = leaks.snapshot(root)
    return leaks.Snapshot({
        name: count for name, count in seen.items() if not name.startswith(("file ", "key"))
    })  # fmt: skip


def main(*places: str) -> None:
    """Die at each place."""
    scenario = Scenario("build", "tests.edge.build_crashes:build_app", busybox, look)
    with TemporaryDirectory(prefix="minidock-crash-", dir="/dev/shm") as directory:
        place = Path(directory)
        died = []
        for crash in crashes(scenario, place, places):
            died.append({"point": crash.point, "nth": crash.nth, "left": _left.pop()})
        died.append(_death_in_a_long_run(place))
    json.dump(died, sys.stdout)


def _death_in_a_long_run(place: Path) -> dict[str, object]:
    """Die while the program of a RUN goes on: the next engine ends it."""
    root = place / "held"
    with Runner(place) as runner:
        busybox(root)
        held = Scenario("held", "tests.edge.build_crashes:build_held")
        died = runner.run(held, root, "build.program.started")
        assert died.code == -SIGKILL, died.errors
        wait_until(lambda: _asleep(root) == 1, 10, "the program to sleep")
        look(root)
    return {"point": "1 asleep", "nth": 1, "left": _left.pop()}


def _asleep(root: Path) -> int:
    return sum(name.endswith(" sleep") for name in _seen(root))


if __name__ == "__main__":
    main(*sys.argv[1:])
