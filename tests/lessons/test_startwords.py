"""The table of ENTRYPOINT and CMD, row by row, from containers that ran."""

from collections.abc import Iterator

import pytest

from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.course.startwords import ROWS, Row, RowRefused, StartWords, Tried, try_out
from pyminidock.course.trial import Ran
from pyminidock.viz.film import flat
from tests.minidock_cli import Minidock

MISSING = "127 executable file not found in $PATH"


@pytest.fixture(scope="module")
def client(minidock: Minidock) -> Iterator[Client]:
    with connect(minidock.root, f"unix://{minidock.host}", start=False) as found:
        yield found


@pytest.fixture(scope="module")
def observed(client: Client) -> StartWords:
    return try_out(client)


def ended(ran: Ran) -> str:
    """What a run printed, or its exit code and the end of its reason."""
    if ran.refusal:
        return f"{ran.exit_code} {ran.refusal.removesuffix(': unknown').split(': ')[-1]}"
    printed = ran.output.removesuffix("\n")
    return printed if not ran.exit_code else f"{ran.exit_code} {printed}"


# What dockerd does with each row; the words are those of the engine's own output.
EXPECTED = [
    ("hi", MISSING),
    ("Hello World", "bye"),
    ("Hello World", "Hello World bye"),
    ("shell", "shell"),
    ("/bin/sh -c Hello", "bye"),
    ("$HOME", "bye"),
    ("/root", MISSING),
    ("second", "second bye"),
    (None, "1 ls: bye: No such file or directory"),
    (MISSING, MISSING),
    ("125 no command specified", MISSING),
]


@pytest.mark.parametrize("place", range(len(ROWS)), ids=[" ".join(
    [*row.instructions, row.flag]) for row in ROWS])  # fmt: skip
def test_a_row_is_what_the_lesson_says(observed: StartWords, place: int) -> None:
    tried: Tried = observed.rows[place]
    alone, added = EXPECTED[place]
    if alone is None:  # a plain `ls`: whatever the root has
        assert {"bin", "etc", "proc"} <= set(tried.alone.output.split())
    else:
        assert ended(tried.alone) == alone
    assert ended(tried.added) == added


def test_the_words_that_were_started_are_read_back(observed: StartWords) -> None:
    shell = observed.rows[3].added
    assert shell.words == ("/bin/sh", "-c", "echo shell", "bye")
    assert observed.rows[1].added.words == ("echo", "bye")


def test_a_notebook_shows_a_table_and_a_terminal_the_same(observed: StartWords) -> None:
    page = observed._repr_html_()
    assert page.count("<tr") == len(ROWS) + 1
    assert "<script" not in page
    assert "second bye" in page
    assert "second bye" in repr(observed)


def test_a_page_that_draws_it_is_told_of_every_row(observed: StartWords) -> None:
    rows = observed.scene().children
    told = flat(observed.scene())
    assert told["startwords"]["k"] == [each.id for each in rows]  # an id again stays out
    assert len(rows) == len(ROWS) + 1


def test_nothing_of_it_stays(client: Client, observed: StartWords) -> None:
    names = [tag for told in client.images.listed() for tag in told["RepoTags"] or ()]
    assert not [name for name in names if "startwords" in name]
    assert not client.containers(all=True, filters={"name": ["course-check"]})


def test_a_row_that_cannot_be_built_says_why(client: Client) -> None:
    with pytest.raises(RowRefused):
        try_out(client, [Row(("RUN false",))])
