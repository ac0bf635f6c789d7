"""Run containers, let starts fail at every call in turn, and say what is left.

Run in namespaces of its own (`tests.edge.private`).  Arguments: how many runs, how many
failed runs.  Standard output is JSON: the names of what came and did not go, how the
memory of the engine and its helpers grew, and what the runs gave.
"""

import errno
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from pyminidock.container.spec import CreateRequest
from pyminidock.engine import run
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.recording import Recording
from pyminidock.layers.bootstrap import bootstrap
from tests import leaks

SOON_S = 60.0
WARM_UP = 5  # times each wish, so that caches and heaps have their size
WISHES = (
    CreateRequest("busybox", command=("true",), auto_remove=True),
    CreateRequest("busybox", command=("sh", "-c", "exit 3"), auto_remove=True),
    CreateRequest("busybox", command=("id",), auto_remove=True, user="1000:1000"),
    CreateRequest("busybox", command=("true",), auto_remove=True, has_terminal=True),
    CreateRequest("busybox", command=("sleep", "1000"), auto_remove=True),  # killed
    CreateRequest("busybox", command=("true",), auto_remove=True, memory_bytes=64 << 20),
)


OURS = set[str]()  # keyrings that we made: nothing hides those of others from us


def live(house: House, wish: CreateRequest) -> str:
    """Run one container to its end; give how it ended."""
    container = run.create(house, wish)
    OURS.add(f"keyring _ses.{container}")
    try:
        life = house.life(container)
        run.start(house, container)
    except MinidockError as refusal:
        return f"refused: {type(refusal).__name__}"
    if "sleep" in wish.command:
        run.kill(house, container)
    status = run.wait(house, container, timeout_s=SOON_S) if not life.exit else life.exit
    assert life.until(life.outcome("removed"), SOON_S)
    return f"exit {status.code}" if status else "never ended"


def memory_kib(pid: int) -> int:
    """Give the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def main(runs: int, failures: int) -> None:
    """Warm up, look, run, look again."""
    with tempfile.TemporaryDirectory(prefix="minidock-leaks-", dir="/var/tmp") as directory:
        root = Path(directory)
        body = LinuxBody(root)
        house = House(root, Recording(body))
        bootstrap(house.store)
        for wish in WISHES * WARM_UP:
            live(house, wish)
        lengths = plan_length(house, body)
        engine = (os.getpid(), *leaks.children())

        def take() -> leaks.Snapshot:
            house.recorder.flush()
            seen = leaks.snapshot(
                root, ignore=("journal",), pids=(os.getpid(),), helpers=engine[1:]
            )
            return Counter({
                name: count for name, count in seen.items()
                if not name.startswith("keyring ") or name in OURS
            })  # fmt: skip

        # Keyrings go late, and later still where much else is to be done.
        leaks.settled(Counter(), lambda: take() & Counter(OURS), SOON_S)
        before, memory = leaks.at_rest(take), sum(map(memory_kib, engine))
        ends = Counter(live(house, WISHES[n % len(WISHES)]) for n in range(runs))
        failed = Counter[str]()
        for n in range(failures):
            index = n % lengths if failures >= lengths else n * lengths // failures
            body.fail_at = (index, errno.EIO)
            failed[live(house, WISHES[0])] += 1
        body.fail_at = None
        left = leaks.settled(before, take, SOON_S)
        lost = leaks.compare(take(), before)
        grown = sum(map(memory_kib, engine)) - memory
        house.close()
    json.dump(
        {"left": left, "lost": lost, "grown_kib": grown, "ends": ends, "failed": failed},
        sys.stdout,
    )


def plan_length(house: House, body: LinuxBody) -> int:
    """Count the calls of a start: the first index that no longer makes it fail."""
    low, high = 0, 1024
    while low < high:
        middle = (low + high) // 2
        body.fail_at = (middle, errno.EIO)
        if live(house, WISHES[0]).startswith("refused"):
            low = middle + 1
        else:
            high = middle
    body.fail_at = None
    return low


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
