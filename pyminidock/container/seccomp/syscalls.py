"""Which number a system call has, on which processor.

A filter sees numbers; people write names.  The number of a name differs from processor to
processor: `openat` is 257 on x86_64 and 56 on aarch64.  The two tables beside this module
were made once from the kernel's own headers, by the module `tabulate` beside this one.  A
table is text: each line starts with the number of its first name, the others follow by one.
The headers are those of Linux 6.12 (Debian linux-libc-dev 6.12.101).  A name missing for a
processor does not exist there, and a rule simply passes over it, as in Docker.

Source: Linux, include/uapi/asm-generic/unistd.h, arch/x86/entry/syscalls/syscall_64.tbl;
include/uapi/linux/audit.h for the architecture words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from pyminidock.container.seccomp import numbers_aarch64, numbers_x86_64
from pyminidock.errors import MinidockError

KERNEL_OF_TABLES = (6, 12)
X32_BIT = 0x40000000  # __X32_SYSCALL_BIT: 64-bit processor, 32-bit pointers


@dataclass(frozen=True, slots=True)
class Architecture:
    """A processor as four parties call it: uname, kernel audit, Docker, libseccomp."""

    name: str
    audit: int  # AUDIT_ARCH_*: what `seccomp_data.arch` holds
    docker_name: str  # in `includes.arches` of a profile
    seccomp_name: str  # in `architectures` of a profile
    table: str


ARCHITECTURES = (
    Architecture("x86_64", 0xC000003E, "amd64", "SCMP_ARCH_X86_64", numbers_x86_64.TABLE),
    Architecture(
        "aarch64", 0xC00000B7, "arm64", "SCMP_ARCH_AARCH64", numbers_aarch64.TABLE
    ),
)


class ArchitectureUnknown(MinidockError):
    """No table of system calls for this processor."""

    status = 400


def architecture(name: str) -> Architecture:
    """Find the processor that `uname -m` calls `name`.  Raises ArchitectureUnknown.

    >>> hex(architecture("aarch64").audit)
    '0xc00000b7'
    """
    for known in ARCHITECTURES:
        if known.name == name:
            return known
    raise ArchitectureUnknown(
        f"no system call table for {name!r}",
        why="a seccomp filter compares numbers, and each processor numbers calls anew",
        try_next="use a machine with one of: " + ", ".join(a.name for a in ARCHITECTURES),
        lesson="isolation",
    )


# Arguments that the kernel takes as 32-bit integers: it drops the upper half of the
# register before it looks, so a filter that compared all 64 bits would take
# socket(2**32 + 40, …) for something else than the vsock that it opens.
# Source: the SYSCALL_DEFINE of each call.
INT_ARGUMENTS: Mapping[str, frozenset[int]] = MappingProxyType(
    {
        "arch_prctl": frozenset({0}),
        "bpf": frozenset({0, 2}),
        "clock_settime": frozenset({0}),
        "fcntl": frozenset({0, 1}),
        "getsockopt": frozenset({0, 1, 2}),
        "ioctl": frozenset({0, 1}),
        "keyctl": frozenset({0}),
        "kill": frozenset({0, 1}),
        "personality": frozenset({0}),
        "prctl": frozenset({0}),
        "quotactl": frozenset({0}),
        "reboot": frozenset({0, 1, 2}),
        "seccomp": frozenset({0, 1}),
        "setns": frozenset({0, 1}),
        "setsockopt": frozenset({0, 1, 2, 4}),
        "socket": frozenset({0, 1, 2}),
        "socketpair": frozenset({0, 1, 2}),
    }
)


@cache
def numbers(name: str) -> Mapping[str, int]:
    """Give the table name -> number of the processor `name`.

    >>> numbers("x86_64")["openat"], numbers("aarch64")["openat"]
    (257, 56)
    >>> "open" in numbers("aarch64")
    False
    """
    table: dict[str, int] = {}
    for line in architecture(name).table.splitlines():
        first, *names = line.split()
        table |= {call: int(first) + step for step, call in enumerate(names)}
    return MappingProxyType(table)
