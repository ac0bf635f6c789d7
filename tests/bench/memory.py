"""How much memory the engine takes for one large file, and for many small ones.

    python -m tests.bench.memory ROOT VERB ARCHIVE     one point of a curve

Each point is a process of its own with a new engine: the most that it ever had in memory
(VmHWM), once it had loaded an image, or built one by COPY, of so many files.  What it takes
in lies in a file, and nobody but the engine ever holds more than a piece of it.

Source: proc(5), VmHWM.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from pyminidock.engine import build, images, loading
from tests.bench.ourimages import NAME, OPTIONS
from tests.bench.ours import Ours
from tests.bench.show import Verdict, write

MIB = 1 << 20
SIZES = tuple((1, mebibytes * MIB) for mebibytes in (1, 10, 100, 400))
COUNTS = tuple((count, 100) for count in (100, 1_000, 10_000, 30_000))
VERBS = ("load", "COPY")
MOST = 1.25  # times the first point, whatever the size of the file
MOST_PER_FILE = 1024  # bytes
_DOCKERFILE = b"FROM busybox\nCOPY data /data\n"


@dataclass(frozen=True, slots=True)
class Point:
    """The most memory of one engine, in KiB."""

    verb: str
    files: int
    size_bytes: int  # of each
    peak_kib: int


def curves(place: Path) -> list[Point]:
    """Measure every point, with data in `place`."""
    found = []
    for files, size_bytes in (*SIZES, *COUNTS):
        tree, image = place / "tree.tar", place / "image.tar"
        _write_tree(tree, files, size_bytes)
        _write_image(image, tree)
        for verb, archive in zip(VERBS, (image, tree), strict=True):
            peak = _ask(place / f"{verb}-{files}-{size_bytes}", verb, archive, files)
            found.append(Point(verb, files, size_bytes, peak))
        tree.unlink()
        image.unlink()
    return found


def _ask(root: Path, verb: str, archive: Path, files: int) -> int:
    words = (sys.executable, "-m", __name__, str(root), verb, str(archive))
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    entries, peak = map(int, ran.stdout.split())
    assert files < entries <= files + 110, (
        files,
        entries,
    )  # with folders, and a Dockerfile
    subprocess.run(("rm", "-rf", str(root)), check=True)
    return peak


def show(points: Iterable[Point]) -> None:
    """Print the curves."""
    found = list(points)
    write(f"\n{'peak memory, MiB':24} {'load':>14} {'COPY':>8}")
    for files, size_bytes in (*SIZES, *COUNTS):
        peaks = {
            each.verb: each.peak_kib / 1024
            for each in found
            if (each.files, each.size_bytes) == (files, size_bytes)
        }
        size = f"{size_bytes // MIB} MiB" if files == 1 else f"{size_bytes} bytes"
        name = f"{files:,} × {size}"
        write(f"{name:24} {peaks['load']:14.1f} {peaks['COPY']:8.1f}")


def verdicts(points: Iterable[Point]) -> list[Verdict]:
    """Say whether the curves are flat."""
    found = []
    for verb in VERBS:
        ours = [each for each in points if each.verb == verb]
        first, last = ours[0].peak_kib, ours[len(SIZES) - 1].peak_kib
        text = f"{verb} of 400 MiB takes {last / first:.2f} times the memory of 1 MiB"
        found.append(Verdict(f"{text} (goal {MOST})", last <= MOST * first))
        few, many = ours[len(SIZES)], ours[-1]
        growth = (many.peak_kib - few.peak_kib) * 1024 / (many.files - few.files)
        text = f"{verb} takes {growth:.0f} bytes for each more file"
        found.append(Verdict(f"{text} (goal {MOST_PER_FILE})", growth <= MOST_PER_FILE))
    return found


# ── What is taken in ─────────────────────────────────────────────────────────────────────


class _Pattern(io.RawIOBase):
    """So many bytes that no file shares, made while they are read."""

    def __init__(self, number: int, size_bytes: int) -> None:
        self._piece, self._left = hashlib.sha512(b"%d" % number).digest() * 256, size_bytes

    def read(self, limit: int = -1) -> bytes:
        size = min(self._left, limit if limit >= 0 else self._left)
        self._left -= size
        return (self._piece * (size // len(self._piece) + 1))[:size]


def _write_tree(path: Path, files: int, size_bytes: int) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        _add(archive, "Dockerfile", io.BytesIO(_DOCKERFILE), len(_DOCKERFILE))
        for number in range(files):
            name = f"data/{number % 100}/{number // 100}"
            _add(archive, name, cast(BinaryIO, _Pattern(number, size_bytes)), size_bytes)


def _write_image(path: Path, layer: Path) -> None:
    with layer.open("rb") as file:
        diff_id = hashlib.file_digest(file, "sha256").hexdigest()
        config = json.dumps({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
        }).encode()  # fmt: skip
        image = {"Config": "config", "RepoTags": [f"{NAME}:latest"], "Layers": ["layer"]}
        manifest = json.dumps([image]).encode()
        file.seek(0)
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
            _add(archive, "layer", file, layer.stat().st_size)
            _add(archive, "config", io.BytesIO(config), len(config))
            _add(archive, "manifest.json", io.BytesIO(manifest), len(manifest))


def _add(archive: tarfile.TarFile, name: str, content: BinaryIO, size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    archive.addfile(entry, content)


# ── One point ────────────────────────────────────────────────────────────────────────────


def main(root: Path, verb: str, archive: Path) -> None:
    """Take the archive in; print how many entries the layer has, and the peak in KiB."""
    with Ours.started(root) as ours, archive.open("rb") as file:
        if verb == "load":
            loading.load(ours.house, file, lambda _: None)
        else:
            building = build.start(ours.house, OPTIONS)
            building.begin(file)
            assert building.run(lambda _: None)
        top = images.find(ours.house, NAME).row.layers[-1]
        layer = ours.house.store.layers.get(top)
        assert layer
        write(f"{layer.files} {_peak_kib()}")


def _peak_kib() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
