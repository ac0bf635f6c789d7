r"""Rows in columns: plain for programs, drawn in a terminal.

Lines whose cells end with tabs line up as Go's tabwriter has it: a column is a run of lines
that have it, three blanks wider than its widest cell and ten characters at least; the last
cell of a line belongs to no column.  Scripts cut Docker's tables at such columns, so ours
are the same to the blank.  In a terminal Rich draws them, which folds nothing and ends what
is too long with dots.

Source: Go, text/tabwriter; docker/cli, cli/command/formatter/formatter.go.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

Row = Mapping[str, Any]
_NARROWEST, _BETWEEN = 10, 3


def aligned(lines: Sequence[str], *, narrowest: int = _NARROWEST) -> list[str]:
    r"""Line up the cells of lines.

    >>> aligned(["A\tIMAGE ID\tNAMES", "1\t12345678\tx"])
    ['A         IMAGE ID   NAMES', '1         12345678   x']
    """
    rows = [line.split("\t") for line in lines]
    for column in range(max((len(row) - 1 for row in rows), default=0)):
        for begin, end in _runs(rows, column):
            widest = max(len(row[column]) for row in rows[begin:end])
            width = max(narrowest, widest + _BETWEEN)
            for row in rows[begin:end]:
                row[column] = row[column].ljust(width)
    return ["".join(row) for row in rows]


def _runs(rows: Sequence[Sequence[str]], column: int) -> Iterable[tuple[int, int]]:
    """Give the runs of rows that have a column: (first, behind the last)."""
    begin: int | None = None
    for at, row in enumerate(rows):
        has_it = len(row) > column + 1
        if has_it and begin is None:
            begin = at
        elif not has_it and begin is not None:
            yield begin, at
            begin = None
    if begin is not None:
        yield begin, len(rows)


def show(
    rows: Iterable[Row], given: Mapping[str, Any], usual: str, *, of: str,
    heads: Mapping[str, str],
) -> None:  # fmt: skip
    """Print rows: as a table, ids alone, as JSON, or what a template says.

    `given` holds format, and maybe json and quiet; `usual` is the table that is shown when
    nothing else is asked for.  That one is read here: most people ask for nothing else, and
    loading the language of templates takes longer than asking the engine.
    """
    template = "json" if given.get("json") else given.get("format") or "table"
    if template == "table" and given.get("quiet"):
        for row in rows:
            click.echo(row["ID"])
    elif template in ("table", usual):
        fields = re.findall(r"\{\{\.(\w+)\}\}", usual)
        lines = ["\t".join(heads[field] for field in fields)]
        lines += ["\t".join(row[field] for field in fields) for row in rows]
        _print(lines, is_drawn=sys.stdout.isatty())
    else:
        _show_template(rows, template, of, heads)


def _show_template(
    rows: Iterable[Row], template: str, of: str, heads: Mapping[str, str]
) -> None:
    """Print rows as a template says."""
    from pyminidock.cli import format  # noqa: PLC0415  (see `show`)

    write = format.shower(template, of)
    if not format.is_table(template):
        for row in rows:
            click.echo(write(row))
        return
    _print([format.headings(template, heads), *map(write, rows)], is_drawn=False)


def _print(lines: Sequence[str], *, is_drawn: bool) -> None:
    if is_drawn:
        draw(lines)
        return
    for line in aligned("\n".join(lines).split("\n")):
        click.echo(line)


def draw(lines: Sequence[str]) -> None:
    """Draw a table in the terminal, as wide as it is."""
    from rich.console import Console  # noqa: PLC0415  (costs 60 ms; a pipe needs none)
    from rich.table import Table  # noqa: PLC0415  (as above)
    from rich.text import Text  # noqa: PLC0415  (as above)

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    first, *others = (line.split("\t") for line in lines)
    for heading in first:
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for row in others:
        table.add_row(*(Text(cell, _style(cell)) for cell in row))
    Console(highlight=False).print(table)


def _style(cell: str) -> str:
    """Choose the colour of a state; everything else has none."""
    if cell.startswith("Up"):
        return "yellow" if "Paused" in cell or "unhealthy" in cell else "green"
    if cell.startswith(("Exited", "Dead", "Restarting")):
        return "dim" if cell.startswith("Exited (0)") else "red"
    return ""
