"""Who a program is: numbers out of a stranger's files, and no way back to root.

H-02, H-03 and H-04 of the hardening contract, each on the real kernel.
"""

import fcntl
import os
import signal
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pyminidock.container.faults import RequestRefused
from pyminidock.container.spec import ImageConfig
from pyminidock.container.users import AccountsUnreadable, IdOutOfRange
from pyminidock.errors import MinidockError
from pyminidock.kernel.port import UnreadableFile
from tests.edge.cell import Cell

pytestmark = pytest.mark.edge

PASSWD, GROUP = "etc/passwd", "etc/group"
WEB = "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000:Web:/home/web:/bin/sh\n"


@contextmanager
def unopened(file: Path) -> Iterator[None]:
    """Hold a lease on a file of the host: whoever opens it breaks the lease.

    Source: man 2 fcntl, F_SETLEASE; a handle of O_PATH breaks nothing, as it reads nothing.
    """
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield
        assert fcntl.fcntl(descriptor, fcntl.F_GETLEASE) == fcntl.F_WRLCK, "it was opened"
    finally:
        os.close(descriptor)
        signal.signal(signal.SIGIO, before)


def test_the_lease_of_these_tests_notices_an_open(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(AssertionError, match="it was opened"), unopened(file):
        assert peeked(file)


def peeked(file: Path) -> bool:
    """Open a file without waiting for a lease; the lease is broken all the same."""
    with suppress(BlockingIOError):
        os.close(os.open(file, os.O_RDONLY | os.O_NONBLOCK))
    return True


# ── H-02: an image may put anything where its accounts should be ─────────────────────────


@pytest.mark.parametrize("name", [PASSWD, GROUP])
@pytest.mark.parametrize("spelling", ["absolute", "climbing", "through /proc/1/root"])
def test_accounts_that_are_a_link_to_a_file_of_the_host_are_looked_for_inside(
    cell: Cell, name: str, spelling: str
) -> None:
    """H-02: a name that only the host's file knows is unknown, and the file stays shut."""
    of_the_host = cell.place / "accounts-of-the-host"
    of_the_host.write_text("evil:x:0:0:::\n")
    link = {
        "absolute": str(of_the_host),
        "climbing": "../" * 40 + str(of_the_host).lstrip("/"),
        "through /proc/1/root": f"/proc/1/root{of_the_host}",
    }[spelling]
    (cell.root / name).unlink()
    (cell.root / name).symlink_to(link)
    user = "evil" if name == PASSWD else "0:evil"
    with unopened(of_the_host):
        with pytest.raises(MinidockError, match="no matching entries"):
            cell.run("id", user=user)
        assert cell.run("id", "-u", user="0").lines == ["0"]


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_directory(path: Path) -> None:
    path.mkdir()


def two_gibibytes_of_nothing(path: Path) -> None:
    path.touch()
    os.truncate(path, 2 << 30)


def a_line_of_ten_mebibytes(path: Path) -> None:
    path.write_bytes(b"web:x:1000:1000:" + b"a" * (10 << 20) + b":/:/bin/sh\n")


def a_line_of_a_hundred_kibibytes(path: Path) -> None:
    path.write_bytes(b"web:x:1000:1000:" + b"a" * 100_000 + b":/:/bin/sh\n")


def nul_bytes(path: Path) -> None:
    path.write_bytes(b"root\0:x:0:0:::\n")


def a_device(path: Path) -> None:
    os.mknod(path, 0o020644, os.makedev(1, 5))  # /dev/zero: reading never ends


def a_circle(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("name", [PASSWD, GROUP])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (a_fifo, "no regular file"),
        (a_directory, "no regular file"),
        (a_device, "no regular file"),
        (two_gibibytes_of_nothing, "2147483648 bytes"),
        (a_line_of_ten_mebibytes, "bytes"),
        (a_line_of_a_hundred_kibibytes, "longer than 64 KiB"),
        (nul_bytes, "NUL"),
        (a_circle, "symbolic links"),
    ],
)
def test_accounts_that_are_no_small_text_are_refused_by_name_and_at_once(
    cell: Cell, name: str, make: Callable[[Path], None], reason: str
) -> None:
    """H-02: under a second, under 4 MiB, and the sentence says what is wrong with which."""
    (cell.root / name).unlink()
    make(cell.root / name)
    tracemalloc.start()
    began = time.monotonic()
    with pytest.raises((UnreadableFile, AccountsUnreadable), match=reason) as refusal:
        cell.run("true", user="web")
    took_s = time.monotonic() - began
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert name in refusal.value.what
    assert took_s < 1
    assert peak_bytes < 4 << 20


def test_a_root_without_accounts_still_knows_numbers(cell: Cell) -> None:
    """H-02: as in Docker; a name is then unknown, and nothing becomes root in its place."""
    for name in (PASSWD, GROUP):
        (cell.root / name).unlink()
    assert cell.run("id", "-u", user="5").lines == ["5"]
    with pytest.raises(RequestRefused, match="unable to find user web"):
        cell.run("id", user="web")


# ── H-03: a number is a number, and never comes round to zero ────────────────────────────

TOO_LARGE = ["2147483648", "4294967296", "-1", "1000:4294967295", "1000:-1",
             "99999999999", "18446744073709551616", "0:4294967296"]  # fmt: skip


@pytest.mark.parametrize("user", TOO_LARGE)
def test_a_number_out_of_range_is_refused_wherever_it_is_asked_for(
    cell: Cell, user: str
) -> None:
    """H-03: by --user, by the image, by exec; a line of that name changes nothing."""
    (cell.root / PASSWD).write_text(WEB + f"{user.partition(':')[0]}:x:0:0:::\n")
    with pytest.raises(RequestRefused, match="range 0-2147483647"):
        cell.run("id", user=user)
    cell.image = ImageConfig(user=user)
    with pytest.raises(RequestRefused, match="range 0-2147483647"):
        cell.run("id")
    cell.image = ImageConfig()
    with cell.started("sleep", "60") as process, pytest.raises(IdOutOfRange):
        cell.exec(process, "id", user=user)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("web:x:4294967296:1000:::", id="uid 2^32"),
        pytest.param("web:x:1000:4294967296:::", id="gid 2^32"),
        pytest.param("web:x:-4294967296:0:::", id="minus 2^32"),
        pytest.param("web:x:18446744073709551616:0:::", id="uid 2^64"),
        pytest.param("web:x::1000:::", id="no uid"),
        pytest.param("web:x:0x0:1000:::", id="hexadecimal"),
        pytest.param("web:x: 0:1000:::", id="a blank before it"),
        pytest.param("web", id="a name alone"),
    ],
)
def test_a_line_without_a_sound_number_makes_nobody_root(cell: Cell, line: str) -> None:
    """H-03: it is refused or unknown; Docker once took 0 for what it could not read."""
    (cell.root / PASSWD).write_text(f"{line}\n")
    with pytest.raises(RequestRefused, match=r"in range|unable to find"):
        cell.run("id", user="web")


def test_digits_are_no_name_even_where_a_line_has_that_name(cell: Cell) -> None:
    """H-03: `1000:x:0:0` must not turn a harmless number into root (CVE-2026-46680)."""
    (cell.root / PASSWD).write_text("1000:x:0:0:::\n")
    assert cell.run("sh", "-c", "id -u; id -g", user="1000").lines == ["1000", "0"]


# ── H-04: groups, and the way back ───────────────────────────────────────────────────────


def test_a_user_has_the_groups_that_list_it_and_those_that_are_added(cell: Cell) -> None:
    """H-04: the primary group stays among the others."""
    (cell.root / PASSWD).write_text(WEB)
    (cell.root / GROUP).write_text(
        "web:x:1000:\ndisk:x:5:web\naudio:x:6:ann,web\nno:x:8:ann\n"
    )
    program = "id -u; id -g; grep Groups /proc/self/status"
    for user in ("web", "1000"):
        ran = cell.run("sh", "-c", program, user=user, group_add=("7",))
        uid, gid, taken = ran.lines
        assert (uid, gid) == ("1000", "1000")
        assert taken.split()[1:] == ["5", "6", "7", "1000"]


def test_what_a_mode_takes_from_a_group_its_members_do_not_get(cell: Cell) -> None:
    """H-04: 0707 of group 1000; were the group dropped, its member would be an other."""
    (cell.root / PASSWD).write_text(WEB)
    (cell.root / GROUP).write_text("disk:x:5:web\n")
    secret = cell.root / "secret"
    secret.write_text("for all but a few\n")
    os.chown(secret, 0, 1000)
    secret.chmod(0o707)
    for user, more in (("web", ()), ("1000", ("7",)), ("2000:1000", ()),
                       ("2000:2000", ("1000",))):  # fmt: skip
        denied = cell.run("cat", "/secret", user=user, group_add=more)
        assert (denied.out, denied.code) == ("", 1), user
        assert "Permission denied" in denied.err
    assert cell.run("cat", "/secret", user="2000:2000").out == "for all but a few\n"


def test_all_three_identities_are_the_users_and_root_is_out_of_reach(
    laboratory: Cell,
) -> None:
    """H-04: real, effective and saved; by no call can one of them become 0 again."""
    program = """
import ctypes, os
print(os.getresuid(), os.getresgid(), sorted(os.getgroups()))
for call in (lambda: os.setuid(0), lambda: os.seteuid(0), lambda: os.setresuid(0, 0, 0),
             lambda: os.setreuid(-1, 0), lambda: os.setgid(0), lambda: os.setgroups([0]),
             lambda: os.setresgid(0, 0, 0)):
    try:
        call()
    except PermissionError:
        print("no")
libc = ctypes.CDLL(None)
libc.setfsuid(0)
print(libc.setfsuid(-1))
"""
    ran = laboratory.run(
        "/usr/bin/python3", "-I", "-S", "-c", program, user="1000:1000",
        group_add=("5", "6", "7"),
    )  # fmt: skip
    assert ran.lines == [
        "(1000, 1000, 1000) (1000, 1000, 1000) [5, 6, 7, 1000]", *["no"] * 7, "1000",
    ], ran  # fmt: skip
