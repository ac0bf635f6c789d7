"""What is noted of an archive is what would be there if it were unpacked."""

import io
import sys
import tarfile
from collections.abc import Iterable

import pytest

from pyminidock.build.contents import contents_of
from pyminidock.events import ignore


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
