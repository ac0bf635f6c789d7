"""A map as boxes and lines, where Graphviz puts them and where there is none."""

import xml.etree.ElementTree as ET

import pytest

from pyminidock.viz.chart import Chart, columns, dot_of, graph, read_plain
from pyminidock.viz.networkmap import read
from pyminidock.viz.painters.charts import paint
from tests.viz.test_network_view import DOCUMENT, end, net

PLAIN = """graph 1 4 2
node n0 0.5 1 1 0.5 "" solid box black lightgrey
node n1 2.0 1.5 1 0.5 "" solid box black lightgrey
edge n0 n1 4 1 1 1.2 1 1.4 1.5 1.5 1.5 solid black
stop
"""


def small() -> Chart:
    told = {"backend": "linux-root", "networks": [net("app", 1)], "ports": [], "lone": []}
    return graph(read(told))


def test_every_thing_of_the_map_is_a_box_and_every_cable_a_line() -> None:
    chart = graph(read(DOCUMENT))
    names = {box.lines[0] for box in chart.boxes}
    assert {"the host", "bridge", "app", "vault", "web", "w1", "lo", "hermit"} <= names
    assert {"port 8080/tcp", "port 8081/tcp"} <= names
    assert next(b for b in chart.boxes if b.lines[0] == "w1").lines[1:] == (
        "eth0 172.17.0.2", "eth1 172.18.0.3",
    )  # fmt: skip
    ends = {(wire.tail, wire.head) for wire in chart.wires}
    assert ("net app", "box web") in ends
    assert ("port tcp 127.0.0.1 8080", "box web") in ends
    assert not any("hermit" in head for _, head in ends)


def test_graphviz_is_told_no_name_and_says_where() -> None:
    chart = small()
    assert "app" not in dot_of(chart)
    laid = read_plain(chart, PLAIN)
    assert (laid.width, laid.height) == (288.0, 144.0)
    assert laid.boxes[1].at == (144.0, 36.0)  # it counts from below
    assert laid.wires[0].path[0] == (72.0, 72.0)


@pytest.mark.parametrize("plain", ["", "graph 1 x y\n", PLAIN.replace("node n1", "nod")])
def test_without_graphviz_things_stand_in_columns_and_none_covers_another(
    plain: str,
) -> None:
    assert read_plain(small(), plain) == columns(small())
    laid = columns(graph(read(DOCUMENT)))
    spans = [(box.at[0] - box.width / 2, box.at[1] - box.height / 2, box) for box in
             laid.boxes]  # fmt: skip
    for x, y, box in spans:
        for ox, oy, other in spans:
            assert box is other or not (
                x < ox + other.width and ox < x + box.width
                and y < oy + other.height and oy < y + box.height
            )  # fmt: skip


def test_a_chart_is_one_file_with_its_text_and_nothing_hostile_in_it() -> None:
    bad = "<script>\x1b[2J\u202e" + "x" * 300
    told = read(DOCUMENT | {"networks": [net(bad, 1, end(bad, bad))], "ports": []})
    drawn = paint(columns(graph(told)), "Who?", bad, theme="dark")
    root = ET.fromstring(drawn)  # noqa: S314  (ours)
    assert root.attrib["role"] == "img"
    assert "<script>" not in drawn
    assert "script" not in {each.tag.rpartition("}")[2] for each in root.iter()}
    assert len(drawn) < 150_000
