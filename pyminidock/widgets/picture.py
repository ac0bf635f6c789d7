"""Pictures that are no story: one scene, shown once, and needing no kernel afterwards.

    show(scene, "What is in this image, and who shares it?")

A figure for paper, with the same as lists that unfold; and, where somebody looks, the scene
itself, drawn by the page in its own theme, which hides the figure while it lives.
"""

import json
from typing import Any

import anywidget
import traitlets

from pyminidock.viz.film import flat
from pyminidock.viz.painters import html
from pyminidock.viz.scene import CHANGED, GLYPHS, WORDS, Scene
from pyminidock.widgets.assets import look, picture_script
from pyminidock.widgets.cell import is_watched, put
from pyminidock.widgets.figure import Bundle, figure


class PictureWidget(anywidget.AnyWidget):
    """The part of a picture that lives in a page."""

    _esm = picture_script()
    _css = look()
    title = traitlets.Unicode().tag(sync=True)
    scene = traitlets.Unicode().tag(sync=True)  # JSON


class Picture:
    """A scene that is shown where it stands."""

    def __init__(self, scene: Scene, title: str) -> None:
        self.scene, self.title = scene, title

    def _ipython_display_(self) -> None:
        show(self.scene, self.title)

    def __repr__(self) -> str:
        return f"<Picture: {self.title}>"


def show(scene: Scene, title: str) -> None:
    """Show a scene below this cell."""
    put(picture(scene, title))
    if is_watched():
        live = PictureWidget(title=title, scene=told(scene))._repr_mimebundle_()
        data = dict(live[0] if isinstance(live, tuple) else live or {})
        put(data | {"text/plain": f"Picture: {title}"})


def told(scene: Scene) -> str:
    """Give a scene as the page draws it: its nodes, flat, and what the signs are."""
    options: dict[str, Any] = {
        "glyphs": GLYPHS, "states": WORDS, "changed": CHANGED, "view": scene.id,
    }  # fmt: skip
    return json.dumps({"nodes": flat(scene), "options": options})


def picture(scene: Scene, title: str) -> Bundle:
    """Give the outputs that stay: for paper, and for whoever opens the notebook."""
    bundle = figure(scene, title)
    opened = (
        f'<details class="md-root"><summary>The same, to unfold</summary>'
        f"{html.paint(scene)}</details>"
    )
    both = f'<div class="md-static">{bundle["text/html"]}{opened}</div>'
    return bundle | {"text/html": both}
