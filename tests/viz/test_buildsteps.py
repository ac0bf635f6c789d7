"""The fold of a build: at each moment its instructions, its layers, its files."""

import pytest

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.viz.building import Build
from pyminidock.viz.frames import Player
from pyminidock.viz.things import CEILING, World
from pyminidock.viz.world import fold_all
from tests.viz.buildstory import (
    APP,
    CACHED,
    CHAINS,
    COLD,
    EDITED,
    FAILED,
    FAILURE,
    IMAGES,
    STAGES,
    STORIES,
    baked,
    begun,
)


def after(*heard: Event) -> Build:
    return fold_all(baked(heard)).build


def until(story: tuple[Event, ...], kind: type[Event], step: int = 0) -> Build:
    """Give the build right after the last event of this class, of this step."""
    last = max(
        n for n, event in enumerate(story)
        if isinstance(event, kind) and (not step or getattr(event, "step", 0) == step)
    )  # fmt: skip
    return after(*story[: last + 1])


def states(build: Build) -> list[str]:
    return [each.state for each in build.in_order()]


def test_all_instructions_wait_until_their_turn_comes() -> None:
    read = until(COLD, e.InstructionParsed)
    assert states(read) == ["waiting"] * 6
    assert [each.first for each in read.in_order()] == [2, 3, 4, 5, 6, 7]
    assert read.current is None
    third = until(COLD, e.StepStarted, 3)
    assert states(third) == ["done", "done", "going on", "waiting", "waiting", "waiting"]
    assert third.current
    assert third.current.text == "RUN pip install -r requirements.txt"
    assert (third.step, third.total) == (3, 6)


def test_layers_grow_one_by_one_with_their_bytes_and_sharers() -> None:
    assert until(COLD, e.StepStarted, 1).stack == ()
    sizes = []
    for step in range(1, 7):
        build = until(COLD, e.StepFinished, step)
        sizes.append(len(build.stack))
    assert sizes == [2, 3, 4, 4, 5, 5]
    layers = after(*COLD).layers
    assert [layers[chain].origin for chain in CHAINS[:5]] == ["base"] * 2 + ["new"] * 3
    assert [layers[chain].step for chain in CHAINS[:5]] == [1, 1, 2, 3, 5]
    assert layers[CHAINS[0]].names[1] == "docker.io/library/python:latest"
    assert layers[CHAINS[3]].size_bytes == 12_300


def test_files_belong_to_the_step_that_wrote_them() -> None:
    build = after(*COLD)
    told = [(each.change, each.path, each.mode) for each in build.files_of(3)]
    assert told == [
        ("added", "/lib/flask", 0o755), ("added", "/lib/flask/app.py", 0o644),
        ("changed", "/etc/passwd", 0o644), ("deleted", "/tmp/old", 0o600),  # noqa: S108
    ]  # fmt: skip
    assert build.instructions["3"].names == 100
    assert [each.source for each in build.files_of(5)] == ["sample.py"]


def test_a_miss_keeps_all_its_causes_and_a_hit_none() -> None:
    build = after(*EDITED)
    causes = build.instructions["5"].causes
    assert [(each.detail, each.path) for each in causes] == [
        ("content", "sample.py"), ("mode", "sample.py"),
    ]  # fmt: skip
    assert (causes[1].before, causes[1].after) == ("0644", "0755")
    assert build.instructions["2"].is_hit
    assert build.instructions["2"].causes == ()
    assert states(build) == ["done", "cached", "cached", "cached", "done", "done"]
    assert build.instructions["5"].image == APP


def test_a_cached_build_has_its_layers_from_the_cache() -> None:
    build = after(*CACHED)
    assert states(build)[1:] == ["cached"] * 5
    origins = [build.layers[chain].origin for chain in build.stack]
    assert origins == ["base", "base", "cache", "cache", "cache"]
    assert not build.files.items
    assert (build.state, build.names) == ("built", ("docker.io/library/app:latest",))


def test_what_a_step_sets_is_kept_with_its_step() -> None:
    build = after(*COLD)
    (setting,) = build.instructions["6"].settings
    assert (setting.field, setting.before, setting.after) == (
        "command", ("python3",), ("python3", "sample.py"),
    )  # fmt: skip


def test_a_failed_build_says_where_and_how_to_look_around() -> None:
    world = fold_all(baked(FAILED))
    assert world.build.state == "failed"
    assert states(world.build) == ["done", "cached", "failed"] + ["waiting"] * 3
    assert world.build.enter_command == "minidock run -it 000000000000 sh"
    assert world.failures.items[0].what == FAILURE
    assert [each.text for each in world.build.printed.items] == ["no such package\n"]


def test_a_stage_begins_with_its_own_stack_and_an_unneeded_one_is_skipped() -> None:
    assert until(STAGES, e.StepSkipped).instructions["1"].state == "skipped"
    assert len(until(STAGES, e.StepFinished, 3).stack) == 2
    assert until(STAGES, e.StepFinished, 4).stack == ()
    build = after(*STAGES)
    assert states(build) == ["skipped", "done", "done", "done", "done"]
    assert build.stack == (CHAINS[7],)


def test_a_loaded_image_is_a_stack_too_and_the_next_one_another() -> None:
    def unpacked(chain: str) -> Event:
        return e.LayerUnpacked(chain, chain, 10, 1)

    one = (unpacked(CHAINS[0]), e.LayerReused(CHAINS[1]), e.ImageLoaded(APP, ("a",), 2))
    build = after(*one)
    assert build.stack == (CHAINS[0], CHAINS[1])
    assert (build.state, build.image) == ("loaded", APP)
    assert after(*one, unpacked(CHAINS[2])).stack == (CHAINS[2],)


@pytest.mark.parametrize("name", STORIES)
def test_first_to_last_to_first_gives_equal_frames_and_a_jump_is_so_many_steps(
    name: str,
) -> None:
    records = baked(STORIES[name])
    player = Player(records)
    there = [player.go(n) for n in range(player.last + 1)]
    back = [player.go(n) for n in range(player.last, -1, -1)]
    assert back[::-1] == there
    assert there == [fold_all(records[:n]) for n in range(len(records) + 1)]
    for position in (player.last, 3, 20, 0, 11):
        assert player.go(position) == there[position]


@pytest.mark.parametrize("name", STORIES)
def test_every_event_of_a_step_lies_in_the_part_of_its_instruction(name: str) -> None:
    world, parts = World(), []
    for record in baked(STORIES[name]):
        world = fold_all([record], world)
        parts.append((world.steps.items[-1].part, record))
    inside = ""
    for part, record in parts:
        if record.kind == "step.started":
            inside = f"step {record.data['step']}"
        if record.kind in ("cache.missed", "file.copied", "step.finished", "umask.set"):
            assert part == inside, record.kind
        if record.kind == "image.tagged":
            assert not part.startswith("step ")
    assert len({part for part, _ in parts if part.startswith("step ")}) >= 3


def test_a_story_that_is_cut_at_its_head_is_folded_all_the_same() -> None:
    records = baked(COLD)
    for cut in range(len(records)):
        build = fold_all(records[cut:]).build
        assert build.step <= 6


def test_a_build_of_any_length_stays_bounded() -> None:
    heard: list[Event] = []
    for n in range(1, CEILING * 2):
        heard += [
            e.StepStarted(n, n, "0", "RUN x", n), e.CacheMissed(n, "first"),
            *(e.CacheMissed(n, "file", "content", f"{k}") for k in range(9)),
            e.FileChanged(f"/{n}", "added", "file", 0, 0, 0, 0),
            e.StepPrinted(n, "stdout", "x"), e.LayerCommitted(f"{n}", f"{n}", 1, 1),
            e.StepFinished(n, IMAGES[0], 1, False),
        ]  # fmt: skip
    build = after(*heard)
    assert len(build.instructions) == len(build.layers) == CEILING
    assert len(build.stack) <= CEILING
    assert len(build.files.items) <= CEILING
    assert max(len(each.causes) for each in build.instructions.values()) == 8


def test_a_step_without_a_number_before_it_is_no_mistake() -> None:
    assert after(begun(3)).step == 3
