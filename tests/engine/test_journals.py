"""Stories on disk: private, bounded, readable after a crash."""

import os
import stat
from pathlib import Path

import pytest

from pyminidock.engine.journals import Journals, NoSuchStory, SecretLeft, created
from pyminidock.events import CgroupCreated, JournalDropped, ProgramExecuted
from pyminidock.events.journal import Header, event_of, record_of, to_line
from tests.engine import studio
from tests.events.test_redaction import CANARY, SPEC


def header(story: str, wall: float = 0.0) -> Header:
    return Header(story, f"run {story}", created(wall), "simulated")


def line(seq: int, story: str = "run-1", path: str = "/a") -> str:
    return to_line(record_of(CgroupCreated(path), seq=seq, story=story))


def test_a_story_is_a_header_and_lines(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "journal")
    journals.begin(header("run-1"))
    journals.append("run-1", [line(1), line(2)])
    trace = journals.read("run-1")
    assert trace.header == header("run-1")
    assert [record.seq for record in trace.records] == [1, 2]
    assert trace.damage is None


def test_nobody_else_may_read_a_story(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "journal")
    old = os.umask(0)
    try:
        journals.begin(header("run-1"))
    finally:
        os.umask(old)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in
             (tmp_path / "journal", tmp_path / "journal" / "run-1.jsonl")]  # fmt: skip
    assert modes == [0o700, 0o600]


def test_the_last_story_is_the_one_that_began_last(tmp_path: Path) -> None:
    journals = Journals(tmp_path)
    for story, wall in (("run-a", 3.0), ("run-b", 1.0), ("run-c", 2.0)):
        journals.begin(header(story, wall))
    journals.append("run-b", [line(9, "run-b")])
    assert journals.last() == "run-c"
    assert Journals(tmp_path).last() == "run-a"  # read again: the header says when
    assert [entry.header.story for entry in Journals(tmp_path).entries()] == [
        "run-b", "run-c", "run-a",
    ]  # fmt: skip


def test_an_empty_journal_has_no_last_story(tmp_path: Path) -> None:
    with pytest.raises(NoSuchStory):
        Journals(tmp_path).last()


def test_a_story_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in ("run-9", "../../etc/passwd", ""):
        with pytest.raises(NoSuchStory):
            Journals(tmp_path).read(name)


def test_the_oldest_story_goes_first(tmp_path: Path) -> None:
    journals = Journals(tmp_path, limit_bytes=1500)
    for number in range(4):
        story = f"run-{number}"
        journals.begin(header(story, number))
        journals.append(story, [line(n, story) for n in range(3)])
    dropped = journals.make_room()
    assert dropped is not None
    assert dropped.stories[0] == "run-0"
    assert dropped.events == 3 * len(dropped.stories)
    left = [entry.header.story for entry in journals.entries()]
    assert left == [f"run-{n}" for n in range(len(dropped.stories), 4)]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1500
    assert journals.make_room() is None


def test_a_line_that_a_crash_cut_does_not_spoil_the_next(tmp_path: Path) -> None:
    journals = Journals(tmp_path)
    journals.begin(header("run-1"))
    journals.append("run-1", [line(1)])
    with (tmp_path / "run-1.jsonl").open("a") as file:
        file.write(line(2)[:40])
    again = Journals(tmp_path)
    assert again.newest_number() == 1
    assert again.resume("run-1") == header("run-1")
    again.append("run-1", [line(2)])
    assert [record.seq for record in again.read("run-1").records] == [1, 2]
    assert again.read("run-1").damage is None


def test_a_damaged_story_hides_no_other(tmp_path: Path) -> None:
    journals = Journals(tmp_path)
    journals.begin(header("run-1"))
    (tmp_path / "run-0.jsonl").write_bytes(b"\xff\x00 nonsense")
    again = Journals(tmp_path)
    assert [entry.header.story for entry in again.entries()] == ["run-1"]
    assert again.resume("run-0") is None


def test_numbers_go_on_where_an_earlier_engine_stopped(tmp_path: Path) -> None:
    first = studio.recorder(tmp_path)
    first.story("run-1", "run busybox")
    for _ in range(3):
        first.operation("run-1", "start")(CgroupCreated("/a"))
    first.close()
    second = studio.recorder(tmp_path)
    second.story("run-1", "run busybox")
    second.operation("run-1", "wait")(CgroupCreated("/b"))
    second.close()
    records = Journals(tmp_path / "journal").read("run-1").records
    assert [record.seq for record in records] == [1, 2, 3, 4]


def test_no_canary_reaches_a_byte_of_the_journal(tmp_path: Path) -> None:
    recorder = studio.recorder(tmp_path)
    recorder.story(
        "run-1", f"run busybox sh -c 'curl -H \"Authorization: Bearer {CANARY}\"'"
    )
    voice = recorder.operation("run-1", "create")
    voice(SPEC)
    voice(ProgramExecuted(("curl", "-H", f"Authorization: Bearer {CANARY}")))
    recorder.close()
    content = (tmp_path / "journal" / "run-1.jsonl").read_text()
    assert content.count("\n") == 3
    assert CANARY not in content


def test_an_export_with_a_secret_left_names_the_line(tmp_path: Path) -> None:
    journals = Journals(tmp_path)
    journals.begin(header("run-1"))
    journals.append("run-1", [line(1), line(2, path="ghp_" + "a1" * 18)])
    with pytest.raises(SecretLeft) as refusal:
        journals.export("run-1")
    assert "line 3 of run-1" in refusal.value.what
    assert "ghp_a1a1" not in str(refusal.value.why)


def test_an_export_is_the_file(tmp_path: Path) -> None:
    journals = Journals(tmp_path)
    journals.begin(header("run-1"))
    journals.append("run-1", [line(1)])
    exported = "".join(f"{each}\n" for each in journals.export("run-1"))
    assert exported == (tmp_path / "run-1.jsonl").read_text()


def test_a_full_journal_tells_what_it_dropped(tmp_path: Path) -> None:
    recorder = studio.recorder(tmp_path, limit_bytes=3000)
    for story in ("run-1", "run-2"):
        recorder.story(story, "run busybox")
        voice = recorder.operation(story, "start")
        for _ in range(8):
            voice(CgroupCreated("/a"))
        recorder.flush()
    recorder.close()
    trace = Journals(tmp_path / "journal").read("run-2")
    told = [event_of(each) for each in trace.records if each.kind == "journal.dropped"]
    assert [
        (each.stories, each.events) for each in told if isinstance(each, JournalDropped)
    ] == [(("run-1",), 8)]


def test_one_story_larger_than_the_journal_begins_again(tmp_path: Path) -> None:
    recorder = studio.recorder(tmp_path, limit_bytes=3000)
    recorder.story("run-1", "run busybox")
    voice = recorder.operation("run-1", "start")
    for _ in range(40):
        voice(CgroupCreated("/a"))
        recorder.flush()
    recorder.close()
    trace = Journals(tmp_path / "journal").read("run-1")
    assert trace.header.title == "run busybox"
    assert trace.records[0].kind in ("journal.dropped", "cgroup.created")
    assert (tmp_path / "journal" / "run-1.jsonl").stat().st_size <= 3000


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    recorder = studio.recorder(tmp_path)
    recorder.story("run-1", "run busybox")
    (tmp_path / "journal").rename(tmp_path / "away")
    voice = recorder.operation("run-1", "start")
    voice(CgroupCreated("/lost"))
    recorder.flush()
    (tmp_path / "away").rename(tmp_path / "journal")
    voice(CgroupCreated("/kept"))
    recorder.flush()
    recorder.close()
    records = Journals(tmp_path / "journal").read("run-1").records
    assert [record.kind for record in records] == ["cgroup.created", "journal.dropped"]
    assert event_of(records[1]) == JournalDropped((), 1, 0)
