"""Make a table of system call numbers from a kernel header.

    python -m pyminidock.container.seccomp.tabulate < /usr/include/asm/unistd_64.h

The lines that it prints are the `TABLE` of `numbers_x86_64` or `numbers_aarch64`.  Nothing
imports this module but its tests.
"""

import re
import sys
import textwrap
from collections.abc import Mapping


def read_header(text: str) -> dict[str, int]:
    r"""Take the numbers out of a `unistd_64.h`.

    >>> read_header("#define __NR_read 0\n#define __NR_write 1\n#define __NR_syscalls 2")
    {'read': 0, 'write': 1}
    """
    found = re.findall(r"^#define\s+__NR_(\w+)\s+(\d+)\s*$", text, re.MULTILINE)
    return {name: int(number) for name, number in found if name != "syscalls"}


def tabulate(table: Mapping[str, int]) -> str:
    """Write a table the way it is kept here: runs of consecutive numbers, wrapped.

    >>> print(tabulate({"read": 0, "write": 1, "openat2": 437}))
    0 read write
    437 openat2
    """
    runs: list[list[tuple[int, str]]] = []
    for name, number in sorted(table.items(), key=lambda entry: entry[1]):
        if not runs or runs[-1][-1][0] + 1 != number:
            runs.append([])
        runs[-1].append((number, name))
    lines = []
    for run in runs:
        at = run[0][0]
        for line in textwrap.wrap(" ".join(name for _, name in run), 84):
            lines.append(f"{at} {line}")
            at += len(line.split())
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(tabulate(read_header(sys.stdin.read())) + "\n")
