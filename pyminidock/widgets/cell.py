"""What stands below a cell: put there once, drawn again later from any thread."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data

MOST_LINES = 200  # of a program's output; the newest are shown
Bundle = Mapping[str, Any]  # outputs by MIME type


class Spot:
    """One output, which can be drawn again in its place."""

    def __init__(self, bundle: Bundle) -> None:
        self._id = uuid4().hex
        publish_display_data(dict(bundle), transient={"display_id": self._id})

    def redraw(self, bundle: Bundle) -> None:
        """Draw it anew, wherever it stands."""
        publish_display_data(dict(bundle), transient={"display_id": self._id}, update=True)


def put(bundle: Bundle) -> None:
    """Put an output below this cell that stays as it is."""
    publish_display_data(dict(bundle))


def is_watched() -> bool:
    """Say whether a person may be looking: programs that run notebooks answer no input."""
    kernel = getattr(get_ipython(), "kernel", None)
    parent = kernel.get_parent("shell") if kernel is not None else {}
    return bool(parent.get("content", {}).get("allow_stdin", True))
