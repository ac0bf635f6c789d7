"""Every event has its words, whatever is in it."""

from dataclasses import fields, replace
from inspect import cleandoc
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.events.journal import record_kinds
from pyminidock.viz import english
from pyminidock.viz.buildwords import reason
from pyminidock.viz.sentences import WIDTHS, middle, say, visible, words_of
from tests.viz.anything import any_event
from tests.viz.buildstory import STORIES
from tests.viz.story import STORY, recorded


@given(any_event(), st.sampled_from([1, 2, 3]))
def test_a_sentence_is_one_short_printable_line_whatever_the_facts(
    event: Event, depth: int
) -> None:
    sentence = say(event, depth)
    assert 0 < len(sentence) <= WIDTHS[depth]
    assert sentence.isprintable()


def test_an_event_whose_facts_are_empty_is_said_by_its_kind() -> None:
    assert say(e.ImageImported(""), 3) == "image.imported"
    assert all(say(cls(**_nothing(cls)), 3).strip() for cls in record_kinds().values())


def _nothing(cls: type[Event]) -> dict[str, Any]:
    empty: dict[Any, Any] = {str: "", int: 0, bool: False}
    hints = get_type_hints(cls)
    return {each.name: empty.get(hints[each.name], ()) for each in fields(cls)}


def test_every_word_of_the_catalogue_belongs_to_a_kind_and_every_kind_has_words() -> None:
    assert {key.partition("/")[0] for key in english.CATALOGUE} == set(record_kinds())


@pytest.mark.parametrize("story", [STORY, *STORIES.values()], ids=["run", *STORIES])
def test_the_words_of_one_story_all_differ_in_depth(story: tuple[Event, ...]) -> None:
    for event in story:
        assert len({say(event, depth) for depth in (1, 2, 3)}) == 3, event


@pytest.mark.parametrize(
    ("event", "depth", "sentence"),
    [
        (e.NamespaceEntered("network"), 1,
         "A new network namespace: no network devices but its own lo"),
        (e.NamespaceEntered("network"), 3, "unshare(2) CLONE_NEWNET (0x40000000)"),
        (e.NamespaceEntered("pid"), 3,
         "clone(2) CLONE_NEWPID (0x20000000): it comes with its first process, by one"
         " call"),
        (e.CgroupJoined("/sys/fs/cgroup/pids/minidock-ab/c1"), 3,
         "write(2) '0', which means itself, to /sys/fs/cgroup/pids/minidock-ab/c1/tasks"),
        (e.CgroupJoined("/sys/fs/cgroup/minidock-ab/c1"), 3,
         "write(2) '0', which means itself, to /sys/fs/cgroup/minidock-ab/c1/cgroup.procs"),
        (e.PropagationSet("/", "slave", True), 3,
         "mount_setattr(2) / MS_SLAVE, AT_RECURSIVE"),
        (e.Mounted("proc", "proc", "/proc", ("nosuid",), ""), 3,
         "fsopen(2) proc, fsmount(2) (nosuid), move_mount(2) → /proc"),
        (e.PathMadeReadonly("/proc/bus", True), 3,
         "open_tree(2) /proc/bus, mount_setattr(2) MOUNT_ATTR_RDONLY, move_mount(2) over"
         " it"),
        (e.PathMasked("/proc/keys", "null"), 3,
         "open_tree(2) /dev/null, move_mount(2) → /proc/keys"),
        (e.PathMasked("/proc/acpi", "empty directory"), 3,
         "fsopen(2) tmpfs ro, fsmount(2), move_mount(2) → /proc/acpi"),
        (e.ConsoleOpened("/dev/console"), 1, "The program gets a terminal of its own"),
        (e.ContainerSignalled("c" * 64, 15), 3,
         "kill(2) by the shim, its parent: signal 15"),
        (e.NamespaceEntered("ipc", True, 7), 3,
         "setns(2) CLONE_NEWIPC (0x08000000), the namespace of process 7"),
        (e.ResourceLimited("core", 0, -1), 1,
         "At most 0 for core (it may ask for unlimited)"),
        (e.CapabilitiesSet(()), 1, "The process keeps none of root's powers"),
        (e.ContainerExited("c", 137, 9, True), 1,
         "The kernel killed the program: its memory budget was used up"),
        (e.ContainerSignalled("c" * 64, 9), 1, "Signal 9 was sent to the first process"),
        (e.ContainerRemoved("c" * 64, "web"), 3, "cccccccccccc removed"),
        (e.DeviceMade("/dev/sda", 8, 0, 0o660, True), 3,
         "mknodat(2) /dev/sda b 8:0 mode 0660"),
        (e.PathResolved("/a", ()), 1, "/a does not exist"),
        (e.CacheMissed(4, "file", "mode", "a.py", "0644", "0755"), 1,
         "Step 4 has to be done: a.py has another mode"),
        (e.CacheMissed(4, "file", "mode", "a.py", "0644", "0755"), 2,
         "It was 0644 and is 0755; a newer time alone would not have counted."),
        (e.CacheMissed(4, "parent", "step", "", "", "sha256:" + "ab" * 32), 3,
         "the image before it is abababababab: the cache was not asked"),
        (e.ConfigChanged(4, "environment", ("A=1",), ("A=1", "B=2")), 1, "ENV gains B=2"),
        (e.ConfigChanged(4, "command", ("sh",), ()), 1, "CMD is nothing now; it was sh"),
        (e.FileCopied("a", "/a", "file", 0o644, 0, 0, 1500), 1,
         "/a is in the new layer: file, 1.5 kB, mode 0644"),
        (e.FileChanged("/a", "deleted", "file", 0o644, 0, 0, 1500), 1,
         "The program deleted /a (file, 1.5 kB), which stays in a layer below"),
        (e.LayerCommitted("c", "d", 1_234_567, 1200), 1,
         "A new layer: 1,200 names, 1.23 MB"),
        (e.StepStarted(2, 5, "0", "COPY . /app", 3), 2,
         "Files of the context, or of another stage, become a layer of the image."),
        (e.StepPrinted(3, "stdout", "hi\n"), 1, "It says: hi"),
        (e.StepFinished(2, "sha256:" + "cd" * 32, 4480, True), 1,
         "Step 2 gave image cdcdcdcdcdcd at once; it had taken 4.48 s"),
        (e.ImageTagged("sha256:" + "cd" * 32, "docker.io/library/app:latest"), 1,
         "The image is called app"),
        (e.PathResolved("/a", ("top", "base")), 1, "/a comes from top base"),
        (e.PathCopiedUp("/a", "base", "content", 5), 1,
         "/a was copied up from layer base: content"),
        (e.WhiteoutMade("/a"), 1, "A whiteout says that /a is deleted"),
        (e.RedirectMade("/b", "a"), 1, "/b still finds its lower layers, at a"),
        (e.LayerProbed("/a", "base", "file", 7, "cat"), 3, "cat[7]: /a in base is file"),
        (e.PathResolved("/a", (), 7, "cat"), 1, "cat learned that /a does not exist"),
        (e.PathResolved("/a", ("top",), 7, "cat"), 1, "cat learned that /a comes from top"),
        (e.CallAnswered("mkdir", "/a", pid=7, command="mkdir"), 3,
         "mkdir[7]: mkdir(/a) = 0"),
        (e.CallAnswered("unlink", "/a", "EBUSY", "", 7, "rm"), 1,
         "rm called unlink for /a, and was refused: EBUSY"),
        (e.CallAnswered("rename", "/b", "", "/a", 7, "mv"), 1,
         "mv called rename: /a to /b"),
        (e.CallAnswered("link", "/b", "EXDEV", "/a", 7, "ln"), 3,
         "ln[7]: link(/a, /b) = -EXDEV"),
        (e.PathCopiedUp("/a", "base", "content", 5, 7, "sh"), 1,
         "sh changes /a: copied up from layer base (content)"),
        (e.WhiteoutMade("/a", 7, "rm"), 1, "rm deleted /a: a whiteout hides it"),
    ],
)  # fmt: skip
def test_what_is_said(event: Event, depth: int, sentence: str) -> None:
    assert say(event, depth) == sentence


def test_a_record_is_said_like_its_event() -> None:
    for record, event in zip(recorded(), STORY, strict=True):
        assert say(record, 2) == say(event, 2)


def test_a_kind_of_a_newer_engine_is_named_and_its_facts_are_kept() -> None:
    (record,) = recorded([e.LoopbackRaised()])
    stranger = replace(record, kind="moon.landed", data={"crater": "Ty\x1bcho"})
    assert say(stranger, 1).startswith("moon.landed: ")
    assert say(stranger, 3) == r"crater Ty\x1bcho"


def test_a_long_path_gives_way_in_its_middle() -> None:
    sentence = say(e.WorkingDirectoryEntered("/start/" + "x" * 500 + "/end"), 1)
    assert "/start/" in sentence
    assert sentence.endswith("/end")
    assert [middle("abcdef", n) for n in (1, 2, 3, 6)] == ["…", "…f", "a…f", "abcdef"]


def test_what_would_redraw_the_screen_is_spelt_out() -> None:
    assert visible("\x1b[2J\u202e\udcff\x85") == r"\x1b[2J\u202e\udcff\x85"
    assert visible("zażółć 容器") == "zażółć 容器"


def test_every_entry_fills_with_the_facts_of_its_event() -> None:
    heard = {words_of(event)[0] for event in STORY}  # type: ignore[arg-type]
    assert "image.found/stand-in" in heard
    assert "path.masked/absent" in heard


CAUSES = [
    ("first", ""), ("disabled", ""), ("parent", "step"), ("parent", "base"),
    ("parent", "image"), ("instruction", ""), ("instruction", "added"),
    ("instruction", "removed"), ("instruction", "moved"), ("instruction", "meaning"),
    ("argument", "V"), ("variable", "V"), ("setting", "mode"), ("file", "content"),
    ("file", "mode"), ("file", "owner"), ("file", "kind"), ("file", "link"),
    ("file", "added"), ("file", "removed"), ("removed", ""), ("unfinished", ""),
    ("source", ""), ("forgotten", ""),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "detail"), CAUSES)
def test_every_cause_of_a_miss_has_words_of_its_own(cause: str, detail: str) -> None:
    event = e.CacheMissed(4, cause, detail, "a.py" if cause == "file" else "", "1", "2")
    said = {say(event, depth) for depth in (1, 2, 3)}
    assert len(said) == 3
    assert reason(event) != cause
    assert say(event, 1).startswith("Step 4 ")


def test_the_causes_told_here_are_those_the_vocabulary_names() -> None:
    told = cleandoc(e.CacheMissed.__doc__ or "")  # Python 3.13 has done so already
    assert {cause for cause, _ in CAUSES} == {
        line.split()[0] for line in told.splitlines() if line.startswith(" " * 4)
        and line[4] != " "
    }  # fmt: skip


def sample(cls: type[Event]) -> Event:
    """Make an event of any class, with a fact in each field."""
    facts: dict[Any, Any] = {
        str: "x", int: 3, bool: True, tuple[str, ...]: ("x", "y"), tuple[int, ...]: (1, 2),
        tuple[tuple[str, str], ...]: (("pid", "1"),),
        tuple[tuple[str, str, str, str, int], ...]: (("added", "/a", "file", "0644", 1),),
    }  # fmt: skip
    hints = get_type_hints(cls)
    return cls(**{each.name: facts[hints[each.name]] for each in fields(cls)})


@pytest.mark.parametrize("kind", record_kinds())
def test_every_kind_is_said_at_three_depths_and_each_time_otherwise(kind: str) -> None:
    event = sample(record_kinds()[kind])
    assert len({say(event, depth) for depth in (1, 2, 3)}) == 3
    assert kind not in say(event, 1)
