"""NAME.dockerignore beside a Dockerfile NAME: we leave out what BuildKit leaves out.

The classic command line does not know such files, so the other one is asked: a build that
copies everything and gives back what it got.
"""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from pyminidock.client.context import find_context
from pyminidock.client.packing import send
from pyminidock.events import PathIgnored
from tests.bench.buildx import furnish
from tests.reference import Reference, program

pytestmark = pytest.mark.compat

FILES = (
    "Dockerfile", "Other", "a.txt", "b.md", "README.md", "sub/a.txt", "sub/deep/a.txt",
    "sub/deep/x.go", "node_modules/m.js", "sub/node_modules/n.js", ".git/config", ".env",
    "foo/bar/baz", "foo/bar/qux", "foo/keep", "build/Dev",
)  # fmt: skip
OWN = frozenset({
    ".dockerignore", "Dockerfile", "Other", "build/Dev", "Dockerfile.dockerignore",
    "Other.dockerignore", "build/Dev.dockerignore",
})  # fmt: skip
CASES = (
    "", "*", "*\n!a.txt", "**/a.txt", "sub", "/sub/", "sub/*", "*/*/a.txt", "**/*.go",
    "*.md\n!README.md", "**/node_modules", "foo\n!foo/keep", "foo/**\n!foo/bar/baz",
    "# all notes\n*.md\n\n  .env  ", ".*", "**\n!sub/deep", "foo/*\n!foo/bar\nfoo/bar/qux",
    "*.txt\n!**/deep", "[ab].*", "a.???", "**",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "context" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    for name in ("Dockerfile", "Other", "build/Dev"):
        (tmp_path / "context" / name).write_text("FROM scratch\nCOPY . /\n")
    return tmp_path / "context"


def ours(folder: Path, dockerfile: str) -> set[str]:
    packed = io.BytesIO()
    send(find_context(str(folder), str(folder / dockerfile)), packed.write)
    packed.seek(0)
    return files(packed)


@pytest.fixture(scope="module")
def buildkit(
    reference: Reference, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The variables with which `docker buildx` asks the reference."""
    configuration = tmp_path_factory.mktemp("buildkit")
    absence = furnish(configuration)
    assert not absence, absence
    return {
        "PATH": os.environ["PATH"], "HOME": str(configuration),
        "DOCKER_HOST": f"unix://{reference.socket}", "DOCKER_CONFIG": str(configuration),
    }  # fmt: skip


def theirs(buildkit: dict[str, str], folder: Path, dockerfile: str) -> set[str]:
    target = folder.parent / "sent.tar"
    done = subprocess.run(
        [program("docker"), "buildx", "build", "--output", f"type=tar,dest={target}",
         "--file", str(folder / dockerfile), str(folder)],
        env=buildkit, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with target.open("rb") as packed:
        return files(packed)


def files(packed: io.BufferedIOBase) -> set[str]:
    """Name what is no directory, and no file that is sent in any case."""
    with tarfile.open(fileobj=packed) as archive:
        return {entry.name for entry in archive if not entry.isdir()} - OWN


@pytest.mark.parametrize("text", CASES)
def test_the_file_of_that_name_decides_alone(
    buildkit: dict[str, str], folder: Path, text: str
) -> None:
    (folder / ".dockerignore").write_text("b.md\nsub/deep\n")
    (folder / "Other.dockerignore").write_text(text)
    assert ours(folder, "Other") == theirs(buildkit, folder, "Other")


def test_an_exception_that_begins_with_stars_is_the_one_difference(
    buildkit: dict[str, str], folder: Path
) -> None:
    """We walk as the classic command line does: no directory is entered for such a line."""
    (folder / "Other.dockerignore").write_text("**\n!**/*.go\n")
    assert ours(folder, "Other") == set()
    assert theirs(buildkit, folder, "Other") == {"sub/deep/x.go"}


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "Other", "build/Dev"])
@pytest.mark.parametrize("named", ["Dockerfile", "Other", "build/Dev", "Dev", ""])
def test_it_lies_beside_its_dockerfile(
    buildkit: dict[str, str], folder: Path, dockerfile: str, named: str
) -> None:
    (folder / ".dockerignore").write_text("a.txt\n")
    if named:
        (folder / f"{named}.dockerignore").write_text("b.md\n")
    assert ours(folder, dockerfile) == theirs(buildkit, folder, dockerfile) | (
        {"Dev.dockerignore"} if named == "Dev" else set()
    )


def test_the_line_of_that_file_is_told(folder: Path) -> None:
    (folder / ".dockerignore").write_text("a.txt\n")
    (folder / "build/Dev.dockerignore").write_text("# notes\n**/*.md\n!README.md\nsub\n")
    heard: list[object] = []
    send(
        find_context(str(folder), str(folder / "build/Dev")), io.BytesIO().write,
        emit=heard.append,
    )  # fmt: skip
    file = "build/Dev.dockerignore"
    assert [each for each in heard if isinstance(each, PathIgnored)] == [
        PathIgnored("b.md", False, file, 2, "**/*.md"),
        PathIgnored("sub", True, file, 4, "sub"),
    ]
