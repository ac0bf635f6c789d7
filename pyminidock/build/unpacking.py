"""ADD of an archive: what is in it comes, whatever its name says and whatever packs it.

    a.tgz ─► decompressed ─► strict reader ─► a directory of its own ─► the new layer

Names like .wh.x mean nothing here: they are files.  Directories that the archive does not
name itself only lead to others, and there the links of the image count.

Source: measured on Docker Engine 26.1; hardening C.7, T-65.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pyminidock.events import Emit
from pyminidock.layers.apply import ROOT, apply
from pyminidock.layers.archive import ArchiveRefused, Entry, Kind, read_entries
from pyminidock.layers.compression import decompressed
from pyminidock.layers.merged import Merged


def is_archive(tree: Merged, path: str) -> bool:
    """Say whether a file is a tar archive, packed or not; its name says nothing."""
    try:
        with tree.open("/" + path) as file:
            return next(read_entries(decompressed(file)), None) is not None
    except (ArchiveRefused, OSError):
        return False


def unpack(tree: Merged, path: str, place: Path, *, emit: Emit) -> frozenset[bytes]:
    """Unpack an archive into the new directory `place` (host, ours).

    Gives the directories that it names.  Raises ArchiveRefused.
    """
    place.mkdir(0o700)
    explicit: set[bytes] = set()
    with tree.open("/" + path) as file:
        entries = read_entries(decompressed(file, emit=emit), emit=emit)
        policy = replace(ROOT, has_whiteouts=False)
        apply(_noting(entries, explicit), place, emit=emit, policy=policy)
    return frozenset(explicit)


def _noting(entries: Iterable[Entry], explicit: set[bytes]) -> Iterable[Entry]:
    """Pass entries on, and note which directories the archive itself names."""
    for entry in entries:
        if entry.kind is Kind.DIRECTORY:
            explicit.add(entry.name)
        yield entry
