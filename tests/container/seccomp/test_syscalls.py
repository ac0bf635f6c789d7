"""The tables of numbers are whole; `tests/compat` compares them with libseccomp's."""

import pytest

from pyminidock.container.seccomp import numbers_aarch64, numbers_x86_64
from pyminidock.container.seccomp.syscalls import (
    ARCHITECTURES,
    INT_ARGUMENTS,
    ArchitectureUnknown,
    architecture,
    numbers,
)
from pyminidock.container.seccomp.tabulate import tabulate

ARCHES = ("x86_64", "aarch64")


@pytest.mark.parametrize("table", [numbers_x86_64.TABLE, numbers_aarch64.TABLE])
def test_a_table_is_what_the_generator_writes(table: str) -> None:
    rows = [line.split() for line in table.splitlines()]
    again = {
        name: int(first) + at for first, *names in rows for at, name in enumerate(names)
    }
    assert tabulate(again) + "\n" == table


@pytest.mark.parametrize(
    ("arch", "count", "newest"), [("x86_64", 375, 462), ("aarch64", 318, 462)]
)
def test_the_tables_are_complete_up_to_linux_6_12(
    arch: str, count: int, newest: int
) -> None:
    table = numbers(arch)
    assert len(table) == len(set(table.values())) == count
    assert max(table.values()) == table["mseal"] == newest


def test_every_call_with_int_arguments_exists_somewhere() -> None:
    known = {name for arch in ARCHES for name in numbers(arch)}
    assert set(INT_ARGUMENTS) <= known


def test_an_unknown_processor_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArchitectureUnknown) as refusal:
        architecture("sparc64")
    assert all(known.name in refusal.value.try_next for known in ARCHITECTURES)
