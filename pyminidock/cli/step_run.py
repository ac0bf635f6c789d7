"""`minidock step run`: the birth of a container, held between its steps.

    create ─► attach ─► gates ─► start (another thread) ─► held … held … ─► exit code
                                   │                        │
                                   blocks at each gate      step, continue or abort

A gate lives as long as our connection.  However we end, by a key, a mistake or kill -9,
the engine lets the container go on by itself; it is removed at its end in any case, for it
was made to be looked at.  What stays is its trace.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from threading import Lock
from typing import Any

from pyminidock.cli.createbody import create_body
from pyminidock.cli.failures import WordsRefused, start_exit_code, tell
from pyminidock.cli.run import make
from pyminidock.cli.step_deeds import Deed
from pyminidock.cli.step_gates import ANY, SteppedSource, gated
from pyminidock.cli.step_ways import in_lines, in_stepper, wants_lines
from pyminidock.cli.terminal import write
from pyminidock.client.attach import Attached
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.errors import MinidockError


def step_run(words: tuple[str, ...], **given: Any) -> int:
    """Start a container step by step; give its exit code, 125 if it was aborted."""
    body = create_body(given, words, os.environ)
    body["HostConfig"]["AutoRemove"] = True
    if body["OpenStdin"]:
        raise WordsRefused(
            "-i cannot be used with step",
            why="standard input is for the steps: n, c and a, or the keys of the stepper",
            try_next="minidock step run busybox echo hi",
        )
    try:
        with connect() as client:
            container = make(client, body, given)
            patterns = given["breaks"] or (ANY,)
            return _stepped(client, container, patterns, is_in_lines=wants_lines(given))
    except MinidockError as refusal:
        tell(refusal)
        return start_exit_code(refusal.what)


def _stepped(
    client: Client, container: str, patterns: Sequence[str], *, is_in_lines: bool
) -> int:
    """Set the gates, start, step; whatever fails, leave no container behind."""
    story = f"run-{container[:12]}"
    with ExitStack() as undo:
        undo.callback(_remove, client, container)
        line = "minidock step run --no-tui {} busybox true"
        # First, for who waits to be connected could not let go what holds the connection.
        attached = undo.enter_context(client.attach(container))
        source = gated(client, story, patterns, title=story, line=line)
        undo.callback(source.close)
        waiting = client.waiting(container, "removed")
        start = Deed(lambda: _start(client, container, source))
        output = Output(attached)
        listening = Deed(output.collect).begin()
        if is_in_lines:
            output.show()
            start.begin()
            in_lines(client, story, source)
        else:
            in_stepper(source, start)
        source.close()
        start.result()
        output.show()
        listening.result()
        return waiting.result()


def _start(client: Client, container: str, source: SteppedSource) -> None:
    """Start it; if that is refused, or aborted, nothing is to be held any more."""
    try:
        client.start(container)
    except BaseException:
        source.close()
        raise


def _remove(client: Client, container: str) -> None:
    """Remove it unless it removed itself, as it was told to."""
    with suppress(MinidockError, OSError):
        client.remove(container, force=True)


class Output:
    """What the program says, kept while the screen belongs to the stepper."""

    def __init__(self, attached: Attached) -> None:
        self._attached, self._is_shown = attached, False
        self._kept: list[tuple[int, bytes]] = []
        self._lock = Lock()

    def collect(self) -> None:
        """Take everything, to the end."""
        while piece := self._attached.read():
            with self._lock:
                self._kept.append(piece)
                self._write()

    def show(self) -> None:
        """Write what was kept, and from now on everything at once."""
        with self._lock:
            self._is_shown = True
            self._write()

    def _write(self) -> None:
        while self._is_shown and self._kept:
            number, data = self._kept.pop(0)
            write(number, data)
