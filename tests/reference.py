"""A real Docker engine, private to one test run, to ask what is true.

Our tables copy Docker's behaviour; this module starts the original so that tests compare
instead of believe.  The engine lives in a mount and a network namespace of its own:

    STATE/               a directory under /tmp, visible from outside
      docker.sock  dockerd.pid  dockerd.log  owner
      private/           a tmpfs that only the engine's mount namespace sees
        data  exec  run  opt

Whatever it mounts, and whatever it writes into /run or /opt, dies with its last process,
and its network namespace, which has no bridge unless it is wanted, cannot touch an
interface or a firewall rule outside.
Left to clean are processes, one cgroup named like STATE, and STATE itself; a run that was
killed leaves those to the next one, which sweeps what no living process owns.

From outside, a container's files are seen through /proc/PID/root, not in the data root.

Source: dockerd(8), docker.io 26.1; mount_namespaces(7); pidfd_open(2).
"""

import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.rawapi import ask

PREFIX = "pyminidock-reference-"
IMAGE = "busybox:latest"
PROGRAMS = ("busybox", "docker", "dockerd", "containerd", "runc", "setpriv", "unshare")

# Runs inside the new namespaces, with the state directory as $1, and becomes dockerd.  The
# core limit goes up as far as it may: Docker hands its own limits on, and a zero inherited
# from the machine would hide that we do not (hardening: no cores from a container).
SETUP = """
set -eu
state=$1; shift
ulimit -c "$(ulimit -Hc)"
busybox ip link set lo up
mount -t tmpfs -o mode=711 reference "$state/private"
mkdir "$state/private/data" "$state/private/exec"
for place in run opt; do
    mkdir "$state/private/$place" "$state/private/$place.work"
    mount -t overlay reference "/$place" -o \
"lowerdir=/$place,upperdir=$state/private/$place,workdir=$state/private/$place.work"
done
exec dockerd "$@"
"""

ACCOUNTS = """\
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
"""
GROUPS = """\
root:x:0:
tty:x:5:
nogroup:x:65534:
"""


class ReferenceFailed(AssertionError):
    """The reference engine did not start, or did not end; the text holds its last words."""


class Answer(NamedTuple):
    """What the engine's API said: an HTTP status and the decoded JSON (or the text)."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Reference:
    """A running dockerd; `pid` is its own, `cgroup` the parent of its containers'."""

    state: Path
    pid: int
    image: str = IMAGE

    @property
    def socket(self) -> Path:
        """The Unix socket of its API."""
        return self.state / "docker.sock"

    @property
    def cgroup(self) -> str:
        """The cgroup under which its containers live, the same in every hierarchy."""
        return f"/{self.state.name}"

    def docker(
        self, *args: str, input: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run the stock `docker` command line; a failure is an answer, not an error.

        `timeout` is in seconds.  Without `input` it reads /dev/null.
        Raises subprocess.TimeoutExpired.
        """
        return subprocess.run(
            [program("docker"), *args],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "DOCKER_HOST": f"unix://{self.socket}",
                "DOCKER_CONFIG": str(self.state),
                "DOCKER_BUILDKIT": "0",  # whether buildx is installed or not
            },
        )

    def api(self, method: str, path: str, body: object = None) -> Answer:
        """Ask the HTTP API, as in `api("GET", "/v1.45/info")`; an error is an answer."""
        told = ask(self.socket, method, path, body)
        return Answer(told.status, told.document())

    def import_tree(self, directory: Path, name: str) -> str:
        """Make `directory` an image of one layer; answers `name`."""
        with tempfile.TemporaryDirectory() as scratch:
            archive = pack(directory, Path(scratch) / "root.tar")
            made = self.docker("import", "--change", 'CMD ["sh"]', str(archive), name)
        if made.returncode:
            raise ReferenceFailed(f"docker import {name}: {made.stderr}")
        return name


@pytest.fixture(scope="session")
def reference() -> Iterator[Reference]:
    """A private dockerd with a busybox image, for the whole test run."""
    with running_reference() as engine:
        yield engine


@contextmanager
def running_reference(
    data: Path | None = None, *, is_wired: bool = False
) -> Iterator[Reference]:
    """Start a dockerd, import the busybox image, and leave nothing behind at the end.

    `data` is a directory for its data root, on whatever filesystem, and the caller's to
    remove; else it is on the private tmpfs.  `is_wired`: with its bridge and its firewall.
    Takes about two seconds.
    Raises ReferenceFailed.
    """
    sweep()
    state = Path(tempfile.mkdtemp(prefix=PREFIX))
    (state / "owner").write_text(f"{os.getpid()} {birth_of(os.getpid())}")
    daemon = _launch(state, data or state / "private/data", is_wired=is_wired)
    try:
        engine = Reference(state, daemon.pid)
        _await(engine, daemon)
        busybox_root(state / "busybox")
        engine.import_tree(state / "busybox", IMAGE)
        yield engine
    finally:
        end(state)
        daemon.wait()


def _launch(state: Path, data: Path, *, is_wired: bool) -> subprocess.Popen[bytes]:
    """Become dockerd step by step: die with the parent, own namespaces, own mounts."""
    private = state / "private"
    private.mkdir()
    (state / "daemon.json").write_text("{}")
    command = [
        *(program("setpriv"), "--pdeathsig", "TERM"),
        *(program("unshare"), "--net", "--mount", "--propagation", "slave"),
        *("sh", "-c", SETUP, "sh", str(state)),
        *("--config-file", str(state / "daemon.json")),
        *("--host", f"unix://{state}/docker.sock", "--pidfile", str(state / "dockerd.pid")),
        *("--data-root", str(data), "--exec-root", f"{private}/exec"),
        *(() if is_wired else ("--bridge", "none", "--iptables=false")),
        "--ip6tables=false",
        *(
            "--cgroup-parent",
            f"/{state.name}",
            "--exec-opt",
            "native.cgroupdriver=cgroupfs",
        ),
        *("--storage-driver", "overlay2"),
    ]
    with (state / "dockerd.log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for pytest, which then ends it in order
        )


def _await(engine: Reference, daemon: subprocess.Popen[bytes]) -> None:
    """Wait until the engine answers.  Raises ReferenceFailed with its last words."""

    def answers() -> bool:
        if daemon.poll() is not None:
            raise ReferenceFailed(f"dockerd: {daemon.returncode}\n{_tail(engine.state)}")
        with suppress(OSError):
            return engine.api("GET", "/_ping") == Answer(200, "OK")
        return False

    try:
        wait_until(answers, 30, "dockerd to answer a ping")
    except TimeoutError as late:
        raise ReferenceFailed(f"{late}\n{_tail(engine.state)}") from late


def end(state: Path) -> None:
    """End the engine of `state`, whoever started it, and remove what it left outside.

    Every process is ended by its pid, never by name, and known as the engine's by its
    cgroup or its mounts.  Raises ReferenceFailed if something stays.
    """
    for pid in _contained(state):
        _signal(pid, signal.SIGKILL)  # else dockerd grants each container ten seconds
    with suppress(FileNotFoundError, ValueError):
        daemon = int((state / "dockerd.pid").read_text())
        if daemon in inhabitants(state):
            _signal(daemon, signal.SIGTERM)  # it takes containerd with it
            with suppress(TimeoutError):
                wait_until(lambda: daemon not in inhabitants(state), 15, "dockerd to end")

    def deserted() -> bool:
        left = inhabitants(state)
        for pid in left:
            _signal(pid, signal.SIGKILL)
        return not left

    try:
        wait_until(deserted, 15, "the last process of the reference engine to end")
        wait_until(lambda: _remove_cgroups(state.name), 15, "its cgroups to empty")
    except TimeoutError as late:
        raise ReferenceFailed(f"{late}: {inhabitants(state)}\n{_tail(state)}") from late
    shutil.rmtree(state)


def inhabitants(state: Path) -> set[int]:
    """The engine's processes: they see its private mount, or live in its cgroup."""
    return _contained(state) | _living(
        lambda text: f" {state}/private " in text, "mountinfo"
    )


def _contained(state: Path) -> set[int]:
    """The processes in the engine's containers."""
    return _living(lambda text: f":/{state.name}/" in text, "cgroup")


def _living(belongs: Callable[[str], bool], file: str) -> set[int]:
    """The processes, zombies aside, whose /proc/PID/`file` belongs."""
    found = set()
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):  # not a process, or no longer one
            pid = int(entry.name)
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            if state not in "ZX" and belongs((entry / file).read_text()):
                found.add(pid)
    return found


def sweep() -> None:
    """Remove what earlier runs left that were killed before they could."""
    for state in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError, ValueError):  # just made, or ended meanwhile
            pid, birth = (state / "owner").read_text().split()
            if birth_of(int(pid)) != birth:
                end(state)


def busybox_root(directory: Path) -> Path:
    """Fill `directory` with a root file system: static busybox and its applets' names.

    The same tree makes Docker's image and ours.  Raises ReferenceFailed.
    """
    for name in ("bin", "etc", "home", "root", "run", "tmp", "usr", "var"):
        (directory / name).mkdir(parents=True)
    (directory / "root").chmod(0o700)
    (directory / "tmp").chmod(0o1777)
    (directory / "etc/passwd").write_text(ACCOUNTS)
    (directory / "etc/group").write_text(GROUPS)
    busybox = directory / "bin/busybox"
    shutil.copy(program("busybox"), busybox)
    busybox.chmod(0o755)
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for applet in {*listed.stdout.split()} - {"busybox"}:
        (directory / "bin" / applet).symlink_to("busybox")
    return directory


def busybox_tar(path: Path) -> Path:
    """Pack the tree of `busybox_root` into `path`; answers `path`."""
    with tempfile.TemporaryDirectory() as scratch:
        return pack(busybox_root(Path(scratch) / "root"), path)


def pack(directory: Path, path: Path) -> Path:
    """Pack `directory` into a tar whose bytes depend on names, modes and content only."""

    def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(path, "w") as archive:
        archive.add(directory, ".", filter=anonymous)
    return path


def program(name: str) -> str:
    """Where `name` is installed.  Raises ReferenceFailed, which says how to get it."""
    found = shutil.which(name)
    if found is None:
        raise ReferenceFailed(
            f"{name} is not installed; try: "
            "apt-get install docker.io docker-cli runc busybox-static"
        )
    return found


def wait_until(holds: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Ask `holds` until it says yes.  Raises TimeoutError, naming `what` did not come."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:g} s for {what}")
        time.sleep(0.01)  # between two questions; no event announces these conditions


def birth_of(pid: int) -> str:
    """The start time of a process in clock ticks: with the pid, a name never reused."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _remove_cgroups(name: str) -> bool:
    """Remove the cgroup and its children in every hierarchy; false if one is busy."""
    try:
        for top in _hierarchies():
            for path, _, _ in os.walk(top / name, topdown=False):
                Path(path).rmdir()
    except OSError:
        return False
    return True


def _hierarchies() -> Sequence[Path]:
    """Where the cgroup file systems of this machine are mounted."""
    mounts = [
        line.split(" ") for line in Path("/proc/self/mounts").read_text().splitlines()
    ]
    return [Path(target) for _, target, kind, *_ in mounts if kind.startswith("cgroup")]


def _tail(state: Path) -> str:
    """The last lines of the engine's log."""
    with suppress(FileNotFoundError):
        lines = (state / "dockerd.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])
    return "no log"
