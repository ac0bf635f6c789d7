"""`minidock events`: what happens in the engine, as Docker words it.

The engine's own events, with every step of every story, are another stream: `trace`.

Source: docker/cli, cli/command/system/events.go.
"""

from collections.abc import Callable, Mapping
from typing import Any

import click

from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.filters import FILTER, read_filters
from pyminidock.cli.moments import moment, spelt
from pyminidock.cli.terminal import only_listening
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect

_UNREADABLE = 64


def events(words: tuple[str, ...], **given: Any) -> int:
    """Tell what happens, until its end or ours."""
    template = "json" if given["json"] else given["format"]
    write = _shower(template) if template else pretty
    filters = read_filters(given["filters"], "-f, --filter")
    since, until = (moment(given[name]) for name in ("since", "until"))
    with connect() as client, only_listening():
        for told in client.system.events(filters, since=since, until=until):
            click.echo(write(told))
    return 0


def _shower(template: str) -> Callable[[Mapping[str, Any]], str]:
    from pyminidock.cli.documents import as_event  # noqa: PLC0415  (see tables.show)
    from pyminidock.cli.format import value_shower  # noqa: PLC0415  (as above)

    try:
        write = value_shower(template)
        write(as_event({}))  # before anything happens
    except WordsRefused as refusal:
        fault = refusal.what.removeprefix("template parsing error: ")
        raise WordsRefused(
            f"Error parsing format: {fault}", why=refusal.why, try_next=refusal.try_next,
            exit_code=_UNREADABLE,
        ) from refusal  # fmt: skip
    return lambda told: write(as_event(told))


def pretty(told: Mapping[str, Any]) -> str:
    """Write an event as one line: when, what kind, what, whom, and how.

    >>> pretty({"timeNano": 0, "Type": "image", "Action": "tag", "Actor": {"ID": "1",
    ...         "Attributes": {"name": "a:b"}}})[-23:]
    ' image tag 1 (name=a:b)'
    """
    actor = told["Actor"]
    said = actor.get("Attributes") or {}
    line = f"{spelt(told['timeNano'])} {told['Type']} {told['Action']} {actor['ID']}"
    details = ", ".join(f"{name}={said[name]}" for name in sorted(said))
    return f"{line} ({details})" if details else line


EVENTS = Verb(
    "events", events, help="Tell what happens.",
    params=[
        FILTER, text("--format", help="json, or a template", metavar="TEMPLATE"),
        switch("--json", help="each event as JSON"),
        text("--since", help="first what happened since then", metavar="TIME"),
        text("--until", help="end then", metavar="TIME"),
    ],
)  # fmt: skip
