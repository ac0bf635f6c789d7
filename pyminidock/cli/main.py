"""`minidock VERB …`: which verb is meant, and how its refusal is shown.

A verb is loaded when it is typed, because everybody waits for what is loaded: `run` needs
no terminal stepper.  A verb returns its exit code; whatever it refuses is shown as Docker
shows it, with the reason and a way on beneath.
"""

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click

import pyminidock
from pyminidock.cli import terminal
from pyminidock.cli.catalogue import LATER, VERBS, Group
from pyminidock.cli.failures import ERROR, WordsRefused, exit_code, tell
from pyminidock.cli.words import Verbs
from pyminidock.errors import MinidockError


class LoadedVerbs(Verbs):
    """Verbs that are loaded when they are named."""

    def __init__(self, name: str, group: Group) -> None:
        super().__init__(name, help=group.help)
        self._group, self.others = group, group.others

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs in the order of the table."""
        return list(self._group.verbs)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Load one verb."""
        found = self._group.verbs.get(name, "")
        if isinstance(found, Group):
            return LoadedVerbs(name, found)
        if not found:
            return None
        module, _, attribute = found.partition(":")
        verb = getattr(importlib.import_module(f"pyminidock.cli.{module}"), attribute)
        return verb if isinstance(verb, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is meant; say of those to come that they are to come."""
        if self._knows(args[0], ctx) and not ctx.resilient_parsing:
            what, _, way = LATER[args[0]].partition(": ")
            raise WordsRefused(
                f"minidock {args[0]}: {what}",
                why=way or "this engine makes its images itself: build, import, bootstrap",
                try_next="minidock --help",
                exit_code=ERROR,
            )
        return super().resolve_command(ctx, args)

    def _knows(self, name: str, ctx: click.Context) -> bool:
        """Tell whether a verb is one of Docker's that is to come."""
        if ctx.parent is None:
            return name in LATER
        return self.name == "image" and name in ("pull", "push")


GROUP = LoadedVerbs(
    "minidock", Group("A real container engine that shows every step.", VERBS)
)
GROUP.params += [
    click.Option(
        ["--host", "-H"], metavar="ADDRESS", expose_value=False, is_eager=True,
        help="which engine: unix:///PATH",
        callback=lambda _ctx, _option, typed: _choose(typed),
    ),
    click.Option(
        ["--debug", "-D"], is_flag=True, expose_value=False, help="as Docker has it"
    ),
    click.Option(
        ["--log-level", "-l"], metavar="LEVEL", expose_value=False, help="as Docker has it"
    ),
]  # fmt: skip
click.version_option(
    pyminidock.__version__, "--version", "-v", message="minidock %(version)s"
)(GROUP)


def _choose(typed: str | None) -> None:
    """Speak to another engine than the usual one."""
    if typed:
        os.environ["MINIDOCK_HOST"] = typed


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Do what the words ask, and end with the exit code of the verb."""
    try:
        sys.exit(_exit_code(words))
    except terminal.Ended as end:
        terminal.die_of(end.number)
    except BrokenPipeError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python flushes into the pipe
        terminal.die_of(signal.SIGPIPE)
    except (KeyboardInterrupt, click.Abort):  # click puts one into the other
        terminal.die_of(signal.SIGINT)
    sys.exit(ERROR)


def _exit_code(words: Sequence[str] | None) -> int:
    """Perform a verb and give its exit code; show its refusal."""
    try:
        given = GROUP.main(args=words, prog_name="minidock", standalone_mode=False)
        return given if isinstance(given, int) else 0
    except MinidockError as refusal:
        tell(refusal)
        return exit_code(refusal)
    except click.ClickException as mistake:
        tell(_click_refusal(mistake))
        return ERROR


def _click_refusal(mistake: click.ClickException) -> WordsRefused:
    """Put a mistake that click found into our shape."""
    context = getattr(mistake, "ctx", None)
    what = mistake.format_message()
    if isinstance(mistake, click.NoSuchOption):
        what = f"unknown flag: {mistake.option_name}"
    return WordsRefused(
        what,
        why="the command line cannot be read so",
        try_next=f"{context.command_path if context else 'minidock'} --help",
        exit_code=ERROR,
    )


if __name__ == "__main__":
    main()
