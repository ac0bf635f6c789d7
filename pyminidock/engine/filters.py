"""What a list or a prune is narrowed down by: `--filter label=a=1 --filter until=24h`.

Clients write them in two spellings, {"label": {"a=1": true}} and {"label": ["a=1"]}.  An
unknown one is refused: a list that ignored it would be another list.

Source: moby, api/types/filters/parse.go; daemon/images/image_prune.go.
"""

import datetime
import re
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pyminidock.errors import MinidockError
from pyminidock.grammar.refs import ReferenceMalformed, parse
from pyminidock.image.history import seconds_of

_YES, _NO = ("1", "true"), ("0", "false")
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class FilterRefused(MinidockError):
    """A filter is unknown, or has a value that means nothing."""

    status = 400


class MomentRefused(FilterRefused):
    """`until` is no moment; Docker counts this as a failure of its own."""

    status = 500


class Filters:
    """The filters of one request.  Raises FilterRefused, in Docker's words."""

    def __init__(self, said: Mapping[str, Any], known: Collection[str]) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        for name, value in said.items():
            values = _values(value)
            if values is None:
                raise _refused("invalid filter", known)
            self._values[name] = values
        for name in self._values:
            if name not in known:
                raise _refused(f"invalid filter '{name[:80]}'", known)
        self._known = known
        for value in self._values.get("until", ()):
            self._until(value, 0.0)  # to refuse it, whatever there is to be narrowed down

    def has(self, name: str) -> bool:
        """Whether a filter was given."""
        return name in self._values

    def values(self, name: str) -> tuple[str, ...]:
        """Give every value of a filter; none without one."""
        return self._values.get(name, ())

    def refused(
        self, what: str, kind: type[FilterRefused] = FilterRefused
    ) -> FilterRefused:
        """Refuse a value, in the words of `what`."""
        return _refused(what, self._known, kind)

    def one(self, name: str) -> str:
        """Give the first value of a filter; "" without one."""
        return next(iter(self._values.get(name, ())), "")

    def flag(self, name: str) -> bool | None:
        """Read a yes or no; None where it is not said."""
        if name not in self._values:
            return None
        values = self._values[name]
        if len(values) == 1 and values[0].lower() in (*_YES, *_NO):
            return values[0].lower() in _YES
        shown = " ".join(values)[:80]
        raise _refused(f"invalid filter '{name}=[{shown}]'", self._known)

    def names(self, name: str) -> bool:
        """Whether the filter `reference` lets a familiar name pass."""
        patterns = self._values.get("reference")
        if patterns is None:
            return True
        found = parse(name)
        spellings = (name, found.familiar_name, found.canonical, found.name)
        return any(_matches(each, spellings) for each in patterns)

    def allows(self, labels: Sequence[tuple[str, str]], created: int, now: float) -> bool:
        """Whether labels and age let an image pass; times are seconds since 1970."""
        if any(not _has(labels, each) for each in self._values.get("label", ())):
            return False
        if any(_has(labels, each) for each in self._values.get("label!", ())):
            return False
        return all(
            created <= self._until(each, now) for each in self._values.get("until", ())
        )

    def _until(self, text: str, now: float) -> float:
        """Read a moment: seconds since 1970, a duration before now, or a date."""
        if re.fullmatch(r"[0-9]{1,12}", text):
            return float(text)
        if _DURATION.fullmatch(text) and len(text) < 40:
            parts = re.findall(r"([0-9.]+)(ms|s|m|h)", text)
            return now - sum(float(number) * _UNITS[unit] for number, unit in parts)
        try:
            datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            what = f'failed to parse value as time or duration: "{text[:80]}"'
            raise _refused(what, self._known, MomentRefused) from None
        return float(seconds_of(text))


def for_prune(said: Mapping[str, Any], known: Collection[str]) -> Filters:
    """Read the filters of a prune: one moment at most, and a bad one is the client's fault.

    Raises FilterRefused.
    """
    try:
        filters = Filters(said, known)
    except MomentRefused as fault:
        raise _refused(fault.what, known) from fault
    if len(filters.values("until")) > 1:
        raise _refused("more than one until filter specified", known)
    return filters


def _values(value: object) -> tuple[str, ...] | None:
    """Read the values of one filter, in either spelling; None: they are none."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        is_read = all(type(each) is bool for each in value.values())
    else:
        is_read = isinstance(value, list) and all(type(each) is str for each in value)
    return tuple(value) if is_read else None  # type: ignore[arg-type]


def _has(labels: Sequence[tuple[str, str]], wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return any(key == name and (not equals or text == value) for key, text in labels)


def _matches(pattern: str, spellings: Sequence[str]) -> bool:
    """Compare with a pattern whose * does not cross a slash, as Go's path.Match."""
    try:
        patterns = {pattern, parse(pattern).familiar}
    except ReferenceMalformed:
        patterns = {pattern}
    return any(
        each.count("/") == spelling.count("/") and fnmatchcase(spelling, each)
        for each in patterns for spelling in spellings
    )  # fmt: skip


def _refused(
    what: str, known: Collection[str], kind: type[FilterRefused] = FilterRefused
) -> FilterRefused:
    return kind(
        what,
        why=f"the filters here are {', '.join(known)}",
        try_next="--filter dangling=true",
        lesson="images",
    )
