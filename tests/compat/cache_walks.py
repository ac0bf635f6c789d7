"""Random walks of edits: a Dockerfile and its files change a little, again and again.

    walk = Walk(random.Random(seed), "name")
    context, query = walk.next()                to be built

Each build of a walk differs from the one before by one to three edits, some of which take
back what an earlier one did: then the cache has an older answer.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.builder import Context, File

_POOL = (
    "ENV A={}", "ENV B=$V-{}", "ARG V", "ARG V={}", "ARG W={}", "LABEL l={}", "USER {}",
    "WORKDIR /w{}", "COPY a /c{}/", "COPY d /d{}", "COPY . /all{}", "COPY *.txt /t{}/",
    "COPY --chown={} a /own", "ADD a /e{}", "RUN echo {} $V $W", "RUN true", "EXPOSE {}0",
    "VOLUME /v{}", "CMD echo {}", 'ENTRYPOINT ["e{}"]', "STOPSIGNAL {}", "ONBUILD ENV O={}",
    "HEALTHCHECK --interval={}s CMD true", 'SHELL ["/bin/sh", "-ec"]', "MAINTAINER m{}",
)  # fmt: skip

_LINKS = ("x", "../a", "../n.txt")


@dataclass(slots=True)
class Walk:
    """One walk; `name` keeps it apart from all others."""

    rng: random.Random
    name: str
    stages: list[list[str]] = field(default_factory=list)
    files: dict[str, "str | bytes | File | None"] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    _before: list[tuple[Any, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.files = {"a": "1", "d": None, "d/x": "1", "d/l": File(link="x"), "n.txt": "1"}
        self.stages = [[self._instruction() for _ in range(4)] for _ in range(2)]

    def next(self) -> tuple[Context, dict[str, Any]]:
        """Edit, and give what is to be built then."""
        query: dict[str, Any] = {"t": f"{self.name}:{self.rng.randint(1, 2)}"}
        if self._before:
            for _ in range(self.rng.randint(1, 3)):
                self.rng.choice(self._edits())()
            if self.rng.random() < 0.1:
                query["nocache"] = "1"
        self._before.append((
            [[*stage] for stage in self.stages], dict(self.files), dict(self.arguments)
        ))  # fmt: skip
        query["buildargs"] = dict(self.arguments)
        return {**self.files, "Dockerfile": self._text()}, query

    def _text(self) -> str:
        first, second = self.stages
        base = f"FROM busybox\nLABEL walk={self.name}\n"
        return base + "\n".join((*first, f"FROM busybox\nLABEL walk={self.name}2", *second,
                                 "COPY --from=0 /etc/group /g", ""))  # fmt: skip

    def _instruction(self) -> str:
        return self.rng.choice(_POOL).format(self.rng.randint(1, 3))

    def _edits(self) -> list[Callable[[], object]]:
        rng, stage = self.rng, self.rng.choice(self.stages)
        at = rng.randrange(len(stage)) if stage else 0
        name = rng.choice(["a", "d/x", "n.txt", "d/new", "m.txt"])

        def rewrite() -> None:
            stage[at : at + 1] = [self._instruction()]

        def swap() -> None:
            rng.shuffle(stage)

        def content() -> None:
            self.files[name] = str(rng.randint(1, 3))

        def mode() -> None:
            self.files["a"] = File(b"1", rng.choice([0o644, 0o755, 0o600]))

        def touch() -> None:
            self.files["a"] = File(b"1", mtime=rng.randint(1, 9))

        def gone() -> None:
            if name not in ("a", "n.txt"):
                self.files.pop(name, None)

        def argument() -> None:
            self.arguments[rng.choice(["V", "W", "HTTP_PROXY", "ZZ"])] = str(
                rng.randint(1, 2)
            )

        def back() -> None:
            stages, files, arguments = rng.choice(self._before)
            self.stages = [[*each] for each in stages]
            self.files, self.arguments = dict(files), dict(arguments)

        return [
            rewrite, swap, content, mode, touch, gone, argument, back,
            lambda: stage.insert(at, self._instruction()),
            lambda: stage.pop(at) if stage else None,
            self.arguments.clear,
            lambda: self.files.update({"d/l": File(link=rng.choice(_LINKS))}),
        ]  # fmt: skip
