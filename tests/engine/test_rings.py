"""A slow listener loses events and is told so; the engine loses no time."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from pyminidock.engine.recorder import Recorder
from pyminidock.engine.rings import MAX_EVENTS, MAX_SIZE_BYTES
from pyminidock.events import CgroupCreated, ContainerStarted, EventsDropped
from pyminidock.events.journal import event_of
from tests.engine import studio


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = studio.recorder(tmp_path)
    made.story("run-1", "run busybox")
    yield made
    made.close()


def test_a_listener_hears_what_is_told_in_its_order(recorder: Recorder) -> None:
    ring, voice = recorder.listen(), recorder.operation("run-1", "start")
    for name in "abc":
        voice(CgroupCreated(name))
    heard = [ring.next(studio.DEADLINE_S) for _ in range(3)]
    assert [(each.seq, each.data["path"]) for each in heard if each] == [
        (1, "a"), (2, "b"), (3, "c"),
    ]  # fmt: skip


def test_a_listener_hears_only_what_it_asked_for(recorder: Recorder) -> None:
    recorder.story("run-2", "another")
    ring = recorder.listen(story="run-1", kind="container.started")
    for story in ("run-1", "run-2"):
        voice = recorder.operation(story, "start")
        voice(CgroupCreated("/a"))
        voice(ContainerStarted(story, 1))
    recorder.end("run-1")
    assert [record.data["container"] for record in ring] == ["run-1"]


def test_a_dead_listener_never_blocks_and_costs_a_bounded_ring(recorder: Recorder) -> None:
    ring, voice = recorder.listen(), recorder.operation("run-1", "start")
    for number in range(MAX_EVENTS + 100):
        voice(CgroupCreated(str(number)))
    for _ in range(MAX_EVENTS):
        ring.next(0)
    gap = ring.next(0)
    assert gap is not None
    first, last = MAX_EVENTS + 1, MAX_EVENTS + 100
    assert event_of(gap) == EventsDropped(100, first, last)
    assert ring.next(0) is None


def test_after_a_gap_a_listener_goes_on_in_order(recorder: Recorder) -> None:
    ring, voice = recorder.listen(), recorder.operation("run-1", "start")
    for number in range(MAX_EVENTS + 1):
        voice(CgroupCreated(str(number)))
    ring.next(0)  # room for one, and still nothing may overtake the gap
    voice(CgroupCreated("missed as well"))
    rest = [ring.next(0) for _ in range(MAX_EVENTS)]
    assert [event_of(each) for each in rest[-1:] if each] == [
        EventsDropped(2, MAX_EVENTS + 1, MAX_EVENTS + 2)
    ]
    voice(CgroupCreated("heard"))
    heard = ring.next(0)
    assert heard is not None
    assert heard.data["path"] == "heard"


def test_a_ring_is_bounded_in_bytes_too(recorder: Recorder) -> None:
    ring, voice = recorder.listen(), recorder.operation("run-1", "start")
    for _ in range(10):
        voice(CgroupCreated("x" * (MAX_SIZE_BYTES // 8)))
    heard = list(iter(lambda: ring.next(0), None))
    assert [record.kind for record in heard] == ["cgroup.created"] * 7 + ["events.dropped"]


def test_a_listener_that_waits_wakes_up(recorder: Recorder) -> None:
    ring = recorder.listen(story="run-1")
    heard: list[int] = []
    reader = Thread(target=lambda: heard.extend(record.seq for record in ring))
    reader.start()
    recorder.operation("run-1", "start")(CgroupCreated("/a"))
    recorder.end("run-1")
    reader.join(studio.DEADLINE_S)
    assert heard == [1]


def test_a_listener_of_a_story_that_is_over_comes_to_its_end(recorder: Recorder) -> None:
    recorder.end("run-1")
    assert list(recorder.listen(story="run-1")) == []


def test_who_stopped_listening_costs_nothing(recorder: Recorder) -> None:
    ring, voice = recorder.listen(), recorder.operation("run-1", "start")
    voice(CgroupCreated("/a"))
    ring.close()
    voice(CgroupCreated("/b"))
    assert ring.is_over
    assert list(ring) == []


def test_live_listeners_see_the_command_but_no_value_of_a_variable(
    recorder: Recorder,
) -> None:
    from tests.events.test_redaction import CANARY, SPEC  # noqa: PLC0415

    ring = recorder.listen()
    recorder.operation("run-1", "create")(SPEC)
    heard = ring.next(studio.DEADLINE_S)
    assert heard is not None
    assert CANARY not in str(heard)
