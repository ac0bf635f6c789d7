"""The kernel's overlayfs, asked call by call: a judge for whoever imitates it.

With the word `glass` the same calls are made on our own union filesystem, which is mounted
for each sequence by a child that serves it.

Run inside a mount namespace of its own (`unshare --mount`): whatever it mounts is gone with
the process.  Each line of standard input is one sequence, answered by one line:

    [LAYERS, OPTIONS, [[CALL, ARGUMENT …] …]]

A fresh upper directory is mounted over the layers, topmost first; a layer is a list of
[path, what, argument].  Each call is answered by {"gives": …} or {"errno": …}; then it is
told what the merged tree and the upper directory hold.

Source: Documentation/filesystems/overlayfs.rst.
"""

# ruff: noqa: D102  (a call is named after the system call that it makes)

import contextlib
import ctypes
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2
AT_FDCWD = -100
PLACE = Path("/tmp/union")  # noqa: S108  (a tmpfs of our own)
FLAGS = {
    "write": os.O_WRONLY, "read": os.O_RDONLY, "both": os.O_RDWR,
    "append": os.O_WRONLY | os.O_APPEND, "truncate": os.O_WRONLY | os.O_TRUNC,
    "create": os.O_RDWR | os.O_CREAT, "exclusive": os.O_RDWR | os.O_CREAT | os.O_EXCL,
    "over": os.O_RDWR | os.O_CREAT | os.O_TRUNC,
}  # fmt: skip


def build(tree: Path, entries: list[list[Any]]) -> None:
    """Write one layer as a directory tree, in overlayfs's own spelling."""
    tree.mkdir()
    for path, what, argument in entries:
        place = tree / path.lstrip("/")
        match what:
            case "directory" | "opaque":
                place.mkdir(mode=0o755)
                if what == "opaque":
                    os.setxattr(place, "trusted.overlay.opaque", b"y")
            case "file":
                place.touch(mode=0o644)
                place.write_bytes(argument.encode("latin-1"))
                os.setxattr(place, "user.from", argument.encode("latin-1"))
            case "hard link":
                os.link(tree / argument.lstrip("/"), place)
            case "symlink":
                place.symlink_to(argument)
            case "fifo":
                os.mkfifo(place)
            case "whiteout":
                os.mknod(place, stat.S_IFCHR, os.makedev(0, 0))


def mount(layers: list[list[list[Any]]], options: str, by: Callable[[str], int]) -> int:
    """Mount the layers and go inside; gives the process that serves them, 0: the kernel."""
    PLACE.mkdir()
    names = ("lower", "upper", "work", "merged")
    for name in names:
        (PLACE / name).mkdir()
    for number, entries in enumerate(layers):
        build(PLACE / "lower" / str(number), entries)
    lower = ":".join(f"{PLACE}/lower/{number}" for number in range(len(layers)))
    words = f"lowerdir={lower},upperdir={PLACE}/upper,workdir={PLACE}/work,{options}"
    server = by(words)
    os.chroot(f"{PLACE}/merged")
    os.chdir("/")
    return server


def by_kernel(words: str) -> int:
    """Let the kernel's overlayfs serve them."""
    target = f"{PLACE}/merged".encode()
    if LIBC.mount(b"overlay", target, b"overlay", ctypes.c_ulong(0), words.encode()):
        raise OSError(ctypes.get_errno(), words)
    return 0


def by_glass(words: str) -> int:
    """Let a child serve them, until they are unmounted."""
    from pyminidock.kernel.glass import mounting, options  # noqa: PLC0415
    from pyminidock.kernel.glass.serving import Union  # noqa: PLC0415

    heard, told = os.pipe()
    server = os.fork()
    if server:
        os.close(told)
        assert os.read(heard, 5) == b"ready", "glass did not mount"
        os.close(heard)
        return server
    try:
        device = mounting.open_device()
        union = Union(options.read(words), device)
        handle = mounting.prepare(device, "glass")
        mounting.attach(handle, f"{PLACE}/merged")
        os.close(handle)
        os.write(told, b"ready")
        os.close(told)
        union.serve()
    finally:
        os._exit(0)


def status(found: os.stat_result) -> list[int]:
    """Say what both sides can know; directories count names differently everywhere."""
    if stat.S_ISDIR(found.st_mode):
        return [found.st_mode, found.st_uid, found.st_gid, 0, 1, 0]
    return [
        found.st_mode, found.st_uid, found.st_gid, found.st_size, found.st_nlink,
        found.st_rdev,
    ]  # fmt: skip


class Calls:
    """The calls, each a method; what they hold open is kept by number."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(path, mode)  # noqa: PTH102

    def mkfifo(self, path: str, mode: int) -> None:
        os.mkfifo(path, mode)

    def symlink(self, path: str, target: str) -> None:
        os.symlink(target, path)  # noqa: PTH211

    def link(self, old: str, new: str) -> None:
        os.link(old, new, follow_symlinks=False)

    def unlink(self, path: str) -> None:
        os.unlink(path)  # noqa: PTH108

    def rmdir(self, path: str) -> None:
        os.rmdir(path)  # noqa: PTH106

    def rename(self, old: str, new: str, flags: int) -> None:
        words = old.encode(), AT_FDCWD, new.encode(), flags
        if LIBC.renameat2(AT_FDCWD, *words):
            raise OSError(ctypes.get_errno(), old)

    def names(self, path: str) -> list[str]:
        listed = os.listdir(path)  # noqa: PTH208
        return sorted(n for n in listed if os.path.lexists(f"{path}/{n}"))

    def readlink(self, path: str) -> str:
        return os.readlink(path)  # noqa: PTH115

    def open(self, number: int, path: str, how: str) -> None:
        handle = os.open(path, FLAGS[how] | os.O_NONBLOCK, 0o644)
        self.close(number)
        self.held[number] = handle

    def tmpfile(self, number: int, path: str) -> None:
        handle = os.open(path, os.O_TMPFILE | os.O_RDWR, 0o600)
        self.close(number)
        self.held[number] = handle

    def close(self, number: int) -> None:
        if number in self.held:
            os.close(self.held.pop(number))

    def link_handle(self, number: int, path: str) -> None:
        # AT_EMPTY_PATH: no /proc inside.
        words = self.held[number], b"", AT_FDCWD, path.encode(), 0x1000
        if LIBC.linkat(*words):
            raise OSError(ctypes.get_errno(), path)

    def read(self, number: int, at: int, size: int) -> str:
        return os.pread(self.held[number], size, at).decode("latin-1")

    def write(self, number: int, at: int, data: str) -> int:
        return os.pwrite(self.held[number], data.encode("latin-1"), at)

    def resize(self, number: int, size: int) -> None:
        os.ftruncate(self.held[number], size)

    def status_of(self, number: int) -> list[int]:
        return status(os.fstat(self.held[number]))

    def status(self, path: str) -> list[int]:
        return status(os.lstat(path))

    def truncate(self, path: str, size: int) -> None:
        os.truncate(path, size)

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(path, mode)  # noqa: PTH101

    def chown(self, path: str, uid: int, gid: int) -> None:
        os.lchown(path, uid, gid)

    def setxattr(self, path: str, name: str, value: str) -> None:
        os.setxattr(path, name, value.encode("latin-1"))

    def removexattr(self, path: str, name: str) -> None:
        os.removexattr(path, name)

    def xattrs(self, path: str) -> dict[str, str]:
        return attributes(path, "user.", follows=True)


def attributes(path: str, prefix: str, *, follows: bool = False) -> dict[str, str]:
    """Give the extended attributes that begin so."""
    names = os.listxattr(path, follow_symlinks=follows)
    return {
        name: os.getxattr(path, name, follow_symlinks=follows).decode("latin-1")
        for name in sorted(names)
        if name.startswith(prefix)
    }


def below(root: str) -> Iterator[str]:
    """Give every path below a directory, in order."""
    for name in sorted(os.listdir(root)):  # noqa: PTH208
        path = f"{root}/{name}"
        if os.path.lexists(path):
            yield path
            if stat.S_ISDIR(os.lstat(path).st_mode):
                yield from below(path)


def told(path: str) -> list[Any]:
    """Say everything about one name that both sides can know."""
    found = os.lstat(path)
    held = ""
    if stat.S_ISREG(found.st_mode):
        held = Path(path).read_bytes().decode("latin-1")
    elif stat.S_ISLNK(found.st_mode):
        held = os.readlink(path)  # noqa: PTH115
    return [*status(found), held, attributes(path, "user.")]


def marks(path: str) -> list[Any]:
    """Say what the upper directory writes down for overlayfs."""
    found = attributes(path, "trusted.overlay.")
    return [
        found.get("trusted.overlay.opaque", "") == "y",
        found.get("trusted.overlay.redirect", ""),
        "trusted.overlay.metacopy" in found,
    ]


def answer(calls: Calls, name: str, *arguments: Any) -> dict[str, Any]:
    """Make one call."""
    try:
        call: Callable[..., Any] = getattr(calls, name)
        return {"gives": call(*arguments)}
    except KeyError:
        return {"gives": "nothing open"}
    except OSError as refusal:
        return {"errno": refusal.errno}


def judge(root: int, calls: Calls, server: int) -> dict[str, Any]:
    """Give the merged tree and the meaning of the upper directory; then clean up."""
    merged = {path[2:]: told(path) for path in below("/.")}
    for number in tuple(calls.held):
        calls.close(number)
    os.fchdir(root)
    os.chroot(".")
    LIBC.umount2(f"{PLACE}/merged".encode(), MNT_DETACH)
    if server:
        os.waitpid(server, 0)
    top = f"{PLACE}/upper"
    upper = {path.removeprefix(top): [told(path), marks(path)] for path in below(top)}
    return {"merged": merged, "upper": upper}


def remove(tree: Path) -> None:
    """Remove a tree, whiteouts and all."""
    for path in reversed(list(below(str(tree)))):
        with contextlib.suppress(FileNotFoundError):
            is_directory = stat.S_ISDIR(os.lstat(path).st_mode)
            (os.rmdir if is_directory else os.unlink)(path)
    tree.rmdir()


def main() -> None:
    """Answer line by line, on a tmpfs that nobody else sees."""
    if LIBC.mount(b"tmpfs", b"/tmp", b"tmpfs", ctypes.c_ulong(0), b"mode=700"):
        raise OSError(ctypes.get_errno(), "tmpfs")
    os.umask(0)
    root = os.open("/", os.O_RDONLY)
    for line in sys.stdin:
        layers, options, sequence, *who = json.loads(line)
        server = mount(layers, options, by_glass if who else by_kernel)
        calls = Calls()
        answers = [answer(calls, *call) for call in sequence]
        shown = judge(root, calls, server)
        remove(PLACE)
        sys.stdout.write(json.dumps({"answers": answers, **shown}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
