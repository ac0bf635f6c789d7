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
from pyminidock.cli.failures import ERROR, WordsRefused, exit_code, tell
from pyminidock.cli.words import Verbs
from pyminidock.errors import MinidockError

VERBS = {
    "run": "run:RUN",
    "build": "build:BUILD",
    "step": "step:STEP",
    "exec": "second:EXEC",
    "ps": "containers:PS",
    "create": "run:CREATE",
    "start": "run:START",
    "stop": "containers:STOP",
    "kill": "containers:KILL",
    "wait": "containers:WAIT",
    "rm": "containers:RM",
    "inspect": "containers:INSPECT",
    "images": "images:IMAGES",
    "history": "images:HISTORY",
    "tag": "images:TAG",
    "rmi": "images:RMI",
    "save": "archives:SAVE",
    "load": "archives:LOAD",
    "import": "archives:IMPORT",
    "image": "images:IMAGE",
    "explain": "explain:EXPLAIN",
    "trace": "trace:TRACE",
    "doctor": "engine:DOCTOR",
    "bootstrap": "engine:BOOTSTRAP",
    "daemon": "engine:DAEMON",
    "system": "engine:SYSTEM",
    "env": "engine:ENV",
    "lab": "engine:LAB",
    "completion": "engine:COMPLETION",
}
"""Each verb, and where it is defined, in the order of the help."""


class LoadedVerbs(Verbs):
    """Verbs that are loaded when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Load one verb."""
        module, _, attribute = VERBS.get(name, "").partition(":")
        if not module:
            return None
        found = getattr(importlib.import_module(f"pyminidock.cli.{module}"), attribute)
        return found if isinstance(found, click.Command) else None


GROUP = LoadedVerbs("minidock", help="A real container engine that shows every step.")
click.version_option(pyminidock.__version__, message="minidock %(version)s")(GROUP)


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
    except KeyboardInterrupt:
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
    return WordsRefused(
        mistake.format_message(),
        why="the command line cannot be read so",
        try_next=f"{context.command_path if context else 'minidock'} --help",
        exit_code=ERROR,
    )


if __name__ == "__main__":
    main()
