"""What the database answered is kept for exactly as long as it is true."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.store.answers import MOST, Answers
from pyminidock.store.database import Database

NAMES = "SELECT name FROM tags ORDER BY name"


class Counted(Database):
    """A database that counts how often the file is looked at."""

    looks = 0

    def _lend(self) -> sqlite3.Connection:
        self.looks += 1
        return super()._lend()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Counted]:
    opened = Counted(tmp_path, mounts="")
    with opened.write() as rows:
        rows.execute("INSERT INTO images VALUES ('i', 'i', '', '', 0.0, 0, 1, '')")
    yield opened
    opened.close()


def tag(db: Database, name: str, *, answers_stay: bool = False) -> None:
    with db.write(answers_stay=answers_stay) as rows:
        rows.execute("INSERT INTO tags VALUES (?, 'i')", (name,))


def names(db: Database) -> list[str]:
    return [*db.recall(name_of, NAMES)]


def name_of(row: sqlite3.Row) -> str:
    return str(row["name"])


def test_the_same_question_is_asked_once(db: Counted) -> None:
    assert names(db) == names(db) == []
    assert db.looks == 1


def test_other_values_are_another_question(db: Counted) -> None:
    tag(db, "a")
    query = "SELECT name FROM tags WHERE name = ?"
    assert [len(db.recall(name_of, query, name)) for name in "aba"] == [1, 0, 1]
    assert db.looks == 2


def test_what_is_written_is_in_the_next_answer(db: Counted) -> None:
    names(db)
    tag(db, "a")
    assert names(db) == ["a"]


def test_who_writes_sees_what_was_written(db: Counted) -> None:
    names(db)
    with db.write() as rows:
        rows.execute("INSERT INTO tags VALUES ('a', 'i')")
        assert names(db) == ["a"]
    assert names(db) == ["a"]


def begin_and_fail(db: Database) -> None:
    with db.write() as rows:
        rows.execute("INSERT INTO tags VALUES ('a', 'i')")
        assert names(db) == ["a"]
        raise KeyError


def test_what_was_undone_is_in_no_answer(db: Counted) -> None:
    with pytest.raises(KeyError):
        begin_and_fail(db)
    assert names(db) == []


def test_a_change_within_one_that_lets_answers_stay_counts(db: Counted) -> None:
    names(db)
    with db.write(answers_stay=True):
        tag(db, "a")
    assert names(db) == ["a"]


def test_a_lease_lets_answers_stay(db: Counted) -> None:
    names(db)
    with db.write(answers_stay=True) as rows:
        rows.execute("INSERT INTO leases (operation) VALUES ('build')")
    names(db)
    assert db.looks == 1


def test_an_answer_from_before_a_write_is_not_kept_after_it() -> None:
    answers = Answers()
    moment = answers.moment
    answers.forget()
    answers.keep(("q", ()), (), moment)
    assert answers.get(("q", ())) is None
    answers.keep(("q", ()), (), answers.moment)
    assert answers.get(("q", ())) == ()


def test_there_is_an_end_to_how_much_is_kept() -> None:
    answers = Answers()
    for number in range(2 * MOST + 1):
        answers.keep(("q", (number,)), (), answers.moment)
    known = [answers.get(("q", (number,))) for number in range(2 * MOST + 1)]
    assert 0 < len([each for each in known if each is not None]) <= MOST
