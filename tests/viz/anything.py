"""Events and stories that nobody would make up, for Hypothesis.

Any kind of the catalogue with any facts in it, kinds that nobody knows, stories that are
cut anywhere, shuffled or damaged; and the golden stories as whole records.
"""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from hypothesis import strategies as st

from pyminidock.events import Event
from pyminidock.events.journal import Record, from_line, record_kinds, record_of
from tests.viz import buildstory, story

GOLDEN = Path(__file__).parents[1] / "stories" / "golden"
HOSTILE = st.text(max_size=300) | st.sampled_from(
    ["\x1b]52;c;aGk=\x07", "\u202egpj.exe", "\udcff", "{0}{x}", "%s", "a" * 5000, "\n", ""]
)
TUPLES: dict[Any, Any] = {
    tuple[str, ...]: st.lists(HOSTILE, max_size=4).map(tuple),
    tuple[int, ...]: st.lists(st.integers(), max_size=4).map(tuple),
    tuple[tuple[str, str], ...]: st.lists(st.tuples(HOSTILE, HOSTILE), max_size=3).map(
        tuple
    ),
    tuple[tuple[str, str, str, str, int], ...]: st.lists(
        st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.integers(-5, 10**30)), max_size=4
    ).map(tuple),
    str: HOSTILE,
    int: st.integers(-5, 10**30),
    bool: st.booleans(),
}


@st.composite
def any_event(draw: st.DrawFn) -> Event:
    cls = draw(st.sampled_from(list(record_kinds().values())))
    hints = get_type_hints(cls)
    values = {each.name: draw(TUPLES[hints[each.name]]) for each in fields(cls)}
    return cls(**values)


def golden(name: str) -> tuple[Record, ...]:
    """Give a golden story as a recorder would have stamped it."""
    return tuple(_whole((GOLDEN / f"{name}.jsonl").read_text().splitlines()))


def _whole(lines: list[str]) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        told = {"story": "build-0", "operation": "build-1", "t": number / 100, "wall": 0.0,
                "src": "build/carrying.py:70", "evidence": "", "backend": "simulated",
                "linux": "", **json.loads(line)}  # fmt: skip
        yield from_line(json.dumps(told))


GOLDENS = {path.stem: golden(path.stem) for path in sorted(GOLDEN.glob("*.jsonl"))}
TOLD = (story.recorded(), *(buildstory.baked(heard) for heard in
        buildstory.STORIES.values()), *GOLDENS.values())  # fmt: skip
_FEW = st.sampled_from(["create-1", "start-2 ", "build-3", "life-4", "", "\u202e"])
_PHASES = st.sampled_from(["", "birth", "step", "clear up", "start", "\x1b[2J"])
_TIMES = st.floats(-10, 1e9, allow_nan=False)


@st.composite
def strange_record(draw: st.DrawFn) -> Record:
    """Any event as nobody would have recorded it; now and then of an unknown kind."""
    stamped = record_of(
        draw(any_event()), seq=draw(st.integers(0, 60)), story=draw(_FEW),
        operation=draw(_FEW), parent=draw(st.integers(0, 60)), phase=draw(_PHASES),
        t=draw(_TIMES), src=draw(st.sampled_from(["", "viz/film.py:3", "../a:b", "a:9"])),
        backend=draw(st.sampled_from(["", "linux-root", "\x00"])), linux=draw(HOSTILE),
    )  # fmt: skip
    kind = draw(st.sampled_from([stamped.kind, stamped.kind, "engine.invented", "\ud800"]))
    return replace(stamped, kind=kind)


@st.composite
def strange_story(draw: st.DrawFn) -> tuple[Record, ...]:
    """A real story cut at both ends, with strange records in it, or in another order."""
    whole = draw(st.sampled_from(TOLD))
    first = draw(st.integers(0, len(whole)))
    some = list(whole[first : first + draw(st.integers(0, 40))])
    for record in draw(st.lists(strange_record(), max_size=8)):
        some.insert(draw(st.integers(0, len(some))), record)
    return tuple(draw(st.permutations(some)) if draw(st.booleans()) else some)
