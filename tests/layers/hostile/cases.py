"""Malicious and odd archives, and what they may come to: one table for every applier.

Each case is an archive made by hand, and either the words of its refusal or the whole tree
that it gives, as `shown` writes trees down.  `OUT` lies outside: no archive may reach it.
"""

import os
import stat
import struct
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from pyminidock.layers.apply import Policy
from tests.layers.hostile.blocks import END, base256, block, pax

OUT = os.fsencode(tempfile.gettempdir()) + b"/hostile-%d/outside" % os.getpid()
_WAY = [PurePath(os.fsdecode(OUT)), *PurePath(os.fsdecode(OUT)).parents][:-1]
INSIDE = str(_WAY[0].relative_to("/"))  # where OUT lies if the root is the layer's
MADE = {str(path.relative_to("/")): "dir" for path in _WAY}
Attributes = Mapping[bytes, bytes]


def f(name: bytes, content: bytes = b"x", **more: bytes) -> bytes:
    return block(content, name=name, **more)


def d(name: bytes, mode: bytes = b"0000755\0", **more: bytes) -> bytes:
    return block(name=name + b"/", flag=b"5", mode=mode, **more)


def ln(name: bytes, target: bytes, flag: bytes = b"2") -> bytes:
    return pax((b"linkpath", target)) + block(name=name, flag=flag)


def hard(name: bytes, target: bytes, **more: bytes) -> bytes:
    return pax((b"linkpath", target)) + block(name=name, flag=b"1", **more)


def dev(name: bytes, major: int, minor: int, flag: bytes = b"3") -> bytes:
    return block(name=name, flag=flag, major=b"%07o\0" % major, minor=b"%07o\0" % minor)


def wh(name: bytes, flag: bytes = b"0", **more: bytes) -> bytes:
    above, slash, last = name.rpartition(b"/")
    return block(name=above + slash + b".wh." + last, flag=flag, **more)


def opq(name: bytes) -> bytes:
    return block(name=(name + b"/" if name else b"") + b".wh..wh..opq")


def x(entry: bytes, **attributes: bytes) -> bytes:
    """Put attributes in front of an entry; `__` in a name stands for a dot."""
    return xs(entry, {key.replace("__", ".").encode(): v for key, v in attributes.items()})


def xs(entry: bytes, attributes: Attributes) -> bytes:
    return (
        pax(*((b"SCHILY.xattr." + key, value) for key, value in attributes.items())) + entry
    )


def long(name: bytes, entry: Callable[..., bytes] = f, **more: bytes) -> bytes:
    return pax((b"path", name)) + entry(b"short", **more)


@dataclass(frozen=True, slots=True)
class Case:
    """One archive.  `tree` is all that the layer then is; `refused` a part of the refusal.

    `archive` is all that comes before `end`.
    `said` are the modes, owners and times that count: path to (mode, uid, gid, mtime).
    `warned` are beginnings of warnings, in order; None: whatever they are.
    """

    id: str
    archive: bytes
    tree: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    said: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)
    xattrs: Mapping[str, Attributes] = field(default_factory=dict)
    warned: tuple[str, ...] | None = None
    end: bytes = END

    @property
    def whole(self) -> bytes:
        """All of the archive."""
        return self.archive + self.end


_CAP2 = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)  # cap_net_bind_service+ep
_CAP3 = struct.pack("<6I", 0x03000001, 1 << 10, 0, 0, 0, 1000)  # to a namespace's root
ROOT_ALONE = (
    "T-17 kept",
    "T-23 v2",
    "T-23 v3",
    "T-23 second name",
)  # what an ordinary user cannot be given

CASES = (
    Case("T-01", f(b"/etc/x"), {"etc": "dir", "etc/x": "file x"}),
    Case("T-02", f(b"../../x"), refused="climbs above the root"),
    Case("T-03", f(b"a/../b"), {"b": "file x"}),
    Case("T-04", f(b"a/../../b"), refused="climbs above the root"),
    Case(
        "T-05",
        ln(b"l", OUT) + f(b"l/f"),
        {**MADE, "l": "link OUT", f"{INSIDE}/f": "file x"},
    ),
    Case(
        "T-05 deep",
        ln(b"d/l", b"/x") + f(b"d/l/f"),
        {"d": "dir", "d/l": "link /x", "x": "dir", "x/f": "file x"},
    ),
    Case("T-06", ln(b"l", b"../../..") + f(b"l/f"), {"l": "link ../../..", "f": "file x"}),
    Case(
        "T-07",
        b"".join(ln(b"l%d" % n, b"l%d" % (n + 1)) for n in range(39)) + f(b"l0/f"),
        {**{f"l{n}": f"link l{n + 1}" for n in range(39)}, "l39": "dir", "l39/f": "file x"},
    ),
    Case(
        "T-08 41",
        b"".join(ln(b"l%d" % n, b"l%d" % (n + 1)) for n in range(41)) + f(b"l0/f"),
        refused="too many levels of symbolic links",
    ),
    Case(
        "T-08 loop",
        ln(b"a", b"b") + ln(b"b", b"a") + f(b"a/f"),
        refused="too many levels of symbolic links",
    ),
    Case(
        "T-08 itself",
        ln(b"a", b"a/b") + f(b"a/f"),
        refused="too many levels of symbolic links",
    ),
    Case("T-09", ln(b"f", OUT + b"/file") + f(b"f", b"new"), {"f": "file new"}),
    Case("T-09 directory", ln(b"f", OUT) + d(b"f"), {"f": "dir"}),
    Case(
        "T-09 device", ln(b"f", OUT + b"/file") + block(name=b"f", flag=b"6"), {"f": "fifo"}
    ),
    Case("T-10 link", ln(b".", b"/"), refused="root is no directory"),
    Case("T-10 file", f(b"./"), refused="root is no directory"),
    Case("T-10 hard link", f(b"a") + hard(b".", b"a"), refused="root is no directory"),
    Case(
        "T-11",
        d(b".", b"0000700\0", uid=b"0000011\0") + f(b"a"),
        {"a": "file x"},
        said={"": (0o700, 9, 0, 0)},
    ),
    Case("T-12 climbs", hard(b"s", b"../../etc/shadow"), refused="climbs above the root"),
    Case("T-12 missing", hard(b"s", b"/etc/shadow"), refused="etc/shadow is not there"),
    Case(
        "T-12 inside",
        f(b"etc/shadow") + hard(b"s", b"/etc/shadow"),
        {"etc": "dir", "etc/shadow": "file x", "s": "file x"},
    ),
    Case("T-12 by a link", ln(b"l", OUT) + hard(b"s", b"l/file"), refused="is not there"),
    Case(
        "T-13",
        ln(b"l", OUT + b"/file") + hard(b"h", b"l") + f(b"h", b"new"),
        {"l": "link OUT/file", "h": "file new"},
    ),
    Case(
        "T-13 kept",
        ln(b"l", OUT + b"/file") + hard(b"h", b"l"),
        {"l": "link OUT/file", "h": "link OUT/file"},
    ),
    Case(
        "T-14 deep",
        long(b"/".join([b"d"] * 512)),
        {
            **{"/".join(["d"] * n): "dir" for n in range(1, 512)},
            "/".join(["d"] * 512): "file x",
        },
    ),
    Case("T-14 4000", long(b"/".join([b"d"] * 4000)), refused="beyond a limit: path_bytes"),
    Case("T-14 component", long(b"a" * 256), refused="beyond a limit: component_bytes"),
    Case("T-14 longest", long(b"a" * 255), {"a" * 255: "file x"}),
    Case(
        "T-14 by links",
        ln(b"a", b"/".join([b"d"] * 600))
        + ln(b"a/b", b"/".join([b"d"] * 600))
        + f(b"a/b/f"),
        refused="file name too long",
    ),
    Case("T-15 directory", d(b"dir") + hard(b"h", b"dir"), refused="is a directory"),
    Case("T-15 root", hard(b"h", b"."), refused="is a directory"),
    Case("T-15 itself", hard(b"h", b"h"), refused="is not there"),
    Case("T-15 its own name", f(b"h") + hard(b"h", b"h"), refused="link to itself"),
    Case("T-15 later", hard(b"h", b"later") + f(b"later"), refused="is not there"),
    Case("T-15 deleted", wh(b"gone") + hard(b"h", b"gone"), refused="is not there"),
    Case(
        "T-15 replaced",
        f(b"dir/f") + hard(b"dir", b"dir/f"),
        refused="with what it replaces",
    ),
    Case(
        "T-16",
        f(b"a") + pax((b"linkpath", b"a")) + block(b"body", name=b"h", flag=b"1"),
        refused="has a body",
    ),
    Case("T-17 0:0", dev(b"c", 0, 0), refused="device 0:0"),
    Case("T-17 huge", dev(b"c", 4096, 0), refused="device 4096:0"),
    Case(
        "T-17 kept",
        dev(b"c", 1, 1) + dev(b"b", 8, 0, b"4"),
        {"c": "char 1:1", "b": "block 8:0"},
    ),
    Case("T-18", block(name=b"p", flag=b"6"), {"p": "fifo"}),
    Case("T-19", block(name=b"s", flag=b"A"), refused="type 'A'"),
    Case(
        "T-20",
        f(b"u", mode=b"0004755\0", uid=b"0001747\0")
        + f(b"g", mode=b"0002755\0")
        + d(b"t", b"0001777\0"),
        {"u": "file x", "g": "file x", "t": "dir"},
        said={"u": (0o4755, 999, 0, 0), "g": (0o2755, 0, 0, 0), "t": (0o1777, 0, 0, 0)},
    ),
    Case(
        "T-20 by its second name",
        f(b"a", mode=b"0004755\0")
        + hard(b"b", b"a", mode=b"0002711\0", uid=b"0001747\0", mtime=b"00000000007\0"),
        {"a": "file x", "b": "file x"},
        said=dict.fromkeys("ab", (0o2711, 999, 0, 7)),
    ),
    Case(
        "T-20 link by its second name",
        ln(b"a", OUT + b"/file") + hard(b"b", b"a", mode=b"0000777\0", uid=b"0000007\0"),
        {"a": "link OUT/file", "b": "link OUT/file"},
        said=dict.fromkeys("ab", (0o777, 7, 0, 0)),
    ),
    Case(
        "T-23 second name",
        x(f(b"p"), security__capability=_CAP2) + hard(b"q", b"p"),
        {"p": "file x", "q": "file x"},
        xattrs={name: {b"security.capability": _CAP2} for name in "pq"},
    ),
    Case(
        "T-20 inherited",
        d(b"t", b"0002770\0") + f(b"t/f", mode=b"0000644\0") + d(b"t/d"),
        {"t": "dir", "t/f": "file x", "t/d": "dir"},
        said={"t": (0o2770, 0, 0, 0), "t/d": (0o755, 0, 0, 0), "t/f": (0o644, 0, 0, 0)},
    ),
    Case(
        "T-21", f(b"m", mode=b"7777777\0"), {"m": "file x"}, said={"m": (0o7777, 0, 0, 0)}
    ),
    Case("T-21 negative", f(b"m", mode=base256(-1, 8)), refused="mode is"),
    Case("T-22", f(b"m", uid=base256(2**31, 8)), refused="uid is 2147483648"),
    Case("T-22 minus one", f(b"m", gid=base256(-1, 8)), refused="gid is"),
    Case(
        "T-23 v2",
        x(f(b"p", mode=b"0000755\0"), security__capability=_CAP2),
        {"p": "file x"},
        xattrs={"p": {b"security.capability": _CAP2}},
    ),
    Case(
        "T-23 v3",
        x(f(b"p", mode=b"0000755\0"), security__capability=_CAP3),
        {"p": "file x"},
        xattrs={"p": {b"security.capability": _CAP3}},
    ),
    Case(
        "T-23 malformed",
        x(f(b"p"), security__capability=b"junk"),
        {"p": "file x"},
        xattrs={"p": {}},
        warned=("the attribute security.capability",),
    ),
    Case(
        "T-24 redirect",
        x(d(b"etc"), trusted__overlay__redirect=b"/etc"),
        refused=r"trusted\.overlay\.redirect",
    ),
    Case(
        "T-24 opaque",
        x(d(b"."), trusted__overlay__opaque=b"y"),
        refused=r"trusted\.overlay\.opaque",
    ),
    Case(
        "T-24 user",
        x(f(b"p"), user__overlay__whiteout=b"y"),
        refused=r"user\.overlay\.whiteout",
    ),
    Case(
        "T-24 metacopy",
        x(block(name=b"p", flag=b"6"), trusted__overlay__metacopy=b""),
        refused=r"trusted\.overlay\.metacopy",
    ),
    Case("T-24 origin", x(wh(b"p"), trusted__overlay__origin=b"y"), {"p": "gone"}),
    Case(
        "T-25",
        x(f(b"p"), security__selinux=b"a")
        + x(f(b"q"), security__selinux=b"b")
        + x(d(b"r"), system__posix_acl_access=b"c", trusted__x=b"d"),
        {"p": "file x", "q": "file x", "r": "dir"},
        xattrs={"p": {}, "q": {}, "r": {}},
        warned=(
            "the attribute security.selinux is dropped",
            "the attribute system.posix_acl_access is dropped",
            "the attribute trusted.x is dropped",
        ),
    ),
    Case(
        "T-26",
        xs(f(b"p"), {b"user.%d" % n: b"" for n in range(129)}),
        refused="beyond a limit: xattrs",
    ),
    Case(
        "T-27 link",
        x(block(name=b"p", flag=b"2", link=b"q"), user__a=b"1"),
        {"p": "link q"},
        warned=("attributes of a link",),
    ),
    Case(
        "T-27 replaced",
        x(d(b"p"), user__a=b"1") + x(d(b"p"), user__b=b"2"),
        {"p": "dir"},
        xattrs={"p": {b"user.b": b"2"}},
    ),
    Case(
        "T-27 by a file",
        x(d(b"p"), user__a=b"1") + f(b"p"),
        {"p": "file x"},
        xattrs={"p": {}},
    ),
    Case("T-28 before", wh(b"f") + f(b"f"), {"f": "file x"}),
    Case("T-28 after", f(b"f") + wh(b"f"), {"f": "file x"}),
    Case("T-28 link", ln(b"f", OUT) + wh(b"f"), {"f": "link OUT"}),
    Case("T-29 before", opq(b"p") + d(b"p") + f(b"p/a"), {"p": "opaque", "p/a": "file x"}),
    Case(
        "T-29 between",
        f(b"p/a") + opq(b"p") + f(b"p/b"),
        {"p": "opaque", "p/a": "file x", "p/b": "file x"},
    ),
    Case(
        "T-29 after", f(b"p/a") + wh(b"p/z") + opq(b"p"), {"p": "opaque", "p/a": "file x"}
    ),
    Case("T-29 then", opq(b"p") + wh(b"p/z"), {"p": "opaque"}),
    Case("T-30 empty", block(name=b".wh."), refused="names no file"),
    Case("T-30 dots", block(name=b".wh..."), refused="names no file"),
    Case("T-30 dot", block(name=b"a/.wh.."), refused="names no file"),
    Case(
        "T-30 through",
        ln(b"a", b"b") + wh(b"a/x"),
        {"a": "link b", "b": "dir", "b/x": "gone"},
    ),
    Case("T-30 aufs", f(b".wh..wh.plnk/1") + f(b".wh..wh.aufs") + f(b"a"), {"a": "file x"}),
    Case("T-30 below", f(b".wh.a/b"), refused="below a whiteout"),
    Case(
        "T-31",
        ln(b"l", OUT)
        + opq(b"l")
        + wh(b"l/file")
        + x(d(b"l/dir"), user__a=b"1")
        + f(b"l/dir/f"),
        {
            **MADE,
            "l": "link OUT",
            INSIDE: "opaque",
            f"{INSIDE}/dir": "dir",
            f"{INSIDE}/dir/f": "file x",
        },
    ),
    Case("T-32 body", wh(b"a") + block(b"body", name=b".wh.b"), {"a": "gone", "b": "gone"}),
    Case(
        "T-32 types",
        wh(b"a", b"5") + pax((b"linkpath", OUT)) + wh(b"b", b"2"),
        {"a": "gone", "b": "gone"},
    ),
    Case("T-32 its own parent", wh(b"a/b") + wh(b"a"), {"a": "opaque"}),
    Case("T-33", wh(b"p") + f(b"p/f"), {"p": "opaque", "p/f": "file x"}),
    Case("T-33 directory", wh(b"p") + d(b"p"), {"p": "opaque"}),
    Case("T-33 after", d(b"p") + wh(b"p"), {"p": "opaque"}),
    Case(
        "T-34",
        d(b"n") + f(b"n/a") + f(b"n") + d(b"n") + f(b"n/b") + ln(b"n", OUT) + d(b"n"),
        {"n": "dir"},
    ),
    Case(
        "T-34 deep",
        f(b"n/a/b/c") + f(b"n/a/d") + f(b"n") + f(b"n/e"),
        {"n": "dir", "n/e": "file x"},
    ),
    Case("T-35", b"".join(f(b"n", b"%d" % n) for n in range(10_000)), {"n": "file 9999"}),
    Case(
        "T-36",
        f(b"A") + f(b"a") + f("é".encode()) + f("e\u0301".encode()) + f(b"a.") + f(b"a "),
        {
            "A": "file x",
            "a": "file x",
            "é": "file x",
            "e\u0301": "file x",
            "a.": "file x",
            "a ": "file x",
        },
    ),
    Case(
        "T-37",
        f(b"p/q/f"),
        {"p": "dir", "p/q": "dir", "p/q/f": "file x"},
        said={"p": (0o755, 0, 0, 0)},
        warned=("2 directories were not in the archive",),
    ),
    Case("T-37 a file", f(b"p") + f(b"p/q"), {"p": "dir", "p/q": "file x"}),
    Case(
        "T-38",
        d(b"p", b"0000555\0") + f(b"p/f") + d(b"p/q", b"0000000\0") + f(b"p/q/g"),
        {"p": "dir", "p/f": "file x", "p/q": "dir", "p/q/g": "file x"},
        said={"p": (0o555, 0, 0, 0), "p/q": (0, 0, 0, 0)},
    ),
    Case(
        "T-39",
        d(b"p", mtime=b"00000000011\0") + f(b"p/f") + d(b"p/q") + f(b"p/q/g"),
        {"p": "dir", "p/f": "file x", "p/q": "dir", "p/q/g": "file x"},
        said={"p": (0o755, 0, 0, 9)},
    ),
    Case(
        "T-40",
        f(b"a", mtime=base256(-1, 12)) + f(b"b", mtime=base256(2**33 + 1, 12)),
        {"a": "file x", "b": "file x"},
        said={"a": (0o644, 0, 0, 0), "b": (0o644, 0, 0, 2**33)},
    ),
    Case("T-40 nan", pax((b"mtime", b"nan")) + f(b"a"), refused="mtime is nan"),
    Case(
        "T-41",
        f(b"-\xff\n\x1b[2J\r") + long(b"\xff" * 255),
        {os.fsdecode(b"-\xff\n\x1b[2J\r"): "file x", os.fsdecode(b"\xff" * 255): "file x"},
    ),
)


def for_a_user(case: Case) -> Case:
    """Say what becomes of devices and file capabilities without privileges."""
    tree = {path: "file " if kind[:4] in ("char", "bloc") else kind
            for path, kind in case.tree.items()}  # fmt: skip
    dropped = "the attribute security.capability is dropped"
    warned = ("a device is an empty file here",) if tree != case.tree else (dropped,)
    return replace(
        case, tree=tree, xattrs={path: {} for path in case.xattrs}, warned=warned
    )


def shown(tree: Path, policy: Policy) -> dict[str, str]:
    """Write a tree down: every path below it, and what it is."""
    found: dict[str, str] = {}
    waiting = [b""]
    top = os.open(tree, os.O_RDONLY)
    try:
        while waiting:
            above = waiting.pop()
            handle = os.open(above or b".", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=top)
            try:
                for name in map(os.fsencode, os.listdir(handle)):  # noqa: PTH208  (a handle)
                    path = above + (b"/" if above else b"") + name
                    what = _what(name, handle, policy)
                    found[os.fsdecode(path)] = what
                    if what in ("dir", "opaque"):
                        waiting.append(path)
            finally:
                os.close(handle)
    finally:
        os.close(top)
    return found


def _what(name: bytes, handle: int, policy: Policy) -> str:  # noqa: PLR0911
    status = os.stat(name, dir_fd=handle, follow_symlinks=False)
    major, minor = os.major(status.st_rdev), os.minor(status.st_rdev)
    match stat.S_IFMT(status.st_mode):
        case stat.S_IFLNK:
            target = os.readlink(name, dir_fd=handle).replace(OUT, b"OUT")
            return f"link {os.fsdecode(target)}"
        case stat.S_IFIFO:
            return "fifo"
        case stat.S_IFCHR:
            return "gone" if (major, minor) == (0, 0) else f"char {major}:{minor}"
        case stat.S_IFBLK:
            return f"block {major}:{minor}"
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=handle)
    try:
        marks = os.listxattr(opened)
        if stat.S_ISDIR(status.st_mode):
            opaque = policy.spelling.opaque
            is_opaque = opaque in marks and os.getxattr(opened, opaque) == b"y"
            return "opaque" if is_opaque else "dir"
        if policy.spelling.whiteout in marks:
            return "gone"
        return f"file {os.read(opened, 100).decode(errors='backslashreplace')}"
    finally:
        os.close(opened)
