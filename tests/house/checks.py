"""Which checks of the hardening contract are in force, and in which files they live.

A check has an id: H-nn for behaviour, T-nn for archives.  A test that proves one says so,
in its docstring or in the id of its parameters.  `collected` asks pytest which tests there
really are, so that a test which nobody collects any more proves nothing.
"""

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
_GUEST = ROOT / "tests" / "vm" / "guest.py"  # its functions run in a virtual machine
_ID = re.compile(r"\b([HT]-\d\d)\b")
_PROGRAM = """
import json, pytest, sys
class Listing:
    def pytest_collection_finish(self, session):
        print(json.dumps([[item.nodeid, item.obj.__doc__ or ""] for item in session.items]))
pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *sys.argv[1:]],
            plugins=[Listing()])
"""


def numbered(letter: str, *places: int | tuple[int, int]) -> frozenset[str]:
    """Spell ids; with "T", 1 and (3, 5) they are T-01, T-03, T-04 and T-05."""
    spans = (place if isinstance(place, tuple) else (place, place) for place in places)
    return frozenset(
        f"{letter}-{number:02}"
        for first, last in spans
        for number in range(first, last + 1)
    )


BEHAVIOUR: Mapping[str, frozenset[str]] = {  # the rows "bones", "image", "wire", "picture"
    "tests/edge/test_birth_engine.py": numbered("H", 1, 30, 35, 37, 39, 45),
    "tests/edge/test_birth_user.py": numbered("H", (2, 4)),
    "tests/edge/test_birth_odd_roots.py": numbered("H", 8, 14, 17, 18, 36),
    "tests/edge/test_birth_walls.py": numbered("H", (10, 13), 18, (20, 24), 26),
    "tests/edge/test_single_user.py": numbered("H", 9, 10, 22, 28, 40),
    "tests/edge/test_birth_end.py": numbered("H", (27, 29), 32, 33),
    "tests/edge/test_seccomp_live.py": numbered("H", 40),
    "tests/kernel/linux/test_syscalls.py": numbered("H", 38),
    "tests/vm/test_other_kernel.py": numbered("H", 30, 47),
    "tests/edge/test_cli_step.py": numbered("H", 54),
    "tests/edge/test_images_are_data.py": numbered("H", 5),
    "tests/engine/test_hostile_names.py": numbered("H", 6),
    "tests/edge/test_builds_on_odd_ground.py": numbered("H", 14, 36, 41),
    "tests/edge/test_build_odd_places.py": numbered("H", 14, 36),
    "tests/store/test_damage.py": numbered("H", 51),
    "tests/engine/test_damaged_containers.py": numbered("H", 51),
    "tests/edge/test_damaged_shims.py": numbered("H", 51),
    "tests/store/test_versions.py": numbered("H", 53),
    "tests/edge/test_roots.py": numbered("H", 53, 57),
    "tests/edge/test_sweeps_meet_builds.py": numbered("H", 55),
    "tests/store/test_schedules.py": numbered("H", 56),
    "tests/edge/test_pid_reuse.py": numbered("H", 52),
    "tests/edge/test_parallel_runs.py": numbered("H", 34),
    "tests/edge/test_logs.py": numbered("H", 31, 50),
    "tests/edge/test_daemon_crashes.py": numbered("H", 31),
    "tests/api/test_connection.py": numbered("H", 42),
    "tests/edge/test_daemon_under_fire.py": numbered("H", 49),
    "tests/edge/test_hostile_copies.py": numbered("H", 36, 48),
    "tests/container/test_verify.py": numbered("H", 7),
    "tests/viz/test_painters.py": numbered("H", 44),
    "tests/viz/test_page.py": numbered("H", 44),
    "tests/widgets/test_dom_js.py": numbered("H", 44),
    "tests/widgets/test_stepper.py": numbered("H", 44),
    "tests/widgets/test_panel.py": numbered("H", 44),
    "tests/widgets/test_discreet.py": numbered("H", 44, 45),
    "tests/browser/test_look.py": numbered("H", 44),
    "tests/browser/test_replay.py": numbered("H", 44),
    "tests/browser/test_safe_notebooks.py": numbered("H", 44, 45),
    "tests/edge/test_secrets_stay.py": numbered("H", 45),
    "tests/edge/test_magics.py": numbered("H", 44, 45),
}
BONES = numbered("H", (1, 4), (8, 14), 17, 18, (20, 24), (26, 30), 32, 33, (35, 40), 45, 47,
                 54)  # fmt: skip
IMAGE = numbered("H", 5, 6, 14, 36, 41, 51, 53, (55, 57))
PICTURE = numbered("H", 44, 45)
WIRE = numbered("H", 6, 7, 11, 30, 31, 34, 36, 42, (48, 54), 57)

_LAYER = numbered("T", (1, 52))  # what the bytes of one archive can say
ARCHIVES: Mapping[str, frozenset[str]] = {  # by the beginning of a test's name
    "tests/layers/hostile/test_reader.py": numbered(
        "T", (1, 4), (10, 12), 14, 16, (19, 22), 26, 36, (40, 52), 54, 57
    ),
    "tests/layers/hostile/test_applier.py": _LAYER,
    "tests/edge/test_hostile_archives.py": _LAYER,
    "tests/layers/hostile/test_published.py": numbered("T", 44, 45, (53, 57), 61),
    "tests/layers/test_compression.py": numbered("T", 53, (55, 57)),
    "tests/edge/test_layers_full_disk.py": numbered("T", 53, 54),
    "tests/edge/test_hostile_doors.py::test_an_image": _LAYER,
    "tests/edge/test_hostile_doors.py::test_a_context": _LAYER - numbered("T", (28, 33)),
    "tests/edge/test_hostile_doors.py::test_an_archive": _LAYER - numbered("T", (28, 33)),
    "tests/engine/test_loading.py": numbered("T", (58, 61), 63),
    "tests/edge/test_images_are_data.py": numbered("T", 62),
    "tests/edge/test_hostile_contexts.py": numbered("T", 18, (64, 66)),
    "tests/edge/test_hostile_copies.py": numbered("T", 66),
}


def collected(files: Iterable[str]) -> dict[str, frozenset[str]]:
    """Ask pytest for the tests of some files; give each test's ids, by its full name."""
    words = [sys.executable, "-c", _PROGRAM, *files]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    line = next(line for line in said.stdout.splitlines() if line.startswith("[["))
    guest = {
        node.name: ast.get_docstring(node) or ""
        for node in ast.parse(_GUEST.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    found = defaultdict[str, set[str]](set)
    for name, words_of_it in json.loads(line):
        found[name] |= {*_ID.findall(name), *_ID.findall(words_of_it)}
        if name.startswith("tests/vm/"):
            found[name].update(_ID.findall(guest.get(name.partition("[")[2][:-1], "")))
    return {name: frozenset(ids) for name, ids in found.items()}


def missing(
    wanted: Mapping[str, frozenset[str]], found: Mapping[str, frozenset[str]]
) -> list[str]:
    """Name each id that no test of its file proves."""
    return [
        f"{each} in {place}"
        for place, ids in wanted.items()
        for each in sorted(
            ids
            - {one for name, its in found.items() if name.startswith(place) for one in its}
        )
    ]
