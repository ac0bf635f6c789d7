"""Two ways to step: on a screen, or line by line.

In a terminal the stepper shows the world; elsewhere, or with --no-tui, each hold is a line,
and one letter is read for each: n(ext step), c(ontinue), a(bort).

    held 57 root.pivoted pid=4242: The old root is out of sight
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from pyminidock.cli.step_deeds import Deed
from pyminidock.cli.step_gates import ANY, SteppedSource
from pyminidock.client.handles import Client
from pyminidock.viz.sentences import say


def wants_lines(given: Mapping[str, Any]) -> bool:
    """Say whether there is no screen to step on, or none is wanted."""
    return given["no_tui"] or not (sys.stdout.isatty() and sys.stdin.isatty())


def in_stepper(source: SteppedSource, start: Deed) -> None:
    """Show the world at each step, until the person leaves."""
    from pyminidock.cli.stepper import StepperApp  # noqa: PLC0415  (Textual takes its time)

    StepperApp(source, work=start.do).run()


def in_lines(
    client: Client,
    story: str,
    source: SteppedSource,
    say_line: Callable[[str], object] = click.echo,
) -> None:
    """Print a line for each hold, and do what the letter says that is read for it."""
    for record in iter(source.next_held, None):
        pid = _host_pid(client, story) or "-"
        say_line(f"held {record.seq} {record.kind} pid={pid}: {say(record)}")
        match _order():
            case "n":
                source.step()
            case "c" if source.pattern != ANY:
                source.resume()
            case "a":
                source.abort()
                return  # how it is undone is not held any more
            case _:
                source.close()


def _order() -> str:
    """Read n, c or a; nothing more to read means: let go."""
    while line := sys.stdin.readline():
        letter = line.strip()[:1].lower()
        if letter in ("n", "c", "a"):
            return letter
        click.echo("n: next step   c: continue   a: abort", err=True)
    return ""


def _host_pid(client: Client, story: str) -> int:
    """Give the number on the host of the process that was born last; 0 if none lives."""
    pid = 0
    for record in client.story(story).records:
        if record.kind == "init.forked":
            pid = int(str(record.data["pid"]))
        if record.kind == "container.exited":
            pid = 0
    return pid
