"""What /proc tells of a process that waits for our answer: its name, and its words.

Source: man 5 proc_pid_comm, proc_pid_mem.
"""

import os
from contextlib import suppress

_LONGEST = 4096  # PATH_MAX
_PAGE = 4096


def command_of(pid: int) -> str:
    """Name the program that a process is now; empty if it is gone."""
    with suppress(OSError), open(f"/proc/{pid}/comm", "rb") as file:
        return os.fsdecode(file.read().removesuffix(b"\n"))
    return ""


def text_at(pid: int, address: int) -> str:
    """Read a name from somebody's memory, up to its NUL.  Raises OSError."""
    if not address:
        return ""
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        told = b""
        while b"\0" not in told and len(told) < _LONGEST:
            here = address + len(told)
            part = os.pread(memory, min(256, _PAGE - here % _PAGE), here)
            if not part:
                break
            told += part
    finally:
        os.close(memory)
    return os.fsdecode(told.partition(b"\0")[0])
