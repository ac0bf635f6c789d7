"""The fork server: one thread, a small heap, and nothing to forget.

The daemon has threads, and a fork copies only one of them: whatever lock another thread
held stays locked for ever in the child.  So the daemon never forks.  It hands a socket and
a mounted tree to this process's next child, the shim of the next container.

    spawner ── fork ──► next shim ── clone ──► newborn ── waits for a request
       ▲                                          │
       └───────────────── "taken" ────────────────┘   then, when the child has become its
                                                      program, another pair is made

They are made before they are needed, because a fork takes longer than any single step
of a birth; and not during one, unless somebody waits.  The plan goes to the newborn
directly, over the socket in the request: no environment of a container ever lies in here.

All run from a sealed copy of the interpreter: /proc/PID/exe of a process in a container
leads to that copy, which nobody can write, and never to the host's file (CVE-2019-5736).
"""

import errno
import gc
import os
import resource
import select
import sys

from pyminidock.kernel.linux import exhaustion, pair, rehearsal, sockets, syscalls
from pyminidock.kernel.linux.proc import name_process

CONTROL = 3  # the descriptor on which requests arrive


def main() -> None:
    """Serve requests until the daemon is gone; forks share everything imported so far."""
    rehearsal.before_the_first_fork()
    for number in (sockets.SIGINT, sockets.SIGTERM, sockets.SIGHUP):
        sockets.forget(number)
    sockets.ignore(sockets.SIGCHLD)  # the kernel reaps our shims
    sockets.block_none()
    name_process(b"minidock-spawn")
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    _forget_niceness()
    exhaustion.protect_engine()
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[3])))
    control = sockets.of(CONTROL)
    for places in (sys.path, sys.meta_path, sys.path_hooks):
        places.clear()  # an import fails loudly instead of running a stranger's module
    gc.collect()
    _holes = rehearsal.fill_holes()  # as long as we live
    gc.freeze()
    gc.disable()
    latest = pair.BIRTH
    while True:
        # A network takes long to make, and longer to go away if nobody needs it.
        taken = _raise_next(control, has_network=latest != pair.CONNECTED)
        if taken in (pair.BIRTH, pair.CONNECTED):
            latest = taken


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


def _raise_next(control: sockets.Socket, *, has_network: bool) -> bytes:
    """Fork the child that will take the next request, and wait until it did; say which."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    shims, newborns = sockets.pair()
    try:
        pid = os.fork()
    except OSError as refusal:  # EAGAIN, ENOMEM: the machine is full, not we
        pair.refuse(control, refusal.errno or errno.EAGAIN)
        pid = -1
    if pid == 0:
        os.close(reading)
        pair.wait_together(
            control, writing, shims, newborns, rehearsal.of_birth, has_network=has_network
        )
    shims.close()
    newborns.close()
    os.close(writing)
    word = os.read(reading, 1)  # empty when the child was killed while it waited
    if word == pair.NO_MORE:
        os._exit(0)
    if word:
        _let_it_come(reading, control)
    os.close(reading)
    return word


_MOMENT_MS = 5


def _let_it_come(reading: int, control: sockets.Socket) -> None:
    """Wait until the taken child is a program, or until somebody asks for the next one.

    To make a pair takes as much work as a birth, and would take it from this one, and from
    a program that is over in a moment.
    """
    poll = select.poll()
    poll.register(reading, 0)  # the shim lets go of the other end
    poll.register(control, select.POLLIN)
    poll.poll()
    poll.unregister(reading)
    poll.poll(_MOMENT_MS)
