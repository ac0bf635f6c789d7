"""What the recorder adds to an event, and in which order it hands events on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from pyminidock import events
from pyminidock.engine.journals import Journals, NoSuchStory
from pyminidock.engine.recorder import Recorder
from pyminidock.events import CgroupCreated, HostnameSet, UmaskSet, UserTaken
from pyminidock.kernel.calls import MakeCgroup
from tests.engine import studio


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = studio.recorder(tmp_path)
    made.story("run-1", "run busybox")
    yield made
    made.close()


def test_a_fact_gets_its_circumstances(recorder: Recorder) -> None:
    ring = recorder.listen()
    recorder.operation("run-1", "start")(HostnameSet("web"))
    line = sys._getframe().f_lineno - 1
    record = ring.next(0)
    assert record is not None
    assert (record.seq, record.kind, record.story) == (1, "hostname.set", "run-1")
    assert record.operation == "start-1"
    assert (record.evidence, record.backend) == ("acknowledged", "simulated")
    assert record.src == f"test_recorder.py:{line}"  # outside the package: no path
    assert record.linux == "hostname web"
    assert record.data == {"hostname": "web"}
    assert 0 < record.t < 1
    assert record.wall > studio.WALL


def test_what_is_heard_late_has_the_time_at_which_it_happened(recorder: Recorder) -> None:
    """The clock of the studio ticks in thousandths; the story began at the first tick."""
    ring, voice = recorder.listen(), recorder.operation("run-1", "start")
    voice(UmaskSet(0))  # tick 2
    voice.happened(UmaskSet(1), 0.0025)  # heard at tick 3
    voice.happened(UmaskSet(2), 0.001)  # in another operation, before the last was told
    voice.happened(UmaskSet(3), 99.0)  # a clock that is ahead of ours: tick 5
    records = [record for _ in range(4) if (record := ring.next(0))]
    assert [record.t for record in records] == [0.001, 0.0015, 0.0015, 0.004]
    walls = [round(record.wall - studio.WALL, 4) for record in records]
    assert walls == [0.002, 0.0025, 0.0025, 0.005]


def test_a_fact_is_known_as_its_class_says_unless_who_tells_it_knows_better(
    recorder: Recorder,
) -> None:
    ring, voice = recorder.listen(), recorder.operation("run-1", "glass")
    voice(events.WhiteoutMade("/etc/motd"))
    voice.known(events.WhiteoutMade("/etc/motd"), "acknowledged")
    line = sys._getframe().f_lineno - 1
    heard = [record for _ in range(2) if (record := ring.next(0))]
    assert [record.evidence for record in heard] == ["explained", "acknowledged"]
    assert heard[1].src == f"test_recorder.py:{line}"
    recorder.end("run-1")
    told = [record.evidence for record in recorder.follow("run-1")]
    assert told == ["explained", "acknowledged"]


def test_the_source_of_a_decision_is_the_line_of_the_engine(recorder: Recorder) -> None:
    from pyminidock.unionfs.lookup import Layer, lookup  # noqa: PLC0415

    ring = recorder.listen()
    lookup([Layer("base", {})], "/etc", emit=recorder.operation("run-1", "x-ray"))
    sources = {record.src.partition(":")[0] for _ in range(2) if (record := ring.next(0))}
    assert sources == {"unionfs/lookup.py"}


def test_every_operation_has_a_name_of_its_own(recorder: Recorder) -> None:
    names = [recorder.operation("run-1", "start").operation for _ in range(3)]
    assert names == ["start-1", "start-2", "start-3"]


def test_steps_nest_below_their_first_event(recorder: Recorder) -> None:
    ring, voice = recorder.listen(), recorder.operation("run-1", "start")
    voice(UmaskSet(0))
    with voice.step("start"):
        voice(UmaskSet(1))
        with voice.step("birth"):
            voice(UmaskSet(2))
            voice(UmaskSet(3))
        voice(UmaskSet(4))
    voice(UmaskSet(5))
    told = [record for _ in range(6) if (record := ring.next(0))]
    assert [(each.seq, each.parent, each.phase) for each in told] == [
        (1, 0, ""), (2, 0, "start"), (3, 2, "birth"), (4, 3, "birth"), (5, 2, "start"),
        (6, 0, ""),
    ]  # fmt: skip


def test_a_step_that_fails_is_over(recorder: Recorder) -> None:
    ring, voice = recorder.listen(), recorder.operation("run-1", "start")

    def fail() -> None:
        with voice.step("birth"):
            voice(UmaskSet(1))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    voice(UmaskSet(2))
    assert [each.phase for _ in range(2) if (each := ring.next(0))] == ["birth", ""]


def test_numbers_have_no_gap_and_one_order_under_eight_threads(
    recorder: Recorder, tmp_path: Path
) -> None:
    ring = recorder.listen()

    def tell(thread: int) -> None:
        story = f"run-{thread % 3}"
        recorder.story(story, "run busybox")
        voice = recorder.operation(story, "start")
        for number in range(500):
            voice(UserTaken(thread, number, ()))

    threads = [Thread(target=tell, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(studio.DEADLINE_S)
    heard = [record for _ in range(4000) if (record := ring.next(0))]
    assert [record.seq for record in heard] == list(range(1, 4001))
    recorder.flush()
    journals = Journals(tmp_path / "journal")
    written = [journals.read(f"run-{number}").records for number in range(3)]
    for records in written:
        assert all(one.seq < two.seq and one.t <= two.t for one, two in pairwise(records))
    assert sorted(each.seq for records in written for each in records) == list(
        range(1, 4001)
    )
    for uid in range(8):
        gids = [each.data["gid"] for each in heard if each.data["uid"] == uid]
        assert gids == list(range(500))


def test_a_story_is_in_the_journal_soon_without_anybody_asking(tmp_path: Path) -> None:
    recorder = studio.recorder(tmp_path)
    recorder.story("run-1", "run busybox")
    written = Journals.append

    class Signal(Exception):
        pass

    from threading import Event as Flag  # noqa: PLC0415

    arrived = Flag()

    def append(self: Journals, story: str, lines: list[str]) -> None:
        written(self, story, lines)
        arrived.set()

    patch = pytest.MonkeyPatch()
    patch.setattr(Journals, "append", append)
    recorder.operation("run-1", "start")(UmaskSet(1))
    assert arrived.wait(studio.DEADLINE_S)
    patch.undo()
    recorder.close()


def test_following_a_story_misses_nothing_and_repeats_nothing(recorder: Recorder) -> None:
    voice = recorder.operation("run-1", "start")
    voice(UmaskSet(1))
    voice(UmaskSet(2))
    following = recorder.follow("run-1", since=1)
    first = next(following)
    voice(UmaskSet(3))
    recorder.end("run-1")
    assert [first.seq, *(record.seq for record in following)] == [2, 3]


def test_following_a_story_that_is_over_gives_all_of_it(recorder: Recorder) -> None:
    recorder.operation("run-1", "start")(UmaskSet(1))
    recorder.end("run-1")
    assert [record.seq for record in recorder.follow("run-1")] == [1]


def test_following_a_story_without_events_waits_for_the_first(recorder: Recorder) -> None:
    heard: list[int] = []
    reader = Thread(
        target=lambda: heard.extend(record.seq for record in recorder.follow("run-1"))
    )
    reader.start()
    recorder.operation("run-1", "start")(UmaskSet(1))
    recorder.end("run-1")
    reader.join(studio.DEADLINE_S)
    assert heard == [1]


def test_no_story_no_voice(recorder: Recorder) -> None:
    with pytest.raises(NoSuchStory):
        recorder.operation("run-9", "start")
    with pytest.raises(NoSuchStory):
        list(recorder.follow("run-9"))


def test_a_voice_outlives_its_story(recorder: Recorder, tmp_path: Path) -> None:
    voice = recorder.operation("run-1", "wait")
    recorder.end("run-1")
    voice(UmaskSet(1))
    recorder.flush()
    assert [each.seq for each in Journals(tmp_path / "journal").read("run-1").records] == [
        1
    ]


def test_effects_name_the_line_behind_the_recording_kernel(recorder: Recorder) -> None:
    from pyminidock.kernel.model.body import ModelBody  # noqa: PLC0415
    from pyminidock.kernel.recording import Recording  # noqa: PLC0415

    ring = recorder.listen()
    kernel = Recording(ModelBody())
    tree = kernel.machine().cgroups
    assert tree is not None
    plan = (MakeCgroup(tree.hierarchies[0][1] + "/a"),)
    kernel.perform(plan, emit=recorder.operation("run-1", "x"))
    record = ring.next(0)
    assert record is not None
    assert record.kind == events.kind_of(CgroupCreated)
    assert record.src.startswith("kernel/")
    assert not record.src.startswith("kernel/recording.py")


def test_an_engine_dies_when_the_event_it_is_armed_for_is_told(tmp_path: Path) -> None:
    program = (
        "from pyminidock.engine.recorder import Recorder\n"
        "from pyminidock.events import ContainerPaused, ContainerStarted\n"
        "recorder = Recorder(float, float, backend='simulated')\n"
        "recorder.story('s', 's')\n"
        "tell = recorder.operation('s', 'start')\n"
        "tell(ContainerStarted('c', 1)); print('one', flush=True)\n"
        "tell(ContainerStarted('c', 1)); print('two', flush=True)\n"
        "tell(ContainerPaused('c')); print('three', flush=True)\n"
    )

    def run(armed: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False,
            env={**os.environ, "MINIDOCK_FAILPOINT": armed},
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    assert run("told.container.started:2") == (-signal.SIGKILL, "one\n")
    assert run("told.container.paused") == (-signal.SIGKILL, "one\ntwo\n")
    assert run("container.started") == (0, "one\ntwo\nthree\n")
    assert "failpoint told.container.paused\n" in run("told?")[1]
