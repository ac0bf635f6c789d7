"""A gate holds its story and nothing else, and never longer than somebody wants."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from pyminidock.engine.gates import (
    Gate,
    NoSuchGate,
    NothingHeld,
    Pattern,
    PatternUnclear,
    pattern,
)
from pyminidock.engine.journals import Journals, NoSuchStory
from pyminidock.engine.recorder import Recorder
from pyminidock.events import (
    BirthReady,
    Event,
    LayerProbed,
    Mounted,
    NamespaceEntered,
    RootPivoted,
    SeccompInstalled,
    UmaskSet,
    UserResolved,
    kind_of,
)
from pyminidock.kernel.port import BirthAborted
from tests.engine import studio


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = studio.recorder(tmp_path)
    for story in ("run-1", "run-2"):
        made.story(story, "run busybox")
    yield made
    made.close()


class Teller(Thread):
    """Tells events from a thread of its own, as the engine does."""

    def __init__(self, recorder: Recorder, *told: Event, may_abort: bool = True) -> None:
        super().__init__(daemon=True)
        self.voice = recorder.operation("run-1", "start", may_abort=may_abort)
        self.told, self.raised = told, ""
        self.start()

    def run(self) -> None:
        """Tell one after the other."""
        try:
            for event in self.told:
                self.voice(event)
        except BirthAborted as abort:
            self.raised = abort.what

    def ends(self) -> bool:
        """Wait for the end of the thread."""
        self.join(studio.DEADLINE_S)
        return not self.is_alive()


def kinds(recorder: Recorder, tmp_path: Path, story: str = "run-1") -> list[str]:
    recorder.flush()
    return [each.kind for each in Journals(tmp_path / "journal").read(story).records]


def held(gate: Gate) -> str:
    record = gate.next_held(studio.DEADLINE_S)
    assert record is not None
    return record.kind


def test_a_story_is_held_at_the_event_it_has_just_told(
    recorder: Recorder, tmp_path: Path
) -> None:
    gate = recorder.gate("run-1", "root.pivoted")
    teller = Teller(recorder, UmaskSet(0), RootPivoted("/"), BirthReady())
    assert held(gate) == "root.pivoted"
    assert kinds(recorder, tmp_path) == ["umask.set", "root.pivoted", "gate.held"]
    gate.resume()
    assert teller.ends()
    assert kinds(recorder, tmp_path)[2:] == ["gate.held", "gate.released", "birth.ready"]


def test_step_holds_at_the_next_event_and_continue_at_the_next_match(
    recorder: Recorder,
) -> None:
    gate = recorder.gate("run-1", "umask.set")
    teller = Teller(
        recorder, UmaskSet(0), RootPivoted("/"), BirthReady(), UmaskSet(1), UmaskSet(2)
    )
    assert held(gate) == "umask.set"
    gate.step()
    assert held(gate) == "root.pivoted"
    gate.resume()
    assert held(gate) == "umask.set"
    gate.close()
    assert teller.ends()


def test_a_gate_holds_only_its_own_story_and_no_listener(recorder: Recorder) -> None:
    gate, ring = recorder.gate("run-1", "*"), recorder.listen()
    teller = Teller(recorder, UmaskSet(0))
    assert held(gate) == "umask.set"
    other = recorder.operation("run-2", "start")
    for number in range(100):
        other(UmaskSet(number))  # would never return if the hold were anybody else's
    heard = [ring.next(studio.DEADLINE_S) for _ in range(102)]
    assert [each.story for each in heard if each] == ["run-1"] * 2 + ["run-2"] * 100
    gate.close()
    assert teller.ends()


def test_other_threads_of_a_held_story_are_held_one_by_one(recorder: Recorder) -> None:
    gate = recorder.gate("run-1", "*")
    tellers = [Teller(recorder, UmaskSet(number)) for number in range(3)]
    for _ in tellers:
        assert held(gate) == "umask.set"
    assert len(gate.holding) == 3
    for left in (2, 1, 0):
        gate.resume()
        assert len(gate.holding) == left
    assert all(teller.ends() for teller in tellers)


def test_abort_raises_out_of_the_telling(recorder: Recorder, tmp_path: Path) -> None:
    gate = recorder.gate("run-1", "root.pivoted")
    teller = Teller(recorder, RootPivoted("/"), BirthReady())
    held(gate)
    gate.abort()
    assert teller.ends()
    assert teller.raised == "start-1 was aborted at root.pivoted"
    assert "birth.ready" not in kinds(recorder, tmp_path)


def test_what_cannot_be_undone_is_let_go_instead(recorder: Recorder) -> None:
    gate = recorder.gate("run-1", "root.pivoted")
    teller = Teller(recorder, RootPivoted("/"), BirthReady(), may_abort=False)
    held(gate)
    gate.abort()
    assert teller.ends()
    assert teller.raised == ""


def test_a_gate_whose_client_goes_opens_within_a_second(
    recorder: Recorder, tmp_path: Path
) -> None:
    gate = recorder.gate("run-1", "*")
    teller = Teller(recorder, UmaskSet(0), UmaskSet(1))
    held(gate)
    before = time.monotonic()
    gate.close()
    assert teller.ends()
    assert time.monotonic() - before < 1
    assert kinds(recorder, tmp_path) == [
        "umask.set", "gate.held", "gate.released", "umask.set",
    ]  # fmt: skip
    released = Journals(tmp_path / "journal").read("run-1").records[2]
    assert released.data["by"] == "client gone"


def test_a_hundred_gates_all_hold_and_all_open(recorder: Recorder) -> None:
    gates = [recorder.gate("run-1", "*") for _ in range(100)]
    teller = Teller(recorder, UmaskSet(0))
    for gate in gates:
        assert held(gate) == "umask.set"
        assert gate.holding == (1,)
        gate.close()
    assert teller.ends()
    assert recorder.gates() == ()


def test_the_end_of_a_story_opens_its_gates(recorder: Recorder) -> None:
    gate = recorder.gate("run-1", "*")
    waiting: list[object] = []
    reader = Thread(target=lambda: waiting.append(gate.next_held(studio.DEADLINE_S)))
    reader.start()
    recorder.end("run-1")
    reader.join(studio.DEADLINE_S)
    assert waiting == [None]
    assert gate.is_closed


def test_closing_the_recorder_opens_every_gate(tmp_path: Path) -> None:
    recorder = studio.recorder(tmp_path)
    recorder.story("run-1", "run busybox")
    gate = recorder.gate("run-1", "*")
    teller = Teller(recorder, UmaskSet(0))
    held(gate)
    recorder.close()
    assert teller.ends()


def test_a_start_goes_in_lock_step_only_if_somebody_may_hold_it(recorder: Recorder) -> None:
    assert not recorder.is_gated("run-1")
    gate = recorder.gate("run-1", "*")
    assert recorder.is_gated("run-1")
    assert not recorder.is_gated("run-2")
    gate.close()
    assert not recorder.is_gated("run-1")


def test_a_gate_is_found_by_its_id_while_it_is_set(recorder: Recorder) -> None:
    gate = recorder.gate("run-1", "*")
    assert recorder.find_gate(gate.id) is gate
    gate.close()
    with pytest.raises(NoSuchGate):
        recorder.find_gate(gate.id)


def test_a_gate_needs_a_story_that_is_going_on(recorder: Recorder) -> None:
    with pytest.raises(NoSuchStory):
        recorder.gate("run-9", "*")


@pytest.mark.parametrize("let_go", [Gate.step, Gate.resume, Gate.abort])
def test_what_is_not_held_cannot_be_let_go(
    recorder: Recorder, let_go: Callable[[Gate], None]
) -> None:
    with pytest.raises(NothingHeld):
        let_go(recorder.gate("run-1", "*"))


def test_planned_steps_are_not_held_for_nobody_is_there_to_be_held(
    recorder: Recorder,
) -> None:
    gate = recorder.gate("run-1", "*")
    teller = Teller(recorder, SeccompInstalled(5), UmaskSet(0))
    assert held(gate) == "umask.set"
    gate.close()
    assert teller.ends()


@pytest.mark.parametrize(
    ("words", "event", "is_meant"),
    [
        ("*", UmaskSet(0), True),
        ("umask.set", UmaskSet(0), True),
        ("umask.*", UmaskSet(0), True),
        ("umask.set", RootPivoted("/"), False),
        ("layer.probed path=/etc/passwd", LayerProbed("/etc/passwd", "a", "file"), True),
        ("layer.probed path=/etc/passwd", LayerProbed("/etc", "a", "file"), False),
        ("layer.probed path=/etc layer=b", LayerProbed("/etc", "a", "file"), False),
        ("umask.set mask=18", UmaskSet(18), True),
        ("mounted flags=nosuid", Mounted("proc", "proc", "/proc", ("ro", "nosuid")), True),
        ("mounted flags=nodev", Mounted("proc", "proc", "/proc", ("ro", "nosuid")), False),
        ("user.resolved groups=27", UserResolved("u", 1, 1, (1, 27), "/", ""), True),
        (
            "namespace.entered was_joined=true",
            NamespaceEntered("pid", was_joined=True),
            True,
        ),
        ("namespace.entered was_joined=true", NamespaceEntered("pid"), False),
    ],
)
def test_a_pattern_means_events(words: str, event: Event, is_meant: bool) -> None:
    assert pattern(words).matches(event, kind_of(event)) is is_meant


@pytest.mark.parametrize(
    ("words", "what", "try_next"),
    [
        ("", "no event is called ''", "--break "),
        ("root.pivotted", "no event is called 'root.pivotted'", "--break root.pivoted"),
        ("seccomp.installed", "nothing can be held at", "--break birth.ready"),
        ("root.pivoted path=/", "'path=/' says nothing about", "--break root.pivoted"),
        ("root.pivoted root", "'root' says nothing about", "--break root.pivoted"),
    ],
)
def test_a_pattern_that_can_hold_nothing_is_refused(
    words: str, what: str, try_next: str
) -> None:
    with pytest.raises(PatternUnclear) as refusal:
        pattern(words)
    assert what in refusal.value.what
    assert try_next in refusal.value.try_next
    if words:
        assert isinstance(pattern(refusal.value.try_next.removeprefix("--break ")), Pattern)
