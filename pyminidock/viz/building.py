"""What a build is made of at one moment: instructions, layers, files, what was printed.

    instruction    one step of the Dockerfile: how far it is, and why it was done
    layer          a tree that the image stands on, and who else does
    file           one name that a step added, changed or deleted

As in `things`: frozen, plain, bounded, and every thing knows the event that made it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import dropwhile, islice, takewhile

from pyminidock.viz.rings import Ring

MOST_CAUSES = 8  # of one step: the rest is in the table
MOST_LAYERS = 512  # of one stack: Docker allows 127
MOST_ENTRIES = 40  # names of one layer: the rest is counted
MOST_SETTINGS = 12  # fields of a configuration: there are no more


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a step had to be done; the words are those of CacheMissed."""

    cause: str
    detail: str
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the image's configuration that a step changed."""

    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One step; `number` counts from 1 and `first` and `last` are lines of the file."""

    number: int
    order: int
    changed: int
    stage: str = ""
    text: str = ""
    first: int = 0
    last: int = 0
    state: str = "waiting"  # going on, cached, done, skipped, failed
    is_hit: bool = False
    causes: tuple[Cause, ...] = ()
    settings: tuple[Setting, ...] = ()
    image: str = ""
    milliseconds: int = 0
    names: int = 0  # that it put into its layer
    layer: str = ""  # chain id, "" for a step that changed no file
    triggers: int = 0  # instructions that the base of a FROM left to be done here

    @property
    def keyword(self) -> str:
        """The word that it begins with.

        >>> Instruction(1, 1, 1, text="from scratch").keyword
        'FROM'
        """
        return self.text.split(maxsplit=1)[0].upper() if self.text.strip() else ""


@dataclass(frozen=True, slots=True)
class Layer:
    """A tree that images stand on; `step` made it or found it in the cache, 0: neither."""

    chain_id: str
    order: int
    changed: int
    origin: str  # "base", "new" or "cache"
    step: int = 0
    diff_id: str = ""
    size_bytes: int = 0
    files: int = 0
    names: tuple[str, ...] = ()  # of images that stood on it before
    text: str = ""  # of the instruction that made it or found it
    entries: tuple["FileSeen", ...] = ()  # what is in it, as far as it was told


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One name of a layer: `change` is "added", "changed" or "deleted"."""

    order: int
    step: int
    change: str
    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size_bytes: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Printed:
    """Something that the program of a RUN wrote."""

    order: int
    step: int
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class Build:
    """Everything that is true about a build after one event."""

    state: str = ""  # going on, built, failed; "" where there is no build
    context_files: int = 0
    context_bytes: int = 0
    ignored: int = 0  # names that stayed at home
    total: int = 0
    step: int = 0  # the present one, or the last that was
    instructions: Mapping[str, Instruction] = field(default_factory=dict)  # by number
    layers: Mapping[str, Layer] = field(default_factory=dict)  # by chain id
    stack: tuple[str, ...] = ()  # chain ids of the image being made, bottom first
    files: Ring[FileSeen] = field(default_factory=lambda: Ring(512))
    printed: Ring[Printed] = field(default_factory=lambda: Ring(64))
    image: str = ""
    names: tuple[str, ...] = ()
    enter_command: str = ""  # leads to just before the step that failed

    @property
    def current(self) -> Instruction | None:
        """The instruction that is being carried out, or was last."""
        return self.instructions.get(str(self.step))

    def in_order(self) -> tuple[Instruction, ...]:
        """All instructions, as they stand in the Dockerfile."""
        known = self.instructions.values()
        return tuple(sorted(known, key=lambda each: each.number))

    def files_of(self, step: int, most: int = 512) -> tuple[FileSeen, ...]:
        """The newest names that a step put into its layer, as far as they are known.

        A step tells its names one after the other, so they lie together.
        """
        newest = dropwhile(lambda each: each.step != step, reversed(self.files.items))
        its = takewhile(lambda each: each.step == step, newest)
        return tuple(islice(its, most))[::-1]
