"""`minidock network map`: who hangs on what, and so who can reach whom.

minidock network map                as tree and table
minidock network map --svg a.svg    as boxes and lines; Graphviz lays them out, if there
"""

import json
from pathlib import Path
from typing import Any

import click

from pyminidock.cli.imagelayers import show_scene
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect
from pyminidock.client.layout import laid_out
from pyminidock.viz.chart import graph
from pyminidock.viz.networkmap import read
from pyminidock.viz.painters import charts
from pyminidock.viz.painters.text import paint
from pyminidock.viz.views.network import TITLE, network


def draw(words: tuple[str, ...], **given: Any) -> int:
    """Draw who can reach whom."""
    with connect() as client:
        told = client.networks.map()
    if given["svg"]:
        chart = laid_out(graph(read(told)))
        said = paint(network(read(told)), 100)
        Path(given["svg"]).write_text(charts.paint(chart, TITLE, said), encoding="utf-8")
    elif given["json"]:
        click.echo(json.dumps(told, indent=2))
    else:
        show_scene(network(read(told)))
    return 0


MAP = Verb(
    "map", draw, help="Draw who can reach whom.",
    params=[
        switch("--json", help="for programs"),
        text("--svg", help="as boxes and lines, into this file", metavar="FILE"),
    ],
)  # fmt: skip
