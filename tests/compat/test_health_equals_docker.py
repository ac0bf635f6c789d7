"""Health is Docker's: what is asked, what the answers do, what inspect and events say."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.hijack import equal
from tests.compat.sides import Side, Sides
from tests.reference import wait_until

pytestmark = pytest.mark.compat

PATIENCE_S = 60
QUICK = {"Interval": 200_000_000, "Retries": 2}
HOUR = 3600 * 10**9


@pytest.fixture
def both(sides: Sides) -> Iterator[Sides]:
    yield sides
    for side in sides:
        side.remove("ill")


def state(side: Side) -> dict[str, Any]:
    return dict(side.ask("GET", "/containers/ill/json").json["State"])


def settled(side: Side, status: str) -> tuple[str, int, str]:
    """Wait for a status; give the last answer, and how the table words it."""
    wait_until(lambda: state(side)["Health"]["Status"] == status, PATIENCE_S, status)
    last = state(side)["Health"]["Log"][-1]
    assert set(last) == {"Start", "End", "ExitCode", "Output"}
    (row,) = side.ask(
        "GET", "/containers/json?filters=%7B%22name%22%3A%5B%22ill%22%5D%7D"
    ).json
    return row["Status"].partition("(")[2], last["ExitCode"], last["Output"]


@pytest.mark.parametrize(
    ("check", "status"),
    [
        ({"Test": ["CMD-SHELL", "echo out; sleep 0.2; echo err >&2"]}, "healthy"),
        ({"Test": ["CMD", "sh", "-c", "id -u; pwd; echo $A"]}, "healthy"),
        ({"Test": ["CMD-SHELL", "echo bad; exit 7"]}, "unhealthy"),
        ({"Test": ["CMD", "nope"]}, "unhealthy"),
        ({"Test": ["CMD-SHELL", "head -c 5000 /dev/zero | tr '\\0' x"]}, "healthy"),
        ({"Test": ["CMD-SHELL", "printf '\\377a'"]}, "healthy"),
        (
            {"Test": ["CMD-SHELL", "echo part; sleep 100"], "Timeout": 300_000_000},
            "unhealthy",
        ),
        ({"Test": ["CMD", "sleep", "100"], "Timeout": 1_500_000_000}, "unhealthy"),
    ],
)
def test_answers_are_counted_and_kept(
    both: Sides, check: dict[str, Any], status: str
) -> None:
    def ask(side: Side) -> tuple[str, int, str]:
        config = {"Env": ["A=1"], "User": "0", "WorkingDir": "/var"}
        side.make("ill", starts=True, Healthcheck={**QUICK, **check}, **config)
        return settled(side, status)

    equal(both, ask)


@pytest.mark.parametrize(
    "check", [None, {}, {"Test": []}, {"Test": ["NONE"]}, {"Test": ["WHAT", "true"]},
              {"Interval": 1_000_000}, {"Test": ["CMD", "true"], "Interval": HOUR}],
)  # fmt: skip
def test_who_is_not_asked_has_no_health_and_who_waits_is_starting(
    both: Sides, check: dict[str, Any] | None
) -> None:
    def ask(side: Side) -> tuple[Any, Any]:
        config: dict[str, Any] = {"Healthcheck": check} if check is not None else {}
        side.make("ill", **config)
        before = state(side).get("Health", "none")
        side.ask("POST", "/containers/ill/start")
        return before, state(side).get("Health", "none")

    equal(both, ask)


@pytest.mark.parametrize(
    "wrong",
    [{"Interval": 1}, {"Timeout": 999_999}, {"StartPeriod": 5}, {"StartInterval": 5},
     {"Retries": -1}, {"Interval": -1}],
)  # fmt: skip
def test_times_that_make_no_sense_are_refused(both: Sides, wrong: dict[str, int]) -> None:
    def ask(side: Side) -> tuple[int, Any]:
        wish = {"Image": "twin", "Healthcheck": {"Test": ["CMD", "true"], **wrong}}
        told = side.ask("POST", "/containers/create?name=ill", wish)
        return told.status, told.json

    equal(both, ask)


def test_nobody_asks_what_is_paused_or_has_ended(both: Sides) -> None:
    def ask(side: Side) -> list[object]:
        check = {"Test": ["CMD", "true"], **QUICK}
        side.make("ill", starts=True, Healthcheck=check)
        settled(side, "healthy")
        told: list[object] = []
        side.ask("POST", "/containers/ill/pause")
        told.append(state(side)["Health"]["Status"])
        side.ask("POST", "/containers/ill/unpause")
        told.append(settled(side, "healthy"))
        side.ask("POST", "/containers/ill/kill")
        wait_until(lambda: not state(side)["Running"], PATIENCE_S, "its end")
        count = len(state(side)["Health"]["Log"])
        told.append((state(side)["Health"]["Status"], count > 0))
        side.ask("POST", "/containers/ill/start")
        told.append(state(side)["Health"]["Status"])
        return [*told, len(state(side)["Health"]["Log"]) >= min(count, 5)]

    equal(both, ask)


def test_within_the_start_period_nothing_bad_counts(both: Sides) -> None:
    def ask(side: Side) -> tuple[str, int, bool]:
        check = {
            "Test": ["CMD", "false"], "Interval": HOUR, "StartPeriod": HOUR,
            "StartInterval": 200_000_000, "Retries": 1,
        }  # fmt: skip
        side.make("ill", starts=True, Healthcheck=check)
        wait_until(lambda: len(state(side)["Health"]["Log"]) > 2, PATIENCE_S, "answers")
        health = state(side)["Health"]
        return health["Status"], health["FailingStreak"], len(health["Log"]) > 2

    assert equal(both, ask)[0] == "starting"


def test_docker_events_tell_each_question_and_each_change(both: Sides) -> None:
    def ask(side: Side) -> list[str]:
        since = f"{time.time():.3f}"
        check = {"Test": ["CMD-SHELL", "exit 1"], **QUICK}
        side.make("ill", starts=True, Healthcheck=check)
        settled(side, "unhealthy")
        filters = json.dumps({"container": ["ill"]}).replace('"', "%22").replace(" ", "")
        path = f"/events?since={since}&until={time.time() + 1:.3f}&filters={filters}"
        told = [
            json.loads(row)["Action"] for row in side.ask("GET", path).body.splitlines()
        ]
        return told[: told.index("health_status: unhealthy") + 1]

    assert equal(both, ask)[-4:] == [
        "exec_create: /bin/sh -c exit 1", "exec_start: /bin/sh -c exit 1", "exec_die",
        "health_status: unhealthy",
    ]  # fmt: skip
