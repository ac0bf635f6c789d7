"""A picture that needs no kernel: what a saved, exported or untrusted notebook shows.

    <figure>  <img alt>  caption  <details> the same as text </details>  </figure>

JupyterLab takes inline SVG out of notebooks that it does not trust, and the state of
widgets is not saved; an image as a data address and a text survive both, and GitHub too.
The widget beside it hides the figure while it lives.
"""

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from pyminidock.viz.painters import svg, text
from pyminidock.viz.scene import Scene
from pyminidock.viz.sentences import visible

_COLUMNS = 100

Bundle = dict[str, str]  # by MIME type


def figure(scene: Scene, title: str, caption: str = "") -> Bundle:
    """Give the outputs that show a scene: `caption` is what happens in it."""
    plain = text.paint(scene, _COLUMNS)
    lines = escape(plain)
    return {
        "text/plain": title,
        "text/latex": _verbatim("\n\n".join((title, caption, plain))),
        "text/html": (
            f"{_opened(title)}"
            f"{_picture(scene, title, caption)}"
            f"<figcaption>{escape(caption or title)}</figcaption>"
            f"<details><summary>The same as text</summary><pre>{lines}</pre></details>"
            "</figure>"
        ),
    }


_TYPEWRITTEN = str.maketrans("─│├└●○◌◉⊘✎✕✓▸◂►≡∴█░▏▲↪↺", "-||`*o.@%~x+><>=:#.|^>&") | {
    ord("⇄"): "<>",
    ord("→"): "->",
    ord("←"): "<-",
}


def _verbatim(words: str) -> str:
    r"""Give a text to LaTeX, which takes no markup in it, and ends it at one word only.

    Its typewriter face has none of our signs, and would leave them out without a word.

    >>> print(_verbatim(r"└─ ● a \end{verbatim} b"))
    \begin{verbatim}
    `- * a \end {verbatim} b
    \end{verbatim}
    """
    inert = words.translate(_TYPEWRITTEN).replace("\\end{", "\\end {")
    return f"\\begin{{verbatim}}\n{inert}\n\\end{{verbatim}}"


def waiting(title: str, said: str) -> Bundle:
    """Give the outputs for a picture that is still to come."""
    return {
        "text/plain": title,
        "text/html": (
            f"{_opened(title)}"
            f"<figcaption>{escape(title)}: {escape(said)}</figcaption></figure>"
        ),
    }


def refused(title: str, lines: Sequence[str]) -> Bundle:
    """Give the outputs for a picture that never comes: nothing was begun, and why."""
    said = "\n".join(map(visible, lines))
    return {
        "text/plain": f"{title}\n{said}",
        "text/html": (
            f"{_opened(title)}<figcaption>{escape(title)}</figcaption>"
            f"<pre>{escape(said)}</pre></figure>"
        ),
    }


def _opened(title: str) -> str:
    """Begin a figure; its style is its own, for the widget's is not there on paper."""
    name = escape(title)
    return f'<figure class="md-static" style="margin: 0" role="group" aria-label="{name}">'


def _picture(scene: Scene, title: str, caption: str) -> str:
    """Paint it; the image may be drawn with fewer details, the text has all of them."""
    painted = svg.paint(scene, title=title, caption=caption)
    return image(painted, f"{title}: {caption}" if caption else title)


def image(svg: str, said: str) -> str:
    """Give an image with its text alternative.

    >>> image("<svg/>", 'a "b"')
    '<img alt="a &quot;b&quot;" src="data:image/svg+xml;base64,PHN2Zy8+">'
    """
    encoded = b64encode(svg.encode()).decode("ascii")
    return f'<img alt="{escape(said)}" src="data:image/svg+xml;base64,{encoded}">'
