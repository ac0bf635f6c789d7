"""What a Dockerfile can say: one frozen value for each of its eighteen instructions.

The words are as they were written, variables unfilled; `substitute` fills them in.  `text`
is what `Step n/m : TEXT` prints.

Source: docs.docker.com/reference/dockerfile; buildkit 0.13, instructions/commands.go.
"""

from dataclasses import dataclass
from typing import ClassVar

from pyminidock.dockerfile.heredocs import Heredoc

DEFAULT_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Span:
    """The physical lines of an instruction, from 1, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Command:
    """What runs: a list of words, or one text for the shell, and then at most one word."""

    words: tuple[str, ...] = ()
    is_shell: bool = True

    def argv(self, shell: tuple[str, ...] = DEFAULT_SHELL) -> tuple[str, ...]:
        """What is executed, with the `shell` in force in front of a text.

        >>> Command(("echo hi",)).argv()
        ('/bin/sh', '-c', 'echo hi')
        """
        return (*shell, *self.words) if self.is_shell else self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What all of them have."""

    keyword: ClassVar[str] = ""

    span: Span = Span(0, 0)
    text: str = ""
    flags: tuple[str, ...] = ()  # as written, quotes removed: --chown=1:1


@dataclass(frozen=True, slots=True)
class From(Instruction):
    """Begin a stage with the files and the config of an image, or of a stage before it."""

    keyword: ClassVar[str] = "FROM"

    base: str
    name: str = ""  # lower case
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Run(Instruction):
    """Run a command and keep what it changed."""

    keyword: ClassVar[str] = "RUN"

    command: Command
    mounts: tuple[str, ...] = ()  # --mount as written; `mounts.parse_mount` reads them
    network: str = "default"
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True, slots=True)
class Transfer(Instruction):
    """What COPY and ADD share: files go from `sources` to `destination`.

    Heredocs are sources too; each becomes a file of its name.
    """

    sources: tuple[str, ...]
    destination: str
    heredocs: tuple[Heredoc, ...] = ()
    chown: str = ""
    chmod: str = ""
    is_linked: bool = False


@dataclass(frozen=True, slots=True)
class Copy(Transfer):
    """Copy from the build context, from another stage or from an image."""

    keyword: ClassVar[str] = "COPY"

    from_name: str = ""  # --from


@dataclass(frozen=True, slots=True)
class Add(Transfer):
    """Copy from the build context; unpack archives; fetch addresses."""

    keyword: ClassVar[str] = "ADD"

    checksum: str = ""
    keeps_git_directory: bool = False


@dataclass(frozen=True, slots=True)
class Env(Instruction):
    """Set variables, in the build and in the containers to come."""

    keyword: ClassVar[str] = "ENV"

    pairs: tuple[tuple[str, str], ...]
    is_old_form: bool = False  # ENV NAME the rest of the line


@dataclass(frozen=True, slots=True)
class Arg(Instruction):
    """Declare variables of the build alone; None has no default."""

    keyword: ClassVar[str] = "ARG"

    pairs: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Label(Instruction):
    """Write notes about the image into the image."""

    keyword: ClassVar[str] = "LABEL"

    pairs: tuple[tuple[str, str], ...]
    is_old_form: bool = False


@dataclass(frozen=True, slots=True)
class Expose(Instruction):
    """Name the ports that the program listens on; sorted, as Docker keeps them."""

    keyword: ClassVar[str] = "EXPOSE"

    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class User(Instruction):
    """Become somebody for what follows."""

    keyword: ClassVar[str] = "USER"

    user: str


@dataclass(frozen=True, slots=True)
class Workdir(Instruction):
    """Go to a directory, which is made if it is missing."""

    keyword: ClassVar[str] = "WORKDIR"

    path: str


@dataclass(frozen=True, slots=True)
class Volume(Instruction):
    """Name the places whose files outlive a container."""

    keyword: ClassVar[str] = "VOLUME"

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cmd(Instruction):
    """What a container runs by default, or the arguments of its ENTRYPOINT."""

    keyword: ClassVar[str] = "CMD"

    command: Command


@dataclass(frozen=True, slots=True)
class Entrypoint(Instruction):
    """The program that a container is."""

    keyword: ClassVar[str] = "ENTRYPOINT"

    command: Command


@dataclass(frozen=True, slots=True)
class Shell(Instruction):
    """The words in front of every command that is a text."""

    keyword: ClassVar[str] = "SHELL"

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stopsignal(Instruction):
    """The signal that asks the program to end."""

    keyword: ClassVar[str] = "STOPSIGNAL"

    signal: str


@dataclass(frozen=True, slots=True)
class Healthcheck(Instruction):
    """How to ask whether the program is well; times in nanoseconds, 0 is "as before"."""

    keyword: ClassVar[str] = "HEALTHCHECK"

    test: tuple[str, ...]  # NONE, or CMD and words, or CMD-SHELL and a text
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Onbuild(Instruction):
    """An instruction for whoever builds on this image; `parse.parse_trigger` reads it."""

    keyword: ClassVar[str] = "ONBUILD"

    expression: str
    trigger: str = ""  # the keyword of the inner instruction, upper case


@dataclass(frozen=True, slots=True)
class Maintainer(Instruction):
    """Who made the image; LABEL says it better today."""

    keyword: ClassVar[str] = "MAINTAINER"

    name: str


KEYWORDS = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK",
    "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME",
    "WORKDIR",
)  # fmt: skip
