"""Our own engine as a stranger uses it: through the command line, on private state.

One engine serves a test run.  It has a root directory and a socket of its own, and at the
end it must be gone: no process, no mount, no socket, no cgroup that names its root.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.reference import wait_until

# As the reference has it: only where cores are on does it show that a container gets none.
CORES_ON = ("sh", "-c", 'ulimit -c "$(ulimit -Hc)"; exec "$@"', "sh")


@dataclass(frozen=True, slots=True)
class Minidock:
    """The `minidock` command with a private root directory and socket."""

    root: Path
    host: Path
    image: str = "busybox"
    cgroups: tuple[Path, ...] = ()

    def run(
        self, *args: str, input: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run `minidock ARGS`; a failure is an answer, not an error.

        `timeout` is in seconds.  Without `input` it reads /dev/null.
        Raises subprocess.TimeoutExpired.
        """
        return subprocess.run(
            self.words(*args),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=self.environment,
        )

    def words(self, *args: str) -> list[str]:
        """Give the words that run `minidock ARGS`; they go with `environment`."""
        return [*CORES_ON, sys.executable, "-m", "pyminidock", *args]

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a command finds this engine and no other."""
        return os.environ | {
            "MINIDOCK_ROOT": str(self.root),
            "MINIDOCK_HOST": f"unix://{self.host}",
        }

    def remains(self) -> list[str]:
        """What the machine still holds of this engine, one phrase each."""
        found = [str(self.host)] if self.host.exists() else []
        found += [str(path) for path in self.cgroups if path.exists()]
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        found += [line for line in mounts if str(self.root) in line]
        for process in Path("/proc").glob("[0-9]*"):
            if str(self.root) in _traces(process):
                found.append(f"process {process.name} still names {self.root}")
        return found


def _traces(process: Path) -> str:
    """What ties a process to an engine: its words, variables, mounts and open files."""
    traces = ""
    with suppress(OSError):  # it ended while we looked, or closed a file
        for name in ("cmdline", "environ", "mountinfo"):
            traces += (process / name).read_text(errors="replace")
        for link in (process / "fd").iterdir():
            traces += f" {link.readlink()}"
    return traces


@pytest.fixture(scope="session")
def minidock() -> Iterator[Minidock]:
    """Our engine with its busybox image, for the whole test run."""
    with running_minidock() as engine:
        yield engine


@contextmanager
def running_minidock(*within: str) -> Iterator[Minidock]:
    """Start our engine with its image, and see to it that nothing is left of it.

    `within`: the words before `minidock` that start it, as `unshare --net`.
    """
    with tmpfs("minidock-cli-") as scratch:
        engine = Minidock(scratch / "root", scratch / "minidock.sock")
        try:
            made = subprocess.run(
                [*within, *engine.words("bootstrap", "busybox")], check=False,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                env=engine.environment,
            )  # fmt: skip
            assert made.returncode == 0, made.stderr
            engine = replace(engine, cgroups=parent_cgroups(engine))
            yield engine
        finally:
            ended = engine.run("system", "shutdown")
        assert ended.returncode == 0, ended.stderr
        with suppress(TimeoutError):
            wait_until(lambda: not engine.remains(), 10, "our engine to be gone")
        left = engine.remains()
        assert not left, "\n".join(left)


@contextmanager
def tmpfs(prefix: str) -> Iterator[Path]:
    """Make a directory on a file system of its own, in memory, as the reference has it.

    What overlayfs says of itself depends on what it stands on.
    """
    with tempfile.TemporaryDirectory(prefix=prefix) as place:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700", "cli", place], check=True)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


def parent_cgroups(engine: Minidock) -> tuple[Path, ...]:
    """The directories under which the engine keeps its containers' cgroups.

    A container on cgroup v1 says where it is; on v2 its namespace hides that, and the
    mounts and processes that `remains` looks for must do.
    """
    asked = engine.run(
        *("run", "--rm", "--network", "none", engine.image, "cat", "/proc/self/cgroup")
    )
    assert asked.returncode == 0, asked.stderr
    parents = {
        line.split(":", 2)[2].rpartition("/")[0] for line in asked.stdout.splitlines()
    }
    return tuple(
        directory
        for parent in parents - {""}
        for directory in Path("/sys/fs/cgroup").glob(f"*{parent}")
    )
