"""`minidock` on our engine says what `docker` says on Docker's, word by word.

The scenes are those of the stock client (tests/compat/scenes): in each line `docker` is
then our own command line.  Output and exit codes are equal; of a refusal Docker's sentence
counts, for our reason and our advice stand beneath it, and who says it is named otherwise.
"""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.cli.catalogue import LATER, VERBS, Group
from tests.compat.dialogue import SCENES, Said, Speaker, Told
from tests.compat.test_stock_cli import filled, share
from tests.minidock_cli import Minidock
from tests.reference import Reference

pytestmark = pytest.mark.compat

PLAYED = ("life", "run", "logs", "exec", "files", "show", "health", "events",
          "system")  # fmt: skip

_OF_SWARMS = r"docker (node|service|stack|secret|config|plugin|swarm) "

# What only one of the two can say, and why.
ELSEWHERE = {
    "docker run $N --rm nonsense:nowhere true; echo $?":
        "Docker asks a registry for it; there are none here yet",
    "docker logs -n 2 says 2>/dev/null":
        "which of two streams comes last into Docker's log is chance",
    "docker system nonsense": "Docker shows its help, we say which verb is none",
    **dict.fromkeys(
        (line for line in SCENES["system"] if re.match(_OF_SWARMS, line)),
        "there are no swarms and no plugins here",
    ),
    "docker ps --filter name=well --format '{{.Status}}'":
        "whether the first check is over by then is chance",
    "docker cp file.txt nobody:/":
        "Docker says that a directory is not there, where the container is not",
}  # fmt: skip

_OF_EXEC = ("OCI runtime exec failed", "unable to find user")
_PAIRS = r"\w+=\w+(,\w+=\w+)+"
_SPEAKERS = r"^(docker: |minidock: |Error response from daemon: |Error: )+"

CASES = [
    pytest.param(scene, number, id=f"{scene}-{number:02}: {line[:60]}")
    for scene in PLAYED
    for number, line in enumerate(SCENES[scene])
    if line not in ELSEWHERE
]


class Typist(Speaker):
    """Types `docker` and means `minidock`."""

    def __init__(self, engine: Minidock, folder: Path) -> None:
        super().__init__(engine, folder)
        place = folder / "bin"
        place.mkdir()
        command = place / "docker"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pyminidock "$@"\n')
        command.chmod(0o755)
        path = f"{place}:{self._environment['PATH']}"
        self._environment = engine.environment | self._environment | {"PATH": path}
        self._environment["PYTHONPATH"] = str(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def engines(
    reference: Reference, minidock: Minidock, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Told], dict[str, Told]]:
    """Both engines, each with its own command line, listening to every scene."""
    theirs, ours = (filled(tmp_path_factory.mktemp(name)) for name in ("docker", "ours"))
    docker, typist = Speaker(reference, theirs), Typist(minidock, ours)
    archive = tmp_path_factory.mktemp("image") / "root.tar"
    share(docker, archive)
    share(typist, archive)
    return tuple(  # type: ignore[return-value]  # two
        {scene: Told(_again(speaker), SCENES[scene]) for scene in PLAYED}
        for speaker in (docker, typist)
    )


def _again(speaker: Speaker) -> Speaker:
    """Give the same speaker with ids of its own to count."""
    made = object.__new__(type(speaker))
    made.__dict__.update(speaker.__dict__ | {"ids": []})
    return made


@pytest.mark.parametrize(("scene", "number"), CASES)
def test_minidock_says_what_docker_says(
    engines: tuple[dict[str, Told], dict[str, Told]], scene: str, number: int
) -> None:
    docker, ours = (sentence(told[scene].upto(number)) for told in engines)
    assert ours == docker


def test_every_group_has_the_verbs_of_docker(reference: Reference) -> None:
    told = reference.docker("--help").stdout
    theirs = set(re.findall(r"(?m)^  ([a-z]+) {2,}\S", told.split("Global Options")[0]))
    assert theirs - set(VERBS) - set(LATER) == set()
    group = VERBS["container"]
    assert isinstance(group, Group)
    listed = reference.docker("container", "--help").stdout
    assert set(re.findall(r"(?m)^  ([a-z]+) {2,}\S", listed)) == set(group.verbs)


def sentence(said: Said) -> Said:
    """Keep of what went wrong what Docker says about it."""
    output, error = _plain(said.output), _plain(said.error)
    # Docker gives labels in the order of chance.
    output = re.sub(_PAIRS, lambda found: ",".join(sorted(found[0].split(","))), output)
    if output.startswith(_OF_EXEC) and not error:
        # A second process that cannot start has no output; Docker puts the refusal there.
        output, error = "", output
    return replace(said, output=output, error=error)


def _plain(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if line.startswith(("  why: ", "  try: ", "DEPRECATED: ")):
            continue
        if line.startswith(("See '", "Usage:", "Error: failed to")):
            break
        said = re.sub(_SPEAKERS, "", line)
        lines.append(re.sub(r"\bdocker\b", "minidock", said).removesuffix("."))
    return "\n".join(lines).strip("\n")
