"""What a program sees first: its words, its variables, its directory.

    argv           entrypoint and command, of the request or of the image
    environment    the engine's few, then what was given, then HOME
    directory      where it stands when it begins

Source: moby, daemon/commit.go, merge(); container/container.go, CreateDaemonEnvironment();
measured with dockerd 26.1.5.
"""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pyminidock.container.commandline import spell_run
from pyminidock.container.spec import CreateRequest, ImageConfig
from pyminidock.errors import MinidockError
from pyminidock.grammar.environment import lay_over, with_home
from pyminidock.kernel.port import Machine

DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INIT = "/sbin/docker-init"  # where --init appears inside


class RequestUnsuitable(MinidockError):
    """The request contradicts itself, the image or the machine."""

    status = 400


def words_of(request: CreateRequest, image: ImageConfig) -> tuple[str, ...]:
    """Put entrypoint and command together.

    Whoever replaces the entrypoint replaces the image's command too; `("",)` means none.
    Source: moby, daemon/commit.go, merge().
    """
    entrypoint, command = request.entrypoint, request.command
    if not entrypoint:
        command = command or image.command
        entrypoint = image.entrypoint if entrypoint is None else ()
    argv = (*(() if entrypoint == ("",) else entrypoint), *command)
    if argv:
        return argv
    raise RequestUnsuitable(
        "no command specified",
        why="neither the request nor the image says what to run",
        try_next=spell_run(replace(request, command=("sh",))),
        lesson="commands",
    )


def behind_init(
    argv: tuple[str, ...], request: CreateRequest, machine: Machine
) -> tuple[str, ...]:
    """Put the init program of --init before the words."""
    if not request.is_behind_init:
        return argv
    if not machine.init:
        raise RequestUnsuitable(
            "--init needs a small init program, and this machine has none",
            why="PID 1 has to forward signals and reap orphans; the program that does so "
            "must be static, because it runs in any root (tini-static is one)",
            try_next=spell_run(replace(request, uses_init=False)),
            lesson="pid-1",
        )
    return (INIT, "--", *argv)


def variables_of(
    hostname: str, given: Sequence[str], home: str, *, has_terminal: bool,
    asked: Sequence[str] = (),
) -> tuple[str, ...]:  # fmt: skip
    """Lay what was given over the engine's own variables, in Docker's order.

    What is `asked` for a second program lies above all of them.

    >>> variables_of("box", ["A=1"], "/root", has_terminal=True)[1:]
    ('HOSTNAME=box', 'TERM=xterm', 'A=1', 'HOME=/root')
    """
    terminal = ("TERM=xterm",) if has_terminal else ()
    ours = (DEFAULT_PATH, f"HOSTNAME={hostname}", *terminal)
    return with_home(lay_over(lay_over(ours, given), asked), home)


def directory_of(request: CreateRequest, image: ImageConfig) -> str:
    """Give the cleaned absolute path of the working directory."""
    asked = request.working_directory or image.working_directory or "/"
    if not asked.startswith("/"):
        raise RequestUnsuitable(
            f"the working directory '{asked}' is invalid, it needs to be an absolute path",
            why="there is no directory yet that it could be relative to",
            try_next=spell_run(replace(request, working_directory=f"/{asked}")),
            lesson="commands",
        )
    return posixpath.normpath("/" + asked.lstrip("/"))


def refuse_nul(texts: Iterable[str], try_next: str) -> None:
    """Refuse words that the kernel would see cut off."""
    if any("\0" in text for text in texts):
        raise RequestUnsuitable(
            "a word of the request holds a NUL byte",
            why="words end at a NUL for the kernel, so the rest would be lost",
            try_next=try_next,
            lesson="commands",
        )
