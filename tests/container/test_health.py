"""What answers mean: the arithmetic of health."""

import pytest

from pyminidock.container.health import (
    Health,
    Result,
    after,
    begun,
    command,
    pause_s,
    text_of,
    timeout_ns,
)
from pyminidock.image.config import Healthcheck

SECOND = 1_000_000_000
CHECK = Healthcheck(("CMD", "true"), interval_ns=2 * SECOND, retries=2)
GOOD, BAD = Result(10.0, 11.0, 0, "fine"), Result(10.0, 11.0, 3, "")


def folded(*results: Result, check: Healthcheck = CHECK, began: float = 0.0) -> Health:
    health = begun(None)
    for result in results:
        health = after(health, result, check, began)
    return health


def test_it_begins_starting() -> None:
    assert folded() == Health("starting", 0, ())


def test_one_good_answer_is_enough() -> None:
    assert folded(GOOD).status == "healthy"
    assert folded(BAD, BAD, BAD, GOOD) == Health("healthy", 0, (BAD, BAD, BAD, GOOD))


def test_as_many_bad_ones_in_a_row_as_retries_say() -> None:
    assert folded(BAD) == Health("starting", 1, (BAD,))
    assert folded(BAD, BAD) == Health("unhealthy", 2, (BAD, BAD))
    assert folded(GOOD, BAD).status == "healthy"
    assert folded(GOOD, BAD, GOOD, BAD).status == "healthy"
    assert folded(GOOD, BAD, BAD).status == "unhealthy"


@pytest.mark.parametrize("retries", [0, -1])
def test_three_if_nobody_says(retries: int) -> None:
    check = Healthcheck(("CMD", "true"), retries=retries)
    assert folded(BAD, BAD, check=check).status == "starting"
    assert folded(BAD, BAD, BAD, check=check).status == "unhealthy"


def test_bad_answers_within_the_start_period_do_not_count() -> None:
    check = Healthcheck(("CMD", "true"), start_period_ns=5 * SECOND, retries=1)
    assert folded(BAD, check=check, began=5.5) == Health("starting", 0, (BAD,))
    assert folded(BAD, check=check, began=5.0).status == "unhealthy"
    assert folded(GOOD, BAD, check=check, began=5.5).status == "unhealthy"


def test_no_answer_in_time_is_a_bad_one() -> None:
    assert folded(Result(1.0, 2.0, -1, "late")).failing_streak == 1


def test_the_last_five_answers_are_kept() -> None:
    results = [Result(float(n), n + 1.0, n % 2, str(n)) for n in range(9)]
    assert folded(*results).log == tuple(results[4:])


def test_another_run_begins_anew_and_keeps_the_answers() -> None:
    assert begun(folded(BAD, BAD)) == Health("starting", 0, (BAD, BAD))


@pytest.mark.parametrize(
    ("check", "health", "since_start_s", "expected"),
    [
        (Healthcheck(), Health(), 0.0, 30.0),
        (Healthcheck(interval_ns=SECOND // 2), Health(), 0.0, 0.5),
        (Healthcheck(start_period_ns=9 * SECOND), Health(), 1.0, 30.0),
        (Healthcheck(start_period_ns=9 * SECOND, start_interval_ns=SECOND), Health(),
         8.9, 1.0),
        (Healthcheck(start_period_ns=9 * SECOND, start_interval_ns=SECOND), Health(),
         9.0, 30.0),
        (Healthcheck(start_period_ns=9 * SECOND, start_interval_ns=SECOND),
         Health("healthy"), 1.0, 30.0),
        (Healthcheck(start_interval_ns=SECOND), Health(), 0.0, 30.0),
    ],
)  # fmt: skip
def test_questions_come_after_the_interval_or_the_start_interval(
    check: Healthcheck, health: Health, since_start_s: float, expected: float
) -> None:
    assert pause_s(check, health, since_start_s) == expected


def test_an_answer_may_take_thirty_seconds_if_nobody_says() -> None:
    assert timeout_ns(Healthcheck()) == 30 * SECOND
    assert timeout_ns(Healthcheck(timeout_ns=7)) == 7


@pytest.mark.parametrize(
    ("test", "shell", "words"),
    [
        (("CMD", "a", "b"), (), ("a", "b")),
        (("CMD",), (), ()),
        (("CMD-SHELL", "a b"), (), ("/bin/sh", "-c", "a b")),
        (("CMD-SHELL", "a b"), ("/bin/ash", "-ec"), ("/bin/ash", "-ec", "a b")),
        (("NONE",), (), None),
        (("WHAT", "a"), (), None),
        ((), (), None),
    ],
)
def test_the_words_of_the_question(
    test: tuple[str, ...], shell: tuple[str, ...], words: tuple[str, ...] | None
) -> None:
    assert command(Healthcheck(test), shell) == words


def test_nobody_asks_without_a_check() -> None:
    assert command(None, ()) is None


def test_the_health_is_worded_as_in_the_table() -> None:
    assert [str(Health(word)) for word in ("starting", "healthy", "unhealthy")] == [
        "health: starting", "healthy", "unhealthy",
    ]  # fmt: skip


def test_4096_bytes_are_kept_and_the_rest_is_marked() -> None:
    assert text_of(b"x" * 4096) == "x" * 4096
    assert text_of(b"x" * 4097) == "x" * 4096 + "..."
    assert text_of(b"x" * 4095 + "é".encode()) == "x" * 4095 + "\ufffd..."
