"""A second process: told in the story of its container, gone without a trace."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.container.spec import ExecRequest
from pyminidock.container.states import VerbRefused
from pyminidock.engine import execs, run
from pyminidock.engine.execs import ExecNotReady, ExecRefused, NoSuchExec
from pyminidock.engine.house import House
from pyminidock.engine.run import StartRefused
from pyminidock.kernel.model.body import ModelBody
from tests.engine.houses import (
    WISH,
    body_of,
    finish,
    house_over,
    kinds,
    left_in,
    prepared,
    started,
    state_of,
)
from tests.engine.studio import DEADLINE_S
from tests.reference import wait_until

SHELL = ExecRequest(("sh",))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


def test_a_second_process_is_told_answered_and_cleared_up(
    house: House, tmp_path: Path
) -> None:
    life = started(house)
    before, world = state_of(tmp_path), left_in(body_of(house))
    made = execs.create(house, life.name, SHELL)
    assert execs.inspect(house, made)["Running"] is False
    streams = execs.start(house, made)
    assert streams is not None
    found = execs.find(house, made)
    assert found.process is not None
    assert execs.inspect(house, made)["Pid"] == found.process.pid
    body_of(house).say(found.process.pid, b"in\n")
    body_of(house).finish(found.process.pid, 4)
    assert streams.read() == (1, b"in\n")
    status = execs.wait(house, made, DEADLINE_S)
    assert status is not None
    assert status.code == 4
    assert execs.inspect(house, made)["ExitCode"] == 4
    told = kinds(house, life.story)
    assert [kind for kind in told if kind.startswith("exec.")] == [
        "exec.created", "exec.started", "exec.exited",
    ]  # fmt: skip
    wait_until(lambda: not attended(life.name), DEADLINE_S, "the end of clearing up")
    assert left_in(body_of(house)) == world
    assert {p for p in state_of(tmp_path) if "/exec-" in p} == set()
    assert set(before) <= set(state_of(tmp_path))


def attended(name: str) -> bool:
    """Say whether a thread looks after a second process of this container still."""
    return f"exec-{name}" in {thread.name for thread in threading.enumerate()}


def test_only_a_running_container_has_second_processes(house: House) -> None:
    container = run.create(house, WISH)
    with pytest.raises(VerbRefused) as refusal:
        execs.create(house, container, SHELL)
    assert refusal.value.what == f"container {container} is not running"


def test_each_second_process_is_started_once(house: House) -> None:
    made = execs.create(house, started(house).id, SHELL)
    execs.start(house, made)
    with pytest.raises(ExecRefused):
        execs.start(house, made)


def test_second_processes_are_forgotten_with_their_container(house: House) -> None:
    life = started(house)
    made = execs.create(house, life.id, SHELL)
    run.remove(house, life.id, force=True)
    with pytest.raises(NoSuchExec) as refusal:
        execs.find(house, made)
    assert refusal.value.what == f"No such exec instance: {made}"


def test_there_is_a_limit(house: House) -> None:
    life = started(house)
    for _ in range(execs.MOST):
        execs.create(house, life.id, SHELL)
    with pytest.raises(ExecRefused):
        execs.create(house, life.id, SHELL)


def test_a_terminal_that_is_not_there_has_no_size(house: House) -> None:
    made = execs.create(house, started(house).id, SHELL)
    with pytest.raises(ExecNotReady) as refusal:
        execs.resize(house, made, 24, 80, timeout_s=0)
    assert refusal.value.what == "timeout waiting for exec session ready"


@pytest.mark.parametrize("index", range(40))
def test_an_exec_that_fails_at_any_call_leaves_nothing_behind(
    tmp_path: Path, index: int
) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as house:
        life = started(house)
        before, world = state_of(tmp_path), left_in(body)
        made = execs.create(house, life.id, SHELL)
        body._fail_at = index
        refusal = refused(house, made)
        if refusal is None:
            assert index >= 25  # the plan is shorter than that
        else:
            assert refusal.exit_code == 126
            assert set(state_of(tmp_path)) == set(before)
            assert left_in(body) == world
            assert execs.inspect(house, made)["ExitCode"] == 126
            assert kinds(house, life.story)[-1] == "request.refused"
        body._fail_at = None
        finish(house, life)


def refused(house: House, made: str) -> StartRefused | None:
    try:
        execs.start(house, made)
    except StartRefused as refusal:
        return refusal
    return None
