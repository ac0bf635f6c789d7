"""The lessons are in our own words: eight in a row are nobody else's.

The text of the course that the lessons follow belongs to somebody and is not here.  Where
it lies beside this project (PYMINIDOCK_COURSE_TEXT names its folder), it is compared.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pyminidock.course.lesson import FOLDER

WORDS = 8
ROOT = Path(__file__).parents[2]
BESIDE = ROOT.parent / "shared" / "seed"


def shingles(text: str) -> set[tuple[str, ...]]:
    """Give every run of eight words, whatever stands between them."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[at : at + WORDS]) for at in range(len(words) - WORDS + 1)}


def theirs() -> Iterator[Path]:
    place = Path(os.environ.get("PYMINIDOCK_COURSE_TEXT", "") or BESIDE)
    for kind in ("*.md", "*.txt", "*.tex", "*.html"):
        yield from place.rglob(kind)


def ours() -> Iterator[Path]:
    for kind in ("*.md", "*.toml", "*.sh"):
        yield from FOLDER.rglob(kind)
    yield from (ROOT / "notebooks").rglob("*.ipynb")


def test_eight_words_in_a_row_are_found_whatever_stands_between_them() -> None:
    text = "A container, once started, writes into its *own* layer only."
    assert shingles(text) & shingles("a container once  started: writes into its own, then")
    assert not shingles(text) & shingles("a container once started writes into its layer")
    assert len(shingles(text)) == 3


def test_the_lessons_are_found() -> None:
    assert len(list(ours())) >= 10


def test_no_sentence_of_the_course_s_text_is_in_a_lesson() -> None:
    known = {
        each for path in theirs() for each in shingles(path.read_text(errors="replace"))
    }
    found = [
        f"{path.relative_to(ROOT)}: {' '.join(same)}"
        for path in ours()
        for same in sorted(shingles(path.read_text()) & known)
    ]
    assert found == []
