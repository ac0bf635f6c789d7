"""After a SIGKILL of the engine: streams, second processes and health are taken over."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.compat.hijack import UPGRADE, given, line, unframed
from tests.compat.sides import Side
from tests.edge.test_stock_terminal import NONE, Stock
from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge

PATIENCE_S = 60
ALL = "stream=1&stdin=1&stdout=1&stderr=1"


def kill_engine(minidock: Minidock) -> None:
    """End the engine as the machine would, and start another one."""
    pid = engine_of(minidock)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), PATIENCE_S, "its end")
    assert minidock.run("ps").returncode == 0


def engine_of(minidock: Minidock) -> int:
    """Find the engine by what it was started with."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"pyminidock.api.daemon" in words and str(minidock.root).encode() in words:
            return int(process.name)
    raise AssertionError("no engine runs")


@pytest.fixture
def docker(minidock: Minidock) -> Iterator[Stock]:
    made = Stock(minidock.host)
    assert minidock.run("ps").returncode == 0
    yield made
    made.run("rm", "-f", "web")


@pytest.fixture
def side(minidock: Minidock, docker: Stock) -> Side:
    return Side("ours", minidock.host)


def test_the_next_engine_carries_the_streams_on(
    minidock: Minidock, docker: Stock, side: Side
) -> None:
    docker.said("run", "-di", *NONE, "--name", "web", "busybox", "cat")
    path = f"/containers/web/attach?{ALL}"
    with line(side, path) as made:
        made.head()
        made.send(b"before\n")
        made.await_bytes(b"before\n")
        kill_engine(minidock)
        assert made.rest() == b""
    with line(side, path) as made:
        made.head()
        made.send(b"after\n")
        made.await_bytes(b"after\n")
    assert docker.said("logs", "web") == "before\nafter\n"


def test_a_second_process_goes_on_and_its_end_is_known(
    minidock: Minidock, docker: Stock, side: Side
) -> None:
    docker.said("run", "-d", *NONE, "--name", "web", "busybox", "sleep", "1000")
    script = "while [ ! -e /go ]; do sleep 0.1; done; exit 5"
    wish = {"Cmd": ["sh", "-c", script], "AttachStdout": True, "User": "0"}
    made = side.ask("POST", "/containers/web/exec", wish).json["Id"]
    waiting = side.ask("POST", "/containers/web/exec", {"Cmd": ["true"]}).json["Id"]
    assert side.ask("POST", f"/exec/{made}/start", {"Detach": True}).status == 200
    before = side.ask("GET", f"/exec/{made}/json").json
    kill_engine(minidock)
    assert side.ask("GET", f"/exec/{made}/json").json == before
    assert side.ask("GET", "/containers/web/json").json["ExecIDs"] == [made]
    assert side.ask("GET", f"/exec/{waiting}/json").status == 404
    docker.said("exec", "web", "touch", "/go")
    wait_until(
        lambda: side.ask("GET", f"/exec/{made}/json").json["ExitCode"] == 5,
        PATIENCE_S, "its end",
    )  # fmt: skip
    wait_until(lambda: not folders(minidock), PATIENCE_S, "its directory to be gone")


def folders(minidock: Minidock) -> list[Path]:
    return list((minidock.root / "containers").glob("*/exec-*"))


def test_one_that_ended_meanwhile_is_told_with_its_code(
    minidock: Minidock, docker: Stock, side: Side
) -> None:
    docker.said("run", "-d", *NONE, "--name", "web", "busybox", "sleep", "1000")
    wish = {"Cmd": ["sh", "-c", "sleep 1; exit 6"]}
    made = side.ask("POST", "/containers/web/exec", wish).json["Id"]
    assert side.ask("POST", f"/exec/{made}/start", {"Detach": True}).status == 200
    os.kill(engine_of(minidock), signal.SIGKILL)
    wait_until(
        lambda: any((each / "exit.json").exists() for each in folders(minidock)),
        PATIENCE_S, "its exit record",
    )  # fmt: skip
    assert minidock.run("ps").returncode == 0
    wait_until(
        lambda: side.ask("GET", f"/exec/{made}/json").json["ExitCode"] == 6,
        PATIENCE_S, "its end",
    )  # fmt: skip


def test_one_whose_shim_was_killed_is_137(
    minidock: Minidock, docker: Stock, side: Side
) -> None:
    docker.said("run", "-d", *NONE, "--name", "web", "busybox", "sleep", "1000")
    made = side.ask("POST", "/containers/web/exec", {"Cmd": ["sleep", "900"]}).json["Id"]
    assert side.ask("POST", f"/exec/{made}/start", {"Detach": True}).status == 200
    pid = side.ask("GET", f"/exec/{made}/json").json["Pid"]
    shim = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(shim, signal.SIGKILL)
    wait_until(
        lambda: side.ask("GET", f"/exec/{made}/json").json["ExitCode"] == 137,
        PATIENCE_S, "its end",
    )  # fmt: skip
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), PATIENCE_S, "the program's end")
    assert docker.said("inspect", "-f", "{{.State.Status}}", "web") == "running\n"


def test_health_is_asked_again_and_the_answers_stay(
    minidock: Minidock, docker: Stock, side: Side
) -> None:
    check = ("--health-cmd", "echo well", "--health-interval", "300ms")
    docker.said("run", "-d", *NONE, *check, "--name", "web", "busybox", "sleep", "1000")

    def health() -> dict[str, object]:
        return dict(side.ask("GET", "/containers/web/json").json["State"]["Health"])

    wait_until(lambda: health()["Status"] == "healthy", PATIENCE_S, "health")
    kill_engine(minidock)
    log = health()["Log"]
    assert isinstance(log, list)
    assert log[0]["Output"] == "well\n"
    last = log[-1]["End"]

    def was_asked_again() -> bool:
        now = health()["Log"]
        assert isinstance(now, list)
        return health()["Status"] == "healthy" and now[-1]["End"] > last

    wait_until(was_asked_again, PATIENCE_S, "the next answer")
    assert "(healthy)" in docker.said("ps", "--format", "{{.Status}}")


# ── Many ─────────────────────────────────────────────────────────────────────────────────


def test_many_second_processes_reach_no_bound(docker: Stock, side: Side) -> None:
    """Only those that live are counted; 64 at once are as many as there may be."""
    docker.said("run", "-d", *NONE, "--name", "web", "busybox", "sleep", "1000")
    first = ""
    for _ in range(100):
        wish = {"Cmd": ["true"], "AttachStdout": True}
        made = side.ask("POST", "/containers/web/exec", wish).json["Id"]
        first = first or made
        given(side, f"/exec/{made}/start", {})
    assert side.ask("GET", f"/exec/{first}/json").json["ExitCode"] == 0
    for _ in range(64):
        made = side.ask("POST", "/containers/web/exec", {"Cmd": ["sleep", "9"]})
        assert made.status == 201
    refused = side.ask("POST", "/containers/web/exec", {"Cmd": ["sleep", "9"]})
    assert refused.status == 409


def test_many_second_processes_at_once_all_start(docker: Stock, side: Side) -> None:
    """A newborn that hands its request back is gone before its shim looks for it."""
    docker.said("run", "-d", *NONE, "--name", "web", "busybox", "sleep", "1000")

    def one(number: int) -> bytes:
        wish = {"Cmd": ["echo", str(number)], "AttachStdout": True, "AttachStderr": True}
        made = side.ask("POST", "/containers/web/exec", wish).json["Id"]
        return unframed(given(side, f"/exec/{made}/start", {}).body)[1]

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(one, range(320)))
    assert told == [b"%d\n" % number for number in range(320)]


def test_several_typists_and_watchers_at_once(docker: Stock, side: Side) -> None:
    docker.said("run", "-di", *NONE, "--name", "web", "busybox", "cat")
    lines = 200

    def type_lines(word: bytes) -> None:
        with line(side, "/containers/web/attach?stream=1&stdin=1") as made:
            made.head()
            for _ in range(lines):
                made.send(word + b"\n")

    path = "/containers/web/attach?stream=1&stdout=1"
    with line(side, path, headers=UPGRADE) as one, line(side, path) as two:
        one.head(), two.head()
        typists = [
            threading.Thread(target=type_lines, args=(b"%d" % n * 9,)) for n in range(3)
        ]
        for each in typists:
            each.start()
        for each in typists:
            each.join(PATIENCE_S)
        # Lines of one connection may overtake those of another, so all have to be there.
        wait_until(lambda: len(docker.said("logs", "web").split()) == 3 * lines,
                   PATIENCE_S, "all that was typed")  # fmt: skip
        with line(side, "/containers/web/attach?stream=1&stdin=1") as last:
            last.head()
            last.send(b"end\n")
            told = [unframed(each.await_bytes(b"end\n"))[1] for each in (one, two)]
    assert told[0] == told[1]
    assert sorted(told[0].split()) == sorted(
        [b"%d" % n * 9 for n in range(3)] * lines + [b"end"]
    )


def test_nothing_is_left_of_clients_that_vanish(docker: Stock, minidock: Minidock) -> None:
    docker.said("run", "-dit", *NONE, "--name", "web", "busybox", "sh")
    engine = engine_of(minidock)

    def descriptors() -> int:
        return len(list(Path(f"/proc/{engine}/fd").iterdir()))

    before = descriptors()
    clients = [
        subprocess.Popen(
            docker.words("attach", "--no-stdin", "web"), env=docker.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in range(8)
    ]  # fmt: skip
    wait_until(lambda: descriptors() > before, PATIENCE_S, "clients")
    for client in clients:
        client.kill()
        client.wait(PATIENCE_S)
    wait_until(
        lambda: descriptors() <= before, PATIENCE_S, "their connections to be closed"
    )
