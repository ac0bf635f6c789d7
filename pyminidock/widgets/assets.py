"""What runs in the browser: plain files, joined by putting one behind the other.

The player is the same as on a replay page; widget.js behind it speaks to the kernel.  A
widget is one module from one text: no build, no address on the network.  A notebook may
keep that text with each widget, so a stepper's is a short one, which asks for the player.
"""

from functools import cache
from hashlib import sha256

from pyminidock.client import pagefiles

_STILL = ("dom.js", "element.js", "keyboard.js", "beside.js", "picture.js")


@cache
def loader() -> str:
    """Give the module that every stepper keeps."""
    return pagefiles.lean(pagefiles.text_of("loader.js"))


@cache
def script() -> str:
    """Give the module of the player, which comes once for a page."""
    return pagefiles.script("beside.js", "widget.js")


@cache
def name() -> str:
    """Name the player and its look: another text has another name."""
    return sha256((script() + look()).encode()).hexdigest()[:12]


@cache
def picture_script() -> str:
    """Give the module of a picture that is no story."""
    return "\n".join(pagefiles.lean(pagefiles.text_of(name)) for name in _STILL)


@cache
def look() -> str:
    """Give the style sheet of everything that is drawn."""
    return pagefiles.style("widget.css")


@cache
def source(path: str) -> str | None:
    """Give the text of a file of this package, such as "container/plan.py"."""
    return pagefiles.read_source(path)
