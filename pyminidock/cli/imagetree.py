"""`minidock image tree [IMAGE]`: which layers the images share, and what each has alone.

    minidock image tree             all images, each layer once
    minidock image tree app         the images that share a layer with app
    minidock image tree --json      for programs

What belongs to whom is worked out by the engine; here it is only drawn.
"""

import json
from typing import Any

import click

from pyminidock.cli.imagelayers import show_scene
from pyminidock.cli.words import Verb, switch
from pyminidock.client.connect import connect
from pyminidock.viz.imagetree import read
from pyminidock.viz.views.imagetree import imagetree


def tree(words: tuple[str, ...], **given: Any) -> int:
    """Print all images, or those that share a layer with one."""
    with connect() as client:
        told = client.images.tree(*words)
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
    else:
        show_scene(imagetree(read(told)))
    return 0


TREE = Verb(
    "tree", tree, help="Tell which layers the images share, and what each has alone.",
    params=[switch("--json", help="for programs")], usage="[IMAGE]", most=1,
)  # fmt: skip
