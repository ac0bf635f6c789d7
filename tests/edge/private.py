"""A world of our own to measure in: whatever lives there is ours.

`run` starts a module of the tests in new PID, mount, network, IPC and UTS namespaces, with
empty /tmp, /run and /dev/shm, and gives what it printed as JSON.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SET_UP = (
    "for place in /tmp /run /dev/shm; do mount -t tmpfs tmpfs $place || exit 1; done; "
    "ip link set lo up; exec \"$@\""
)  # fmt: skip


def run(module: str, *words: str, timeout_s: float) -> object:
    """Run `python -m module words…` in there; its standard output is one JSON value."""
    done = subprocess.run(
        [
            "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", "--ipc",
            "--uts", "--", "sh", "-c", _SET_UP, "sh",
            sys.executable, "-W", "error", "-m", module, *words,
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
