"""`minidock explain path CONTAINER PATH`: who has its bytes, and what a change copies."""

import json
from typing import Any

import click

from pyminidock.cli.containers import meant
from pyminidock.cli.imagelayers import show_scene
from pyminidock.client.connect import connect
from pyminidock.client.transport import Refused
from pyminidock.viz.views import path as view


def path(words: tuple[str, ...], **given: Any) -> int:
    """Print what each layer has at a path, who answers, and what copying up costs."""
    container, wanted = words
    with connect() as client:
        try:
            told = client.files.lookup(container, wanted, rules=given["rules"] or "overlay")
        except Refused as refusal:
            raise meant(client, container, refusal) from refusal
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
    else:
        show_scene(view.path(told))
    return 0
