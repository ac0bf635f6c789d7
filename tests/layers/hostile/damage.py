"""Archives that are damaged, cut, or lie about themselves: T-42 to T-52, as cases.

Each has the reader's tests of its own; here each goes through the applier, which must have
put nothing outside by the time the reader notices.
"""

from tests.layers.hostile.blocks import END, base256, block, gnu, pax, raw_pax
from tests.layers.hostile.cases import Case, d, dev, f, xs

A = f(b"a")
TREE = {"a": "file x"}
LONG = block(b"x" * 900, name=b"b")
NEVER = "an entry that never comes"


def _sized(size: bytes, flag: bytes = b"0") -> bytes:
    return A + block(name=b"b", size=size, flag=flag)


DAMAGED = (
    Case("T-42", f(b"cut\0here"), {"cut": "file x"}),
    Case("T-42 pax", A + pax((b"path", b"a\0b")) + f(b"b"), refused="a name is"),
    Case("T-43", A + f(b"b") + f(b"c", checksum=b"000000\0 "), refused="checksum"),
    Case("T-44 header", A, end=f(b"b")[:300], refused="inside a header"),
    Case("T-44 body", A, end=LONG[:1000], refused="inside a body"),
    Case("T-44 padding", A, end=LONG[:1450], refused="inside the padding"),
    Case("T-44 no end", A, TREE, end=b"", warned=("it has no end marker",)),
    Case("T-44 zero block", A, TREE, end=bytes(512), warned=("its end marker is one",)),
    Case("T-44 zero block and more", A + bytes(512) + f(b"b"), refused="one zero block"),
    Case("T-45 junk", A, TREE, end=END + b"junk", warned=("bytes after its end",)),
    Case("T-45 archive", A, TREE, end=END + f(b"b") + END, warned=("bytes after its",)),
    Case("T-46 2^63", _sized(base256(2**63, 12)), refused="size is"),
    Case("T-46 negative", _sized(base256(-1, 12)), refused="size is"),
    Case("T-46 junk", _sized(b"0000001x000\0"), refused="size is"),
    Case("T-46 empty", _sized(bytes(12)), refused="size is empty"),
    Case("T-46 directory", A + block(b"x", name=b"b/", flag=b"5"), refused="has a body"),
    Case("T-46 symlink", A + block(b"x", flag=b"2", link=b"a"), refused="has a body"),
    Case(
        "T-47 larger",
        pax((b"size", b"3")) + block(b"abc", name=b"a", size=b"00000000001\0"),
        {"a": "file abc"},
    ),
    Case(
        "T-47 smaller",
        pax((b"size", b"1")) + block(b"a", name=b"a", size=b"00000001130\0") + f(b"b"),
        {"a": "file a", "b": "file x"},
    ),
    Case("T-47 too large", A + pax((b"size", b"5000")) + f(b"b"), refused="inside a body"),
    Case("T-48 zeros", A + raw_pax(b"0" * 65536) + f(b"b"), refused="a pax record"),
    Case(
        "T-48 2 MiB", A + raw_pax(b"0" * (2 << 20)) + f(b"b"), refused="header_bytes is"
    ),
    Case("T-48 8 GiB", _sized(base256(8 << 30, 12), b"x"), refused="header_bytes is"),
    *(
        Case(f"T-49 {what}", A + raw_pax(body) + f(b"b"), refused="a pax record")
        for what, body in (
            ("length 0", b"0 a=b\n"), ("too long", b"7 a=b\n"), ("no newline", b"6 a=bc"),
            ("no equals", b"6 abc\n"), ("huge", b"9" * 30 + b" a=b\n"),
        )
    ),
    Case("T-50 x", A + pax((b"path", b"p")) * 9 + f(b"b"), refused="headers_in_a_row is 8"),
    Case("T-50 L", A + gnu(b"L", b"l\0") * 9 + f(b"b"), refused="headers_in_a_row is 8"),
    Case("T-50 K", A + gnu(b"K", b"l\0") * 9 + f(b"b"), refused="headers_in_a_row is 8"),
    Case("T-50 then the end", A + pax((b"path", b"p")), refused=NEVER),
    Case("T-50 then nothing", A + gnu(b"L", b"l\0"), end=b"", refused=NEVER),
    Case(
        "T-51",
        pax((b"path", b"evil"), (b"uid", b"7"), flag=b"g") + A,
        TREE,
        said={"a": (0o644, 0, 0, 0)},
        warned=("a global pax header was ignored",),
    ),
    Case("T-52 old", A + f(b"b", flag=b"S", magic=b"ustar "), refused="sparse"),
    *(
        Case(f"T-52 {what}", A + pax((b"GNU.sparse." + key, value)) + f(b"b"),
             refused="sparse")
        for what, key, value in (
            ("0.0", b"numblocks", b"1"), ("0.1", b"map", b"0,1,0,1"),
            ("1.0", b"major", b"1"), ("8 EiB", b"realsize", b"9223372036854775807"),
        )
    ),
)  # fmt: skip

# ── The odd fields that stand beside those of `cases` ────────────────────────────────────

ODD = (
    Case("T-14 path", A + pax((b"path", b"abcd/" * 1000)) + d(b"b"), refused="path_bytes"),
    *(
        Case(f"T-19 {flag.decode()}", A + block(name=b"s", flag=flag),
             refused=f"type '{flag.decode()}'")
        for flag in (b"Z", b"V", b"M", b"D", b"s")
    ),
    Case("T-22 2^32", A + f(b"b", uid=base256(2**32, 8)), refused="uid is 4294967296"),
    Case("T-22 huge", A + f(b"b", gid=base256(2**55, 8)), refused="gid is"),
    Case("T-22 pax", A + pax((b"uid", b"2147483648")) + f(b"b"), refused="uid is"),
    Case(
        "T-26 value", A + xs(f(b"b"), {b"user.a": b"x" * 65537}), refused="value_bytes is"
    ),
    Case("T-26 empty", A + xs(f(b"b"), {b"": b"v"}), refused="is named"),
    Case("T-26 NUL", A + xs(f(b"b"), {b"user.a\0b": b"v"}), refused="a pax record"),
    Case(
        "T-26 equals", xs(A, {b"user.a=b": b"c"}), TREE, xattrs={"a": {b"user.a": b"b=c"}}
    ),
    Case("T-32 root", A + block(name=b".wh./x"), refused="below a whiteout"),
    Case("T-40 pax", A + pax((b"mtime", b"1e300")) + f(b"b"), refused="mtime is 1e300"),
    Case("T-17 fifo", dev(b"c", 5, 6, b"6"), {"c": "fifo"}),
)  # fmt: skip
