"""The keys that leave a program: none is lost, none is passed on twice."""

import pytest

from pyminidock.cli.detach import Watcher, parse_keys
from pyminidock.cli.failures import WordsRefused

P, Q = b"\x10", b"\x11"


@pytest.mark.parametrize(
    ("typed", "passed"),
    [
        pytest.param(b"abc", b"abc", id="keys that mean nothing to us"),
        pytest.param(P + b"b", P + b"b", id="a first key without the second"),
        pytest.param(P + P + b"b", P + P + b"b", id="a first key twice"),
        pytest.param(P + P + Q, P + P + Q, id="a broken sequence does not begin anew"),
        pytest.param(Q + b"b", Q + b"b", id="the second alone"),
        pytest.param(P, b"", id="a first key waits"),
    ],
)
@pytest.mark.parametrize("piece", [1, 2, 99])
def test_what_is_passed_on_does_not_depend_on_the_pieces(
    typed: bytes, passed: bytes, piece: int
) -> None:
    watcher = Watcher(P + Q)
    pieces = [typed[at : at + piece] for at in range(0, len(typed), piece)]
    assert b"".join(map(watcher.feed, pieces)) == passed
    assert not watcher.has_fired


@pytest.mark.parametrize("typed", [P + Q, b"a" + P + Q, P + b"b" + P + Q])
def test_the_two_keys_leave(typed: bytes) -> None:
    watcher = Watcher(P + Q)
    passed = watcher.feed(typed + b"rest")
    assert watcher.has_fired
    assert passed == typed[:-2]


def test_without_keys_everything_is_passed_on() -> None:
    watcher = Watcher(b"")
    assert watcher.feed(P + Q) == P + Q
    assert not watcher.has_fired


def test_a_single_key_is_enough_if_it_was_chosen() -> None:
    watcher = Watcher(parse_keys("ctrl-]"))
    assert watcher.feed(b"a\x1db") == b"a"
    assert watcher.has_fired


@pytest.mark.parametrize("typed", ["", "ctrl-", "ctrl-ä", "ctrl-p,", "escape"])
def test_names_that_are_no_keys_are_refused(typed: str) -> None:
    with pytest.raises(WordsRefused, match="invalid detach keys"):
        parse_keys(typed)
