"""Archives made by hand, block by block, as no honest program would make them.

Nothing here comes from the engine: a field is the bytes that the test says, and only the
checksum is right, unless the test says that too.
"""

import struct

PARTS = (
    ("name", 100), ("mode", 8), ("uid", 8), ("gid", 8), ("size", 12), ("mtime", 12),
    ("checksum", 8), ("flag", 1), ("link", 100), ("magic", 6), ("version", 2),
    ("uname", 32), ("gname", 32), ("major", 8), ("minor", 8), ("prefix", 155), ("rest", 12),
)  # fmt: skip
USUAL = {
    "name": b"f", "mode": b"0000644\0", "uid": b"0000000\0", "gid": b"0000000\0",
    "mtime": b"00000000000\0", "flag": b"0", "magic": b"ustar\0", "version": b"00",
}  # fmt: skip
END = bytes(1024)


def block(body: bytes = b"", **fields: bytes) -> bytes:
    """Make one header, with `body` and its padding behind it."""
    given = USUAL | {"size": b"%011o\0" % len(body)} | fields
    parts = [given.get(name, b"") for name, _ in PARTS]
    made = struct.pack("".join(f"{size}s" for _, size in PARTS), *parts)
    if "checksum" not in fields:
        total = sum(made[:148] + b" " * 8 + made[156:])
        made = made[:148] + b"%06o\0 " % total + made[156:]
    return made + body + bytes(-len(body) % 512)


def record(key: bytes, value: bytes) -> bytes:
    """Make one pax record, counting until the count is right."""
    size = 0
    while size != len(made := b"%d %b=%b\n" % (size, key, value)):
        size = len(made)
    return made


def pax(*records: tuple[bytes, bytes], flag: bytes = b"x") -> bytes:
    """Make a pax header."""
    return raw_pax(b"".join(record(*each) for each in records), flag)


def raw_pax(body: bytes, flag: bytes = b"x") -> bytes:
    """Make a pax header of any bytes."""
    return block(body, name=b"PaxHeaders.0/f", flag=flag)


def gnu(flag: bytes, name: bytes) -> bytes:
    """Make a GNU long name (`L`) or long link (`K`)."""
    return block(name, name=b"././@LongLink", flag=flag, magic=b"ustar ", version=b" \0")


def base256(value: int, size: int) -> bytes:
    """Write a number as GNU does where octal has no room."""
    made = bytearray(value.to_bytes(size, "big", signed=True))
    made[0] |= 0x80
    return bytes(made)
