"""What is left of a container, as a picture."""

from typing import Any

from pyminidock.viz.painters.text import paint
from pyminidock.viz.views.survives import read, survives

COLUMNS = ["exit", "restart", "rm", "rebuild", "reboot"]


def fact(kind: str, what: str, fates: str, **more: str) -> dict[str, Any]:
    told = dict(zip(COLUMNS, fates.split(), strict=True))
    usual = {"where": "/v/data/_data", "way_out": ""}
    return {"kind": kind, "what": what, "fates": told} | usual | more


def test_each_fact_is_a_row_and_each_word_is_explained_once() -> None:
    facts = [
        fact("named volume", "/d", "kept kept kept kept kept"),
        fact("tmpfs", "/t", "lost lost lost lost lost", where="memory", way_out="-v x:/t"),
    ]
    told = {"name": "c1", "backend": "linux-root", "is_removed_at_end": True,
            "columns": COLUMNS, "facts": facts}  # fmt: skip
    shown = paint(survives(read(told)), 80)
    assert "c1 runs with --rm" in shown
    assert "tmpfs /t: memory; to keep it: -v x:/t" in shown
    assert shown.count("lost: it is nowhere any more") == 1
    assert "left:" not in shown
    rows = [line.split() for line in shown.splitlines() if "/d" in line or "/t" in line]
    assert rows[0].count("kept") == rows[1].count("lost") == 5
