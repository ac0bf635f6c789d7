"""Many accounts are opened at once below a group that is not there yet; all can be used."""

import os
from pathlib import Path
from threading import Barrier, Thread

import pytest

from pyminidock.kernel.linux import cgroups

AT_ONCE, ROUNDS = 16, 30


@pytest.mark.edge
def test_accounts_below_a_new_group_take_processes_however_many_come_at_once() -> None:
    tree = cgroups.find_tree()
    assert tree is not None
    for number in range(ROUNDS):
        for _, top in tree.hierarchies:
            above = Path(top, f"minidock-at-once-{os.getpid()}-{number}")
            try:
                assert empty_cpusets(above) == []
            finally:
                for path in (*sorted(above.glob("child-*")), above):
                    cgroups.remove(str(path))


def empty_cpusets(above: Path) -> list[str]:
    """Make children at once; name those that would take no process."""
    start = Barrier(AT_ONCE)

    def make(name: str) -> None:
        start.wait()
        cgroups.make(str(above / name))

    threads = [Thread(target=make, args=(f"child-{n}",)) for n in range(AT_ONCE)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    made = [above / f"child-{n}" for n in range(AT_ONCE)]
    return [
        str(path)
        for path in made
        if (path / "cgroup.clone_children").exists()  # on v2 an empty one inherits
        and (path / "cpuset.cpus").exists()
        and not (path / "cpuset.cpus").read_text().strip()
    ]
