"""How a socket file comes into being without a moment in which others could use it.

`bind` makes the file with whatever mode the umask leaves, and a mode set afterwards comes
too late.  So the socket is bound in a directory of our own (0700), given its mode there,
and only then moved to its name:

    PARENT/.minidock-XXXX/s   bind, chmod 0600
    PARENT/minidock.sock      rename: replaces a stale socket in one step

Whether a socket there is stale, a connection tells: nobody listens.  Two engines that ask
at the same moment take turns, by a lock on PARENT.  Names of any length work, although an
address has only 108 bytes: they are reached through a handle on PARENT.
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

    def remove(self) -> None:
        """Close, and remove the file unless it belongs to another engine by now."""
        with suppress(FileNotFoundError):
            found = self.path.lstat()
            if (found.st_dev, found.st_ino) == self.inode:
                self.path.unlink()
        self.listener.close()


def listen(path: Path) -> Address:
    """Listen at `path`, for this user alone; missing parents are made (0700).

    Raises AddressTaken, AddressUnsafe.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check_parent(path.parent, os.fstat(parent))
        if _is_answered(path, parent):
            raise AddressTaken(
                f"{path} is in use",
                why="another engine listens there, or it is no socket; neither is replaced",
                try_next="minidock system shutdown, or minidock daemon --socket PATH",
            )
        return _appear(path, parent)
    finally:
        os.close(parent)


def _appear(path: Path, parent: int) -> Address:
    """Bind out of sight, then move to `path`, in the place of whatever is stale there."""
    workshop = Path(tempfile.mkdtemp(prefix=".minidock-", dir=path.parent))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        name = f"{workshop.name}/s"
        listener.bind(f"/proc/self/fd/{parent}/{name}")
        os.chmod(name, 0o600, dir_fd=parent)
        listener.listen(128)
        made = os.stat(name, dir_fd=parent)
        os.rename(name, path.name, src_dir_fd=parent, dst_dir_fd=parent)
    except OSError:
        listener.close()
        raise
    finally:
        with suppress(FileNotFoundError):
            (workshop / "s").unlink()
        workshop.rmdir()
    return Address(path, listener, (made.st_dev, made.st_ino))


def _is_answered(path: Path, parent: int) -> bool:
    """Tell whether the name is taken: somebody listens, or it is no socket at all."""
    try:
        found = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(found.st_mode):
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
        try:
            knock.connect(f"/proc/self/fd/{parent}/{path.name}")
        except (FileNotFoundError, ConnectionRefusedError):
            return False
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
