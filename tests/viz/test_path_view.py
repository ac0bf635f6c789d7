"""Who answers for one path, as a picture."""

from typing import Any

import pytest

from pyminidock.viz.painters.text import paint
from pyminidock.viz.views.path import path


def told(**facts: Any) -> str:
    document: dict[str, Any] = {
        "name": "c1", "backend": "linux-root", "path": "/big", "kind": "file",
        "rules": "overlay", "probes": [{}] * 3, "copies": [{}], "copy_bytes": 20_000_000,
        "is_copied": False, "letter": "", "committed": "", "shared_by": [],
        "holdings": [
            {"layer": "upper", "kind": "absent", "size_bytes": 0, "role": "absent"},
            {"layer": "layer 1", "kind": "file", "size_bytes": 20_000_000, "role": "shown"},
        ],
    }  # fmt: skip
    return paint(path(document | facts), 80)


def test_who_answers_and_what_a_write_would_copy() -> None:
    assert told().splitlines() == [
        "── Who answers for this path? /big in c1 ───────────────────────────────────────",
        "[REAL]",
        "  layer    holds  size",
        "  upper    –",
        "  layer 1  file   20 MB  ● shown",
        "  overlayfs asks 3 times on the way (explained)",
        "  The first change would copy up 1 name, 20 MB",
        "  diff says nothing; commit packs nothing of it",
        "  No other container reads these bytes",
    ]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"is_copied": True, "letter": "C"},
            "It was copied up: 20 MB for the first change",
        ),
        ({"copies": [], "letter": "A"}, "It was made here: a change copies nothing"),
        ({"kind": "absent", "letter": "D"}, "Nothing is there to be copied"),
        ({"shared_by": ["web", "db"]}, "The same bytes are read by web, db"),
        ({"rules": "aufs"}, "AUFS asks 3 times"),
        (
            {"letter": "D", "committed": "whiteout"},
            "diff says D, deleted; commit packs a wh",
        ),
    ],
)
def test_what_is_said(facts: dict[str, Any], said: str) -> None:
    assert said in told(**facts)
