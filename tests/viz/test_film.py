"""A film shows what the views draw, forward, back and from anywhere."""

import json

import pytest

from pyminidock import events as e
from pyminidock.viz.film import Reel, State, apply, flat, header, state_after
from pyminidock.viz.things import EMPTY
from pyminidock.viz.views import VIEWS, expected, suiting
from pyminidock.viz.world import fold, fold_all
from tests.viz.buildstory import baked
from tests.viz.films import STORIES, film

ALL = pytest.mark.parametrize("name", sorted(STORIES))


@ALL
def test_every_frame_shows_what_the_views_draw(name: str) -> None:
    reel, state, world = Reel(), State(), EMPTY
    for record in STORIES[name][1]:
        frame = reel.add(record)
        world = fold(world, record)
        assert frame is not None
        apply(frame["ops"], state)
        assert state == {view.name: flat(view.draw(world)) for view in VIEWS}


@ALL
def test_going_back_finds_every_picture_as_it_was(name: str) -> None:
    state, before, undo = State(), [], []
    for frame in Reel().frames(STORIES[name][1]):
        before.append(json.dumps(state, sort_keys=True))
        undo.append(apply(frame["ops"], state))
    for back, picture in zip(undo[:0:-1], before[:0:-1], strict=True):
        apply(back, state)
        assert json.dumps(state, sort_keys=True) == picture


@ALL
def test_the_pictures_before_the_first_step_leave_nothing_behind(name: str) -> None:
    told, records = STORIES[name]
    frames = list(Reel().frames(records))
    state: State = {}
    apply(header(told)["start"], state)
    apply(frames[0]["ops"], state)
    assert state == state_after(frames[:1])


@ALL
def test_a_film_is_json_and_nothing_in_it_redraws_the_screen(name: str) -> None:
    made = film(*STORIES[name])
    written = json.dumps(made, ensure_ascii=False, allow_nan=False)
    assert json.loads(written) == json.loads(json.dumps(made))
    assert written.isprintable()


def test_a_part_is_headed_where_it_begins_and_nowhere_else() -> None:
    frames = list(Reel().frames(STORIES["cold"][1]))
    heads = [frame["head"] for frame in frames if "head" in frame]
    assert heads[1:4] == [
        "Step 1/6 : FROM python", "Step 2/6 : COPY requirements.txt .",
        "Step 3/6 : RUN pip install -r requirements.txt",
    ]  # fmt: skip
    assert [frame["i"] for frame in frames] == list(range(1, len(frames) + 1))


def test_a_story_gets_the_views_that_suit_it() -> None:
    names = {
        name: [view.name for view in suiting(fold_all(records))]
        for name, (_, records) in STORIES.items()
    }
    assert names["cold"][0] == "build"
    assert "build" not in names["run"]
    assert "birth" in names["run"]
    assert next(view.name for view in expected("run-1")) == "birth"
    assert next(view.name for view in expected("build-1")) == "build"


@ALL
def test_of_a_story_that_is_too_long_the_beginning_and_the_end_are_shown(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, records = STORIES[name]
    monkeypatch.setattr("pyminidock.viz.film.MOST_FRAMES", 12)
    whole, cut = Reel(), Reel()
    all_frames = [frame for each in records if (frame := whole.add(each))]
    frames = list(cut.frames(records))
    assert len(frames) == 12 < len(all_frames)
    assert frames[:11] == all_frames[:11]
    assert cut.world == whole.world
    assert state_after(frames) == {v.name: flat(v.draw(whole.world)) for v in VIEWS}
    assert frames[-1]["say"] == all_frames[-1]["say"]
    assert frames[-1]["left"] == len(all_frames) - 12
    assert frames[-1]["head"].startswith(f"{len(all_frames) - 12} steps")


def test_a_story_that_just_fits_leaves_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _, records = STORIES["cold"]
    frames = list(Reel().frames(records))
    monkeypatch.setattr("pyminidock.viz.film.MOST_FRAMES", len(frames))
    assert list(Reel().frames(records)) == frames


@pytest.mark.parametrize("answer", ["", "whiteout"])
def test_a_damaged_lookup_that_names_no_path_is_drawn_all_the_same(answer: str) -> None:
    asked = e.LayerProbed("", "", answer)
    frames = list(Reel().frames(baked([asked, e.PathResolved("", ())])))
    assert len(frames) == 2
