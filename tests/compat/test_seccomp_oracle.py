"""Our seccomp program against the one that a real dockerd installs.

The filter is read out of a running container and asked the same questions as ours: every
native number, every argument, every edge.  Whatever differs must be one of the rows below,
and each row must be seen at work.  Then the tables: libseccomp numbers calls as we do.
"""

import ctypes
import json
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from pyminidock.container.seccomp import (
    STRICTER,
    Profile,
    SeccompData,
    compile_profile,
    default_profile,
    parse_profile,
    run_program,
)
from pyminidock.container.seccomp.syscalls import ARCHITECTURES, architecture, numbers
from pyminidock.grammar import capabilities
from tests.compat.seccomp_reader import read_filter
from tests.container.seccomp.reference_rules import edges
from tests.reference import Reference

pytestmark = pytest.mark.compat
MACHINE = platform.machine()
NATIVE = architecture(MACHINE).audit
KERNEL = tuple(int(word) for word in platform.release().split("-")[0].split(".")[:2])
NUMBERS = (*range(512), 600, 1023, 2**30 - 1)
ALLOWED, EPERM, ENOSYS, KILL_PROCESS = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
I386, X32 = 0x40000003, 0x40000000
PERSONALITIES = frozenset({0, 8, 0x20000, 0x20008, 0xFFFFFFFF})


@dataclass(frozen=True)
class Row:
    """A difference on purpose: this call, with these low words of its first argument."""

    name: str
    call: str
    low_words: frozenset[int]
    high_word: bool  # whether the upper half of the register holds something
    ours: int
    docker: int


AF_ALG = Row("af-alg", "socket", frozenset({38}), False, EPERM, ALLOWED)
INT_ARGUMENTS = (
    Row("int-arguments", "socket", frozenset({38, 40}), True, EPERM, ALLOWED),
    Row("int-arguments", "personality", PERSONALITIES, True, ALLOWED, EPERM),
)


@dataclass(frozen=True)
class Comparison:
    """How often two programs were asked, and what they disagreed about."""

    pairs: int
    differences: tuple[tuple[str | int, tuple[int, ...], int, int], ...]

    def unexplained(self, rows: tuple[Row, ...]) -> list[object]:
        """The differences that no row allows."""
        return [d for d in self.differences if not any(_explains(row, *d) for row in rows)]

    def idle(self, rows: tuple[Row, ...]) -> list[str]:
        """The rows that explain nothing: they are stale."""
        return [r.name for r in rows if not any(_explains(r, *d) for d in self.differences)]


def _explains(
    row: Row, call: str | int, args: tuple[int, ...], ours: int, docker: int
) -> bool:
    high, low = divmod(args[0], 2**32)
    return (call, bool(high), ours, docker) == (
        row.call,
        row.high_word,
        row.ours,
        row.docker,
    ) and low in row.low_words


def compare(ours: bytes, docker: bytes, values: tuple[int, ...]) -> Comparison:
    """Ask both programs about every number, with every value in every argument."""
    names = {number: name for name, number in numbers(MACHINE).items()}
    pairs, differences = 0, []
    for number in NUMBERS:
        for index in range(6):
            for value in values:
                args = (0,) * index + (value,)
                data = SeccompData(number, NATIVE, args)
                mine, theirs = run_program(ours, data), run_program(docker, data)
                pairs += 1
                if mine != theirs:
                    differences.append((names.get(number, number), args, mine, theirs))
    return Comparison(pairs, tuple(differences))


@contextmanager
def container(reference: Reference, *flags: str) -> Iterator[int]:
    """Run a sleeping container of the real dockerd; gives the pid of its first process."""
    command = ("run", "-d", "--network", "none", *flags, reference.image, "sleep", "300")
    started = reference.docker(*command)
    assert started.returncode == 0, started.stderr
    name = started.stdout.strip()
    try:
        yield int(reference.docker("inspect", "-f", "{{.State.Pid}}", name).stdout)
    finally:
        reference.docker("rm", "-f", name)


def filter_of_docker(reference: Reference, *flags: str) -> bytes:
    with container(reference, *flags) as pid:
        return read_filter(pid)


def bounding_set() -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd"))


def program(profile: Profile, added: str = "", dropped: str = "") -> bytes:
    caps = capabilities.tweak(added.split(), dropped.split(), False, bounding_set())
    return compile_profile(profile, frozenset(caps), MACHINE, (KERNEL[0], KERNEL[1]))


Record = Callable[[str, object], None]


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Keep a figure with the test's report, where `pytest -rP` and JUnit files show it."""

    def keep(name: str, figure: object) -> None:
        request.node.user_properties.append((name, figure))
        sys.stdout.write(f"{name}: {figure}\n")

    return keep


@pytest.mark.parametrize(
    ("added", "dropped"),
    [("", ""), ("SYS_ADMIN", ""), ("ALL", ""), ("", "ALL")],
    ids=["default", "--cap-add SYS_ADMIN", "--cap-add ALL", "--cap-drop ALL"],
)
def test_our_default_program_is_the_one_of_docker(
    reference: Reference, record: Record, added: str, dropped: str
) -> None:
    flags = [f"--cap-add={cap}" for cap in added.split()]
    flags += [f"--cap-drop={cap}" for cap in dropped.split()]
    docker = filter_of_docker(reference, *flags)
    ours = program(default_profile(), added, dropped)
    compared = compare(ours, docker, edges(default_profile()))
    record("pairs compared", compared.pairs)
    record("instructions", f"{len(ours) // 8}, docker {len(docker) // 8}")
    rows = (AF_ALG, *INT_ARGUMENTS)
    assert (compared.unexplained(rows), compared.idle(rows)) == ([], []), (
        f"{compared.pairs} pairs compared, {len(compared.differences)} differ"
    )
    assert compared.pairs == len(NUMBERS) * 6 * len(edges(default_profile())) > 100_000


def test_docker_makes_the_same_program_of_our_profile(
    reference: Reference, record: Record
) -> None:
    ours = resources.files("pyminidock.container.seccomp") / "default.json"
    with resources.as_file(ours) as document:
        docker = filter_of_docker(reference, "--security-opt", f"seccomp={document}")
    compared = compare(program(default_profile()), docker, edges(default_profile()))
    record("pairs compared", compared.pairs)
    assert (compared.unexplained(INT_ARGUMENTS), compared.idle(INT_ARGUMENTS)) == ([], [])


def rule(call: str, action: str, *args: tuple[int, str, int, int], **more: Any) -> object:
    """One rule as JSON; an argument is index, comparison, value, second value."""
    return {
        "names": [call],
        "action": f"SCMP_ACT_{action}",
        "args": [
            {"index": index, "op": f"SCMP_CMP_{op}", "value": value, "valueTwo": two}
            for index, op, value, two in args
        ],
        **more,
    }


# Calls that no sleeping container makes and whose arguments are 64 bits wide.
WIDE = 2**32 + 5
EVERYTHING = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [
        rule("mount", "ERRNO", (0, "EQ", WIDE, 0)),
        rule("umount2", "ERRNO", (1, "NE", WIDE, 0), errnoRet=38),
        rule("acct", "ERRNO", (0, "LT", WIDE, 0), errnoRet=4094),
        rule("swapon", "KILL", (0, "LE", WIDE, 0)),
        rule("swapoff", "KILL_PROCESS", (0, "GE", WIDE, 0)),
        rule("sysfs", "TRAP", (2, "GT", WIDE, 0)),
        rule("ustat", "LOG", (5, "MASKED_EQ", WIDE, 5)),
        rule("kexec_load", "TRACE", (0, "GE", 7, 0), (1, "LT", WIDE, 0), errnoRet=77),
        rule("sethostname", "ERRNO", (0, "EQ", 1, 0), (0, "EQ", WIDE, 0)),
        rule("mseal", "ERRNO"),
        rule("iopl", "LOG", (0, "EQ", 7, 0)),
        rule("iopl", "ERRNO"),
        rule("iopl", "KILL"),
        rule("ioperm", "ERRNO"),
        rule("ioperm", "LOG", (0, "EQ", 7, 0)),
        rule("lookup_dcookie", "ALLOW"),
        rule("lookup_dcookie", "ERRNO", (0, "EQ", 7, 0)),
        rule("chroot", "ERRNO", includes={"caps": ["CAP_SYS_ADMIN"]}),
        rule("pivot_root", "ERRNO", excludes={"caps": ["CAP_SYS_ADMIN"]}),
        rule("vhangup", "ERRNO", includes={"arches": ["s390x"]}),
        rule("syslog", "ERRNO", excludes={"minKernel": "4.8"}),
        rule("not_a_call", "ERRNO"),
    ],
}


def test_every_action_and_comparison_means_the_same(
    reference: Reference, record: Record, tmp_path: Path
) -> None:
    document = tmp_path / "everything.json"
    document.write_text(json.dumps(EVERYTHING))
    docker = filter_of_docker(reference, "--security-opt", f"seccomp={document}")
    profile = parse_profile(document.read_text())
    compared = compare(program(profile), docker, edges(profile))
    record("pairs compared", compared.pairs)
    assert compared.differences == ()


def test_the_doors_of_i386_and_x32_are_shut_where_docker_opens_them(
    reference: Reference,
) -> None:
    docker, ours = filter_of_docker(reference), program(default_profile())
    getpid = {
        "i386-entry": SeccompData(20, I386),
        "x32-entry": SeccompData(X32 + 39, NATIVE),
    }
    verdicts = {name: run_program(ours, data) for name, data in getpid.items()}
    assert verdicts == {"i386-entry": KILL_PROCESS, "x32-entry": ENOSYS}
    assert {run_program(docker, data) for data in getpid.values()} == {ALLOWED}


def test_the_rows_here_are_those_that_explain_isolation_shows() -> None:
    shown = {row.name for row in STRICTER}
    compared = {AF_ALG.name, *(row.name for row in INT_ARGUMENTS)}
    assert shown == compared | {"i386-entry", "x32-entry"}


@pytest.mark.parametrize("arch", [known.name for known in ARCHITECTURES])
def test_libseccomp_numbers_calls_as_we_do(arch: str) -> None:
    resolve = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name_arch
    resolve.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    table = numbers(arch)
    audit = architecture(arch).audit
    assert {name: resolve(audit, name.encode()) for name in table} == dict(table)
