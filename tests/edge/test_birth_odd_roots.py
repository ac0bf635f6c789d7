"""Roots made to harm whoever starts them: links, files and names in the engine's way.

H-08, H-14, H-17, H-18 and H-36 of the hardening contract, each on the real kernel.
"""

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyminidock.container.faults import RequestRefused
from pyminidock.container.refusals import start_refusal
from pyminidock.errors import MinidockError
from pyminidock.grammar.tmpfs import TmpfsRefused
from pyminidock.kernel import calls
from pyminidock.kernel.linux.mountinfo import read_mountinfo
from pyminidock.kernel.port import CallFailed
from tests.edge.cell import Cell, cell_at

pytestmark = pytest.mark.edge

ENGINE_FILES = ("resolv.conf", "hostname", "hosts")


# ── H-08: the engine's files lie inside, wherever a link leads ───────────────────────────


@pytest.fixture
def host_file(tmp_path: Path) -> Path:
    """Give a file of the host that an image would like to have overwritten."""
    path = tmp_path / "file-of-the-host"
    path.write_text("of the host\n")
    return path


@pytest.mark.parametrize("name", ENGINE_FILES)
@pytest.mark.parametrize(
    "spelling",
    ["/proc/1/root{}", "/proc/self/root{}", "{}", "dangling", "../../../../../../..{}",
     "/etc/{name}", "/proc/self/fd/0", "/dev/null"],
)  # fmt: skip
def test_a_link_where_an_engine_file_goes_leads_nowhere_on_the_host(
    cell: Cell, host_file: Path, name: str, spelling: str
) -> None:
    """H-08: it starts, the host's file stays, and the content shows at the link's place."""
    link = spelling.format(host_file, name=name)
    (cell.root / "etc" / name).symlink_to(link)
    place = f"/etc/{name}"
    ran = cell.run("sh", "-c", f"cat {place}; echo mine > {place}; cat {place}")
    assert ran.lines == [f"{name} of the engine", "mine"], ran
    assert host_file.read_text() == "of the host\n"
    assert (cell.root / "etc" / name).readlink() == Path(link)


@pytest.mark.parametrize(
    "spelling", ["/proc/1/root{}", "{}", "elsewhere", "/elsewhere/../elsewhere", "a/b/c"]
)
def test_a_directory_that_is_a_link_leads_nowhere_on_the_host_either(
    cell: Cell, spelling: str
) -> None:
    """H-08: then the files lie where the link leads inside, made on the way."""
    of_the_host = cell.place / "etc-of-the-host"
    of_the_host.mkdir()
    (cell.root / "etc").rename(cell.root / "elsewhere")
    (cell.root / "etc").symlink_to(spelling.format(of_the_host))
    ran = cell.run("sh", "-c", "cat /etc/resolv.conf /etc/hosts")
    assert ran.lines == ["resolv.conf of the engine", "hosts of the engine"], ran
    assert list(of_the_host.iterdir()) == []


def test_links_in_a_circle_are_refused_by_name(cell: Cell) -> None:
    """H-08: after as many links as the kernel would follow."""
    (cell.root / "etc").rename(cell.root / "elsewhere")
    (cell.root / "etc").symlink_to("tce")
    (cell.root / "tce").symlink_to("etc")
    with pytest.raises(MinidockError, match="symbolic links"):
        cell.run("true")


# ── H-14: names are names, not options ───────────────────────────────────────────────────

ODD_NAMES = ["comma,upperdir=", "colon:colon", "back\\slash", "a space", "a\nnewline",
             "tab\tand\x1bescape", "ünï", "all,of: it\\\n", "-o,ro",
             "x" * 200]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_state_root_of_any_name_runs_containers_and_injects_nothing(
    tmp_path: Path, name: str
) -> None:
    """H-14: mount, write, log, second process, end; and the layer below stays as it was."""
    with cell_at(tmp_path / name) as cell:
        assert cell.run("sh", "-c", "echo a > /b; cat /b /etc/hosts").lines == [
            "a", "hosts of the engine",
        ]  # fmt: skip
        assert (cell.written / "b").read_text() == "a\n"
        assert not (cell.root / "b").exists()
        with cell.started("sleep", "60") as process:
            assert cell.exec(process, "touch", "/c").code == 0
            assert (cell.written / "c").exists()
        assert cell.run("touch", "/x", is_root_readonly=True).code == 1


def test_a_hundred_and_twenty_five_layers_of_any_name_make_one_root(tmp_path: Path) -> None:
    """H-14: as many as an image may have, each seen, the topmost first."""
    with cell_at(tmp_path / "state") as cell:
        layers = []
        for number in range(125):
            layer = tmp_path / f"{number} {ODD_NAMES[number % len(ODD_NAMES)]}"
            layer.mkdir()
            (layer / f"only-{number}").touch()
            (layer / "all").write_text(f"{number}\n")
            layers.append(layer)
        cell.layers = tuple(reversed(layers))
        ran = cell.run("sh", "-c", "cat /all; ls -d /only-* | wc -l; echo mine > /all")
        assert ran.lines == ["124", "125"], ran
        assert (layers[-1] / "all").read_text() == "124\n"


# ── H-17: /proc and /sys are what they seem ──────────────────────────────────────────────


def a_link(to: str) -> Callable[[Path], None]:
    return lambda place: place.symlink_to(to)


def a_file(place: Path) -> None:
    place.write_text("not a directory\n")


@pytest.mark.parametrize("name", ["proc", "sys"])
@pytest.mark.parametrize(
    "make",
    [a_link("/var"), a_link("var"), a_link("/proc/1/root/var"), a_link("gone"), a_file],
)
def test_a_false_proc_or_sys_is_refused_by_name_before_anything_runs(
    cell: Cell, name: str, make: Callable[[Path], None]
) -> None:
    """H-17: it would receive what we write to sysctl (CVE-2019-16884, CVE-2019-19921)."""
    make(cell.root / name)
    with pytest.raises(CallFailed) as refusal:
        cell.run("true")
    call = refusal.value.call
    assert isinstance(call, calls.Mount)
    assert call.target == f"/{name}"
    assert not any(isinstance(call, calls.AnnounceReady) for call, _ in cell.answers)
    message, code, status = start_refusal(refusal.value, cell.spec("true"))
    assert f'rootfs at "/{name}"' in message
    assert "must be mounted on ordinary directory" in message
    assert (code, status) == (128, 500)


@pytest.mark.parametrize(
    "place",
    ["/proc", "/proc/sys", "/proc/self", "/proc/self/attr", "/", "/sys", "//", "//proc",
     "/proc/", "/a/../proc/sys", "/a/../..", "/./proc/.", "/proc/../proc/1"],
)  # fmt: skip
def test_a_tree_in_memory_over_what_the_engine_guards_is_refused_by_name(
    cell: Cell, place: str
) -> None:
    """H-17: however it is spelled."""
    with pytest.raises((TmpfsRefused, RequestRefused)) as refusal:
        cell.run("true", tmpfs=((place, ""),))
    assert "/run" in refusal.value.try_next


@pytest.mark.parametrize(
    ("link", "place"),
    [
        pytest.param("/proc", "/innocent", id="proc itself"),
        pytest.param("/proc", "/innocent/sys", id="below proc"),
        pytest.param("/proc/self", "/innocent", id="proc self"),
        pytest.param("proc/sys/kernel", "/innocent", id="deep in proc"),
        pytest.param("/", "/innocent", id="the root"),
        pytest.param("..", "/innocent", id="the root by dots"),
        pytest.param("/", "/innocent/proc/sys", id="through the root"),
    ],
)
def test_a_link_of_the_image_does_not_lead_a_tree_there_either(
    cell: Cell, link: str, place: str
) -> None:
    """H-17: the place is judged where the link leads, not as it was typed."""
    (cell.root / "innocent").symlink_to(link)
    with pytest.raises(CallFailed) as refusal:
        cell.run("true", tmpfs=((place, ""),))
    call = refusal.value.call
    assert isinstance(call, calls.Mount)
    assert call.target == place
    assert not any(isinstance(call, calls.AnnounceReady) for call, _ in cell.answers)


# ── H-18: devices are ours ───────────────────────────────────────────────────────────────

LISTED = """
for n in null zero full random urandom tty; do stat -c '%n %F %t:%T %a' /dev/$n; done
for n in ptmx fd stdin stdout stderr; do readlink /dev/$n; done
"""
DEVICES = [
    f"/dev/{name} character special file {number} 666"
    for name, number in {
        "null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9",
        "tty": "5:0",
    }.items()
] + ["pts/ptmx", "/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1",
     "/proc/self/fd/2"]  # fmt: skip


def dev_is_etc(root: Path) -> None:
    (root / "dev").symlink_to("/etc")


def null_is_core_pattern(root: Path) -> None:
    (root / "dev").mkdir()
    (root / "dev" / "null").symlink_to("/proc/sys/kernel/core_pattern")
    (root / "dev" / "zero").symlink_to("/etc/passwd")


def pts_is_a_file(root: Path) -> None:
    (root / "dev").mkdir()
    (root / "dev" / "pts").touch()
    (root / "dev" / "ptmx").mkdir()
    (root / "dev" / "fd").mkdir()


def shm_is_a_link(root: Path) -> None:
    (root / "dev").mkdir()
    (root / "dev" / "shm").symlink_to("/etc")
    (root / "dev" / "mqueue").symlink_to("/proc/1/root/etc")
    (root / "dev" / "console").symlink_to("/etc/passwd")


def dev_has_other_devices(root: Path) -> None:
    (root / "dev").mkdir()
    os.mknod(root / "dev" / "null", 0o020666, os.makedev(1, 1))  # /dev/mem


@pytest.mark.parametrize(
    "make",
    [dev_is_etc, null_is_core_pattern, pts_is_a_file, shm_is_a_link, dev_has_other_devices],
)
def test_device_nodes_are_made_on_our_own_tmpfs_whatever_the_image_holds(
    cell: Cell, make: Callable[[Path], None]
) -> None:
    """H-18: right numbers, right links, and on the host not a byte (CVE-2026-41579)."""
    make(cell.root)
    pattern = Path("/proc/sys/kernel/core_pattern").read_bytes()
    accounts = Path("/etc/passwd").read_bytes()
    names = sorted(path.name for path in Path("/etc").iterdir())
    below = sorted(str(path) for path in cell.root.rglob("*"))
    for has_terminal in (False, True):
        ran = cell.run("sh", "-c", LISTED, has_terminal=has_terminal)
        assert [line.rstrip("\r") for line in ran.lines] == DEVICES, ran
    with cell.started("sleep", "60") as process:
        shown = {entry.target: entry.filesystem for entry in read_mountinfo(process.pid)}
    assert shown["/etc" if make is dev_is_etc else "/dev"] == "tmpfs"
    assert Path("/proc/sys/kernel/core_pattern").read_bytes() == pattern
    assert Path("/etc/passwd").read_bytes() == accounts
    assert sorted(path.name for path in Path("/etc").iterdir()) == names
    assert sorted(str(path) for path in cell.root.rglob("*")) == below


def test_a_dev_that_leads_to_proc_is_refused_and_the_host_keeps_its_files(
    cell: Cell, host_file: Path
) -> None:
    """H-18: /proc/1/root is the container's own for our eyes, and no place for devices."""
    of_the_host = host_file.parent / "dev-of-the-host"
    of_the_host.mkdir()
    (cell.root / "dev").symlink_to(f"/proc/1/root{of_the_host}")
    with pytest.raises(CallFailed, match="symbolic links"):
        cell.run("true")
    assert list(of_the_host.iterdir()) == []
    assert not any(isinstance(call, calls.AnnounceReady) for call, _ in cell.answers)


# ── H-36: nothing of the image is run or loaded by the engine ────────────────────────────

TROJANS = ("sh", "bash", "xz", "unxz", "unpigz", "pigz", "gzip", "zstd", "git", "tar", "id",
           "getent", "mount", "umount", "nsenter", "runc", "tini", "newuidmap", "newgidmap",
           "ldconfig", "ldd", "python3", "python", "modprobe", "ip")  # fmt: skip
TROJAN_PLACES = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")
LIBRARY_PLACES = ("lib", "lib64", "usr/lib", "usr/lib64", "lib/x86_64-linux-gnu",
                  "usr/lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu",
                  "usr/lib/aarch64-linux-gnu", "usr/local/lib")  # fmt: skip


def evil_library(marker: Path) -> bytes:
    """Spell a shared object of 64 bits whose initialiser creates the file `marker`.

    One loaded segment, one dynamic section, a handful of instructions:
        openat(AT_FDCWD, marker, O_CREAT | O_WRONLY, 0644); return
    Source: man 5 elf; the ABI supplements of x86-64 and of AArch64.
    """
    is_arm = os.uname().machine == "aarch64"
    text, dynamic, strings = 0x100, 0x200, 0x300
    if is_arm:
        code = struct.pack(
            "<7I",
            0x92800C60,  # mov x0, #-100
            0x10000000 | (((strings + 1 - text - 4) & 3) << 29)
            | (((strings + 1 - text - 4) >> 2) << 5) | 1,  # adr x1, path
            0xD2800822,  # mov x2, #0x41
            0xD2803483,  # mov x3, #0644
            0xD2800708,  # mov x8, #56  (openat)
            0xD4000001,  # svc #0
            0xD65F03C0,  # ret
        )  # fmt: skip
    else:
        path = strings + 1 - (text + 5 + 7)
        code = (
            b"\xbf" + struct.pack("<i", -100)  # mov edi, -100
            + b"\x48\x8d\x35" + struct.pack("<i", path)  # lea rsi, [rip + path]
            + b"\xba\x41\x00\x00\x00"  # mov edx, 0x41
            + b"\x41\xba\xa4\x01\x00\x00"  # mov r10d, 0644
            + b"\xb8\x01\x01\x00\x00"  # mov eax, 257  (openat)
            + b"\x0f\x05\xc3"  # syscall; ret
        )  # fmt: skip
    names = b"\0" + bytes(marker) + b"\0"
    size = strings + len(names)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)  # 64 bits, little-endian, a shared object
    header += struct.pack(
        "<HHIQQQIHHHHHH", 3, 183 if is_arm else 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0
    )
    segments = struct.pack("<IIQQQQQQ", 1, 7, 0, 0, 0, size, size, 0x1000)
    segments += struct.pack("<IIQQQQQQ", 2, 6, dynamic, dynamic, dynamic, 112, 112, 8)
    section = struct.pack(  # DT_INIT, STRTAB, SYMTAB, STRSZ, SYMENT, HASH, NULL
        "<14Q", 12, text, 5, strings, 6, 0x2C0, 10, len(names), 11, 24, 4, 0x2E0, 0, 0
    )
    body = bytearray(size)
    for place, part in {
        0: header, 64: segments, text: code, dynamic: section,
        0x2E0: struct.pack("<4I", 1, 1, 0, 0), strings: names,
    }.items():  # fmt: skip
        body[place : place + len(part)] = part
    return bytes(body)


def plant(root: Path, marker: Path) -> None:
    """Fill a root with everything that a careless engine would run or load."""
    for place in TROJAN_PLACES:
        (root / place).mkdir(parents=True, exist_ok=True)
        for name in TROJANS:
            program = root / place / name
            program.unlink(missing_ok=True)
            program.write_text(f"#!/bin/busybox ash\n/bin/busybox touch {marker}\n")
            program.chmod(0o755)
    for place in LIBRARY_PLACES:
        (root / place).mkdir(parents=True, exist_ok=True)
        for name in ("libnss_evil.so.2", "libnss_files.so.2", "libc.so.6", "libz.so.1"):
            (root / place / name).write_bytes(evil_library(marker))
    (root / "etc" / "nsswitch.conf").write_text("passwd: evil\ngroup: evil\nhosts: evil\n")
    (root / "etc" / "passwd").write_text("root:x:0:0:::\nweb:x:1000:1000:::\n")
    (root / "etc" / "group").write_text("web:x:1000:\ndisk:x:5:web\n")
    python = f"open({str(marker)!r}, 'w').close()"
    for name in ("sitecustomize", "encodings", "traceback", "pyminidock", "errno", "pwd"):
        (root / f"{name}.py").write_text(python)
    (root / "etc" / "ld.so.preload").write_text("/lib/libnss_evil.so.2\n")


def test_the_trap_of_these_tests_snaps(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "evil.so").write_bytes(evil_library(marker))
    load = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    subprocess.run([sys.executable, "-c", load, tmp_path / "evil.so"], check=True)
    assert marker.exists()


def test_the_engine_neither_runs_nor_loads_anything_of_an_image(
    cell: Cell, tmp_path: Path
) -> None:
    """H-36: run and exec by user name, on a terminal too; every trap would leave a mark."""
    marker = tmp_path / "marker-of-the-trap"
    plant(cell.root, marker)
    inside = cell.written / str(marker).lstrip("/")
    place = str(marker.parent)
    (cell.root / place.lstrip("/")).mkdir(parents=True)  # so that both sides could have it
    (cell.root / place.lstrip("/")).chmod(0o777)
    for wishes in ({"user": "web"}, {"user": "web:disk", "group_add": ("disk",)},
                   {"has_terminal": True}, {"working_directory": "/"}):  # fmt: skip
        ran = cell.run("/bin/busybox", "true", **wishes)
        assert ran.code == 0, ran
        assert not inside.exists()
    with cell.started("/bin/busybox", "sleep", "60") as process:
        for user in ("web", "web:disk", "0"):
            ran = cell.exec(process, "/bin/busybox", "true", user=user)
            assert ran.code == 0, ran
        assert not inside.exists()
    assert not marker.exists()
    assert cell.run("sh", user="web").code == 0  # asked for, a trap does run, inside
    assert inside.exists()
    assert not marker.exists()
