"""Stopping, pausing and starting again, where programs really run."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pyminidock.container.spec import CreateRequest
from pyminidock.container.states import State
from pyminidock.engine import inspect, kernels, run
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.errors import MinidockError
from tests.builder import kitchen

pytestmark = pytest.mark.edge

PATIENCE_S = 60.0
COUNTS = "n=0; while :; do n=$((n+1)); echo $n > /n; done"
POLITE = "trap 'exit 5' TERM; echo up > /up; while :; do sleep 0.05; done"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root directory with busybox."""
    with kitchen(tmp_path / "root") as cook:
        return cook.house.root


@pytest.fixture
def house(root: Path) -> Iterator[House]:
    """An engine; at the end nothing of it runs."""
    made = House(root, kernels.choose("", root))
    yield made
    for life in made.lives():
        run.remove(made, life.id, force=True)
    made.close()


def until(claim: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, "it did not become true"
        threading.Event().wait(0.01)


def started(house: House, script: str = POLITE, **wish: object) -> Life:
    """Start a script."""
    request = CreateRequest("busybox", command=("sh", "-c", script), **wish)  # type: ignore[arg-type]
    container = run.create(house, request)
    run.start(house, container)
    return house.life(container)


def is_dead(pid: int) -> bool:
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().split()
    except FileNotFoundError:
        return True


def inside(house: House, life: Life, name: str) -> Path:
    return Path(house.kept(life.id).snapshot.upper, name)


def test_a_paused_program_does_nothing_and_goes_on(house: House) -> None:
    life = started(house, COUNTS)
    count = inside(house, life, "n")
    until(lambda: count.exists() and count.read_text())
    run.pause(house, life.id)
    before = count.stat().st_mtime_ns
    threading.Event().wait(0.3)  # in this time it would have counted on by hundreds
    assert count.stat().st_mtime_ns == before
    run.unpause(house, life.id)
    until(lambda: count.stat().st_mtime_ns != before)


def test_a_container_full_of_forks_can_be_paused(house: House) -> None:
    life = started(
        house, "while :; do for n in 1 2 3 4 5 6 7 8; do true | true & done; wait; done"
    )
    for _ in range(20):
        run.pause(house, life.id)
        assert life.process is not None
        assert house.kernel.is_frozen(life.process)
        run.unpause(house, life.id)


@pytest.mark.parametrize("verb", ["stop", "kill", "restart", "remove"])
def test_what_is_paused_can_be_ended(house: House, verb: str) -> None:
    life = started(house)
    until(inside(house, life, "up").exists)
    run.pause(house, life.id)
    match verb:
        case "stop":
            run.stop(house, life.id, timeout_s=60)
            assert life.exit is not None
            assert life.exit.code == 5
        case "kill":
            run.kill(house, life.id)
            assert life.exit is not None
            assert life.exit.code == 137
        case "restart":
            run.restart(house, life.id, timeout_s=60)
            assert life.state is State.RUNNING
        case _:
            run.remove(house, life.id, force=True)
            assert life.is_gone


def test_what_is_paused_is_paused_for_the_next_engine_too(root: Path) -> None:
    first = House(root, kernels.choose("", root))
    life = started(first, COUNTS)
    run.pause(first, life.id)
    first.close()
    second = House(root, kernels.choose("", root))
    again = second.life(life.id)
    assert inspect.inspect(second, life.id)["State"]["Status"] == "paused"
    run.unpause(second, life.id)
    assert again.state is State.RUNNING
    run.remove(second, life.id, force=True)
    second.close()


@pytest.mark.parametrize("is_attended", [True, False])
def test_a_paused_program_whose_shim_was_killed_leaves_nothing(
    root: Path, is_attended: bool
) -> None:
    house = House(root, kernels.choose("", root))
    life = started(house, COUNTS)
    run.pause(house, life.id)
    process = life.process
    assert process is not None
    if not is_attended:
        house.close()
    os.kill(process.shim_pid, signal.SIGKILL)
    if not is_attended:
        until(lambda: is_dead(process.shim_pid))
        house = House(root, kernels.choose("", root))
        life = house.life(life.id)
    assert life.until(lambda: life.state is State.EXITED and not life.busy, PATIENCE_S)
    assert life.exit is not None
    assert life.exit.code == 137
    until(lambda: not Path(f"/proc/{process.pid}").exists())
    run.remove(house, life.id)
    house.close()


def test_a_policy_starts_a_program_again_and_again(house: House) -> None:
    life = started(
        house, "echo x >> /runs; exit 3", restart_policy="on-failure", restart_retries=3
    )
    until(lambda: life.state is State.EXITED and not life.busy)
    assert inside(house, life, "runs").read_text() == "x\n" * 4
    told = inspect.inspect(house, life.id)
    assert (told["RestartCount"], told["State"]["ExitCode"]) == (3, 3)


def test_delays_are_what_they_are_said_to_be(house: House) -> None:
    life = started(house, "exit 1", restart_policy="on-failure", restart_retries=4)
    until(lambda: life.state is State.EXITED and not life.busy)
    house.recorder.flush()
    records = house.journals.read(life.story).records
    ends = [each.t for each in records if each.kind == "container.exited"]
    starts = [each.t for each in records if each.kind == "container.started"]
    gaps = [start - end for end, start in zip(ends, starts[1:], strict=False)]
    assert len(gaps) == 4
    assert all(gap >= 0.1 * 2**n for n, gap in enumerate(gaps))


def test_sixteen_clients_at_one_container_are_never_in_each_other_s_way(
    house: House, at_length: Callable[[int], int]
) -> None:
    """Whatever they do, each is answered as Docker would, and in the end it can go."""
    life = started(house)
    verbs: list[Callable[[], object]] = [
        lambda: run.stop(house, life.id, timeout_s=0),
        lambda: run.start(house, life.id),
        lambda: run.restart(house, life.id, timeout_s=0),
        lambda: run.kill(house, life.id),
        lambda: run.kill(house, life.id, 15),
        lambda: run.pause(house, life.id),
        lambda: run.unpause(house, life.id),
        lambda: inspect.inspect(house, life.id),
    ]
    sayings = ("is not running", "is not paused", "is already paused", "is running",
               "is exited", "cannot start a paused container")  # fmt: skip

    def client(number: int) -> list[str]:
        odd = []
        for turn in range(at_length(200)):
            try:
                verbs[(number + turn * 7) % len(verbs)]()
            except MinidockError as refusal:
                if not any(words in refusal.what for words in sayings):
                    odd.append(refusal.what)
        return odd

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(client, range(16)))
    assert [saying for each in found for saying in each] == []
    run.remove(house, life.id, force=True)
    assert life.is_gone
