"""Limits of a single process, as `--ulimit` spells them: `nofile=1024:2048`.

The soft limit counts; a process may raise it itself, up to the hard one.  Without a second
number both are the same, and -1 means unlimited.

Source: docker/go-units, ulimit.go, ParseUlimit(); man 2 setrlimit.  The messages were
compared with docker 26.1.5.
"""

from dataclasses import dataclass

from pyminidock.errors import MinidockError
from pyminidock.grammar.numbers import parse_integer

NAMES = ("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile",
         "nproc", "rss", "rtprio", "rttime", "sigpending", "stack")  # fmt: skip
UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class Ulimit:
    """One rlimit: the lower-case name without RLIMIT_; -1 means unlimited."""

    name: str
    soft: int
    hard: int

    def __str__(self) -> str:
        return f"{self.name}={self.soft}:{self.hard}"


class UlimitRefused(MinidockError):
    """The text is no limit, or one that no kernel would take."""

    status = 400


def parse_ulimit(text: str) -> Ulimit:
    """Read NAME=SOFT[:HARD].

    >>> parse_ulimit("nofile=1024:2048")
    Ulimit(name='nofile', soft=1024, hard=2048)
    >>> parse_ulimit("core=-1")
    Ulimit(name='core', soft=-1, hard=-1)
    >>> parse_ulimit("nofile=3:2")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.ulimits.UlimitRefused: ulimit soft limit must be less than or equal \
to hard limit: 3 > 2
    """
    name, equals, values = text.partition("=")
    if not equals:
        raise _refusal(f"invalid ulimit argument: {text}")
    if name not in NAMES:
        raise _refusal(f"invalid ulimit type: {name}")
    numbers = values.split(":")
    if len(numbers) > 2:
        raise _refusal(
            f"too many limit value arguments - {values}, can only have up to two, "
            "`soft[:hard]`"
        )
    advice = _advice(name)
    soft, *hard = (parse_integer(number, try_next=advice) for number in numbers)
    return check(Ulimit(name, soft, hard[0] if hard else soft))


def check(limit: Ulimit) -> Ulimit:
    """Give `limit` back if a kernel could take it; the API sends it as three fields."""
    if limit.name not in NAMES:
        raise _refusal(f"invalid ulimit type: {limit.name}")
    if min(limit.soft, limit.hard) < UNLIMITED:
        raise _refusal(
            f"invalid ulimit value: {min(limit.soft, limit.hard)}", _advice(limit.name)
        )
    above = "ulimit soft limit must be less than or equal to hard limit: "
    if limit.hard != UNLIMITED:
        if limit.soft == UNLIMITED:
            fault = f"{above}soft: -1 (unlimited), hard: {limit.hard}"
            raise _refusal(fault, _advice(limit.name))
        if limit.soft > limit.hard:
            fault = f"{above}{limit.soft} > {limit.hard}"
            swapped = Ulimit(limit.name, limit.hard, limit.soft)
            raise _refusal(fault, f"minidock run --ulimit {swapped} busybox true")
    return limit


def _advice(name: str) -> str:
    return f"minidock run --ulimit {name}=512:512 busybox true"


def _refusal(what: str, try_next: str = "") -> UlimitRefused:
    return UlimitRefused(
        what,
        why="a limit is NAME=SOFT[:HARD], -1 is unlimited, and the soft one may not be "
        f"above the hard one; the names are {', '.join(NAMES)}",
        try_next=try_next or _advice("nofile"),
        lesson="limits",
    )
