"""The story of an image: newest first, sizes from the layers, names from the parents."""

import pytest

from pyminidock.image.document import HistoryEntry, Image, ImageMalformed
from pyminidock.image.history import Ancestor, Row, rows, seconds_of

IMAGE = Image(history=(
    HistoryEntry("2024-05-01T00:00:00Z", "ADD base", comment="base"),
    HistoryEntry("2024-05-01T00:00:01Z", "CMD", is_empty_layer=True),
    HistoryEntry("", "RUN x"),
))  # fmt: skip


def test_empty_layers_have_no_size_and_what_nobody_made_here_has_no_id() -> None:
    assert rows(IMAGE, [10, 3], [Ancestor("C", ("a:1", "b:2")), Ancestor("B")]) == (
        Row("C", 0, "RUN x", 3, "", ("a:1", "b:2")),
        Row("B", 1714521601, "CMD", 0, ""),
        Row("<missing>", 1714521600, "ADD base", 10, "base"),
    )


def test_more_ancestors_than_instructions_are_left_out() -> None:
    told = rows(IMAGE, [1, 2], [Ancestor(name) for name in "EDCBA"])
    assert [row.id for row in told] == ["E", "D", "C"]


def test_a_story_with_more_layers_than_there_are_is_refused_in_docker_s_words() -> None:
    with pytest.raises(
        ImageMalformed, match="too many non-empty layers in History section"
    ):
        rows(IMAGE, [10], [])


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2024-05-01T00:00:00Z", 1714521600),
        ("2024-05-01T00:00:00.123456789Z", 1714521600),
        ("2024-05-01T02:00:00.5+02:00", 1714521600),
        ("2024-05-01T00:00:00", 1714521600),
        ("1960-01-01T00:00:00Z", -315619200),
        ("0001-01-01T00:00:00Z", -62135596800),
        ("", 0), ("yesterday", 0), ("9999-99-99T00:00:00Z", 0), ("2024-05-01T", 0),
    ],
)  # fmt: skip
def test_a_moment_is_counted_from_1970(moment: str, seconds: int) -> None:
    assert seconds_of(moment) == seconds
