"""`minidock explain port`: one request, hop by hop, where it dies, and what helps."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from pyminidock.cli.containers import meant
from pyminidock.cli.failures import WordsRefused
from pyminidock.client.connect import connect
from pyminidock.client.transport import Refused

_MARKS = {"ok": ("✓", "green"), "dies": ("✗", "red"), "unseen": ("·", "bright_black")}


def port(words: tuple[str, ...], **given: Any) -> int:
    """Print the way of one request to a port, and its end."""
    container, (number, protocol) = "".join(words[:-1]), _port(words[-1], words)
    asked = {
        "port": number, "container": container, "protocol": protocol,
        "from": given["from"] or "host", "address": given["at"] or "",
        "prove": given["prove"],
    }  # fmt: skip
    with connect() as client:
        try:
            told = client.trace_request(asked)
        except Refused as refusal:
            raise meant(client, container, refusal) from refusal
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
        return 0
    for line in lines(told):
        click.echo(line)
    return 0


def _port(word: str, words: tuple[str, ...]) -> tuple[int, str]:
    """Read a port and its protocol.  Raises WordsRefused."""
    number, _, protocol = word.partition("/")
    if number.isascii() and number.isdigit() and protocol in ("", "tcp", "udp"):
        return int(number[:6]), protocol or "tcp"
    raise WordsRefused(
        f"'{word}' is no port",
        why="it is a number, or one with its protocol, as 53/udp",
        try_next="minidock explain port " + " ".join((*words[:-1], "8080")),
    )


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Put a trace into lines, as a terminal shows them."""
    yield _heading(told)
    yield ""
    for hop in told["hops"]:
        mark, colour = _MARKS[hop["state"]]
        yield f"  {click.style(mark, fg=colour)} {hop['place']:<10} {hop['what']}"
        for line in hop["evidence"]:
            yield click.style(f"    {'':<10} {line}", dim=True)
    yield ""
    yield from _ending(told)


def _heading(told: Mapping[str, Any]) -> str:
    """Say what is asked, and of whom.

    >>> _heading({"asked": {"name": "localhost", "port": 80, "protocol": "tcp"},
    ...           "container": None})
    'localhost:80/tcp is for no container that is known'
    """
    asked, target = told["asked"], told["container"]
    what = f"{asked['name']}:{asked['port']}/{asked['protocol']}"
    if target is None:
        return f"{what} is for no container that is known"
    return f"{what} is for {target['name']}, which is {target['state']}"


def _ending(told: Mapping[str, Any]) -> Iterator[str]:
    cause = told["cause"]
    if cause is None:
        yield "It arrives." if told["arrived"] else "Nothing is wrong with what was seen."
        return
    place = next((hop["place"] for hop in told["hops"] if hop["state"] == "dies"), "end")
    yield f"It dies at the {place}: {cause['title']} ({cause['name']})."
    yield f"What helps: {told['remedy']['command']}"
    yield f"Because:    {told['remedy']['why']}"
    if proof := told["proof"]:
        yield f"Proof:      {_proof(proof)}"
    else:
        yield "            --prove shows it in a copy of the wiring"


def _proof(proof: Mapping[str, Any]) -> str:
    """Word a proof.

    >>> _proof({"before": "refused", "after": "arrives", "holds": True})
    'in a copy of the wiring, as it is: refused; without the cause: arrives'
    """
    said = f"as it is: {proof['before']}; without the cause: {proof['after']}"
    return f"{'in' if proof['holds'] else 'NOT shown in'} a copy of the wiring, {said}"
