"""Each typed event becomes one of Docker's messages, or none.

What dockerd says to a whole script stands in tests/compat/test_events_equal_docker.py.
"""

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock import events as e
from pyminidock.engine.bulletin import MOST_WAITING, REMEMBERED, Bulletin
from pyminidock.engine.dockerevents import SPOKEN, Beside, Message, message
from pyminidock.engine.eventfilters import EventFilters
from pyminidock.engine.filters import FilterRefused
from pyminidock.engine.telling import Told
from pyminidock.events import Event
from pyminidock.events.journal import record_kinds
from tests.viz.anything import any_event
from tests.viz.test_sentences import sample

C, I = "c" * 64, "sha256:" + "1" * 64  # noqa: E741  (a container, an image)
BESIDE = Beside("web", "busybox", (("tier", "front"),), 7, ("sh", "-c", "exit 3"))
BASE = {"image": "busybox", "name": "web", "tier": "front"}

SAID: list[tuple[Event, str, str, dict[str, str]]] = [
    (e.ContainerCreated(C, "web", "busybox", ("sh",)), "container", "create", BASE),
    (e.ContainerStarted(C, 9), "container", "start", BASE),
    (e.ContainerExited(C, 137, 9, False), "container", "die",
     {**BASE, "execDuration": "7", "exitCode": "137"}),
    (e.ContainerSignalled(C, 15), "container", "kill", {**BASE, "signal": "15"}),
    (e.ContainerRenamed(C, "old", "web"), "container", "rename",
     {**BASE, "oldName": "/old"}),
    (e.TerminalResized(C, 24, 80), "container", "resize",
     {**BASE, "height": "24", "width": "80"}),
    (e.HealthChanged(C, "unhealthy"), "container", "health_status: unhealthy", BASE),
    (e.ExecCreated(C, "x", ("true",)), "container", "exec_create: true ",
     {**BASE, "execID": "x"}),
    (e.ExecStarted(C, "x", 5), "container", "exec_start: sh -c exit 3",
     {**BASE, "execID": "x"}),
    (e.ExecStartFailed(C, "x", "why", 126), "container", "exec_start: sh -c exit 3",
     {**BASE, "execID": "x"}),
    (e.ExecExited(C, "x", 3), "container", "exec_die",
     {**BASE, "execID": "x", "exitCode": "3"}),
    (e.ExecDetached(C, "x"), "container", "exec_detach", {**BASE, "execID": "x"}),
    (e.ContainerCommitted(C, I, "app:1", "note"), "container", "commit",
     {**BASE, "comment": "note", "imageID": I, "imageRef": "app:1"}),
    (e.PathArchived(C, "/etc"), "container", "archive-path", BASE),
    (e.PathExtracted(C, "/etc"), "container", "extract-to-dir", BASE),
    (e.ProcessesListed(C, "-ef"), "container", "top", BASE),
    (e.MemoryExhausted(C), "container", "oom", BASE),
    (e.ImageTagged(I, "app:1"), "image", "tag", {"name": "app:1", "tier": "front"}),
    (e.ImageUntagged(I, "app:1"), "image", "untag", {"name": I, "tier": "front"}),
]  # fmt: skip


@pytest.mark.parametrize(("event", "kind", "action", "attributes"), SAID)
def test_an_event_is_said_in_dockers_words(
    event: Event, kind: str, action: str, attributes: dict[str, str]
) -> None:
    said = message(event, BESIDE, 12.5)
    assert said == Message(
        kind, action, (said and said.id) or "", 12_500_000_000, attributes
    )
    assert said
    assert said.id == (C if kind == "container" else I)


@pytest.mark.parametrize(
    ("event", "kind"),
    [(e.ContainersPruned(5), "container"), (e.ImagesPruned(5), "image"),
     (e.CachePruned(5), "builder")],
)  # fmt: skip
def test_a_prune_is_about_nothing_in_particular(event: Event, kind: str) -> None:
    assert message(event, Beside(), 1) == Message(
        kind, "prune", "", 1_000_000_000, {"reclaimed": "5"}
    )


@pytest.mark.parametrize("kind", record_kinds())
def test_docker_has_a_word_for_exactly_the_events_that_are_listed(kind: str) -> None:
    cls = record_kinds()[kind]
    assert (message(sample(cls), BESIDE, 1.0) is not None) == (cls in SPOKEN)


def test_what_is_old_in_the_envelope_only_containers_and_images_have() -> None:
    died = message(e.ContainerStarted(C, 1), BESIDE, 1.25)
    assert died
    assert list(died.document()) == [
        "status", "id", "from", "Type", "Action", "Actor", "scope", "time", "timeNano",
    ]  # fmt: skip
    assert died.document()["from"] == "busybox"
    assert died.document()["timeNano"] == 1_250_000_000
    pruned = message(e.CachePruned(0), Beside(), 1.0)
    assert pruned
    assert next(iter(pruned.document())) == "Type"
    tagged = message(e.ImageTagged(I, "a"), Beside(), 1.0)
    assert tagged
    assert "from" not in tagged.document()


# ── Filters ──────────────────────────────────────────────────────────────────────────────

DIED = Message(
    "container", "die", C, 1, {"image": "me/app:2", "name": "web-1", "tier": "front"}
)
EXEC = replace(DIED, action="exec_create: sh -c ls")
TAG = Message("image", "tag", I, 1, {"name": "me/app:2"})


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({}, (1, 1, 1)),
        ({"event": ["die"]}, (1, 0, 0)),
        ({"event": {"die": True, "tag": False}}, (1, 0, 1)),
        ({"event": ["exec_create"]}, (0, 1, 0)),
        ({"event": ["exec_create", "di"]}, (1, 1, 0)),
        ({"event": ["exec_create: sh -c ls"]}, (0, 1, 0)),
        ({"event": ["exec"]}, (0, 0, 0)),
        ({"type": ["image"]}, (0, 0, 1)),
        ({"type": ["image"], "event": ["die"]}, (0, 0, 0)),
        ({"container": ["web"]}, (1, 1, 0)),
        ({"container": [C[:5]]}, (1, 1, 0)),
        ({"container": ["eb-1"]}, (0, 0, 0)),
        ({"image": ["me/app:2"]}, (1, 1, 1)),
        ({"image": ["me/app"]}, (1, 1, 1)),
        ({"image": ["me/ap"]}, (0, 0, 0)),
        ({"image": [I]}, (0, 0, 1)),
        ({"label": ["tier"]}, (1, 1, 0)),
        ({"label": ["tier=front"]}, (1, 1, 0)),
        ({"label": ["tier=back"]}, (0, 0, 0)),
        ({"label": ["tier", "other"]}, (0, 0, 0)),
        ({"scope": ["local"]}, (1, 1, 1)),
        ({"scope": ["swarm"]}, (0, 0, 0)),
        ({"nonsense": ["x"]}, (1, 1, 1)),
        ({"event": None}, (1, 1, 1)),
        ({"event": []}, (1, 1, 1)),
        ({"network": ["me"]}, (0, 0, 1)),
    ],
)
def test_filters_choose(filters: dict[str, object], passes: tuple[int, ...]) -> None:
    wanted = EventFilters(filters)
    assert tuple(map(int, map(wanted.wants, (DIED, EXEC, TAG)))) == passes


@pytest.mark.parametrize("said", ["die", 1, {"die": 1}, [1], True])
def test_a_filter_that_is_no_list_is_refused(said: object) -> None:
    with pytest.raises(FilterRefused, match="invalid filter"):
        EventFilters({"event": said})


@given(any_event(), st.floats(0, 4e9))
def test_every_event_can_be_said_and_filtered_whatever_is_in_it(
    event: Event, wall: float
) -> None:
    said = message(event, Beside("\udcff", "A", (("=", ""),), 1, ()), wall)
    if said:
        said.document()
        EventFilters({"image": ["x"], "label": ["="]}).wants(said)


# ── The board ────────────────────────────────────────────────────────────────────────────


def board() -> Bulletin:
    return Bulletin(lambda event: BESIDE)


def tell(bulletin: Bulletin, signal: int, wall: float = 1.0) -> None:
    event = e.ContainerSignalled(C, signal)
    beside = bulletin.notes(event)
    assert beside
    told = Told(signal, event, "s", "o-1", 0, "", 0.0, wall, "f", 1, "model")
    bulletin.put(told, beside)


def signals(said: list[Message]) -> list[int]:
    return [int(each.attributes["signal"]) for each in said]


def test_an_event_without_a_word_in_docker_is_not_noted() -> None:
    assert board().notes(e.LoopbackRaised()) is None


def test_without_a_moment_nothing_of_the_past_is_told() -> None:
    bulletin = board()
    tell(bulletin, 1)
    listener = bulletin.listen()
    tell(bulletin, 2)
    bulletin.close()
    assert signals(list(listener.messages(lambda: 0.0))) == [2]


def test_the_past_is_told_from_one_moment_to_another() -> None:
    bulletin = board()
    for second in range(1, 6):
        tell(bulletin, second, float(second))
    listener = bulletin.listen(since_ns=2_000_000_000, until_ns=4_000_000_000)
    assert signals(list(listener.messages(lambda: 5.0))) == [2, 3, 4]
    from_the_first = bulletin.listen(until_ns=2_500_000_000)
    assert signals(list(from_the_first.messages(lambda: 5.0))) == [1, 2]


def test_as_many_are_remembered_as_docker_remembers() -> None:
    bulletin = board()
    for number in range(300):
        tell(bulletin, number)
    listener = bulletin.listen(since_ns=0)
    bulletin.close()
    found = signals(list(listener.messages(lambda: 0.0)))
    assert found == list(range(300 - REMEMBERED, 300))
    assert REMEMBERED == 256


def test_until_a_moment_to_come_somebody_waits_no_longer() -> None:
    bulletin, clock = board(), iter([0.0, 0.0, 9.0])
    listener = bulletin.listen(until_ns=1_000_000)
    tell(bulletin, 1, 0.0)
    assert signals(list(listener.messages(lambda: next(clock)))) == [1]


def test_who_reads_too_slowly_blocks_nobody_and_is_told_what_is_missing() -> None:
    bulletin = board()
    slow, quick = bulletin.listen(), bulletin.listen()
    for number in range(MOST_WAITING + 3):
        tell(bulletin, number)
        assert next(quick.messages(lambda: 0.0)).attributes["signal"] == str(number)
    bulletin.close()
    *heard, gap = slow.messages(lambda: 0.0)
    assert signals(heard) == list(range(MOST_WAITING))
    assert (gap.type, gap.action, gap.attributes) == (
        "daemon", "events_dropped", {"count": "3"},
    )  # fmt: skip


def test_a_listener_that_leaves_is_forgotten_and_its_wait_ends() -> None:
    bulletin = board()
    listener = bulletin.listen()
    heard: list[Message] = []
    reading = threading.Thread(target=lambda: heard.extend(listener.messages(lambda: 0.0)))
    reading.start()
    assert bulletin.listeners == 1
    listener.close()
    reading.join(20)
    assert not reading.is_alive()
    assert bulletin.listeners == 0
    tell(bulletin, 1)
    assert heard == []


def test_who_comes_after_the_end_hears_the_past_and_does_not_wait() -> None:
    bulletin = board()
    tell(bulletin, 1)
    bulletin.close()
    assert signals(list(bulletin.listen(since_ns=0).messages(lambda: 0.0))) == [1]
