"""The fork server: one thread, a small heap, and nothing to forget.

The daemon has threads, and a fork copies only one of them: whatever lock another thread
held stays locked for ever in the child.  So the daemon never forks.  It hands a socket and
a mounted tree to this process's next child, the shim of the next container.

    spawner ── fork ──► next shim ── clone ──► newborn ── waits for a request
       ▲                                          │
       └───────────────── "taken" ────────────────┘   then another pair is made

They are made before they are needed, because a fork takes longer than any single step
of a birth.  The plan goes to the newborn directly, over the socket in the request: no
environment of a container ever lies in here.

All run from a sealed copy of the interpreter: /proc/PID/exe of a process in a container
leads to that copy, which nobody can write, and never to the host's file (CVE-2019-5736).
"""

import errno
import gc
import os
import resource
import signal
import socket
import sys

from pyminidock.kernel.linux import child, exhaustion, shim, syscalls
from pyminidock.kernel.linux.newborn import NO_MORE, refuse
from pyminidock.kernel.linux.proc import name_process

CONTROL = 3  # the descriptor on which requests arrive


def main() -> None:
    """Serve requests until the daemon is gone; forks share everything imported so far."""
    shim.rehearse()
    child.rehearse(shim.REHEARSALS)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps our shims
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    name_process(b"minidock-spawn")
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    _forget_niceness()
    exhaustion.protect_engine()
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[3])))
    control = socket.socket(fileno=CONTROL)
    sys.path[:] = []
    sys.meta_path[:] = []
    gc.collect()
    gc.freeze()
    gc.disable()
    while True:
        _raise_next(control)


def _forget_niceness() -> None:
    """Hand on no nice value, scheduler or choice of processors that the daemon came with.

    Going back may take CAP_SYS_NICE; without it they stay.
    """
    try:
        os.sched_setaffinity(0, range(_MANY_PROCESSORS))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    except OSError:
        return


_MANY_PROCESSORS = 8192  # the kernel keeps those that exist and that our cgroup may use


def _raise_next(control: socket.socket) -> None:
    """Fork the child that will take the next request, and wait until it did."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.fork()
    except OSError as refusal:  # EAGAIN, ENOMEM: the machine is full, not we
        refuse(control, refusal.errno or errno.EAGAIN)
        pid = -1
    if pid == 0:
        os.close(reading)
        shim.run(control, writing)
    os.close(writing)
    word = os.read(reading, 1)  # empty when the child was killed while it waited
    os.close(reading)
    if word == NO_MORE:
        os._exit(0)
