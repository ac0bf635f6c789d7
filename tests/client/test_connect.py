"""An engine is found or started, once, from any state that an earlier one left."""

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyminidock.client.connect import (
    EngineAbsent,
    EngineSilent,
    HostUnusable,
    Place,
    RootUnusable,
    connect,
    locate,
)
from pyminidock.client.handles import Client
from tests.api.studio import WAIT_S, furnish, until

SIMULATED = "simulated"


def engine_pid(root: Path) -> int:
    """Find the process that holds the engine's lock, as the kernel lists it."""
    status = (root / "lock").stat()
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5] == f"{device}:{status.st_ino}":
            return int(fields[4])
    return 0


def fields_of(pid: int) -> list[str]:
    """Give the fields of /proc/PID/stat behind the name: state, parent, group, session."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()


def root_of(client: Client) -> str:
    return str(client.version()["Components"][0]["Details"]["Root"])


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")")[1][1] != "Z"
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """An empty root directory; whatever engine lives there afterwards is ended."""
    directory = tmp_path / "root"
    yield directory
    if (directory / "lock").exists() and (pid := engine_pid(directory)):
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_alive(pid))


@pytest.fixture
def start(root: Path) -> Callable[[], Client]:
    return lambda: connect(root, backend=SIMULATED)


def test_without_an_engine_one_is_started_and_then_found(
    root: Path, start: Callable[[], Client]
) -> None:
    assert start().doctor()["backend"] == "simulated"
    pid = engine_pid(root)
    assert is_alive(pid)
    assert root_of(connect(root, start=False)) == str(root)
    assert engine_pid(root) == pid
    assert root.stat().st_mode & 0o777 == 0o700
    assert (root / "minidock.sock").stat().st_mode & 0o777 == 0o600


def test_an_engine_that_was_started_is_nobodys_child(
    root: Path, start: Callable[[], Client]
) -> None:
    start()
    pid = engine_pid(root)
    _, parent, group, session, *_ = fields_of(pid)
    assert int(parent) != os.getpid()
    assert session == group  # it made both
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")


def test_nothing_is_started_unasked(root: Path) -> None:
    with pytest.raises(EngineAbsent, match="no engine answers"):
        connect(root, start=False)
    assert not root.exists()


def test_of_many_clients_at_once_one_starts_the_engine(root: Path) -> None:
    program = (
        "import sys; from pyminidock.client.connect import connect;"
        "print(connect(sys.argv[1], backend='simulated').ping().body.decode())"
    )
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    outcomes = [client.communicate(timeout=WAIT_S * 3) for client in clients]
    assert [said for said, _ in outcomes] == [b"OK\n"] * 4, outcomes
    assert (root / "daemon.log").read_text(encoding="utf-8") == ""


def test_shutdown_ends_the_engine_and_leaves_no_socket(
    root: Path, start: Callable[[], Client]
) -> None:
    client = start()
    pid = engine_pid(root)
    client.shutdown()
    until(lambda: not is_alive(pid))
    assert not (root / "minidock.sock").exists()
    assert (root / "daemon.log").read_text(encoding="utf-8") == ""
    with pytest.raises(EngineAbsent):
        connect(root, start=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(
    root: Path, start: Callable[[], Client], number: signal.Signals
) -> None:
    start()
    pid = engine_pid(root)
    os.kill(pid, number)
    until(lambda: not is_alive(pid))
    assert not (root / "minidock.sock").exists()
    assert (root / "daemon.log").read_text(encoding="utf-8") == ""


def test_after_a_sudden_death_the_next_client_starts_another(
    root: Path, start: Callable[[], Client]
) -> None:
    furnish(root)
    container = start().create({"Image": "busybox"}, "kept")
    for _ in range(3):
        pid = engine_pid(root)
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: not is_alive(pid))  # type: ignore[misc]
        assert (root / "minidock.sock").exists()  # stale
        client = start()
        assert engine_pid(root) != pid
        assert client.inspect("kept")["Id"] == container


def test_a_gate_opens_when_its_client_is_killed(
    root: Path, start: Callable[[], Client]
) -> None:
    furnish(root)
    client = start()
    container = client.create({"Image": "busybox"})
    program = (
        "import sys; from pyminidock.client.connect import connect\n"
        "gate = connect(sys.argv[1], start=False).gate(sys.argv[2], 'root.pivoted')\n"
        "print('set', flush=True)\n"
        "next(gate.held()); print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(root), f"run-{container[:12]}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"set\n"
        starting = threading.Thread(target=client.start, args=(container,))
        starting.start()
        assert holder.stdout.readline() == b"held\n"
        assert starting.is_alive()
        holder.kill()
        starting.join(1.0)
        assert not starting.is_alive()
    assert client.gates() == []
    assert client.inspect(container)["State"]["Running"]


def test_an_engine_that_cannot_start_is_told_with_its_last_words(root: Path) -> None:
    with pytest.raises(EngineSilent) as silent:
        connect(root, backend="no-such-backend")
    assert "no backend is called 'no-such-backend'" in silent.value.what
    assert silent.value.try_next == (
        f"minidock daemon --root {root} --socket {root}/minidock.sock"
    )


def test_two_engines_live_side_by_side(
    root: Path, tmp_path: Path, start: Callable[[], Client]
) -> None:
    start()
    other = tmp_path / "other"
    second = connect(other, f"unix://{tmp_path}/other.sock", backend=SIMULATED)
    assert root_of(second) == str(other)
    assert root_of(connect(root, start=False)) == str(root)
    second.shutdown()
    until(lambda: engine_pid(other) == 0)


def test_a_second_engine_of_one_root_is_refused(
    root: Path, tmp_path: Path, start: Callable[[], Client]
) -> None:
    start()
    pid = engine_pid(root)
    with pytest.raises(EngineSilent, match="belongs to an engine that is running"):
        connect(root, f"{tmp_path}/elsewhere.sock", backend=SIMULATED)
    assert engine_pid(root) == pid
    assert not (tmp_path / "elsewhere.sock").exists()


# ── H-39: what must not be inherited ─────────────────────────────────────────────────────

HOSTILE = {
    "PYTHONPATH": "/nonexistent", "PYTHONSTARTUP": "/nonexistent", "PYTHONMALLOC": "debug",
    "LD_LIBRARY_PATH": "/nonexistent", "GCONV_PATH": "/nonexistent", "LOCPATH": "/x",
    "MALLOC_ARENA_MAX": "1", "GIT_DIR": "/nonexistent", "LC_ALL": "xx_XX.nonsense",
    "TMPDIR": "/proc/nonexistent", "HTTP_PROXY": "http://user:secret@proxy",
}  # fmt: skip


@pytest.mark.parametrize("way", ["by a client", "by hand"])
def test_an_engine_inherits_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    by_hand = None
    if way == "by hand":
        secret = os.open("/etc/passwd", os.O_RDONLY)
        by_hand = run_idle(root, 600, secret)
        os.close(secret)
    client = connect(root, backend=SIMULATED)
    pid = engine_pid(root)
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0] for entry in environment if entry}
    assert names == {b"HOME", b"LANG", b"LC_ALL", b"PATH"}
    assert b"LC_ALL=C.UTF-8" in environment
    opened = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]  # noqa: PTH115
    assert "/etc/passwd" not in opened
    client.shutdown()
    until(lambda: not is_alive(pid))
    if by_hand:
        assert by_hand.pid == pid
        assert by_hand.wait(WAIT_S) == 0


# ── How long it lives ────────────────────────────────────────────────────────────────────


def run_idle(root: Path, idle_s: float, *inherited: int) -> subprocess.Popen[bytes]:
    """Start an engine that ends when nobody needs it; return when it answers."""
    hears, says = os.pipe()
    engine = subprocess.Popen(
        [sys.executable, "-I", "-m", "pyminidock.api.daemon", "--root", str(root),
         "--socket", str(root / "minidock.sock"), "--backend", SIMULATED,
         "--idle", str(idle_s), "--ready", str(says)],
        pass_fds=[says, *inherited],
    )  # fmt: skip
    os.close(says)
    assert os.read(hears, 10) == b"ready"
    os.close(hears)
    return engine


def test_an_engine_that_nobody_needs_ends(root: Path) -> None:
    engine = run_idle(root, 0.2)
    assert engine.wait(WAIT_S) == 0
    assert not (root / "minidock.sock").exists()


def test_a_client_or_a_container_keeps_it(root: Path) -> None:
    furnish(root)
    engine = run_idle(root, 0.2)
    client = connect(root, start=False)
    with client.events():
        with pytest.raises(subprocess.TimeoutExpired):
            engine.wait(1.0)
        container = client.create({"Image": "busybox"})
        client.start(container)
    with pytest.raises(subprocess.TimeoutExpired):
        engine.wait(1.0)
    client.remove(container, force=True)
    assert engine.wait(WAIT_S) == 0


def test_an_engine_without_descriptors_says_so_and_recovers(root: Path) -> None:
    engine = run_idle(root, 600)
    client = connect(root, start=False)
    before = resource.prlimit(engine.pid, resource.RLIMIT_NOFILE)
    used = sum(1 for _ in Path(f"/proc/{engine.pid}/fd").iterdir())
    resource.prlimit(engine.pid, resource.RLIMIT_NOFILE, (used + 8, before[1]))
    held: list[socket.socket] = []
    for _ in range(40):
        held.append(socket.socket(socket.AF_UNIX))
        held[-1].settimeout(WAIT_S)
        held[-1].connect(str(root / "minidock.sock"))
    assert held[-1].recv(100).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    for connection in held:
        connection.close()
    until(lambda: client.request("GET", "/_ping").status == 200)
    client.shutdown()
    assert engine.wait(WAIT_S) == 0


# ── Where an engine lives ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("uid", "environment", "place"),
    [
        (0, {}, ("/var/lib/minidock", "/run/minidock.sock")),
        (7, {"HOME": "/h"}, ("/h/.local/share/minidock",
                             "/h/.local/share/minidock/minidock.sock")),
        (7, {"HOME": "/h", "XDG_DATA_HOME": "/d", "XDG_RUNTIME_DIR": "/r"},
         ("/d/minidock", "/r/minidock.sock")),
        (0, {"MINIDOCK_ROOT": "/m"}, ("/m", "/m/minidock.sock")),
        (0, {"MINIDOCK_HOST": "unix:///s"}, ("/var/lib/minidock", "/s")),
        (0, {"MINIDOCK_ROOT": "/m", "MINIDOCK_HOST": "/s"}, ("/m", "/s")),
    ],
)  # fmt: skip
def test_where_an_engine_lives(
    monkeypatch: pytest.MonkeyPatch, uid: int, environment: dict[str, str],
    place: tuple[str, str],
) -> None:  # fmt: skip
    for name in ("XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert locate() == Place(Path(place[0]), Path(place[1]))


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:2375", "ssh://x", "relative.sock", ""])
def test_only_a_unix_socket_is_spoken_to(host: str) -> None:
    if not host:
        assert locate("/r", host) == Place(Path("/r"), Path("/r/minidock.sock"))
        return
    with pytest.raises(HostUnusable) as refusal:
        locate("/r", host)
    assert "ssh -L" in refusal.value.try_next


def test_importing_the_client_loads_neither_engine_nor_vocabulary() -> None:
    program = (
        "import sys; import pyminidock.client.connect;"
        "print([name for name in sys.modules if name.startswith('pyminidock.')])"
    )
    said = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    ).stdout
    for heavy in ("engine", "api", "events", "kernel.port", "kernel.model", "viz"):
        assert f"pyminidock.{heavy}'" not in said
        assert f"pyminidock.{heavy}." not in said


def test_a_root_that_cannot_be_made_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file")
    with pytest.raises(RootUnusable, match=r"no engine can live in .*/root: file exists"):
        connect(tmp_path / "root", f"unix://{tmp_path}/socket")
