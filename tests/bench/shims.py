"""What an idle container costs in memory: the proportional share of its shim."""

from pathlib import Path

from pyminidock.engine import run
from tests.bench.ours import Ours


def memory_of_idle_shims(ours: Ours, count: int) -> dict[str, float]:
    """Start `count` sleeping containers and read what each shim takes (PSS, KiB)."""
    containers = ours.idle(count)
    shares = []
    for container in containers:
        process = ours.house.life(container).process
        assert process is not None
        shares.append(_pss_kib(process.shim_pid))
    for container in containers:
        run.remove(ours.house, container, force=True)
    return {"count": float(count), "pss_kib": sum(shares) / len(shares)}


def _pss_kib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("Pss:"))
