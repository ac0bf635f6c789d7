"""Where things go on a chart: Graphviz, if this machine has it, else columns.

Graphviz is another program, so it is asked here and not in the pictures' own rooms; it
gets sizes and numbers, and a moment to answer.
"""

import shutil
import subprocess

from pyminidock.viz.chart import Chart, columns, dot_of, read_plain

_PATIENCE_S = 5.0


def laid_out(chart: Chart) -> Chart:
    """Give every box and line of a graph its place."""
    dot = shutil.which("dot")
    if dot is None or not chart.boxes:
        return columns(chart)
    try:
        done = subprocess.run(  # noqa: S603  (a layout, of numbers)
            [dot, "-Tplain"], input=dot_of(chart), capture_output=True, text=True,
            timeout=_PATIENCE_S, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return columns(chart)
    return read_plain(chart, done.stdout)
