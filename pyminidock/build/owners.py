"""`COPY --chown=web:audio`: names of the image's own files become numbers.

Names stand in /etc/passwd and /etc/group of the image, which may hold anything, so they are
read line by line and nothing of libc is asked.  A text of digits is a number.  Without a
group, the group is the one with the name (or number) of the user: for a name that means a
line of /etc/group, as in Docker.

Source: measured on Docker Engine 26.1; moby, builder/dockerfile/internals_linux.go.
"""

from collections.abc import Callable

from pyminidock.errors import MinidockError

LARGEST_ID = (1 << 31) - 1
_UNABLE = "unable to convert uid/gid chown string to host mapping: "

Read = Callable[[str], bytes | None]
"""Gives the content of a file of the image; None where there is none."""


class OwnerUnknown(MinidockError):
    """No line of the image's files has this name."""

    status = 400


def owner(asked: str, read: Read) -> tuple[int, int]:
    """Give uid and gid.  Raises OwnerUnknown, with Docker's sentence.

    >>> files = {"etc/passwd": b"web:x:7:8::/:", "etc/group": b"web:x:9:"}
    >>> owner("web", files.__getitem__), owner("5", files.get), owner("web:3", files.get)
    ((7, 9), (5, 5), (7, 3))
    """
    parts = asked.split(":")
    if len(parts) > 2:
        raise _unknown(f"{_UNABLE}invalid chown string format: {asked}", asked)
    user, group = parts[0], parts[1] if len(parts) == 2 else parts[0]
    return (
        _number(user, "uid", "user", "etc/passwd", read),
        _number(group, "gid", "group", "etc/group", read),
    )


def _number(asked: str, what: str, kind: str, path: str, read: Read) -> int:
    if asked.isascii() and asked.isdigit():
        number = int(asked) if len(asked) < 12 else LARGEST_ID + 1
        if number > LARGEST_ID:
            raise _unknown(f"uids and gids must be in range 0-{LARGEST_ID}", asked)
        return number
    text = read(path)
    for line in (text or b"").split(b"\n"):
        fields = line.split(b":")
        if fields[0] == asked.encode("utf-8", "surrogateescape") and len(fields) > 2:
            value = fields[2]
            if value.isdigit() and len(value) < 12 and int(value) <= LARGEST_ID:
                return int(value)
    name = f"no such {kind}: {asked}"
    if text is None:
        name = f"open /{path}: no such file or directory"
    raise _unknown(f"{_UNABLE}can't find {what} for {kind} {asked}: {name}", asked)


def _unknown(what: str, asked: str) -> OwnerUnknown:
    return OwnerUnknown(
        what,
        why="--chown takes USER or USER:GROUP; names must stand in the image's own "
        "/etc/passwd and /etc/group",
        try_next=f"RUN adduser -D {asked.partition(':')[0] or 'web'}, or numbers: "
        "--chown=1000:1000",
        lesson="users",
    )
