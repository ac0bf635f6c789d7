"""The engine as a process: one for each root directory, and nothing of its caller in it.

    python -I -m pyminidock.api.daemon --root D --socket P [--backend B] [--auto]
        [--publish-on ADDRESS]

What a process inherits can turn against it: PYTHONPATH and LD_PRELOAD bring in code, LC_ALL
changes how bytes are read, a working directory may be gone.  So the first act, before
anything of the engine is loaded, is to become itself again: isolated (-I), at "/", with an
environment of four lines, no descriptor but the standard ones.  Then, in this order:

    lock      ROOT/lock; a second engine ends here, having touched nothing
    kernel    its helper is started while this process has no thread
    house     picks up what an earlier engine left
    socket    from here on clients are served

An engine that a client started (--auto) ends after half an hour in which nobody needed it;
one that was started by hand stays.  Containers go on either way.
"""

import argparse
import gc
import ipaddress
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pyminidock.errors import MinidockError
from pyminidock.kernel.linux import exhaustion, locks

IDLE_S = 30 * 60.0
_STOPS = (signal.SIGTERM, signal.SIGINT)
LOCAL = "127.0.0.1"
LOG_LEVELS = ("debug", "info", "warn", "error")  # dockerd's; faults are always told
_LOOKS = 20  # so often within the idle time somebody looks whether the engine is idle
_PATIENCE_S = 2.0  # how long an engine may take to end before the next one gives up

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/",
    "LANG": "C.UTF-8",
}
"""All that the engine and its helpers see of the world outside."""


def main(words: Sequence[str] | None = None) -> None:
    """Run an engine as the words ask; returns when it was stopped."""
    wanted = _parse(sys.argv[1:] if words is None else words)
    _become_itself(wanted)
    try:
        run_daemon(
            wanted.root,
            wanted.socket,
            wanted.backend,
            idle_s=wanted.idle,
            publish_on=wanted.publish_on,
            ready=wanted.ready,
            say=_say if wanted.log_level in ("debug", "info") else None,
        )
    except MinidockError as refusal:
        told = f"{refusal.what}\n  why: {refusal.why}\n  try: {refusal.try_next}"
        sys.stderr.write(f"minidock daemon: {told}\n")
        sys.exit(1)


def run_daemon(  # noqa: PLR0913  (where, which kernel, and whom to tell)
    root: Path, host: Path, backend: str = "", *, idle_s: float | None = None,
    ready: int | None = None, say: Callable[[str], None] | None = None,
    publish_on: str = LOCAL,
) -> None:  # fmt: skip
    """Serve the engine of `root` on the socket `host` until told to stop.

    `idle_s`: end after so many seconds without client or container; None: never.
    `publish_on`: the address for ports that are published without one; 0.0.0.0 is every
    one, as Docker has it.
    `ready`: a descriptor that is told when clients can come; `say`: hears of the beginning
    and the end.  SIGTERM and SIGINT stop it.
    Raises RootInUse, AddressTaken, AddressUnsafe, BackendRefused.
    """
    # Only now, for whoever comes here to become somebody else first.
    from pyminidock.api.routes import Router  # noqa: PLC0415
    from pyminidock.api.server import serve  # noqa: PLC0415
    from pyminidock.engine import kernels, listing  # noqa: PLC0415
    from pyminidock.engine.house import House  # noqa: PLC0415
    from pyminidock.store.failpoints import reach  # noqa: PLC0415

    if ready is not None:
        os.set_inheritable(ready, False)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as undo:
        hears, ring = undo.enter_context(_bell())
        undo.enter_context(_root_lock(root, is_patient=idle_s is not None))
        reach("daemon.locked")
        house = House(root, kernels.choose(backend, root), publish_on)
        undo.callback(house.close)
        reach("daemon.adopted")
        exhaustion.protect_engine()
        exhaustion.raise_descriptors()  # the house knows by now what containers get
        server = serve(Router(house, shutdown=ring), host)
        reach("daemon.listening")
        undo.callback(server.stop)
        if ready is not None:
            with suppress(BrokenPipeError):  # whoever asked has gone meanwhile
                os.write(ready, b"ready")
            os.close(ready)
        # What is here now stays: to look it over again and again would hold up everybody.
        gc.collect()
        gc.freeze()
        if say:
            say(f"the engine of {root} listens at {host} ({house.machine.backend})")
            undo.callback(say, "the engine ends; containers go on")
        _wait(
            hears,
            idle_s,
            lambda: server.idle_s() > (idle_s or 0) and not listing.list_(house),
        )
        reach("daemon.ending")


@contextmanager
def _bell() -> Iterator[tuple[int, Callable[[], None]]]:
    """Give a descriptor that becomes readable when it is time to stop, and how to ring.

    A signal rings, too.  No lock is in this: a handler runs in the middle of whatever the
    main thread does, and a signal may reach another thread, which wakes nobody.
    Source: Python, signal.set_wakeup_fd.
    """
    hears, rings = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    before = {number: signal.signal(number, lambda *_: None) for number in _STOPS}
    signal.set_wakeup_fd(rings)

    def ring() -> None:
        os.write(rings, b"!")

    try:
        yield hears, ring
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(hears)
        os.close(rings)


def _wait(hears: int, idle_s: float | None, is_idle: Callable[[], bool]) -> None:
    """Return when somebody rings, or when nobody needed the engine for `idle_s`."""
    poll = select.poll()
    poll.register(hears, select.POLLIN)
    look_ms = None if idle_s is None else 1000 * idle_s / _LOOKS
    while not poll.poll(look_ms):
        if is_idle():
            return


@contextmanager
def _root_lock(root: Path, *, is_patient: bool) -> Iterator[None]:
    """Hold the root's lock; whoever is patient gives an engine that is ending its time."""
    deadline = time.monotonic() + (_PATIENCE_S if is_patient else 0)
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(locks.held(root / "lock"))
                break
            except locks.RootInUse:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_PATIENCE_S / 100)
        yield


def _become_itself(wanted: argparse.Namespace) -> None:
    """Replace this process by one that inherited nothing; return if that was done."""
    if sys.flags.isolated and dict(os.environ) == ENVIRONMENT:
        return
    if wanted.auto:
        if os.fork():  # so that the engine is nobody's child; there is no thread yet
            os._exit(0)
        os.setsid()
    words = ["--root", str(wanted.root), "--socket", str(wanted.socket)]
    words += ["--backend", wanted.backend] if wanted.backend else []
    words += ["--publish-on", wanted.publish_on, "--log-level", wanted.log_level]
    words += ["--idle", str(wanted.idle)] if wanted.idle else []
    most = os.sysconf("SC_OPEN_MAX")
    if wanted.ready is not None:
        os.set_inheritable(wanted.ready, True)
        words += ["--ready", str(wanted.ready)]
        os.closerange(3, wanted.ready)
    os.closerange(wanted.ready + 1 if wanted.ready is not None else 3, most)
    os.chdir("/")
    os.execve(  # noqa: S606  (this interpreter, our own module)
        sys.executable,
        [sys.executable, "-I", "-m", "pyminidock.api.daemon", *words],
        ENVIRONMENT,
    )


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="minidock daemon", allow_abbrev=False)
    parser.add_argument("--root", type=_path, required=True)
    parser.add_argument("--socket", type=_path, required=True)
    parser.add_argument("--backend", default="")
    parser.add_argument("--publish-on", type=_address, default=LOCAL)
    parser.add_argument("--log-level", choices=LOG_LEVELS, default="warn")
    parser.add_argument(
        "--auto", action="store_true", help="in the background; ends if idle"
    )
    parser.add_argument("--idle", type=float, help="seconds without use before it ends")
    parser.add_argument("--ready", type=int, help="a descriptor to tell when it answers")
    wanted = parser.parse_args(words)
    if wanted.auto and wanted.idle is None:
        wanted.idle = IDLE_S
    return wanted


def _say(words: str) -> None:
    sys.stderr.write(f"minidock daemon: {words}\n")
    sys.stderr.flush()


def _address(text: str) -> str:
    """Read the address at which ports are published."""
    return str(ipaddress.ip_address(text))


def _path(text: str) -> Path:
    """Make a path that means the same from every directory."""
    return Path(text).absolute()


if __name__ == "__main__":
    main()
