"""What a change copies, what stays below, and what the layer on top holds."""

from collections.abc import Iterable

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.viz.frames import Player
from pyminidock.viz.painters import html, svg
from pyminidock.viz.painters.text import paint
from pyminidock.viz.views.copyup import copyup, suits
from pyminidock.viz.world import fold_all
from tests.viz import xray
from tests.viz.story import ID, recorded


def drawn(heard: Iterable[Event]) -> list[str]:
    return paint(copyup(fold_all(recorded(heard))), 80).splitlines()


def plain(heard: Iterable[Event]) -> str:
    return " ".join(" ".join(drawn(heard)).split())


def test_the_block_is_in_the_layer_above_and_the_original_stays_below() -> None:
    said = paint(copyup(fold_all(xray.seen(xray.APPENDED, "sh"))), 80).splitlines()
    assert said == [
        "── What did a change copy? ─────────────────────────────────────────────────────",
        "[REAL]  by sh · ◉ read back from the kernel",
        "┌ ✎ upper: the container's own layer ──────────────────────────────────────────┐",
        "│ Δ ✎ /srv/data/log  20 MB, copied up from B                                   │",
        "│   ✎ /srv/data  copied up from B                                              │",
        "│   ✎ /srv  copied up from B                                                   │",
        "└──────────────────────────────────────────────────────────────────────────────┘",
        "B ── 20 MB copied ──▸ upper",
        "┌ · B: RUN mkdir /srv/data, read-only ─────────────────────────────────────────┐",
        "│   ⊘ /srv/data/log  stays here, and the container does not see it             │",
        "└──────────────────────────────────────────────────────────────────────────────┘",
        "  3 layers more: not concerned",
        "  /srv/data/log came up from B (RUN mkdir /srv/data): all of it",
        "  · copied up so far: 20 MB, for 1 file and 2 directories",
    ]


def test_before_it_is_copied_the_block_lies_in_the_layer_that_has_it() -> None:
    before = (*xray.READ, *xray.SRV, *xray.DATA, *xray.LOG)
    said = plain(before)
    assert "/srv/data/log is read here; the first change would copy it up" in said
    assert "nothing yet: it was all only read" in said
    block = [each.id for each in copyup(fold_all(recorded(before))).children[2].children]
    after = copyup(fold_all(recorded(xray.APPENDED))).children[1].children[0].id
    assert block == [after] == ["copyup.block"]  # one thing, which has moved


def test_a_directory_is_copied_without_what_is_in_it() -> None:
    said = plain(xray.APPENDED[:-2])
    assert "B ── only the directory ──▸ upper" in said
    assert "/srv stays here, and is merged" in said


def test_a_deletion_writes_a_mark_and_the_layers_below_still_have_it() -> None:
    said = plain(xray.DELETED)
    assert "⊘ /etc/motd whiteout: it says that this is deleted" in said
    assert "/etc/motd is deleted by a mark: the layers below still have it" in said
    assert "C: RUN echo world > /etc/motd, read-only" in said


def test_a_directory_made_anew_is_opaque_and_what_it_had_held_is_gone() -> None:
    said = plain(xray.AGAIN)
    assert "⊘ /srv/data opaque: shows nothing of what lies below" in said
    assert "/srv/data/log" not in said
    assert "/srv/data is a new directory: what was deleted stays hidden" in said


def test_attributes_alone_leave_the_bytes_where_they_are() -> None:
    said = plain((*xray.CREATED, e.PathCopiedUp("/big", xray.A, "metadata", 0)))
    assert "A ── only its attributes ──▸ upper" in said
    assert "its bytes are read, its attributes hidden" in said


def test_a_renamed_directory_says_what_layers_below_call_it() -> None:
    said = plain((*xray.CREATED, e.RedirectMade("/new", "/old")))
    assert "/new renamed: the layers below know it as /old" in said


def test_what_the_container_held_at_its_end_is_counted() -> None:
    wrote = e.ContainerWrote(ID, "/u", (("added", "/a", "file", "0644", 20),), 3, True)
    assert "at its end it held 4 names in all" in plain((*xray.APPENDED, wrote))


def test_many_names_are_counted_and_not_all_shown() -> None:
    many = [e.WhiteoutMade(f"/f{n}") for n in range(40)]
    assert "and 28 names more" in plain((*xray.CREATED, *many))


def test_forward_and_back_it_is_the_same_picture() -> None:
    records = xray.seen(xray.STORY)
    player = Player(records)
    there = [paint(copyup(player.go(n)), 80) for n in range(len(records) + 1)]
    back = [paint(copyup(player.go(n)), 80) for n in reversed(range(len(records) + 1))]
    assert there == back[::-1]
    assert all(len(line) <= 80 for each in there for line in each.splitlines())


def test_who_only_reads_has_no_such_view_and_all_painters_draw_it() -> None:
    assert not suits(fold_all(recorded(xray.READ)))
    scene = copyup(fold_all(recorded(xray.APPENDED)))
    assert "20 MB copied" in svg.paint(scene)
    assert "20 MB copied" in html.paint(scene)
