"""The stock `docker` cannot tell our networks from Docker's, word by word.

Each engine has a network namespace of its own and nothing else in it, so bridges, addresses
and ways out are the same on both.  The scenes of `networks/` are typed line by line, and
whatever is printed and each exit code has to be equal: there is no list of exceptions.
"""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from tests.compat.dialogue import Speaker, Told, scenes_of
from tests.minidock_cli import Minidock, running_minidock
from tests.reference import Reference, running_reference

pytestmark = pytest.mark.compat

SCENES: Mapping[str, Sequence[str]] = scenes_of("networks")
CASES = [
    pytest.param(scene, number, id=f"{scene}-{number:02}: {line[:60]}")
    for scene, lines in SCENES.items()
    for number, line in enumerate(lines)
]
CLEAN = "docker rm -f $(docker ps -aq); docker network prune -f"
LOOPBACK_UP = ("unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh")


@pytest.fixture(scope="module")
def networked() -> Iterator[tuple[Reference, Minidock]]:
    """Give both engines, each alone in a network namespace."""
    with (
        running_reference(is_wired=True) as docker,
        running_minidock(*LOOPBACK_UP) as ours,
    ):
        yield docker, ours


@pytest.fixture(scope="module")
def engines(
    networked: tuple[Reference, Minidock], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Mapping[str, Told], Mapping[str, Told]]:
    """Let both listen to every scene; each scene begins with nothing but the image."""
    told = [_listener(engine, tmp_path_factory) for engine in networked]
    return told[0], told[1]


def _listener(
    engine: Reference | Minidock, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Told]:
    told: dict[str, Told] = {}
    for scene, lines in SCENES.items():
        speaker = Speaker(engine, tmp_path_factory.mktemp(scene))
        told[scene] = Told(speaker, lines, before=f"{CLEAN}; docker tag busybox root")
    return told


@pytest.mark.parametrize(("scene", "number"), CASES)
def test_a_line_about_networks_says_on_ours_what_it_says_on_dockers(
    engines: tuple[Mapping[str, Told], Mapping[str, Told]], scene: str, number: int
) -> None:
    docker, ours = (told[scene].upto(number) for told in engines)
    assert ours == docker


def test_there_are_many_lines_about_networks() -> None:
    assert len(CASES) >= 240
