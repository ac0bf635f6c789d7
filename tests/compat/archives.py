"""Small archives for both engines, and what one sees in those that come back."""

import io
import tarfile
from typing import NamedTuple

DIR, LINK, HARD = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
FILE, CHAR, FIFO = tarfile.REGTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE


class Wish(NamedTuple):
    """One entry: `said` is the content of a file, or where a link leads."""

    name: str
    kind: bytes = FILE
    said: str = "new"
    mode: int = 0o640


class Seen(NamedTuple):
    """One entry that came, in all that two engines must agree on."""

    name: str
    kind: bytes
    mode: int
    owner: tuple[int, int]
    link: str
    device: tuple[int, int]
    size: int
    content: bytes


def tar(*wishes: Wish) -> bytes:
    """Pack entries, all of user 1234 and group 1235, from November 2023."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for wish in wishes:
            entry = tarfile.TarInfo(wish.name)
            entry.type, entry.mode, entry.mtime = wish.kind, wish.mode, 1_700_000_000
            entry.uid, entry.gid = 1234, 1235
            if wish.kind in (LINK, HARD):
                entry.linkname = wish.said
            elif wish.kind == CHAR:
                entry.devmajor, entry.devminor = 1, 3
            content = wish.said.encode() if wish.kind == FILE else b""
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def seen(archive: bytes) -> list[Seen]:
    """List an archive, in its order."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for entry in opened:
            file = opened.extractfile(entry) if entry.isreg() else None
            content = file.read() if file else b""
            found.append(Seen(
                entry.name, entry.type, entry.mode, (entry.uid, entry.gid),
                entry.linkname, (entry.devmajor, entry.devminor), entry.size, content,
            ))  # fmt: skip
    return found


def headers(archive: bytes) -> list[bytes]:
    """Give every header block as it came, less time and checksum."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for entry in opened:
            block = archive[entry.offset_data - 512 : entry.offset_data]
            found.append(block[:136] + block[156:])
    return found
