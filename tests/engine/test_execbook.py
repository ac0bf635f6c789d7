"""How long second processes are remembered, and which of them count."""

import pytest

from pyminidock.container.spec import ExecRequest
from pyminidock.engine import execbook
from pyminidock.engine.execbook import KEPT_S, Exec, ExecBook
from pyminidock.engine.lives import Life
from pyminidock.kernel.port import ExitStatus

LIFE = Life("a" * 64, "web")
SHELL = ExecRequest(("sh",))


def made(book: ExecBook, name: str, now: float = 0.0, *, life: Life = LIFE) -> Exec:
    one = Exec(name, life, SHELL, now)
    book.add(one, now)
    return one


def end(book: ExecBook, one: Exec, now: float) -> None:
    one.is_begun, one.exit = True, ExitStatus(0)
    book.finish(one, now)


def test_one_that_ended_is_found_for_ten_minutes() -> None:
    book = ExecBook()
    one = made(book, "one")
    end(book, one, 5.0)
    assert book.find("one", 5.0 + KEPT_S - 1) is one
    assert book.find("one", 5.0 + KEPT_S) is None


def test_one_that_runs_is_never_forgotten() -> None:
    book = ExecBook()
    one = made(book, "one")
    one.is_begun = True
    made(book, "two", 1e9)
    assert book.find("one", 1e9) is one


def test_of_very_many_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execbook, "MOST_FINISHED", 3)
    book = ExecBook()
    for number in range(9):
        end(book, made(book, str(number)), float(number))
    assert [book.find(str(number), 9.0) is not None for number in range(9)] == (
        [False] * 6 + [True] * 3
    )


def test_only_the_unfinished_count() -> None:
    book, other = ExecBook(), Life("b" * 64, "db")
    waiting, running, over = (made(book, name) for name in ("waiting", "running", "over"))
    made(book, "elsewhere", life=other)
    running.is_begun = True
    end(book, over, 1.0)
    assert book.unfinished(LIFE.id) == [waiting, running]
    assert [each.is_running for each in (waiting, running, over)] == [False, True, False]


def test_what_was_never_started_is_forgotten_when_it_is_old() -> None:
    book = ExecBook()
    old, young, running = (
        made(book, name, at) for name, at in zip("abc", (1, 9, 1), strict=True)
    )
    running.is_begun = True
    book.forget_unstarted(LIFE.id, before=5.0)
    assert book.unfinished(LIFE.id) == [young, running]
    assert book.find(old.id, 9.0) is None


def test_everything_is_forgotten_with_its_container() -> None:
    book, other = ExecBook(), Life("b" * 64, "db")
    end(book, made(book, "over"), 1.0)
    made(book, "waiting")
    kept = made(book, "elsewhere", life=other)
    book.forget(LIFE.id)
    assert [book.find(name, 2.0) for name in ("over", "waiting", "elsewhere")] == [
        None, None, kept,
    ]  # fmt: skip


def test_an_end_that_is_told_after_the_container_is_gone_leaves_nothing() -> None:
    book = ExecBook()
    one = made(book, "one")
    book.forget(LIFE.id)
    end(book, one, 1.0)
    assert book.find("one", 2.0) is None
    assert len(book._finished) == 0
