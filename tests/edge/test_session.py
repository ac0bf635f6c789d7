"""An engine in a script: what is begun goes on by itself, and its handle reaches it."""

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pyminidock.client import session
from pyminidock.client.following import BuildFailed
from pyminidock.client.session import Engine
from pyminidock.client.story import NothingHeld, NotOver, StoryHandle
from pyminidock.client.transport import Refused
from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge

PATIENCE_S = 30


@pytest.fixture
def engine(minidock: Minidock) -> Engine:
    """Find the engine of this test run."""
    return session.start(minidock.root, f"unix://{minidock.host}")


def until_held(handle: StoryHandle) -> str:
    """Wait until a gate holds it; give the kind of the event."""
    wait_until(lambda: handle.holding is not None, PATIENCE_S, "it to be held")
    assert handle.holding is not None
    return handle.holding.kind


def test_a_run_returns_at_once_and_tells_its_end_when_asked(engine: Engine) -> None:
    began = time.monotonic()
    handle = engine.run("busybox", "sh -c 'echo out; echo err >&2; exit 3'", rm=True)
    returned_s = time.monotonic() - began
    assert handle.wait(PATIENCE_S) == 3
    assert returned_s < 1
    assert (handle.logs(stderr=False), handle.logs(stdout=False)) == ("out\n", "err\n")
    assert (handle.state, handle.story) == ("exited (3)", f"run-{handle.id[:12]}")
    kinds = [record.kind for record in handle.trace.records]
    assert "root.pivoted" in kinds


def test_what_a_handle_prints_is_the_same_in_every_run(engine: Engine) -> None:
    handles = [engine.run("busybox", ["echo", "a b"], rm=True) for _ in range(2)]
    assert {repr(each) for each in handles} == {"<RunHandle: run busybox echo a b>"}
    assert repr(engine) == "<Engine>"
    assert [each.wait(PATIENCE_S) for each in handles] == [0, 0]


def test_a_program_reads_what_it_is_given(engine: Engine) -> None:
    handle = engine.run("busybox", "wc -c", input="four", rm=True)
    assert (handle.wait(PATIENCE_S), handle.logs()) == (0, "4\n")


def test_waiting_can_be_given_up_and_the_container_goes_on(engine: Engine) -> None:
    handle = engine.run("busybox", "sleep 60", rm=True)
    with pytest.raises(NotOver):
        handle.wait(0.3)
    handle.pause()
    assert handle.state == "paused"
    handle.resume()
    assert handle.state == "running"
    handle.stop(0)
    assert handle.wait(PATIENCE_S) == 137


def test_a_pause_of_another_client_is_seen_and_ended(engine: Engine) -> None:
    handle = engine.run("busybox", "sleep 60", rm=True)
    wait_until(lambda: handle.state == "running", PATIENCE_S, "the program")
    engine.api.life.pause(handle.id)
    assert handle.state == "paused"
    handle.resume()
    assert handle.state == "running"
    handle.stop(0)
    assert handle.wait(PATIENCE_S) == 137


def test_a_build_is_stepped_from_python(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM busybox\nENV A=1\n")
    handle = engine.step_build(tmp_path, tag="stepped")
    for _ in range(2):
        wait_until(lambda: handle.holding is not None, PATIENCE_S, "the next instruction")
        assert handle.state == "held"
        handle.resume()
    assert handle.wait(PATIENCE_S).startswith("sha256:")


def test_who_was_paused_and_then_stopped_is_not_called_paused(engine: Engine) -> None:
    handle = engine.run("busybox", "sleep 60")
    with pytest.raises(NotOver):
        handle.wait(0.3)
    handle.pause()
    handle.stop(0)
    assert handle.state != "paused"
    assert handle.wait(PATIENCE_S) == 137


def test_a_handle_can_be_awaited_beside_other_work(engine: Engine) -> None:
    async def both() -> tuple[int, int]:
        handle = engine.run("busybox", "sh -c 'sleep 0.3; exit 4'", rm=True)
        turns = 0
        waiting = asyncio.ensure_future(handle)
        while not waiting.done():
            turns += 1
            await asyncio.sleep(0.01)
        return waiting.result(), turns

    code, turns = asyncio.run(both())
    assert code == 4
    assert turns > 5


def test_an_image_that_is_absent_is_refused_at_once(engine: Engine) -> None:
    with pytest.raises(Refused, match="No such image: nope"):
        engine.run("nope")


def test_a_start_that_is_refused_is_raised_by_wait(engine: Engine) -> None:
    handle = engine.run("busybox", "nosuch", rm=True)
    with pytest.raises(Refused, match="executable file not found"):
        handle.wait(PATIENCE_S)
    assert handle.state == "refused"


def test_a_stepped_run_is_held_at_every_event_until_it_is_let_go(engine: Engine) -> None:
    handle = engine.step("busybox", "echo hi")
    seen = []
    for _ in range(20):
        seen.append(until_held(handle))
        handle.step()
    assert {"plan.made", "cgroup.created"} <= set(seen)
    until_held(handle)
    handle.release()
    assert (handle.wait(PATIENCE_S), handle.logs()) == (0, "hi\n")
    with pytest.raises(NothingHeld):
        handle.step()


def test_a_stepped_run_that_is_aborted_leaves_no_container(engine: Engine) -> None:
    handle = engine.step("busybox", "true", breaks=("root.pivoted",))
    assert until_held(handle) == "root.pivoted"
    handle.abort()
    with pytest.raises(Refused, match=r"aborted at root\.pivoted"):
        handle.wait(PATIENCE_S)
    assert handle.id not in [each["Id"] for each in engine.api.containers(all=True)]


def test_a_build_returns_at_once_and_gives_its_image(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM busybox\nRUN echo built\nCMD echo run\n")
    handle = engine.build(tmp_path, tag="session-test")
    image = handle.wait(PATIENCE_S)
    assert image.startswith("sha256:")
    assert "built\n" in handle.logs()
    run = engine.run("session-test", rm=True)
    assert (run.wait(PATIENCE_S), run.logs()) == (0, "run\n")
    engine.api.images.remove("session-test")


def test_a_build_that_fails_raises_what_docker_says(engine: Engine, tmp_path: Path) -> None:
    handle = engine.build(tmp_path, text="FROM busybox\nRUN exit 4\n")
    with pytest.raises(BuildFailed) as caught:
        handle.wait(PATIENCE_S)
    assert caught.value.exit_code == 4
    assert handle.state == "failed"
    left = re.search("Running in ([0-9a-f]{12})", handle.logs())
    assert left  # as with Docker, the container of what failed is there to be looked at
    engine.api.remove(left[1])


def test_a_build_that_is_stopped_is_cancelled(engine: Engine, tmp_path: Path) -> None:
    handle = engine.build(tmp_path, text="FROM busybox\nRUN sleep 60\n", no_cache=True)
    wait_until(lambda: "Running in" in handle.logs(), PATIENCE_S, "the RUN to begin")
    handle.stop()
    with pytest.raises(BuildFailed, match="cancelled"):
        handle.wait(PATIENCE_S)
    assert handle.state == "stopped"


def test_a_build_can_be_stepped_instruction_by_instruction(
    engine: Engine, tmp_path: Path
) -> None:
    text = "FROM busybox\nENV A=1\nENV B=2\n"
    handle = engine.build(tmp_path, text=text, breaks=("step.started",))
    for _ in range(3):
        assert until_held(handle) == "step.started"
        handle.resume()
    assert handle.wait(PATIENCE_S).startswith("sha256:")


def test_the_stock_client_speaks_to_the_same_engine(engine: Engine) -> None:
    client = engine.client
    try:
        assert client.containers.run("busybox", "echo hi", remove=True) == b"hi\n"
    finally:
        client.close()


def test_a_script_ends_while_its_containers_go_on(minidock: Minidock) -> None:
    """And while they are held: whoever goes away holds nothing any more."""
    script = (
        "import pyminidock, time\n"
        "handle = pyminidock.start().step('busybox', 'sleep 1')\n"
        "while handle.holding is None: time.sleep(0.01)\n"
        "print(handle.id)\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        env=minidock.environment, cwd="/", text=True, capture_output=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    container = done.stdout.strip()

    def story() -> str:
        return minidock.run("trace", "show", f"run-{container[:12]}", "--json").stdout

    wait_until(lambda: "container.exited" in story(), PATIENCE_S, "it to go on by itself")


def test_importing_the_package_loads_no_room_and_no_notebook() -> None:
    script = (
        "import sys, pyminidock\n"
        "rooms = [n for n in sys.modules if n.startswith('pyminidock.')]\n"
        "assert rooms == [], rooms\n"
        "pyminidock.start\n"
        "for name in ('IPython', 'ipywidgets', 'anywidget', 'pyroute2', 'docker'):\n"
        "    assert name not in sys.modules, name\n"
    )
    environment = {name: text for name, text in os.environ.items() if name == "PATH"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)


def test_an_image_and_what_a_container_wrote_are_values_to_work_with(
    engine: Engine,
) -> None:
    base = engine.image("busybox")
    assert (base.name, len(base.layers), base.waste.size_bytes) == ("busybox:latest", 1, 0)
    handle = engine.run("busybox", "sh -c 'echo hi >/new; rm /bin/vi'", name="writer")
    try:
        assert handle.wait(PATIENCE_S) == 0
        told = engine.written("writer")
        assert [(each.change, each.path) for each in told.named] == [
            ("deleted", "/bin/vi"), ("added", "/new"),
        ]  # fmt: skip
        assert (Path(told.upper) / "new").read_text() == "hi\n"
    finally:
        engine.api.remove("writer", force=True)
