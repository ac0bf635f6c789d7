"""What the verbs about the engine print."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from pyminidock.cli import engine
from pyminidock.cli.tables import aligned
from pyminidock.client.connect import Place
from pyminidock.client.survey import survey

PLACE = Place(Path("/r"), Path("/r/it's here.sock"))


def test_a_shell_reads_the_settings_back() -> None:
    script = "\n".join(engine.settings(PLACE, is_fish=False, is_json=False))
    asked = subprocess.run(
        ["sh", "-c", f'{script}\nprintf "%s %s" "$DOCKER_HOST" "$DOCKER_BUILDKIT"'],
        capture_output=True, text=True, check=True, env={"PATH": os.defpath},
    )  # fmt: skip
    assert asked.stdout == f"unix://{PLACE.socket} 0"


def test_other_forms_of_the_settings() -> None:
    (line,) = engine.settings(PLACE, is_fish=False, is_json=True)
    assert json.loads(line) == {
        "DOCKER_HOST": f"unix://{PLACE.socket}",
        "DOCKER_BUILDKIT": "0",
    }
    first, second = engine.settings(PLACE, is_fish=True, is_json=False)
    assert first == r"set -gx DOCKER_HOST 'unix:///r/it\'s here.sock';"
    assert second == "set -gx DOCKER_BUILDKIT '0';"


def test_the_doctor_looks_without_an_engine(tmp_path: Path) -> None:
    told = survey(tmp_path)
    names = [row["name"] for row in told["capabilities"]]
    assert names[0] == "backend"
    assert len(names) == len(set(names)) >= 10
    for row in told["capabilities"]:
        assert row["state"] in ("yes", "limited", "no")
        assert row["reason"]
        assert row["state"] == "yes" or (row["costs"] and row["fix"]), row
    assert not list(tmp_path.iterdir())


def test_the_short_line_names_what_is_not_there() -> None:
    rows = [("overlay", "yes"), ("limits", "no"), ("init", "limited"), ("seccomp", "yes")]
    told = {
        "backend": "simulated",
        "capabilities": [{"name": name, "state": state} for name, state in rows],
    }
    assert engine.in_short(told) == "simulated: 2 yes, 1 limited (init), 1 no (limits)"


@pytest.mark.parametrize("rows", [[("A", "B")], [("A", "B"), ("long", "b")]])
def test_columns_line_up(rows: list[tuple[str, ...]]) -> None:
    lines = aligned(["\t".join(row) for row in rows])
    assert len({line.lower().index("b") for line in lines}) == 1
