"""Plays a birth and the life of a shim, with nobody in the other roles.

Python rewrites its instructions and fills caches when code runs for the first times.  Done
in the spawner, before the first fork, those pages of memory are shared; done later, every
shim would have copies of its own, a fifth of its memory.

And whatever a process touches after a fork is copied, at a few microseconds a page, which
is more than most system calls take.  So a newborn plays its birth once more while it waits:
what is copied then need not be copied when somebody waits for it.

The stage is a tree in memory that is mounted nowhere.  Where something is not allowed, as
for an unprivileged user, the play ends there; the verb itself will say why.
"""

import marshal
import os

from pyminidock.kernel.linux import child, pair, powers, sockets, syscalls
from pyminidock.kernel.linux.birth import Birth, Order
from pyminidock.kernel.linux.filesystems import new_filesystem
from pyminidock.kernel.linux.newborn import MOST_HANDLES, Birthplace
from pyminidock.kernel.linux.paths import open_inside, open_or_make

OFTEN = 20  # Python has settled then
_LOG = (b"log", 1 << 20, 2, b"", False)
_NO_FILTER = (syscalls.load_seccomp, b"")

# How Python lays out small objects: in pools, each for one size.
_POOL_BYTES, _POOL_HEAD = 1 << 14, 48
_LARGEST, _STEP = 512, 16
_EMPTY = 33  # what an empty bytes object takes
_IN_A_ROW = 3  # as many as tell a new pool from holes
_MOST = 1000  # far more than there are holes, should Python lay them out otherwise


def before_the_first_fork() -> None:
    """Play everything that shims and newborns will do, until Python has settled."""
    for _ in range(OFTEN):
        of_shim()
        of_birth()


def fill_holes() -> list[object]:
    """Take the places that earlier objects have left, so that new ones lie side by side.

    In a hole among old objects, each new one would have a page copied that is shared; in
    pools of their own, they share a few.  Keep what is returned.
    Source: CPython, Objects/obmalloc.c.
    """
    taken: list[object] = []
    for size in range(_STEP, _LARGEST + 1, _STEP):
        for _ in range(_MOST):
            taken.append(_of_size(size))
            if _begins_a_pool(taken, size):
                del taken[-_IN_A_ROW:]
                break
    return taken


def _begins_a_pool(taken: list[object], size: int) -> bool:
    """Whether the last few lie in a row from the first place of a pool on.

    One at the first place is not enough: that can be a hole as well.
    """
    first = id(taken[-_IN_A_ROW]) if len(taken) >= _IN_A_ROW else 0
    return first % _POOL_BYTES == _POOL_HEAD and all(
        id(each) == first + place * size for place, each in enumerate(taken[-_IN_A_ROW:])
    )


def _of_size(size: int) -> object:
    """Make an object that takes so many bytes, rounded up as Python does."""
    if size > _EMPTY:
        return bytes(size - _EMPTY)
    return object() if size == _STEP else 0.5 + size


# ── A birth ──────────────────────────────────────────────────────────────────────────────


def of_birth() -> bool:
    """Play a birth from the request on, up to what cannot be undone.

    False where a verb was refused, and the rest of the play left out.
    """
    before = _descriptors()
    try:
        stage = new_filesystem(
            b"tmpfs", b"tmpfs", ((b"mode", b"755"),), 0, is_readonly=False
        )
    except OSError:
        return False
    ours, daemon = sockets.pair()
    shim, its = sockets.pair()
    order = Order(marshal.loads(marshal.dumps(_order(stage))))  # noqa: S302  (our own)
    place = Birthplace(order, daemon.fileno(), -1, [], os.getpid())
    birth = place.prepare(its, place.keeps(""))
    sockets.receive_handles(shim, 1 << 16, MOST_HANDLES)
    is_whole = False
    if birth is not None:
        birth.root = birth.proc = stage
        birth.devices = birth.proc_device = os.fstat(stage).st_dev
        is_whole = _play_walls(birth, place.after_init)
    for end in (ours, daemon, shim, its):
        end.close()
    _close_but(before)
    return is_whole


def _descriptors() -> set[int]:
    """List what is open, and the handle on the list itself."""
    return {int(name) for name in os.listdir("/proc/self/fd")}


def _close_but(kept: set[int]) -> None:
    """Close what the play opened."""
    for descriptor in _descriptors() - kept:
        try:
            os.close(descriptor)
        except OSError:  # that was the list
            continue


def _order(stage: int) -> dict[str, object]:
    """Give an order as the daemon spells it, whose calls change nothing but the stage."""
    directory = b"/proc/self/fd/%d" % stage
    calls = (
        ("ForkShim", (directory, False, False, _LOG)),
        ("ForkInit", ()),
        ("SetUmask", (0o022,)),
        ("MakeDirectory", (b"/dev", 0o755)),
        ("MakeLink", (b"/dev/ptmx", b"pts/ptmx")),
        ("MakeDevice", (b"/dev/null", 1, 3, 0o666, 0, 0, False)),
        ("Mask", (b"/proc/kcore",)),
        ("MakeReadonly", (b"/proc/bus",)),
        ("AnnounceReady", ()),
    )
    return {
        "calls": calls, "first": 0, "lockstep": False, "last_capability": 0,
        "fail_at": (-1, 0),
    }  # fmt: skip


def _play_walls(birth: Birth, first: int) -> bool:
    """Play verbs, and the tools of those that would change this process."""
    try:
        child.walk(birth, first)
        mount = new_filesystem(b"tmpfs", b"tmpfs", (), 0, is_readonly=True)
        syscalls.mount_setattr(mount, b"", propagation=syscalls.MS_PRIVATE)
        copy = syscalls.open_tree_clone(birth.root, b"dev", recursive=False)
        place = open_or_make(birth, b"/dev/pts", is_directory=True)
        for descriptor in (mount, copy, place, open_inside(birth, b"/dev")):
            os.close(descriptor)
        syscalls.working_directory()
        os.setresgid(-1, -1, -1)
        os.setresuid(-1, -1, -1)
    except OSError:
        return False
    for tool, *words in ((powers.find_program, b"nothing", (b"PATH=/",)), _NO_FILTER):
        try:
            tool(*words)
        except OSError:  # there is none, and it is no filter
            continue
    return True


# ── The life of a shim ───────────────────────────────────────────────────────────────────


def of_shim() -> None:
    """Play one life of a shim up to the first question of a daemon."""
    pair.settle()
    child_end, birth = sockets.pair()
    daemon, line = sockets.pair()
    out, out_end = os.pipe2(os.O_CLOEXEC)
    err, err_end = os.pipe2(os.O_CLOEXEC)
    part: dict[str, object] = dict.fromkeys(
        ("has_terminal", "has_stdin", "is_log_new"), False
    )
    part["pid"], part["cgroups"], part["log"] = os.getpid(), (), _LOG
    place = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    listener = sockets.Socket(sockets.AF_UNIX)
    log = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
    handles = [place, listener.fileno(), log, out, err, line.fileno()]
    sockets.send_handles(child_end, marshal.dumps(part), handles)
    shim = pair.take_over(birth)
    assert shim is not None and shim.log is not None  # noqa: S101, PT018  (just sent)
    os.write(out_end, b'one line\nand "another"\n\xc3\xa4 <third>, which does not end')
    shim.play(child_end, daemon)
    for end in (child_end, daemon, line, listener):
        end.close()
    for descriptor in (out, out_end, err, err_end, place, log, shim.log.file):
        os.close(descriptor)
