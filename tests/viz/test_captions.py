"""A layer has one name, in the caption and in the picture beside it."""

from collections.abc import Sequence

from pyminidock.events.journal import Record
from pyminidock.viz.captions import caption
from pyminidock.viz.film import Reel
from pyminidock.viz.moment import moment
from pyminidock.viz.painters.text import paint
from pyminidock.viz.sentences import say
from pyminidock.viz.views.steps import steps
from pyminidock.viz.world import fold_all
from tests.viz import xray
from tests.viz.story import recorded

STORY = xray.seen(xray.STORY)


def said(records: Sequence[Record], depth: int) -> list[str]:
    """Give what a film of the story says of its union at one depth."""
    frames = Reel().frames(records)
    kinds = ("layer.probed", "path.resolved", "path.copied.up")
    return [frame["say"][depth - 1] for frame in frames if frame["k"] in kinds]


def test_a_layer_goes_by_its_letter_and_by_its_directory_where_calls_are_told() -> None:
    assert said(STORY, 1)[:9] == [
        "Layer upper was asked for /etc: absent",
        "Layer init was asked for /etc: directory",
        "Layer C was asked for /etc: directory",
        "Layer B was asked for /etc: absent",
        "Layer A was asked for /etc: directory",
        "cat learned that /etc comes from init C A",
        "Layer init was asked for /etc/motd: absent",
        "Layer C was asked for /etc/motd: file",
        "cat learned that /etc/motd comes from C",
    ]
    assert said(STORY, 3)[2] == f"cat[7]: /etc in {xray.C} is directory"
    copied = "cat changes /srv/data/log: copied up from layer B (content)"
    assert copied in said(STORY, 1)


def test_no_caption_list_or_picture_shows_a_digest_for_a_layer() -> None:
    world = fold_all(STORY)
    for depth in (1, 2):
        assert not any(
            digest in " ".join(said(STORY, depth)) for digest in (xray.A, xray.C)
        )
        assert xray.C not in paint(steps(world, depth), 100)
    assert xray.C not in paint(moment(fold_all(STORY[: len(xray.READ)])), 100)


def test_what_is_not_about_the_layers_of_a_union_is_said_as_ever() -> None:
    records = recorded(xray.CREATED)
    world = fold_all(records)
    assert [caption(world, each, 3) for each in records] == [say(e, 3) for e in records]
