"""Run the unit tests of the rooms that the given files belong to; for the commit hook.

    python tools/changed_rooms.py pyminidock/unionfs/lookup.py tests/viz/test_world.py

runs the doctests and tests of `unionfs` and `viz`, and nothing that needs root.
"""

import subprocess
import sys
from pathlib import Path

NO_TESTS_COLLECTED = 5  # pytest.ExitCode: a folder may hold edge tests alone


def folders(files: list[str]) -> list[str]:
    """Give the rooms' folders, in the package and in the tests, that exist."""
    rooms = sorted({Path(file).parts[1] for file in files if len(Path(file).parts) > 2})
    wanted = [Path(base, room) for room in rooms for base in ("pyminidock", "tests")]
    return [str(path) for path in wanted if path.is_dir()]


if __name__ == "__main__":
    if chosen := folders(sys.argv[1:]):
        pytest = [sys.executable, "-m", "pytest", "-q", "--part", "unit", *chosen]
        code = subprocess.run(pytest, check=False).returncode
        sys.exit(0 if code == NO_TESTS_COLLECTED else code)
