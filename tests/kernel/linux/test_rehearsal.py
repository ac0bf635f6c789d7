"""A rehearsal plays to its end, leaves the stage as it was, and no holes in memory."""

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


HOLES = """
import sys
sys.path.insert(0, sys.argv[1])
from pyminidock.kernel.linux import rehearsal

def pools(objects):
    return {id(each) >> 14 for each in objects}

old = [bytes(200) for _ in range(5000)]
del old[int(sys.argv[2])::10]
before = pools(old)
holes = rehearsal.fill_holes()
new = [bytes(200) for _ in range(20)]
assert len(pools(new)) == 1, len(pools(new))
assert not pools(new) & before
"""


def test_birth_and_life_are_played_to_their_end_and_nothing_stays_open() -> None:
    """In a process of its own: whoever plays changes its name and hears signals anew."""
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", PLAY, str(Path(__file__).parents[3])], check=True
    )


@pytest.mark.parametrize("first", range(10))
def test_what_is_made_after_holes_were_filled_lies_side_by_side(first: int) -> None:
    """Wherever the holes are: at the first place of a pool as well."""
    home = str(Path(__file__).parents[3])
    subprocess.run([sys.executable, "-I", "-S", "-c", HOLES, home, str(first)], check=True)
