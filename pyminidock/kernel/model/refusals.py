"""The refusals of the simulated kernel: what every body says, for reasons of its own."""

import errno as errors

from pyminidock.kernel.calls import Call
from pyminidock.kernel.port import CallFailed, Process, ProcessGone
from pyminidock.kernel.refusals import refused


def call_refused(index: int, call: Call, refusal: OSError) -> CallFailed:
    """Say it in the words of every body; the model's own reason is the cause."""
    about = str(refusal.filename or "")
    value = refusal.filename2 if isinstance(refusal.filename2, int) else 0
    return refused(index, call, refusal.errno or errors.EIO, about, value)


def gone(process: Process) -> ProcessGone:
    """Say that a process is not there any more."""
    return ProcessGone(
        f"process {process.pid} has ended",
        why="a number may belong to another process by now, so nobody else is asked",
        try_next="minidock ps -a",
        lesson="processes",
    )
