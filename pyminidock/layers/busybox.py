"""A first tree without the internet's images: one static program and the files around it.

BusyBox is a single program that is hundreds: called `ls` it lists, called `sh` it is a
shell.  That program, a link for each name it answers to, and a few empty directories are
all that a container needs.

    bin/busybox          found on PATH if it is static, else from the distribution's
    bin/ls → busybox     package, which is unpacked here and not installed
    etc/passwd etc/group tmp/ root/ home/ proc/ sys/ dev/ …

Every entry has the program's own time, so the same program makes the same layer anywhere.

Source: busybox(1), --list; man 5 elf; dpkg-deb(1).  BusyBox is under the GPL, version 2: it
is taken from the machine and never part of this project.
"""

import re
import shutil
import struct
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from pyminidock.layers.archive import Entry, Kind
from pyminidock.layers.machine import ProgramFailed, run
from pyminidock.layers.tarwriter import Writer

PACKAGE = "busybox-static"
_APPLET = re.compile(r"[A-Za-z0-9_.+\[-]{1,40}")
_PT_INTERP = 3

_DIRECTORIES = (
    ("bin", 0o755), ("dev", 0o755), ("etc", 0o755), ("home", 0o755), ("proc", 0o555),
    ("root", 0o700), ("run", 0o755), ("sys", 0o555), ("tmp", 0o1777), ("usr", 0o755),
    ("usr/bin", 0o755), ("usr/sbin", 0o755), ("var", 0o755), ("var/tmp", 0o1777),
)  # fmt: skip
_FILES = {
    "etc/passwd": """\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
""",
    "etc/group": """\
root:x:0:
daemon:x:1:
bin:x:2:
tty:x:5:
users:x:100:
nogroup:x:65534:
""",
}


class BusyboxMissing(ProgramFailed):
    """There is no static BusyBox, and the distribution does not hand one out."""


def pack(program: Path, archive: Writer) -> None:
    """Write the tree around a static BusyBox (a host path) as one layer."""
    moment = int(program.stat().st_mtime)
    for entry, content in sorted(_entries(program), key=lambda each: each[0].name):
        archive.add(replace(entry, mtime=moment, size=len(content)), BytesIO(content))
    archive.close()


def _entries(program: Path) -> Iterator[tuple[Entry, bytes]]:
    for name, mode in _DIRECTORIES:
        yield Entry(name.encode(), Kind.DIRECTORY, mode), b""
    for name, text in _FILES.items():
        yield Entry(name.encode(), Kind.FILE, 0o644), text.encode()
    yield Entry(b"bin/busybox", Kind.FILE, 0o755), program.read_bytes()
    for applet in sorted({*run(str(program), "--list").split()} - {"busybox"}):
        if _APPLET.fullmatch(applet):
            yield (
                Entry(b"bin/" + applet.encode(), Kind.SYMLINK, 0o777, link=b"busybox"),
                b"",
            )


def find_program(workshop: Path) -> Path:
    """Give a static BusyBox: the machine's own, else one unpacked into `workshop`.

    Raises BusyboxMissing.
    """
    for found in filter(None, (shutil.which("busybox"), shutil.which("busybox-static"))):
        if is_static(Path(found)):
            return Path(found)
    package = workshop / "package"
    package.mkdir()
    try:
        run("apt-get", "download", PACKAGE, directory=package)
        for archive in package.glob("*.deb"):
            run("dpkg-deb", "--extract", str(archive), str(package / "tree"))
    except ProgramFailed as failure:
        raise _missing(failure.what) from failure
    for place in ("bin/busybox", "usr/bin/busybox"):
        found_in = package / "tree" / place
        if not found_in.is_symlink() and is_static(found_in):
            return found_in
    raise _missing(f"the package {PACKAGE} holds no static program")


def is_static(program: Path) -> bool:
    """Tell whether `program` is an ELF file that asks for no interpreter (no ld.so).

    Only such a program runs in a root that holds no libraries.
    """
    try:
        with program.open("rb") as file:
            header = file.read(64)
            if len(header) < 64 or header[:5] != b"\x7fELF\x02":  # 64 bit
                return False
            order = "<" if header[5] == 1 else ">"
            offset, size, count = struct.unpack(f"{order}32xQ14xHH6x", header)
            file.seek(offset)
            table = file.read(size * min(count, 256))
    except (OSError, ValueError):  # ValueError: a place that no file has
        return False
    if not count or size < 4 or len(table) < size * min(count, 256):
        return False
    kinds = (table[place : place + 4] for place in range(0, len(table), size))
    return all(struct.unpack(f"{order}I", kind) != (_PT_INTERP,) for kind in kinds)


def _missing(reason: str) -> BusyboxMissing:
    return BusyboxMissing(
        f"there is no static busybox on this machine: {reason}",
        why="the first image is made of one program that needs no libraries",
        try_next=f"apt-get install -y {PACKAGE} && minidock bootstrap busybox",
        lesson="images",
    )
