"""Why each step of an image was done, or not: read from the story of its build.

The builder decided once, and told it as events.  Nothing is worked out anew here: the last
story in which the image came about is folded into one row for each step.  What is told
comes from the best witness that is left:

    story     the journal: what was decided, why, and what each step cost
    cache     the story is gone: which step made which image, and what it cost
    history   that is gone, too, or was never here: what the image says of itself

Values that a Dockerfile gives to ENV, ARG and LABEL are hidden, as in the journal.
An image that was not built here has a history only: whether its steps came from a cache
was somebody else's decision.
"""

from collections.abc import Iterable
from typing import Any

from pyminidock.engine import images
from pyminidock.engine.house import House
from pyminidock.events import redaction
from pyminidock.events.journal import Record
from pyminidock.image.digest import Digest
from pyminidock.store.images import ImageRow

_MOST_STORIES = 200  # that are looked through, the newest first
_MOST_STEPS = 1024
_CAUSE = ("cause", "detail", "path", "before", "after")
Row = dict[str, Any]


def explain(house: House, reference: str) -> Row:
    """Tell how an image came about, step by step.  Raises NoSuchImage.

    `told_by` is the witness; a step's `verdict` is base, skipped, hit, miss, or made where
    nobody knows.  `milliseconds` and `size_bytes` are what it cost, or once had cost.
    """
    row = images.row_of(house, reference)
    story, steps = "", list[Row]()
    told_by = "story"
    if row.is_local_build:
        story, records = _story(house, row.id)
        steps = _folded(records, row.id)
        if not steps:
            told_by, steps = "cache", _remembered(house, row.id)
    if not steps:
        told_by, steps = "history", _told_by_itself(house, row)
    return {
        "image": row.id, "names": images.names_of(house, row.id),
        "is_built_here": row.is_local_build, "stand_in": row.stand_in,
        "told_by": told_by, "story": story, "steps": steps,
    }  # fmt: skip


def _story(house: House, image: Digest) -> tuple[str, tuple[Record, ...]]:
    """Find the last story that led to an image."""
    house.recorder.flush()
    entries = [e for e in house.journals.entries() if e.header.story.startswith("build-")]
    for entry in reversed(entries[-_MOST_STORIES:]):
        records = house.journals.read(entry.header.story).records
        if any(r.kind == "step.finished" and r.data["image"] == image for r in records):
            return entry.header.story, records
    return "", ()


def _step(text: str, verdict: str, **facts: Any) -> Row:
    """Make a row; what is not known is 0 or empty."""
    unknown: Row = {
        "step": 0, "total": 0, "text": text, "line": 0, "stage": "", "verdict": verdict,
        "causes": [], "image": "", "milliseconds": 0, "size_bytes": 0, "source": "",
    }  # fmt: skip
    return unknown | facts


def _folded(records: Iterable[Record], image: Digest) -> list[Row]:
    """Give one row for each step of a story, in order, up to the image in question."""
    steps: list[Row] = []
    for record in records:
        data = record.data
        match record.kind:
            case "step.started" | "step.skipped":
                facts = {name: data[name] for name in ("step", "total", "line", "stage")}
                verdict = "skipped" if record.kind == "step.skipped" else "base"
                steps.append(_step(str(data["text"]), verdict, **facts))
            case "cache.hit":
                steps[-1] |= {"verdict": "hit", "source": data.get("source", "")}
            case "cache.missed":
                steps[-1]["verdict"] = "miss"
                steps[-1]["causes"].append({name: data[name] for name in _CAUSE})
            case "step.finished":
                for name in ("image", "milliseconds", "size_bytes"):
                    steps[-1][name] = data.get(name, 0)
                if data["image"] == image:
                    return steps
    return []


def _remembered(house: House, image: Digest) -> list[Row]:
    """Tell what the cache knows of an image and of those before it."""
    steps: list[Row] = []
    while image and len(steps) < _MOST_STEPS:
        row = house.store.cache.of_image(image)
        if row is None:
            break
        steps.append(_step(
            redaction.instruction(row.inputs["text"]), "made", image=image,
            milliseconds=row.milliseconds, size_bytes=row.size_bytes,
        ))  # fmt: skip
        image = row.parent
    return steps[::-1]


def _told_by_itself(house: House, row: ImageRow) -> list[Row]:
    """Tell what the image's own history says."""
    found = images.history(house, row.id)
    return [
        _step(each["CreatedBy"], "made", size_bytes=each["Size"], image=each["Id"]
              if each["Id"].startswith("sha256:") else "")
        for each in reversed(found)
    ]  # fmt: skip
