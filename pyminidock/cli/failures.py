"""How a refusal reaches the person who typed: what, why, and what to type next.

    minidock: Error response from daemon: No such container: wbe
      why: no container here has this name or an id that begins so
      try: minidock rm web

The first line is Docker's own sentence, to the letter, so that it can be searched for.
"""

import sys
from typing import NoReturn

import click

from pyminidock.client.transport import Refused
from pyminidock.errors import MinidockError

ERROR, NOT_STARTED, NOT_EXECUTABLE, NOT_FOUND = 1, 125, 126, 127


class WordsRefused(MinidockError):
    """The command line cannot be read; `exit_code` is Docker's for this mistake."""

    def __init__(
        self, what: str, *, why: str, try_next: str, exit_code: int = NOT_STARTED
    ) -> None:
        super().__init__(what, why=why, try_next=try_next, lesson="command-line")
        self.exit_code = exit_code


def tell(refusal: MinidockError) -> None:
    """Show a refusal on standard error; labels are coloured in a terminal only."""
    (_, what), *rest = lines_of(refusal)
    click.echo(what, err=True)
    for label, words in rest:
        click.echo(click.style(label, bold=True) + words, err=True)


def lines_of(refusal: MinidockError) -> list[tuple[str, str]]:
    """Give the lines of a refusal, each as its label and its words."""
    said = "Error response from daemon: " if isinstance(refusal, Refused) else ""
    lines = [("", f"minidock: {said}{refusal.what}")]
    pairs = (("  why: ", refusal.why), ("  try: ", refusal.try_next))
    return [*lines, *((label, words) for label, words in pairs if words)]


def advised(refusal: Refused, try_next: str) -> Refused:
    """Give the same refusal with better advice: the client knows what was typed."""
    return Refused(
        refusal.what, status=refusal.status, why=refusal.why, try_next=try_next,
        lesson=refusal.lesson,
    )  # fmt: skip


def exit_code(refusal: MinidockError) -> int:
    """Give the status with which a command ends that was refused."""
    return refusal.exit_code if isinstance(refusal, WordsRefused) else ERROR


def start_exit_code(message: str) -> int:
    """Give the status of `run` for a start that was refused: Docker reads its own text.

    Source: docker/cli, cli/command/container/run.go, toStatusError().

    >>> start_exit_code('exec: "nope": executable file not found in $PATH: unknown')
    127
    >>> start_exit_code('exec: "/etc": is a directory: unknown: permission denied')
    126
    >>> start_exit_code("unable to find user nobodyx: no matching entries in passwd file")
    125
    """
    if any(words in message for words in _ABSENT):
        return NOT_FOUND
    if "permission denied" in message or "is a directory" in message:
        return NOT_EXECUTABLE
    return NOT_STARTED


_ABSENT = ("executable file not found", "no such file or directory",
           "system cannot find the file specified")  # fmt: skip


def leave(code: int) -> NoReturn:
    """End this command with `code`."""
    sys.exit(code)
