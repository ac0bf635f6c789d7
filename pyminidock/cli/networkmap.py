"""`minidock network map`: who hangs on what, and so who can reach whom."""

import json
from typing import Any

import click

from pyminidock.cli.imagelayers import show_scene
from pyminidock.cli.words import Verb, switch
from pyminidock.client.connect import connect
from pyminidock.viz.networkmap import read
from pyminidock.viz.views.network import network


def draw(words: tuple[str, ...], **given: Any) -> int:
    """Draw who can reach whom."""
    with connect() as client:
        told = client.networks.map()
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
    else:
        show_scene(network(read(told)))
    return 0


MAP = Verb(
    "map", draw, help="Draw who can reach whom.",
    params=[switch("--json", help="for programs")],
)  # fmt: skip
