"""Who a pid is: the name of its program, also when it has ended before we asked.

What is told of files is read a moment later, and `cat` may be gone by then.  But nobody
becomes a program unseen: executing waits for our permission, and the words of the call that
waits say what it is about to be called.

    7 waits in execve("/bin/cat")    next name of 7: cat    (even if the file is busybox)
    7 still bears its old name       that one, and cat is kept for later
    7 is gone                        cat

Source: man 5 proc_pid_comm, proc_pid_syscall; Linux, fs/exec.c: begin_new_exec() takes the
name by which the file was called.
"""

import os
from contextlib import suppress

from pyminidock.kernel.watch.askers import command_of, text_at
from pyminidock.kernel.watch.notices import calls_of

_LONGEST = 15  # TASK_COMM_LEN, without its NUL
_MOST = 4096


class Commands:
    """Names by pid, for as long as they may be asked for."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._executing: set[int] = set()

    def executes(self, pid: int, path: str) -> None:
        """Note that a process is about to become the program at `path`.

        A script's interpreter and a program's loader follow in the same call.
        """
        self._keep(pid, os.path.basename(_called(pid) or path)[:_LONGEST])
        self._executing.add(pid)

    def asks(self, pid: int) -> str:
        """Name who asks now, and is held until we answer."""
        return command_of(pid)

    def name(self, pid: int) -> str:
        """Name the program that `pid` is, or was; empty where nobody can know."""
        alive = command_of(pid)
        if not alive:
            return self._names.get(pid, "")
        if pid in self._executing and alive != self._names[pid]:
            return alive  # not yet what it is about to be
        self._executing.discard(pid)
        self._keep(pid, alive)
        return alive

    def _keep(self, pid: int, name: str) -> None:
        if len(self._names) >= _MOST and pid not in self._names:
            oldest = next(iter(self._names))
            del self._names[oldest]
            self._executing.discard(oldest)
        self._names.pop(pid, None)
        self._names[pid] = name


def _called(pid: int) -> str:
    """Read by which name a process that waits in execve(2) calls a file; "": unreadable."""
    with suppress(OSError, ValueError), open(f"/proc/{pid}/syscall", "rb") as file:
        number, *words = file.read().split()
        name, shape = _CALLS.get(int(number), ("", None))
        if shape is not None and name in ("execve", "execveat"):
            return text_at(pid, int(words[shape.names[0][1]], 16))
    return ""


_CALLS = calls_of(os.uname().machine)
