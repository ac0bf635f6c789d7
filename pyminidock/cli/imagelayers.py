"""`minidock image layers IMAGE`: what is in an image, who shares it, what nobody sees.

    minidock image layers app               every layer, its names counted
    minidock image layers app --layer C     all names of one layer, by path
    minidock image layers app --json        for programs; with --layer its names

A layer is called by its letter, from A at the bottom, or by its number.
"""

import json
import re
import shutil
import sys
from typing import Any

import click

from pyminidock.cli.failures import ERROR, WordsRefused
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.viz.imagelayers import files, read
from pyminidock.viz.painters.text import paint
from pyminidock.viz.scene import Scene
from pyminidock.viz.stacking import letter
from pyminidock.viz.views.image import image, layer

_PAGE = 10_000  # names of one answer
_MOST_LAYERS = 127
_WIDTH = 80  # where no terminal says


def layers(words: tuple[str, ...], **given: Any) -> int:
    """Print the layers of an image, or all names of one of them."""
    number = _number(given["layer"], words[0]) if given["layer"] else 0
    with connect() as client:
        if number:
            _need_layer(client, words[0], number, given["layer"])
            names = _names(client, words[0], number)
            if given["json"]:
                click.echo(json.dumps(names, indent=2))
                return 0
            told = client.images.layers(words[0], entries=0)
            entries = files(names["entries"])
            show_scene(layer(read(told), number, entries, names["total"]))
            return 0
        told = client.images.layers(words[0])
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
    else:
        show_scene(image(read(told)))
    return 0


def _need_layer(client: Client, name: str, number: int, typed: str) -> None:
    """Raises WordsRefused, in the words that were typed, where there is no such layer."""
    there = len(read(client.images.layers(name, entries=0)).layers)
    if number > there:
        raise WordsRefused(
            f"image {name} has no layer {typed}",
            why=f"it has {there}: A is the lowest, {letter(there - 1)} the topmost",
            try_next=f"minidock image layers {name}",
            exit_code=ERROR,
        )


def _names(client: Client, name: str, number: int) -> dict[str, Any]:
    """Get every page of a layer's names, and put them together."""
    told = client.images.diff(name, number, most=_PAGE)
    while len(told["entries"]) < told["total"]:
        start = len(told["entries"])
        page = client.images.diff(told["image"], number, start=start, most=_PAGE)
        if not page["entries"]:
            break
        told["entries"] += page["entries"]
    return told


def _number(typed: str, name: str) -> int:
    """Read how a layer is called: C or 3.  Raises WordsRefused."""
    if re.fullmatch(r"[1-9]\d{0,3}", typed):
        return int(typed)
    called = {letter(number): number + 1 for number in range(_MOST_LAYERS)}
    if found := called.get(typed.upper()):
        return found
    raise WordsRefused(
        f"no layer is called {typed[:20]!r}",
        why="layers are called A, B, C … or 1, 2, 3 …, from the bottom up",
        try_next=f"minidock image layers {name} --layer A",
        exit_code=ERROR,
    )


def show_scene(scene: Scene) -> None:
    """Print a picture as wide as the terminal is, in colour where there is one."""
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if is_terminal else _WIDTH
    click.echo(paint(scene, width, colour=is_terminal))


LAYERS = Verb(
    "layers", layers, help="Tell what is in an image, who shares it, what nobody sees.",
    params=[
        text("--layer", help="all names of one layer: A is the lowest", metavar="LETTER"),
        switch("--json", help="for programs"),
    ],
    usage="IMAGE", least=1, most=1,
)  # fmt: skip
