"""Volumes that are filesystems of their own: who has them mounted, and for how long."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.container.asked import Places
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import run, volumemounts, volumes
from pyminidock.engine.house import House
from pyminidock.engine.reconcile import reconcile
from pyminidock.engine.starting import StartRefused
from pyminidock.kernel.answers import HostMount
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.model.world import ENGINE
from tests.engine.houses import body_of, finish, house_over, prepared, started

MEMORY = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
ABROAD = {"type": "nfs", "device": ":/x"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path / "root"), ModelBody()) as made:
        volumes.create(made, "mem", options=MEMORY)
        yield made


def wish(*binds: str) -> CreateRequest:
    return CreateRequest(
        "busybox", command=("sleep", "60"), network_mode="none", places=Places(binds=binds)
    )


def mounted(house: House) -> list[str]:
    """The volumes that hang in the host's table, by name."""
    world = body_of(house).world
    above = f"{house.root}/volumes/"
    return [
        row.target[len(above) :].partition("/")[0]
        for row in world.mounts[world.tasks[ENGINE].namespaces["mount"]]
        if row.target.startswith(above)
    ]


def test_it_is_mounted_for_its_first_user_and_until_its_last(house: House) -> None:
    run.create(house, wish("mem:/m"))
    assert mounted(house) == []
    one, two = started(house, wish("mem:/m")), started(house, wish("mem:/n"))
    assert mounted(house) == ["mem"]
    finish(house, one)
    assert mounted(house) == ["mem"]
    finish(house, two)
    assert mounted(house) == []


def test_a_start_that_fails_leaves_nothing_mounted(house: House) -> None:
    volumes.create(house, "bad", options=ABROAD)
    made = run.create(house, wish("mem:/a", "bad:/b"))
    with pytest.raises(StartRefused) as refusal:
        run.start(house, made)
    place = house.store.volumes.data("bad")
    assert refusal.value.what == (
        f"error while mounting volume '{place}': failed to mount local volume: "
        f"mount :/x:{place}: no such device"
    )
    assert mounted(house) == []
    assert house.volumes.users == {}


def test_who_looks_for_a_while_has_it_for_a_while(house: House) -> None:
    points = house.kept(run.create(house, wish("mem:/m"))).spec.points
    with volumemounts.held(house, points, "look"):
        assert mounted(house) == ["mem"]
    assert mounted(house) == []


def test_what_a_killed_engine_left_mounted_goes_before_the_volume_does(
    house: House,
) -> None:
    """It may be a tree of the host, whose files are nobody's to remove."""
    place = str(house.store.volumes.data("mem"))
    house.kernel.mount(HostMount("tmpfs", place, "tmpfs"))
    volumes.remove(house, "mem")
    assert mounted(house) == []


def test_a_new_engine_leaves_who_runs_what_he_has_and_unmounts_the_rest(
    tmp_path: Path,
) -> None:
    root, body = prepared(tmp_path / "root"), ModelBody()
    with house_over(root, body) as first:
        volumes.create(first, "mem", options=MEMORY)
        volumes.create(first, "stale", options=MEMORY)
        life = started(first, wish("mem:/m"))
        place = str(first.store.volumes.data("stale"))
        first.kernel.mount(HostMount("tmpfs", place, "tmpfs"))
    with house_over(root, body) as second:
        reconcile(second)
        assert mounted(second) == ["mem"]
        assert second.volumes.users == {"mem": {life.id}}
        finish(second, second.life(life.id))
        assert mounted(second) == []
