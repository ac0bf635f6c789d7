r"""From the lines of a json-file log to what `docker logs` sends.

    {"log":"hi\n","stream":"stdout","time":"2026-01-01T00:00:00.5Z"}
             │
             ▼    timestamps, details, a frame; or nothing, by stream and time
    01 00 00 00 00 00 00 21  2026-01-01T00:00:00.500000000Z hi\n

A shim that reads many lines at once gives all of them the same time, so that their records
differ in nothing but the text.  Such a run is split where the records meet and joined with
frames in between, a hundred times faster than to read each as JSON; `json` is for what has
something to unescape, or is written by somebody else.

A record that cannot be read, because power was cut for instance, is passed over.  Docker
ends there, with the words "Error grabbing logs".

Source: moby, api/server/httputils/write_log_stream.go, daemon/logger/loggerutils; measured
with dockerd 26.1.5.
"""

import calendar
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_plus

STDOUT, STDERR = 1, 2
_HEAD = b'{"log":"'
_STREAM = b'","stream":"'
_TAIL = re.compile(
    rb'","stream":"(stdout|stderr)"(?:,"attrs":(\{.*\}))?,"time":"([^"\\]+)"\}\n'
)
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z")
_NUMBERS = {"stdout": STDOUT, "stderr": STDERR}
_FRAME = struct.Struct(">BxxxI")
_NANO = 1_000_000_000
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants to read; times are nanoseconds since 1970."""

    streams: frozenset[int] = frozenset((STDOUT, STDERR))
    tail: int = -1  # so many records from the end, before any other choice; -1: all
    since: int | None = None
    until: int | None = None
    has_timestamps: bool = False
    has_details: bool = False
    follows: bool = False
    is_framed: bool = True


@dataclass(frozen=True, slots=True)
class _Tail:
    """What follows the text of a record, as it is spelt, and what it means."""

    spelt: bytes
    stream: int
    nanoseconds: int | None  # since 1970; None: the time cannot be read
    prefix: bytes  # what is sent before the text


class _Heads(dict[int, bytes]):
    """The head of a frame, by the length of the text in it."""

    def __init__(self, stream: int, extra: int) -> None:
        super().__init__()
        self._stream, self._extra = stream, extra

    def __missing__(self, length: int) -> bytes:
        head = self[length] = _FRAME.pack(self._stream, length + self._extra)
        return head


class Reader:
    """Turns whole lines of a log into what is sent; `is_over` when no more will be."""

    def __init__(self, choice: Choice) -> None:
        self.is_over = False
        self._choice, self._since = choice, choice.since
        self._tail = _Tail(b"", 0, None, b"")  # the last one, for many are alike
        self._heads: dict[tuple[int, int], _Heads] = {}

    def read(self, lines: bytes) -> bytes:
        """Read whole lines, each with its line feed."""
        parts = list[bytes]()
        at = 0
        while at < len(lines) and not self.is_over:
            end = lines.index(b"\n", at) + 1
            middle = lines.find(_STREAM, at, end)
            tail = self._tail_of(lines[middle:end]) if middle > 0 else None
            if tail is None or not lines.startswith(_HEAD, at):
                parts.append(self._odd(lines[at:end]))
            else:
                if lines.startswith(tail.spelt, lines.find(_STREAM, end)):
                    end = _end_of_run(lines, tail.spelt, end)
                if self._wants(tail):
                    parts += self._run(lines[at + len(_HEAD) : end], tail)
            at = end
        return b"".join(parts)

    def _run(self, run: bytes, tail: _Tail) -> Iterator[bytes]:
        """Read records that end alike; the first has lost its head."""
        whole = b"\\n" + tail.spelt
        if run.count(whole) != run.count(tail.spelt):  # a part of a line is among them
            for text in run.removesuffix(tail.spelt).split(tail.spelt + _HEAD):
                yield self._text(text, tail)
            return
        between = whole + _HEAD
        run = run.removesuffix(whole)
        texts, plain = run.split(between), run.replace(between, b"")
        if b"\\" in plain or b'"' in plain:
            for text in texts:
                yield self._text(text + b"\\n", tail)
            return
        prefix = tail.prefix
        if self._choice.is_framed:
            heads = self._heads_of(tail.stream, len(prefix) + 1)
            yield b"\n".join([heads[len(text)] + prefix + text for text in texts]) + b"\n"
        else:
            yield b"\n".join([prefix + text for text in texts]) + b"\n"

    def _heads_of(self, stream: int, extra: int) -> "_Heads":
        """Give the heads of frames in which so much goes with each text."""
        if (stream, extra) not in self._heads:
            self._heads[stream, extra] = _Heads(stream, extra)
        return self._heads[stream, extra]

    def _text(self, escaped: bytes, tail: _Tail) -> bytes:
        """Send the text of one record, which may have something to unescape."""
        try:
            text = json.loads(b'"%s"' % escaped).encode("utf-8", "replace")
        except ValueError:  # damaged
            return b""
        return self._sent(text, tail)

    def _odd(self, line: bytes) -> bytes:
        """Read a record that is written in another way, or damaged."""
        try:
            record = json.loads(line)
            stream = _NUMBERS[record["stream"]]
            text = record["log"].encode("utf-8", "replace")
            tail = self._meant(
                line, stream, record.get("time", _NEVER), record.get("attrs")
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return b""
        return self._sent(text, tail) if self._wants(tail) else b""

    def _sent(self, text: bytes, tail: _Tail) -> bytes:
        length = len(tail.prefix) + len(text)
        head = _FRAME.pack(tail.stream, length) if self._choice.is_framed else b""
        return b"%s%s%s" % (head, tail.prefix, text)

    # ── What follows the text ────────────────────────────────────────────────────────────

    def _tail_of(self, spelt: bytes) -> _Tail | None:
        """Understand the end of a record; None: it is not of our making."""
        if spelt != self._tail.spelt:
            found = _TAIL.fullmatch(spelt)
            if found is None:
                return None
            try:
                attributes = json.loads(found[2]) if found[2] else None
                stream = _NUMBERS[found[1].decode()]
                self._tail = self._meant(spelt, stream, found[3].decode(), attributes)
            except (ValueError, TypeError, AttributeError, RecursionError):
                return None
        return self._tail

    def _meant(self, spelt: bytes, stream: int, time: str, attributes: object) -> _Tail:
        """Work out what is sent before the text.  Raises TypeError, AttributeError."""
        choice, words = self._choice, []
        if choice.has_timestamps:
            words.append(fixed(time))
        if choice.has_details:
            words.append(details(attributes or {}))
        prefix = "".join(f"{word} " for word in words).encode("utf-8", "replace")
        looks = choice.since is not None or choice.until is not None
        return _Tail(spelt, stream, nanoseconds(time) if looks else None, prefix)

    def _wants(self, tail: _Tail) -> bool:
        """Choose by time and stream; what comes after `until` ends the reading.

        Once a record is young enough, all that follow are: a clock may have been set back.
        """
        at = tail.nanoseconds
        if at is not None:
            if self._since is not None and at < self._since:
                return False
            self._since = None
            if self._choice.until is not None and at > self._choice.until:
                self.is_over = True
                return False
        return tail.stream in self._choice.streams


def _end_of_run(lines: bytes, tail: bytes, end: int) -> int:
    """Find where records with this tail end, the first of which ends at `end`.

    Far ahead only as long as there are more: a look at all that follows, for each record,
    would take the square of their number.  Where others lie in between it is no run.
    """
    start = first = end
    width = 2048
    while True:
        last = lines.rfind(tail, end, start + width)
        if last >= 0:
            end = last + len(tail)
        if end < start + width // 2 or start + width >= len(lines):
            break
        width *= 2
    is_pure = lines.count(b"\n", first, end) == lines.count(tail, first, end)
    return end if is_pure else first


def nanoseconds(time: str) -> int | None:
    """Read a time as nanoseconds since 1970.

    >>> nanoseconds("1970-01-01T00:00:01.5Z"), nanoseconds("yesterday")
    (1500000000, None)
    """
    found = _TIME.fullmatch(time)
    if found is None:
        return None
    whole = calendar.timegm(tuple(int(found[n]) for n in range(1, 7)))
    return whole * _NANO + int((found[7] or "").ljust(9, "0"))


def fixed(time: str) -> str:
    """Write a time with nine digits behind the point, as `--timestamps` shows it.

    >>> fixed("2026-01-01T00:00:00Z"), fixed("2026-01-01T00:00:00.5Z")
    ('2026-01-01T00:00:00.000000000Z', '2026-01-01T00:00:00.500000000Z')
    """
    whole, _, fraction = time.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<9}Z"


def details(attributes: object) -> str:
    """Write what was added to records, by name, as `--details` shows it.

    >>> details({"tag": "a b", "env": "x=1"})
    'env=x%3D1,tag=a+b'
    """
    if not isinstance(attributes, dict):
        raise TypeError
    pairs = sorted(attributes.items())
    return ",".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
