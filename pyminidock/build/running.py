"""What a RUN needs from whoever can start containers.

The builder decides what shall run where; it knows no processes and no kernel.  The engine
lends it this door, and what comes through it is a directory with all that was written.

    with runner.prepared(wish) as container:     a container exists, nothing runs
        code = container.run(output)             it runs; its output comes as it is read
        container.upper                          what it wrote, in overlay's spelling
                                                 afterwards it is gone, or kept on request
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyminidock.build.options import NO_LIMITS, Limits
from pyminidock.image.config import ImageConfig

Output = Callable[[int, bytes], object]
"""Takes (1 stdout or 2 stderr, bytes)."""


@dataclass(frozen=True, slots=True)
class Lent:
    """A tree or file of ours (host) that the program sees at `target`, or memory.

    `memory` are the options of a tmpfs; then there is no `source`.
    """

    target: str
    source: Path | None = None
    is_writable: bool = False
    memory: str = ""


@dataclass(frozen=True, slots=True)
class RunWish:
    """One program to run on top of an image."""

    image: str  # as people know it, for the story
    config: ImageConfig
    lower: tuple[Path, ...]  # the image's trees, topmost first
    argv: tuple[str, ...]
    arguments: tuple[str, ...] = ()  # NAME=value: build arguments, seen by the program only
    network: str = "default"
    script: str = ""  # content of a program that lies at argv[0] for this run only
    added_hosts: tuple[str, ...] = ()  # name:address
    limits: Limits = NO_LIMITS
    lent: tuple[Lent, ...] = ()


class RunningContainer(Protocol):
    """A container made for one RUN."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def upper(self) -> Path:
        """The directory with all that it wrote; it may be moved away after `run`."""

    def run(self, output: Output) -> int:
        """Run the program to its end; give its exit status."""

    def keep(self) -> None:
        """Leave the container behind when it is over, for people to look at."""


class Runner(Protocol):
    """Makes containers for RUN."""

    def prepared(self, wish: RunWish) -> AbstractContextManager[RunningContainer]:
        """Make a container; at the end of the `with` it is removed with all it wrote.

        Raises a MinidockError, and then nothing is left.
        """
