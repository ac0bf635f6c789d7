"""The stock `docker` cannot tell our engine from Docker's, word by word.

Each scene is typed line by line, first at Docker's engine, then at ours, both without a
network, and whatever is printed to either side and each exit code has to be equal.  What is
meant to differ has a rule in allowlist.toml, topic "stock cli".
"""

from pathlib import Path

import pytest

from tests.compat.allowlist import AllowList, Difference, about_the_stock_cli
from tests.compat.dialogue import SCENES, Said, Speaker, Told
from tests.minidock_cli import Minidock
from tests.reference import Reference

pytestmark = pytest.mark.compat

CASES = [
    pytest.param(scene, number, id=f"{scene}-{number:02}: {line[:60]}")
    for scene, lines in SCENES.items()
    for number, line in enumerate(lines)
]


@pytest.fixture(scope="module")
def allowed() -> AllowList:
    """The rules; one that nothing needed is stale."""
    return about_the_stock_cli()


@pytest.fixture(scope="module")
def engines(
    reference: Reference, minidock: Minidock, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Told], dict[str, Told]]:
    """Both engines with one image, listening to every scene."""
    told = []
    archive = tmp_path_factory.mktemp("image") / "root.tar"
    for name, engine in (("docker", reference), ("ours", minidock)):
        folder = filled(tmp_path_factory.mktemp(name))
        share(Speaker(engine, folder), archive)
        told.append(
            {scene: Told(Speaker(engine, folder), lines) for scene, lines in SCENES.items()}
        )
    return told[0], told[1]


def share(speaker: Speaker, archive: Path) -> None:
    """Give an engine the image `root`: the first one writes it down, the next reads it."""
    done = speaker.say(
        f"docker load -i {archive}" if archive.exists()
        else f"docker tag busybox root && docker save -o {archive} root"
    )  # fmt: skip
    assert done.code == 0, done.error


def filled(folder: Path) -> Path:
    """Fill a folder with what the scenes copy and build."""
    (folder / "file.txt").write_text("here\n")
    (folder / "tree/deep").mkdir(parents=True)
    (folder / "tree/deep/leaf").write_text("leaf\n")
    (folder / "tree/link").symlink_to("deep/leaf")
    (folder / "app").mkdir()
    (folder / "app/Dockerfile").write_text(
        'FROM root\nCOPY hello /hello\nENTRYPOINT ["cat"]\nCMD ["/hello"]\n'
    )
    (folder / "app/hello").write_text("Hello World\n")
    (folder / "variables").write_text("A=1\n# a comment\nB=two words\n")
    return folder


@pytest.mark.parametrize(("scene", "number"), CASES)
def test_a_line_says_on_ours_what_it_says_on_dockers(
    engines: tuple[dict[str, Told], dict[str, Told]],
    allowed: AllowList,
    scene: str,
    number: int,
) -> None:
    docker, ours = (told[scene].upto(number) for told in engines)
    found = differences(SCENES[scene][number], docker, ours)
    left = allowed.unexplained(found)
    assert not left, "\n".join(map(str, left))


def test_every_rule_of_the_stock_cli_is_needed(
    engines: tuple[dict[str, Told], dict[str, Told]], allowed: AllowList
) -> None:
    for scene, lines in SCENES.items():
        for number, line in enumerate(lines):
            docker, ours = (told[scene].upto(number) for told in engines)
            allowed.unexplained(differences(line, docker, ours))
    assert not allowed.stale


def test_there_are_few_meant_differences_and_many_lines() -> None:
    assert len(about_the_stock_cli().rules) <= 10
    assert len(CASES) >= 120


def differences(line: str, docker: Said, ours: Said) -> list[Difference]:
    """Give what two engines said differently, by what it is."""
    return [
        Difference("stock cli", f"{line} ({what})", str(theirs), str(mine))
        for what, theirs, mine in (
            ("exit", docker.code, ours.code),
            ("stdout", docker.output, ours.output),
            ("stderr", docker.error, ours.error),
        )
        if theirs != mine
    ]
