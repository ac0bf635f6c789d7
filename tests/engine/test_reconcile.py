"""What an engine left is adopted, finished or undone by the next one, once."""

from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from pyminidock.container.asked import Places
from pyminidock.container.states import State
from pyminidock.engine import inspect, run
from pyminidock.engine.starting import StartRefused
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import BirthAborted
from tests.engine.houses import (
    WISH,
    finish,
    house_over,
    kinds,
    left_in,
    prepared,
    started,
    state_of,
)
from tests.engine.studio import DEADLINE_S


def test_a_container_that_lives_is_adopted_and_its_end_is_told(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        life = started(first, replace(WISH, name="web"))
    with house_over(tmp_path, body) as second:
        again = second.life("web")
        assert again.state is State.RUNNING
        assert again.process == life.process
        finish(second, again, 6)
        assert again.exit is not None
        assert again.exit.code == 6
        assert kinds(second, again.story).count("container.exited") == 1
        seqs = [each.seq for each in second.journals.read(again.story).records]
        assert seqs == sorted(set(seqs))  # one story, counted on


def test_the_end_that_came_while_no_engine_looked_is_told_by_the_next(
    tmp_path: Path,
) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        life = started(first)
        assert life.process is not None
    body.finish(life.process.pid, 9)
    with house_over(tmp_path, body) as second:
        again = second.life(life.id)
        assert again.until(
            lambda: again.state is State.EXITED and not again.busy, DEADLINE_S
        )
        assert again.exit is not None
        assert again.exit.code == 9
        assert second.kept(life.id).exit_code == 9
    with house_over(tmp_path, body) as third:
        assert third.life(life.id).exit is not None
        assert kinds(third, life.story).count("container.exited") == 1


def test_a_container_without_a_shim_has_exited_137(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        life = started(first)
        first.keep(replace(first.kept(life.id), state="running", pid=5))
    with house_over(tmp_path, ModelBody()) as second:  # after a reboot, say
        again = second.life(life.id)
        assert again.state is State.EXITED
        assert again.exit is not None
        assert again.exit.code == 137


@pytest.mark.parametrize("state", ["created", "starting", "running", "living"])
def test_a_container_of_a_build_goes_with_its_build(tmp_path: Path, state: str) -> None:
    """Nobody waits for it any more, whether it runs, has ended or never began."""
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        if state == "living":
            container, wanted = started(first).id, "running"
        else:
            container, wanted = run.create(first, WISH), state
        kept = first.kept(container)
        first.keep(replace(kept, state=wanted, build="build-0123456789ab"))
    with house_over(tmp_path, body) as second:
        assert second.lives() == ()
        assert list((tmp_path / "containers").iterdir()) == []
        assert left_in(body)[0] == set()
        told = kinds(second, "build-0123456789ab")
        assert ("container.exited" in told) == (state == "living")
        assert {"orphan.removed", "container.removed"} <= {*told}


def test_a_half_born_container_is_as_it_was_before(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        container = run.create(first, WISH)
        before = state_of(tmp_path)
        kept = first.kept(container)
        first.keep(replace(kept, state="starting", started=1.0))
        directory = first.directory(container)
        (directory / "upper" / "dev").mkdir()
        (directory / "shim.json").touch()
        (directory / "shim.sock").touch()
    with house_over(tmp_path, body) as second:
        life = second.life(container)
        assert life.state is State.CREATED
        now = state_of(tmp_path)
        config = f"containers/{container}/config.json"
        assert {p: now[p] for p in now if p != config} == {
            p: before[p] for p in before if p != config
        }
        told = second.journals
        second.recorder.flush()
        orphans = [r for r in told.read(life.story).records if r.kind == "orphan.removed"]
        assert [record.data["what"] for record in orphans] == ["birth"]
    with house_over(tmp_path, body) as third:
        assert kinds(third, life.story).count("orphan.removed") == 1  # once


def test_a_birth_held_when_the_engine_was_killed_leaves_nothing(tmp_path: Path) -> None:
    """The kernel undoes what it was performing; the record is undone by the next engine."""
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        container = run.create(first, WISH)
        world = left_in(body)
        life = first.life(container)
        gate = first.recorder.gate(life.story, "root.pivoted")

        def start() -> None:
            with pytest.raises(BirthAborted):
                run.start(first, container)

        thread = Thread(target=start)
        thread.start()
        assert gate.next_held(DEADLINE_S)
        as_killed = (first.directory(container) / "config.json").read_bytes()
        gate.abort()  # what the end of the daemon does to its newborn
        thread.join(DEADLINE_S)
        (first.directory(container) / "config.json").write_bytes(as_killed)
    with house_over(tmp_path, body) as second:
        assert second.kept(container).state == "created"
        assert left_in(body) == world
        run.start(second, container)  # and it can be started
        finish(second, second.life(container))


def test_a_removal_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        before = state_of(tmp_path)
        container = run.create(first, replace(WISH, auto_remove=True))
        kept = first.kept(container)
        first.keep(replace(kept, state="exited", finished=5.0, exit_code=3))
    with house_over(tmp_path, body) as second:
        assert second.lives() == ()
        assert state_of(tmp_path) == before


def test_what_belongs_to_nobody_is_removed_and_told(tmp_path: Path) -> None:
    prepared(tmp_path)
    (tmp_path / "containers" / ("cd" * 32) / "upper" / "deep").mkdir(parents=True)
    (tmp_path / "trash" / "half").mkdir(parents=True)
    with house_over(tmp_path, ModelBody()) as house:
        assert list((tmp_path / "containers").iterdir()) == []
        assert list((tmp_path / "trash").iterdir()) == []
        assert kinds(house, "engine") == ["orphan.removed"] * 2
    with house_over(tmp_path, ModelBody()) as again:
        assert kinds(again, "engine") == ["orphan.removed"] * 2


@pytest.mark.parametrize("damage", [b"{", b'{"v":1,"id":"ID","name":"web"}'])
def test_a_damaged_record_is_set_aside_and_everything_else_starts(
    tmp_path: Path, damage: bytes
) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        damaged = run.create(first, replace(WISH, name="web"))
        whole = run.create(first, WISH)
        path = first.directory(damaged) / "config.json"
        path.write_bytes(damage.replace(b"ID", damaged.encode()))
    with house_over(tmp_path, body) as second:
        assert [life.id for life in second.lives()] == [whole]
        (aside,) = (tmp_path / "quarantine").iterdir()
        assert aside.name.endswith(damaged)
        assert (aside / "upper").is_dir()
        assert kinds(second, "engine") == ["orphan.removed"]
        run.create(second, replace(WISH, name="web"))  # the name is free


def test_an_engine_with_nothing_to_do_tells_nothing(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        run.create(first, WISH)
    before = state_of(tmp_path)
    with house_over(tmp_path, body) as second:
        assert not second.journals.has("engine")
    assert state_of(tmp_path) == before


def test_what_a_failed_start_said_is_known_to_the_next_engine(tmp_path: Path) -> None:
    body = ModelBody(fail_at=20)
    with house_over(prepared(tmp_path), body) as house:
        container = run.create(house, WISH)
        with pytest.raises(StartRefused) as refusal:
            run.start(house, container)
        before = inspect.inspect(house, container)["State"]
    with house_over(tmp_path, ModelBody()) as house:
        state = inspect.inspect(house, container)["State"]
    assert state == before
    assert (state["Status"], state["Error"]) == ("created", refusal.value.what)


def test_what_removes_itself_takes_its_unnamed_volumes_along_after_a_reboot_too(
    tmp_path: Path,
) -> None:
    """Not those that another container has, which the new engine comes to know later."""
    body = ModelBody()
    places = Places(volumes=("/mine", "/shared"))
    with house_over(prepared(tmp_path), body) as first:
        gone = started(first, replace(WISH, auto_remove=True, places=places))
        mine, shared = (point.name for point in first.kept(gone.id).spec.points)
        borrowed = Places(binds=(f"{shared}:/borrowed",))
        for _ in range(8):  # of whom some come later, whatever the order
            run.create(first, replace(WISH, places=borrowed))
        first.keep(replace(first.kept(gone.id), state="running", pid=5))
    with house_over(tmp_path, ModelBody()) as second:
        left = {row.name for row in second.store.volumes.all()}
        assert mine not in left
        assert shared in left
        assert kinds(second, gone.story).count("volume.removed") == 1
        assert len(second.lives()) == 8
