"""A Python to run in containers, made of the machine's own: a stand-in, and it says so.

An interpreter is one program, the libraries it is linked with, and the standard library.
The program finds the library by where it lies itself, so everything keeps its path:

    usr/bin/python3.13                  the program that runs this
    usr/lib/python3.13/…                its standard library, without tests
    lib/x86_64-linux-gnu/libm.so.6 …    what ldd says that they need, and the loader
    usr/local/bin/python3 → …           the names under which it is called

It lies on top of the BusyBox tree, for a shell and the small tools.

Source: Python documentation, "sys_path_init"; man 1 ldd, man 8 ld.so.
"""

import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

from pyminidock.layers.archive import Entry, Kind
from pyminidock.layers.machine import run
from pyminidock.layers.tarwriter import Writer

_NEEDED = re.compile(r"^\t(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_LEFT_OUT = {
    "__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip",
    "site-packages", "dist-packages", "lib2to3",
}  # fmt: skip
_NAMES = ("python", "python3")


def pack(archive: Writer) -> None:
    """Write the interpreter and all it needs as one layer.  Raises ProgramFailed."""
    found = dict(_files())
    directories: set[str] = set()
    for place in [*found, *(f"usr/local/bin/{name}" for name in _NAMES)]:
        above = place.split("/")[:-1]
        directories.update("/".join(above[: depth + 1]) for depth in range(len(above)))
    entries = [Entry(name.encode(), Kind.DIRECTORY, 0o755) for name in directories]
    program = str(interpreter())
    for name in _NAMES:
        place = f"usr/local/bin/{name}"
        if place not in found:
            entries.append(
                Entry(place.encode(), Kind.SYMLINK, 0o777, link=program.encode())
            )
    entries += [_entry(place, source) for place, source in found.items()]
    for entry in sorted(entries, key=lambda each: each.name):
        if entry.kind is Kind.FILE:
            with found[entry.name.decode()].open("rb") as content:
                archive.add(entry, content)
        else:
            archive.add(entry)
    archive.close()


def interpreter() -> Path:
    """Give the real program behind this one, not the link of a virtual environment."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def version() -> str:
    """Give the version, as images of Python are tagged: "3.13"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _entry(place: str, source: Path) -> Entry:
    facts = source.stat()
    mode = 0o755 if S_IMODE(facts.st_mode) & 0o100 else 0o644
    return Entry(
        place.encode(), Kind.FILE, mode, size=facts.st_size, mtime=int(facts.st_mtime)
    )


def _files() -> Iterator[tuple[str, Path]]:
    """Give each file: its path in the image, without the slash, and on the host."""
    program = interpreter()
    modules = list(_library())
    yield str(program)[1:], program
    yield from ((str(path)[1:], path) for path in modules)
    linked = [str(program), *(str(path) for path in modules if path.suffix == ".so")]
    for name in sorted(set(_NEEDED.findall(run("ldd", *linked)))):
        yield name[1:], Path(name).resolve()


def _library() -> Iterator[Path]:
    """Give the files of the standard library."""
    top = sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix})
    for place, inner, names in os.walk(Path(top).resolve()):
        inner[:] = sorted(
            name for name in inner
            if name not in _LEFT_OUT and not name.startswith("config-")
        )  # fmt: skip
        for name in sorted(names):
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                yield path
