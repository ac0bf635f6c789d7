"""`minidock explain survives CONTAINER`: what is left of it, after what."""

import json
from typing import Any

import click

from pyminidock.cli.containers import meant
from pyminidock.cli.imagelayers import show_scene
from pyminidock.client.connect import connect
from pyminidock.client.transport import Refused
from pyminidock.viz.views import survives as view


def survives(words: tuple[str, ...], **given: Any) -> int:
    """Print what becomes of each file and fact, where it lives, and the way out."""
    with connect() as client:
        try:
            told = client.files.survives(words[0])
        except Refused as refusal:
            raise meant(client, words[0], refusal) from refusal
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
    else:
        show_scene(view.survives(view.read(told)))
    return 0
