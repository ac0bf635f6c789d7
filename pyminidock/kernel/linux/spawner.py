"""The fork server: one thread, a small heap, and nothing to forget.

The daemon has threads, and a fork copies only one of them: whatever lock another thread
held stays locked for ever in the child.  So the daemon never forks.  It hands a socket and
a mounted tree to this process, which forks a shim and goes back to waiting.  The plan goes
to the shim directly, over the socket: no environment of a container ever lies in here.

It runs from a sealed copy of the interpreter: /proc/PID/exe of a child inside a container
leads to that copy, which nobody can write, and never to the host's file.
Source: CVE-2019-5736.
"""

import errno
import gc
import os
import signal
import socket
import sys

from pyminidock.kernel.linux import shim, syscalls
from pyminidock.kernel.linux.child import report

CONTROL = 3  # the descriptor on which requests arrive


def main() -> None:
    """Serve requests until the daemon is gone; forks share everything imported so far."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps our shims
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    control = socket.socket(fileno=CONTROL)
    sys.path[:] = []
    sys.meta_path[:] = []
    gc.collect()
    gc.freeze()
    gc.disable()
    while True:
        word, handles, _, _ = socket.recv_fds(control, 16, 2)
        if not word:
            os._exit(0)
        _fork_shim(control, handles)


def _fork_shim(control: socket.socket, handles: list[int]) -> None:
    """Fork; the parent forgets the handles at once.  A refused fork is reported."""
    try:
        pid = os.fork()
    except OSError as refusal:  # EAGAIN, ENOMEM: the machine is full, not we
        report(handles[0], -1, error=refusal.errno or errno.EAGAIN)
        pid = -1
    if pid == 0:
        os.close(control.detach())
        for descriptor in handles:
            os.set_inheritable(descriptor, False)
        shim.run(handles[0], handles[1] if len(handles) > 1 else -1)
    for descriptor in handles:
        os.close(descriptor)
