"""The short verbs: what is there, end it, remove it, look at it.

Each takes names or ids, does its one thing to each of them in turn, prints each name when
it is done, and goes on after a refusal: the exit code is then 1.  A name that nobody has is
answered with the one that was most likely meant.
Source: docker/cli, cli/command/container.
"""

import shlex
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from pyminidock.cli.failures import ERROR, WordsRefused, advised, exit_code, tell
from pyminidock.cli.words import Verb, closest, switch, text, typed
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.errors import MinidockError
from pyminidock.grammar.names import short_id

Row = tuple[str, ...]

_HEADINGS = ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")
_UNITS = (
    ("year", 31536000), ("month", 2592000), ("week", 604800), ("day", 86400),
    ("hour", 3600), ("minute", 60), ("second", 1),
)  # fmt: skip
_COMMAND_WIDTH = 20
_NARROWEST = 10  # as Docker's tables have it
_STOP_S = 10


def ps(words: tuple[str, ...], *, all: bool, quiet: bool, no_trunc: bool) -> int:
    """List the containers that run, or all."""
    with connect() as client:
        found = client.containers(all=all)
    if quiet:
        for each in found:
            click.echo(each["Id"] if no_trunc else short_id(each["Id"]))
        return 0
    now = time.time()
    rows = [_row(each, now, is_whole=no_trunc) for each in found]
    for line in columns([_HEADINGS, *rows]):
        click.echo(line)
    return 0


def _row(told: dict[str, Any], now: float, *, is_whole: bool) -> Row:
    command = str(told["Command"])
    if not is_whole and len(command) > _COMMAND_WIDTH - 2:
        command = command[: _COMMAND_WIDTH - 3] + "…"
    return (
        told["Id"] if is_whole else short_id(told["Id"]),
        told["Image"],
        f'"{command}"',
        f"{ago(now - told['Created'])} ago",
        told["Status"],
        "",
        ",".join(name.removeprefix("/") for name in told["Names"]),
    )


def ago(seconds: float) -> str:
    """Say how long that is, as Docker does: rounded down, in the largest unit of two.

    >>> ago(0.3), ago(59), ago(119), ago(3 * 86400), ago(20 * 86400)
    ('Less than a second', '59 seconds', 'About a minute', '3 days', '2 weeks')
    """
    for unit, length in _UNITS:
        number = int(seconds // length)
        if number >= 2 or (number == 1 and unit == "second"):
            return f"{number} {unit}{'s' if number > 1 else ''}"
        if number == 1 and unit in ("minute", "hour"):
            return f"About {'an' if unit == 'hour' else 'a'} {unit}"
    return "Less than a second"


def columns(rows: Sequence[Row]) -> Iterable[str]:
    """Line up rows, three blanks apart and ten at least, but for blanks at ends of lines.

    >>> list(columns([("A", "IMAGE ID", "NAMES"), ("1", "12345678", "x")]))
    ['A         IMAGE ID   NAMES', '1         12345678   x']
    """
    widths = [
        max(_NARROWEST, 3 + max(map(len, column))) for column in zip(*rows, strict=True)
    ]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "".join(cells).rstrip()


def rm(words: tuple[str, ...], *, force: bool) -> int:
    """Remove containers; with `force` those too that run."""
    return each(words, lambda client, name: client.remove(name, force=force))


def kill(words: tuple[str, ...], *, signal: str) -> int:
    """Send a signal to containers."""
    return each(words, lambda client, name: _kill(client, name, signal))


def _kill(client: Client, name: str, signal: str) -> None:
    try:
        client.kill(name, signal)
    except Refused as refusal:
        if refusal.status != 400:
            raise
        raise advised(
            refusal, shlex.join(["minidock", "kill", "-s", "TERM", name])
        ) from None


def stop(words: tuple[str, ...], *, time: str) -> int:
    """Ask containers to end, and end those that do not within so many seconds."""
    try:
        seconds = int(time)
    except ValueError:
        raise WordsRefused(
            f'invalid argument "{time}" for "-t, --time" flag: strconv.ParseInt: parsing '
            f'"{time}": invalid syntax',
            why="the time is a whole number of seconds",
            try_next=shlex.join(["minidock", "stop", *words]),
        ) from None
    return each(words, lambda client, name: _stop(client, name, seconds))


def _stop(client: Client, name: str, seconds: int) -> None:
    if not client.inspect(name)["State"]["Running"]:
        return
    waiting = client.waiting(name, "not-running")
    client.kill(name, "TERM")
    ending = threading.Thread(target=waiting.result, daemon=True)
    ending.start()
    ending.join(None if seconds < 0 else seconds)
    if ending.is_alive():
        client.kill(name, "KILL")
        ending.join()


def wait(words: tuple[str, ...]) -> int:
    """Wait for the end of containers, and print their exit codes."""
    return each(words, lambda client, name: client.wait(name))


def inspect(words: tuple[str, ...], *, format: str | None, type: str) -> int:
    """Print everything about containers and images, as one JSON list, or a template."""
    from pyminidock.cli.images import looked_at  # noqa: PLC0415  (it needs `each`)

    looks: dict[str, Callable[[Client, str], dict[str, Any]]] = {
        "": _inspect,
        "container": lambda client, name: client.inspect(name),
        "image": lambda client, name: client.images.inspect(name),
    }
    if type not in looks:
        raise WordsRefused(
            f'"{type}" is not a valid value for --type',
            why="what can be looked at here is a container or an image",
            try_next=shlex.join(["minidock", "inspect", *words]),
            exit_code=ERROR,
        )
    return looked_at(words, format, looks[type])


def _inspect(client: Client, name: str) -> dict[str, Any]:
    """Look at a container of this name, or else at an image."""
    try:
        return client.inspect(name)
    except Refused as refusal:
        try:
            return client.images.inspect(name)
        except Refused:
            raise refusal from None


def each(
    names: Sequence[str], act: Callable[[Client, str], int | None], *,
    is_silent: bool = False,
) -> int:  # fmt: skip
    """Act on each name; print what it gives, or the name; give the exit code."""
    worst = 0
    with connect() as client:
        for name in names:
            try:
                result = act(client, name)
                if not is_silent:
                    click.echo(name if result is None else result)
            except MinidockError as refusal:
                better = meant(client, name, refusal)
                tell(better)
                worst = exit_code(better)
    return worst


def meant(client: Client, name: str, refusal: MinidockError) -> MinidockError:
    """Add to "No such container" what was typed, with the name that was likely meant."""
    if not isinstance(refusal, Refused) or "No such container" not in refusal.what:
        return refusal
    known = [each.removeprefix("/") for told in client.containers(all=True)
             for each in told["Names"]]  # fmt: skip
    better = closest(name, known)
    if not better:
        return refusal
    line = (better if word == name else word for word in typed())
    return advised(refusal, shlex.join(line))


_NAMES = "CONTAINER…"

PS = Verb(
    "ps",
    ps,
    help="List the containers that run.",
    params=[
        switch("--all", "-a", help="and those that do not"),
        switch("--quiet", "-q", help="ids only"),
        switch("--no-trunc", help="ids and commands whole"),
    ],
)
RM = Verb(
    "rm",
    rm,
    help="Remove containers.",
    params=[switch("--force", "-f", help="end those that run")],
    usage=_NAMES,
    least=1,
)
KILL = Verb(
    "kill",
    kill,
    help="Send a signal to containers.",
    params=[text("--signal", "-s", help="which", metavar="SIGNAL", default="KILL")],
    usage=_NAMES,
    least=1,
)
STOP = Verb(
    "stop",
    stop,
    help="Ask containers to end; after a while, end them.",
    params=[
        text("--time", "-t", help="seconds until then", metavar="N", default=str(_STOP_S))
    ],
    usage=_NAMES,
    least=1,
)
WAIT = Verb(
    "wait", wait, help="Wait for containers; print exit codes.", usage=_NAMES, least=1
)
INSPECT = Verb(
    "inspect",
    inspect,
    help="Tell everything about containers or images.",
    params=[
        text("--format", "-f", help="json, or a template", metavar="TEMPLATE"),
        text("--type", help="container or image", metavar="TYPE", default=""),
    ],
    usage="NAME…",
    least=1,
)
