"""The short verbs: end it, hold it, call it otherwise, remove it.

Each takes names or ids, does its one thing to each of them in turn, prints each name when
it is done, and goes on after a refusal: the exit code is then 1.  A name that nobody has is
answered with the one that was most likely meant.
Source: docker/cli, cli/command/container.
"""

import shlex
from collections.abc import Callable, Sequence

import click

from pyminidock.cli.failures import ERROR, WordsRefused, advised, exit_code, tell
from pyminidock.cli.terminal import only_listening
from pyminidock.cli.words import Verb, closest, invalid, switch, text, typed
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.errors import MinidockError
from pyminidock.grammar.numbers import parse_integer

_NAMES = "CONTAINER…"


def rm(words: tuple[str, ...], *, force: bool, volumes: bool, link: bool) -> int:
    """Remove containers; with `force` those too that run, and those that are not there."""
    codes = []

    def act(client: Client, name: str) -> None:
        bare = name.strip("/")
        if not bare:
            raise WordsRefused(
                "Container name cannot be empty", why="a name has two characters at least",
                try_next="minidock ps --all", exit_code=ERROR,
            )  # fmt: skip
        try:
            client.remove(bare, force=force, volumes=volumes, link=link)
        except Refused as refusal:
            codes.append(0 if force and refusal.status == 404 else ERROR)
            raise

    worst = each(words, act)
    return max(codes, default=worst)  # what is not there need not be forced


def kill(words: tuple[str, ...], *, signal: str | None) -> int:
    """Send a signal to containers."""
    return each(words, lambda client, name: _kill(client, name, signal or ""))


def _kill(client: Client, name: str, signal: str) -> None:
    try:
        client.kill(name, signal)
    except Refused as refusal:
        if refusal.status != 400:
            raise
        raise advised(
            refusal, shlex.join(["minidock", "kill", "-s", "TERM", name])
        ) from None


def stop(words: tuple[str, ...], *, time: str | None, signal: str | None) -> int:
    """Ask containers to end; after a while, end them."""
    seconds = _seconds(time)
    return each(
        words,
        lambda client, name: client.life.stop(name, signal=signal or "", seconds=seconds),
    )


def restart(words: tuple[str, ...], *, time: str | None, signal: str | None) -> int:
    """End containers as `stop` does, and start them."""
    seconds = _seconds(time)
    return each(
        words,
        lambda client, name: client.life.restart(
            name, signal=signal or "", seconds=seconds
        ),
    )


def _seconds(typed: str | None) -> int | None:
    try:
        return None if typed is None else parse_integer(typed, try_next="minidock ps")
    except MinidockError as refusal:
        raise invalid(
            typed or "", "-t, --time", refusal.what,
            why="the time is a whole number of seconds", try_next="minidock stop --help",
        ) from refusal  # fmt: skip


def pause(words: tuple[str, ...]) -> int:
    """Hold all processes of containers."""
    return each(words, lambda client, name: client.life.pause(name))


def unpause(words: tuple[str, ...]) -> int:
    """Let them go on."""
    return each(words, lambda client, name: client.life.unpause(name))


def rename(words: tuple[str, ...]) -> int:
    """Give a container another name."""
    old, new = (word.strip() for word in words)
    if not old or not new:
        raise WordsRefused(
            "Error: Neither old nor new names may be empty",
            why="a name has two characters at least",
            try_next="minidock ps --all", exit_code=ERROR,
        )  # fmt: skip
    return each([old], lambda client, name: client.life.rename(name, new), is_silent=True)


def wait(words: tuple[str, ...]) -> int:
    """Wait for the end of containers, and print their exit codes."""

    def until_it_ends(client: Client, name: str) -> int:
        with only_listening():
            return client.wait(name)

    return each(words, until_it_ends)


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


_ENDING = (
    text("--signal", "-s", help="which signal", metavar="SIGNAL"),
    text("--time", "-t", help="seconds until it is killed", metavar="N"),
)


def _rm(name: str) -> Verb:
    return Verb(
        name, rm, help="Remove containers.",
        params=[
            switch("--force", "-f", help="end those that run"),
            switch("--link", "-l", help="only a name by which others link to it"),
            switch("--volumes", "-v", help="and volumes that have no name"),
        ],
        usage=_NAMES, least=1,
    )  # fmt: skip


RM, REMOVE = _rm("rm"), _rm("remove")
KILL = Verb(
    "kill", kill, help="Send a signal to containers.", params=_ENDING[:1],
    usage=_NAMES, least=1,
)  # fmt: skip
STOP = Verb(
    "stop", stop, help="Ask containers to end; after a while, end them.", params=_ENDING,
    usage=_NAMES, least=1,
)  # fmt: skip
RESTART = Verb(
    "restart", restart, help="End containers, and start them again.", params=_ENDING,
    usage=_NAMES, least=1,
)  # fmt: skip
PAUSE = Verb("pause", pause, help="Hold all processes.", usage=_NAMES, least=1)
UNPAUSE = Verb("unpause", unpause, help="Let them go on.", usage=_NAMES, least=1)
RENAME = Verb(
    "rename", rename, help="Give a container another name.", usage="CONTAINER NAME",
    least=2, most=2,
)  # fmt: skip
WAIT = Verb(
    "wait", wait, help="Wait for containers; print exit codes.", usage=_NAMES, least=1
)
