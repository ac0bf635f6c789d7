"""Volumes, binds and trees in memory, by the stock command line, as Docker has them.

Each case is a script of its own, with names that begin with `vol-`; what it leaves is taken
away behind it.  Times, ids and the engines' own directories are made equal (`dialogue`).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.dialogue import Said, Speaker
from tests.compat.test_stock_cli import differences, filled
from tests.minidock_cli import Minidock
from tests.reference import Reference

pytestmark = pytest.mark.compat

ABOUT = (
    "docker inspect -f '{{range .Mounts}}{{.Type}} {{.Name}} {{.Source}} {{.Destination}} "
    "{{.Driver}} {{.Mode}} {{.RW}} {{.Propagation}};{{end}}' vol-c | tr ';' '\\n' | sort"
)
SEEN = 'cut -d" " -f4-6 /proc/self/mountinfo | grep " /m" | sort'
CLEAN = (
    "docker rm -fv vol-c vol-d vol-e; docker volume rm -f vol-a vol-b vol-t;"
    " docker volume prune -f; rm -rf vol-host"
)


def _scripts() -> dict[str, str]:
    """Read the scripts: `== NAME`, then lines for a shell."""
    text = (Path(__file__).parent / "scripts_volumes.txt").read_text()
    text = text.replace("ABOUT", ABOUT).replace("SEEN", SEEN).replace("\\\n", "")
    cases = (case.partition("\n") for case in text.split("== ")[1:])
    return {name: script.strip() for name, _, script in cases}


SCRIPTS = _scripts()


@pytest.fixture(scope="module")
def speakers(
    reference: Reference, minidock: Minidock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Speaker, Speaker]]:
    made = []
    archive = tmp_path_factory.mktemp("archive") / "root.tar"
    for engine, name in ((reference, "docker"), (minidock, "ours")):
        speaker = Speaker(engine, filled(tmp_path_factory.mktemp(name)))
        line = f"docker tag busybox root && docker save -o {archive} root"
        if archive.exists():
            line = f"docker load -i {archive}"
        assert speaker.say(line).code == 0
        speaker.say(CLEAN)
        made.append(speaker)
    yield made[0], made[1]
    for speaker in made:
        speaker.say("docker rmi -f root")


@pytest.mark.parametrize("name", SCRIPTS)
def test_ours_says_what_docker_says(
    speakers: tuple[Speaker, Speaker], name: str, tmp_path: Path
) -> None:
    told = []
    for speaker in speakers:
        speaker.ids.clear()
        try:
            told.append(speaker.say(SCRIPTS[name]))
        finally:
            speaker.say(CLEAN)
    told = [plain(each) for each in told]
    assert not differences(name, *told), "\n".join(map(str, differences(name, *told)))


_OWN = (
    (r"^/(data|root)/volumes/", "/volumes/"),
    (r"ROOT/private/data", "ROOT"),
    (r"ROOT/(overlay2|containers)/<\d+>/(merged|rootfs)", "ROOTFS"),
    # runc opens its targets by other means, and says so.
    (r"mount \S+ \(via /proc/self/fd/\d+\), flags: 0x\w+(, data: \S+)?: ", ""),
    (r"create mount destination for \S+ mount: (cannot mkdir in \S+: )?", ""),
    (r'"ROOTFS/proc', '"/proc'),
)


def plain(said: Said) -> Said:
    """Let the engines' own directories be one, and the moment of a listing no matter."""
    output, error = said.output, said.error
    for pattern, word in _OWN:
        output, error = (re.sub(pattern, word, text) for text in (output, error))
    output = re.sub(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d ", "MOMENT ", output)
    return Said(said.code, output, error)


def test_there_are_many_scripts() -> None:
    assert len(SCRIPTS) >= 60
