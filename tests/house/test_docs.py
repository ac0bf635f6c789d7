"""What the pages of docs/ name is there."""

import re
from pathlib import Path

from pyminidock.events.journal import record_kinds

ROOT = Path(__file__).parents[2]
BUILD = (ROOT / "docs/build.md").read_text(encoding="utf-8")


def test_the_page_of_a_build_names_modules_that_are_there() -> None:
    room, named = "", list[str]()
    for word in re.findall(r"`([a-z_/]+\.py)`", BUILD):
        room = word.rpartition("/")[0] or room  # `client/context.py`, `packing.py`
        named.append(f"pyminidock/{room}/{word.rpartition('/')[2]}")
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_page_of_a_build_names_events_that_are_told() -> None:
    named = set(re.findall(r"`([a-z]+(?:\.[a-z]+)+)`", BUILD)) - {"minidock"}
    named = {name for name in named if not name.endswith((".py", ".md"))}
    assert len(named) > 12
    assert named - record_kinds().keys() == set()


def test_every_link_of_a_page_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    lost = [
        (page.name, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert len(pages) > 8
    assert lost == []
