"""How a Dockerfile became an image, instruction by instruction.

A build is one story.  Every instruction is a step in it; what a step did, and why it had to
be done at all, stands between its StepStarted and its StepFinished.
"""

from dataclasses import dataclass
from typing import ClassVar

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class PathIgnored(Event):
    """The client left this out of the context; a directory stands for all below it.

    `line` of `ignore_file` decided, from 1.  The daemon never sees such a path.
    """

    evidence: ClassVar[str] = "client"
    path: str
    is_directory: bool
    ignore_file: str
    line: int
    pattern: str


@dataclass(frozen=True, slots=True)
class ContextReceived(Event):
    """All that the client sent is unpacked and has its digests."""

    files: int
    size_bytes: int
    path: str  # host: where it lies while the build goes on


@dataclass(frozen=True, slots=True)
class InstructionParsed(Event):
    """One instruction of the Dockerfile, as it is written; lines count from 1."""

    step: int
    stage: str
    text: str  # the recorder redacts values of ENV and ARG
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class StepStarted(Event):
    """An instruction is being carried out; `total` is how many there are."""

    step: int
    total: int
    stage: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class StepSkipped(Event):
    """An instruction is not carried out: no stage that is wanted needs its stage."""

    step: int
    total: int
    stage: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class CacheHit(Event):
    """The same was done before on the same image; its result is taken.

    `source` is the image of --cache-from that has it, if it was not this machine's.
    """

    step: int
    image: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class CacheMissed(Event):
    """The step has to be done, and why.

    `cause` is one of

        first         nothing like it was done on this image
        disabled      the cache was not to be used
        parent        it stands on another image; `detail` is "step" (the one before was
                      done again), "base" (FROM gave another image) or "image"
        instruction   its words; `detail` is "", "added", "removed", "moved" or "meaning"
        argument      a build argument that a RUN sees; `detail` names it
        variable      what is filled into its words; `detail` names it
        setting       `detail` is "shell", "platform", "mode", "network", "proxy", "script"
        file          `path` names it; `detail` is "content", "mode", "owner", "kind",
                      "link", "added" or "removed"
        source        it was done here, but not on the way to an image of --cache-from
        forgotten     it is not the same, and what it was is no longer kept
        removed       what it had made was removed, by `rmi` or a prune
        unfinished    the last build ended in it, or before it

    There may be several for one step.  Values are told as digests.
    """

    step: int
    cause: str
    detail: str = ""
    path: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ConfigChanged(Event):
    """A field of the image's configuration has a new value; the recorder redacts some."""

    step: int
    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileCopied(Event):
    """One name was put into the new layer; `kind` is file, directory, link, … as in tar.

    `change` is "added", or "changed" where the image had something of that name before.
    """

    evidence: ClassVar[str] = "acknowledged"
    source: str
    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size_bytes: int
    change: str = "added"


@dataclass(frozen=True, slots=True)
class FileChanged(Event):
    """The program of a RUN left one name otherwise than it had found it.

    `change` is "added", "changed" or "deleted"; of a deleted name the other fields tell
    what it was, for it still lies in a layer below.
    """

    evidence: ClassVar[str] = "observed"
    path: str
    change: str
    kind: str
    mode: int
    uid: int
    gid: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FilesOmitted(Event):
    """So many more names were put into the layer than are told one by one."""

    count: int


@dataclass(frozen=True, slots=True)
class StepPrinted(Event):
    """The program of a RUN wrote something; `stream` is "stdout" or "stderr"."""

    evidence: ClassVar[str] = "observed"
    step: int
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class LayerCommitted(Event):
    """What a step wrote is a layer now: a tree, an archive, and their digests."""

    evidence: ClassVar[str] = "acknowledged"
    chain_id: str
    diff_id: str
    size_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class StepFinished(Event):
    """The image after this step; anyone can run it by its id."""

    step: int
    image: str
    milliseconds: int  # that the step took, or had taken when it was done for the cache
    was_cached: bool
    size_bytes: int = 0  # that it wrote into a layer, or had written


@dataclass(frozen=True, slots=True)
class ImageBuilt(Event):
    """A stage came to its end; `stage` is its name, or its number from 0 on."""

    stage: str
    image: str


@dataclass(frozen=True, slots=True)
class ImageTagged(Event):
    """An image has a name; `previous` had it before."""

    image: str
    name: str
    previous: str = ""


@dataclass(frozen=True, slots=True)
class BuildFailed(Event):
    """The build ended early; `enter_command` leads to the place just before it."""

    step: int
    text: str
    code: int
    enter_command: str
