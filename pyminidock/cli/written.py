"""`minidock explain written CONTAINER`: what it wrote, and where that is."""

import json
from typing import Any

import click

from pyminidock.cli.containers import meant
from pyminidock.cli.imagelayers import show_scene
from pyminidock.client.connect import connect
from pyminidock.client.transport import Refused
from pyminidock.viz.views import written as view

_MOST = 1000  # names that are printed


def written(words: tuple[str, ...], **given: Any) -> int:
    """Print the names in a container's writable layer, and its place on the host."""
    with connect() as client:
        try:
            told = client.files.written(words[0], most=_MOST)
        except Refused as refusal:
            raise meant(client, words[0], refusal) from refusal
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
    else:
        show_scene(view.written(view.read(told)))
    return 0
