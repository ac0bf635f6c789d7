"""`--filter NAME=VALUE`, several times, and the answer to "are you sure?".

Source: docker/cli, opts/opts.go, FilterOpt; cli/command/utils.go.
"""

import sys
from collections.abc import Sequence

import click

from pyminidock.cli.words import invalid, texts

FILTER = texts("--filter", "-f", "filters", help="narrow it down", metavar="NAME=VALUE")
LONG_FILTER = texts("--filter", "filters", help="narrow it down", metavar="NAME=VALUE")
"""For verbs whose -f means force."""


def read_filters(words: Sequence[str], spelling: str) -> dict[str, list[str]]:
    """Collect values by name; `spelling` is the flag in messages.  Raises WordsRefused.

    >>> read_filters(["label=a=1", "label=b"], "-f, --filter")
    {'label': ['a=1', 'b']}
    """
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise invalid(
                word, spelling, "bad format of filter (expected name=value)",
                why="a filter is a name and what it has to be",
                try_next="--filter label=web",
            )  # fmt: skip
        found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def is_sure(warning: str, *, end: str = "\n") -> bool:
    """Warn, ask, and tell whether the answer was yes."""
    click.echo(f"WARNING! {warning}{end}", nl=False)
    click.echo("Are you sure you want to continue? [y/N] ", nl=False)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
