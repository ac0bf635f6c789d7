"""A table of system calls, made from what can be combined; each with its own directory.

A case is a name and a function from a directory to an answer: whatever the calls gave, or
the errno.  In each directory `furnish` has put one object of each sort:

    low        a file of the lower layer        up      one of the upper layer
    lowdir/    a directory of the lower layer   updir/  one of the upper layer
    both/      one that merges                  sym, dangling, loop   symbolic links
    pipe       a named pipe                     hard1, hard2   two names of one lower file
    gone       deleted, so a whiteout           absent  never there
"""

import errno
import os
import random
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from pyminidock.kernel.glass.renaming import EXCHANGE, NOREPLACE, rename

Case = Callable[[], object]
_OBJECTS = (
    "low", "up", "lowdir", "updir", "both", "sym", "dangling", "loop", "pipe", "gone",
    "absent", "low/x",
)  # fmt: skip
_USER = 12345


def furnish(lower: Path) -> None:
    """Write the lower half of a case's directory."""
    lower.mkdir(parents=True)
    lower.chmod(0o755)
    for name in ("low", "gone", "hard1"):
        (lower / name).write_bytes(b"of the lower layer\n")
        (lower / name).chmod(0o644)
        os.utime(lower / name, ns=(10**18, 10**18 + 1))
    os.link(lower / "hard1", lower / "hard2")
    for name in ("lowdir", "both"):
        (lower / name).mkdir()
        (lower / name / "inner").write_bytes(b"inner")
    (lower / "emptydir").mkdir()
    (lower / "sym").symlink_to("low")
    (lower / "dangling").symlink_to("nowhere")
    (lower / "loop").symlink_to("loop")
    os.mkfifo(lower / "pipe", 0o644)
    (lower / "sticky").mkdir()
    (lower / "sticky").chmod(0o1777)
    (lower / "sticky" / "roots").write_bytes(b"")
    (lower / "setgid").mkdir()
    os.chown(lower / "setgid", 0, 4242)
    (lower / "setgid").chmod(0o2777)
    (lower / "suid").write_bytes(b"program")
    (lower / "suid").chmod(0o6755)
    (lower / "open").mkdir()
    (lower / "open").chmod(0o777)


def finish(merged: Path) -> None:
    """Write the upper half, through the mount."""
    (merged / "up").write_bytes(b"of the upper layer\n")
    (merged / "updir").mkdir()
    (merged / "updir" / "inner").write_bytes(b"inner")
    (merged / "upempty").mkdir()
    (merged / "both" / "upper").write_bytes(b"upper")
    (merged / "gone").unlink()


def answer(case: Case) -> object:
    """Make the calls; an errno is an answer too."""
    mask = os.umask(0o022)
    try:
        return case()
    except OSError as refusal:
        return errno.errorcode[refusal.errno or 0]
    finally:
        os.umask(mask)


def after(place: Path) -> list[object]:
    """Describe all there is afterwards, as far as the layers do not decide it."""
    found: list[object] = []
    for folder, names, files in os.walk(place):
        for name in sorted([*names, *files]):
            path = Path(folder) / name
            seen = path.lstat()
            content: object = None
            if stat.S_ISREG(seen.st_mode):
                content = (path.read_bytes()[:64], seen.st_size, seen.st_nlink)
            elif stat.S_ISLNK(seen.st_mode):
                content = path.readlink()
            elif stat.S_ISDIR(seen.st_mode):
                content = seen.st_nlink == 1
            old = seen.st_mtime_ns if seen.st_mtime_ns < 1_500_000_000 * 10**9 else "now"
            found.append((
                str(path.relative_to(place)), oct(seen.st_mode), seen.st_uid, seen.st_gid,
                seen.st_rdev, content, old, os.listxattr(path, follow_symlinks=False),
            ))  # fmt: skip
        names.sort()
    return found


@contextmanager
def user(uid: int, gid: int, *groups: int) -> Iterator[None]:
    """Be somebody else, without powers."""
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


# ── Opening ───────────────────────────────────────────────────────────────────────────────

_FLAGS = (
    "O_RDONLY", "O_WRONLY", "O_RDWR|O_TRUNC", "O_WRONLY|O_CREAT", "O_RDWR|O_CREAT|O_EXCL",
    "O_RDONLY|O_DIRECTORY", "O_RDONLY|O_NOFOLLOW", "O_WRONLY|O_APPEND", "O_RDONLY|O_TRUNC",
    "O_PATH|O_NOFOLLOW", "O_RDWR|O_CREAT|O_NOFOLLOW",
)  # fmt: skip


def opening(flags: str, name: str) -> object:
    """Open, and do what can be done with it."""
    number = os.O_NONBLOCK
    for word in flags.split("|"):
        number |= int(getattr(os, word))
    descriptor = os.open(name, number, 0o666)
    try:
        found = os.fstat(descriptor)
        told: list[object] = [
            oct(found.st_mode),
            found.st_size * stat.S_ISREG(found.st_mode),
        ]
        for call in (
            lambda: os.write(descriptor, b"new"),
            lambda: os.pread(descriptor, 99, 0),
            lambda: os.ftruncate(descriptor, 2),
            lambda: os.lseek(descriptor, 0, os.SEEK_CUR),
        ):
            told.append(answer(call))
        return told
    finally:
        os.close(descriptor)


def opens() -> Iterator[tuple[str, Case]]:
    """Every way of opening, on every object."""
    for flags, name in product(_FLAGS, _OBJECTS):
        yield f"open {flags} {name}", lambda f=flags, n=name: opening(f, n)  # type: ignore[misc]


# ── Renaming ──────────────────────────────────────────────────────────────────────────────


def renames() -> Iterator[tuple[str, Case]]:
    """Every object over every other, with each flag."""
    sources = ("low", "up", "lowdir", "updir", "both", "sym", "pipe", "gone", "hard1")
    targets = (
        "absent", "gone", "up", "low", "updir", "emptydir", "upempty", "hard2", "sym",
        "updir/new", "lowdir/new",
    )  # fmt: skip
    for old, new, flags in product(sources, targets, (0, NOREPLACE, EXCHANGE)):
        yield f"rename {old} {new} {flags}", lambda o=old, n=new, f=flags: rename(o, n, f)  # type: ignore[misc]


# ── Names: making and taking away ─────────────────────────────────────────────────────────


def names() -> Iterator[tuple[str, Case]]:
    """Make and remove with every call that makes or removes."""
    calls: dict[str, Callable[[str], object]] = {
        "mkdir": lambda name: os.mkdir(name, 0o777),
        "mknod": lambda name: os.mknod(name, stat.S_IFREG | 0o666),
        "mkfifo": lambda name: os.mkfifo(name, 0o666),
        "whiteout": lambda name: os.mknod(name, stat.S_IFCHR, 0),
        "device": lambda name: os.mknod(name, stat.S_IFCHR | 0o600, os.makedev(1, 3)),
        "symlink": lambda name: os.symlink("to", name),
        "unlink": os.unlink,
        "rmdir": os.rmdir,
        "link from": lambda name: os.link(name, "linked", follow_symlinks=False),
        "link to": lambda name: os.link("low", name),
        "link up to": lambda name: os.link("up", name),
        "truncate": lambda name: os.truncate(name, 5),
        "chmod": lambda name: os.chmod(name, 0o700),
        "chown": lambda name: os.chown(name, 5, 6, follow_symlinks=False),
        "utime": lambda name: os.utime(name, ns=(5, 6), follow_symlinks=False),
        "setxattr": lambda name: os.setxattr(name, "user.a", b"b", follow_symlinks=False),
        "removexattr": lambda name: os.removexattr(name, "user.a", follow_symlinks=False),
        "trusted": lambda name: os.setxattr(name, "trusted.b", b"", follow_symlinks=False),
        "readlink": os.readlink,
        "listdir": lambda name: sorted(os.listdir(name)),
        "access": lambda name: [os.access(name, mode) for mode in range(8)],
    }
    others = ("emptydir", "upempty", "hard1", "updir/new", "lowdir/new", "both/inner")
    for (word, call), name in product(calls.items(), (*_OBJECTS, *others)):
        yield f"{word} {name}", lambda c=call, n=name: c(n)  # type: ignore[misc]


# ── Users ─────────────────────────────────────────────────────────────────────────────────


def _as(uid: int, call: Callable[[], object], *groups: int) -> Case:
    def case() -> object:
        with user(uid, uid, *groups):
            return answer(call)

    return case


def users() -> Iterator[tuple[str, Case]]:
    """What somebody without powers may do, and whose the new things are."""
    calls: dict[str, Callable[[], object]] = {
        "read 0644": lambda: Path("low").read_bytes(),
        "write 0644": lambda: Path("low").write_bytes(b"x"),
        "create in 0755": lambda: Path("new").write_bytes(b"x"),
        "create in 0777": lambda: Path("open/new").write_bytes(b"x"),
        "unlink in 0755": lambda: os.unlink("low"),
        "chmod of root's": lambda: os.chmod("low", 0o744),
        "chown of root's": lambda: os.chown("low", _USER, _USER),
        "utime of root's": lambda: os.utime("low", ns=(1, 2)),
        "utime now of root's": lambda: os.utime("low"),
        "xattr of root's": lambda: os.setxattr("low", "user.a", b"b"),
        "trusted xattr": lambda: os.setxattr("low", "trusted.a", b"b"),
        "unlink in sticky": lambda: os.unlink("sticky/roots"),
        "rename in sticky": lambda: os.rename("sticky/roots", "sticky/mine"),
        "create in sticky": lambda: Path("sticky/mine").write_bytes(b""),
        "create in setgid": lambda: Path("setgid/new").write_bytes(b""),
        "mkdir in setgid": lambda: os.mkdir("setgid/dir", 0o777),
        "device": lambda: os.mknod("open/dev", stat.S_IFCHR | 0o600, os.makedev(1, 3)),
        "fifo": lambda: os.mkfifo("open/fifo"),
        "link of root's": lambda: os.link("low", "open/link"),
        "append to suid": lambda: Path("suid").write_bytes(b"x"),
        "mkdir": lambda: os.mkdir("open/dir", 0o2777),
    }
    for word, call in calls.items():
        yield f"user: {word}", _as(_USER, call)
        yield f"group: {word}", _as(_USER, call, 4242)


# ── Everything else ───────────────────────────────────────────────────────────────────────


def _tmpfile() -> object:
    descriptor = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
    os.write(descriptor, b"unnamed")
    told = os.fstat(descriptor).st_nlink
    root = os.open("/", os.O_RDONLY)
    place = f"/proc/self/fd/{descriptor}"
    os.link(place, "gone", src_dir_fd=root, follow_symlinks=True)
    os.close(root)
    os.close(descriptor)
    return told, Path("gone").read_bytes()


def _unlinked(name: str) -> object:
    descriptor = os.open(name, os.O_RDONLY)
    os.unlink(name)
    found = os.fstat(descriptor)
    told = os.read(descriptor, 99), found.st_nlink, oct(found.st_mode)
    os.close(descriptor)
    return told


def _seen_by_reader() -> object:
    """An old descriptor reads what a later one writes."""
    reading = os.open("low", os.O_RDONLY)
    Path("low").write_bytes(b"changed")
    told = os.pread(reading, 99, 0)
    os.close(reading)
    return told


def _long(length: int) -> Case:
    return lambda: os.mkdir("n" * length)


def _removed() -> object:
    here = os.open("updir", os.O_RDONLY)
    os.unlink("updir/inner")
    os.rmdir("updir")
    told = [answer(lambda: os.mkdir("x", dir_fd=here)), answer(lambda: os.listdir(here))]
    os.close(here)
    return told


def _recreated() -> object:
    for name in os.listdir("both"):
        os.unlink(f"both/{name}")
    os.rmdir("both")
    os.mkdir("both")
    return os.listdir("both")


def _shell(*calls: Case) -> Case:
    return lambda: [answer(call) for call in calls]


def others() -> Iterator[tuple[str, Case]]:
    """Single stories."""
    yield "tmpfile gets the name of a whiteout", _tmpfile
    yield "unlinked lower file", lambda: _unlinked("low")
    yield "unlinked upper file", lambda: _unlinked("up")
    yield "unlinked hard link", lambda: _unlinked("hard1")
    yield "a reader sees the writer", _seen_by_reader
    yield "name of 255", _long(255)
    yield "name of 256", _long(256)
    yield "path of 4096", lambda: os.stat("./" * 2048 + "low")
    yield "symlink of 4095", lambda: os.symlink("t" * 4095, "long")
    yield "removed directory", _removed
    yield "directory made again", _recreated
    yield "write clears suid", _as(0, lambda: Path("suid").write_bytes(b"x"))
    yield "chown clears suid", lambda: os.chown("suid", 5, 5)
    yield "rename into itself", lambda: os.rename("updir", "updir/in")
    yield "rename over its parent", lambda: os.rename("updir/inner", "updir")
    yield "rename over itself", lambda: os.rename("low", "low")
    yield "two names of one", _shell(
        lambda: os.link("low", "second"), lambda: os.rename("low", "second"),
        lambda: os.stat("low").st_nlink,
    )  # fmt: skip
    yield "link count", _shell(
        lambda: os.link("up", "a"), lambda: os.stat("up").st_nlink,
        lambda: os.unlink("up"), lambda: os.stat("a").st_nlink,
        lambda: os.chmod("a", 0o600),
    )  # fmt: skip
    yield (
        "a directory of its own comes into one that merges",
        _shell(lambda: os.rename("updir", "both/updir"), lambda: os.listdir("both/updir")),
    )
    yield "whiteouts follow a directory", _shell(
        lambda: os.unlink("both/inner"), lambda: os.unlink("both/upper"),
        lambda: os.rmdir("both"), lambda: os.rename("updir", "both"),
        lambda: sorted(os.listdir("both")),
    )  # fmt: skip
    yield (
        "truncate beyond the end",
        _shell(lambda: os.truncate("low", 100), lambda: os.stat("low").st_size),
    )
    yield "xattr replace and create", _shell(
        lambda: os.setxattr("up", "user.a", b"1", os.XATTR_REPLACE),
        lambda: os.setxattr("up", "user.a", b"1", os.XATTR_CREATE),
        lambda: os.setxattr("up", "user.a", b"2", os.XATTR_CREATE),
        lambda: os.getxattr("up", "user.a"), lambda: os.removexattr("up", "user.a"),
        lambda: os.getxattr("up", "user.a"),
    )  # fmt: skip
    yield (
        "xattr of overlayfs's own name",
        _shell(
            lambda: os.setxattr("updir", "trusted.overlay.opaque", b"y"),
            lambda: os.getxattr("updir", "trusted.overlay.opaque"),
        ),
    )


def cases(most: int) -> list[tuple[str, Case]]:
    """Give so many cases of the table, the single stories among them."""
    chosen = [*users(), *others()]
    combined = [*opens(), *renames(), *names()]
    left = max(0, min(most - len(chosen), len(combined)))
    return chosen + random.Random(7).sample(combined, left)
