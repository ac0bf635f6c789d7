"""What is typed behind %minidock: words, as the command line reads them.

`run`, `build` and their `step` twins become handles; a story or an image to look at becomes
a picture; every other command is the command itself, in a process of its own, and what it
prints stands below the cell.
"""

import os
import re
import selectors
import shlex
import signal
import subprocess
import sys
import tempfile
from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from typing import IO, Any

import click

from pyminidock.cli import build as cli_build
from pyminidock.cli import run as cli_run
from pyminidock.cli.build import IN_MEMORY_BYTES, pack, query_of
from pyminidock.cli.cidfile import cid_file
from pyminidock.cli.createbody import create_body
from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.step import STEP
from pyminidock.cli.words import Verb
from pyminidock.client.buildstory import BuildHandle
from pyminidock.client.context import refuse_two_readers
from pyminidock.client.runstory import RunHandle
from pyminidock.client.session import Engine
from pyminidock.client.story import ANY, BEFORE_EACH
from pyminidock.events import Event

Given = dict[str, Any]

_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")
_PIECE_BYTES = 65536
_SAME = {("container", "run"): ("run",), ("image", "build"): ("build",),
         ("builder", "build"): ("build",)}  # fmt: skip


class CellHasNoTerminal(WordsRefused):
    """A terminal was asked for."""


def words_of(line: str, names: Mapping[str, object]) -> list[str]:
    """Cut a line into words, and put the values of variables of the notebook in.

    A name that the notebook does not know is left for whoever runs there.  A list becomes
    several words.  Raises WordsRefused.

    >>> words_of("run -e A=$a busybox echo '$HOME' $more", {"a": 1, "more": ["x", "y"]})
    ['run', '-e', 'A=1', 'busybox', 'echo', '$HOME', 'x', 'y']
    """
    try:
        words = shlex.split(line)
    except ValueError as fault:
        raise WordsRefused(
            f"the line cannot be cut into words: {fault}",
            why="quotation marks come in pairs, as in a shell",
            try_next="%minidock run busybox sh -c 'echo hi'",
        ) from fault
    found: list[str] = []
    for word in words:
        whole = _VARIABLE.fullmatch(word)
        value = names.get(whole[1] or whole[2]) if whole else None
        if isinstance(value, list | tuple):
            found += [str(each) for each in value]
        else:
            found.append(_VARIABLE.sub(lambda match: _value(match, names), word))
    return found


def _value(match: re.Match[str], names: Mapping[str, object]) -> str:
    name = match[1] or match[2]
    return str(names[name]) if name in names else match[0]


_GROUPS = ("explain", "image", "network", "step", "trace")


def verb_of(words: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Tell which verb is meant, and what is said to it.

    >>> verb_of(["container", "run", "busybox"]), verb_of(["step", "run", "-h"])
    ((('run',), ['busybox']), (('step', 'run'), ['-h']))
    """
    pair = tuple(words[:2])
    if pair in _SAME:
        return _SAME[pair], list(words[2:])
    if len(pair) == 2 and words[0] in _GROUPS:
        return pair, list(words[2:])
    return tuple(words[:1]), list(words[1:])


# ── A run ────────────────────────────────────────────────────────────────────────────────


def run(engine: Engine, words: Sequence[str], stdin: str | None = None) -> RunHandle:
    """Begin `run WORDS`.  Raises MinidockError."""
    given, rest = _given(cli_run.RUN, "minidock run", words)
    return _begin(engine, given, rest, (), stdin)


def step_run(engine: Engine, words: Sequence[str]) -> RunHandle:
    """Begin `step run WORDS`, held.  Raises MinidockError."""
    given, rest = _given(_member("run"), "minidock step run", words)
    given["rm"] = True
    return _begin(engine, given, rest, given["breaks"] or (ANY,), None)


def _begin(
    engine: Engine, given: Given, rest: Sequence[str], breaks: Sequence[str],
    stdin: str | None,
) -> RunHandle:  # fmt: skip
    if given["tty"]:
        raise CellHasNoTerminal(
            "-t cannot be used from a cell",
            why="a terminal belongs to whoever types into it, and a cell is not typed into",
            try_next="File → New → Terminal, then: minidock run -it …",
        )
    if stdin is not None:
        given["interactive"] = True
    reads = bool(given["interactive"])
    is_detached = bool(given.get("detach"))
    body = create_body(given, rest, os.environ, is_detached=is_detached)
    if given["pull"] == "always":
        engine.api.system.pull(body["Image"], given["platform"] or "")
    with cid_file(given["cidfile"]) as keep:
        handle = RunHandle(
            engine.api, body, name=given["name"] or "", breaks=breaks,
            stdin=(stdin or "").encode() if reads else None,
            platform=given["platform"] or "",
        )  # fmt: skip
        keep(handle.id)
    for warning in handle.warnings:
        click.echo(f"WARNING: {warning}", err=True)
    return handle


# ── A build ──────────────────────────────────────────────────────────────────────────────


def build(engine: Engine, words: Sequence[str]) -> BuildHandle:
    """Begin `build WORDS`.  Raises MinidockError."""
    given, rest = _given(cli_build.BUILD, "minidock build", words)
    return _begin_build(engine, given, rest, ())


def step_build(engine: Engine, words: Sequence[str]) -> BuildHandle:
    """Begin `step build WORDS`, held.  Raises MinidockError."""
    given, rest = _given(_member("build"), "minidock step build", words)
    return _begin_build(engine, given, rest, given["breaks"] or (BEFORE_EACH,))


def _begin_build(
    engine: Engine, given: Given, rest: Sequence[str], breaks: Sequence[str]
) -> BuildHandle:
    directory, file = rest[0], str(given["file"] or "")
    refuse_two_readers(directory, file)
    if "-" in (directory, file):
        raise CellHasNoTerminal(
            "- cannot be used from a cell", why="a cell has no standard input of its own",
            try_next="%%dockerfile hello --build",
        )  # fmt: skip
    if given["iidfile"]:
        raise CellHasNoTerminal(
            "--iidfile cannot be used from a cell",
            why="the cell returns before there is an image; its handle has it then",
            try_next="handle = %minidock build -t hello .",
        )
    query = query_of(given, os.environ)
    archive: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115
    left_out: list[Event] = []
    try:
        sent, query["dockerfile"] = pack(directory, file, archive, left_out.append)
    except BaseException:
        archive.close()
        raise
    archive.seek(0)
    return BuildHandle(
        engine.api, query, archive, sent=sent, left_out=left_out, breaks=breaks
    )


# ── Every other command ──────────────────────────────────────────────────────────────────


def command(words: Sequence[str], stdin: str | None = None) -> int:
    """Run `minidock WORDS` and let it print below this cell; give its exit code.

    An interrupt is passed on, and ends it.
    """
    with tempfile.TemporaryFile() as typed:
        typed.write((stdin or "").encode())
        typed.seek(0)
        process = subprocess.Popen(  # noqa: S603  (this interpreter, our own module)
            [sys.executable, "-m", "pyminidock", *words],
            stdin=subprocess.DEVNULL if stdin is None else typed,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            env=os.environ | {"COLUMNS": "100"},
        )  # fmt: skip
    with process:
        try:
            _print(process)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            _print(process)
        return process.wait()


def _print(process: subprocess.Popen[bytes]) -> None:
    """Print what it says as it comes."""
    with selectors.DefaultSelector() as selector:
        for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
            if source is not None and not source.closed:
                decoder = getincrementaldecoder("utf-8")(errors="replace")
                selector.register(source, selectors.EVENT_READ, (decoder, target))
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, _PIECE_BYTES)
                decoder, target = key.data
                target.write(decoder.decode(data, final=not data))
                target.flush()
                if not data:
                    selector.unregister(key.fileobj)


# ── Reading words ────────────────────────────────────────────────────────────────────────


def _given(verb: Verb, path: str, words: Sequence[str]) -> tuple[Given, list[str]]:
    """Read words as the command line does.  Raises MinidockError."""
    with verb.make_context(path, list(words)) as context:
        given = dict(context.params)
    return given, list(given.pop("words"))


def _member(name: str) -> Verb:
    found = STEP.commands[name]
    assert isinstance(found, Verb)  # noqa: S101  (both of them are)
    return found
