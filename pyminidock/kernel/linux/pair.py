"""A shim and its newborn, made before they are needed.

    spawner ── fork ──► shim ── clone(new PID namespace) ──► newborn
       ▲                 │ waits to be handed a container        │ waits for a request
       └──────────── "taken" ────────────────────────────────────┘

A fork takes longer than any single step of a birth, so both wait ready.  The clone is the
first thing that a shim does: what it changed before, it would have to copy once more.

`exec` needs a process outside, and so does a birth among the processes of another
container or of the host.  The newborn cannot be that one: it hands the request to the shim,
which forks an *usher*, and the usher forks the process inside (`newborn`).
"""

import marshal
import os
import select
from collections.abc import Callable

from pyminidock.kernel.linux import sockets, syscalls
from pyminidock.kernel.linux.birth import report
from pyminidock.kernel.linux.exhaustion import OF_CONTAINER, OF_SHIM, adjust_badness
from pyminidock.kernel.linux.filesystems import Stock
from pyminidock.kernel.linux.newborn import MOST_HANDLES, Delivery, deliver
from pyminidock.kernel.linux.proc import name_process
from pyminidock.kernel.linux.shim import Shim
from pyminidock.kernel.linux.walls import raise_loopback

NO_MORE = b"n"
# How a request ends, and what was taken: an exec, a birth, one into a network that was
# made, and one into another's processes, or into the host's.
SECOND, BIRTH, CONNECTED, ADOPTED = b"0", b"1", b"2", b"3"
_HANDED_ON = b"exec "  # before a request that the newborn hands on
_AHEAD = "network"
_MOST_BYTES = 65536


def wait_together(
    control: sockets.Socket, taken: int, ours: sockets.Socket, its: sockets.Socket,
    rehearse: Callable[[], object], *, has_network: bool,
) -> None:  # fmt: skip
    """Be the shim of the next container; never returns.  Called right after the fork.

    `control` is where the newborn gets the request, `taken` where it says so, and which
    the shim closes when the child is a program; `ours` and `its` are the two ends between
    shim and newborn, which `rehearse`s before it waits, and makes a network of its own if
    `has_network`.
    """
    ourselves = os.getpid()
    # The spawner's children vanish unseen, and ours would, too: one that has handed its
    # request back is gone before we come to wait for it.
    sockets.forget(sockets.SIGCHLD)
    try:
        newborn = syscalls.fork_into_new_pid_namespace()
    except OSError as refusal:  # ENOSPC: so many namespaces may nobody make
        refuse(control, refusal.errno or 0)
        os._exit(1)
    if newborn == 0:
        ours.close()
        _get_ready()
        if not _is_wanted(control):
            rehearse()
        ahead = _enter_ahead() if has_network else ""
        _wait_for_request(control, taken, its, ourselves, ahead)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, sockets.SIGKILL)
    for descriptor in (control.detach(), its.detach()):
        os.close(descriptor)
    settle()
    os.setsid()
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    leave_streams()
    adjust_badness(OF_SHIM)
    shim = take_over(ours, newborn)
    if shim is None:  # no container, or none that came to the world
        os.wait()
        os._exit(1)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, 0)
    shim.taken = taken
    try:
        shim.serve()
    except BaseException as surprise:  # a bug: leave a note where people will look
        _leave_note(shim.directory, surprise)
        os._exit(1)
    os._exit(0)


def refuse(control: sockets.Socket, error: int) -> None:
    """Answer the next request with the reason why nobody can be born."""
    _, handles = sockets.receive_handles(control, 16, MOST_HANDLES)
    if handles:
        report(handles[0], -1, error=error)
    for descriptor in handles:
        os.close(descriptor)


def settle() -> None:
    """Take a name, and hear of children and broken pipes as a shim has to."""
    name_process(b"minidock-shim")
    sockets.forget(sockets.SIGCHLD)
    sockets.ignore(sockets.SIGPIPE)


def leave_streams() -> None:
    """Keep no pipe of the daemon: a shim may outlive it."""
    for number in (1, 2):
        os.dup2(0, number)


# ── The newborn ──────────────────────────────────────────────────────────────────────────


def _get_ready() -> None:
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, sockets.SIGKILL)
    name_process(b"minidock-birth")
    os.setsid()
    leave_streams()
    adjust_badness(OF_CONTAINER)


def _is_wanted(control: sockets.Socket) -> bool:
    """Say whether a request waits already: then there is no time to get used to things."""
    poll = select.poll()
    poll.register(control, select.POLLIN)
    return bool(poll.poll(0))


def _wait_for_request(
    control: sockets.Socket, taken: int, shim: sockets.Socket, shim_pid: int, ahead: str
) -> None:
    """Wait for a request, and become its program, or hand it to the shim; never returns."""
    stock = Stock()
    stock.fill()
    word, handles = sockets.receive_handles(control, 16, MOST_HANDLES)
    os.write(taken, word[-1:] if handles else NO_MORE)
    os.close(taken)
    if not handles:  # the daemon is gone
        os._exit(0)
    os.close(control.detach())
    if word.endswith((SECOND, ADOPTED)):  # it is not to be the first of its namespace
        sockets.send_handles(shim, _HANDED_ON + word, handles)
        os._exit(0)
    deliver(word, handles, shim, shim_pid, ahead, stock)


def _enter_ahead() -> str:
    """Enter the namespace that takes longest to make, while nobody waits for it."""
    try:
        syscalls.unshare(syscalls.CLONE_FLAGS[_AHEAD])
    except OSError:  # refused again, and told, when a plan comes to it
        return ""
    try:
        raise_loopback(None)
    except OSError:  # likewise
        return _AHEAD
    return _AHEAD


# ── The shim ─────────────────────────────────────────────────────────────────────────────


def take_over(birth: sockets.Socket, newborn: int = 0) -> Shim | None:
    """Wait for the child and all handles; `newborn` is who may hand the request back."""
    message, handles = sockets.receive_handles(birth, _MOST_BYTES, MOST_HANDLES)
    if not message:
        return None
    if message.startswith(_HANDED_ON):
        return _send_usher(birth, newborn, message.removeprefix(_HANDED_ON), handles)
    return Shim(Delivery(marshal.loads(message)), birth, handles)  # noqa: S302  (our child's)


def _send_usher(
    line: sockets.Socket, newborn: int, word: bytes, handles: list[int]
) -> Shim | None:
    """Let an usher bring the child in, and be its parent when she is gone.

    The newborn is not waited for before: its end takes a PID namespace along.
    """
    line.close()
    ours, hers = sockets.pair()
    ourselves = os.getpid()
    usher = os.fork()
    if usher == 0:
        ours.close()
        adjust_badness(OF_CONTAINER)
        deliver(word, handles, hers, ourselves)
    for descriptor in (*handles, hers.detach()):
        os.close(descriptor)
    os.waitpid(newborn, 0)
    shim = take_over(ours)
    if shim is not None:
        os.waitpid(usher, 0)
    return shim


def _leave_note(directory: int, surprise: BaseException) -> None:
    """Write what went wrong and where into shim.log, beside the container's files."""
    places = []
    step = surprise.__traceback__
    while step is not None:
        places.append(f"{step.tb_frame.f_code.co_name}:{step.tb_lineno}")
        step = step.tb_next
    text = f"shim {os.getpid()}: {surprise!r} at {' > '.join(places)}\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    os.write(os.open("shim.log", flags, 0o600, dir_fd=directory), text.encode())
