"""A tree in memory, as `--tmpfs` spells it: `/run:size=64m,mode=1777`.

Words are mount flags and sit beside Docker's own three, nosuid, nodev and noexec; the last
word of a pair wins, so `exec` takes noexec away.  Options with `=` go to the filesystem,
which is the judge of their values.

Source: moby, daemon/oci_linux.go, withMounts(); moby/sys/mount, MergeTmpfsOptions();
man 5 tmpfs.
"""

import posixpath
from dataclasses import dataclass

from pyminidock.errors import MinidockError

_DEFAULT = ("nosuid", "nodev", "noexec")
# Each pair decides one property; the first word of a pair is no flag but the lack of one.
_PAIRS = (("rw", "ro"), ("suid", "nosuid"), ("dev", "nodev"), ("exec", "noexec"),
          ("atime", "noatime"), ("norelatime", "relatime"),
          ("nostrictatime", "strictatime"))  # fmt: skip
_OPPOSITE = dict(_PAIRS) | {flag: lack for lack, flag in _PAIRS}
_FLAGS = frozenset(flag for _, flag in _PAIRS)
_DATA = ("size", "nr_blocks", "nr_inodes", "mode", "uid", "gid", "mpol")


@dataclass(frozen=True, slots=True)
class TmpfsMount:
    """A tree in memory at `target`; `flags` as in kernel.calls.Mount."""

    target: str
    flags: tuple[str, ...] = ()
    options: str = ""


class TmpfsRefused(MinidockError):
    """The place or an option of --tmpfs cannot be."""

    status = 400


def split_tmpfs(text: str) -> tuple[str, str]:
    """Cut the argument of --tmpfs at its first colon: place and options.

    >>> split_tmpfs("/run:size=64m"), split_tmpfs("/run")
    (('/run', 'size=64m'), ('/run', ''))
    """
    place, _, options = text.partition(":")
    return place, options


def parse_tmpfs(place: str, options: str = "") -> TmpfsMount:
    """Decide the flags and options of one tmpfs.

    >>> parse_tmpfs("/run", "size=64m,mode=1777")
    TmpfsMount(target='/run', flags=('nosuid', 'nodev', 'noexec'), \
options='size=64m,mode=1777')
    >>> parse_tmpfs("/tmp/", "exec,ro").flags
    ('nosuid', 'nodev', 'ro')
    >>> parse_tmpfs("/run", "foo")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.tmpfs.TmpfsRefused: invalid tmpfs option "foo"
    """
    words: dict[str, None] = dict.fromkeys(_DEFAULT)
    data: dict[str, str] = {}
    for option in options.split(",") if options else ():
        name, equals, value = option.partition("=")
        if option in _OPPOSITE:
            words.pop(_OPPOSITE[option], None)
            words[option] = None
        elif equals and name in _DATA:
            data[name] = value
        elif option != "defaults":
            raise _refusal(f'invalid tmpfs option "{name}"', _place(place))
    flags = tuple(word for word in words if word in _FLAGS)
    return TmpfsMount(_place(place), flags, ",".join(f"{n}={v}" for n, v in data.items()))


def _place(text: str) -> str:
    """Give the cleaned path; not the root, and nothing that the engine guards."""
    if not text.startswith("/"):
        raise _refusal(f"invalid mount path: '{text}' mount path must be absolute", "/run")
    # A leading "//" would survive normpath: POSIX gives it a meaning, Linux does not.
    path = posixpath.normpath("/" + text.lstrip("/"))
    if path == "/":
        raise _refusal("invalid specification: destination can't be '/'", "/run")
    if path in ("/dev", "/proc", "/sys") or path.startswith("/proc/"):
        raise _refusal(f"cannot mount on {path}: the engine guards it", "/run")
    return path


def _refusal(what: str, place: str) -> TmpfsRefused:
    return TmpfsRefused(
        what,
        why="a tmpfs has a place of its own, absolute, not /dev, /proc or /sys, and "
        f"options out of {', '.join([*sorted(_OPPOSITE), *_DATA])}",
        try_next=f"minidock run --tmpfs {place}:size=64m busybox true",
        lesson="mounts",
    )
