"""How a story is written down: one line for the header, then one line for each event.

    {"format":"minidock-trace","version":1,"min_reader":1,"story":"run-3f2a", ...}
    {"seq":118,"kind":"layer.probed","story":"run-3f2a", ... ,"data":{"path":"/etc", ...}}

A record is an event plus what the recorder knew about it: its number, its story, when it
was, which line of the engine told it.  A line is JSON and plain ASCII, so it can be cut,
grepped and sent anywhere; a file that was cut opens up to the cut; a word that a newer
engine invented stays a record that can be listed, although nobody here can draw it.

Files come from strangers as well, so reading believes nothing: sizes, depth, types and
numbers are checked before they are used.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from types import UnionType
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

from pyminidock.errors import MinidockError
from pyminidock.events import AnyEvent
from pyminidock.events.base import Event, kind_of

JSON: TypeAlias = "bool | int | float | str | tuple[JSON, ...] | Mapping[str, JSON] | None"
"""What a record may hold.  Lists become tuples when they are read: values are frozen."""

FORMAT = "minidock-trace"
VERSION = 1  # the newest that we write, and that we can read
MAX_LINE_CHARACTERS = 1 << 20
MAX_TRACE_CHARACTERS = 64 << 20
MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Record:
    """One event as the recorder stamped it.

    `parent` is the seq of the event that opened the enclosing step, 0 for none; `t`
    is when it happened, in monotonic seconds since the story began, and `wall` in seconds
    since 1970; `src` is the line
    that told it ("container/plan.py:117"); `linux` what plain Linux would be asked for the
    same, "" for nothing.
    """

    seq: int
    kind: str
    story: str
    operation: str
    parent: int
    phase: str
    t: float
    wall: float
    src: str
    evidence: str
    backend: str
    linux: str
    data: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Header:
    """What a reader has to know before the first event; `created` is ISO 8601, UTC."""

    story: str
    title: str
    created: str
    backend: str
    engine: Mapping[str, JSON] = field(default_factory=dict)
    host: Mapping[str, JSON] = field(default_factory=dict)
    lang: str = "en"
    format: str = FORMAT
    version: int = VERSION
    min_reader: int = 1  # the oldest format version whose readers still understand this


@dataclass(frozen=True, slots=True)
class Trace:
    """A story that was read back; `damage` says where and why reading had to end."""

    header: Header
    records: tuple[Record, ...]
    damage: str | None = None


class LineDamaged(MinidockError):
    """A line of a trace is not what the recorder writes."""

    status = 400


class TraceUnreadable(MinidockError):
    """A file is no trace at all, or needs a newer reader."""

    status = 400


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_quoted = json.encoder.encode_basestring_ascii


def to_line(record: Record) -> str:
    """Write `record` as one line of ASCII, without the newline.

    Raises ValueError for what JSON cannot say (NaN, an object): events hold neither.

    >>> to_line(record_of(Event(), seq=1, story="run-1"))[:46]
    '{"seq":1,"kind":"event","story":"run-1","opera'
    """
    return _encode({name: getattr(record, name) for name in _shape_of(Record).types})


@dataclass(frozen=True, slots=True)
class Wording:
    """What a line says of an event itself, whenever it happens: two pieces of JSON."""

    kind: str
    rest: str


def wording(event: Event, linux: str) -> Wording:
    """Word `event` once, however often it is going to be told."""
    shape = _shape_of(type(event))
    data = ",".join([f'"{name}":{_spelled(getattr(event, name))}' for name in shape.types])
    return Wording(
        f'"kind":{_quoted(shape.kind)}', f'"linux":{_quoted(linux)},"data":{{{data}}}}}'
    )


def _spelled(value: JSON) -> str:
    """Write a value as JSON; most are texts, for which the encoder is a long way round."""
    return _quoted(value) if type(value) is str else _encode(value)


def line_of(  # noqa: PLR0913  (as record_of)
    event: Event, said: Wording, *, seq: int, story: str, operation: str, parent: int,
    phase: str, t: float, wall: float, src: str, backend: str, evidence: str = "",
) -> str:  # fmt: skip
    """Write the line that `to_line` writes of `record_of`, from an event in its wording.

    >>> where = {"story": "run-1", "operation": "start-2", "phase": "birth", "src": "a:1"}
    >>> stamp = {**where, "seq": 1, "parent": 0, "t": 0.5, "wall": 1.25, "backend": ""}
    >>> line = line_of(Event(), wording(Event(), ""), **stamp)
    >>> from_line(line) == record_of(Event(), **stamp)
    True
    """
    return (
        f'{{"seq":{seq},{said.kind},"story":{_quoted(story)},'
        f'"operation":{_quoted(operation)},"parent":{parent},"phase":{_quoted(phase)},'
        f'"t":{t:.6f},"wall":{wall:.6f},"src":{_quoted(src)},'
        f'"evidence":{_quoted(evidence or event.evidence)},'
        f'"backend":{_quoted(backend)},{said.rest}'
    )


def from_line(line: str) -> Record:
    """Read one line back.  Raises LineDamaged.

    >>> from_line(to_line(record_of(Event(), seq=1, story="run-1"))).kind
    'event'
    """
    return Record(**_checked(_parsed(line), Record))


def header_to_line(header: Header) -> str:
    """Write the first line of a trace: the keys that say what it is come first."""
    first = {name: getattr(header, name) for name in ("format", "version", "min_reader")}
    return _encode(
        first | {name: getattr(header, name) for name in _shape_of(Header).types}
    )


def header_from_line(line: str) -> Header:
    """Read the first line of a trace.  Raises TraceUnreadable."""
    try:
        content = _parsed(line)
        if content.get("format") != FORMAT:
            raise _damaged(f'"format" is {content.get("format")!r}, not {FORMAT!r}')
        _refuse_newer(content)
        return Header(**_checked(content, Header))
    except LineDamaged as damage:
        raise TraceUnreadable(
            "this is no trace of a story",
            why=f"the first line has to be a trace header, but {damage.why}",
            try_next="minidock trace export last --json > story.jsonl",
            lesson="traces",
        ) from damage


def read_trace(lines: Iterable[str]) -> Trace:
    """Read a whole trace, up to the first damage.

    Raises TraceUnreadable where the header is missing or asks for a newer reader.
    """
    waiting = iter(lines)
    header = header_from_line(next(waiting, ""))
    records: list[Record] = []
    size_characters = 0
    for number, line in enumerate(waiting, start=2):
        size_characters += len(line)
        if size_characters > MAX_TRACE_CHARACTERS:
            damage = f"it is longer than {MAX_TRACE_CHARACTERS >> 20} MiB"
            return Trace(header, tuple(records), f"line {number}: {damage}")
        try:
            records.append(from_line(line))
        except LineDamaged as error:
            return Trace(header, tuple(records), f"line {number}: {error.why}")
    return Trace(header, tuple(records))


def record_of(  # noqa: PLR0913  (a record is what it is: thirteen facts)
    event: Event, *, seq: int, story: str, operation: str = "", parent: int = 0,
    phase: str = "", t: float = 0.0, wall: float = 0.0, src: str = "", backend: str = "",
    linux: str = "", evidence: str = "",
) -> Record:  # fmt: skip
    """Stamp `event`; without `evidence` it is known as its class says.

    >>> record_of(Event(), seq=7, story="run-1").seq
    7
    """
    return Record(
        seq, _shape_of(type(event)).kind, story, operation, parent, phase, t, wall, src,
        evidence or event.evidence, backend, linux, data_of(event),
    )  # fmt: skip


def data_of(event: Event) -> dict[str, JSON]:
    """Give the fields of `event` by name.

    >>> from pyminidock.events import ImageUntagged
    >>> data_of(ImageUntagged("sha256:…", "busybox:latest"))
    {'image': 'sha256:…', 'name': 'busybox:latest'}
    """
    return {name: getattr(event, name) for name in _shape_of(type(event)).types}


def event_of(record: Record) -> Event | None:
    """Give the event that was stamped; None for a word that this version cannot say.

    Fields that a newer version added are passed over, fields that an older version did not
    know take their default.

    >>> from pyminidock.events import CgroupCreated
    >>> event_of(record_of(CgroupCreated("/a"), seq=1, story="run-1"))
    CgroupCreated(path='/a')
    """
    cls = record_kinds().get(record.kind)
    if cls is None:
        return None
    try:
        return cls(**_checked(record.data, cls))
    except LineDamaged:
        return None


@cache
def record_kinds() -> Mapping[str, type[Event]]:
    """Give the class of every kind that this version knows, in the order of AnyEvent."""
    return {kind_of(cls): cls for cls in get_args(AnyEvent)}


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a line has to look like to become an object of one class."""

    kind: str
    types: Mapping[str, Any]  # of the fields, in their order
    required: frozenset[str]  # those without a default


def _shape(cls: Any) -> _Shape:
    """Look at a dataclass: what it is called, what it is made of."""
    hints = get_type_hints(cls)
    return _Shape(
        kind_of(cls),
        {each.name: hints[each.name] for each in fields(cls)},
        frozenset(
            each.name
            for each in fields(cls)
            if each.default is MISSING and each.default_factory is MISSING
        ),
    )


_shape_of: Callable[[Any], _Shape] = cache(_shape)  # the recorder asks every time


def _checked(content: Mapping[str, Any], cls: type[Any]) -> dict[str, Any]:
    """Take the fields of `cls` out of `content`, each of its type.  Raises LineDamaged."""
    shape = _shape_of(cls)
    if missing := sorted(shape.required - content.keys()):
        raise _damaged(f'"{missing[0]}" is missing')
    known = {name: hint for name, hint in shape.types.items() if name in content}
    for name, hint in known.items():
        if not _fits(content[name], hint):
            raise _damaged(f'"{name}" is no {getattr(hint, "__name__", hint)}')
    return {name: content[name] for name in known}


def _fits(value: object, hint: Any) -> bool:  # noqa: PLR0911  (one line per shape)
    """Say whether a value that was read is of the type that a field is annotated with."""
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(hint, type) and get_origin(hint) is None:
        return isinstance(value, hint)
    if get_origin(hint) is Mapping:
        return isinstance(value, dict)  # of anything: _frozen has looked through it
    if get_origin(hint) is UnionType:
        return any(_fits(value, each) for each in get_args(hint))
    if get_origin(hint) is tuple and isinstance(value, tuple):
        of = get_args(hint)
        if of[-1] is Ellipsis:
            return all(_fits(each, of[0]) for each in value)
        return len(value) == len(of) and all(map(_fits, value, of))
    return False


def _parsed(line: str) -> dict[str, Any]:
    """Read one JSON object, within our limits.  Raises LineDamaged."""
    if len(line) > MAX_LINE_CHARACTERS:
        raise _damaged(f"it is longer than {MAX_LINE_CHARACTERS >> 20} MiB")
    try:
        content = json.loads(line, parse_constant=_refuse_number, parse_float=_finite)
    except RecursionError as error:
        raise _damaged("it is nested too deep") from error
    except ValueError as error:
        raise _damaged(f"it is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise _damaged("it is no JSON object")
    return {key: _frozen(value, 1) for key, value in content.items()}


def _frozen(value: Any, depth: int) -> JSON:
    """Turn lists into tuples, all the way down.  Raises LineDamaged below MAX_DEPTH."""
    if depth > MAX_DEPTH:
        raise _damaged(f"it is nested deeper than {MAX_DEPTH}")
    if isinstance(value, list):
        return tuple(_frozen(each, depth + 1) for each in value)
    if isinstance(value, dict):
        return {key: _frozen(each, depth + 1) for key, each in value.items()}
    return value  # type: ignore[no-any-return]  # json.loads makes nothing else


def _refuse_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    """JSON has no infinity, but 1e999 would become one."""
    number = float(digits)
    return number if math.isfinite(number) else _refuse_number(digits)


def _refuse_newer(content: Mapping[str, Any]) -> None:
    """Raise TraceUnreadable for a trace that says it needs a newer reader."""
    needed = content.get("min_reader")
    if not isinstance(needed, int) or needed <= VERSION:
        return
    engine = content.get("engine")
    release = engine.get("version") if isinstance(engine, dict) else None
    raise TraceUnreadable(
        f"this trace needs a reader of format version {needed}",
        why=f"this release reads up to version {VERSION}, and would misread what it holds",
        try_next=f"install pyminidock {release or 'in its newest release'}"
        f"{' or newer' if release else ''}, which wrote it",
        lesson="traces",
    )


def _damaged(why: str) -> LineDamaged:
    return LineDamaged(
        "a line of the trace is damaged",
        why=why,
        try_next="the lines before it are whole: look at those",
        lesson="traces",
    )
