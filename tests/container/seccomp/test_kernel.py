"""The real kernel takes the default program and gives the answers that were foretold."""

import errno
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyminidock.container.seccomp import compile_profile, default_profile
from pyminidock.container.seccomp.syscalls import numbers
from pyminidock.grammar.capabilities import DEFAULT

pytestmark = pytest.mark.edge
MACHINE = platform.machine()
NOTHING = b""
X32_GETPID = 0x40000000 + 39
CLONE_FS, CLONE_NEWNS, CLONE_NEWUSER = 0x200, 0x20000, 0x10000000
AF_ALG, AF_VSOCK = 38, 40


def program(*added: str) -> bytes:
    caps = frozenset({*DEFAULT, *added})
    return compile_profile(default_profile(), caps, MACHINE, (6, 12))


def ask(filter_program: bytes, *call: int | str) -> tuple[str, str]:
    """What a fresh process hears for one call, and its mode of seccomp; signals by name."""
    script = Path(__file__).with_name("install_filter.py")
    words = [str(word) for word in (numbers(MACHINE)["seccomp"], *call)]
    done = subprocess.run(
        [sys.executable, "-I", str(script), *words],
        input=filter_program,
        capture_output=True,
        timeout=30,
        check=False,
    )
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name, ""
    assert done.returncode == 0, done.stderr.decode()
    said, mode = done.stdout.decode().splitlines()
    return said, mode.split()[-1]


def heard(filter_program: bytes, call: str, *args: int) -> str:
    said, mode = ask(filter_program, numbers(MACHINE)[call], *args)
    assert mode == ("2" if filter_program else "0")
    return said


@pytest.mark.parametrize(
    ("call", "args", "answer"),
    [
        ("unshare", (CLONE_NEWNS,), errno.EPERM),
        ("mount", (), errno.EPERM),
        ("keyctl", (2**31,), errno.EPERM),
        ("bpf", (2**31,), errno.EPERM),
        ("clone", (CLONE_NEWUSER | CLONE_FS,), errno.EPERM),  # together: EINVAL, no child
        ("clone3", (), errno.ENOSYS),
        ("socket", (AF_VSOCK, 1, 0), errno.EPERM),
        ("socket", (AF_ALG, 5, 0), errno.EPERM),
        ("socket", (2**32 + AF_ALG, 5, 0), errno.EPERM),
        ("socket", (2**32 + AF_VSOCK, 1, 0), errno.EPERM),
        ("personality", (0x400000,), errno.EPERM),
    ],
)
def test_the_kernel_denies_what_the_rules_deny(
    call: str, args: tuple[int, ...], answer: int
) -> None:
    assert heard(NOTHING, call, *args) != errno.errorcode[answer], "so it is the filter"
    assert heard(program(), call, *args) == errno.errorcode[answer]


@pytest.mark.parametrize(
    ("call", "args"),
    [
        ("getpid", ()),
        ("personality", (0,)),
        ("personality", (0x20000,)),
        ("socket", (2, 1, 0)),
    ],
)
def test_the_kernel_allows_what_the_rules_allow(call: str, args: tuple[int, ...]) -> None:
    assert heard(program(), call, *args) == "ok"


def test_a_number_that_nobody_has_used_yet_does_not_exist() -> None:
    assert ask(program(), 600) == ("ENOSYS", "2")


def test_sys_admin_passes_the_filter_to_namespaces_and_mounts() -> None:
    assert heard(program("CAP_SYS_ADMIN"), "unshare", CLONE_NEWNS) == "ok"
    assert heard(program("CAP_SYS_ADMIN"), "mount") == heard(NOTHING, "mount") != "EPERM"


@pytest.mark.parametrize("call", [X32_GETPID, "int80"])
def test_the_other_two_doors_of_an_x86_are_shut(call: int | str) -> None:
    if MACHINE != "x86_64":  # there is one door only: nothing to shut
        return
    said, _ = ask(program(), call)
    if call == "int80":
        open_door, _ = ask(NOTHING, call)
        assert said == ("SIGSYS" if open_door == "ok" else open_door)
    else:
        assert said == "ENOSYS"
