"""The pictures of a build: why a step was done, and what is in the image."""

import re
from collections.abc import Callable

import pytest

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.viz.painters.text import columns, paint
from pyminidock.viz.scene import PRIMITIVES, Node, Scene
from pyminidock.viz.things import EMPTY, World
from pyminidock.viz.views.build import build, decision, instructions
from pyminidock.viz.views.compare import compare
from pyminidock.viz.views.layers import layers
from pyminidock.viz.views.steps import steps
from pyminidock.viz.world import fold_all
from tests.viz.buildstory import (
    CACHED,
    CHAINS,
    COLD,
    EDITED,
    FAILED,
    FAILURE,
    FROM,
    OPENING,
    STAGES,
    STORIES,
    TOTAL,
    baked,
    ended,
)
from tests.viz.test_scene import HOSTILE

VIEWS: tuple[Callable[[World], Scene], ...] = (
    instructions, decision, layers, build, steps,
)  # fmt: skip


def at(story: tuple[Event, ...], kind: type[Event], step: int = 0) -> World:
    """Give the world right after the last event of this class, of this step."""
    last = max(
        n for n, event in enumerate(story)
        if isinstance(event, kind) and (not step or getattr(event, "step", 0) == step)
    )  # fmt: skip
    return fold_all(baked(story[: last + 1]))


def test_the_dockerfile_shows_how_far_it_is_and_what_each_step_cost() -> None:
    text = paint(instructions(at(COLD, e.StepStarted, 4)), 60)
    assert [line.split() for line in text.splitlines()[2:]] == [
        ["2", "FROM", "python", "base"],
        ["3", "○", "COPY", "requirements.txt", ".", "12", "ms"],
        ["4", "○", "RUN", "pip", "install", "-r", "requirements.txt", "4.48", "s"],
        ["►", "5", "✎", "ENV", "LEVEL=1", "now"],
        ["6", "·", "COPY", "sample.py", "."],
        ["7", "·", "CMD", '["python3",', '"sample.py"]'],
    ]
    assert text.startswith("── Dockerfile: step 4 of 6 ─")


def test_a_long_instruction_gives_way_at_its_end_in_a_narrow_pane() -> None:
    text = paint(instructions(at(COLD, e.StepStarted, 3)), 39)
    (line,) = [each for each in text.splitlines() if each.startswith("► 4")]
    assert line == "► 4  ✎  RUN pip install -r requ…  now"


def test_a_miss_names_the_file_and_both_digests() -> None:
    text = paint(decision(at(EDITED, e.CacheMissed, 5)), 60)
    assert text.splitlines()[0].startswith("── Why is step 5 done? ─")
    assert "○ sample.py has another content" in text
    assert f"{'1' * 12} → {'2' * 12}" in text
    assert "○ sample.py has another mode" in text
    assert "0644 → 0755" in text


def test_a_step_that_only_follows_names_the_one_with_which_it_began() -> None:
    text = paint(decision(at(EDITED, e.CacheMissed, 6)), 60)
    assert "The step before it was done again" in text
    assert "It began with step 5: sample.py has another content" in text
    assert "It began" not in paint(decision(at(EDITED, e.CacheMissed, 5)), 60)
    assert "It began" not in paint(decision(at(COLD, e.CacheMissed, 2)), 60)


def test_a_hit_says_that_nothing_was_done_and_what_that_saved() -> None:
    text = paint(decision(at(CACHED, e.StepFinished, 3)), 60)
    assert text.startswith("── Why was step 3 not done? ─")
    assert "● It was done before: the cache has its image" in text
    assert "It would have taken 12 ms" in text


def test_the_names_of_a_step_have_a_sign_a_mode_and_a_size() -> None:
    text = paint(decision(at(COLD, e.StepFinished, 3)), 60)
    rows = [line.split() for line in text.splitlines()]
    assert ["+", "/lib/flask/", "0755"] in rows
    assert ["+", "/lib/flask/app.py", "0644", "12", "kB"] in rows
    assert ["~", "/etc/passwd", "0644", "300", "B"] in rows
    assert ["−", "⊘", "/tmp/old", "0600", "99", "B"] in rows  # noqa: S108
    assert "96 names more, and these:" in text
    assert "installed flask" in text
    assert r"careful: \x1b[2J" in text


def test_what_a_step_set_is_before_and_after() -> None:
    assert "✎ ENV: – → LEVEL=1" in paint(decision(at(COLD, e.StepFinished, 4)), 60)
    command = paint(decision(at(COLD, e.StepFinished, 6)), 60)
    assert "✎ CMD: python3 → python3 sample.py" in command


def test_the_stack_has_letters_bytes_and_who_shares() -> None:
    text = paint(layers(fold_all(baked(COLD))), 60)
    assert text.startswith("── The image: 5 layers, 75 MB ─")
    assert [" ".join(line.split()) for line in text.splitlines()[1:]] == [
        "✎ E step 5 1.5 kB 1 name (1 inside)",
        "✎ D step 3 12.3 kB 4 names (4 inside)",
        "✎ C step 2 6 B 1 name (1 inside)",
        "· B base 73 MB 752 names",
        "· A base 2 MB 288 names also in alpine +1",
    ]


def test_an_image_does_not_share_its_layers_with_itself() -> None:
    name = "docker.io/library/app:latest"
    again = (
        e.LayerFound("c1", "d1", 5, 1, ("docker.io/library/alpine:latest", name)),
        e.LayerFound("c2", "d2", 5, 1, (name,)),
    )  # fmt: skip
    before = paint(layers(fold_all(baked(again))), 60)
    assert before.count("also in") == 2, "so far it is another image of that name"
    named = (*again, e.ImageTagged("sha256:1", "app:latest"))
    rows = [
        " ".join(row.split()) for row in paint(layers(fold_all(baked(named)))).splitlines()
    ]
    assert [row.partition("also in ")[2] for row in rows[1:]] == ["", "alpine"]


def test_the_stack_of_a_loaded_image_says_what_was_here_already() -> None:
    loaded = (
        e.LayerReused("c1"), e.LayerUnpacked("c2", "d2", 15, 2),
        e.ImageLoaded("sha256:1", ("a",), 2),
    )  # fmt: skip
    text = paint(layers(fold_all(baked(loaded))), 60)
    assert text.startswith("── The image: 2 layers ─")
    rows = [" ".join(line.split()) for line in text.splitlines()[1:]]
    assert rows == ["✎ B archive 15 B 2 names", "● A archive was here"]


def test_what_a_base_left_to_be_done_has_its_price_and_its_layer() -> None:
    """ONBUILD: the FROM of whoever builds on it does more than choose a base."""
    left = e.StepStarted(1, TOTAL, "0", "ONBUILD RUN make", 2)
    story = baked((
        *OPENING, *FROM[:-1], left, e.CacheMissed(1, "first"),
        e.LayerCommitted(CHAINS[2], CHAINS[2], 6, 1), ended(1, 1200), ended(1, 1234),
    ))  # fmt: skip
    world = fold_all(story)
    shown = paint(build(world), 100)
    assert "1.23 s" in paint(instructions(world), 100).splitlines()[2]
    assert "Its base left 1 instruction to be done here (ONBUILD)" in shown
    assert "It took 1.23 s" in shown
    assert "step 1" in paint(layers(world), 100)
    plain = fold_all(baked((*OPENING, *FROM)))
    assert "It took" not in paint(build(plain), 100)


def test_a_failure_is_told_with_the_way_in() -> None:
    text = " ".join(paint(decision(fold_all(baked(FAILED))), 60).split())
    assert "Why did step 3 fail?" in text
    assert FAILURE in text
    assert "minidock run -it 000000000000 sh" in text
    assert "no such package" in text


def test_a_skipped_stage_is_grey_and_says_so() -> None:
    text = paint(instructions(fold_all(baked(STAGES))), 60)
    assert re.search(r"1\s+⊘\s+· FROM busybox AS tests\s+skipped", text)


def test_two_moments_of_a_build_are_compared_by_instruction_and_layer() -> None:
    old, new = at(COLD, e.StepStarted, 2), at(COLD, e.StepFinished, 2)
    text = paint(compare(old, new), 100)
    assert re.search(r"~\s+3  ✎  COPY requirements.txt \.  now\s+3  ○  COPY", text)
    assert re.search(r"\+\s+✎ C step 2 6 B 1 name", text)


def test_the_list_of_steps_has_a_heading_for_each_instruction() -> None:
    text = paint(steps(fold_all(baked(EDITED))), 80)
    assert "── Step 5/6 : COPY sample.py . ─" in text
    assert text.count("── Step ") == 6


def nodes(node: Node) -> list[Node]:
    return [node, *(inner for child in node.children for inner in nodes(child))]


@pytest.mark.parametrize("name", STORIES)
def test_every_moment_fits_into_any_width_and_has_names_for_whoever_cannot_see(
    name: str,
) -> None:
    world = EMPTY
    for record in baked(STORIES[name]):
        world = fold_all([record], world)
        for view in VIEWS:
            scene = view(world)
            ids = [each.id for each in nodes(scene)]
            assert len(set(ids)) == len(ids)
            assert all(each.primitive in PRIMITIVES and each.role for each in nodes(scene))
            for width in (20, 39, 80):
                lines = paint(scene, width).splitlines()
                assert all(columns(line) <= width for line in lines)


def test_hostile_names_redraw_nothing() -> None:
    story = (
        e.InstructionParsed(1, HOSTILE, f"RUN {HOSTILE}", 1, 1),
        e.StepStarted(1, 1, HOSTILE, f"RUN {HOSTILE}", 1),
        e.CacheMissed(1, "file", "content", HOSTILE, HOSTILE, HOSTILE),
        e.ConfigChanged(1, HOSTILE, (HOSTILE,), (HOSTILE, "b")),
        e.FileChanged(HOSTILE, HOSTILE, HOSTILE, -1, 0, 0, -5),
        e.StepPrinted(1, "stdout", HOSTILE), e.LayerFound(HOSTILE, "", -1, 0, (HOSTILE,)),
        e.BuildFailed(1, HOSTILE, 1, HOSTILE),
    )  # fmt: skip
    for view in VIEWS:
        text = paint(view(fold_all(baked(story))), 60)
        assert all(line.isprintable() for line in text.splitlines())


def test_nothing_yet_says_so() -> None:
    assert "not read yet" in paint(instructions(EMPTY), 40)
    assert "no step has begun yet" in paint(decision(EMPTY), 40)
    assert "no layer yet" in paint(layers(EMPTY), 40)
    context = paint(decision(at(COLD, e.ContextReceived)), 60)
    assert "The context is here: 3 names, 4.1 kB" in context
    assert "⊘ 1 name stayed at home" in context
