"""The views say what is true, and the text painter shows it in any width."""

import re
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock import events as e
from pyminidock.viz import scene
from pyminidock.viz.keys import KEYS, action_of, as_data
from pyminidock.viz.painters.text import columns, cut, paint, paint_lines, wrap
from pyminidock.viz.scene import PRIMITIVES, Node, Scene
from pyminidock.viz.things import EMPTY, World
from pyminidock.viz.views.birth import birth, mounts, powers, processes
from pyminidock.viz.views.source import source
from pyminidock.viz.views.steps import label, steps
from pyminidock.viz.world import fold_all
from tests.viz.story import BIRTH, CREATE, DECIDE, STORY, recorded

PACKAGE = Path(scene.__file__).parents[1]
HOSTILE = (
    "<img onerror=x></script>\x1b]52;c;eA==\x07\x1b]8;;http://x\x07\x1b[2J\u202e\udcff"
)


def at(step: int) -> World:
    return fold_all(recorded()[:step])


PIVOTED = next(n for n, x in enumerate(STORY, 1) if isinstance(x, e.RootPivoted))


def read(path: str) -> str | None:
    file = PACKAGE / path
    return file.read_text(encoding="utf-8") if file.is_file() else None


def nodes_of(node: Node) -> list[Node]:
    return [node, *(deeper for child in node.children for deeper in nodes_of(child))]


def test_processes_are_a_tree_with_their_walls() -> None:
    assert paint(processes(at(PIVOTED)), 40).splitlines()[1:] == [
        "minidockd, the engine",
        "└─ shim (host 4700)",
        "   └─ ✎ PID 1 (host 4711) being made",
        "      ├─ ● pid     own",
        "      ├─ ● mount   own",
        "      ├─ ● network own",
        "      ├─ ● uts     own",
        "      ├─ ● ipc     own",
        "      ├─ ● cgroup  own",
        "      └─ · user    host's",
    ]


def test_the_mounts_say_what_is_hidden_and_what_just_changed() -> None:
    masked = next(n for n, x in enumerate(STORY, 1) if isinstance(x, e.PathMasked))
    lines = paint(mounts(at(masked)), 60).splitlines()
    (changed,) = [line for line in lines if line.startswith("Δ")]
    assert changed.split() == ["Δ", "⊘", "/proc/kcore", "by", "/dev/null"]
    assert lines[1].strip() == "Tree: pivoted, it is / now"
    assert any("memory.limit_in_bytes 67108864" in line for line in lines)


def test_powers_carry_how_we_know() -> None:
    shown = paint(powers(fold_all(recorded(CREATE + DECIDE + BIRTH))), 70)
    (capabilities,) = [line for line in shown.splitlines() if "capabilities" in line]
    assert capabilities.endswith("◌"), "planned"
    (umask,) = [line for line in shown.splitlines() if "umask" in line]
    assert umask.endswith("✓"), "acknowledged"


def test_before_the_first_step_every_view_says_so() -> None:
    said = paint(birth(EMPTY)) + paint(steps(EMPTY)) + paint(source(EMPTY, read))
    for words in ("no process yet", "no container yet", "nothing given up", "nothing has"):
        assert words in said


def test_the_list_of_steps_has_evidence_and_the_backend_label() -> None:
    shown = paint(steps(at(14)), 80)
    assert shown.startswith("[REAL]")
    assert "  9     ✓  An account for resources is opened: memory" in shown
    assert "── start: birth ──" in shown
    assert label("simulated") == "SIMULATED"
    assert label("") == "UNKNOWN"


def test_the_list_says_how_many_older_steps_it_left_out() -> None:
    long = fold_all(recorded(STORY * 5))
    assert f"{len(STORY) * 5 - 256} older steps are in the file" in paint(steps(long))


def test_the_source_lens_marks_the_line_that_told_the_step() -> None:
    world = at(PIVOTED)
    shown = paint(source(world, read, 9), 80).splitlines()
    assert shown[0].startswith("── Source kernel/recording.py:133 ")
    assert len(shown) == 10
    (marked,) = [line for line in shown if line.startswith("►")]
    assert marked.split()[1] == "133"
    assert (read("kernel/recording.py") or "").splitlines()[132].strip()[:40] in marked
    (code,) = [node for node in nodes_of(source(world, read, 500)) if node.marked]
    assert len(code.text.splitlines()) <= 40


@pytest.mark.parametrize(
    "told_by", ["moon/base.py:1", "kernel/recording.py:99999", "", "x"]
)
def test_a_line_that_is_not_here_is_said_to_be_missing(told_by: str) -> None:
    world = fold_all([replace(recorded()[0], src=told_by)])
    assert "not in this installation" in paint(source(world, read)) or not told_by.count(
        ":"
    )
    assert paint(source(world, read))


@pytest.mark.parametrize("step", [0, 5, 14, 26, PIVOTED, 60, len(STORY)])
def test_every_node_has_an_id_of_its_own_a_role_and_a_name(step: int) -> None:
    for view in (birth(at(step)), steps(at(step)), source(at(step), read)):
        nodes = nodes_of(view)
        assert len({node.id for node in nodes}) == len(nodes)
        for node in nodes:
            assert node.primitive in PRIMITIVES
            assert node.role
            assert node.name or node.role in ("cell", "columnheader", "row")


def test_there_are_at_most_a_dozen_primitives() -> None:
    assert len(PRIMITIVES) <= 12
    assert "primitive" in get_type_hints(Node)


EVERY = scene.stack(
    "all", "all",
    Node("box", "b", "region", "box", "hit", HOSTILE, children=(scene.text("t", HOSTILE),)),
    scene.row("r", scene.badge("ba", HOSTILE), scene.text("rt", "容器" * 40, "err")),
    scene.table("ta", "t", ("a", HOSTILE), scene.row("tr", scene.cell("c", HOSTILE * 9))),
    scene.tree("1", "t", HOSTILE, scene.tree("2", "t", "e\u0301" * 99)),
    Node("edge", "e", "link", "edge", "net", HOSTILE, links=("a", HOSTILE)),
    scene.code("co", "code", f"{HOSTILE}\n容器\n" + "x" * 500, 9, 10),
    scene.log("lo", "log", f"{HOSTILE}\n" + "y" * (1 << 20)),
    scene.group("g", HOSTILE, scene.text("long", "word " * 90 + "z" * 300)),
)  # fmt: skip


@pytest.mark.parametrize("width", [1, 8, 20, 40, 80, 200])
def test_no_line_is_too_wide_and_nothing_hostile_reaches_the_terminal(width: int) -> None:
    assert {node.primitive for node in nodes_of(EVERY)} == set(PRIMITIVES)
    plain = paint(EVERY, width)
    for line in plain.splitlines():
        assert columns(line) <= max(width, 8), line
        assert line.isprintable()
    assert len(plain) < 60_000, "a line of 1 MiB is not painted"


def test_colour_adds_nothing_that_is_not_there_without_it() -> None:
    coloured = paint(EVERY, 60, colour=True)
    assert "\x1b[" in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [x.rstrip() for x in bare.splitlines()] == paint(EVERY, 60).splitlines()


def test_each_state_has_a_glyph_of_its_own() -> None:
    glyphs = [glyph for state, glyph in scene.GLYPHS.items() if state]
    assert len(set(glyphs)) == len(glyphs) == 7
    assert all(columns(glyph) == 1 for glyph in glyphs)


@given(st.text(), st.integers(0, 60))
def test_cutting_keeps_within_the_width(said: str, width: int) -> None:
    assert columns(cut(said, width)) <= width
    assert cut(said, width) == said or columns(said) > width


@given(st.text(alphabet="ab 容é"), st.integers(2, 30))
def test_wrapping_loses_no_word(said: str, width: int) -> None:
    lines = wrap(said, width)
    assert "".join(lines).replace(" ", "") == said.replace(" ", "")
    assert all(columns(line) <= width for line in lines)


def test_what_is_folded_is_counted_and_not_shown() -> None:
    files = scene.tree("a", "a", "usr", *(scene.text(x, "deep") for x in "bcd"),
                       is_folded=True)  # fmt: skip
    above = scene.tree("x", "x", "root", files)
    assert paint(files, 40) == "usr (3 inside)"
    assert paint(above, 40).splitlines() == ["root", "└─ usr (3 inside)"]
    closed = scene.group("g", "Layers", files, is_folded=True)
    assert paint(closed, 40).startswith("── Layers (1 inside) ──")
    rows = replace(scene.table("t", "Files", ("a",), scene.row("r")), is_folded=True)
    assert paint(rows, 40).strip() == "Files (1 inside)"
    assert paint(replace(files, children=()), 40) == "usr", "nothing is in it"


@pytest.mark.parametrize("step", range(len(STORY) + 1))
@pytest.mark.parametrize("width", [30, 80])
def test_every_moment_of_a_story_can_be_painted(step: int, width: int) -> None:
    for view in (birth(at(step)), steps(at(step), 3), source(at(step), read)):
        assert paint_lines(view, width)


def test_the_same_world_is_painted_the_same() -> None:
    scenes: list[Scene] = [birth(at(40)), birth(at(40))]
    assert paint(scenes[0]) == paint(scenes[1])


ARCHITECTURE = [*"←→g/b123tslx!u?", "⇧←", "⇧→", "Home", "End", "Space", "Enter"]


def test_the_key_table_is_the_one_that_was_decided() -> None:
    assert [key.shown for key in KEYS if key.shown in ARCHITECTURE] == sorted(
        ARCHITECTURE, key=[key.shown for key in KEYS].index
    )
    assert {key.shown for key in KEYS} - set(ARCHITECTURE) == {"Esc", "q"}
    names = [name for key in KEYS for name in key.names]
    assert len(set(names)) == len(names)
    assert action_of("Enter") == "continue"
    assert [row["action"] for row in as_data()] == [key.action for key in KEYS]


def test_what_a_shim_prepares_is_shown_until_its_child_is_born() -> None:
    entered = next(n for n, x in enumerate(STORY, 1) if isinstance(x, e.NamespaceEntered))
    assert "its next child: new pid Δ" in paint(processes(at(entered)), 40)
    assert "its next child" not in paint(processes(at(entered + 1)), 40)


def test_a_device_program_is_a_limit_of_its_account() -> None:
    account = "/sys/fs/cgroup/minidock-ab12cd/c"
    made = (e.CgroupCreated(account), e.DevicesFiltered(account, 70))
    lines = paint(mounts(fold_all(recorded((*CREATE, *made)))), 90).splitlines()
    assert "devices by 70 instructions, nobody in it yet" in lines[-1]


def test_accounts_without_a_limit_share_one_line() -> None:
    paths = [
        f"/sys/fs/cgroup/{name}/minidock-ab12cd/c" for name in ("cpu", "memory", "pids")
    ]
    made = [e.CgroupCreated(path) for path in paths]
    world = fold_all(recorded((*CREATE, *made, e.CgroupLimited(paths[2], "pids.max", "9"))))
    lines = [line.strip() for line in paint(mounts(world), 60).splitlines()]
    assert lines[-2:] == [
        "Δ Account pids: pids.max 9, nobody in it yet",
        "No limit: cpu memory",
    ]


def test_the_head_of_a_table_takes_no_id_from_its_rows() -> None:
    shown = scene.table("t", "a table", ("at", "what"), scene.row("t.0"), scene.row("t.1"))
    ids = [node.id for row in shown.children for node in (row, *row.children)]
    assert len(ids) == len(set(ids))
