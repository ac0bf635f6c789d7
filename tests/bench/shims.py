"""What a container costs in memory: the proportional share of its shim, idle and busy."""

import time
from pathlib import Path

from pyminidock.container.logfile import log_path
from pyminidock.engine import run
from tests.bench.ours import Ours

LINES = 10_000
PATIENCE_S = 120.0
_TALK = f"i=0; while [ $i -lt {LINES} ]; do echo line $i; i=$((i+1)); done; exec sleep 600"


def memory_of_shims(ours: Ours, count: int) -> dict[str, float]:
    """Give the mean share (PSS, KiB) of so many shims at once.

    `pss_kib` is that of shims whose program sleeps, `busy_kib` of those that have written
    10,000 lines into the log.
    """
    idle = _mean_share(ours, ours.idle(count))
    talkative = ours.idle(count, ("sh", "-c", _TALK))
    for container in talkative:
        _wait_for_lines(Path(log_path(ours.house.kept(container).spec)))
    busy = _mean_share(ours, talkative)
    return {"count": float(count), "pss_kib": idle, "busy_kib": busy}


def _mean_share(ours: Ours, containers: list[str]) -> float:
    """Read the share of each, then remove them."""
    shares = []
    for container in containers:
        process = ours.house.life(container).process
        assert process is not None
        shares.append(_pss_kib(process.shim_pid))
    for container in containers:
        run.remove(ours.house, container, force=True)
    return sum(shares) / len(shares)


def _wait_for_lines(log: Path) -> None:
    """Wait until all has been written; the program sleeps then."""
    deadline = time.monotonic() + PATIENCE_S
    while log.read_bytes().count(b"\n") < LINES:
        assert time.monotonic() < deadline, f"{log} stays short"
        time.sleep(0.05)


def _pss_kib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("Pss:"))
