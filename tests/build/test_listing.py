"""A context reads the same, whether it was unpacked or not."""

import io
import random
import stat
import tarfile
from pathlib import Path

import pytest

from pyminidock.build import context as contexts
from pyminidock.build.contents import SMALL_BYTES
from pyminidock.build.context import Context
from pyminidock.build.copying import Tree
from pyminidock.events import ArchiveWarned, Event
from pyminidock.layers.apply import UNPRIVILEGED
from tests.builder import File, packed

PLAIN = {"Dockerfile": "FROM scratch\n", "src/a/one": "1", "src/b": "22", "src": None}


def received(archive: bytes, place: Path) -> Context:
    place.mkdir()
    return contexts.receive(io.BytesIO(archive), place, policy=UNPRIVILEGED)


def test_nothing_is_unpacked_before_a_file_is_taken_out(tmp_path: Path) -> None:
    context = received(packed(PLAIN), tmp_path / "c")
    assert context.text("src/b") == "22"
    assert context.names.list("/src") == (b"a", b"b")
    assert not [*context.directory.iterdir()]
    assert context.tree.list("/src") == (b"a", b"b")
    assert (context.directory / "src/a/one").read_text() == "1"
    context.close()


@pytest.mark.parametrize(
    "odd",
    [
        {"link": File(link="src/b")},
        {"src/c": File(link="src/b", kind=tarfile.LNKTYPE)},
        {"pipe": File(kind=tarfile.FIFOTYPE)},
        {"src/b/below": "a file under a file"},
    ],
)
def test_what_is_not_plain_is_unpacked_at_once(
    odd: dict[str, str | File], tmp_path: Path
) -> None:
    context = received(packed({**PLAIN, **odd}), tmp_path / "c")
    assert context.listing is None
    assert {*odd} <= {*context.seen}
    assert (context.directory / next(iter(odd))).lstat()
    context.close()


def test_a_name_that_comes_twice_is_read_as_the_last(tmp_path: Path) -> None:
    archive = packed({"a": "first"})[:1024] + packed({"a": "last"})
    context = received(archive, tmp_path / "c")
    assert context.text("a") == "last"
    context.close()


def test_what_was_dropped_is_not_there_later_either(tmp_path: Path) -> None:
    context = received(packed(PLAIN), tmp_path / "c")
    context.drop("Dockerfile")
    assert context.names.lstat("Dockerfile") is None
    assert context.names.list("/") == (b"src",)
    assert context.tree.list("/") == (b"src",)
    context.close()


@pytest.mark.parametrize("seed", range(40))
def test_every_question_has_the_answer_of_the_unpacked_tree(
    seed: int, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    names = ["/".join(dice.choices("abc", k=dice.randint(1, 4))) for _ in range(12)]
    files = {n: n for n in names if not any(m.startswith(n + "/") for m in names)}
    folders = {n: None for n in names if n not in files and dice.random() < 0.5}
    context = received(packed({**files, **folders}), tmp_path / "c")
    listing, tree = context.listing, None
    assert listing
    assert listing.is_plain
    parts = ["a", "b", "c", "..", "", "."]
    asked = ("/".join(dice.choices(parts, k=4)) for _ in range(60))
    questions = [*names, "", ".", "..", *asked]
    told = [_answers(listing, each) for each in questions]
    texts = {name: context.text(name) for name in files}
    tree = context.tree
    assert told == [_answers(tree, each) for each in questions]
    assert texts == {name: context.text(name) for name in files} == files
    context.close()


def _answers(tree: Tree, path: str) -> list[object]:
    def ask(question: str) -> object:
        try:
            found = getattr(tree, question)(path)
        except OSError as refusal:
            return refusal.errno
        if question == "lstat" and found is not None:
            return stat.filemode(found.st_mode)
        return found

    return [ask(question) for question in ("resolve", "lstat", "list")]


def test_what_one_build_drops_is_there_for_the_next_of_an_equal_archive(
    tmp_path: Path,
) -> None:
    first = received(packed(PLAIN), tmp_path / "first")
    first.drop("src/b")
    second = received(packed(PLAIN), tmp_path / "second")
    assert second.text("src/b") == "22"
    assert "src/b" in second.seen
    assert "src/b" not in first.seen
    assert second.tree.list("/src") == (b"a", b"b")
    first.close()
    second.close()


def test_what_is_odd_is_told_of_each_equal_archive(tmp_path: Path) -> None:
    archive = packed(PLAIN).rstrip(b"\0") + bytes(511) + bytes(1024) + b"rest"
    for name in ("first", "second"):
        told: list[Event] = []
        place = tmp_path / name
        place.mkdir()
        context = contexts.receive(
            io.BytesIO(archive), place, emit=told.append, policy=UNPRIVILEGED
        )
        assert [event for event in told if isinstance(event, ArchiveWarned)]
        context.close()


@pytest.mark.parametrize("size", [0, SMALL_BYTES, 3 * SMALL_BYTES])
def test_archives_small_and_large_are_kept_whole(size: int, tmp_path: Path) -> None:
    archive = packed({**PLAIN, "large": "x" * size})
    context = received(archive, tmp_path / "c")
    context.spool.seek(0)
    assert context.spool.read() == archive
    assert context.seen["large"].size == size
    context.close()
