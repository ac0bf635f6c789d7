"""Who a pid is: the name of its program, also when it has ended before we asked.

What is told of files is read a moment later, and `cat` may be gone by then.  But nobody
becomes a program unseen: executing waits for our permission, and the file's name says what
it is about to be called.

    held at exec /bin/cat     next name of 7: cat      (two files: the program, its loader)
    told: 7 opened /motd      /proc/7/comm, or, if 7 is gone, the name it had taken

Source: man 5 proc_pid_comm; Linux, fs/exec.c: begin_new_exec() takes the name of the file.
"""

import os
from contextlib import suppress

_LONGEST = 15  # TASK_COMM_LEN, without its NUL
_MOST = 4096


class Commands:
    """Names by pid, for as long as they may be asked for."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._executing: set[int] = set()

    def executes(self, pid: int, path: str) -> None:
        """Note that a process is about to become the program at `path`.

        The first file of an exec is the program, or a script; interpreter and loader follow
        while the process still has its old name.
        """
        name = os.path.basename(path)[:_LONGEST]
        is_same_exec = pid in self._executing and _comm(pid) != self._names[pid]
        if not is_same_exec:
            self._keep(pid, name)
            self._executing.add(pid)

    def asks(self, pid: int) -> str:
        """Name who asks now, and is held until we answer."""
        return _comm(pid)

    def name(self, pid: int) -> str:
        """Name the program that `pid` is, or was; empty where nobody can know."""
        self._executing.discard(pid)
        alive = _comm(pid)
        if alive:
            self._keep(pid, alive)
            return alive
        return self._names.get(pid, "")

    def _keep(self, pid: int, name: str) -> None:
        if len(self._names) >= _MOST and pid not in self._names:
            oldest = next(iter(self._names))
            del self._names[oldest]
            self._executing.discard(oldest)
        self._names.pop(pid, None)
        self._names[pid] = name


def _comm(pid: int) -> str:
    with suppress(OSError), open(f"/proc/{pid}/comm", "rb") as file:
        return os.fsdecode(file.read().removesuffix(b"\n"))
    return ""
