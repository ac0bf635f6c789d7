"""The two ways to speak of a container: its name and its id.

A name is chosen by people; an id is 64 hexadecimal digits that nobody chose, and any unique
beginning of it will do.  Both are asked for in paths of requests, an id is one on the disk,
so a text is checked against the whole pattern before anything is joined to it.

Docker has no limit to the length of a name, and nor do we: no file is called so.

Source: moby, daemon/names/names.go and pkg/stringid.
"""

import re

from pyminidock.errors import MinidockError

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_ID = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 1 << 16  # no request line has room for more


class NameRefused(MinidockError):
    """The text cannot be the name of a container."""

    status = 400


class IdRefused(MinidockError):
    """The text is no id of ours."""

    status = 400


def parse_name(text: str) -> str:
    """Give a container's name without the slash that Docker's API puts before it.

    >>> parse_name("/web-1")
    'web-1'
    >>> parse_name("../x")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.names.NameRefused: Invalid container name (../x), only \
[a-zA-Z0-9][a-zA-Z0-9_.-] are allowed
    """
    name = text.removeprefix("/")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        shown = text if len(text) <= _LONGEST_NAME else f"{text[:20]}…"
        raise NameRefused(
            f"Invalid container name ({shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
            why="a name has two characters at least and becomes part of paths",
            try_next=f"minidock run --name {_suggestion(name)} busybox true",
            lesson="names",
        )
    return name


def _suggestion(name: str) -> str:
    """Make an allowed name of what is left after all that is not allowed has gone."""
    kept = re.sub(r"[^a-zA-Z0-9_.-]+", "-", name[:40]).strip("-_.")
    return kept if _NAME.fullmatch(kept) else f"my-{kept}".rstrip("-")


def parse_id(text: str) -> str:
    """Give a full id back, or refuse it before it comes near a path.

    >>> parse_id("0" * 64) == "0" * 64
    True
    """
    if not _ID.fullmatch(text):
        raise IdRefused(
            f"invalid container id ({text[:80]})",
            why="an id is 64 lower-case hexadecimal digits",
            try_next="minidock ps --all --no-trunc",
            lesson="names",
        )
    return text


def short_id(identifier: str) -> str:
    """Give the first twelve digits, which is what people see.

    >>> short_id("0123456789abcdef" * 4)
    '0123456789ab'
    """
    return identifier[:12]
