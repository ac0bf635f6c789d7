"""How a client finds an engine, and starts one where there is none.

    answers at the socket?  ── yes ──────────────────────────────► Client
            │ no
    take ROOT/start.lock    (of two clients, one starts)
            │
    answers now? ── yes ─────────────────────────────────────────► Client
            │ no
    spawn the daemon, hold a pipe; it writes "ready", or ends ───► Client, or EngineSilent

The daemon gets an environment that was built, not inherited, and no descriptor of ours.
Importing this module is quick, because every `minidock` command does it.
"""

import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pyminidock.client.handles import Client
from pyminidock.client.http import SocketTransport
from pyminidock.client.transport import ConnectionLost, Question
from pyminidock.errors import MinidockError
from pyminidock.kernel.linux import locks

READY_S = 20.0
"""Seconds a new engine has to answer: a slow disk, a machine full of students."""

_PATIENCE_S = 0.02  # between two looks at what another client starts
_LOG_BYTES = 1 << 20  # a longer log is begun anew
_TAIL_LINES = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where an engine lives: its root directory and its socket."""

    root: Path
    socket: Path


class EngineAbsent(MinidockError):
    """No engine answers, and none was to be started."""

    status = 503


class EngineSilent(MinidockError):
    """A new engine ended, or did not answer in time."""

    status = 503


class EngineForeign(MinidockError):
    """The socket belongs to another user."""

    status = 403


class RootUnusable(MinidockError):
    """The directory in which the engine would keep everything cannot be made."""

    status = 500


class HostUnusable(MinidockError):
    """The engine's address is none that we can speak to."""

    status = 400


def connect(
    root: Path | str | None = None, host: str | None = None, *, start: bool = True,
    backend: str = "",
) -> Client:  # fmt: skip
    """Give a way to the engine of `root` at `host`; where none answers, start one.

    Without arguments: MINIDOCK_ROOT, MINIDOCK_HOST, MINIDOCK_BACKEND, else this user's.
    Raises EngineAbsent, EngineSilent, EngineForeign, RootUnusable, HostUnusable.
    """
    place = locate(root, host)
    transport = SocketTransport(place.socket)
    if not _answers(transport):
        if not start:
            raise EngineAbsent(
                f"no engine answers at {place.socket}",
                why="the engine is a process of its own, and none runs there",
                try_next="minidock daemon",
            )
        _start(place, transport, backend or os.environ.get("MINIDOCK_BACKEND", ""))
    return Client(transport)


def locate(root: Path | str | None = None, host: str | None = None) -> Place:
    """Decide where the engine lives.  Raises HostUnusable.

    A root directory that was chosen has its socket inside, so that two engines never meet.

    >>> locate("/tmp/r").socket
    PosixPath('/tmp/r/minidock.sock')
    >>> locate("/tmp/r", "unix:///tmp/s").socket
    PosixPath('/tmp/s')
    """
    chosen = root or os.environ.get("MINIDOCK_ROOT")
    directory = Path(chosen).absolute() if chosen else _usual_root()
    address = host or os.environ.get("MINIDOCK_HOST")
    if address:
        return Place(directory, _path_of(address))
    runtime = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR")
    in_root = chosen or not runtime
    return Place(
        directory, (directory if in_root else Path(str(runtime))) / "minidock.sock"
    )


def _usual_root() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/minidock")
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local/share") / "minidock"


def _path_of(address: str) -> Path:
    """Read unix:///PATH, or a path."""
    scheme, has_scheme, path = address.rpartition("://")
    if (has_scheme and scheme != "unix") or not path.startswith("/"):
        raise HostUnusable(
            f"cannot speak to {address}",
            why="the engine listens on a Unix socket only: who reaches it is root here",
            try_next="ssh -L /tmp/minidock.sock:/run/minidock.sock HOST, "
            "then MINIDOCK_HOST=unix:///tmp/minidock.sock",
        )
    return Path(path)


def _answers(transport: SocketTransport) -> bool:
    """Tell whether an engine answers."""
    try:
        return transport.ask(Question("GET", "/_ping")).status == 200
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        return False
    except ConnectionLost:  # it is ending at this moment
        return False
    except PermissionError as refusal:
        raise EngineForeign(
            f"the engine at {transport.path} belongs to another user",
            why="whoever reaches its socket can do what its user can",
            try_next="MINIDOCK_ROOT=$HOME/minidock minidock doctor",
        ) from refusal


def _start(place: Place, transport: SocketTransport, backend: str) -> None:
    """Start an engine, unless another client just did; return when it answers."""
    try:
        place.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as refusal:
        raise RootUnusable(
            f"no engine can live in {place.root}: {(refusal.strerror or '').lower()}",
            why="it keeps everything that it knows in this one directory",
            try_next="MINIDOCK_ROOT=$HOME/minidock minidock doctor",
        ) from refusal
    deadline = time.monotonic() + 2 * READY_S
    while not _answers(transport):
        try:
            with locks.held(place.root / "start.lock"):
                if not _answers(transport):
                    _start_alone(place, transport, backend)
        except locks.RootInUse as refusal:  # another client is starting it
            if time.monotonic() > deadline:
                raise _silent(place) from refusal
            time.sleep(_PATIENCE_S)


def _start_alone(place: Place, transport: SocketTransport, backend: str) -> None:
    words = ["--root", str(place.root), "--socket", str(place.socket)]
    words += ["--backend", backend] if backend else []
    on = os.environ.get("MINIDOCK_PUBLISH_ON", "")
    words += ["--publish-on", on] if on else []
    if not _spawn(words, place.root / "daemon.log") or not _answers(transport):
        raise _silent(place)


def _silent(place: Place) -> EngineSilent:
    return EngineSilent(
        f"the engine did not start\n{_tail(place.root / 'daemon.log')}".rstrip(),
        why=f"it ended, or was not ready within {READY_S:g} s; its last words are above",
        try_next=f"minidock daemon --root {place.root} --socket {place.socket}",
    )


def _spawn(words: list[str], log: Path) -> bool:
    """Spawn the daemon; tell whether it says "ready" in time.

    The first process forks, so that the engine is nobody's child, and is waited for here.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        flags |= os.O_TRUNC
    output = os.open(log, flags, 0o600)
    hears, says = os.pipe()
    try:
        subprocess.run(  # noqa: S603  (this interpreter, our own module)
            [sys.executable, "-I", "-m", "pyminidock.api.daemon", *words,
             "--auto", "--ready", str(says)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[says],
            cwd="/", env={"LC_ALL": "C.UTF-8", "PATH": os.defpath}, check=False,
        )  # fmt: skip
        os.close(says)
        says = -1
        readable, _, _ = select.select([hears], [], [], READY_S)
        return bool(readable) and os.read(hears, 16) == b"ready"
    finally:
        for descriptor in (output, hears, says):
            if descriptor >= 0:
                os.close(descriptor)


def _tail(log: Path) -> str:
    """Give the last lines of the log."""
    if not log.exists():
        return ""
    text = log.read_text(encoding="utf-8", errors="replace")
    return "\n".join(f"  | {line}" for line in text.splitlines()[-_TAIL_LINES:])
