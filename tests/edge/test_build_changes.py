"""What the program of a RUN did to files is told name by name, as `docker diff` would."""

from pathlib import Path

import pytest

from pyminidock.build.placing import MOST_EVENTS
from tests.builder import Built, kitchen

pytestmark = pytest.mark.edge

BASE = (
    "FROM busybox\n"
    "RUN mkdir -p /d/inner /gone && echo 1 >/d/a && echo 22 >/d/b && echo 3 >/gone/c"
    " && echo 4 >/d/inner/e && ln -s a /d/link\n"
)


def changes(built: Built) -> list[tuple[str, str, str, int]]:
    """Give the changes of the last step that told any, each with its size."""
    last = built.records[max(
        n for n, record in enumerate(built.records) if record.kind == "file.changed"
    )].parent  # fmt: skip
    return [
        (str(r.data["change"]), str(r.data["path"]), str(r.data["kind"]),
         int(str(r.data["size_bytes"])))
        for r in built.records if r.kind == "file.changed" and r.parent == last
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("echo 55 >/new", [("added", "/new", "file", 3)]),
        ("echo 55555 >/d/a",
         [("changed", "/d", "directory", 0), ("changed", "/d/a", "file", 6)]),
        ("chmod 600 /d/b",
         [("changed", "/d", "directory", 0), ("changed", "/d/b", "file", 3)]),
        ("rm /d/a",
         [("changed", "/d", "directory", 0), ("deleted", "/d/a", "file", 2)]),
        ("rm -r /gone", [("deleted", "/gone", "directory", 0)]),
        ("rm -r /d && mkdir /d && echo 9 >/d/a",
         [("changed", "/d", "directory", 0), ("changed", "/d/a", "file", 2),
          ("deleted", "/d/b", "file", 3), ("deleted", "/d/inner", "directory", 0),
          ("deleted", "/d/link", "symlink", 0)]),
        ("rm -r /d && echo 7 >/d", [("changed", "/d", "file", 2)]),
        ("rm /gone/c && mkdir /gone/c",
         [("changed", "/gone", "directory", 0), ("changed", "/gone/c", "directory", 0)]),
        ("ln -s /etc/passwd /way && mknod /pipe p",
         [("added", "/pipe", "fifo", 0), ("added", "/way", "symlink", 0)]),
    ],
)  # fmt: skip
def test_each_name_is_told_with_what_became_of_it(
    tmp_path: Path, command: str, told: list[tuple[str, str, str, int]]
) -> None:
    with kitchen(tmp_path / "root") as cook:
        assert changes(cook.build({"Dockerfile": f"{BASE}RUN {command}\n"})) == told


def test_a_step_that_changes_nothing_tells_nothing(tmp_path: Path) -> None:
    with kitchen(tmp_path / "root") as cook:
        built = cook.build({"Dockerfile": "FROM busybox\nRUN true\n"})
    assert not built.told("file.changed")
    assert not built.told("layer.committed")


def test_of_many_names_the_first_are_told_and_the_others_counted(tmp_path: Path) -> None:
    text = "FROM busybox\nRUN mkdir /m && for n in $(seq 300); do : >/m/$n; done\n"
    with kitchen(tmp_path / "root") as cook:
        built = cook.build({"Dockerfile": text})
    assert len(built.told("file.changed")) == MOST_EVENTS
    (omitted,) = built.told("files.omitted")
    assert omitted["count"] == 301 - MOST_EVENTS
    (layer,) = built.told("layer.committed")
    assert layer["files"] == 301


def test_a_copy_says_whether_it_covers_something(tmp_path: Path) -> None:
    context = {"Dockerfile": "FROM busybox\nCOPY a /a\nCOPY a b /\n", "a": "1", "b": "2"}
    with kitchen(tmp_path / "root") as cook:
        built = cook.build(context)
    told = [(each["path"], each["change"]) for each in built.told("file.copied")]
    assert told == [("/a", "added"), ("/a", "changed"), ("/b", "added")]


def test_layers_that_are_here_are_told_with_who_stands_on_them(tmp_path: Path) -> None:
    context = {"Dockerfile": "FROM busybox\nCOPY a /a\nENV A=1\n", "a": "1"}
    with kitchen(tmp_path / "root") as cook:
        first, again = cook.build(context), cook.build(context)
    base, app = (f"docker.io/library/{name}:latest" for name in ("busybox", "app"))
    assert [each["names"] for each in first.told("layer.found")] == [(base,)]
    found = again.told("layer.found")
    assert [set(each["names"]) for each in found] == [{base, app}, {app}]
    made = first.told("layer.committed")[0]
    assert (found[1]["chain_id"], found[1]["size_bytes"]) == (made["chain_id"], 1)


def test_a_link_that_leads_out_of_the_layer_is_not_followed(tmp_path: Path) -> None:
    """The program may leave anything: a link to the host's root is a name, no way."""
    text = "FROM busybox\nRUN ln -s / /way && ln -s /proc/self/root /other\n"
    with kitchen(tmp_path / "root") as cook:
        told = changes(cook.build({"Dockerfile": text}))
    assert told == [("added", "/other", "symlink", 0), ("added", "/way", "symlink", 0)]
