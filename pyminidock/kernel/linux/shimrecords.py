"""What a shim has written down in its directory, for an engine that comes after it.

    shim.json    who it is and whose streams it holds, from the start on
    exit.json    how its program ended; once it is there, it stays

A disk may have spoilt either: what cannot be read counts as lost.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path

from pyminidock.kernel.linux.proc import start_time
from pyminidock.kernel.port import SHIM_LOST, ExitStatus, Process

_LATEST = 1 << 40  # seconds since 1970: no clock shows more
SPOILT = (ValueError, KeyError, TypeError, RecursionError)  # of a record on a disk


def find(directory: str, boot: str) -> Process | None:
    """Give the program whose shim lives in `directory` since this `boot`; None: none does.

    The number of the shim may belong to another process by now, so its start time is
    looked at, too.
    """
    try:
        record = json.loads(Path(directory, "shim.json").read_text(encoding="utf-8"))
        process = Process(
            record["pid"], record["start_time"], record["boot_id"],
            record["shim_pid"], directory,
        )  # fmt: skip
        if process.boot_id != boot:
            return None
        numbers = (process.pid, process.start_time, process.shim_pid)
        if not all(isinstance(each, int) and each > 0 for each in numbers):
            return None
        if start_time(process.shim_pid) != record["shim_start_time"]:
            return None
    except (OSError, *SPOILT):
        return None
    return process


def read_exit(directory: str) -> ExitStatus:
    """The shim is gone: its last record tells, or it was lost with the program."""
    try:
        record = Path(directory, "exit.json").read_text(encoding="utf-8")
        return exit_status(json.loads(record))
    except (OSError, *SPOILT):
        return ExitStatus(137, 9, finished=time.time(), error=SHIM_LOST)


def exit_status(record: Mapping[str, object]) -> ExitStatus:
    """Read an exit record, from the shim's own words or from its file.

    Raises ValueError, KeyError, TypeError.
    """
    code, number, oom = (int(str(record[name])) for name in ("code", "signal", "oom"))
    finished = float(str(record["finished"]))
    if not 0 <= finished < _LATEST:
        raise ValueError(finished)
    return ExitStatus(code, number, bool(oom), finished)
