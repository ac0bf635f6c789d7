"""A recorder with a clock that ticks by itself, for tests of telling."""

import itertools
from collections.abc import Callable
from pathlib import Path

from pyminidock.engine.journals import LIMIT_BYTES, Journals
from pyminidock.engine.recorder import Recorder
from pyminidock.engine.writer import Writer

WALL = 1_767_225_600.0
DEADLINE_S = 20.0  # far above what anything here takes; nothing waits for it to pass


def ticking(start: float = 0.0) -> Callable[[], float]:
    ticks = itertools.count(1)
    return lambda: start + next(ticks) / 1000


def recorder(root: Path, *, limit_bytes: int = LIMIT_BYTES) -> Recorder:
    writer = Writer(Journals(root / "journal", limit_bytes=limit_bytes))
    return Recorder(ticking(), ticking(WALL), backend="simulated", writer=writer)
