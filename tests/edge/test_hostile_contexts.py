"""Hostile archives at a build's two doors: the context, and what ADD unpacks.

T-18, T-64 and T-65 of the hardening contract.  Links in them lead to a directory outside
that holds a Dockerfile, an ignore file and an archive; none of it may be read, changed or
removed, and nothing may hang.
"""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.errors import MinidockError
from pyminidock.layers.archive import ArchiveRefused
from tests.builder import Context, File, Kitchen, kitchen
from tests.layers.hostile.blocks import END, block
from tests.layers.hostile.cases import INSIDE, OUT, d, dev, f, hard, ln, opq, wh
from tests.layers.hostile.trial import facts, outside

__all__ = ["outside"]

pytestmark = [pytest.mark.edge, pytest.mark.usefixtures("outside")]

FIFO = File(kind=tarfile.FIFOTYPE)
NULL = File(kind=tarfile.CHRTYPE)
TEXT = b"FROM scratch\nCOPY a /a\n"


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    with kitchen(tmp_path_factory.mktemp("kitchen") / "root", "busybox") as cook:
        yield cook
        assert cook.remains() == []


def names(cook: Kitchen, image: str = "app") -> dict[str, str]:
    """Say of each name in an image what it is, and where it leads."""
    return {
        name: f"{each.kind} {each.link}".strip() for name, each in cook.files(image).items()
    }


# ── The context ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "dockerfile",
    [
        pytest.param(File(link=os.fsdecode(OUT) + "/file"), id="T-64 link"),
        pytest.param(File(link="../../../../../../../etc/shadow"), id="T-64 climbing link"),
        pytest.param(File(link="Dockerfile"), id="T-64 link to itself"),
        pytest.param(FIFO, id="T-64 fifo"),
        pytest.param(File(kind=tarfile.BLKTYPE), id="T-64 device"),
        pytest.param(None, id="T-64 directory"),
        pytest.param(File(b"FROM scratch\n# " + b"x" * (1 << 20)), id="T-64 huge"),
    ],
)
def test_a_dockerfile_is_a_small_file_of_the_context_or_none(
    cook: Kitchen, dockerfile: File | None
) -> None:
    context: Context = {"Dockerfile": dockerfile, "a": "a"}
    with pytest.raises(MinidockError, match="failed to read dockerfile: Dockerfile"):
        cook.build(context)


def test_a_dockerfile_that_is_a_link_is_read_where_it_leads_inside(cook: Kitchen) -> None:
    """T-64: /etc/shadow of the context, not of this machine."""
    context: Context = {
        "Dockerfile": File(link="/etc/shadow"), "etc/shadow": TEXT.decode(), "a": "a",
    }  # fmt: skip
    cook.build(context)
    assert names(cook) == {"a": "file"}


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(File(link=os.fsdecode(OUT) + "/file"), id="T-64 link"),
        pytest.param(FIFO, id="T-64 fifo"),
        pytest.param(None, id="T-64 directory"),
        pytest.param(File(b"a\n" * (1 << 20)), id="T-64 huge"),
    ],
)
def test_an_ignore_file_that_is_none_is_never_opened(
    cook: Kitchen, rules: File | None
) -> None:
    """The client has applied it; here it may only hide the Dockerfile and itself."""
    cook.build({"Dockerfile": TEXT, ".dockerignore": rules, "a": "a"})
    assert names(cook) == {"a": "file"}


def test_what_the_ignore_file_names_is_dropped_inside_and_nowhere_else(
    cook: Kitchen, outside: Path
) -> None:
    """T-64: the way to the Dockerfile leads through a link that leads out."""
    context = (
        ln(b"l", OUT) + f(b"l/file", TEXT) + f(b".dockerignore", b"l/file") + f(b"a") + END
    )
    built = cook.build(context, dockerfile="l/file")
    assert built.image
    assert (outside / "file").read_text() == "precious"


@pytest.mark.parametrize("to", [b"/", b"../../../../../../..", OUT])
def test_a_link_of_the_context_leads_copy_nowhere_outside(cook: Kitchen, to: bytes) -> None:
    """T-64: neither as a source nor on the way to one."""
    for line in ("COPY l/file /", "COPY l/etc/passwd /", "COPY l/tmp /"):
        dockerfile = f(b"Dockerfile", b"FROM scratch\n" + line.encode())
        built = cook.build(ln(b"l", to) + dockerfile + END)
        assert built.failure
        assert "file not found in build context" in built.failure.message


@pytest.mark.parametrize(
    ("tail", "problem"),
    [
        pytest.param(block(b"x" * 900, name=b"a")[:1000], "unexpected EOF", id="body"),
        pytest.param(block(b"x" * 900, name=b"a")[:512], "unexpected EOF", id="no body"),
        pytest.param(block(name=b"a", prefix=b"b")[:400], "unexpected EOF", id="header"),
        pytest.param(bytes(512) + f(b"a"), "one zero block", id="zero block"),
        pytest.param(f(b"a", checksum=b"000000\0 "), "checksum", id="checksum"),
    ],
)
def test_a_context_that_is_cut_or_damaged_is_refused(
    cook: Kitchen, tail: bytes, problem: str
) -> None:
    """T-64, T-44: what is missing of a file is not made up."""
    with pytest.raises(ArchiveRefused, match=problem):
        cook.build(f(b"Dockerfile", TEXT) + tail)


@pytest.mark.parametrize("padding", [0, 1, 489, 1513, 2000])
def test_docker_s_client_leaves_out_the_end_and_is_understood(
    cook: Kitchen, padding: int
) -> None:
    """T-64: a Dockerfile from elsewhere is sent last, without padding or an end."""
    context = f(b"a") + f(b"Dockerfile", TEXT)
    cook.build(context.rstrip(b"\0") + bytes(padding))
    assert names(cook) == {"a": "file"}


# ── ADD ──────────────────────────────────────────────────────────────────────────────────


def add(cook: Kitchen, archive: bytes, before: str = "") -> str:
    """Build an image of one unpacked archive; give the failure's words."""
    text = f"FROM scratch\n{before}ADD a.tar /to/\n"
    built = cook.build({"Dockerfile": text, "a.tar": archive, "old": "old"})
    return built.failure.message if built.failure else ""


def test_a_whiteout_in_an_archive_that_add_unpacks_is_a_file(cook: Kitchen) -> None:
    """T-65: it deletes nothing of what is there, and is refused as a name of a layer."""
    before = "COPY old /to/old\n"
    assert ".wh." in add(cook, wh(b"old") + f(b"new") + END, before)
    assert ".wh." in add(cook, f(b"new") + opq(b"d") + END, before)
    assert ".wh." in add(cook, wh(b"", b"5") + END, before)


@pytest.mark.parametrize(
    ("archive", "found"),
    [
        pytest.param(
            ln(b"l", b"..") + f(b"l/f"), {"to/l": "link ..", "to/f": "file"}, id="T-65 up"
        ),
        pytest.param(
            ln(b"l", b"../../..") + f(b"l/f"),
            {"to/l": "link ../../..", "to/f": "file"}, id="T-65 far up",
        ),
        pytest.param(
            ln(b"l", OUT) + f(b"l/file"),
            {"to/l": f"link {os.fsdecode(OUT)}", f"to/{INSIDE}/file": "file"},
            id="T-65 out",
        ),
        pytest.param(
            ln(b"l", OUT + b"/file") + hard(b"h", b"l"),
            dict.fromkeys(("to/l", "to/h"), f"link {os.fsdecode(OUT)}/file"),
            id="T-65 hard link",
        ),
        pytest.param(f(b"/etc/x"), {"to/etc/x": "file"}, id="T-65 absolute"),
    ],
)  # fmt: skip
def test_links_in_an_archive_that_add_unpacks_stay_inside(
    cook: Kitchen, archive: bytes, found: dict[str, str]
) -> None:
    assert add(cook, archive + END) == ""
    got = {name: kind for name, kind in names(cook).items() if kind != "directory"}
    assert got == found


@pytest.mark.parametrize(
    ("archive", "problem"),
    [
        pytest.param(f(b"a") + f(b"../../x"), "climbs above the root", id="T-65 climbs"),
        pytest.param(f(b"a") + hard(b"h", b"../../etc/shadow"), "climbs", id="T-65 hard"),
        pytest.param(f(b"a") + dev(b"c", 0, 0), "device 0:0", id="T-65 device"),
        pytest.param(f(b"a") + f(b"b")[:600], "unexpected EOF", id="T-65 cut"),
        pytest.param(f(b"a") + f(b"b", checksum=b"000000\0 "), "checksum", id="T-65 sum"),
    ],
)
def test_an_archive_that_add_cannot_unpack_fails_the_step(
    cook: Kitchen, archive: bytes, problem: str
) -> None:
    assert problem in add(cook, archive + (b"" if "EOF" in problem else END))


def test_a_destination_that_is_a_link_of_the_image_is_followed_inside(
    cook: Kitchen, outside: Path
) -> None:
    """T-65: the image below says where, and its root is the image's."""
    out = os.fsdecode(OUT)
    text = "FROM scratch\nADD one.tar /\nADD two.tar /to\nCOPY x /to/x\n"
    one = ln(b"to", OUT) + END
    two = f(b"file", b"new") + d(b"dir", b"0000700\0") + f(b"dir/f", b"new") + END
    cook.build({"Dockerfile": text, "one.tar": one, "two.tar": two, "x": "x"})
    found = names(cook)
    assert found["to"] == f"link {out}"
    assert {f"{INSIDE}/file", f"{INSIDE}/dir/f", f"{INSIDE}/x"} < set(found)
    assert (outside / "file").read_text() == "precious"


@pytest.mark.parametrize(
    ("place", "found"),
    [
        pytest.param("/proc/sys/kernel/core_pattern", "proc/sys/kernel/core_pattern",
                     id="T-66 proc"),
        pytest.param("/dev/null", "dev/null", id="T-66 dev"),
        pytest.param("/l/file", f"{INSIDE}/file", id="T-66 link to outside"),
        pytest.param("/file", "file", id="T-66 file"),
        pytest.param("/dir", "dir/a", id="T-66 directory"),
        pytest.param("/dir/", "dir/a", id="T-66 into a directory"),
        pytest.param("/file/a", "", id="T-66 below a file"),
    ],
)  # fmt: skip
def test_a_copy_lands_inside_whatever_the_image_has_there(
    cook: Kitchen, outside: Path, place: str, found: str
) -> None:
    """T-66: the half of builds; `cp` has the other."""
    text = f"FROM scratch\nADD base.tar /\nCOPY a {place}\n"
    base = ln(b"l", OUT) + f(b"file", b"old") + d(b"dir") + END
    built = cook.build({"Dockerfile": text, "base.tar": base, "a": "new"})
    if not found:
        assert built.failure
        assert "file" in built.failure.message
        return
    assert built.failure is None, built.failure
    assert cook.files("app")[found].size == 3
    assert (outside / "file").read_text() == "precious"


def test_a_directory_does_not_take_the_place_of_a_file_nor_of_a_link(cook: Kitchen) -> None:
    """T-66: Docker's words."""
    base = ln(b"l", OUT + b"/file") + f(b"file", b"old") + END
    for place in ("/file", "/l"):
        text = f"FROM scratch\nADD base.tar /\nCOPY d {place}\n"
        built = cook.build({"Dockerfile": text, "base.tar": base, "d": None, "d/x": "x"})
        if place == "/file":
            assert built.failure
            assert "mkdir /file: not a directory" in built.failure.message
        else:
            assert built.failure is None
            assert f"{INSIDE}/file/x" in cook.files("app")


@pytest.mark.parametrize("name", ["../../../evil", "/evil", "..", ".", "d/evil", "l/file"])
@pytest.mark.parametrize("place", ["/", "/dir/", "/l/"])
def test_the_name_of_a_here_document_leads_nowhere_outside(
    cook: Kitchen, outside: Path, place: str, name: str
) -> None:
    """T-66: it is a name in the directory, whatever it looks like."""
    before = facts(cook.house.root / "containers"), sorted(outside.rglob("*"))
    text = f"FROM scratch\nADD base.tar /\nCOPY <<{name} {place}\nhello\n{name}\n"
    built = cook.build({"Dockerfile": text, "base.tar": ln(b"l", OUT) + END})
    if built.failure is None:
        added = [path for path, each in cook.files("app").items() if each.size == 6]
        assert [path.rpartition("/")[2] for path in added] == ["evil"]
    assert (facts(cook.house.root / "containers"), sorted(outside.rglob("*"))) == before
    assert (outside / "file").read_text() == "precious"


# ── COPY --from ──────────────────────────────────────────────────────────────────────────


def test_a_fifo_of_a_stage_is_copied_and_never_read(cook: Kitchen) -> None:
    """T-18: reading it would wait for a writer for ever."""
    text = (
        "FROM scratch AS one\nADD a.tar /\n"
        "FROM scratch\nCOPY --from=one / /all\nCOPY --from=one /p /alone\n"
    )
    archive = block(name=b"p", flag=b"6") + dev(b"zero", 1, 5) + END
    built = cook.build({"Dockerfile": text, "a.tar": archive})
    assert built.failure is None, built.failure
    assert names(cook) == {
        "all": "directory", "all/p": "other", "all/zero": "other", "alone": "other",
    }  # fmt: skip


def test_the_archive_of_a_context_is_read_to_its_end(cook: Kitchen) -> None:
    """T-64, T-45: what lies behind the end is no entry, and is not waited for."""
    context = f(b"Dockerfile", TEXT) + f(b"a") + END + f(b"a", b"other") + b"junk"
    cook.build(context)
    assert names(cook) == {"a": "file"}
