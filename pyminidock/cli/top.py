"""`minidock top` and `port`: the processes of a container, and its ports.

Source: docker/cli, cli/command/container/top.go and port.go.
"""

import re

import click

from pyminidock.cli.containers import meant
from pyminidock.cli.failures import ERROR, WordsRefused, tell
from pyminidock.cli.tables import aligned
from pyminidock.cli.words import Verb
from pyminidock.client.connect import connect
from pyminidock.client.transport import Refused

_TOP_WIDTH = 20


def top(words: tuple[str, ...]) -> int:
    """List the processes of a container, as `ps` on the host shows them."""
    with connect() as client:
        try:
            told = client.life.top(words[0], " ".join(words[1:]))
        except Refused as refusal:
            tell(meant(client, words[0], refusal))
            return ERROR
    lines = ["\t".join(row) for row in (told["Titles"], *(told["Processes"] or ()))]
    for line in aligned(lines, narrowest=_TOP_WIDTH):
        click.echo(line)
    return 0


def port(words: tuple[str, ...]) -> int:
    """Tell which ports of the host lead to which of a container."""
    with connect() as client:
        try:
            told = client.inspect(words[0])
        except Refused as refusal:
            tell(meant(client, words[0], refusal))
            return ERROR
    ports = told["NetworkSettings"]["Ports"] or {}
    if len(words) > 1:
        number, _, protocol = words[1].partition("/")
        found = ports.get(f"{number}/{protocol or 'tcp'}") or ()
        for line in sorted(map(_address, found), key=_naturally):
            click.echo(line)
        if not found:
            raise WordsRefused(
                f"Error: No public port '{words[1]}' published for {words[0]}",
                why="no port of the host leads to it", try_next=f"minidock port {words[0]}",
                exit_code=ERROR,
            )  # fmt: skip
        return 0
    lines = [
        f"{name} -> {_address(bound)}" for name in ports for bound in ports[name] or ()
    ]
    for line in sorted(lines, key=_naturally):
        click.echo(line)
    return 0


def _naturally(line: str) -> list[tuple[int, str]]:
    """Put 9 before 10: numbers count as numbers, and come before letters.

    >>> sorted(["10/tcp", "9/udp", "9/tcp"], key=_naturally)
    ['9/tcp', '9/udp', '10/tcp']
    """
    parts = re.findall("[0-9]+|[^0-9]+", line)
    return [(int(part), "") if part.isdigit() else (1 << 32, part) for part in parts]


def _address(bound: dict[str, str]) -> str:
    host = bound["HostIp"]
    return f"[{host}]:{bound['HostPort']}" if ":" in host else f"{host}:{bound['HostPort']}"


TOP = Verb(
    "top", top, help="List the processes of a container.",
    usage="CONTAINER [FLAGS of ps]…", least=1, is_open=False,
)  # fmt: skip
PORT = Verb(
    "port", port, help="List the ports of a container.", usage="CONTAINER [PORT[/tcp]]",
    least=1, most=2,
)  # fmt: skip
