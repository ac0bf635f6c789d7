"""What programs ask of a union filesystem, as work that can be timed anywhere.

A tree for all of it is written once, as layers; the file of most questions lies in the
lowest, so that every layer is asked.

    /d/file   two names to look up             /many    10,000 names
    /lib      ten packages of Python           /tree    5,000 small files
    /big      64 MB
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

PACKAGES = ("asyncio", "collections", "concurrent", "ctypes", "email", "http", "json",
            "logging", "unittest", "xml")  # fmt: skip
BIG_BYTES = 64 << 20
MANY, TREE = 10_000, 5_000
_BATCH = 200  # calls between two looks at the clock
_FOR_S = 0.3


def furnish(layers: list[Path], *, is_whole: bool) -> None:
    """Write the layers, topmost first: directories in all, files in the lowest."""
    for layer in layers:
        (layer / "d").mkdir(parents=True)
    base = layers[-1]
    (base / "d" / "file").write_bytes(b"content\n" * 100)
    if not is_whole:
        return
    (base / "big").write_bytes(os.urandom(1 << 20) * (BIG_BYTES >> 20))
    library = Path(sysconfig.get_paths()["stdlib"])
    for package in PACKAGES:
        shutil.copytree(library / package, base / "lib" / package)
    (base / "many").mkdir()
    for number in range(MANY):
        (base / "many" / f"name-{number}").touch()
    for number in range(TREE):
        folder = base / "tree" / f"{number // 100:02}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file-{number}").write_bytes(b"x" * 1000)


def _rate(call: Callable[[], object]) -> float:
    """Give how many calls a second are answered, one after the other."""
    calls, began = 0, perf_counter()
    while (taken := perf_counter() - began) < _FOR_S:
        for _ in range(_BATCH):
            call()
        calls += _BATCH
    return calls / taken


def stats(root: Path) -> float:
    """Ask for the status of a file: calls a second."""
    path = str(root / "d" / "file")
    return _rate(lambda: os.stat(path))  # noqa: PTH116  (the call, not an object)


def absent_stats(root: Path) -> float:
    """Ask for a name that no layer has: calls a second."""
    path = str(root / "d" / "absent")
    return _rate(lambda: os.path.lexists(path))


def opens(root: Path) -> float:
    """Open a file, read it, close it: times a second."""
    path = str(root / "d" / "file")

    def once() -> None:
        handle = os.open(path, os.O_RDONLY)
        os.read(handle, 1000)
        os.close(handle)

    return _rate(once)


def readdir(root: Path) -> float:
    """List 10,000 names: listings a second."""
    began = perf_counter()
    assert len(os.listdir(root / "many")) == MANY  # noqa: PTH208  (as above)
    return 1 / (perf_counter() - began)


def read(root: Path) -> float:
    """Read 64 MB that nobody has read through this mount: MB a second."""
    handle = os.open(root / "big", os.O_RDONLY)
    began = perf_counter()
    while os.read(handle, 1 << 20):
        pass
    taken = perf_counter() - began
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)  # so that the next asks again
    os.close(handle)
    return BIG_BYTES / 1e6 / taken


def copy_up(root: Path) -> float:
    """Append a byte to 64 MB, which copies them up: times a second, once for a mount."""
    began = perf_counter()
    with (root / "big").open("ab") as file:
        file.write(b"x")
    return 1 / (perf_counter() - began)


def imports(root: Path) -> float:
    """Let a Python import ten packages: times a second."""
    words = f"import sys; sys.path.insert(0, {str(root / 'lib')!r}); import "
    begun = perf_counter()
    subprocess.run(
        [sys.executable, "-I", "-B", "-c", words + ", ".join(PACKAGES)], check=True
    )
    return 1 / (perf_counter() - begun)


def tar(root: Path) -> float:
    """Pack 5,000 files: times a second."""
    begun = perf_counter()
    with subprocess.Popen(["tar", "-cf", "-", "-C", root, "tree"], stdout=-1) as packing:
        assert packing.stdout is not None
        while packing.stdout.read(1 << 20):
            pass
    assert packing.returncode == 0
    return 1 / (perf_counter() - begun)
