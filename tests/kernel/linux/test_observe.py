"""Looking at a process that may end while somebody looks."""

import os
import subprocess
from pathlib import Path

import pytest

from pyminidock.kernel.linux.observe import observe
from pyminidock.kernel.linux.proc import start_time
from pyminidock.kernel.port import Process, ProcessGone


def test_a_process_that_has_ended_but_is_not_reaped_is_gone() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        dead = Process(child.pid, start_time(child.pid), "", 0, "/nowhere")
        with pytest.raises(ProcessGone):
            observe(dead, None)


def test_a_number_that_belongs_to_another_process_now_is_gone() -> None:
    mistaken = Process(os.getpid(), start_time(os.getpid()) + 1, "", 0, "/nowhere")
    with pytest.raises(ProcessGone):
        observe(mistaken, None)


def test_a_process_that_ends_while_it_is_read_costs_no_descriptor(tmp_path: Path) -> None:
    """What cannot be read is stood for by a directory: it opens, and then refuses."""
    (tmp_path / "7" / "stat").mkdir(parents=True)
    handle = os.open(tmp_path, os.O_RDONLY)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(IsADirectoryError):
            start_time(7, handle)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    os.close(handle)
