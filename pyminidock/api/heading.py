"""What the head of a request may say, before anybody acts on it.

A browser must never get in, not even through a forwarded socket: whatever carries the
marks of one, or a host name that is not ours, is refused.  Where two readers could
disagree about where a request ends, it is refused too.
Source: RFC 9112 sections 2.2, 5.1, 6.3.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote

import h11

from pyminidock.api.failures import BadRequest
from pyminidock.errors import MinidockError

_MAX_FIELDS = 100
# Clients on a Unix socket make a name up: docker, d, v1.45, docker.sock, …  A web page of
# somebody else has the name of a domain, with a dot and no such ending, or a port.
_HOST = re.compile(
    r"[a-z0-9_-]*|v[0-9]+\.[0-9]+|[a-z0-9_-]+\.sock|api\.moby\.localhost|/.*",
    re.IGNORECASE | re.DOTALL,
)
_MARKS_OF_A_BROWSER = ("origin", "referer", "sec-fetch-site")


class HeaderTooLarge(MinidockError):
    """The request line and header fields exceed their bound."""

    status = 431


class ForeignRequest(MinidockError):
    """The request carries the marks of a browser, or another host's name."""

    status = 403


def check_lines(head: bytes) -> None:
    """Refuse what one reader takes for a line end and another does not."""
    if re.search(rb"(?<!\r)\n|\n[ \t]|\r(?!\n)(?!\Z)", head):
        raise unreadable("a header line ends or continues in a way that is not allowed")


def fields_of(request: h11.Request) -> Mapping[str, str]:
    """Check the header fields and give them by lower-case name."""
    if request.http_version not in (b"1.0", b"1.1"):
        raise unreadable("the HTTP version is neither 1.0 nor 1.1")
    fields: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    if "content-length" in fields and "transfer-encoding" in fields:
        raise unreadable("the request has two lengths")
    check_sender(fields)
    return fields


def check_sender(fields: Mapping[str, str]) -> None:
    """Refuse a browser, and whoever takes us for another host."""
    host = unquote(fields.get("host", ""))
    marks = [name for name in _MARKS_OF_A_BROWSER if name in fields]
    if marks or not _HOST.fullmatch(host):
        named = f"the header {marks[0]}" if marks else f"the host {host[:80]!r}"
        raise ForeignRequest(
            f"refused because of {named}",
            why="a web page must not reach the engine, not even through a forwarded socket",
            try_next="docker -H unix:///run/minidock.sock version",
        )


def query_of(text: str) -> Mapping[str, tuple[str, ...]]:
    """Read the part behind "?": each field with its values, in their order."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as mistake:
        raise unreadable("the query has too many fields") from mistake
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def unreadable(what: str) -> BadRequest:
    """Say that a request cannot be read, and why that is all there is to say."""
    return BadRequest(
        f"malformed request: {what}",
        why="where two readers could disagree about a request, a third one gets in",
        try_next="send plain HTTP/1.1: lines end in CR LF, one Host, one length",
    )
