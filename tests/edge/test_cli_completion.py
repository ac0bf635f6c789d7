"""A shell that completes words of `minidock` offers verbs, flags, containers and images."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge


@pytest.fixture(scope="module")
def places(minidock: Minidock) -> Iterator[Minidock]:
    """An engine with a container that runs, and one that does not."""
    for words in (("run", "-d", "--name", "web"), ("create", "--name", "waits")):
        made = minidock.run(*words, minidock.image, "sleep", "1000")
        assert made.returncode == 0, made.stderr
    yield minidock
    minidock.run("rm", "-f", "web", "waits")


@pytest.mark.parametrize(
    ("words", "offers", "spares"),
    [
        ("minidock st", {"start", "stop", "stats", "step"}, {"run"}),
        ("minidock container re", {"rename", "restart"}, {"run"}),
        ("minidock run --cp", {"--cpus", "--cpu-shares"}, {"--rm"}),
        ("minidock run bu", {"busybox"}, set()),
        ("minidock run busybox w", set(), {"web"}),
        ("minidock stop w", {"web"}, {"waits"}),
        ("minidock stop web w", {"web"}, set()),
        ("minidock start w", {"waits"}, {"web"}),
        ("minidock rm -f w", {"web", "waits"}, set()),
        ("minidock exec -it w", {"web"}, {"waits"}),
        ("minidock inspect ", {"web", "waits", "busybox"}, set()),
        ("minidock rmi busybox:", {"busybox:latest"}, set()),
        ("minidock cp w", {"web:", "waits:"}, set()),
    ],
)
def test_the_next_word_is_offered(
    places: Minidock, words: str, offers: set[str], spares: set[str]
) -> None:
    found = completed(places, words)
    assert offers <= found
    assert not spares & found


def test_no_engine_is_started_for_a_key(places: Minidock) -> None:
    other = Minidock(places.root / "none", places.root / "none.sock")
    assert completed(other, "minidock stop w") == set()
    assert not other.root.exists()


def completed(engine: Minidock, words: str) -> set[str]:
    """Give what is offered for the last word, as bash asks for it."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1),
             "_MINIDOCK_COMPLETE": "bash_complete"}  # fmt: skip
    done = subprocess.run(
        engine.words(), env=engine.environment | asked, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    return {line.partition(",")[2] for line in done.stdout.splitlines() if line}
