"""The files of /etc that are the engine's, on the disk: hostname, hosts, resolv.conf.

They lie beside the container's layer and are bound over the image's, so that a container
which moves to another network does not carry an old address in its layer.

    at a start            all are written anew
    a network comes       its line is added to hosts; resolv.conf turns to our name server
    a network goes        its line is taken out of hosts
    somebody edits one    resolv.conf is left alone until the next start

What is bound keeps its inode, so a file that changes while the container runs is written in
place.  Its content belongs to the container: it is read no further than it can be long.

Source: moby, daemon/container_operations.go and libnetwork/sandbox_dns_unix.go.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from pyminidock.container.asked import Reach
from pyminidock.network.hosts import hosts
from pyminidock.network.resolvconf import HOST_FILE, Resolv, Way, Wishes, resolv_conf

HOST_RESOLV, HOST_HOSTS = Path(HOST_FILE), Path("/etc/hosts")
_MOST_BYTES = 1 << 20  # of a file that grew inside
_DIGEST = "resolv.conf.hash"  # of what the engine wrote last
_PLAIN = Reach()


def write(directory: Path, hostname: str, reach: Reach = _PLAIN) -> None:
    """Write hostname, hosts and resolv.conf for a container that is in no network yet."""
    resolv = resolv_for(reach, Way.PLAIN)
    put(directory, {
        "hostname": f"{hostname}\n",
        "hosts": hosts((), hostname, extra=reach.extra_hosts),
        **resolv_files(resolv),
    })  # fmt: skip


def resolv_for(reach: Reach, way: Way) -> Resolv:
    """Decide whom a container asks for names, from its wishes and the host's file."""
    wishes = Wishes(reach.dns, reach.dns_search, reach.dns_options)
    return resolv_conf(text_of(HOST_RESOLV), way, wishes)


def resolv_files(resolv: Resolv) -> Mapping[str, str]:
    """Give the file, and the digest by which an edited one is known."""
    return {"resolv.conf": resolv.text, _DIGEST: _digest(resolv.text.encode())}


def is_edited(directory: Path) -> bool:
    """Say whether somebody else has written the container's resolv.conf."""
    wrote = text_of(directory / _DIGEST)
    return bool(wrote) and wrote != _digest(_read(directory / "resolv.conf"))


def put(directory: Path, texts: Mapping[str, str]) -> None:
    """Write files in place.  Raises OSError."""
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name, text in texts.items():
            _write(name, text.encode(errors="surrogateescape"), place)
    finally:
        os.close(place)


def change(directory: Path, name: str, edit: Callable[[str], str]) -> None:
    """Change a file that the container may have changed, too; a huge one is left alone."""
    told = _read(directory / name)
    if len(told) <= _MOST_BYTES:
        put(directory, {name: edit(told.decode(errors="surrogateescape"))})


def text_of(path: Path) -> str:
    """Read a file of the host; "" where there is none."""
    return _read(path).decode(errors="replace")


def _read(path: Path) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        return file.read(_MOST_BYTES + 1)
    return b""


def _write(name: str, content: bytes, place: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(name, flags, 0o644, dir_fd=place)
    try:
        while content:
            content = content[os.write(file, content) :]
        os.fchmod(file, 0o644)  # whatever the umask says: everybody inside may read them
    finally:
        os.close(file)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
