"""`minidock logs`: what a container said, and with -f what it says.

Source: docker/cli, cli/command/container/logs.go.
"""

from collections.abc import Iterator
from typing import Any

from pyminidock.cli.containers import meant
from pyminidock.cli.failures import ERROR, tell
from pyminidock.cli.moments import moment
from pyminidock.cli.terminal import only_listening, write
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.attach import STDERR, frames
from pyminidock.client.connect import connect
from pyminidock.client.transport import Live, Refused


def logs(words: tuple[str, ...], **given: Any) -> int:
    """Show the output of a container, its two streams apart."""
    with connect() as client, only_listening():
        try:
            told = client.inspect(words[0])
            live = client.life.logs(told["Id"], _query(given))
        except Refused as refusal:
            tell(meant(client, words[0], refusal))
            return ERROR
        try:
            for number, data in _pieces(live, is_raw=told["Config"]["Tty"]):
                write(2 if number == STDERR else 1, data)
        finally:
            live.close()
    return 0


def _query(given: dict[str, Any]) -> dict[str, str]:
    query = {"stdout": "1", "stderr": "1", "tail": given["tail"]}
    switches = ("follow", "timestamps", "details")
    query |= {name: "1" for name in switches if given[name]}
    moments = {name: moment(given[name], name) for name in ("since", "until")}
    return query | {name: value for name, value in moments.items() if value}


def _pieces(live: Live, *, is_raw: bool) -> Iterator[tuple[int, bytes]]:
    """Give what comes: (1 or 2, bytes); a terminal has one stream."""
    if not is_raw:
        yield from frames(live)
        return
    for data in live:
        yield 1, data


def _verb() -> Verb:
    return Verb(
        "logs", logs, help="Show what a container said.",
        params=[
            switch("--details", help="with what its driver noted"),
            switch("--follow", "-f", help="and what it says"),
            text("--since", help="not before: 10m, or a date", metavar="TIME"),
            text("--until", help="not after", metavar="TIME"),
            text("--tail", "-n", help="the last so many lines", metavar="N",
                 default="all"),
            switch("--timestamps", "-t", help="each line with its moment"),
        ],
        usage="CONTAINER", least=1, most=1,
    )  # fmt: skip


LOGS = _verb()
