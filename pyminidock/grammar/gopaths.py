"""Paths and modes as Go has them, for they are seen in what Docker answers.

A path may end in "/" or "/.", which means the directory and not a link to it, and then is
not the same path any more; a mode has its type in the high bits.

Source: Go, path/filepath (Clean, Base) and io/fs (FileMode); moby, pkg/archive/copy.go,
PreserveTrailingDotOrSeparator().
"""

import posixpath
import stat

_KINDS = {
    stat.S_IFDIR: 1 << 31, stat.S_IFLNK: 1 << 27, stat.S_IFBLK: 1 << 26,
    stat.S_IFIFO: 1 << 25, stat.S_IFSOCK: 1 << 24, stat.S_IFCHR: 1 << 26 | 1 << 21,
}  # fmt: skip
_BITS = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}


def clean(path: str) -> str:
    """Give the shortest path that means the same, if no link is in it.

    >>> clean("/a//b/../c/"), clean("../x"), clean(""), clean("//")
    ('/a/c', '../x', '.', '/')
    """
    cleaned = posixpath.normpath(path)
    return "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned


def base(path: str) -> str:
    """Give the last name of a path.

    >>> base("/etc/"), base("/etc/."), base("/"), base("")
    ('etc', '.', '/', '.')
    """
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def from_root(path: str) -> str:
    """Give the clean path from the root, with the "/" or "/." that `path` ends in.

    >>> from_root("etc/../tmp/."), from_root("/a/"), from_root("."), from_root("..")
    ('/tmp/.', '/a/', '/.', '/')
    """
    cleaned = clean(f"/{path}")
    if base(path) == ".":
        return cleaned.rstrip("/") + "/."
    if path.endswith("/") and not cleaned.endswith("/"):
        return cleaned + "/"
    return cleaned


def file_mode(mode: int) -> int:
    """Give what Go makes of st_mode.

    >>> hex(file_mode(stat.S_IFLNK | 0o777)), hex(file_mode(stat.S_IFDIR | 0o1777))
    ('0x80001ff', '0x801001ff')
    """
    bits = sum(go for bit, go in _BITS.items() if mode & bit)
    return mode & 0o777 | _KINDS.get(stat.S_IFMT(mode), 0) | bits
