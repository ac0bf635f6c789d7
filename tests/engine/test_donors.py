"""Whose processes and memory a container shares: looked up at create, alive at start."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.container.asked import Worlds
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import run
from pyminidock.engine.house import House
from pyminidock.engine.run import StartRefused
from pyminidock.kernel.model.body import ModelBody
from tests.engine.houses import (
    WISH,
    body_of,
    finish,
    house_over,
    kinds,
    prepared,
    started,
)
from tests.engine.studio import DEADLINE_S

SHARED = replace(WISH, name="donor", worlds=Worlds(ipc="shareable"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


def guest(**worlds: str) -> CreateRequest:
    return replace(WISH, worlds=Worlds(**worlds))


def test_a_name_is_kept_as_an_id_for_names_change(house: House) -> None:
    donor = started(house, SHARED)
    made = run.create(house, guest(pid="container:donor", ipc=f"container:{donor.id[:9]}"))
    worlds = house.kept(made).request.worlds
    assert (worlds.pid, worlds.ipc) == (f"container:{donor.id}", f"container:{donor.id}")


def test_a_guest_lives_among_the_donor_s_processes_and_dies_with_the_first(
    house: House,
) -> None:
    donor = started(house, SHARED)
    life = started(house, guest(pid="container:donor", ipc="container:donor"))
    assert donor.process is not None
    assert life.process is not None
    theirs, its = (house.kernel.observe(each) for each in (donor.process, life.process))
    shared = {kind for kind, number in its.namespaces.items()
              if theirs.namespaces.get(kind) == number}  # fmt: skip
    assert {"pid", "ipc"} <= shared
    assert not {"mount", "network", "uts"} & shared
    assert kinds(house, life.story).count("tree.held") == 1
    finish(house, donor)
    assert life.until(lambda: life.exit is not None, DEADLINE_S)
    assert life.exit is not None
    assert life.exit.code == 137


@pytest.mark.parametrize(
    ("kind", "status", "says"),
    [
        ("pid", 500, "failed to join PID namespace: container {} is not running"),
        ("ipc", 409, "failed to join IPC namespace: container {} is not running"),
    ],
)
def test_a_donor_that_does_not_run_has_nothing_to_share(
    house: House, kind: str, status: int, says: str
) -> None:
    donor = run.create(house, SHARED)
    made = run.create(house, guest(**{kind: "container:donor"}))
    with pytest.raises(StartRefused) as refusal:
        run.start(house, made)
    assert (refusal.value.what, refusal.value.status) == (says.format(donor), status)
    assert refusal.value.try_next == "minidock start donor"
    assert house.kept(made).exit_code == 128


@pytest.mark.parametrize(("kind", "status"), [("pid", 500), ("ipc", 400)])
def test_a_donor_that_was_removed_is_missed_at_the_start(
    house: House, kind: str, status: int
) -> None:
    donor = run.create(house, SHARED)
    made = run.create(house, guest(**{kind: "container:donor"}))
    run.remove(house, donor)
    with pytest.raises(StartRefused, match=f"No such container: {donor}") as refusal:
        run.start(house, made)
    assert refusal.value.status == status


def test_memory_is_shared_only_by_one_that_is_made_to(house: House) -> None:
    started(house, replace(WISH, name="shy"))
    made = run.create(house, guest(ipc="container:shy"))
    with pytest.raises(StartRefused, match="non-shareable IPC") as refusal:
        run.start(house, made)
    assert refusal.value.status == 400


def test_nobody_named_shares_nothing(house: House) -> None:
    made = run.create(house, guest(ipc="container:"))
    with pytest.raises(StartRefused, match='invalid name or ID supplied: ""'):
        run.start(house, made)


def test_between_two_runs_a_donor_has_no_process(house: House) -> None:
    donor = started(house, replace(SHARED, restart_policy="always"))
    made = run.create(house, guest(pid="container:donor"))
    assert donor.process is not None
    body_of(house).finish(donor.process.pid, 1)
    assert donor.until(lambda: donor.state.name == "RESTARTING", DEADLINE_S)
    with pytest.raises(StartRefused, match=f"Container {donor.id} is restarting"):
        run.start(house, made)
