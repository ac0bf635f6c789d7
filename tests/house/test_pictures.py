"""The README's pictures are what the engine told, drawn by what draws everywhere."""

import re
from pathlib import Path

import pytest

from tools.pictures import drawn

ROOT = Path(__file__).parents[2]
DRAWN = dict(drawn())


@pytest.mark.parametrize("place", DRAWN, ids=lambda place: place.name)
def test_a_picture_is_drawn_from_the_recorded_story(place: Path) -> None:
    """If not: `make pictures`, and look at it."""
    assert place.read_text(encoding="utf-8") == DRAWN[place]


def test_the_readme_shows_each_picture_and_says_what_is_in_it() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r'(?:src|srcset)="(docs/pictures/[^"]+)"', readme)
    assert sorted(shown) == sorted(place.relative_to(ROOT).as_posix() for place in DRAWN)
    alts = re.findall(r'<img [^>]*alt="([^"]+)"', readme)
    assert len(alts) == len(DRAWN) // 2
    assert all(len(alt) > 40 for alt in alts)
