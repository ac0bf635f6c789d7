"""The names of signals, as people type them.

    KILL   SIGKILL   sigkill   9   RTMIN+3

A number means itself, whether or not any kernel knows it: a program may have been told of
signals that come later.  Who sends one has to `check_known`.

Source: man 7 signal; moby, sys/signal: ParseSignal() and the map for Linux.
"""

import re

from pyminidock.errors import MinidockError

_NAMES = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "IOT": 6, "BUS": 7,
    "FPE": 8, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14,
    "TERM": 15, "STKFLT": 16, "CHLD": 17, "CLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20,
    "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27,
    "WINCH": 28, "IO": 29, "POLL": 29, "PWR": 30, "SYS": 31,
}  # fmt: skip
_FIRST, _MIDDLE, _LAST = (
    34,
    49,
    64,
)  # the first two of the real-time ones are the C library's
SIGNALS = {
    **_NAMES,
    "RTMIN": _FIRST,
    **{f"RTMIN+{number - _FIRST}": number for number in range(_FIRST + 1, _MIDDLE + 1)},
    **{f"RTMAX-{_LAST - number}": number for number in range(_MIDDLE + 1, _LAST)},
    "RTMAX": _LAST,
}
"""Every name with its number, without SIG."""

KILL, TERM = _NAMES["KILL"], _NAMES["TERM"]


class SignalUnknown(MinidockError):
    """No signal has this name."""

    status = 400


class SignalUnsupported(MinidockError):
    """A number that is no signal of Linux."""

    status = 400


def parse_signal(text: str) -> int:
    """Read a name or a number.  Raises SignalUnknown.

    >>> parse_signal("sigterm"), parse_signal("RTMIN+3"), parse_signal("99")
    (15, 37, 99)
    >>> parse_signal("FOO")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.signals.SignalUnknown: invalid signal: FOO
    """
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text, re.ASCII) and int(text):
        return int(text)
    number = SIGNALS.get(text.upper().removeprefix("SIG"))
    if number is None:
        raise SignalUnknown(
            f"invalid signal: {text[:80]}",
            why="a signal is KILL, SIGKILL or 9",
            try_next="signal=TERM",
            lesson="lifecycle",
        )
    return number


def check_known(number: int) -> None:
    """Refuse what is no signal of Linux.  Raises SignalUnsupported.

    >>> check_known(64)
    """
    if number not in SIGNALS.values():
        raise SignalUnsupported(
            f"the linux daemon does not support signal {number}",
            why="Linux numbers its signals 1 to 64, and 32 and 33 are the C library's",
            try_next="signal=TERM",
            lesson="lifecycle",
        )
