"""Draws the pictures of the README from recorded stories: `make pictures`.

    lessons/…/trace/note.jsonl ─► the world at one step ─► a view ─► docs/pictures/*.svg

The same functions draw what a notebook shows, so a picture cannot show what the engine does
not tell.  A test draws them anew and compares.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyminidock.events.journal import read_trace
from pyminidock.viz.frames import Player
from pyminidock.viz.painters.svg import paint
from pyminidock.viz.sentences import say
from pyminidock.viz.views import VIEWS

ROOT = Path(__file__).parents[1]
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Picture:
    """One view of a lesson's recorded story, after the first event of a kind."""

    name: str
    story: str  # LESSON/STORY
    kind: str
    view: str


PICTURES = (
    Picture("birth", "00-tour/note", "mounted", "birth"),
    Picture("build", "00-tour/changed", "cache.missed", "build"),
)


def drawn() -> Iterator[tuple[Path, str]]:
    """Give each file with what belongs into it."""
    for picture in PICTURES:
        for theme in THEMES:
            place = ROOT / "docs" / "pictures" / f"{picture.name}-{theme}.svg"
            yield place, draw(picture, theme)


def draw(picture: Picture, theme: Literal["light", "dark"]) -> str:
    """Draw one picture as SVG."""
    lesson, _, story = picture.story.partition("/")
    file = ROOT / "lessons" / lesson / "trace" / f"{story}.jsonl"
    records = read_trace(file.read_text(encoding="ascii").splitlines()).records
    player = Player()
    for record in records:
        player.add(record)
    at = next(n for n, each in enumerate(records, 1) if each.kind == picture.kind)
    view = next(each for each in VIEWS if each.name == picture.view)
    scene = view.draw(player.go(at))
    caption = say(records[at - 1], 1)
    return paint(scene, width=960, theme=theme, title=view.title, caption=caption)


def main() -> None:
    """Draw all, where the README looks for them."""
    for place, text in drawn():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{place.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
