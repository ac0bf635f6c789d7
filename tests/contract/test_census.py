"""Who lives in a container and what they use: every kernel can say so."""

import pytest

from pyminidock.kernel.port import ProcessGone
from tests.contract.plans import birth, joining
from tests.contract.stands import Stand, end, start


def test_a_program_lives_with_its_second_programs_and_nobody_else(stand: Stand) -> None:
    first = start(stand, birth(stand.place))
    second = start(stand, joining(stand.place, first, stand.second))
    found = stand.body.members(first)
    end(stand, first)
    stand.body.wait(second, 20.0)
    stand.body.dismiss(second)
    assert sorted((first.pid, second.pid)) == list(found)


def test_what_is_used_only_grows_and_fits_into_the_machine(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    before, after = stand.body.usage(process), stand.body.usage(process)
    end(stand, process)
    tree = stand.body.machine().cgroups
    assert after.version == (tree.version if tree else 0)
    assert after.processors >= 1
    assert 0 <= before.cpu_ns <= after.cpu_ns
    assert before.system_ns <= after.system_ns
    assert 0 < after.memory_bytes <= after.machine_memory_bytes
    assert after.pids >= 1


def test_the_machine_lists_its_processes_with_a_pid_for_each(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    listing = stand.body.list_processes(["-ef"])
    end(stand, process)
    titles, *rows = listing.output.decode().splitlines()
    at = titles.split().index("PID")
    assert listing.status == 0
    assert str(process.pid) in {row.split()[at] for row in rows}


@pytest.mark.parametrize("question", ["members", "usage"])
def test_of_who_is_gone_nothing_is_told(stand: Stand, question: str) -> None:
    process = start(stand, birth(stand.place))
    end(stand, process)
    with pytest.raises(ProcessGone):
        getattr(stand.body, question)(process)
