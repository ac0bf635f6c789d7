"""A rehearsal plays to its end, and leaves the stage as it was."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.edge

PLAY = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pyminidock.kernel.linux import rehearsal

def open_now():
    places = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return sorted(os.readlink(place) for place in places if os.path.islink(place))

before = open_now()
rehearsal.of_shim()
assert rehearsal.of_birth(), "a verb was refused, and the rest left out"
assert open_now() == before, (open_now(), before)
"""


def test_birth_and_life_are_played_to_their_end_and_nothing_stays_open() -> None:
    """In a process of its own: whoever plays changes its name and hears signals anew."""
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", PLAY, str(Path(__file__).parents[3])], check=True
    )
