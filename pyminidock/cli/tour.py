"""`minidock tour`: the engine's source in reading order, each part fired by a live event.

In a terminal one goes from stop to stop, and the engine goes with it: a container is born
while its birth is read, and stands still at the line on the screen.  Into a pipe, or with
--text, everything happens at once and is printed in order.
"""

import sys

import click

from pyminidock.cli.tour_draw import Leaf, as_text
from pyminidock.cli.tour_live import Live
from pyminidock.cli.words import Verb, switch
from pyminidock.client.connect import connect
from pyminidock.course.tour import passages, tour

_RULE = "─" * 80
_WIDTH = 100


def take(words: tuple[str, ...], **given: bool) -> int:
    """Walk through the source, on a screen or as text."""
    stops = tour()
    is_on_screen = sys.stdout.isatty() and sys.stdin.isatty() and not given["text"]
    with connect() as client:
        if not any(
            "busybox:latest" in (each["RepoTags"] or ()) for each in client.images.listed()
        ):
            client.bootstrap("busybox")
        with Live(client, holds=is_on_screen) as live:
            if is_on_screen:
                from pyminidock.cli.tour_screen import (  # noqa: PLC0415  (Textual is slow)
                    TourApp,
                )

                TourApp(stops, live.go_to).run()
                return 0
            for number, stop in enumerate(stops, 1):
                leaf = Leaf(number, len(stops), stop, passages(stop), live.go_to(stop))
                click.echo(f"{as_text(leaf, _WIDTH)}\n\n{_RULE}\n")
    return 0


TOUR = Verb(
    "tour", take, help="Read the engine's source in order, while it runs.",
    params=[switch("--text", help="print it, as into a pipe")],
)  # fmt: skip
