"""The view that asks where the seconds went.

One row for each part of the story: from when, how long, which share of all, and a bar.
What the engine did is told apart from the program that ran inside, and from the time in
which a gate held the story, which is no time of the engine at all.

The part that takes time now is shown with two digits.  So a picture changes only when
there is something to see, and not with every event.
"""

from collections.abc import Iterator, Sequence

from pyminidock.viz.buildwords import cost, opening, several
from pyminidock.viz.remembering import remembered
from pyminidock.viz.scene import Node, Scene, cell, group, line, row, stack, table, text
from pyminidock.viz.spending import BETWEEN, OLDER, PROGRAM, Span, part_name
from pyminidock.viz.things import World

TITLE = "Where did the seconds go?"
MOST_ROWS = 24
WIDTH = 24  # characters of the longest bar
_ENGINE, _PROGRAM, _SLIVER = "█", "░", "▏"
_NAMES = {PROGRAM: "the program inside", BETWEEN: "between requests",
          OLDER: "older parts"}  # fmt: skip


def timeline(world: World) -> Scene:
    """Show every part of the story with its time."""
    spans = _shown(world)
    total_us = sum(map(_work, spans))
    if not total_us:
        nothing = group("timeline.story", "No time yet", text("timeline.none", _EMPTY))
        return stack("timeline", TITLE, nothing)
    ranked = sorted(spans, key=_work, reverse=True)
    chosen, rest = _chosen(ranked, world.clock.here)
    longest_us = _work(ranked[0])
    rows = [
        _row(span, _share(span, total_us), _bar(span, longest_us),
             span.key == world.clock.here)
        for span in spans if span.key in chosen
    ]  # fmt: skip
    head = ("part", "from", "took", "share", "")
    story = group(
        "timeline.story", _sum(spans),
        text("timeline.longest", _longest(ranked[0], total_us)),
        table("timeline.parts", "the parts of this story", head, *rows),
        *_rest(rest), *_held(spans),
    )  # fmt: skip
    return stack("timeline", TITLE, story)


def _chosen(ranked: Sequence[Span], here: str) -> tuple[set[str], list[Span]]:
    """Choose the parts that get a row: steps, and what took a thousandth of a second."""
    chosen: set[str] = set()
    rest = []
    for span in ranked:
        is_long = span.took_us + span.program_us >= 500
        is_shown = is_long or span.key == here or span.key.startswith("step ")
        if is_shown and len(chosen) < MOST_ROWS:
            chosen.add(span.key)
        else:
            rest.append(span)
    return chosen, rest


_EMPTY = "nothing has taken any: minidock run busybox echo hi tells a story"


def suits(world: World) -> bool:
    """Say whether any time passed in this story."""
    return any(map(_work, world.clock.spans()))


def reads(world: World) -> tuple[object, ...]:
    """Give what this view looks at."""
    clock, now = world.clock, world.clock.current
    moving = (now.key, now.name, *_rounded(now)) if now else ()
    padded = (*moving, *("",) * (5 - len(moving)))
    return clock.settled, clock.here, *padded


def _rounded(span: Span) -> tuple[int, int, int]:
    return rough(span.took_us), rough(span.program_us), rough(span.held_us)


def rough(us: int) -> int:
    """Round a time to two digits, but not below a thousandth of a second.

    >>> rough(1_234), rough(45_678), rough(1_234_567)
    (1000, 46000, 1200000)
    """
    unit = int(10 ** max(len(str(us)) - 2, 3))
    return (us + unit // 2) // unit * unit


def _shown(world: World) -> list[Span]:
    """Give all parts; the one that takes time now as it is shown."""
    now = world.clock.current
    return [
        span if span is not now else
        Span(span.key, span.order, span.name, span.began_us, *_rounded(span))
        for span in world.clock.spans()
    ]  # fmt: skip


def _work(span: Span) -> int:
    """Give the time that somebody worked."""
    return 0 if span.key == BETWEEN else span.took_us + span.program_us


def _name(span: Span) -> str:
    """Name a part as people would: a step by its text, an operation by its verb."""
    if span.key.startswith("step "):
        return f"{span.key}: {opening(span.name, 200)}" if span.name else span.key
    if known := _NAMES.get(span.key):
        return known
    name = part_name(span.key)
    return "before and after the steps" if name == "build" else name


def _longest(span: Span, total_us: int) -> str:
    name = span.key if span.key.startswith("step ") else _name(span)
    said = f"The longest: {name}, {_time(_work(span))}, {_share(span, total_us)} of all"
    if span.program_us and span.took_us:
        said += f"; {_time(span.program_us)} of it ran its own program"
    return said


@remembered
def _row(span: Span, share: str, bar: str, is_here: bool) -> Node:
    id_ = f"part.{span.key}"
    name, took = _name(span), _time(span.took_us + span.program_us)
    is_longest = len(bar) == WIDTH
    return row(
        id_,
        line(f"{id_}.name", name, "idle" if span.key == BETWEEN else ""),
        cell(f"{id_}.from", f"{span.began_us / 1_000_000:.3f} s"),
        cell(f"{id_}.took", took),
        cell(f"{id_}.share", share),
        Node("cell", f"{id_}.bar", "code", "the longest" if is_longest else "", "",
             bar),
        name=f"{name}: {took}, {share or 'no share'}",
        is_marked=is_here,
    )  # fmt: skip


def _bar(span: Span, longest_us: int) -> str:
    """Draw the engine's time and the program's, to one scale; little time is a sliver.

    >>> _bar(Span("", 0, took_us=3, program_us=9), 12)
    '██████░░░░░░░░░░░░░░░░░░'
    """
    if span.key == BETWEEN:
        return ""
    whole = round(WIDTH * _work(span) / longest_us)
    if not whole:
        return _SLIVER if _work(span) else ""
    inside = round(WIDTH * span.program_us / longest_us)
    inside = min(max(inside, 1 if span.program_us and whole > 1 else 0), whole)
    if not span.took_us:
        inside = whole
    return _ENGINE * (whole - inside) + _PROGRAM * inside


def _time(us: int) -> str:
    return cost(round(us / 1000))


def _share(span: Span, total_us: int) -> str:
    if span.key == BETWEEN:
        return ""
    share = 100 * _work(span) / total_us
    return f"{share:.0f} %" if share >= 0.5 or not share else "<1 %"


def _rest(spans: Sequence[Span]) -> Iterator[Node]:
    """Sum up the shorter parts that have no row."""
    hidden = [span for span in spans if _work(span)]
    if hidden:
        took = _time(sum(map(_work, hidden)))
        said = f"and {several(len(hidden), 'shorter part')}, {took} together"
        yield text("timeline.rest", said)


def _sum(spans: Sequence[Span]) -> str:
    """Say who spent the time: the engine, or a program inside."""
    engine_us = sum(span.took_us for span in spans if span.key != BETWEEN)
    program_us = sum(span.program_us for span in spans)
    said = f"In all {_time(engine_us + program_us)}"
    if not program_us:
        return said
    engine = f"{_ENGINE} the engine {_time(engine_us)}"
    return f"{said}: {engine}, {_PROGRAM} programs inside {_time(program_us)}"


def _held(spans: Sequence[Span]) -> Iterator[Node]:
    """Say how long others took, who asked for nothing or held it: not the engine's time."""
    held_us = sum(span.held_us for span in spans)
    between_us = sum(span.took_us for span in spans if span.key == BETWEEN)
    if between_us >= 500:
        said = f"Not counted: {_time(between_us)} between the requests of the client"
        yield text("timeline.between", said, "idle")
    if held_us:
        said = f"Not counted: {_time(held_us)} in which a gate held the story for someone"
        yield text("timeline.held", said, "idle")
