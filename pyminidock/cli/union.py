"""`minidock explain union [--measure]`: AUFS's rules beside overlayfs's.

Counting is arithmetic and needs no engine; `--measure` asks the kernel of this machine.
"""

import json
from typing import Any

import click

from pyminidock.cli.imagelayers import show_scene
from pyminidock.course import sidebyside
from pyminidock.viz.views import union as view


def union(words: tuple[str, ...], **given: Any) -> int:
    """Print how often each set of rules asks, and how long the kernel takes."""
    told = sidebyside.told(measured=given["measure"])
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
    else:
        show_scene(view.union(told))
    return 0
