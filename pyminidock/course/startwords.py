"""The words with which a container starts: tried out, row by row.

    ENTRYPOINT  CMD        run img       run img bye
    ──────────  ─────────  ────────────  ───────────
    E           C          E C           E bye              the words of run replace CMD
    none        C          C             bye
    E           none       E             E bye
    --entrypoint X         X             X bye              X replaces ENTRYPOINT, CMD goes

The shell form of either is the words /bin/sh, -c and the line as one word.  Nothing of this
is computed here: each row is built, run twice, and what the engine started is read back.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pyminidock.client.handles import Client
from pyminidock.client.packing import send_alone
from pyminidock.course.trial import Ran, run
from pyminidock.errors import MinidockError
from pyminidock.viz.painters import html, text
from pyminidock.viz.scene import Node, Scene, cell, line, row, table

TITLE = "What a container starts with"
_TAG = "course-startwords"


class RowRefused(MinidockError):
    """A Dockerfile of the table cannot be built."""

    status = 400


@dataclass(frozen=True, slots=True)
class Row:
    """Instructions to try; `entrypoint` is the flag of run, None for none."""

    instructions: tuple[str, ...]
    entrypoint: str | None = None

    @property
    def flag(self) -> str:
        """The flag as it is typed."""
        if self.entrypoint is None:
            return ""
        word = self.entrypoint
        return f"--entrypoint {word}" if word and " " not in word else (
            f'--entrypoint "{word}"'
        )  # fmt: skip


ROWS = (
    Row(('CMD ["echo", "hi"]',)),
    Row(('ENTRYPOINT ["echo"]', 'CMD ["Hello World"]')),
    Row(('ENTRYPOINT ["echo", "Hello World"]',)),
    Row(("ENTRYPOINT echo shell",)),
    Row(('ENTRYPOINT ["echo"]', "CMD Hello")),
    Row(('ENTRYPOINT ["echo"]', 'CMD ["$HOME"]')),
    Row(("CMD echo $HOME",)),
    Row(('ENTRYPOINT ["echo", "first"]', 'ENTRYPOINT ["echo", "second"]')),
    Row(('CMD ["c"]',), "ls"),
    Row(('CMD ["c"]',), "ls -l"),
    Row(('ENTRYPOINT ["echo"]', 'CMD ["c"]'), ""),
)
"""One for each rule; the order is the one in which they are best met."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A row and its two runs: without and with a word behind the image."""

    row: Row
    alone: Ran
    added: Ran


@dataclass(frozen=True, slots=True)
class StartWords:
    """The table, as it was observed; a notebook shows it as one."""

    rows: tuple[Tried, ...]
    word: str

    def scene(self) -> Scene:
        """Draw it: what is built, what each run started, what it printed."""
        has_flags = any(tried.row.flag for tried in self.rows)
        head = (
            "", "Dockerfile", *(["flag"] if has_flags else []), "run img",
            f"run img {self.word}", f"words started with {self.word}",
        )  # fmt: skip
        return table(
            "startwords", TITLE, head,
            *(
                _drawn(place, tried, has_flags=has_flags)
                for place, tried in enumerate(self.rows, start=1)
            ),
        )  # fmt: skip

    def __repr__(self) -> str:
        return text.paint(self.scene(), 150)

    def _repr_html_(self) -> str:
        return html.paint(self.scene())


def _drawn(place: int, tried: Tried, *, has_flags: bool) -> Node:
    id = f"startwords.row{place}"  # its head has startwords.1 and so on
    return row(
        id,
        cell(f"{id}.n", str(place)),
        line(f"{id}.file", " · ".join(tried.row.instructions)),
        *([line(f"{id}.flag", tried.row.flag)] if has_flags else []),
        _ended(f"{id}.alone", tried.alone),
        _ended(f"{id}.added", tried.added),
        line(f"{id}.words", json.dumps(tried.added.words) if tried.added.words else "–"),
    )


def _ended(id: str, ran: Ran) -> Node:
    """What came of a run; where it never began, the code and the end of the reason."""
    if ran.refusal:
        reason = ran.refusal.removesuffix(": unknown").rpartition(": ")[2]
        return cell(id, f"{ran.exit_code}: {reason}", "err")
    said = " ".join(ran.output.split("\n")).strip()
    if len(said) > _LONGEST:
        said = f"{said[:_LONGEST]} …"
    return cell(id, said if not ran.exit_code else f"{ran.exit_code}: {said}")


_LONGEST = 40


def try_out(
    client: Client, rows: Sequence[Row] = ROWS, word: str = "bye", base: str = "busybox"
) -> StartWords:
    """Build and run each row.  Raises RowRefused, Refused."""
    tried = []
    for each in rows:
        _build(client, "\n".join([f"FROM {base}", *each.instructions, ""]))
        more = {} if each.entrypoint is None else {"Entrypoint": [each.entrypoint]}
        runs = [run(client, _TAG, words, **more) for words in ((), (word,))]
        tried.append(Tried(each, *runs))
    client.images.remove(_TAG, force=True)
    return StartWords(tuple(tried), word)


def _build(client: Client, dockerfile: str) -> None:
    archive = io.BytesIO()
    send_alone(dockerfile.encode(), archive.write)
    query = {"t": [_TAG], "dockerfile": "Dockerfile", "version": "1"}
    for told in client.builds.build(query, [archive.getvalue()]):
        if "errorDetail" in told:
            raise RowRefused(
                str(told["errorDetail"].get("message", "")),
                why="each row of the table is a Dockerfile below FROM",
                try_next="Row(('ENTRYPOINT [\"echo\"]',))",
            )
