"""What `--log-driver` and `--log-opt` ask for.

Docker looks at them twice.  When a container is created it asks only whether the driver
and the names of its options are known; what the values mean is found out at every start,
so a container with `max-size=x` can be made, and never runs.

    check_names    at create      unknown log opt 'foo' for json-file log driver
    parse          at start       invalid size: 'x'

Two drivers keep what they are told on this machine, where `docker logs` reads it: json-file
and local, which differ in how much they keep; `none` keeps nothing.

Source: moby, daemon/logger/factory.go, jsonfilelog.go, local/config.go; the messages were
compared with dockerd 26.1.5.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pyminidock.errors import MinidockError
from pyminidock.grammar.numbers import parse_integer
from pyminidock.grammar.sizes import SizeRefused, parse_memory, parse_size

JSON_FILE, LOCAL, NONE = "json-file", "local", "none"
ELSEWHERE = ("awslogs", "fluentd", "gcplogs", "gelf", "journald", "splunk", "syslog")
"""Drivers that Docker has and we do not: they send the output to some other program."""

# Docker's json-file has no limit.  Three files of this size fit 300 MiB, even when the
# record that filled each of them was as long as a record can be.
MOST_BYTES, MOST_FILES = (100 << 20) - (128 << 10), 3
_OF_LOCAL = (20 << 20, 5)
_OF_RECORDS = frozenset(["labels", "labels-regex", "env", "env-regex", "tag"])
_OF_SIZE = frozenset(["max-file", "max-size", "compress"])
_OF_ALL = frozenset(["mode", "max-buffer-size"])
_OF_CACHE = frozenset(["disabled", "max-size", "max-file", "compress"])  # behind "cache-"
_YES = frozenset(["1", "t", "T", "true", "TRUE", "True"])
_NO = frozenset(["0", "f", "F", "false", "FALSE", "False"])


class LogOptionRefused(MinidockError):
    """A driver or an option that nobody knows."""

    status = 400


class LogDriverElsewhere(MinidockError):
    """A driver that Docker has and we do not."""

    status = 501


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a log may hold: files, and bytes of each."""

    most_bytes: int
    most_files: int
    compresses: bool = False


def check_names(driver: str, options: Mapping[str, str]) -> None:
    """Refuse a driver or an option that is not known, as `create` does.

    >>> check_names("local", {"a": ""})
    Traceback (most recent call last):
    ...
    pyminidock.grammar.logoptions.LogOptionRefused: unknown log opt 'a' for log driver local
    """
    if driver == NONE:  # it takes whatever it is given, for it does nothing with it
        return
    if driver in ELSEWHERE:
        raise LogDriverElsewhere(
            f"log driver {driver} is not supported: it sends logs to another program",
            why="this engine keeps logs itself, so that `logs` can show them",
            try_next="--log-driver json-file",
            lesson="logs",
        )
    _check_mode(options)
    if driver not in (JSON_FILE, LOCAL):
        raise _unknown(
            f'error looking up logging plugin {driver}: plugin "{driver}" not found'
        )
    for name in sorted(options):
        is_cache = name.startswith("cache-") and name.removeprefix("cache-") in _OF_CACHE
        known = _OF_ALL | _OF_SIZE | (_OF_RECORDS if driver == JSON_FILE else set())
        if name not in known and not is_cache:
            words = (
                f"{driver} log driver" if driver == JSON_FILE else f"log driver {driver}"
            )
            raise _unknown(f"unknown log opt '{name}' for {words}")


def _check_mode(options: Mapping[str, str]) -> None:
    """Check how output is handed over; the disk of this machine needs no buffer."""
    mode = options.get("mode", "")
    if mode not in ("", "blocking", "non-blocking"):
        raise _unknown(f"logger: logging mode not supported: {mode}")
    if "max-buffer-size" not in options:
        return
    if mode != "non-blocking":
        raise _unknown(
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'"
        )
    try:
        parse_memory(options["max-buffer-size"])
    except SizeRefused as refusal:
        raise _unknown(f"error parsing option max-buffer-size: {refusal.what}") from refusal


def _unknown(what: str) -> LogOptionRefused:
    return LogOptionRefused(
        what,
        why="a log is kept by a driver that we know, with the options that it knows",
        try_next="--log-driver json-file --log-opt max-size=10m --log-opt max-file=3",
        lesson="logs",
    )


def parse(driver: str, options: Mapping[str, str]) -> Limits | None:
    """Find out how much is kept; None: nothing.  Raises MinidockError, Go's sentences.

    >>> parse("json-file", {"max-size": "10k", "max-file": "2"})
    Limits(most_bytes=10000, most_files=2, compresses=False)
    """
    if driver == NONE:
        return None
    if driver == LOCAL:
        return _parse_local(options)
    most_bytes, most_files, compresses = 0, 1, False
    if "max-size" in options:
        most_bytes = parse_size(options["max-size"])
        if not most_bytes:
            raise _unknown("max-size must be a positive number")
    if "max-file" in options:
        most_files = _files(options["max-file"])
    if "compress" in options:
        compresses = _yes_or_no(options["compress"])
        if compresses and (most_files == 1 or not most_bytes):
            raise _unknown(
                "compress cannot be true when max-file is less than 2 "
                "or max-size is not set"
            )
    if not most_bytes:
        return Limits(MOST_BYTES, max(most_files, MOST_FILES), compresses)
    return Limits(most_bytes, most_files, compresses)


def _parse_local(options: Mapping[str, str]) -> Limits:
    most_bytes, most_files = _OF_LOCAL
    if "max-size" in options:
        with _said(f"invalid value for max-size: {options['max-size']}"):
            most_bytes = parse_memory(options["max-size"])
    if "max-file" in options:
        with _said(f"invalid value for max-file: {options['max-file']}"):
            most_files = _integer(options["max-file"])
    compresses = True
    if "compress" in options:
        with _said("error reading compress log option"):
            compresses = _yes_or_no(options["compress"])
    if most_files < 0:
        raise _unknown("max file count cannot be less than 0")
    if compresses and most_files <= 1:
        raise _unknown("compression cannot be enabled when max file count is 1")
    return Limits(most_bytes, max(most_files, 1))


@contextmanager
def _said(words: str) -> Iterator[None]:
    """Begin what is refused with `words`."""
    try:
        yield
    except MinidockError as refusal:
        raise _unknown(f"{words}: {refusal.what}") from refusal


def _files(text: str) -> int:
    count = _integer(text)
    if count < 1:
        raise _unknown("max-file cannot be less than 1")
    return count


def _integer(text: str) -> int:
    try:
        return parse_integer(text, try_next="--log-opt max-file=3")
    except MinidockError as refusal:
        raise _unknown(refusal.what.replace("ParseInt", "Atoi")) from refusal


def _yes_or_no(text: str) -> bool:
    if text in _YES | _NO:
        return text in _YES
    raise _unknown(f'strconv.ParseBool: parsing "{text}": invalid syntax')
