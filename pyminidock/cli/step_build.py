"""`minidock step build`: a build, held before each instruction or wherever one likes.

    pack ─► open its story ─► gates ─► build (another thread) ─► held … held … ─► exit code
                                         │                        │
                                         blocks at each gate      step, continue or abort

The build ends with us: as with Docker, a client that goes away cancels it, and a gate
whose client is gone holds nothing.  What stays is what was finished, for the cache, and
the trace.
"""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import IO, Any

import click

from pyminidock.cli.build import IN_MEMORY_BYTES, pack, query_of
from pyminidock.cli.failures import WordsRefused, tell
from pyminidock.cli.step_deeds import Deed
from pyminidock.cli.step_gates import gated
from pyminidock.cli.step_ways import in_lines, in_stepper, wants_lines
from pyminidock.client.connect import connect
from pyminidock.client.context import refuse_two_readers
from pyminidock.client.following import BuildFailed, explained, follow
from pyminidock.client.handles import Client
from pyminidock.client.packing import Sent, total_line
from pyminidock.errors import MinidockError
from pyminidock.events import Event

BEFORE_EACH = "step.started"
ABORTED = 125  # as for `step run`


def step_build(words: tuple[str, ...], **given: Any) -> int:
    """Build step by step; give the exit code, 125 if it was aborted."""
    directory, file = words[0], str(given["file"] or "")
    refuse_two_readers(directory, file)
    if wants_lines(given) and "-" in (directory, file):
        raise WordsRefused(
            "- cannot be used with step --no-tui",
            why="standard input is for the steps: n, c and a",
            try_next="minidock step build --no-tui .",
        )
    query = query_of(given, os.environ)
    if path := given["iidfile"]:
        Path(path).unlink(missing_ok=True)
    with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as archive:
        left_out: list[Event] = []
        sent, query["dockerfile"] = pack(directory, file, archive, left_out.append)
        archive.seek(0)
        with connect() as client:
            stepped = _Stepped(client, query, archive, sent, left_out)
            patterns = given["breaks"] or (BEFORE_EACH,)
            code = stepped.run(patterns, is_in_lines=wants_lines(given))
    if path and stepped.image:
        Path(path).write_text(stepped.image, encoding="ascii")
    return code


class _Stepped:
    """One build that is stepped through; `image` is what came of it."""

    def __init__(
        self, client: Client, query: Mapping[str, Any], archive: IO[bytes],
        sent: Sent | None, left_out: Sequence[Event],
    ) -> None:  # fmt: skip
        self._client, self._query, self._archive, self._sent = client, query, archive, sent
        self._left_out = left_out
        self._said: list[str] = [f"{total_line(sent.size_bytes)}\n"] if sent else []
        self._is_shown = False
        self._lock = Lock()  # two threads print: what the build says, and the holds
        self.image = ""

    def run(self, patterns: Sequence[str], *, is_in_lines: bool) -> int:
        """Set the gates, build, step."""
        title = " ".join(["build", *(f"-t {name}" for name in self._query["t"])])
        number = self._client.builds.opened(title, self._left_out)
        story = f"build-{number}"
        line = "minidock step build --no-tui {} ."
        with ExitStack() as undo:
            source = gated(self._client, story, patterns, title=title, line=line)
            undo.callback(source.close)
            building = Deed(lambda: self._build(number, source.close))
            if is_in_lines:
                self._show()
                building.begin()
                in_lines(self._client, story, source, self._say_line)
            else:
                in_stepper(source, building)
            source.close()
            self._show()
            try:
                building.result()
            except MinidockError as failure:
                self._end_line()
                return self._failed(failure, was_aborted=source.was_aborted)
        self._end_line()
        return 0

    def _failed(self, failure: MinidockError, *, was_aborted: bool) -> int:
        """Tell how it ended; give the exit code.  Raises what never was a build."""
        if was_aborted:
            tell(failure)
            return ABORTED
        if not isinstance(failure, BuildFailed):
            raise failure
        if failure.caret:
            click.echo(failure.caret, err=True)
        tell(explained(failure, self._sent))
        return failure.exit_code

    def _build(self, number: str, release: Callable[[], object]) -> None:
        """Build; its story ends with it, and all gates.  One that never began has none."""
        try:
            query = {**self._query, "buildid": number}
            self.image = follow(self._client, query, self._archive, self._say)
        except BuildFailed:
            raise
        except BaseException:
            release()
            raise

    def _say(self, text: str) -> None:
        """Print whole lines, or keep them while the screen belongs to the stepper."""
        with self._lock:
            self._said.append(text)
            if self._is_shown:
                self._print()

    def _show(self) -> None:
        with self._lock:
            self._is_shown = True
            self._print()

    def _print(self) -> None:
        lines, newline, rest = "".join(self._said).rpartition("\n")
        click.echo(lines + newline, nl=False)
        self._said = [rest]

    def _end_line(self) -> None:
        """Print what is left: a program need not end its last line."""
        with self._lock:
            if rest := "".join(self._said):
                click.echo(rest)
            self._said = []

    def _say_line(self, line: str) -> None:
        """Print a line of our own, between those of the build."""
        with self._lock:
            click.echo(line)
