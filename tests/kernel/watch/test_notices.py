"""Which calls are told, by which numbers, and what the filter for them does."""

import pytest

from pyminidock.container.seccomp import SeccompData, run_program
from pyminidock.container.seccomp.syscalls import architecture, numbers
from pyminidock.container.seccomp.watching import ALLOW, TELL, watching_program
from pyminidock.kernel.watch.notices import NOTICE, SHAPES, Notice, calls_of, parse

MACHINES = ("x86_64", "aarch64")


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernel(machine: str) -> None:
    known = numbers(machine)
    ours = {name: number for number, (name, _) in calls_of(machine).items()}
    assert ours == {name: known[name] for name in SHAPES if name in known}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filter_tells_of_these_calls_and_lets_all_others_pass(machine: str) -> None:
    program = watching_program(machine)
    told = set(calls_of(machine))
    audit = architecture(machine).audit
    for number in range(500):
        verdict = run_program(program, SeccompData(number, audit))
        assert verdict == (TELL if number in told else ALLOW)


def test_calls_of_another_processor_are_left_to_the_profile() -> None:
    program = watching_program("x86_64")
    foreign = architecture("aarch64").audit
    assert run_program(program, SeccompData(257, foreign)) == ALLOW


def test_a_notice_is_read_as_the_kernel_wrote_it() -> None:
    told = NOTICE.pack(1 << 63, 7, 0, 257, 0xC000003E, 9, 0xFFFFFF9C, 2, 3, 4, 5, 6)
    assert len(told) == 80  # sizeof(struct seccomp_notif)
    assert parse(told) == Notice(1 << 63, 7, 257, (0xFFFFFF9C, 2, 3, 4, 5, 6))
