"""Everything a client can ask of an engine, over the socket and in the same process."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.api.routes import Router
from pyminidock.api.server import serve
from pyminidock.client import handles, inprocess
from pyminidock.client.http import SocketTransport
from pyminidock.client.transport import Refused
from pyminidock.events import CgroupCreated
from pyminidock.events.journal import Record
from tests.api.studio import WAIT_S, Studio, studio, until

BODY = {"Image": "busybox", "Cmd": ["sleep", "9"]}
EXEC = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Studio]:
    made = studio(tmp_path / "root")
    yield made
    made.house.close()


@pytest.fixture(params=["socket", "in process"])
def client(
    request: pytest.FixtureRequest, engine: Studio, tmp_path: Path
) -> Iterator[handles.Client]:
    if request.param == "in process":
        yield inprocess.Client(engine.house)
        return
    server = serve(Router(engine.house), tmp_path / "s")
    yield handles.Client(SocketTransport(tmp_path / "s"))
    server.stop()


def in_thread(work: threading.Thread) -> threading.Thread:
    work.start()
    return work


def test_a_whole_run_as_docker_run_does_it(client: handles.Client, engine: Studio) -> None:
    container = client.create({**BODY, "OpenStdin": True}, "web")
    with client.attach(container, stdin=True) as attached:
        waiting = client.waiting(container, "next-exit")
        client.start(container)
        attached.write(b"typed")
        engine.say(container, b"out")
        assert attached.read() == (1, b"out")
        engine.say(container, b"err", stream=2)
        assert attached.read() == (2, b"err")
        until(lambda: engine.typed(container) == b"typed")
        attached.close_stdin()
        engine.finish(container, 3)
        assert attached.read() is None
    assert waiting.result() == 3
    assert client.wait(container) == 3
    assert client.inspect("web")["State"]["ExitCode"] == 3
    client.remove(container)
    assert client.containers(all=True) == []


def test_output_before_the_attach_is_done_is_not_lost(
    client: handles.Client, engine: Studio
) -> None:
    """A program that prints and ends at once, while its client is still connecting."""
    for _ in range(20):
        container = client.create(BODY)
        with client.attach(container) as attached:
            client.start(container)
            engine.say(container, b"hi")
            engine.finish(container)
            assert attached.read() == (1, b"hi")
            assert attached.read() is None
        client.wait(container)
        client.remove(container)


def test_with_a_terminal_output_is_not_framed(
    client: handles.Client, engine: Studio
) -> None:
    container = client.create({**BODY, "Tty": True})
    with client.attach(container) as attached:
        assert not attached.is_framed
        client.start(container)
        client.resize(container, 30, 100)
        engine.say(container, b"raw")
        assert attached.read() == (1, b"raw")


def test_an_attach_ends_when_its_container_is_removed_unstarted(
    client: handles.Client,
) -> None:
    container = client.create(BODY)
    with client.attach(container) as attached:
        client.remove(container)
        assert attached.read() is None


def test_leaving_an_attach_leaves_the_program(
    client: handles.Client, engine: Studio
) -> None:
    container = client.create(BODY)
    for _ in range(3):
        client.attach(container).close()
    client.start(container)
    for _ in range(3):
        client.attach(container).close()
    assert client.inspect(container)["State"]["Running"]
    engine.finish(container)
    assert client.wait(container) == 0
    until(lambda: engine.house.life(container).busy == "")


def test_refusals_carry_the_engines_words(client: handles.Client) -> None:
    with pytest.raises(Refused) as refused:
        client.start("nope")
    assert refused.value.status == 404
    assert refused.value.what == "No such container: nope"
    assert refused.value.try_next
    for ask in (client.attach, client.wait, client.kill, client.remove, client.inspect):
        with pytest.raises(Refused, match="No such container: nope"):
            ask("nope")


def test_starting_what_runs_is_no_error(client: handles.Client) -> None:
    container = client.create(BODY)
    client.start(container)
    client.start(container)
    assert [row["Id"] for row in client.containers()] == [container]
    client.kill(container, "TERM")
    assert client.wait(container) == 143


def test_removing_by_force_answers_whoever_waits(client: handles.Client) -> None:
    container = client.create(BODY)
    client.start(container)
    waiting = client.waiting(container, "removed")
    client.remove(container, force=True)
    assert waiting.result() == 137


# ── Events ───────────────────────────────────────────────────────────────────────────────


def test_events_are_heard_as_they_happen(client: handles.Client) -> None:
    with client.events(kind="container.created") as watch:
        first = client.create(BODY)
        assert next(watch).data["container"] == first
        second = client.create(BODY)
        record = next(watch)
    assert record.data["container"] == second
    assert record.backend == "simulated"
    assert record.src.startswith("engine/run.py:")


def test_events_since_a_number_are_told_first_and_nothing_twice(
    client: handles.Client, engine: Studio
) -> None:
    container = client.create(BODY)
    story = f"run-{container[:12]}"
    with client.events(story=story, since=0) as watch:
        client.start(container)
        engine.finish(container)
        client.wait(container)
        client.remove(container)
        heard = list(watch)  # it ends with the story
    numbers = [record.seq for record in heard]
    assert numbers == sorted(set(numbers))
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert heard[0].kind == "request.received"
    assert heard[-1].kind == "container.removed"


def test_events_of_a_container_are_those_of_its_story(client: handles.Client) -> None:
    container = client.create(BODY, "web")
    client.create(BODY, "other")
    with client.events(since=0, kind="container.created", container="web") as watch:
        assert next(watch).data["container"] == container
        client.remove("web")
        assert list(watch) == []
    with pytest.raises(Refused, match="No such container: nope"):
        client.events(container="nope")


def test_events_of_all_stories_since_a_number(client: handles.Client) -> None:
    containers = [client.create(BODY) for _ in range(3)]
    with client.events(since=0, kind="container.created") as watch:
        heard = [next(watch).data["container"] for _ in range(3)]
    assert heard == containers


def test_a_story_is_read_back_whole(client: handles.Client, engine: Studio) -> None:
    container = client.create(BODY)
    client.start(container)
    engine.finish(container)
    client.wait(container)
    client.remove(container)
    assert [row["story"] for row in client.stories()] == [f"run-{container[:12]}"]
    trace = client.story()
    assert trace.damage is None
    assert trace.records[-1].kind == "container.removed"


def test_a_listener_that_does_not_read_learns_what_it_missed(
    client: handles.Client, engine: Studio
) -> None:
    container = client.create(BODY)
    story = f"run-{container[:12]}"
    with client.events(story=story) as watch:
        voice = engine.house.recorder.operation(story, "noise")
        for number in range(15_000):
            voice(CgroupCreated(f"/{number}"))
        client.remove(container)  # nobody waited for the listener
        heard = list(watch)
    dropped = [record for record in heard if record.kind == "events.dropped"]
    assert dropped
    told = sum(1 for record in heard if record.kind == "cgroup.created")
    missed = sum(int(str(record.data["count"])) for record in dropped)
    others = len(heard) - told - len(dropped)
    assert told + missed + others >= 15_000
    assert told < 15_000


# ── Gates ────────────────────────────────────────────────────────────────────────────────


def test_a_gate_holds_a_start_and_lets_it_step(
    client: handles.Client, engine: Studio
) -> None:
    container = client.create(BODY)
    with client.gate(f"run-{container[:12]}", "root.pivoted") as gate:
        starting = in_thread(threading.Thread(target=client.start, args=(container,)))
        held = gate.held()
        assert next(held).kind == "root.pivoted"
        assert client.gates()[0]["id"] == gate.id
        assert len(client.gates()[0]["holding"]) == 1
        gate.step()
        following = next(held)
        assert following.kind != "root.pivoted"
        assert starting.is_alive()
        gate.resume()
        starting.join(WAIT_S)
        assert not starting.is_alive()
    until(lambda: client.gates() == [])
    assert client.inspect(container)["State"]["Running"]


def test_an_aborted_start_is_undone(client: handles.Client, engine: Studio) -> None:
    container = client.create(BODY)
    outcome: list[Refused] = []

    def start() -> None:
        try:
            client.start(container)
        except Refused as refused:
            outcome.append(refused)

    with client.gate(f"run-{container[:12]}", "mounted") as gate:
        starting = in_thread(threading.Thread(target=start))
        next(gate.held())
        gate.abort()
        starting.join(WAIT_S)
    assert outcome[0].status == 409
    assert "aborted" in outcome[0].what
    assert client.inspect(container)["State"]["Status"] == "created"


def test_closing_the_handle_lets_go_at_once(client: handles.Client) -> None:
    container = client.create(BODY)
    gate = client.gate(f"run-{container[:12]}", "*")
    starting = in_thread(threading.Thread(target=client.start, args=(container,)))
    next(gate.held())
    gate.close()
    starting.join(1.0)
    assert not starting.is_alive()


def test_a_gate_that_is_deleted_ends_for_its_holder(client: handles.Client) -> None:
    container = client.create(BODY)
    gate = client.gate(f"run-{container[:12]}", "*")
    heard: list[Record] = []
    listening = in_thread(threading.Thread(target=lambda: heard.extend(gate.held())))
    client.request("DELETE", f"/minidock/gates/{gate.id}")
    listening.join(WAIT_S)
    assert not listening.is_alive()
    with pytest.raises(Refused, match="no such gate"):
        gate.step()
    gate.close()


def test_letting_go_of_nothing_is_refused(client: handles.Client) -> None:
    container = client.create(BODY)
    with client.gate(f"run-{container[:12]}", "*") as gate:
        for order in (gate.step, gate.resume, gate.abort):
            with pytest.raises(Refused, match="is holding nothing") as refused:
                order()
            assert refused.value.status == 409


# ── Second processes, explanations, the engine ───────────────────────────────────────────


def test_a_second_process_talks(client: handles.Client, engine: Studio) -> None:
    container = client.create(BODY)
    client.start(container)
    exec_id = client.exec_create(container, {**EXEC, "Cmd": ["cat"]})
    with client.exec_start(exec_id) as attached:
        until(lambda: client.exec_inspect(exec_id)["Pid"])
        pid = client.exec_inspect(exec_id)["Pid"]
        attached.write(b"typed")
        until(lambda: engine.body.typed(pid) == b"typed")
        engine.body.say(pid, b"out")
        assert attached.read() == (1, b"out")
        client.exec_resize(exec_id, 3, 4)
        engine.body.finish(pid, 9)
        assert attached.read() is None
    until(lambda: client.exec_inspect(exec_id)["ExitCode"] == 9)


def test_a_second_process_that_cannot_start_says_so_on_its_stream(
    client: handles.Client,
) -> None:
    container = client.create(BODY)
    client.start(container)
    exec_id = client.exec_create(container, {"Cmd": ["no-such-program"]})
    with client.exec_start(exec_id) as attached:
        said = attached.read()
        assert attached.read() is None
    assert said is not None
    assert said[0] == 1
    assert said[1].startswith(b"OCI runtime exec failed: ")
    assert said[1].endswith(b"\r\n")
    assert client.exec_inspect(exec_id)["ExitCode"] == 126


def test_what_would_happen_is_told(client: handles.Client) -> None:
    plan = client.plan(BODY)
    assert plan["calls"][-1]["verb"] == "Execute"
    told = client.flag({**BODY, "HostConfig": {"ReadonlyRootfs": True}}, BODY)
    assert told["calls"]
    container = client.create(BODY)
    client.start(container)
    assert client.isolation(container)["container"] == container


def test_the_engine_tells_about_itself(client: handles.Client) -> None:
    assert client.ping().body == b"OK"
    assert client.version()["ApiVersion"] == "1.45"
    assert client.doctor()["backend"] == "simulated"
    assert client.bootstrap("busybox")["name"] == "busybox"


def test_500_requests_leave_nothing_open(client: handles.Client, engine: Studio) -> None:
    def descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    container = client.create(BODY)
    client.start(container)
    client.ping()
    before = descriptors()
    for _ in range(100):
        client.ping()
        client.containers(all=True)
        client.request("GET", "/nothing")
        client.attach(container).close()
        client.events().close()
    until(lambda: descriptors() <= before)
    engine.finish(container)


def test_a_second_process_that_cannot_start_is_refused_if_asked_so(
    client: handles.Client,
) -> None:
    container = client.create(BODY)
    client.start(container)
    exec_id = client.exec_create(container, {"Cmd": ["no-such-program"]})
    with pytest.raises(Refused, match="OCI runtime exec failed") as refusal:
        client.exec_start(exec_id, refuses=True)
    assert refusal.value.why
    assert refusal.value.try_next
    assert client.exec_inspect(exec_id)["ExitCode"] == 126
