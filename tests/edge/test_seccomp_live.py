"""The filter of system calls, judged by the kernel itself: H-40, row by row of H.3.

Each row is one raw system call of a Python inside a container.  Rows marked *stricter*
differ from Docker 26.1 on purpose: `pyminidock.container.seccomp.STRICTER` says so too.
"""

import os
import textwrap
from typing import Any

import pytest

from pyminidock.container.seccomp import (
    SeccompData,
    compile_profile,
    default_profile,
    run_program,
)
from tests.edge.cell import Cell, Ran

pytestmark = pytest.mark.edge

IS_X86 = os.uname().machine == "x86_64"
NUMBERS = {  # x86_64, aarch64
    "getpid": (39, 172), "unshare": (272, 97), "mount": (165, 40), "keyctl": (250, 219),
    "bpf": (321, 280), "clone": (56, 220), "clone3": (435, 435), "socket": (41, 198),
    "personality": (135, 92), "setns": (308, 268), "umount2": (166, 39),
    "open_by_handle_at": (304, 265), "perf_event_open": (298, 241), "ptrace": (101, 117),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "kexec_load": (246, 104),
    "init_module": (175, 105), "reboot": (169, 142), "swapon": (167, 224),
    "settimeofday": (164, 170), "pivot_root": (155, 41), "fsopen": (430, 430),
    "open_tree": (428, 428), "move_mount": (429, 429), "add_key": (248, 217),
    "request_key": (249, 218), "acct": (163, 89), "getcwd": (79, 17),
}  # fmt: skip
NEWNS, NEWUSER, NEWNET, NEWPID = 0x20000, 0x10000000, 0x40000000, 0x20000000
NEWUTS, NEWIPC, NEWCGROUP = 0x4000000, 0x8000000, 0x2000000
X32 = 0x40000000

PRELUDE = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *words):
    words = [(ctypes.c_long if isinstance(w, int) else ctypes.c_char_p)(w) for w in words]
    result = libc.syscall(ctypes.c_long(number), *words)
    return "ok" if result >= 0 else errno.errorcode[ctypes.get_errno()]
"""

Row = tuple[str, tuple[int | None, ...], str]


def number(name: str) -> int:
    return NUMBERS[name][0 if IS_X86 else 1]


def python(laboratory: Cell, program: str, **wishes: Any) -> Ran:
    return laboratory.run(
        "/usr/bin/python3", "-I", "-S", "-c", PRELUDE + textwrap.dedent(program), **wishes
    )


def verdicts(laboratory: Cell, rows: list[Row], **wishes: Any) -> list[str]:
    """Make all calls of the rows in one container, and tell what became of each."""
    asked = [(number(name), *arguments) for name, arguments, _ in rows]
    ran = python(laboratory, f"for words in {asked!r}: print(call(*words))", **wishes)
    assert ran.code == 0, ran
    return ran.lines


DENIED: list[Row] = [
    ("unshare", (NEWNS,), "EPERM"),
    ("unshare", (NEWUSER,), "EPERM"),
    ("unshare", (0,), "EPERM"),
    ("mount", (0, 0, 0, 0, 0), "EPERM"),
    ("umount2", (0, 0), "EPERM"),
    ("keyctl", (0, -3, 0), "EPERM"),
    ("add_key", (0, 0, 0, 0, -3), "EPERM"),
    ("request_key", (0, 0, 0, 0), "EPERM"),
    ("bpf", (0, 0, 0), "EPERM"),
    ("setns", (-1, 0), "EPERM"),
    ("pivot_root", (0, 0), "EPERM"),
    ("fsopen", (0, 0), "EPERM"),
    ("open_tree", (-1, 0, 0), "EPERM"),
    ("move_mount", (-1, 0, -1, 0, 0), "EPERM"),
    ("open_by_handle_at", (-1, 0, 0), "EPERM"),
    ("perf_event_open", (0, 0, 0, 0, 0), "EPERM"),
    ("userfaultfd", (0,), "EPERM"),
    ("io_uring_setup", (0, 0), "EPERM"),
    ("kexec_load", (0, 0, 0, 0), "EPERM"),
    ("init_module", (0, 0, 0), "EPERM"),
    ("reboot", (0, 0, 0, 0), "EPERM"),
    ("swapon", (0, 0), "EPERM"),
    ("settimeofday", (0, 0), "EPERM"),
    ("acct", (0,), "EPERM"),
]
CLONE_FLAGS = [NEWNS, NEWUSER, NEWNET, NEWPID, NEWUTS, NEWIPC, NEWCGROUP, NEWUSER | 17]
ARGUMENTS: list[Row] = [
    *(("clone", (flags, 0, 0, 0, 0), "EPERM") for flags in CLONE_FLAGS),
    ("clone3", (0, 0), "ENOSYS"),
    ("socket", (40, 1, 0), "EPERM"),
    ("socket", (38, 5, 0), "EPERM"),  # stricter
    ("socket", (2**32 + 38, 5, 0), "EPERM"),  # stricter
    ("socket", (2**32 + 40, 1, 0), "EPERM"),  # stricter
    ("socket", (2**63 + 40 - 2**64, 1, 0), "EPERM"),  # stricter
    ("socket", (1, 1, 0), "ok"),
    ("socket", (2, 1, 0), "ok"),
    ("socket", (10, 2, 0), "ok"),
    ("socket", (16, 3, 0), "ok"),
    ("socket", (39, 1, 0), "EAFNOSUPPORT"),  # AF_NFC: the filter lets it pass
    ("personality", (0,), "ok"),
    ("personality", (0x20000,), "ok"),
    ("personality", (8,), "ok"),
    ("personality", (0x20008,), "ok"),
    ("personality", (0xFFFFFFFF,), "ok"),
    ("personality", (0x400000,), "EPERM"),
    ("personality", (0x40000,), "EPERM"),  # ADDR_NO_RANDOMIZE
    ("getpid", (), "ok"),
]


def test_the_default_filter_denies_what_would_reach_the_host(laboratory: Cell) -> None:
    """H-40: with EPERM, also where the arguments are nonsense: the filter comes first."""
    assert verdicts(laboratory, DENIED) == [expected for _, _, expected in DENIED]


def test_the_default_filter_looks_at_arguments(laboratory: Cell) -> None:
    """H-40: at no more of them than the kernel will, so high bits open nothing."""
    found = verdicts(laboratory, ARGUMENTS)
    assert list(zip(ARGUMENTS, found, strict=True)) == [(row, row[2]) for row in ARGUMENTS]


@pytest.mark.parametrize("unknown", [600, 1000, 4095, 0x3FFFFFFF])
def test_a_number_that_no_kernel_knows_is_enosys(laboratory: Cell, unknown: int) -> None:
    """H-40: so that a libc of tomorrow falls back instead of failing."""
    assert python(laboratory, f"print(call({unknown}))").lines == ["ENOSYS"]


if IS_X86:

    def test_the_other_tables_of_this_processor_are_shut(laboratory: Cell) -> None:
        """H-40, stricter: x32 shares our numbers with a bit set; a clone there is none."""
        program = f"""
        for n in (39, 56, 165, 512, 545):
            print(call({X32} + n, {NEWUSER}, 0, 0, 0, 0))
        """
        found = python(laboratory, program)
        assert found.lines == ["ENOSYS"] * 5, found

    def test_an_i386_call_ends_the_program(laboratory: Cell) -> None:
        """H-40, stricter: `int 0x80` counts by another table; 159 is 128 and SIGSYS."""
        program = """
        import mmap
        page = mmap.mmap(-1, 4096, prot=7)  # to be read, written and executed
        page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # getpid
        place = ctypes.addressof(ctypes.c_char.from_buffer(page))
        print("before", flush=True)
        print("after", ctypes.CFUNCTYPE(ctypes.c_int)(place)(), flush=True)
        """
        assert python(laboratory, program) == Ran("before\n", "", 159)
        free = python(laboratory, program, security_options=("seccomp=unconfined",))
        assert (free.out, free.code) == ("before\nafter 1\n", 0), free


ADMIN: list[Row] = [
    ("unshare", (NEWUTS,), "ok"),
    ("mount", (0, 0, 0, 0, 0), "EFAULT"),
    ("umount2", (0, 0), "EFAULT"),
    ("setns", (-1, 0), "EBADF"),
    ("fsopen", (0, 0), "EFAULT"),
    ("clone3", (0, 0), "EINVAL"),
    ("keyctl", (0, -3, 0), "EPERM"),
    ("userfaultfd", (0,), "EPERM"),
    ("kexec_load", (0, 0, 0, 0), "EPERM"),
    ("socket", (40, 1, 0), "EPERM"),
]


def test_sys_admin_opens_the_calls_that_need_it_and_no_others(laboratory: Cell) -> None:
    """H-40: what reaches the kernel is answered by the kernel's own errno."""
    found = verdicts(laboratory, ADMIN, cap_add=("SYS_ADMIN",))
    assert list(zip(ADMIN, found, strict=True)) == [(row, row[2]) for row in ADMIN]


def test_sys_admin_can_really_mount(laboratory: Cell) -> None:
    """H-40: inside, and where it shows to nobody else."""
    program = f"""
    print(call({number("unshare")}, {NEWNS}))
    print(call({number("mount")}, b"tmpfs", b"/mnt-made", b"tmpfs", 0, 0))
    open("/mnt-made/file", "w").close()
    print(os.listdir("/mnt-made"))
    """
    ran = python(laboratory, "os.mkdir('/mnt-made')\n" + textwrap.dedent(program),
                 cap_add=("SYS_ADMIN",))  # fmt: skip
    assert ran.lines == ["ok", "ok", "['file']"], ran


@pytest.mark.parametrize(
    "wishes", [{"security_options": ("seccomp=unconfined",)}, {"is_privileged": True}]
)
def test_without_a_filter_the_kernel_alone_answers_and_it_is_said(
    laboratory: Cell, wishes: dict[str, Any]
) -> None:
    """H-40: the status says 0, the spec says unconfined, and the calls get through."""
    rows: list[Row] = [
        ("keyctl", (0, -3, 0), "ok"), ("socket", (2**32 + 1, 1, 0), "ok"),
        ("personality", (0x40000,), "ok"), ("clone3", (0, 0), "EINVAL"),
    ]  # fmt: skip
    assert verdicts(laboratory, rows, **wishes) == [expected for _, _, expected in rows]
    assert laboratory.spec("true", **wishes).seccomp == "unconfined"
    with laboratory.started("sleep", "60", **wishes) as process:
        seen = laboratory.body.observe(process)
    assert (seen.seccomp_mode, seen.seccomp_filters) == (0, 0)


def test_a_profile_of_ones_own_replaces_the_default(laboratory: Cell) -> None:
    """H-40: given as text, as clients send it."""
    profile = (
        '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getcwd"], '
        '"action": "SCMP_ACT_ERRNO", "errnoRet": 33}]}'
    )
    ran = python(
        laboratory,
        f"print(call({number('getcwd')}, 0, 0)); print(call({number('keyctl')}, 0, -3, 0))",
        security_options=(f"seccomp={profile}", "no-new-privileges"),
    )
    assert ran.lines == ["EDOM", "ok"], ran


def test_every_call_that_the_default_denies_is_denied_by_this_kernel(
    laboratory: Cell,
) -> None:
    """H-40: all numbers of the table, with arguments that no kernel accepts.

    Left out are uretprobe and uprobe, which Linux exempts from every filter and which end
    whoever calls them outside of a probe.
    """
    machine = laboratory.body.machine()
    names = frozenset(laboratory.spec("true").bounding)
    program = compile_profile(default_profile(), names, machine.arch, machine.kernel)
    arch = 0xC000003E if IS_X86 else 0xC00000B7
    denied = [
        number
        for number in range(470)
        if not (IS_X86 and number in (335, 336))
        and run_program(program, SeccompData(nr=number, arch=arch)) & 0x7FFF0000 == 0x50000
    ]
    ran = python(
        laboratory, f"print(*[call(n, -1, -1, -1, -1, -1, -1) for n in {denied!r}])"
    )
    assert len(denied) > 60
    by_name = dict(zip(denied, ran.out.split(), strict=True))
    assert set(by_name.values()) <= {"EPERM", "ENOSYS"}, by_name
