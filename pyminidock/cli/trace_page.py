"""`minidock trace export --html FILE`: a story as one file that anybody can step through.

What is recorded is redacted already.  Still a page travels further than a journal, so each
line of the story is looked at once more, and what looks like a credential stops the export:
then it takes the eye of a person.
"""

import errno
from pathlib import Path

import click

import pyminidock
from pyminidock.cli.failures import ERROR, WordsRefused
from pyminidock.client.pagefiles import read_source, script, style
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Trace, header_to_line, to_line
from pyminidock.grammar.credentials import left_over
from pyminidock.viz.excerpts import Excerpts, excerpts
from pyminidock.viz.film import Frame, Reel, header
from pyminidock.viz.painters.page import page
from pyminidock.viz.views import suiting
from pyminidock.viz.world import fold_all


class CredentialLeft(MinidockError):
    """A line of a story still holds what looks like a credential."""

    status = 409


_NO_PLACE = "the page is one file, and its directory has to be there"
_FULL = "a page is written as a whole; what is there of it now is of no use"


def write_page(trace: Trace, file: str) -> None:
    """Write a story as a page; "-" is standard output.  Raises CredentialLeft."""
    text = page_of(trace)
    if file == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as refusal:
        is_full = refusal.errno in (errno.ENOSPC, errno.EDQUOT)
        raise WordsRefused(
            f"write {file}: {(refusal.strerror or 'input/output error').lower()}",
            why=_FULL if is_full else _NO_PLACE,
            try_next="minidock trace export last --html story.html",
            exit_code=ERROR,
        ) from refusal
    size = f"{len(text.encode()) / 1000:.0f} kB"
    said = f"{len(trace.records)} steps, {size}; any browser opens it"
    click.echo(f"{file}: {said}", err=True)


def page_of(trace: Trace) -> str:
    """Give a story as a page.  Raises CredentialLeft, which names the line."""
    _refuse_credentials(trace)
    views = suiting(fold_all(trace.records))
    frames = list(Reel(views).frames(trace.records))
    return page(
        header(trace.header, views), frames, _sources(trace, frames),
        css=style("page.css"), script=script("replay.js"),
    )  # fmt: skip


def _sources(trace: Trace, frames: list[Frame]) -> Excerpts:
    """Give the lines around each that told a step, if they are those of that engine."""
    if trace.header.engine.get("version") != pyminidock.__version__:
        return {}  # another version has other lines there, and would tell something else
    return excerpts((frame["src"] for frame in frames), read_source)


def _refuse_credentials(trace: Trace) -> None:
    lines = (header_to_line(trace.header), *map(to_line, trace.records))
    for number, line in enumerate(lines, 1):
        if found := left_over(line):
            raise CredentialLeft(
                f"line {number} of {trace.header.story} holds what looks like a credential",
                why=f"it reads {found[:6]}…, and a page may travel to strangers",
                try_next=f"minidock trace show {trace.header.story} --text",
                lesson="secrets",
            )
