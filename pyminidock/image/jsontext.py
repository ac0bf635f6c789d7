r"""How a document is read with care, and written as Go writes it.

A document comes from strangers and is named by the digest of its bytes.  Reading therefore
refuses what two readers could take for two things (a key twice, NaN) and what only costs
(endless depth, numbers without end); writing gives the same bytes for the same value, in
the spelling of Go's encoder: no blanks, and <, > and & as \u003c, \u003e and \u0026.

Source: RFC 8259; Go, encoding/json; CVE-2021-41190.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from pyminidock.errors import MinidockError

MAX_DEPTH = 64
MAX_DIGITS = 20  # of a whole number: 2**64 has twenty

_GO = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_GO_PATTERN = re.compile("[<>&\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class DocumentMalformed(MinidockError):
    """A document is not what its place asks for."""

    status = 400


def read(data: bytes, limit_bytes: int, name: str, error: type[DocumentMalformed]) -> Any:
    """Decode one document called `name`.  Raises `error` for what is no plain JSON.

    >>> read(b'{"a":1,"a":2}', 99, "the index", DocumentMalformed)
    Traceback (most recent call last):
    ...
    pyminidock.image.jsontext.DocumentMalformed: the index is malformed: the key 'a' twice
    """
    if len(data) > limit_bytes:
        raise malformed(error, name, f"{len(data)} bytes, the limit is {limit_bytes}")
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant,
            parse_int=_whole,
        )  # fmt: skip
    except RecursionError:
        raise malformed(error, name, f"deeper than {MAX_DEPTH} levels") from None
    except UnicodeDecodeError as cause:
        raise malformed(error, name, f"not UTF-8 at byte {cause.start}") from cause
    except ValueError as cause:
        raise malformed(error, name, str(cause)[:200]) from cause
    _check_values(value, name, error)
    return value


def malformed(error: type[DocumentMalformed], name: str, reason: str) -> DocumentMalformed:
    """Word a refusal; the caller raises it."""
    return error(
        f"{name} is malformed: {reason}",
        why="a document that can be read in two ways, or without end, is not read at all",
        try_next="save or pull the image again; `skopeo inspect` names a damaged source",
        lesson="image-documents",
    )


def write(value: Any) -> bytes:
    r"""Encode a value as Go's encoder does, without a newline.

    Keys keep their order.

    >>> write({"Cmd": ["<b>", "é"]}).decode()
    '{"Cmd":["\\u003cb\\u003e","é"]}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = _GO_PATTERN.sub(lambda found: _GO[found[0]], text)
    return text.encode()


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of pairs whose keys all differ."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:40]!r} twice")
        found[key] = value
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _check_values(value: Any, name: str, error: type[DocumentMalformed]) -> None:
    """Go down level by level, without calling oneself; look at every text on the way."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        texts = [text for text in level if isinstance(text, str)]
        texts += [key for one in level if isinstance(one, dict) for key in one]
        if any(_SURROGATE.search(text) for text in texts):
            raise malformed(error, name, "half of a character, which UTF-8 cannot hold")
        lists = [one for one in level if isinstance(one, list)]
        lists += [list(one.values()) for one in level if isinstance(one, dict)]
        level = [child for children in lists for child in children]
        if not level:
            return
    raise malformed(error, name, f"deeper than {MAX_DEPTH} levels")
