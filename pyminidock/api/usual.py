"""The usual request, read at one glance, and the usual answer, written in one piece.

h11 reads whatever HTTP allows, and takes longer than most of what is asked here.  Nearly
every client sends a few lines of one shape, and a head of exactly this shape can be read in
one way only:

    POST /v1.45/containers/create HTTP/1.1
    Host: docker
    Content-Length: 21                      or none, and then there is no body

Everything else is h11's: another method or version, a name that comes twice, an odd blank,
a body in chunks or one that waits for "100 Continue".
Source: RFC 9112, sections 3, 5 and 6.
"""

import re
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from pyminidock.api.message import Response

LAST_CHUNK = b"0\r\n\r\n"
_FIELD = rb"[A-Za-z][A-Za-z0-9-]*: ?(?:[!-~](?:[ -~]*[!-~])?)?\r\n"
_HEAD = re.compile(
    rb"(GET|POST|PUT|DELETE) (/[!-~]*) HTTP/1\.1\r\n((?:" + _FIELD + rb")+)\r\n"
)
_H11S = {"transfer-encoding", "expect", "te", "trailer"}  # names of fields
_CONNECTIONS = {("keep-alive", ""), ("upgrade", "tcp")}  # and what it is upgraded to
_LENGTH = re.compile(r"[0-9]{1,15}")
_NO_BODY = (204, 304)


class Head(NamedTuple):
    """What a request says before its body; names of fields are lower case."""

    method: str
    target: str
    fields: Mapping[str, str]
    length: int  # of the body, in bytes


def head_of(data: bytes) -> tuple[Head, bytes] | None:
    r"""Read the head at the beginning of `data`, and give what follows; None: it is h11's.

    >>> head_of(b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\nrest")
    (Head(method='GET', target='/_ping', fields={'host': 'docker'}, length=0), b'rest')
    >>> head_of(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nHost: x\r\n\r\n") is None
    True
    """
    found = _HEAD.match(data)
    if found is None:
        return None
    method, target, lines = (part.decode("ascii") for part in found.groups())
    pairs = [line.partition(":") for line in lines.split("\r\n")[:-1]]
    fields = {name.lower(): value.strip(" ") for name, _, value in pairs}
    length = fields.get("content-length", "0")
    is_usual = (
        len(fields) == len(pairs)
        and "host" in fields
        and not _H11S & fields.keys()
        and _connection(fields) in _CONNECTIONS
        and _LENGTH.fullmatch(length)
    )
    if not is_usual:
        return None
    return Head(method, target, fields, int(length)), data[found.end() :]


def _connection(fields: Mapping[str, str]) -> tuple[str, str]:
    said = fields.get("connection", "keep-alive").lower()
    return said, fields.get("upgrade", "").lower()


def answer(response: Response) -> bytes:
    r"""Write the head of an answer, and its body if that is known.

    >>> answer(Response(200, body=b"OK")).partition(b"Date")[0]
    b'HTTP/1.1 200 OK\r\n'
    """
    body = response.body
    lines = [
        f"HTTP/1.1 {response.status} {_phrase(response.status)}",
        *(f"{name}: {value}" for name, value in response.headers),
        f"Date: {_date(int(time.time()))}",
    ]
    if not isinstance(body, bytes):
        lines.append("Transfer-Encoding: chunked")
    elif response.status not in _NO_BODY:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    if isinstance(body, bytes) and response.status not in _NO_BODY:
        return head + body
    return head


def chunk(data: bytes) -> bytes:
    r"""Write one piece of a body of which the length is not known; none for no bytes.

    >>> chunk(b"hello"), chunk(b"")
    (b'5\r\nhello\r\n', b'')
    """
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


@lru_cache(maxsize=64)
def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
