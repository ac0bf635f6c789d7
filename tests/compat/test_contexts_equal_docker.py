"""A context in every wrapping, from the stock command line: both engines take the same."""

import bz2
import gzip
import lzma
import os
import subprocess
from pathlib import Path

import pytest

from tests.builder import Context, packed
from tests.compat.allowlist import differences
from tests.compat.bakers import Baker, bakers
from tests.minidock_cli import Minidock
from tests.reference import Reference, program

pytestmark = pytest.mark.compat

TEXT = "FROM busybox\nCOPY a d /x/\nRUN cat /x/a >/seen\n"
TREE: Context = {"a": "A\n", "d": None, "d/e": None, "d/e/f": "F\n", "left.txt": "out"}
WHOLE = packed({**TREE, "Dockerfile": TEXT})
SENT = {
    "an archive": WHOLE,
    "gzip": gzip.compress(WHOLE),
    "gzip in two members": gzip.compress(WHOLE[:2000]) + gzip.compress(WHOLE[2000:]),
    "bzip2": bz2.compress(WHOLE),
    "xz": lzma.compress(WHOLE),
    "without its end": WHOLE.rstrip(b"\0") + bytes(-len(WHOLE.rstrip(b"\0")) % 512),
    "and something behind it": WHOLE + b"junk" * 1000,
}
BROKEN = {
    "in a header": (WHOLE[:1100], "unexpected EOF"),
    "in a body": (packed({"Dockerfile": TEXT * 100})[:1000], "unexpected EOF"),
    "in gzip": (gzip.compress(WHOLE)[:100], ""),
    "nothing": (b"", "Cannot locate specified Dockerfile: Dockerfile"),
    "no Dockerfile": (packed(TREE), "Cannot locate specified Dockerfile: Dockerfile"),
}
WORDS = {
    "a folder": ("FOLDER",),
    "a file that is typed": ("-f", "-", "FOLDER"),
    "a file outside": ("-f", "OUTSIDE", "FOLDER"),
    "a file in it": ("-f", "FOLDER/d/e/other", "FOLDER"),
    "packed": ("--compress", "FOLDER"),
    "no context": ("-",),
}


@pytest.fixture(scope="module")
def both(reference: Reference, minidock: Minidock) -> tuple[Baker, Baker]:
    return bakers(reference, minidock)


def stock(baker: Baker, *words: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the stock `docker` against an engine, ours too."""
    return subprocess.run(
        [program("docker"), *words], input=given, capture_output=True, timeout=60,
        check=False, env={
            "PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{baker.socket}",
            "DOCKER_CONFIG": "/nonexistent", "DOCKER_BUILDKIT": "0",
        },
    )  # fmt: skip


@pytest.mark.parametrize("name", SENT)
def test_an_archive_is_taken_in_every_wrapping(
    both: tuple[Baker, Baker], name: str
) -> None:
    theirs, mine = (baker.build(SENT[name]) for baker in both)
    assert (theirs.message, mine.message) == ("", "")
    facts = both[0].facts(theirs.image), both[1].facts(mine.image)
    assert [str(each) for each in differences(*facts)] == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_as_there(both: tuple[Baker, Baker], name: str) -> None:
    sent, message = BROKEN[name]
    theirs, mine = (baker.build(sent) for baker in both)
    assert mine.status == theirs.status
    assert theirs.message != ""
    assert mine.message.startswith(message or "gzip")
    assert theirs.message.startswith(message or "unexpected EOF")


@pytest.mark.parametrize("name", WORDS)
def test_the_stock_command_line_builds_the_same_with_both(
    both: tuple[Baker, Baker], tmp_path: Path, name: str
) -> None:
    folder, outside, found = tmp_path / "folder", tmp_path / "outside", []
    for path in ("d/e", ""):
        (folder / path).mkdir(parents=True, exist_ok=True)
    for path, content in {"a": "A\n", "d/e/f": "F\n", "left.txt": "x"}.items():
        (folder / path).write_text(content)
    (folder / ".dockerignore").write_text("*.txt\n")
    text = TEXT.replace("COPY a d /x/", "COPY . /x/")
    for place in (folder / "Dockerfile", folder / "d/e/other", outside):
        place.write_text(text)
    given = b"FROM busybox\nRUN pwd >/here\n" if name == "no context" else text.encode()
    places = {"FOLDER": str(folder), "OUTSIDE": str(outside)}
    words = [word.replace("FOLDER", places["FOLDER"]) for word in WORDS[name]]
    words = [places["OUTSIDE"] if word == "OUTSIDE" else word for word in words]
    for baker in both:
        tag = f"sent-{name.replace(' ', '-')}"
        done = stock(baker, "build", "--no-cache", "-t", tag, *words, given=given)
        assert done.returncode == 0, done.stderr
        found.append(baker.facts(tag))
    left = [str(each) for each in differences(*found)]
    # The name that the command line gives to a Dockerfile from elsewhere is random, and it
    # is added to the list of what is ignored.
    chance = (".dockerfile.", "x/.dockerignore:") if {"-", str(outside)} & {*words} else ()
    assert [each for each in left if not any(name in each for name in chance)] == []
