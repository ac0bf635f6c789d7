"""A build context is, byte for byte, the archive that the stock command line sends."""

import io
import os
import random
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyminidock.client.context import ContextRefused, find_context
from pyminidock.client.packing import send
from tests.compat.stock_client import StockClient, stock_client

pytestmark = pytest.mark.compat

FILES = (
    "Dockerfile", "a.txt", "b.md", "README.md", "README-secret.md", "sub/a.txt",
    "sub/deep/a.txt", "sub/deep/x.go", "node_modules/m.js", "sub/node_modules/n.js",
    "tmp/t1", ".git/config", ".env", "foo/bar/baz", "foo/bar/qux", "foo/keep",
    "build/Dockerfile.dev", "sp ace", "#hash", "!bang", "é", "d/" * 60 + "end", "[x]",
    "*star", "back\\slash",
)  # fmt: skip


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StockClient]:
    with stock_client(tmp_path_factory.mktemp("stock")) as client:
        yield client


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree") / "context"
    for number, name in enumerate(FILES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{name}\n".encode() * number * 40)
        os.utime(path, (1_600_000_000.75, 1_600_000_000.75 + number))
    (folder / "sub/run").write_text("x")
    (folder / "sub/run").chmod(0o4755)
    (folder / "empty").mkdir(mode=0o700)
    (folder / "out").symlink_to("/etc/passwd")
    (folder / "broken").symlink_to("nowhere/" * 20)
    (folder / "sub/link").hardlink_to(folder / "a.txt")
    os.mkfifo(folder / "pipe")
    return folder


def ours(folder: Path, dockerfile: str = "", given: bytes | None = None) -> bytes | str:
    packed = io.BytesIO()
    try:
        send(find_context(str(folder), dockerfile, given), packed.write)
    except ContextRefused as refused:
        return refused.what
    return packed.getvalue()


def same(mine: bytes | str, theirs: bytes | str) -> bool:
    """Equal, but for what a test shall print of two archives that differ: their names."""
    if isinstance(mine, bytes) and isinstance(theirs, bytes):
        assert names(mine) == names(theirs)
    else:
        assert mine == theirs
    return mine == theirs


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        return packed.getnames()


CASES = (
    "", "*", "*\n!a.txt", "a.txt", "/a.txt", "**/a.txt", "sub", "sub/", "/sub/", "sub/*",
    "sub/**", "*/a.txt", "*/*/a.txt", "**/*.go", "*.md\n!README.md",
    "*.md\n!README*.md\nREADME-secret.md", "*.md\nREADME-secret.md\n!README*.md",
    "node_modules", "**/node_modules", "foo\n!foo/keep", "foo/*\n!foo/bar\nfoo/bar/qux",
    "foo/**\n!foo/bar/baz", "Dockerfile\n.dockerignore", "**", "***", "**\n!sub/deep",
    "# comment\na.txt", "  a.txt  ", "\\#hash", "#hash", " #hash", "!a.txt", "\\!bang",
    "sp ace", "[ab].*", "a.???", ".", "..", "/", "./a.txt", "sub/../a.txt", "a.txt/", ".*",
    "**/.*", "sub/deep/..", "*.txt\n!**/deep", "**/deep\n!**/x.go", "[", "!", "!/", "a\\",
    "[]", "[^]", "[a-]", "[b-a]", "\ufeffa.txt\r\nb.md\r\n", "**xt", "**/*xt",
    "sub/**/a.txt", "[^a-z]*", "\\[x\\]", "\\*star", "*\\\\*", "back\\\\slash", "é", "?",
    "../tree", "**/**", "d/**\n!d/d", "sub/de*\n!sub/deep/x.go", "*/\n!foo", "!foo\nfoo",
    "foo\n!foo/bar/../keep", "out\nbroken\npipe", "**/bar/**", "a.txt\nsub/link",
    "*/**/a.txt",
)  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_an_ignore_file_leaves_out_the_same(
    stock: StockClient, tree: Path, text: str
) -> None:
    (tree / ".dockerignore").write_text(text)
    assert same(ours(tree), stock.build(".", cwd=tree))


PIECES = (
    "*", "**", "**/", "/", "/", "?", "a", ".txt", "*.md", "sub", "sub/", "deep", "foo",
    "foo/", "bar", "keep", "node_modules", ".git", "README", "[a-s]", "[^R]", "..", ".",
    "./", "d/", "\\*", "x.go", "qux", " ", "-secret",
)  # fmt: skip


def any_file(dice: random.Random) -> str:
    lines = []
    for _ in range(dice.randint(1, 5)):
        mark = dice.choice(("", "", "!", "#")) if dice.random() < 0.5 else ""
        lines.append(mark + "".join(dice.choice(PIECES) for _ in range(dice.randint(1, 4))))
    return "\n".join(lines)


def test_random_ignore_files_leave_out_the_same(
    stock: StockClient, tree: Path, at_length: Callable[[int], int]
) -> None:
    for seed in range(at_length(2_000)):
        text = any_file(random.Random(seed))
        (tree / ".dockerignore").write_text(text)
        assert same(ours(tree), stock.build(".", cwd=tree)), text


def test_without_an_ignore_file_everything_goes(stock: StockClient, tree: Path) -> None:
    (tree / ".dockerignore").unlink(missing_ok=True)
    assert same(ours(tree), stock.build(".", cwd=tree))


def test_the_dockerfile_may_have_another_name_or_place(
    stock: StockClient, tree: Path
) -> None:
    (tree / ".dockerignore").write_text("**\n")
    inside = str(tree / "build/Dockerfile.dev")
    assert same(ours(tree, inside), stock.build("-f", inside, ".", cwd=tree))


@pytest.mark.parametrize("text", ["", "*.md\n", None])
@pytest.mark.parametrize("way", ["outside", "stdin"])
def test_a_foreign_dockerfile_travels_under_a_name_of_its_own(
    stock: StockClient, tree: Path, tmp_path: Path, text: str | None, way: str
) -> None:
    shutil.copytree(tree, tmp_path / "context", symlinks=True, ignore=lambda *_: ["pipe"])
    folder = tmp_path / "context"
    (folder / ".dockerignore").unlink(missing_ok=True)
    if text is not None:
        (folder / ".dockerignore").write_text(text)
    outside = tmp_path / "Other"
    outside.write_bytes(b"FROM scratch\n")
    if way == "outside":
        mine = ours(folder, str(outside))
        theirs = stock.build("-f", str(outside), ".", cwd=folder)
    else:
        mine = ours(folder, "-", b"FROM scratch\n")
        theirs = stock.build("-f", "-", ".", cwd=folder, input=b"FROM scratch\n")
    assert isinstance(mine, bytes)
    assert isinstance(theirs, bytes)
    assert content(mine) == content(theirs)


def content(archive: bytes) -> list[tuple[str, int, bytes]]:
    """Names, modes and content, with the random name made plain; the end may be missing."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(archive + bytes(2048))) as packed:
        own = [n for n in packed.getnames() if n.startswith(".dockerfile.")]
        assert [len(name) for name in own] == [len(".dockerfile.") + 20]
        for entry in packed:
            file = packed.extractfile(entry) if entry.isreg() else None
            body = file.read() if file else entry.linkname.encode()
            plain = body.replace(own[0].encode(), b".dockerfile.X")
            found.append((entry.name.replace(own[0], ".dockerfile.X"), entry.mode, plain))
    return sorted(found)


def test_a_dockerfile_that_leads_outside_is_opened_by_neither(
    stock: StockClient, tmp_path: Path
) -> None:
    folder = tmp_path / "context"
    folder.mkdir()
    (tmp_path / "Other").write_text("FROM scratch\n")
    (folder / "Dockerfile").symlink_to("../Other")
    assert ours(folder) == stock.build(".", cwd=folder)


@pytest.mark.parametrize(
    "words",
    [
        ["nope"],
        ["Dockerfile"],
        ["-f", "nope", "."],
        ["-f", "sub/nope/x", "."],
        ["empty"],
    ],
)
def test_what_cannot_be_packed_is_told_in_the_same_words(
    stock: StockClient, tree: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tree)
    (tree / ".dockerignore").unlink(missing_ok=True)
    dockerfile = words[1] if words[0] == "-f" else ""
    assert ours(Path(words[-1]), dockerfile) == stock.build(*words, cwd=tree)
