"""What a container wrote, as a picture, and as a moment of its story."""

from typing import Any

from pyminidock import events as e
from pyminidock.viz.painters.text import columns, paint
from pyminidock.viz.sentences import say
from pyminidock.viz.things import Written
from pyminidock.viz.views.written import read, written
from pyminidock.viz.world import fold_all
from tests.viz.story import STORY, recorded

UPPER = "/var/lib/minidock/containers/" + "7e" * 32 + "/upper"
NAMES = (
    ("changed", "/etc/motd", "file", "0644", 12), ("added", "/new", "file", "0600", 3),
    ("deleted", "/bin/vi", "symlink", "0777", 0), ("added", "/d", "directory", "0755", 0),
)  # fmt: skip


def told(*entries: dict[str, Any], **facts: Any) -> str:
    usual = {"kind": "file", "mode": "0644", "uid": 0, "gid": 0, "size_bytes": 0}
    counts = {
        change: sum(each["change"] == change for each in entries)
        for change in ("added", "changed", "deleted", "same")
    }
    document = {
        "name": "c1", "backend": "linux-root", "state": "exited", "upper": UPPER,
        "size_bytes": 15, "total": len(entries), "in_memory": [],
        "is_removed_at_end": False, "entries": [usual | each for each in entries],
    }  # fmt: skip
    return paint(written(read(document | counts | facts)), 80)


def test_names_place_and_future_are_shown_at_eighty_columns() -> None:
    shown = told(
        {"change": "same", "path": "/etc", "kind": "directory"},
        {"change": "changed", "path": "/etc/motd", "size_bytes": 12, "mode": "0600",
         "before": {"kind": "file", "mode": "0644", "uid": 0, "gid": 0}},
        {"change": "added", "path": "/new", "size_bytes": 3},
        {"change": "deleted", "path": "/bin/vi", "detail": "whiteout"},
    )  # fmt: skip
    assert shown.splitlines() == [
        "── What did this container write, and where is it? c1 ──────────────────────────",
        "[REAL]",
        "  c1 wrote 3 names, 15 B. All of it lies in its writable layer, one directory of",
        "  the host:",
        "  " + UPPER[:78],
        "  " + UPPER[78:],
        "             path       size  mode  note",
        "  ✎ changed  /etc/motd  12 B  0600  covers the image's, mode 0644 → 0600",
        "  ● added    /new       3 B   0644",
        "  ⊘ deleted  /bin/vi                a whiteout hides it",
        "  The layer outlives stop and start, and goes with minidock rm c1. The image",
        "  stays as it is.",
    ]


def test_nothing_memory_and_rm_are_said() -> None:
    shown = told(in_memory=["/run"], is_removed_at_end=True)
    assert "c1 wrote nothing: its writable layer is empty." in shown
    assert "below /run is in memory" in shown
    assert "With --rm the layer goes" in shown
    assert "so far" in told({"change": "added", "path": "/a"}, state="running")


def test_what_holds_no_bytes_is_named_by_its_kind() -> None:
    shown = told(
        {"change": "added", "path": "/null", "kind": "device", "link": "c 1:3"},
        {"change": "added", "path": "/queue", "kind": "fifo"},
    )
    assert [line.split(maxsplit=4)[2:] for line in shown.splitlines()[7:9]] == [
        ["/null", "0644", "device c 1:3"],
        ["/queue", "0644", "a FIFO: it keeps no bytes"],
    ]


def test_hostile_names_are_inert() -> None:
    hostile = "/<b>\x1b[2J\u202e\n\udcff" + "x" * 300
    shown = told({"change": "added", "path": hostile, "link": hostile, "kind": "symlink"})
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(columns, shown.splitlines())) <= 80


def test_a_story_remembers_what_was_written_after_the_container_has_gone() -> None:
    container = next(x.container for x in STORY if isinstance(x, e.ContainerStarted))
    wrote = e.ContainerWrote(container, UPPER, NAMES, 7, is_all=False)
    *_, record = records = recorded((*STORY, wrote))
    world = fold_all(records)
    kept = world.containers[container]
    assert kept.written[0] == Written("changed", "/etc/motd", "file", "0644", 12)
    assert (len(kept.written), kept.written_more, kept.is_all_written) == (4, 7, False)
    assert kept.root.upper == UPPER
    assert say(record, 1) == (
        "It wrote 11 names or more: /etc/motd (changed), /new (added), /bin/vi (deleted)"
        " and 8 more"
    )
    assert say(record, 3).startswith("overlayfs kept it in /var/lib/minidock/containers/")
