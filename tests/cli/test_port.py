"""A trace as a terminal shows it."""

from typing import Any

import click
import pytest

from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.port import lines, port

DIED: dict[str, Any] = {
    "asked": {"name": "localhost", "port": 8080, "protocol": "tcp"},
    "container": {"name": "web", "state": "running"},
    "arrived": False,
    "cause": {"name": "no-listener", "title": "nothing listens on that port inside"},
    "remedy": {"command": "docker run -p 8080:5000 …", "why": "it listens on 5000"},
    "hops": [
        {"place": "client", "what": "the host asks", "state": "ok", "evidence": ["a", "b"]},
        {
            "place": "process",
            "what": "web, port 80",
            "state": "dies",
            "evidence": ["x\x1b[2J"],
        },
    ],
    "proof": {"before": "refused", "after": "arrives", "holds": True},
}


def test_each_hop_has_its_mark_and_its_evidence() -> None:
    told = click.unstyle("\n".join(lines(DIED)))
    assert "✓ client     the host asks" in told
    assert "✗ process    web, port 80" in told
    assert "x\\x1b[2J" in told
    assert "It dies at the process: nothing listens on that port inside" in told
    assert "What helps: docker run -p 8080:5000" in told
    assert "as it is: refused; without the cause: arrives" in told


def test_without_a_proof_it_is_said_how_to_have_one() -> None:
    assert "--prove" in "\n".join(lines(DIED | {"proof": None}))


def test_what_arrives_arrives() -> None:
    fine = DIED | {"cause": None, "arrived": True, "remedy": None, "proof": None}
    assert list(lines(fine))[-1] == "It arrives."


@pytest.mark.parametrize("word", ["web", "80/sctp", "-1", "8 0"])
def test_what_is_no_port_is_refused(word: str) -> None:
    with pytest.raises(WordsRefused):
        port((word,))
