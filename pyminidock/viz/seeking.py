"""What the layers of a union were asked, what they answered, and what changes left above.

    Union      all that was told of one container's layers
      Asked    one path, the last time it was looked for: who was asked and what was said
      Held     one name that a change put into the upper layer, and where it came from

A kernel asks for one name after the other: /etc, then /etc/passwd.  So the way to a path
is the last answers for the paths above it.  Who asked, if that was seen, is told besides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from posixpath import basename, dirname
from typing import TypeVar

from pyminidock import events as e
from pyminidock.events import AnyEvent
from pyminidock.events.journal import Record

UPPER = "upper"
MOST = 512  # paths, and names of the upper layer, that are remembered
_ID = 12  # digits by which people know a layer
LOOKS = frozenset({"layer.probed", "path.resolved"})
CHANGES = frozenset({"path.copied.up", "whiteout.made", "opaque.made", "redirect.made"})
"""Kinds of the events that tell who was asked, and what became of the upper layer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One path; `answers` are pairs of layer and answer, topmost first.

    `layers` contribute once `is_over`; none of them: the path is absent.
    """

    path: str
    order: int
    changed: int
    evidence: str
    command: str = ""
    pid: int = 0
    answers: tuple[tuple[str, str], ...] = ()
    layers: tuple[str, ...] = ()
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """One name of the upper layer: `what` is copied, whiteout, opaque or redirect.

    Of a copy, `layer` had it, and `extent` and `size_bytes` say what was copied.
    """

    path: str
    what: str
    order: int
    changed: int
    evidence: str
    command: str = ""
    layer: str = ""
    extent: str = ""
    size_bytes: int = 0
    to: str = ""  # of a redirect: what layers below call it


Thing = TypeVar("Thing", Asked, Held)


@dataclass(frozen=True, slots=True)
class Union:
    """All that was told; `path` was asked for last, `last` is what was changed last."""

    asked: Mapping[str, Asked] = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)
    made_by: Mapping[str, str] = field(default_factory=dict)  # layer: its instruction
    path: str = ""
    last: str = ""
    copied_bytes: int = 0  # by all copies so far


def union_after(  # noqa: PLR0911  (one line per fact)
    union: Union, record: Record, event: AnyEvent
) -> Union:
    """Give the union after one event; the same object where nothing of it was told."""
    match event:
        case e.LayerProbed(path, layer, answer):
            return _answered(union, record, path, (layer, answer))
        case e.PathResolved(path, layers):
            return _over(union, record, path, layers)
        case e.PathCopiedUp(path, layer, extent, size_bytes):
            held = replace(
                _held(record, path, "copied"),
                layer=layer,
                extent=extent,
                size_bytes=size_bytes,
            )
            copied = union.copied_bytes + size_bytes
            return replace(_with(union, held), copied_bytes=copied)
        case e.WhiteoutMade(path):
            return _with(_without_below(union, path), _held(record, path, "whiteout"))
        case e.OpaqueMade(path):
            return _with(union, _held(record, path, "opaque"))
        case e.RedirectMade(path, to):
            return _with(union, replace(_held(record, path, "redirect"), to=to))
        case e.ImageFound():
            pairs = zip(map(called, event.layers), event.instructions, strict=False)
            return replace(union, made_by=dict(pairs)) if event.instructions else union
        case _:
            return union


def called(tree: str) -> str:
    """Give the name by which events call a tree: of its layer, or else its own.

    >>> called("/var/lib/minidock/layers/8db8f379f4841c/diff"), called("/c/init")
    ('8db8f379f484', 'init')
    """
    return basename(dirname(tree))[:_ID] if basename(tree) == "diff" else basename(tree)


def way(path: str) -> tuple[str, ...]:
    """Give the paths on the way to a path, itself last.

    >>> way("/etc/passwd")
    ('/etc', '/etc/passwd')
    """
    names = [name for name in path.split("/") if name]
    return tuple("/" + "/".join(names[: n + 1]) for n in range(len(names)))


def _answered(union: Union, record: Record, path: str, answer: tuple[str, str]) -> Union:
    """Note one more answer: of the search that goes on, or of a new one."""
    before = union.asked.get(path)
    fresh = _asked(record, path)
    if before is None or before.is_over or not _continues(before, fresh, answer[0]):
        before = fresh
    after = replace(before, changed=record.seq, answers=(*before.answers, answer))
    return replace(union, asked=_bounded(union.asked, path, after), path=path)


def _continues(before: Asked, fresh: Asked, layer: str) -> bool:
    is_same = (before.pid, before.command) == (fresh.pid, fresh.command)
    return is_same and layer not in (known for known, _ in before.answers)


def _over(union: Union, record: Record, path: str, layers: tuple[str, ...]) -> Union:
    before = union.asked.get(path)
    if before is None or before.is_over:  # it was not told who was asked
        before = _asked(record, path)
    after = replace(before, changed=record.seq, layers=layers, is_over=True)
    return replace(union, asked=_bounded(union.asked, path, after), path=path)


def _asked(record: Record, path: str) -> Asked:
    command, pid = _who(record)
    return Asked(path, record.seq, record.seq, record.evidence, command, pid)


def _who(record: Record) -> tuple[str, int]:
    """Read who did it, which is not seen everywhere."""
    command, pid = record.data.get("command"), record.data.get("pid")
    return command if isinstance(command, str) else "", pid if type(pid) is int else 0


def _held(record: Record, path: str, what: str) -> Held:
    command, _ = _who(record)
    return Held(path, what, record.seq, record.seq, record.evidence, command)


def _with(union: Union, held: Held) -> Union:
    before = union.held.get(held.path)
    if before is not None:
        held = replace(held, order=before.order)
    return replace(union, held=_bounded(union.held, held.path, held), last=held.path)


def _without_below(union: Union, path: str) -> Union:
    """Forget what a deleted directory held."""
    kept = {key: held for key, held in union.held.items()
            if not key.startswith(f"{path}/")}  # fmt: skip
    return union if len(kept) == len(union.held) else replace(union, held=kept)


def _bounded(things: Mapping[str, Thing], key: str, thing: Thing) -> Mapping[str, Thing]:
    """Give `things` with one more; beyond MOST the one that changed first goes."""
    new = {**things, key: thing}
    if len(new) > MOST:
        del new[min(new, key=lambda key: (new[key].changed, key))]
    return new
