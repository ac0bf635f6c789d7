"""Read the seccomp program of a running process out of the kernel.

The kernel keeps the filter as it was installed, and a tracer that holds CAP_SYS_ADMIN and
is itself unfiltered may copy it.  The process is stopped for the moment of reading and then
goes on as if nothing had happened.

    PTRACE_SEIZE -> PTRACE_INTERRUPT -> wait -> PTRACE_SECCOMP_GET_FILTER -> PTRACE_DETACH

Source: ptrace(2); Linux, kernel/seccomp.c, seccomp_get_filter().
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

PTRACE_DETACH = 17
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_SECCOMP_GET_FILTER = 0x420C
WALL = 0x40000000  # __WALL: also wait for a process that is not our child
INSTRUCTION_BYTES = 8

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.restype = ctypes.c_long
_ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def read_filter(pid: int, *, index: int = 0) -> bytes:
    """Give the bytes of filter number `index` of `pid`; 0 is the one installed last.

    Raises OSError ENOENT when there is no such filter, EACCES without CAP_SYS_ADMIN.
    """
    with _stopped(pid):
        length = _call(PTRACE_SECCOMP_GET_FILTER, pid, index, None)
        program = ctypes.create_string_buffer(length * INSTRUCTION_BYTES)
        _call(PTRACE_SECCOMP_GET_FILTER, pid, index, ctypes.addressof(program))
        return program.raw


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    _call(PTRACE_SEIZE, pid, None, None)
    try:
        _call(PTRACE_INTERRUPT, pid, None, None)
        os.waitpid(pid, WALL)
        yield
    finally:
        _call(PTRACE_DETACH, pid, None, None)


def _call(request: int, pid: int, address: int | None, data: int | None) -> int:
    result: int = _ptrace(request, pid, address, data)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace({request:#x}, {pid}): {os.strerror(number)}")
    return result
