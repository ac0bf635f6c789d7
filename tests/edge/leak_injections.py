"""Leave things behind on purpose, one at a time, and say what the leak meter saw.

Run in namespaces of its own (`tests.edge.private`).  Standard output is JSON: for each
injection the name that should be seen, what was seen, and what was seen after it was
taken away again.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import leaks

NAME = f"minidock-meter-{os.getpid()}"
Injection = Callable[[Path], "Iterator[str]"]


def tool(*argv: str) -> None:
    """Run a command of the machine."""
    subprocess.run(argv, check=True, capture_output=True)


@contextmanager
def mount(root: Path) -> Iterator[str]:
    """A filesystem that nobody unmounts."""
    place = root / "x"
    place.mkdir()
    tool("mount", "-t", "tmpfs", "tmpfs", str(place))
    yield f"mount {place}"
    tool("umount", str(place))
    place.rmdir()


@contextmanager
def process(root: Path) -> Iterator[str]:
    """A process that nobody ends."""
    left = subprocess.Popen(["sleep", "1000"])
    yield f"process {left.pid} sleep"
    left.kill()
    left.wait()


@contextmanager
def zombie(root: Path) -> Iterator[str]:
    """A process that nobody collects."""
    left = subprocess.Popen(["sleep", "1000"])
    left.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, left.pid, os.WEXITED | os.WNOWAIT)
    yield f"zombie {left.pid} sleep"
    left.wait()


@contextmanager
def cgroup(root: Path) -> Iterator[str]:
    """An account that nobody closes."""
    place = Path("/sys/fs/cgroup")
    top = next(path for path in (place / "memory", place) if (path / "tasks").exists())
    (top / NAME).mkdir()
    yield f"cgroup {top.name}/{NAME}"
    (top / NAME).rmdir()


@contextmanager
def network_namespace(root: Path) -> Iterator[str]:
    """A network namespace with nobody in it, kept by its name."""
    tool("ip", "netns", "add", NAME)
    number = Path(f"/run/netns/{NAME}").stat().st_ino
    yield f"network namespace {number}"
    tool("ip", "netns", "delete", NAME)


@contextmanager
def inhabited_namespace(root: Path) -> Iterator[str]:
    """A network namespace kept by a process."""
    left = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
    while Path(f"/proc/{left.pid}/comm").read_text(encoding="ascii") != "sleep\n":
        os.sched_yield()
    number = Path(f"/proc/{left.pid}/ns/net").stat().st_ino
    yield f"network namespace {number}"
    left.kill()
    left.wait()


@contextmanager
def link(root: Path) -> Iterator[str]:
    """A network device."""
    tool("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
    yield "link veth0"
    tool("ip", "link", "delete", "veth0")


@contextmanager
def descriptor(root: Path) -> Iterator[str]:
    """A file of the host that stays open in the engine."""
    left = os.open("/etc/passwd", os.O_RDONLY)
    yield f"descriptor {left} of pid {os.getpid()} → /etc/passwd"
    os.close(left)


@contextmanager
def thread(root: Path) -> Iterator[str]:
    """A thread of the engine that never ends."""
    may_end = threading.Event()
    left = threading.Thread(target=may_end.wait)
    left.start()
    yield f"thread of pid {os.getpid()}"
    may_end.set()
    left.join()


@contextmanager
def memory_file(root: Path) -> Iterator[str]:
    """Memory that a process holds on to."""
    handle = os.memfd_create(NAME)
    left = subprocess.Popen(["sleep", "1000"], pass_fds=[handle])
    os.close(handle)
    yield f"memory file {NAME} (deleted) of pid {left.pid}"
    left.kill()
    left.wait()


@contextmanager
def file(root: Path) -> Iterator[str]:
    """A file below the root directory of the engine."""
    (root / "left").write_text("", encoding="ascii")
    yield f"file {root / 'left'}"
    (root / "left").unlink()


@contextmanager
def temporary_file(root: Path) -> Iterator[str]:
    """A file in a place that everybody uses."""
    path = Path("/run", NAME)
    path.write_text("", encoding="ascii")
    yield f"file {path}"
    path.unlink()


@contextmanager
def unix_socket(root: Path) -> Iterator[str]:
    """A socket with a name."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"\0{NAME}")
        yield f"unix socket @{NAME}"


@contextmanager
def port(root: Path) -> Iterator[str]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as left:
        yield f"tcp port {left.getsockname()[1]}"


INJECTIONS = {
    leak.__name__: leak
    for leak in (
        mount, process, zombie, cgroup, network_namespace, inhabited_namespace, link,
        descriptor, thread, memory_file, file, temporary_file, unix_socket, port,
    )
}  # fmt: skip


def main() -> None:
    """Inject everything in turn."""
    found = {}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        root = Path(directory)
        with network_namespace(root):
            pass  # makes /run/netns, which stays

        def take() -> leaks.Snapshot:
            return leaks.snapshot(root, pids=(os.getpid(),))

        for name, inject in INJECTIONS.items():
            before = take()
            with inject(root) as expected:
                seen = leaks.compare(before, take())
            found[name] = [expected, seen, leaks.settled(before, take)]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
