"""What was recorded: list it, look at it, take it along.

A story is named by its id, by `last`, or by the file that `export` wrote: a trace is all
that a view needs, so a file from another machine opens here as well.  Lessons bring some
along, named LESSON/STORY, for whoever has no engine.  In a terminal `show` opens the
stepper; into a pipe, or with --text or --json, it writes lines; with --html, a page that
any browser opens.
"""

import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from pyminidock.cli.failures import ERROR, WordsRefused
from pyminidock.cli.tables import aligned
from pyminidock.cli.trace_show import json_lines, text_lines
from pyminidock.cli.words import Verb, switch, text, verbs
from pyminidock.client.connect import connect
from pyminidock.course.lesson import FOLDER as LESSONS
from pyminidock.events.journal import Trace, read_trace

_HEADINGS = ("STORY", "BEGAN", "BACKEND", "SIZE", "TITLE")
_WIDTH = 100  # of a line that goes into a pipe


def ls(words: tuple[str, ...], **given: bool) -> int:
    """List the recorded stories, oldest first."""
    with connect() as client:
        found = client.stories()
    if given["json"]:
        click.echo(json.dumps(found, indent=2))
        return 0
    rows = [
        (
            told["story"], told["created"], told["backend"],
            f"{told['size_bytes'] / 1024:.1f} KiB", told["title"],
        )
        for told in found
    ]  # fmt: skip
    _print(aligned(["\t".join(row) for row in (_HEADINGS, *rows)]))
    return 0


def show(words: tuple[str, ...], **given: Any) -> int:
    """Look at one story: step through it, or read it as lines."""
    trace = find(words[0] if words else "last")
    if given["html"]:
        _write_page(trace, given["html"])
    elif given["json"]:
        _print(json_lines(trace, at=given["at"]))
    elif given["text"] or given["at"] or given["linux"] or not sys.stdout.isatty():
        _print(_text(trace, given))
    else:
        from pyminidock.cli.stepper import StepperApp  # noqa: PLC0415  (it takes its time)
        from pyminidock.cli.stepper_source import TraceSource  # noqa: PLC0415

        StepperApp(TraceSource(trace)).run()
    return 0


def export(words: tuple[str, ...], **given: Any) -> int:
    """Write one story: as a trace file or as text to standard output, or as a page."""
    trace = find(words[0] if words else "last")
    if given["html"]:
        _write_page(trace, given["html"])
    else:
        _print(_text(trace, given) if given["text"] else json_lines(trace))
    return 0


def find(name: str) -> Trace:
    """Give a story of this engine, or the one in a file."""
    if "/" not in name and not name.endswith(".jsonl"):
        with connect() as client:
            return client.story(name)
    place = Path(name)
    try:
        told = (place if place.exists() else _of_lesson(name)).read_text(
            encoding="ascii", errors="replace"
        )
    except OSError as refusal:
        raise WordsRefused(
            f"open {name}: {(refusal.strerror or 'input/output error').lower()}",
            why="a name with a slash, or one that ends in .jsonl, is a file here, or what "
            "a lesson brings along, as 00-tour/run",
            try_next="minidock trace ls",
            exit_code=ERROR,
        ) from refusal
    return read_trace(told.splitlines())


def _of_lesson(name: str) -> Path:
    """Say where a lesson's recorded story would be: LESSON/STORY."""
    lesson, _, story = name.partition("/")
    return LESSONS / lesson / "trace" / f"{story}.jsonl"


def _text(trace: Trace, given: dict[str, Any]) -> Iterator[str]:
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else _WIDTH
    return text_lines(
        trace, at=given.get("at") or "", depth=_depth(given.get("depth") or "1"),
        width=width, shows_linux=bool(given.get("linux")),
    )  # fmt: skip


def _depth(typed: str) -> int:
    if typed not in ("1", "2", "3"):
        raise WordsRefused(
            f'invalid argument "{typed}" for "--depth" flag: not 1, 2 or 3',
            why="there are three depths: 1 what, 2 how or why, 3 which kernel call",
            try_next="minidock trace show last --text --depth 3",
            exit_code=ERROR,
        )
    return int(typed)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _write_page(trace: Trace, file: str) -> None:
    from pyminidock.cli.trace_page import write_page  # noqa: PLC0415  (it takes its time)

    write_page(trace, file)


_FORMS = (
    switch("--text", help="as sentences, indented by depth"),
    switch("--json", help="as the JSON lines it was made of"),
    text("--html", help="as a page that replays it, one file", metavar="FILE"),
)

TRACE = verbs(
    "trace",
    [
        Verb("ls", ls, help="List the recorded stories.",
             params=[switch("--json", help="for programs")]),
        Verb(
            "show", show, help="Look at a story: of this engine, or in a file.",
            params=[
                *_FORMS,
                text("--at", help="what one line of the engine told", metavar="FILE:LINE"),
                text("--depth", help="1 what, 2 how, 3 kernel call", metavar="N"),
                switch("--linux", help="with the commands of plain Linux"),
            ],
            usage="[STORY|last|FILE]", most=1,
        ),
        Verb("export", export, help="Write a story to standard output, or as a page.",
             params=_FORMS, usage="[STORY|last|FILE]", most=1),
    ],
    help="What was recorded.",
)  # fmt: skip
