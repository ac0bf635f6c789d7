"""The files of which a player on a page is made, and their order.

They are plain scripts that neither import nor export: a notebook's widget and the replay
page join them into one, and whoever reads them needs no tool.  They lie in the folder of
the widgets, beside what only a notebook needs; reading them loads no notebook.  A page also
carries lines of the engine's own source, which are read here as they are installed.
"""

from importlib.resources import files

PLAYER = (
    "film.js", "story.js", "dom.js", "element.js", "keyboard.js", "pace.js", "toolbar.js",
    "caption.js", "pictures.js", "steps.js", "lens.js", "compare.js", "tools.js", "help.js",
    "banner.js", "actions.js", "player.js",
)  # fmt: skip
"""What `MdPlayer` needs; a widget or a page adds its own file."""

STYLES = ("look.css", "player.css")


def script(*more: str) -> str:
    """Join the player's files, and `more` behind them, without what is for readers."""
    return "\n".join(lean(text_of(name)) for name in (*PLAYER, *more))


def style(*more: str) -> str:
    """Join the style sheets, and `more` behind them."""
    return "\n".join(lean(text_of(name)) for name in (*STYLES, *more))


def text_of(name: str) -> str:
    """Give the text of one file, as it is installed."""
    return (files("pyminidock") / "widgets" / "static" / name).read_text(encoding="utf-8")


def lean(text: str) -> str:
    r"""Leave out indentation, empty lines, and comments that stand on lines of their own.

    A notebook may keep the script with every picture.  Nothing is renamed or rewritten;
    no text of ours goes over several lines, and a test sees to that.

    >>> lean("/* why */\n.md-a {\n  color: red; /* as asked */\n\n}")
    '.md-a {\ncolor: red; /* as asked */\n}'
    """
    kept, is_comment = [], False
    for line in map(str.strip, text.splitlines()):
        if is_comment or line.startswith("/*"):
            is_comment = "*/" not in line
        elif line and not line.startswith("//"):
            kept.append(line)
    return "\n".join(kept)


def read_source(path: str) -> str | None:
    """Give the text of a file of this package; None where it has no such file."""
    parts = path.split("/")
    if not path.endswith(".py") or not all(
        p.replace(".py", "").isidentifier() for p in parts
    ):
        return None  # a trace may come from anyone: ".." and the like lead nowhere
    file = files("pyminidock").joinpath(*parts)
    return file.read_text(encoding="utf-8") if file.is_file() else None
