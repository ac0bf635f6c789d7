"""Why each step of an image was done, or not: read from the story of its build.

The builder decided once, and told it as events.  Nothing is worked out anew here: the last
story in which the image came about is folded into one row for each step.  Where the journal
has forgotten that story, what is left is what the cache itself knows: which step made which
image, and what it cost.
"""

from collections.abc import Iterable
from typing import Any

from pyminidock.engine import images
from pyminidock.engine.house import House
from pyminidock.events.journal import Record
from pyminidock.image.digest import Digest

_MOST_STORIES = 200  # that are looked through, the newest first
_MOST_STEPS = 1024
Row = dict[str, Any]


def explain(house: House, reference: str) -> Row:
    """Tell how an image came about, step by step.  Raises NoSuchImage."""
    row = images.row_of(house, reference)
    story, records = _story(house, row.id)
    steps = _folded(records) if records else _remembered(house, row.id)
    return {"image": row.id, "story": story, "steps": steps}


def _story(house: House, image: Digest) -> tuple[str, tuple[Record, ...]]:
    """Find the last story that led to an image."""
    house.recorder.flush()
    entries = [e for e in house.journals.entries() if e.header.story.startswith("build-")]
    for entry in reversed(entries[-_MOST_STORIES:]):
        records = house.journals.read(entry.header.story).records
        if any(r.kind == "step.finished" and r.data["image"] == image for r in records):
            return entry.header.story, records
    return "", ()


def _folded(records: Iterable[Record]) -> list[Row]:
    """Give one row for each step of a story, in order."""
    steps: list[Row] = []
    for record in records:
        data = record.data
        match record.kind:
            case "step.started" | "step.skipped":
                skipped = record.kind == "step.skipped"
                steps.append({
                    "step": data["step"], "text": data["text"], "line": data["line"],
                    "verdict": "skipped" if skipped else "base", "causes": [],
                    "image": "", "milliseconds": 0,
                })  # fmt: skip
            case "cache.hit":
                steps[-1]["verdict"] = "hit"
            case "cache.missed":
                names = ("cause", "detail", "path", "before", "after")
                steps[-1]["verdict"] = "miss"
                steps[-1]["causes"].append({name: data[name] for name in names})
            case "step.finished":
                steps[-1]["image"] = data["image"]
                steps[-1]["milliseconds"] = data["milliseconds"]
    return steps


def _remembered(house: House, image: Digest) -> list[Row]:
    """Tell what the cache knows of an image and of those before it."""
    steps: list[Row] = []
    while image and len(steps) < _MOST_STEPS:
        row = house.store.cache.of_image(image)
        if row is None:
            break
        steps.append({
            "step": 0, "text": row.inputs["text"], "line": 0, "verdict": "made",
            "causes": [], "image": image, "milliseconds": row.inputs["milliseconds"],
        })  # fmt: skip
        image = row.parent
    steps.reverse()
    return [{**step, "step": number} for number, step in enumerate(steps, 2)]
