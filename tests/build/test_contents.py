"""What is noted of an archive is what would be there if it were unpacked."""

import io
import sys
import tarfile
from collections.abc import Iterable
from dataclasses import replace

import pytest

from pyminidock.build import contents
from pyminidock.build.contents import contents_of
from pyminidock.events import ignore
from pyminidock.layers.archive import Entry, read_entries


def archive_of(names: Iterable[str]) -> io.BytesIO:
    """Make an archive of these names; one with a "/" at its end is a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in names:
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(entry)
    out.seek(0)
    return out


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (["d/", "d/x", "d/e/", "d/e/y", "dd", "d"], {"d", "dd"}),
        (["d/e/y", "d/z", "d/e"], {"d/e", "d/z"}),  # nobody sent the directory itself
        (["d/e/y", "other", "d"], {"d", "other"}),
        (["d/x", "d", "d/", "d/y", "d"], {"d"}),
        (["d/x", "d", "d/", "d/y"], {"d", "d/y"}),
        (["a/x", "b/y", "a", "b/e/z", "b"], {"a", "b"}),
        (["d/x", "d/", "d/y"], {"d", "d/x", "d/y"}),
    ],
)
def test_what_replaces_a_directory_takes_what_was_in_it(
    names: list[str], left: set[str]
) -> None:
    assert set(contents_of(archive_of(names), io.BytesIO, ignore).seen) == left


def calls(directories: int) -> int:
    """Count the calls, in Python and in C, of noting so many directories replaced."""
    archive = archive_of(
        [
            *(name for n in range(directories) for name in (f"d{n}/", f"d{n}/x")),
            *(f"d{n}" for n in range(directories)),
        ]
    )
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event.endswith("call")

    sys.setprofile(count)
    try:
        contents_of(archive, io.BytesIO, ignore)
    finally:
        sys.setprofile(None)
    return counted


def test_twice_as_many_replaced_directories_are_twice_the_work() -> None:
    assert calls(400) < 2.2 * calls(200)


def kept(owner: int, body_bytes: int) -> io.BytesIO:
    """Make an archive with each kind of header that a context can have."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for number, name in enumerate(("a", "b/", "b/c", "long" * 60, "d", "e", "é")):
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.uid, entry.mtime, entry.mode = owner, number + 0.5, 0o640
            if name.endswith("/"):
                entry.type = tarfile.DIRTYPE
            elif name == "d":
                entry.type, entry.linkname = tarfile.SYMTYPE, "b/c"
            elif name == "e":
                entry.type, entry.linkname = tarfile.LNKTYPE, "a"
            else:
                entry.size = body_bytes
            body = bytes([number]) * entry.size
            archive.addfile(entry, io.BytesIO(body) if body else None)
    out.seek(0)
    return out


def read_whole(entry: Entry) -> tuple[Entry, bytes]:
    """Give an entry, and its bytes in pieces of three."""
    pieces = iter(lambda: entry.body.read(3), b"")
    return entry, b"".join(pieces)


@pytest.mark.parametrize("owner", [0, 1000])
@pytest.mark.parametrize("body_bytes", [0, 5, contents.SMALL_BYTES])
@pytest.mark.parametrize("many", [contents.MANY, 3])
def test_what_was_in_an_archive_can_be_had_once_more_as_roots(
    monkeypatch: pytest.MonkeyPatch, owner: int, body_bytes: int, many: int
) -> None:
    monkeypatch.setattr(contents, "MANY", many)
    contents._of_small.cache_clear()
    archive = kept(owner, body_bytes)
    found = contents_of(archive, io.BytesIO, ignore)
    archive.seek(0)
    expected = [
        (replace(entry, uid=0, gid=0), data)
        for entry, data in map(read_whole, read_entries(archive))
    ]
    assert [*map(read_whole, found.entries())] == expected
    assert len(found.headers) == (7 if many > 7 else 0)
