"""Health checks over the simulated kernel: what an answer changes, and who is told."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.container.health import Result
from pyminidock.engine import health, inspect, listing, run
from pyminidock.engine.document import moment
from pyminidock.engine.health import Watched
from pyminidock.engine.house import House
from pyminidock.image.config import Healthcheck
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.recording import Recording
from tests.engine.houses import WISH, body_of, finish, house_over, kinds, prepared, started
from tests.engine.studio import DEADLINE_S

HOUR_NS = 3600 * health.NANO
CHECK = Healthcheck(("CMD", "sh"), interval_ns=HOUR_NS, timeout_ns=HOUR_NS, retries=2)
GOOD, BAD = Result(2e9, 2e9 + 1, 0, "fine\n"), Result(2e9 + 2, 2e9 + 3, 1, "")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


def watched(house: House, check: Healthcheck = CHECK) -> Watched:
    """Start a container that is asked for its health by nobody but the test."""
    life = started(house, replace(WISH, healthcheck=check))
    assert life.process is not None
    return Watched(house, life, life.process, check, ("sh",))


def state(run: Watched) -> dict[str, object]:
    told = inspect.inspect(run.house, run.life.id)["State"]["Health"]
    return dict(told)


def test_a_container_without_a_check_has_no_health(house: House) -> None:
    life = started(house)
    assert "Health" not in inspect.inspect(house, life.id)["State"]
    assert inspect.health_status(life) == "none"


@pytest.mark.parametrize("test", [("NONE",), (), ("WHAT",)])
def test_nor_has_one_whose_check_asks_nothing(house: House, test: tuple[str, ...]) -> None:
    life = started(house, replace(WISH, healthcheck=Healthcheck(test)))
    assert "Health" not in inspect.inspect(house, life.id)["State"]


def test_it_begins_starting_and_says_so_in_the_table(house: House) -> None:
    run = watched(house)
    assert state(run) == {"Status": "starting", "FailingStreak": 0, "Log": []}
    (line,) = listing.list_(house)
    assert line["Status"].endswith(" (health: starting)")


def test_a_good_answer_is_noted_and_told_once(house: House) -> None:
    run = watched(house)
    for _ in range(2):
        health.answer(run, GOOD)
    told = kinds(house, run.life.story)
    assert [kind for kind in told if kind.startswith("health.")] == [
        "health.probed", "health.changed", "health.probed",
    ]  # fmt: skip
    assert state(run)["Status"] == "healthy"
    assert (
        state(run)["Log"]
        == [
            {
                "Start": moment(2e9),
                "End": moment(2e9 + 1),
                "ExitCode": 0,
                "Output": "fine\n",
            }
        ]
        * 2
    )
    assert listing.list_(house)[0]["Status"].endswith(" (healthy)")


def test_bad_answers_make_it_unhealthy(house: House) -> None:
    run = watched(house)
    health.answer(run, BAD)
    assert (state(run)["Status"], state(run)["FailingStreak"]) == ("starting", 1)
    health.answer(run, BAD)
    assert (state(run)["Status"], state(run)["FailingStreak"]) == ("unhealthy", 2)


def test_an_answer_after_the_end_counts_for_nothing(house: House) -> None:
    run = watched(house)
    health.answer(run, GOOD)
    finish(house, run.life)
    health.answer(run, BAD)
    assert state(run)["FailingStreak"] == 0
    assert state(run)["Status"] == "unhealthy"  # as Docker has it: nobody asks any more


def test_the_next_run_begins_anew_and_keeps_the_answers(house: House) -> None:
    first = watched(house)
    health.answer(first, GOOD)
    finish(house, first.life)
    run.start(house, first.life.id)
    assert state(first)["Status"] == "starting"
    assert len(state(first)["Log"]) == 1  # type: ignore[arg-type]


def test_the_next_engine_begins_anew_and_keeps_the_answers(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as house:
        health.answer(watched(house), GOOD)
    after = House(tmp_path, Recording(body))
    try:
        (life,) = after.lives()
        told = inspect.inspect(after, life.id)["State"]["Health"]
        assert told["Status"] == "starting"
        assert [row["Output"] for row in told["Log"]] == ["fine\n"]
    finally:
        after.close()


def test_a_question_is_a_second_process_and_its_output_is_kept(house: House) -> None:
    run = watched(house)
    answers: list[Result] = []
    asking = threading.Thread(target=lambda: answers.append(health._ask(run)))
    asking.start()
    assert run.life.until(lambda: bool(probes(house, run)), DEADLINE_S)
    (pid,) = probes(house, run)
    body_of(house).say(pid, b"out\n")
    body_of(house).say(pid, b"err\n", 2)
    body_of(house).finish(pid, 3)
    asking.join(DEADLINE_S)
    (result,) = answers
    assert (result.exit_code, result.output) == (3, "out\nerr\n")
    assert result.start <= result.end
    told = kinds(house, run.life.story)
    assert [kind for kind in told if kind.startswith("exec.")] == [
        "exec.created", "exec.started", "exec.exited",
    ]  # fmt: skip


def probes(house: House, run: Watched) -> list[int]:
    """Give the second processes that run."""
    found = house.execs.unfinished(run.life.id)
    return [each.process.pid for each in found if each.process]


def test_a_question_that_takes_too_long_is_ended(house: House) -> None:
    check = replace(CHECK, timeout_ns=health.NANO // 50)
    result = health._ask(watched(house, check))
    assert result.exit_code == -1
    assert result.output == "Health check exceeded timeout (20ms)"


def test_a_question_that_cannot_be_asked_is_a_bad_answer(house: House) -> None:
    run = watched(house)
    result = health._ask(run._replace(words=("no-such-program",)))
    assert result.exit_code == -1
    assert result.output.startswith("OCI runtime exec failed: ")


def test_the_thread_asks_by_itself(house: House) -> None:
    check = replace(CHECK, interval_ns=health.NANO // 1000)
    run = watched(house, check)
    assert run.life.until(lambda: bool(probes(house, run)), DEADLINE_S)
    (pid,) = probes(house, run)
    body_of(house).finish(pid, 0)
    assert run.life.until(
        lambda: run.life.health is not None and run.life.health.status == "healthy",
        DEADLINE_S,
    )
    finish(house, run.life)
    assert run.is_over()
