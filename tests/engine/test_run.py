"""The story of a container: what each verb answers, tells, and leaves behind."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from pyminidock.container.states import NothingToDo, State, VerbRefused
from pyminidock.engine import attaching, inspect, run
from pyminidock.engine.house import House
from pyminidock.engine.lives import ContainerBusy
from pyminidock.engine.run import StartRefused
from pyminidock.errors import MinidockError
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import BirthAborted, ExitStatus, ProcessGone
from pyminidock.store.images import NoSuchImage
from pyminidock.store.records import NameTaken, NoSuchContainer
from tests.engine.houses import (
    WISH,
    body_of,
    finish,
    house_over,
    kinds,
    left_in,
    prepared,
    started,
    state_of,
)
from tests.engine.studio import DEADLINE_S


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


def test_a_container_that_is_being_made_is_in_nobody_s_list(house: House) -> None:
    """Its record is on disk before it is admitted, and others may look in between."""
    container = run.create(house, WISH)
    house.keep(replace(house.kept(container), id="f" * 64))
    assert [life.id for life in house.lives()] == [container]


# ── One whole story ──────────────────────────────────────────────────────────────────────


def test_a_run_is_one_story_from_create_to_remove(house: House, tmp_path: Path) -> None:
    before, world = state_of(tmp_path), left_in(body_of(house))
    life = started(house, replace(WISH, auto_remove=True))
    finish(house, life, 3)
    assert life.until(lambda: life.is_gone, DEADLINE_S)
    assert life.exit is not None
    assert life.exit.code == 3
    told = list(dict.fromkeys(kinds(house, life.story)))
    birth = told.index("plan.made"), told.index("container.started")
    assert told[: birth[0] + 2] == [
        "image.found", "user.resolved", "spec.resolved", "snapshot.prepared",
        "container.created", "plan.made", "cgroup.created",
    ]  # fmt: skip
    assert told[birth[1] - 1 :] == [
        "endpoint.made", "container.started", "isolation.observed", "endpoint.released",
        "container.exited", "cgroup.removed", "snapshot.removed", "container.removed",
    ]  # fmt: skip
    assert state_of(tmp_path) == before
    assert left_in(body_of(house)) == world


def test_steps_nest_and_every_parent_is_an_earlier_event(house: House) -> None:
    life = started(house)
    finish(house, life)
    house.recorder.flush()
    records = {record.seq: record for record in house.journals.read(life.story).records}
    for record in records.values():
        assert record.parent == 0 or record.parent < record.seq
        if record.parent:
            assert records[record.parent].operation == record.operation
    by_phase = {record.kind: record.phase for record in records.values()}
    assert by_phase["root.pivoted"] == "birth"
    assert by_phase["container.started"] == "start"
    assert by_phase["container.created"] == "create"
    assert all(one < two for one, two in pairwise(records))


def test_a_request_opens_its_operation(house: House) -> None:
    container = run.create(house, WISH, via=("POST", "/containers/create"))
    run.start(house, container, via=("POST", f"/containers/{container}/start"))
    story = house.life(container).story
    assert kinds(house, story).count("request.received") == 2
    assert kinds(house, story)[0] == "request.received"


# ── Create ───────────────────────────────────────────────────────────────────────────────


def test_what_no_start_can_do_is_created_and_refused_at_every_start(house: House) -> None:
    life = run.create(house, replace(WISH, user="nobody-of-this-name"))
    for _ in range(2):
        with pytest.raises(StartRefused) as refused:
            run.start(house, life)
        assert refused.value.what.startswith("unable to find user nobody-of-this-name")
        assert (refused.value.status, refused.value.exit_code) == (500, 128)
    state = inspect.inspect(house, life)["State"]
    assert (state["Status"], state["ExitCode"]) == ("created", 128)
    assert state["Error"] == refused.value.what


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (replace(WISH, image="nope"), NoSuchImage),
        (replace(WISH, name="taken"), NameTaken),
        (replace(WISH, name="../x"), MinidockError),
        (replace(WISH, memory_bytes=1), MinidockError),
        (replace(WISH, cap_add=("NOPE",)), MinidockError),
        (replace(WISH, working_directory="relative"), MinidockError),
    ],
)
def test_a_create_that_is_refused_leaves_nothing_but_its_story(
    house: House, tmp_path: Path, wish: object, refusal: type[MinidockError]
) -> None:
    run.create(house, replace(WISH, name="taken"))
    before = state_of(tmp_path)
    with pytest.raises(refusal) as refused:
        run.create(house, wish)  # type: ignore[arg-type]
    assert refused.value.status in (400, 404, 409)
    assert state_of(tmp_path) == before
    assert len(house.lives()) == 1
    house.recorder.flush()
    assert kinds(house, house.journals.last())[-1] == "request.refused"


def test_a_name_that_nobody_chose_is_a_new_one_each_time(house: House) -> None:
    names = {house.kept(run.create(house, WISH)).name for _ in range(30)}
    assert len(names) == 30
    assert all("_" in name for name in names)


def test_engine_files_are_there_and_readable_for_everybody(house: House) -> None:
    container = run.create(house, replace(WISH, hostname="web"))
    directory = house.directory(container)
    assert (directory / "hostname").read_text() == "web\n"
    assert "127.0.0.1\tlocalhost\n" in (directory / "hosts").read_text()
    for name in ("hostname", "hosts", "resolv.conf"):
        assert (directory / name).stat().st_mode & 0o777 == 0o644


# ── Start ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("index", range(110))
def test_a_start_that_fails_at_any_call_leaves_nothing_behind(
    tmp_path: Path, index: int
) -> None:
    body = ModelBody(fail_at=index)
    with house_over(prepared(tmp_path), body) as house:
        container = run.create(house, WISH)
        before, world = state_of(tmp_path), left_in(body)
        life = house.life(container)
        try:
            run.start(house, container)
        except StartRefused as refusal:
            assert refusal.exit_code in (126, 127, 128)  # noqa: PT017
            assert state_of(tmp_path) == before
            assert left_in(body) == world
            assert life.state is State.CREATED
            assert kinds(house, life.story)[-2:] == [
                "container.start.failed",
                "request.refused",
            ]
        else:
            told = kinds(house, life.story)
            assert told.index("program.executed") - told.index("plan.made") <= index
            run.remove(house, container, force=True)


def test_the_sweep_above_reaches_every_call(tmp_path: Path) -> None:
    with house_over(prepared(tmp_path), ModelBody()) as house:
        told = kinds(house, started(house).story)
    assert told.index("program.executed") - told.index("plan.made") <= 110


def test_a_failed_start_of_a_container_that_removes_itself_removes_it(
    tmp_path: Path,
) -> None:
    with house_over(prepared(tmp_path), ModelBody(fail_at=20)) as house:
        before = state_of(tmp_path)
        container = run.create(house, replace(WISH, auto_remove=True))
        life = house.life(container)
        with pytest.raises(StartRefused):
            run.start(house, container)
        assert life.is_gone
        assert life.exit == ExitStatus(128)
        assert state_of(tmp_path) == before


def test_a_running_container_is_not_started_twice(house: House) -> None:
    life = started(house)
    with pytest.raises(NothingToDo) as nothing:
        run.start(house, life.name)
    assert nothing.value.status == 304
    assert "request.refused" not in kinds(house, life.story)


def test_a_container_can_run_again(house: House) -> None:
    life = started(house)
    finish(house, life, 1)
    run.start(house, life.id)
    assert life.state is State.RUNNING
    finish(house, life, 2)
    assert run.wait(house, life.id) == life.exit
    assert life.exit is not None
    assert life.exit.code == 2
    assert kinds(house, life.story).count("container.exited") == 2


# ── Aborting at a gate ───────────────────────────────────────────────────────────────────


def birth_kinds(root: Path) -> list[str]:
    with house_over(prepared(root), ModelBody()) as house:
        told = kinds(house, started(house).story)
    birth = told[told.index("plan.made") : told.index("birth.ready") + 1]
    return list(dict.fromkeys(birth))


def test_aborting_at_each_step_of_a_birth_leaves_nothing_behind(tmp_path: Path) -> None:
    for number, kind in enumerate(birth_kinds(tmp_path / "first")):
        root = tmp_path / str(number)
        body = ModelBody()
        with house_over(prepared(root), body) as house:
            container = run.create(house, WISH)
            before, world = state_of(root), left_in(body)
            life = house.life(container)
            gate = house.recorder.gate(life.story, kind)
            outcome: list[BaseException] = []

            def start(
                house: House = house, container: str = container,
                outcome: list[BaseException] = outcome,
            ) -> None:  # fmt: skip
                try:
                    run.start(house, container)
                except BirthAborted as abort:
                    outcome.append(abort)

            thread = Thread(target=start)
            thread.start()
            held = gate.next_held(DEADLINE_S)
            assert held is not None
            assert held.kind == kind
            gate.abort()
            gate.close()
            thread.join(DEADLINE_S)
            assert len(outcome) == 1, kind
            assert state_of(root) == before, kind
            assert left_in(body) == world
            assert life.state is State.CREATED
            run.remove(house, container)


def test_aborting_a_create_when_all_is_done_leaves_nothing_behind(
    house: House, tmp_path: Path
) -> None:
    ids = ModelBody()  # the same sequence in every model; three were for networks
    story = f"run-{[ids.new_id() for _ in range(4)][-1][:12]}"
    house.recorder.story(story, "a container to come")
    gate = house.recorder.gate(story, "container.created")
    before = state_of(tmp_path)
    raised: list[str] = []

    def create() -> None:
        try:
            run.create(house, WISH)
        except BirthAborted as abort:
            raised.append(abort.what)

    thread = Thread(target=create)
    thread.start()
    assert gate.next_held(DEADLINE_S)
    gate.abort()
    gate.close()
    thread.join(DEADLINE_S)
    assert raised == ["create-1 was aborted at container.created"]
    assert house.lives() == ()
    assert state_of(tmp_path) == before


def test_a_container_whose_client_went_while_it_was_held_can_be_removed(
    house: House,
) -> None:
    container = run.create(house, WISH)
    life = house.life(container)
    gate = house.recorder.gate(life.story, "root.pivoted")
    thread = Thread(target=run.start, args=(house, container))
    thread.start()
    assert gate.next_held(DEADLINE_S)
    with pytest.raises(ContainerBusy):
        run.remove(house, container)
    gate.close()
    thread.join(DEADLINE_S)
    run.remove(house, container, force=True)
    assert life.is_gone


def test_aborting_once_the_program_runs_ends_it(house: House) -> None:
    container = run.create(house, WISH)
    life = house.life(container)
    gate = house.recorder.gate(life.story, "container.started")
    raised: list[str] = []

    def start() -> None:
        try:
            run.start(house, container)
        except BirthAborted as abort:
            raised.append(abort.what)

    thread = Thread(target=start)
    thread.start()
    assert gate.next_held(DEADLINE_S)
    gate.abort()
    gate.close()
    thread.join(DEADLINE_S)
    assert raised == ["start-2 was aborted at container.started"]
    assert life.until(lambda: life.state is State.EXITED and not life.busy, DEADLINE_S)
    assert life.exit is not None
    assert life.exit.code == 137


def test_what_lived_ends_as_it_ended_however_late_its_abort_is_told(house: House) -> None:
    container = run.create(house, WISH)
    life = house.life(container)
    gate = house.recorder.gate(life.story, "container.started")
    late = house.recorder.gate(life.story, "container.start.failed")

    def start() -> None:
        with suppress(BirthAborted):
            run.start(house, container)

    thread = Thread(target=start)
    thread.start()
    assert gate.next_held(DEADLINE_S)
    gate.abort()
    gate.close()
    assert late.next_held(DEADLINE_S)
    assert life.until(lambda: life.state is State.EXITED and life.busy != "end", DEADLINE_S)
    late.close()
    thread.join(DEADLINE_S)
    assert life.exit is not None
    assert life.exit.code == 137


# ── Attach, wait, kill ───────────────────────────────────────────────────────────────────


def test_who_took_a_place_before_the_start_hears_everything(house: House) -> None:
    container = run.create(house, WISH)
    life = house.life(container)
    place = run.attach(house, container)
    assert place.streams(0) is None
    run.start(house, container)
    assert life.process is not None
    body_of(house).say(life.process.pid, b"hi\n")
    body_of(house).finish(life.process.pid)
    streams = place.streams(DEADLINE_S)
    assert streams is not None
    assert streams.read() == (1, b"hi\n")
    assert streams.read() is None
    assert life.until(lambda: life.watchers == 0, DEADLINE_S)


def test_a_place_that_was_given_up_leaves_no_connection_that_nobody_reads(
    house: House,
) -> None:
    container = run.create(house, WISH)
    places = [run.attach(house, container) for _ in range(3)]
    places[0].close()
    places[0].close()
    run.start(house, container)
    assert house.life(container).bespoken == 2
    places[1].close()
    streams = places[2].streams(DEADLINE_S)
    assert streams is not None
    streams.close()
    assert house.life(container).watchers == 0


def test_a_place_before_a_start_that_fails_is_over(tmp_path: Path) -> None:
    with house_over(prepared(tmp_path), ModelBody(fail_at=9)) as house:
        container = run.create(house, WISH)
        place = run.attach(house, container)
        assert not place.is_over
        with pytest.raises(StartRefused):
            run.start(house, container)
        assert place.streams(DEADLINE_S) is None
        assert place.is_over


def test_waiting_begins_before_the_start_and_ends_with_the_program(house: House) -> None:
    container = run.create(house, WISH)
    life = house.life(container)
    is_so = life.outcome("next-exit")
    assert not is_so()
    run.start(house, container)
    assert not is_so()
    finish(house, life, 5)
    assert is_so()
    assert run.wait(house, container, timeout_s=0) == life.exit


def test_waiting_has_a_deadline(house: House) -> None:
    life = started(house)
    assert run.wait(house, life.id, timeout_s=0) is None
    assert run.wait(house, life.id, condition="removed", timeout_s=0) is None


def test_the_answer_comes_at_the_end_of_the_program_not_of_the_clearing_up(
    house: House,
) -> None:
    life = started(house)
    gate = house.recorder.gate(life.story, "cgroup.removed")
    assert life.process is not None
    body_of(house).finish(life.process.pid, 7)
    status = run.wait(house, life.id, timeout_s=DEADLINE_S)
    assert status is not None
    assert status.code == 7
    assert gate.next_held(DEADLINE_S)
    assert life.busy == "end"
    gate.close()


def test_a_signal_is_told_and_ends_the_program(house: House) -> None:
    life = started(house)
    run.kill(house, life.name, 15)
    status = run.wait(house, life.id, timeout_s=DEADLINE_S)
    assert status is not None
    assert status.code == 143
    assert "container.signalled" in kinds(house, life.story)


def test_only_what_runs_can_be_spoken_to(house: House) -> None:
    container = run.create(house, WISH)
    for speak in (run.kill, lambda h, c: attaching.resize(h, c, 24, 80)):
        with pytest.raises(VerbRefused) as refusal:
            speak(house, container)
        assert "is not running" in refusal.value.what


# ── Remove ───────────────────────────────────────────────────────────────────────────────


def test_what_runs_is_removed_only_by_force(house: House, tmp_path: Path) -> None:
    before = state_of(tmp_path)
    life = started(house, replace(WISH, name="web"))
    with pytest.raises(VerbRefused) as refusal:
        run.remove(house, "web")
    assert refusal.value.what == (
        'cannot remove container "/web": container is running: stop the container before'
        " removing or force remove"
    )
    run.remove(house, "web", force=True)
    assert life.is_gone
    assert state_of(tmp_path) == before
    with pytest.raises(NoSuchContainer):
        house.life("web")


def test_a_name_is_free_after_removal(house: House) -> None:
    for _ in range(3):
        run.remove(house, run.create(house, replace(WISH, name="web")))


def test_the_end_of_a_story_ends_whoever_follows_it(house: House) -> None:
    life = started(house)
    heard: list[str] = []
    reader = Thread(
        target=lambda: heard.extend(r.kind for r in house.recorder.follow(life.story))
    )
    reader.start()
    run.remove(house, life.id, force=True)
    reader.join(DEADLINE_S)
    assert heard == kinds(house, life.story)


def test_a_process_that_is_gone_before_it_was_looked_at_is_told_so(
    tmp_path: Path,
) -> None:
    class Hasty(ModelBody):
        """A kernel whose programs end before anybody can look at them."""

        def observe(self, process, *, briefly=False):  # type: ignore[no-untyped-def]
            """Find nobody."""
            raise ProcessGone("gone", why="quick", try_next="again")

    with house_over(prepared(tmp_path), Hasty()) as house:
        life = started(house)
        finish(house, life)
        assert "isolation.unobserved" in kinds(house, life.story)
