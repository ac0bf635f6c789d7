"""What is in an image, as a picture: readable at 80 columns, honest in its numbers."""

from typing import Any

import pytest

from pyminidock.viz.imagelayers import ImageLayers, files, read
from pyminidock.viz.painters.text import columns, paint
from pyminidock.viz.scene import Node
from pyminidock.viz.views.image import bar, image, layer

HOSTILE = "/<img onerror=x>\x1b]52;c;eA==\x07\u202e\n\udcff" + "x" * 300


def waste(*rows: tuple[str, int, int, int, str]) -> dict[str, Any]:
    keys = ("path", "size_bytes", "layer", "hidden_by", "reason")
    return {
        "reclaimable_bytes": sum(row[1] for row in rows), "reclaimable_files": len(rows),
        "reclaimable": [dict(zip(keys, row, strict=True)) for row in rows],
    }  # fmt: skip


def name(change: str, path: str, **facts: Any) -> dict[str, Any]:
    usual = {"kind": "file", "mode": "0644", "uid": 0, "gid": 0, "size_bytes": 0}
    return {"change": change, "path": path, **usual, **facts}


def tree(
    number: int, instruction: str, *names: dict[str, Any], **facts: Any
) -> dict[str, Any]:
    counts = {
        change: sum(each["change"] == change for each in names)
        for change in ("added", "changed", "deleted", "same")
    }
    usual = {
        "number": number, "diff_id": "sha256:" + "a" * 64, "chain_id": "sha256:" + "b" * 64,
        "instruction": instruction, "is_base": False, "is_missing": False,
        "size_bytes": sum(each["size_bytes"] for each in names), "hidden_bytes": 0,
        "shared_by": [], "items": len(names), "metadata_only": 0, "identical": 0,
        "entries": list(names), "more": 0,
    }  # fmt: skip
    return usual | counts | facts


def told(*layers: dict[str, Any], **facts: Any) -> ImageLayers:
    return read({
        "image": "sha256:" + "c" * 64, "names": ["app:latest"], "stand_in": "",
        "backend": "linux-root", "size_bytes": sum(each["size_bytes"] for each in layers),
        "base": {"layers": 1, "image": "sha256:" + "d" * 64, "names": ["busybox:latest"],
                 "known_by": "build", **waste()},
        "layers": list(layers), "without_layer": [], **waste(), **facts,
    })  # fmt: skip


BIG = 10_485_760
BASE = tree(
    1, "a static BusyBox of this machine",
    name("added", "/bin/busybox", size_bytes=2_024_544),
    is_base=True, shared_by=["busybox:latest", "todo:1"], more=287, added=288,
)  # fmt: skip
WROTE = tree(
    2, "RUN dd of=/big", name("added", "/big", size_bytes=BIG), hidden_bytes=BIG
)  # fmt: skip
CHMOD = tree(
    3, "RUN chmod 600 /big",
    name("changed", "/big", mode="0600", size_bytes=BIG, detail="metadata", hides_names=1,
         hides_bytes=BIG, before={"kind": "file", "mode": "0644", "uid": 0, "gid": 0}),
    metadata_only=1,
)  # fmt: skip
APP = told(
    BASE, WROTE, CHMOD, without_layer=["ENV A=1"],
    **waste(("/big", BIG, 2, 3, "metadata only")),
)  # fmt: skip


def nodes_of(node: Node) -> list[Node]:
    return [node, *(deeper for child in node.children for deeper in nodes_of(child))]


def test_the_layers_stand_topmost_first_with_size_instruction_and_sharers() -> None:
    assert paint(image(APP), 80).splitlines() == [
        "── What is in this image, and who shares it? app:latest ────────────────────────",
        "[REAL]",
        "  app:latest is 3 layers, 23 MB. The lowest comes from busybox:latest. 10.5 MB",
        "  could be reclaimed.",
        "✎ C ██████████  10.5 MB  RUN chmod 600 /big",
        "│    1 changed, of 1 only the metadata · in this image only",
        "     its names (1 inside)",
        "✎ B ██████████  10.5 MB  RUN dd of=/big",
        "│    1 added · 10.5 MB of it hidden above · in this image only",
        "     its names (1 inside)",
        "▸ A █████████░  2.02 MB  a static BusyBox of this machine",
        "│    288 added · from the base busybox:latest · shared with todo:1",
        "│    the biggest of 288 names (1 inside)",
        "     · and 287 more: minidock image layers app:latest --layer A",
        "── 10.5 MB could be reclaimed ──────────────────────────────────────────────────",
        "  An upper layer hides these bytes and cannot take them out: they travel with",
        "  the image. Do both in one RUN, or do not write them.",
        "  size       file  in  hidden by             why",
        "  ⊘ 10.5 MB  /big  B   C RUN chmod 600 /big  metadata only",
        "· 1 instruction made no layer: no file was changed (1 inside)",
    ]


def test_an_opened_layer_shows_what_became_of_each_name() -> None:
    names = files([
        name("changed", "/big", mode="0600", size_bytes=BIG, detail="metadata",
             before={"kind": "file", "mode": "0644", "uid": 0, "gid": 0}),
        name("changed", "/d", kind="directory", mode="0755", detail="opaque",
             before={"kind": "directory", "mode": "0755", "uid": 0, "gid": 0}),
        name("deleted", "/d/old", hides_names=3, hides_bytes=12, detail="opaque"),
        name("same", "/etc", kind="directory", mode="0755"),
        name("added", "/l", kind="symlink", mode="0777", link="busybox"),
        name("added", "/n", kind="hard link", link="/big", uid=7, gid=8),
    ])  # fmt: skip
    shown = paint(layer(APP, 3, names, 9), 80).splitlines()
    assert shown[0].startswith("── What did layer C of app:latest change? ──")
    assert shown[3:] == [
        "│               path    size     mode  note",
        "│    ✎ changed  /big    10.5 MB  0600  metadata only, mode 0644 → 0600",
        "│    ✎ changed  /d/              0755  made anew: hides what was below",
        "│    ⊘ deleted  /d/old                 3 names, 12 B",
        "│    · way      /etc/            0755",
        "│    added      /l               0777  → busybox",
        "│    added      /n               0644  = /big, owner 7:8",
        "     · and 3 more: minidock image layers app:latest --layer C",
    ]


def test_who_cannot_see_hears_a_sentence_for_each_layer_and_no_bar() -> None:
    spoken = [each.name for each in nodes_of(image(APP)) if each.role == "treeitem"]
    assert spoken[0] == (
        "layer C, 10.5 MB, RUN chmod 600 /big, 1 changed, of 1 only the metadata"
        " · in this image only"
    )
    assert not any("█" in each.name for each in nodes_of(image(APP)))


def test_what_the_base_hides_is_not_called_this_images() -> None:
    base = {"layers": 1, "image": "sha256:d", "names": ["based:1"], "known_by": "layers",
            **waste(("/motd", 7, 1, 2, "deleted"))}  # fmt: skip
    shown = " ".join(paint(image(told(BASE, WROTE, base=base)), 80).split())
    assert "7 B of the base are hidden: not this image's" in shown
    assert "could be reclaimed" not in shown
    assert "Nothing of its own is hidden." in shown
    assert "The lowest is that of based:1." in shown


def test_an_empty_image_and_a_lost_layer_say_so() -> None:
    assert "scratch: no layers" in paint(image(told()), 80)
    lost = tree(1, "COPY a /", is_missing=True)
    assert "✕ A" in paint(image(told(lost)), 80)
    assert "not in the store any more" in paint(image(told(lost)), 80)


def test_a_bar_grows_with_the_logarithm_and_never_lies_about_nothing() -> None:
    drawn = [bar(10**power, 10**9).count("█") for power in range(10)]
    assert drawn == sorted(drawn)
    assert (bar(0, 0), bar(0, 5).count("█"), bar(1, 10**9).count("█")) == ("░" * 10, 0, 1)


@pytest.mark.parametrize("width", [20, 80, 200])
def test_hostile_names_are_inert_and_no_line_is_too_long(width: int) -> None:
    hostile = tree(
        2, "RUN " + HOSTILE, name("added", HOSTILE, link=HOSTILE, kind="symlink"),
        shared_by=[HOSTILE],
    )  # fmt: skip
    lines = paint(
        image(told(BASE, hostile, **waste((HOSTILE, 5, 1, 2, HOSTILE))), opened=(1, 2)),
        width,
    ).splitlines()
    assert not any("\x1b" in line or "\u202e" in line or "\x07" in line for line in lines)
    assert max(map(columns, lines)) <= max(width, 8)


def test_ids_stay_and_are_no_ones_else() -> None:
    ids = [each.id for each in nodes_of(image(APP, opened=(1, 2, 3)))]
    assert len(ids) == len(set(ids))
    assert ids[0] == "image"
    assert ids == [each.id for each in nodes_of(image(APP))]
