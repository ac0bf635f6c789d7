"""Time belongs to someone: the engine, the program inside, whoever watched, or nobody."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.events.journal import JSON, Record, record_of
from pyminidock.viz.painters.text import paint
from pyminidock.viz.spending import BETWEEN, MOST_SPANS, OLDER, PROGRAM, Span
from pyminidock.viz.things import World
from pyminidock.viz.views.timeline import MOST_ROWS, timeline
from pyminidock.viz.world import fold_all
from tests.viz.buildstory import COLD, baked
from tests.viz.story import ID, recorded

Told = tuple[float, str, str, Event]  # when, operation, phase
RUN: tuple[Told, ...] = (
    (0.0, "create-1", "", e.RequestReceived("POST", "/containers/create")),
    (0.5, "create-1", "create", e.ContainerCreated(ID, "web", "busybox", ("sleep",))),
    (2.0, "start-2", "", e.RequestReceived("POST", f"/containers/{ID}/start")),
    (2.1, "start-2", "birth", e.HostnameSet("web")),
    (2.2, "start-2", "start", e.ContainerStarted(ID, 7)),
    (2.3, "life-3", "", e.HostnameSet("web")),
    (6.2, "life-3", "", e.ContainerExited(ID, 0, 0, False)),
    (6.3, "life-3", "clear up", e.SnapshotRemoved(ID)),
)


def told(*heard: Told) -> list[Record]:
    return [
        record_of(event, seq=seq, story="run-1", operation=operation, phase=phase, t=t)
        for seq, (t, operation, phase, event) in enumerate(heard, 1)
    ]


def spans(world: World) -> dict[str, Span]:
    return {span.key: span for span in world.clock.spans()}


def timed(records: Iterable[Record], *seconds: float) -> list[Record]:
    """Give each record the time it took, and the last ones none."""
    out, t = [], 0.0
    for number, record in enumerate(records):
        t += seconds[number] if number < len(seconds) else 0.0
        out.append(replace(record, t=t))
    return out


def test_a_run_tells_apart_the_engine_its_program_and_the_time_between_requests() -> None:
    known = spans(fold_all(told(*RUN)))
    took = {key: (span.took_us, span.program_us) for key, span in known.items()}
    assert took == {
        "create-1": (500_000, 0), BETWEEN: (1_500_000, 0), "start-2 · birth": (100_000, 0),
        "start-2": (100_000, 0), PROGRAM: (0, 4_000_000),
        "life-3 · clear up": (100_000, 0),
    }  # fmt: skip


def test_the_grace_of_a_stop_is_the_time_of_the_program_that_does_not_listen() -> None:
    stop: tuple[Told, ...] = (
        (3.0, "stop-4", "", e.RequestReceived("POST", f"/containers/{ID}/stop")),
        (3.1, "stop-4", "", e.ContainerSignalled(ID, 15)),
        (13.1, "stop-4", "", e.ContainerSignalled(ID, 9)),
        (13.2, "stop-4", "", e.ContainerStopped(ID)),
        (13.3, "life-3", "", e.ContainerExited(ID, 137, 9, False)),
    )
    known = spans(fold_all(told(*RUN[:5], *stop)))
    assert (known["stop-4"].took_us, known["stop-4"].program_us) == (100_000, 0)
    assert known[PROGRAM].program_us == 800_000 + 10_000_000 + 100_000 + 100_000


def test_the_longest_part_is_named_in_words_with_its_share() -> None:
    text = paint(timeline(fold_all(told(*RUN))), 80)
    assert "The longest: the program inside, 4.00 s, 83 % of all" in text
    assert "In all 4.80 s: █ the engine 800 ms, ░ programs inside 4.00 s" in text
    assert "Not counted: 1.50 s between the requests of the client" in text, "6.3 s in sum"
    assert "· between requests  0.500 s  1.50 s" in text


def test_a_gate_holds_the_story_on_its_watchers_time() -> None:
    held = (
        *RUN[:4],
        (2.1, "", "", e.GateHeld("g", 4, "hostname.set")),
        (62.1, "", "", e.GateReleased("g", "step")),
        (62.2, "start-2", "start", e.ContainerStarted(ID, 7)),
    )
    world = fold_all(told(*held))
    birth = spans(world)["start-2 · birth"]
    assert (birth.took_us, birth.held_us) == (100_000, 60_000_000)
    text = paint(timeline(world), 80)
    assert "Not counted: 60.0 s in which a gate held the story for someone" in text
    assert "In all 700 ms" in text


def test_a_step_of_a_build_says_how_much_of_it_its_program_ran() -> None:
    started: Mapping[str, JSON] = {"container": "c" * 64, "pid": 7}
    records = [
        replace(record, kind="container.started", data=started)
        if record.kind == "umask.set" else record for record in baked(COLD)
    ]  # fmt: skip
    ended = next(record.seq for record in records if record.kind == "container.exited")
    slow = [replace(r, t=r.t + 9.0) if r.seq >= ended else r for r in records]
    world = fold_all(slow)
    step = spans(world)["step 3"]
    assert step.name == "RUN pip install -r requirements.txt"
    assert 9_000_000 <= step.program_us < 9_010_000
    text = paint(timeline(world), 100)
    assert "The longest: step 3, 9.0" in text
    assert "9.00 s of it ran its own program" in text


def test_time_that_runs_backwards_takes_nothing_away() -> None:
    records = timed(recorded()[:4], 1.0, 1.0, -5.0, 1.0)
    assert sum(span.took_us for span in fold_all(records).clock.spans()) == 1_000_000


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000_000), max_size=120))
def test_every_microsecond_belongs_to_exactly_one_part(gaps: list[int]) -> None:
    records = timed(recorded()[: len(gaps)], *(gap / 1_000_000 for gap in gaps))
    world = fold_all(records)
    known = world.clock.spans()
    spent = sum(span.took_us + span.program_us + span.held_us for span in known)
    assert spent == sum(gaps[1 : len(records)])


def test_many_parts_become_one_row_and_the_sum_stays_right() -> None:
    records: list[Record] = []
    for number in range(MOST_SPANS * 2):
        for t, kind in ((0.0, e.CgroupRemoved("/a")), (0.001, e.CgroupRemoved("/b"))):
            at = number / 100 + t
            records.append(record_of(kind, seq=len(records) + 1, story="run-1", t=at,
                                     operation=f"exec-{number}"))  # fmt: skip
    world = fold_all(records)
    assert len(world.clock.spans()) <= MOST_SPANS + 2
    assert spans(world)[OLDER].took_us > 1_000_000
    assert sum(span.took_us for span in world.clock.spans()) == world.clock.at_us
    scene = timeline(world)
    (story,) = scene.children
    table = next(node for node in story.children if node.primitive == "table")
    assert len(table.children) == MOST_ROWS + 1
    assert "shorter parts" in paint(scene, 80)
