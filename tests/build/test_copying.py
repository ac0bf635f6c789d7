"""What COPY means, case by case as a Docker engine was seen to do it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.build.copying import (
    CopyRefused,
    Place,
    Source,
    Wish,
    destination,
    place,
    select,
)
from pyminidock.layers.merged import Merged


def grow(directory: Path, *names: str) -> Path:
    """Make files, directories (`d/`) and links (`l -> target`)."""
    for name in names:
        link, _, target = name.partition(" -> ")
        path = directory / link
        path.parent.mkdir(parents=True, exist_ok=True)
        if target:
            path.symlink_to(target)
        elif name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.write_text(name)
    return directory


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Merged]:
    tree = grow(
        tmp_path / "context", "a", "b.py", ".hidden", "d/x.py", "d/e/y.py", "sp ace",
        "to-a -> a", "to-d -> d", "absolute -> /a", "outside -> ../../etc/passwd", "[br]",
    )  # fmt: skip
    with Merged([tree]) as merged:
        yield merged


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Merged]:
    upper = grow(tmp_path / "upper", "app/file")
    lower = grow(tmp_path / "lower", "app/old", "etc/", "lib -> usr/lib", "usr/lib/")
    with Merged([upper, lower]) as merged:
        yield merged


def wish(*sources: str, verb: str = "COPY", to: str = "/x", context: bool = True) -> Wish:
    return Wish(verb, sources, to, context)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["a"], ["a"]),
        (["/a"], ["a"]),
        (["./a"], ["a"]),
        (["d/../a"], ["a"]),
        (["."], [""]),
        (["/"], [""]),
        (["d", "a"], ["d", "a"]),
        (["*.py"], ["b.py"]),
        (["*"], [".hidden", "[br]", "a", "absolute", "b.py", "d", "outside", "sp ace",
                 "to-a", "to-d"]),
        (["d/*"], ["d/e", "d/x.py"]),
        (["*/*.py"], ["d/x.py"]),
        (["[ab]*"], ["a", "absolute", "b.py"]),
        (["[[]br]"], ["[br]"]),
        (["d/*/*.py", "a"], ["d/e/y.py", "a"]),
    ],
)  # fmt: skip
def test_which_names_are_meant(asked: list[str], found: list[str], context: Merged) -> None:
    if asked == ["*"]:  # a link that leads nowhere fails the whole instruction
        with pytest.raises(CopyRefused):
            select(wish(*asked), context)
        return
    assert [source.path for source in select(wish(*asked), context)] == found


def test_a_link_is_followed_and_keeps_its_own_name(context: Merged) -> None:
    assert select(wish("to-a", "to-d"), context) == (
        Source("to-a", "a", False), Source("to-d", "d", True),
    )  # fmt: skip
    assert select(wish("absolute"), context)[0].real == "a"  # its root is the context


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (wish("nope"), "COPY failed: file not found in build context or excluded by "
         ".dockerignore: stat nope: file does not exist"),
        (wish("nope", context=False), "COPY failed: stat nope: file does not exist"),
        (wish("nope", verb="ADD"), "ADD failed: file not found in build context or "
         "excluded by .dockerignore: stat nope: file does not exist"),
        (wish("outside"), "COPY failed: file not found in build context or excluded by "
         ".dockerignore: stat outside: file does not exist"),
        (wish("../x"), "COPY failed: forbidden path outside the build context: ../x ()"),
        (wish("d/../../a"), "COPY failed: forbidden path outside the build context: "
         "d/../../a ()"),
        (wish("*.go"), "COPY failed: no source files were specified"),
        (wish("a/b"), "COPY failed: file not found in build context or excluded by "
         ".dockerignore: stat a/b: file does not exist"),
    ],
)  # fmt: skip
def test_what_cannot_be_copied_is_refused_in_dockers_words(
    asked: Wish, message: str, context: Merged
) -> None:
    with pytest.raises(CopyRefused) as refusal:
        select(asked, context)
    assert refusal.value.what == message


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("b.pyy", "COPY b.py /x"), ("d/x.pi", "COPY d/x.py /x"),
        ("zzzz", "see in .dockerignore whether a line leaves it out"),
        ("nowhere/x", "see in .dockerignore whether a line leaves it out"),
        ("a/b", "see in .dockerignore whether a line leaves it out"),
    ],
)  # fmt: skip
def test_a_slip_in_a_name_is_met_with_the_nearest_name(
    asked: str, advice: str, context: Merged
) -> None:
    with pytest.raises(CopyRefused) as refusal:
        select(wish(asked), context)
    assert refusal.value.try_next == advice


@pytest.mark.parametrize(
    ("here", "asked", "absolute"),
    [
        ("/", "/x", "/x"), ("/", "/x/", "/x/"), ("/app", "x", "/app/x"),
        ("/app", ".", "/app/"),
        ("/app", "./", "/app/"), ("/app", "../x", "/x"), ("", "x/", "/x/"), ("/", "/", "/"),
        ("/app", "x/.", "/app/x/"), ("/", "//x", "/x"), ("/", "/../x", "/x"),
    ],
)  # fmt: skip
def test_where_a_relative_destination_is(here: str, asked: str, absolute: str) -> None:
    assert destination(here, asked) == absolute


FILE, DIRECTORY = Source("a", "a", False), Source("d", "d", True)


@pytest.mark.parametrize(
    ("sources", "wanted", "found"),
    [
        ([FILE], "/x", Place("/x", False)),
        ([FILE], "/x/", Place("/x", True)),
        ([FILE], "/app", Place("/app", True)),  # it is a directory in the image
        ([FILE], "/app/file", Place("/app/file", False)),
        ([FILE], "/lib", Place("/usr/lib", True)),  # a link of the image is followed
        ([FILE], "/lib/x", Place("/usr/lib/x", False)),
        ([DIRECTORY], "/x", Place("/x", True)),
        ([FILE, DIRECTORY], "/x/", Place("/x", True)),
    ],
)
def test_where_it_goes(
    sources: list[Source], wanted: str, found: Place, image: Merged
) -> None:
    assert place(wish("a"), sources, wanted, image) == found


@pytest.mark.parametrize(
    ("sources", "wanted", "message"),
    [
        ([FILE, FILE], "/x", "When using COPY with more than one source file, the "
         "destination must be a directory and end with a /"),
        ([DIRECTORY], "/app/file", "failed to copy files: failed to copy directory: mkdir "
         "/app/file: not a directory"),
        ([FILE], "/app/file/", "failed to copy files: failed to create new directory: "
         "mkdir /app/file: not a directory"),
        ([FILE], "/app/file/x/y",
         "failed to copy files: lstat /app/file/x: not a directory"),
    ],
)  # fmt: skip
def test_where_it_cannot_go(
    sources: list[Source], wanted: str, message: str, image: Merged
) -> None:
    with pytest.raises(CopyRefused) as refusal:
        place(wish("a"), sources, wanted, image)
    assert refusal.value.what == message
