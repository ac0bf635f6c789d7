"""How a socket file comes into being without a moment in which others could use it.

`bind` makes the file with whatever mode the umask leaves, and a mode set afterwards comes
too late.  So the socket is bound in a directory of our own (0700), given its mode there,
and only then moved to its name:

    PARENT/.minidock.sock.lock   held as long as we listen: of two engines one gets it
    PARENT/.minidock-XXXX/s      bind, chmod 0600; with a group called minidock: 0660, its
    PARENT/minidock.sock         rename: replaces a stale socket in one step

The group is root's way to let some people use its engine, as `docker` is dockerd's: whoever
is in it could as well be root.  An engine of somebody else has no such group.

Whether a socket there is stale, a connection tells: nobody listens.  Names of any length
work, although an address has only 108 bytes: they are reached through a handle on PARENT.
Source: man 7 unix; Linux, net/unix/af_unix.c: the address is the inode, not the name.
"""

import os
import socket
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyminidock.errors import MinidockError
from pyminidock.kernel.linux import groups, locks

GROUP = "minidock"
_BACKLOG = 512  # who connects while as many wait, waits itself


class AddressTaken(MinidockError):
    """Another engine listens there."""

    status = 409


class AddressUnsafe(MinidockError):
    """Others could put their own socket in the place of ours."""

    status = 403


@dataclass(frozen=True, slots=True)
class Address:
    """A listening socket and the file by which it is found."""

    path: Path
    listener: socket.socket
    inode: tuple[int, int]  # device, number: to remove only what is ours
    claim: int  # the descriptor that holds the lock
    group: int | None = None  # whose members are served, too

    def remove(self) -> None:
        """Close, and remove the file unless somebody put another there by force."""
        with suppress(FileNotFoundError):
            found = self.path.lstat()
            if (found.st_dev, found.st_ino) == self.inode:
                self.path.unlink()
        self.listener.close()
        _lock_of(self.path).unlink(missing_ok=True)
        os.close(self.claim)


def listen(path: Path) -> Address:
    """Listen at `path`, for this user alone and root's group; missing parents are made.

    Raises AddressTaken, AddressUnsafe.
    """
    group = groups.number_of(GROUP) if os.geteuid() == 0 else None
    mode = 0o700 if group is None else 0o755
    path.parent.mkdir(mode=mode, parents=True, exist_ok=True)
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check_parent(path.parent, os.fstat(parent))
        claim = _claim(path)
        try:
            if _is_answered(path, parent):
                raise _taken(path)
            listener, inode = _appear(path, parent, group)
        except BaseException:
            _lock_of(path).unlink(missing_ok=True)
            os.close(claim)
            raise
        return Address(path, listener, inode, claim, group)
    finally:
        os.close(parent)


def _claim(path: Path) -> int:
    """Take the lock on the address; give the descriptor that holds it.

    Whoever lets go removes the file, so the one that we locked may have lost its name.
    """
    name = _lock_of(path)
    while True:
        try:
            claim = locks.lock_file(name)
        except locks.RootInUse as refusal:
            raise _taken(path) from refusal
        with suppress(FileNotFoundError):
            if name.stat().st_ino == os.fstat(claim).st_ino:
                return claim
        os.close(claim)


def _lock_of(path: Path) -> Path:
    return path.parent / f".{path.name}.lock"


def _appear(
    path: Path, parent: int, group: int | None
) -> tuple[socket.socket, tuple[int, int]]:
    """Bind out of sight, then move to `path`, in the place of whatever is stale there."""
    workshop = Path(tempfile.mkdtemp(prefix=".minidock-", dir=path.parent))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        name = f"{workshop.name}/s"
        listener.bind(f"/proc/self/fd/{parent}/{name}")
        os.chmod(name, 0o600, dir_fd=parent)
        if group is not None:
            os.chown(name, -1, group, dir_fd=parent)
            os.chmod(name, 0o660, dir_fd=parent)
        listener.listen(_BACKLOG)
        made = os.stat(name, dir_fd=parent)
        os.rename(name, path.name, src_dir_fd=parent, dst_dir_fd=parent)
    except OSError:
        listener.close()
        raise
    finally:
        with suppress(FileNotFoundError):
            (workshop / "s").unlink()
        workshop.rmdir()
    return listener, (made.st_dev, made.st_ino)


def _is_answered(path: Path, parent: int) -> bool:
    """Tell whether the name is taken: somebody listens, or it is no socket at all."""
    try:
        handle = os.open(path.name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except FileNotFoundError:
        return False
    try:
        if not stat.S_ISSOCK(os.fstat(handle).st_mode):
            return True
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.connect(f"/proc/self/fd/{handle}")
    except ConnectionRefusedError:
        return False
    finally:
        os.close(handle)
    return True


def _check_parent(path: Path, parent: os.stat_result) -> None:
    """Refuse a directory in which others may rename: ours, or root's with a sticky bit."""
    is_open_to_others = parent.st_mode & 0o022 and not parent.st_mode & stat.S_ISVTX
    if parent.st_uid not in (0, os.geteuid()) or is_open_to_others:
        raise AddressUnsafe(
            f"{path} is no safe place for the engine's socket",
            why="others may rename files there, and put their own engine in our place",
            try_next=f"chmod go-w {path}",
        )


def _taken(path: Path) -> AddressTaken:
    return AddressTaken(
        f"{path} is in use",
        why="another engine listens there, or it is no socket; neither is replaced",
        try_next="minidock system shutdown, or minidock daemon --socket PATH",
    )
