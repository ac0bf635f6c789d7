"""Who a pid is: its name while it lives, and the name that it had taken when it is gone."""

import subprocess
import time
from collections.abc import Iterator

import pytest

from pyminidock.kernel.watch.askers import command_of
from pyminidock.kernel.watch.commands import Commands


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is called sleep."""
    with subprocess.Popen(["sleep", "100"]) as made:
        while command_of(made.pid) != "sleep":
            time.sleep(0.01)
        yield made
        made.kill()


def ended(process: subprocess.Popen[bytes]) -> int:
    process.kill()
    process.wait()
    return process.pid


def test_a_name_is_remembered_of_one_that_is_gone(
    sleeper: subprocess.Popen[bytes],
) -> None:
    commands = Commands()
    assert commands.name(sleeper.pid) == "sleep"
    assert commands.name(ended(sleeper)) == "sleep"


def test_nobody_knows_one_that_was_never_seen(sleeper: subprocess.Popen[bytes]) -> None:
    assert Commands().name(ended(sleeper)) == ""


def test_one_that_is_about_to_be_another_is_remembered_as_that_one(
    sleeper: subprocess.Popen[bytes],
) -> None:
    commands = Commands()
    commands.executes(sleeper.pid, "/bin/a-name-of-more-than-fifteen-letters")
    assert commands.name(sleeper.pid) == "sleep"
    assert commands.name(ended(sleeper)) == "a-name-of-more-"


def test_one_that_has_become_another_bears_its_name(
    sleeper: subprocess.Popen[bytes],
) -> None:
    commands = Commands()
    commands.executes(sleeper.pid, "/bin/sleep")
    assert commands.name(sleeper.pid) == "sleep"
    commands.executes(sleeper.pid, "/bin/other")
    assert commands.name(ended(sleeper)) == "other"
