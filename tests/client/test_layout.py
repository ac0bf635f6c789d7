"""Graphviz lays a chart out, and where it is missing or slow, columns do."""

from pathlib import Path

import pytest

from pyminidock.client.layout import laid_out
from pyminidock.viz.chart import columns, graph
from pyminidock.viz.networkmap import read
from tests.viz.test_network_view import DOCUMENT

CHART = graph(read(DOCUMENT))


def test_graphviz_gives_each_box_a_place_of_its_own() -> None:
    laid = laid_out(CHART)
    assert laid != columns(CHART)
    assert len({box.at for box in laid.boxes}) == len(CHART.boxes)
    assert all(len(wire.path) >= 4 for wire in laid.wires)
    assert len(laid.wires) == len(CHART.wires)
    for box in laid.boxes:
        assert 0 <= box.at[0] <= laid.width
        assert 0 <= box.at[1] <= laid.height


def test_without_it_there_are_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert laid_out(CHART) == columns(CHART)


@pytest.mark.parametrize("body", ["exit 1", "echo nonsense", "printf 'graph 1 2 3\\n'"])
def test_what_it_says_is_not_trusted(
    body: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dot = tmp_path / "dot"
    dot.write_text(f"#!/bin/sh\n{body}\n")
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert laid_out(CHART) == columns(CHART)
