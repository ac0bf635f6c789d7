"""Files go in and out of a container that does all it can to lead them elsewhere.

A program swaps directories of the path for links that lead out, a hundred thousand times,
while a thousand archives go each way.  Whatever is read was written inside, and what is
written stays inside; an error is an answer, too.
"""

import bz2
import gzip
import io
import lzma
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compat.archives import DIR, LINK, Wish, tar
from tests.compat.sides import Side
from tests.minidock_cli import Minidock

COPIES = 1000
SWAPS = 100_000
MARK = "of the host"

# Each turn is two renames: where `d` was a directory it is a link, and the other way.
SWAPPER = """
import os, shutil, sys
home, outside, least = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.chdir(home)

def lay_out():
    for name in ("d", "away", "link", "climb"):
        if os.path.islink(name):
            os.unlink(name)
        else:
            shutil.rmtree(name, ignore_errors=True)
    os.symlink(outside, "link")
    os.symlink("../" * 12 + outside.lstrip("/"), "climb")
    os.mkdir("d")
    with open("d/f", "w") as file:
        file.write("inside")

lay_out()
open("swapping", "w").close()
turn = 0
while turn < least or turn % 100 or not os.path.exists("stop"):
    name = ("climb", "link")[turn % 2]
    turn += 1
    try:
        os.rename("d", "away")
        os.rename(name, "d")
        os.rename("d", name)
        os.rename("away", "d")
    except OSError:  # a copy came in between
        try:
            lay_out()
        except OSError:
            continue
"""


@dataclass(frozen=True, slots=True)
class Outside:
    """A directory of the host with files that nobody may read or change."""

    place: Path

    def is_untouched(self) -> bool:
        """Whether it holds what it held, and no more."""
        return {each.name: each.read_text("ascii") for each in self.place.iterdir()} == {
            "f": MARK
        }


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    place = tmp_path / "outside"
    place.mkdir()
    (place / "f").write_text(MARK, encoding="ascii")
    return Outside(place)


@pytest.fixture
def side(minidock: Minidock) -> Iterator[Side]:
    """Our engine, with a container that sleeps."""
    found = Side("ours", minidock.host)
    found.remove("swap")
    made = found.ask("POST", "/containers/create?name=swap", {
        "Image": minidock.image, "Cmd": ["sleep", "100000"],
        "HostConfig": {"NetworkMode": "none"},
    })  # fmt: skip
    assert made.status == 201, made
    assert found.ask("POST", "/containers/swap/start").status == 204
    yield found
    found.remove("swap")


def root_of(side: Side) -> Path:
    pid = side.ask("GET", "/containers/swap/json").json["State"]["Pid"]
    return Path(f"/proc/{pid}/root")


def swapping(side: Side, outside: Outside) -> subprocess.Popen[bytes]:
    """Swap from without, by the container's own root: quicker than anything inside."""
    home = root_of(side) / "home"
    swapper = subprocess.Popen(
        ["python3", "-c", SWAPPER, str(home), str(outside.place), str(SWAPS)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not (home / "swapping").exists():
        assert swapper.poll() is None, swapper.communicate()
    return swapper


def end(side: Side, swapper: subprocess.Popen[bytes]) -> None:
    """Let it come to its end, all its turns done; nothing has disturbed it."""
    (root_of(side) / "home/stop").touch()
    _, errors = swapper.communicate(timeout=600)
    assert swapper.returncode == 0, errors


def test_nothing_of_the_host_is_read_while_the_path_is_swapped(
    side: Side, outside: Outside
) -> None:
    """H-48, out of the container."""
    swapper = swapping(side, outside)
    inside = refused = 0
    for turn in range(COPIES):
        path = ("/home/d/f", "/home/d", "/home/d/.", "/home")[turn % 4]
        answer = side.ask("GET", f"/containers/swap/archive?path={path}")
        assert MARK.encode() not in answer.body
        if answer.status == 200:
            names_of(answer.body)  # a whole archive, whatever moved
            inside += 1
        else:
            assert answer.status in (404, 500), answer
            refused += 1
    end(side, swapper)
    assert inside, "nothing was ever read"
    assert outside.is_untouched()


def names_of(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getnames()


def test_nothing_of_the_host_is_written_while_the_path_is_swapped(
    side: Side, outside: Outside
) -> None:
    """H-48, into the container."""
    swapper = swapping(side, outside)
    done = 0
    for turn in range(COPIES):
        path, archive = (
            ("/home/d", tar(Wish("f", said="new"), Wish(f"n{turn % 7}/x"))),
            ("/home", tar(Wish("d/f", said="new"), Wish("d/more/y"))),
            ("/home/d", tar(Wish("l", LINK, "f"), Wish("f"))),
            ("/", tar(Wish("home/d/f", said="new"))),
        )[turn % 4]
        answer = side.ask("PUT", f"/containers/swap/archive?path={path}", archive)
        assert answer.status in (200, 404, 500), answer
        done += answer.status == 200
    end(side, swapper)
    assert done, "nothing was ever written"
    assert outside.is_untouched()


def test_nothing_of_the_host_is_removed_while_the_path_is_swapped(
    side: Side, outside: Outside
) -> None:
    """A file replaces a directory, and what was in that goes, wherever it is by then."""
    swapper = swapping(side, outside)
    deep = tar(Wish("over/a/b/c"), Wish("over/a/d"))
    for _ in range(COPIES // 4):
        side.ask("PUT", "/containers/swap/archive?path=/home/d", deep)
        side.ask("PUT", "/containers/swap/archive?path=/home/d", tar(Wish("over")))
    end(side, swapper)
    assert outside.is_untouched()


def test_an_export_of_a_tree_that_is_moved_about_is_a_whole_archive(
    side: Side, outside: Outside
) -> None:
    swapper = swapping(side, outside)
    for _ in range(20):
        answer = side.ask("GET", "/containers/swap/export")
        assert MARK.encode() not in answer.body
        assert "home/swapping" in names_of(answer.body)
    end(side, swapper)
    assert outside.is_untouched()


def test_a_program_that_has_changed_its_own_root_changes_nothing(side: Side) -> None:
    """The tree is that of the container, not what a process says its root is."""
    side.docker(
        "exec", "swap", "sh", "-c", "mkdir -p /jail/etc; echo no > /jail/etc/passwd"
    )
    side.docker("exec", "-d", "swap", "chroot", "/jail", "/nothing")
    answer = side.ask("GET", "/containers/swap/archive?path=/etc/passwd")
    assert b"root:" in answer.body


def test_a_copy_through_links_of_proc_reads_nothing(side: Side) -> None:
    side.docker(
        "exec", "swap", "sh", "-c", "ln -s /proc/1/root /out; ln -s /proc/self/fd /fds"
    )
    for path in ("/out/etc/passwd", "/fds/0", "/out/", "/fds/"):
        answer = side.ask("GET", f"/containers/swap/archive?path={path}")
        assert answer.status == 404, (path, answer)


@pytest.mark.parametrize("way", ["to the container", "from the container"])
def test_copies_leave_neither_handles_nor_mounts_behind(
    side: Side, minidock: Minidock, way: str
) -> None:
    pid = daemon_of(minidock)
    archive = tar(Wish("a/b/c"))

    def once() -> None:
        if way == "to the container":
            side.ask("PUT", "/containers/swap/archive?path=/home", archive)
        else:
            side.ask("GET", "/containers/swap/archive?path=/etc")
            side.ask("GET", "/containers/swap/archive?path=/none")

    once()
    before = handles(pid)
    for _ in range(50):
        once()
    assert handles(pid) <= before + 2  # a connection more or less


def handles(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def daemon_of(minidock: Minidock) -> int:
    """Find the engine by the socket that it holds."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended while we looked
            words = (process / "cmdline").read_bytes()
            if b"api.daemon" in words and str(minidock.root).encode() in words:
                return int(process.name)
    raise AssertionError("no engine")


def test_programs_of_the_container_are_not_asked_for_anything(
    side: Side, minidock: Minidock, tmp_path: Path
) -> None:
    """H-36: unpacking is done in the engine, and nobody's name is looked up."""
    marker = tmp_path / "was-run"
    trojan = f"#!/bin/sh\ntouch {marker}\n"
    names = ("xz", "unxz", "unpigz", "gzip", "bzip2", "zstd", "tar", "getent", "sh", "ps")
    fakes = tar(*(Wish(name, said=trojan, mode=0o755) for name in names))
    assert put(side, "/bin", fakes) == 200
    library = tar(
        Wish("lib/libnss_evil.so.2", said="no library", mode=0o755),
        Wish("etc/nsswitch.conf", said="passwd: evil\ngroup: evil\n"),
    )
    assert put(side, "/", library) == 200
    for packed in (gzip.compress(fakes), bz2.compress(fakes), lzma.compress(fakes)):
        assert put(side, "/home", packed, "&copyUIDGID=1") == 200
    for path in ("/home", "/bin/xz", "/etc/nsswitch.conf"):
        assert side.ask("GET", f"/containers/swap/archive?path={path}").status == 200
    assert side.ask("GET", "/containers/swap/top").status == 200
    assert not marker.exists()


def put(side: Side, path: str, archive: bytes, query: str = "") -> int:
    return side.ask("PUT", f"/containers/swap/archive?path={path}{query}", archive).status


@pytest.mark.parametrize(
    ("place", "wish", "status"),
    [
        pytest.param("/proc", Wish("version"), 200, id="T-66 below /proc"),
        pytest.param("/proc/sys/kernel", Wish("core_pattern"), 404, id="T-66 in /proc"),
        pytest.param("/dev", Wish("null"), 200, id="T-66 below /dev"),
        pytest.param("/etc", Wish("hosts"), 500, id="T-66 a file of the engine"),
        pytest.param("/home/up", Wish("f"), 404, id="T-66 a link that leads out"),
        pytest.param("/home", Wish("up/f"), 404, id="T-66 below a link that leads out"),
        pytest.param("/home", Wish("dir"), 500, id="T-66 a file for a directory"),
        pytest.param("/home", Wish("file", DIR), 500, id="T-66 a directory for a file"),
    ],
)
def test_what_is_uploaded_stays_inside(
    side: Side, outside: Outside, place: str, wish: Wish, status: int
) -> None:
    before = Path("/proc/sys/kernel/core_pattern").read_text("ascii")
    home = root_of(side) / "home"
    (home / "up").symlink_to("../" * 12 + str(outside.place).lstrip("/"))
    (home / "dir").mkdir()
    (home / "file").touch()
    kinds = "&noOverwriteDirNonDir=true" if place == "/home" else ""
    assert put(side, place, tar(wish), kinds) == status
    assert outside.is_untouched()
    assert Path("/proc/sys/kernel/core_pattern").read_text("ascii") == before
    assert Path("/dev/null").is_char_device()
