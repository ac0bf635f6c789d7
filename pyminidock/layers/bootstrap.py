"""A first root without the internet's images: one static program and the files around it.

BusyBox is a single program that is hundreds: called `ls` it lists, called `sh` it is a
shell.  A tree with that program, a link for each name it answers to, and a few empty
directories is all that a container needs.

    bin/busybox          found on PATH if it is static, else from the distribution's
    bin/ls → busybox     package, which is unpacked here and not installed
    etc/passwd etc/group tmp/ root/ home/ proc/ sys/ dev/ …

The tree is made beside its place and renamed into it, so it is there whole or not at all;
its id is the hash of its content, so making it twice makes it once.

Source: busybox(1), --list; man 5 elf; dpkg-deb(1).  BusyBox is under the GPL, version 2: it
is taken from the machine and never part of this project.
"""

import hashlib
import os
import re
import shutil
import stat
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pyminidock.errors import MinidockError
from pyminidock.events import Emit, ignore
from pyminidock.image.config import ImageConfig
from pyminidock.layers import roots
from pyminidock.layers.snapshots import remove_tree

PACKAGE = "busybox-static"
_PATIENCE_S = 120.0
_APPLET = re.compile(r"[A-Za-z0-9_.+\[-]{1,40}")
_PT_INTERP = 3
_HANDED_ON = ("PATH", "http_proxy", "https_proxy", "no_proxy")

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
CONFIG = ImageConfig(
    command=("sh",),
    environment=("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",),
)


class RootUnknown(MinidockError):
    """We do not know how to make a root of this name."""

    status = 400


class BusyboxMissing(MinidockError):
    """There is no static BusyBox, and the distribution does not hand one out."""


def bootstrap(root_dir: Path, name: str = "busybox", *, emit: Emit = ignore) -> roots.Root:
    """Make the root `name` in the engine's directory `root_dir`, or find it there.

    Takes under a second with BusyBox at hand; without, a download of the package.
    Raises RootUnknown, BusyboxMissing.
    """
    if name != "busybox":
        raise RootUnknown(
            f"no recipe for a root named {name!r}",
            why="this slice makes one root from what the machine has: busybox",
            try_next="minidock bootstrap busybox",
            lesson="images",
        )
    layers = root_dir / "layers"
    layers.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=layers))  # 0700
    try:
        program = _find_busybox(making)
        identifier = _build(program, making / "diff")
        shutil.rmtree(making / "package", ignore_errors=True)
        if not (layers / identifier).exists():
            making.rename(layers / identifier)
    finally:
        remove_tree(making)
    roots.record(root_dir, name, identifier, CONFIG)
    return roots.find(root_dir, name, emit=emit)


def _find_busybox(workshop: Path) -> Path:
    """Give a static BusyBox: the machine's own, else one from the unpacked package."""
    for found in filter(None, (shutil.which("busybox"), shutil.which("busybox-static"))):
        if is_static(Path(found)):
            return Path(found)
    package = workshop / "package"
    package.mkdir()
    _run("apt-get", "download", PACKAGE, directory=package)
    for archive in package.glob("*.deb"):
        _run(
            "dpkg-deb", "--extract", str(archive), str(package / "tree"), directory=package
        )
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


def _run(*argv: str, directory: Path) -> str:
    """Run a program of the machine with a fixed argv and give what it printed."""
    program = shutil.which(argv[0])
    if program is None:
        raise _missing(f"{argv[0]} is not installed")
    surroundings = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603  (no shell, no words from outside)
            [program, *argv[1:]], cwd=directory, env=surroundings | {"LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
            timeout=_PATIENCE_S,
        )  # fmt: skip
    except subprocess.SubprocessError as failure:
        words = getattr(failure, "stderr", None) or str(failure)
        raise _missing(f"{argv[0]} failed: {words.strip()[-200:]}") from failure
    return done.stdout


def _missing(reason: str) -> BusyboxMissing:
    return BusyboxMissing(
        f"there is no static busybox on this machine: {reason}",
        why="a first root is made of one program that needs no libraries",
        try_next=f"apt-get install -y {PACKAGE} && minidock bootstrap busybox",
        lesson="images",
    )


def _build(program: Path, tree: Path) -> str:
    """Make the tree and give its id."""
    tree.mkdir(mode=0o755)
    tree.chmod(0o755)
    for name, mode in _DIRECTORIES:
        (tree / name).mkdir()
        (tree / name).chmod(mode)
    for name, text in _FILES.items():
        (tree / name).write_text(text, encoding="ascii")
        (tree / name).chmod(0o644)
    busybox = tree / "bin" / "busybox"
    shutil.copyfile(program, busybox)
    busybox.chmod(0o755)
    for applet in _run(str(busybox), "--list", directory=tree).split():
        link = tree / "bin" / applet
        if _APPLET.fullmatch(applet) and not link.is_symlink() and applet != "busybox":
            link.symlink_to("busybox")
    return _content_hash(tree)


def _content_hash(tree: Path) -> str:
    """Hash names, kinds, modes and contents, in an order that no disk decides."""
    digest = hashlib.sha256()
    for path, facts in _entries(tree):
        digest.update(f"{len(path)}:{path} {facts}\n".encode())
    return digest.hexdigest()


def _entries(tree: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(tree.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            facts = f"link to {path.readlink()}"
        elif stat.S_ISDIR(mode):
            facts = f"directory {stat.S_IMODE(mode):o}"
        else:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            facts = f"file {stat.S_IMODE(mode):o} {content}"
        yield str(path.relative_to(tree)), facts
