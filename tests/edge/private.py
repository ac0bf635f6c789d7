"""A world of our own to measure in: whatever lives there is ours.

`run` starts a module of the tests in new PID, mount, network, IPC, UTS and cgroup
namespaces, with empty /tmp, /run and /dev/shm, and gives what it printed as JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import leaks

ROOT = Path(__file__).parents[2]
_SET_UP = Path(__file__).with_name("private.sh")


def run(module: str, *words: str, timeout_s: float) -> object:
    """Run `python -m module words…` in there; its standard output is one JSON value."""
    with own_cgroups() as name:
        done = subprocess.run(
            [
                "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--net",
                "--ipc", "--uts", "--", "sh", str(_SET_UP), name,
                sys.executable, "-W", "error", "-m", module, *words,
            ],
            cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def own_cgroups() -> Iterator[str]:
    """Make a cgroup in every v1 hierarchy; give its name; remove it and what is below."""
    name = f"minidock-private-{os.getpid()}"
    tops = [Path(row.target, name) for row in leaks.rows() if row.filesystem == "cgroup"]
    for top in tops:
        top.mkdir()
        for file in ("cpuset.cpus", "cpuset.mems"):  # an empty cpuset takes nobody
            if (top / file).exists():
                (top / file).write_text((top.parent / file).read_text("ascii"), "ascii")
    try:
        yield name
    finally:
        for top in tops:
            _remove(top)


def _remove(top: Path) -> None:
    """Remove a tree of cgroups; a dead process may need a moment to be out of it."""
    deadline = time.monotonic() + 5.0
    while top.exists() and time.monotonic() < deadline:
        for directory, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                Path(directory).rmdir()
