"""The map of networks in a notebook: the chart, and below it the same as tree and table.

    chart    an image: boxes and lines, laid out by Graphviz where this machine has it
    scene    what hangs on what, who reaches whom, and why not

The chart adds nothing that the scene does not say, so its text alternative is one sentence.
"""

from html import escape

from pyminidock.client.layout import laid_out
from pyminidock.viz.chart import graph
from pyminidock.viz.networkmap import Map
from pyminidock.viz.painters import charts, text
from pyminidock.viz.views.network import TITLE, network
from pyminidock.widgets.cell import put
from pyminidock.widgets.figure import Bundle, image
from pyminidock.widgets.picture import Picture

_SAID = "The networks as boxes and lines; the tree and the table below say the same."


class NetworkPicture(Picture):
    """A map that is shown where it stands."""

    def __init__(self, told: Map) -> None:
        super().__init__(network(told), TITLE)
        self._told = told

    def _ipython_display_(self) -> None:
        if self._told.containers():
            put(charted(self._told))
        super()._ipython_display_()


def charted(told: Map) -> Bundle:
    """Give the chart of a map as an output that needs no kernel."""
    drawn = drawn_as_svg(told)
    opened = f'<figure style="margin: 0" aria-label="{escape(TITLE)}">'
    return {
        "text/plain": TITLE,
        "text/html": f"{opened}{image(drawn, _SAID)}</figure>",
    }


def drawn_as_svg(told: Map) -> str:
    """Draw a map as one SVG file."""
    return charts.paint(laid_out(graph(told)), TITLE, text.paint(network(told), 100))
