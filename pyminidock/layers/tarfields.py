r"""What stands in one tar header, and what no reader may guess about it.

A tar archive is a row of 512-byte blocks.  A header block is text with numbers in octal:

    offset  0    100   108  116  124   136    148     156   157   257    265
            name mode  uid  gid  size  mtime  sum     type  link  magic  uname gname …
            …    329      337      345      500
                 major    minor    prefix

What does not fit (long names, big numbers, extended attributes) comes in front: as GNU's
`L` and `K`, whose body is the name, or as pax records, each saying its own length:

    25 path=a/very/long/name\n

Two programs that read a doubtful header in two ways are how doctored archives pass a check
and then unpack differently.  So every doubt is an ArchiveRefused, naming the rule and the
byte.  Nothing here reads a stream: bytes come in, values go out.

Source: POSIX.1-2017 pax; GNU tar manual, "Basic Tar Format"; Go, src/archive/tar.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from types import MappingProxyType
from typing import NoReturn
from urllib.parse import unquote_to_bytes
from zlib import adler32

from pyminidock.errors import MinidockError

BLOCK = 512
MAX_ID = 2**31 - 1  # uid_t is 32 bits, -1 means "leave it", and the rest is for kernels
NO_XATTRS: Mapping[bytes, bytes] = MappingProxyType({})

#                name  numbers: mode … mtime    sum type link  magic version
HEADER = Struct("100s  8s 8s 8s 12s 12s         8s  c    100s  6s    2s"
                "32s 32s     8s 8s         155s   12s")  # fmt: skip
#                user, group major, minor  prefix rest


class ArchiveRefused(MinidockError):
    """An archive cannot be read without a guess, or is beyond a limit."""

    status = 400


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may ask for; sizes are in bytes.  A refusal names the field."""

    entries: int = 1_000_000
    layer_bytes: int = 32 << 30  # all that the archive has when it is not compressed
    path_bytes: int = 4096
    component_bytes: int = 255
    depth: int = 512  # names in a path
    link_bytes: int = 4095
    header_bytes: int = 1 << 20  # the body of a pax header, or of a GNU long name
    header_records: int = 4096  # records in a pax header
    headers_in_a_row: int = 8
    xattrs: int = 128  # of one entry
    xattr_bytes: int = 1 << 20  # names and values of one entry
    xattr_value_bytes: int = 64 << 10
    ratio_from_bytes: int = 64 << 20  # before so much has come out, no ratio is looked at
    ratio_to_warn: int = 1_000
    ratio_to_stop: int = 10_000
    members: int = 1_000_000  # gzip members, xz streams, zstd frames
    window_bytes: int = 128 << 20  # memory that zstd or xz may ask for


DEFAULT_LIMITS = Limits()


def refuse(problem: str, offset: int, rule: str, *, is_cut: bool = False) -> NoReturn:
    """Raise ArchiveRefused.  It begins with the words that a Docker client knows."""
    known = "unexpected EOF" if is_cut else "archive/tar: invalid tar header"
    raise ArchiveRefused(
        f"{known}: {problem} (byte {offset})",
        why=rule,
        try_next="tar -tvf ARCHIVE shows what another reader makes of it; pack it again",
        lesson="layers",
    )


def over(limits: Limits, field: str, asked: object, offset: int) -> NoReturn:
    """Raise ArchiveRefused for what is beyond a limit."""
    allowed = getattr(limits, field)
    raise ArchiveRefused(
        f"archive is beyond a limit: {field} is {allowed}, found {asked} (byte {offset})",
        why="an archive from outside must not be able to exhaust the machine",
        try_next=f"raise the limit {field} if this archive is what you expect",
        lesson="layers",
    )


def shown(name: bytes) -> str:
    r"""Give a name for messages: printable, one line, at most 200 characters.

    >>> print(shown(b"caf\xc3\xa9"), shown(b"\xff\x1b[2J\n"))
    café \xff\x1b[2J\n
    """
    text = name[:200].decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)[:200]


# ── Numbers ──────────────────────────────────────────────────────────────────────────────


def sum_of(header: bytes) -> int:
    """Add up the bytes of a header block, its own checksum counting as eight spaces.

    >>> sum_of(bytes(512)) == 8 * ord(" ")
    True
    """
    # The lower half of Adler-32 is 1 + the sum of all bytes, modulo 65521.  Pieces of at
    # most 256 bytes stay below that, so the sum is exact, six times as fast as sum().
    return (
        (adler32(header[:148]) & 0xFFFF)
        + (adler32(header[156:404]) & 0xFFFF)
        + (adler32(header[404:]) & 0xFFFF)
        + (8 * 0x20 - 3)
    )


def check_sum(header: bytes, field: bytes, offset: int) -> None:
    """Raises ArchiveRefused unless the checksum matches, as unsigned or signed bytes."""
    digits, unsigned = field.strip(b" \0"), sum_of(header)
    is_octal = digits.isdigit() and not digits.strip(b"01234567")
    stored = int(digits, 8) if is_octal else -1
    if stored == unsigned:
        return
    rest = header[:148] + header[156:]
    if stored != unsigned - 256 * sum(byte > 127 for byte in rest):  # old tars: signed
        refuse(
            f"its checksum is {shown(digits)}, its bytes add up to {unsigned:o}"
            + ("" if offset else f"; this is no archive, it begins {header[:16]!r}"),
            offset,
            "a header holds the sum of its own bytes; one that does not is damaged",
        )


def number(field: bytes, what: str, offset: int) -> int:
    r"""Read a number that cannot be negative; no digits at all is 0.

    >>> number(b"0000644\0", "mode", 0) == 0o644, number(b"\x80\0\0\1", "uid", 0)
    (True, 1)
    """
    value = _read(field)
    if value < 0:
        refuse(
            f"{what} is {shown(field)}",
            offset,
            f"{what} is octal digits, or a base-256 number from 0 to 2^63-1",
        )
    return value


@lru_cache(maxsize=4096)  # modes, owners and times are the same again and again
def _read(field: bytes) -> int:
    """Read octal digits or a base-256 number; -1 where it is neither, or out of range."""
    digits = field.strip(b" \0")
    if digits.isdigit():
        try:
            return int(digits, 8)
        except ValueError:  # 8 or 9
            return -1
    if not digits:
        return 0
    value = _base256(field) if field[0] & 0x80 else -1
    return value if value < 2**63 else -1


def time_of(field: bytes, offset: int) -> int:
    """Read a time in seconds, which may be before 1970."""
    if field[0] & 0x80 and -(2**63) <= (value := _base256(field)) < 0:
        return value
    return number(field, "mtime", offset)


def _base256(field: bytes) -> int:
    """Two's complement, big end first; the first bit says only that it is no octal."""
    bits = 8 * len(field) - 1
    value = int.from_bytes(field, "big") & ((1 << bits) - 1)
    return value - (1 << bits) if value >> (bits - 1) else value


def decimal(text: bytes, what: str, offset: int) -> int:
    """Read a number of a pax record.  Raises ArchiveRefused unless it is 0 … 2^63-1."""
    if not (text.isdigit() and len(text) <= 20 and int(text) < 2**63):
        refuse(f"{what} is {shown(text)}", offset, f"pax {what} is decimal digits")
    return int(text)


def pax_time(text: bytes, offset: int) -> tuple[int, int]:
    """Read seconds with a fraction, as (whole seconds, nanoseconds of 0 … 999 999 999).

    >>> pax_time(b"1.5", 0), pax_time(b"-1.25", 0), pax_time(b"7", 0)
    ((1, 500000000), (-2, 750000000), (7, 0))
    """
    whole, point, fraction = text.removeprefix(b"-").partition(b".")
    is_number = whole.isdigit() and len(whole) <= 20 and (fraction.isdigit() or not point)
    if not is_number or int(whole) >= 2**63:
        refuse(f"mtime is {shown(text)}", offset, "pax mtime is decimal, as in 12.5")
    seconds, nanoseconds = int(whole), int(fraction[:9].ljust(9, b"0"))
    if not text.startswith(b"-"):
        return seconds, nanoseconds
    return (-seconds - 1, 10**9 - nanoseconds) if nanoseconds else (-seconds, 0)


# ── Names ────────────────────────────────────────────────────────────────────────────────


def clean(
    name: bytes, offset: int, limits: Limits = DEFAULT_LIMITS, *, may_climb: bool = False
) -> bytes:
    """Give a name as a path from the root of the archive; the root itself is b".".

    A leading "/" or "./" and a trailing "/" go, and "a/../b" is b.  With `may_climb` one
    above the root is given as such: it begins with "../", unless it began with "/".
    Raises ArchiveRefused for an empty name, NUL, one above the root, or beyond a limit.

    >>> clean(b"/etc//x/", 0), clean(b"./a/../b", 0), clean(b"./", 0)
    (b'etc/x', b'b', b'.')
    """
    if not name or b"\0" in name:
        refuse(f"a name is {shown(name)!r}", offset, "a name has bytes, and none is NUL")
    if name[0] in b"/." or b"//" in name or b"/." in name:
        name = _resolved(name, offset, may_climb=may_climb)
    elif name[-1] == 0x2F:
        name = name[:-1]
    if len(name) > limits.path_bytes:
        over(limits, "path_bytes", len(name), offset)
    if len(name) > limits.component_bytes:
        longest = max(map(len, name.split(b"/")))
        if longest > limits.component_bytes:
            over(limits, "component_bytes", longest, offset)
    if name.count(b"/") >= limits.depth:
        over(limits, "depth", name.count(b"/") + 1, offset)
    return name


def _resolved(name: bytes, offset: int, *, may_climb: bool) -> bytes:
    kept: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            if may_climb and not (kept and kept[-1] != b".."):
                kept += () if name.startswith(b"/") else (b"..",)
                continue
            if not kept:
                refuse(
                    f"the name {shown(name)} climbs above the root",
                    offset,
                    "an archive speaks of what is below its own root only",
                )
            kept.pop()
        elif part not in (b"", b"."):
            kept.append(part)
    return b"/".join(kept) or b"."


# ── Pax ──────────────────────────────────────────────────────────────────────────────────


def pax_records(body: bytes, offset: int, limits: Limits) -> Iterator[tuple[bytes, bytes]]:
    r"""Yield the records of a pax header: key, value.  Raises ArchiveRefused.

    >>> list(pax_records(b"11 path=ab\n9 uid=70\n", 0, DEFAULT_LIMITS))
    [(b'path', b'ab'), (b'uid', b'70')]
    """
    rule = 'a pax record is "LENGTH KEY=VALUE\\n", and LENGTH counts all of it'
    at = count = 0
    while at < len(body):
        space = body.find(b" ", at, at + 21)
        digits = body[at:space] if space > 0 else b""
        end = at + int(digits) if digits.isdigit() else 0
        equals = body.find(b"=", space + 1, end)
        if not space < equals < end <= len(body) or body[end - 1] != 0x0A:
            refuse(f"a pax record begins {body[at : at + 24]!r}", offset, rule)
        key = body[space + 1 : equals]
        if not key or b"\0" in key:
            refuse(f"a pax record has the key {shown(key)!r}", offset, rule)
        count += 1
        if count > limits.header_records:
            over(limits, "header_records", count, offset)
        yield key, body[equals + 1 : end - 1]
        at = end


def xattrs_of(
    records: Mapping[bytes, bytes], offset: int, limits: Limits
) -> Mapping[bytes, bytes]:
    """Collect extended attributes, in both of the spellings that are in use."""
    found: dict[bytes, bytes] = {}
    for key, value in records.items():
        if key.startswith(b"LIBARCHIVE.xattr."):
            try:
                name, text = unquote_to_bytes(key[17:]), value + b"=" * (-len(value) % 4)
                found.setdefault(name, b64decode(text, validate=True))
            except ValueError:
                refuse(f"{shown(key)} is no base64", offset, "libarchive writes base64")
        elif key.startswith(b"SCHILY.xattr."):
            found[key[13:]] = value
    if not found:
        return NO_XATTRS
    if len(found) > limits.xattrs:
        over(limits, "xattrs", len(found), offset)
    for name, value in found.items():
        if not name or b"\0" in name or len(name) > 255:
            refuse(
                f"an extended attribute is named {shown(name)!r}",
                offset,
                "the name of an extended attribute has 1 to 255 bytes, and none is NUL",
            )
        if len(value) > limits.xattr_value_bytes:
            over(limits, "xattr_value_bytes", len(value), offset)
    total = sum(map(len, found)) + sum(map(len, found.values()))
    if total > limits.xattr_bytes:
        over(limits, "xattr_bytes", total, offset)
    return MappingProxyType(found)
