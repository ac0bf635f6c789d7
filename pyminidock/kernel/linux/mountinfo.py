r"""One mount table, as lines of /proc/PID/mountinfo.

    36 35 98:0 /root /target rw,noatime shared:1 - ext3 /dev/root rw,errors=continue
    id parent dev root target flags     tags...    type source    options

Space, tab, line feed and backslash are written as \040, \011, \012 and \134.
Source: man 5 proc_pid_mountinfo.
"""

import os
import re
from pathlib import Path

from pyminidock.kernel.port import MountEntry, MountSpread


def read_mountinfo(pid: int | str) -> tuple[MountEntry, ...]:
    """Read the mount table of a process, in its order.  Raises FileNotFoundError."""
    text = Path(f"/proc/{pid}/mountinfo").read_bytes().decode("utf-8", "surrogateescape")
    return tuple(parse_line(line) for line in text.splitlines() if line)


def parse_line(line: str) -> MountEntry:
    r"""Read one line.

    >>> entry = parse_line(r"36 35 98:0 /r /a\040b rw,nodev master:1 - tmpfs t rw,size=1k")
    >>> entry.target, entry.flags, entry.options
    ('/a b', ('rw', 'nodev'), ('rw', 'size=1k'))
    """
    front, _, back = line.partition(" - ")
    fields = front.split(" ")
    filesystem, source, options = [*back.split(" ", 2), "", ""][:3]
    return MountEntry(
        target=_plain(fields[4]),
        filesystem=filesystem,
        source=_plain(source),
        root=_plain(fields[3]),
        flags=tuple(fields[5].split(",")),
        options=tuple(_plain(option) for option in options.split(",")),
    )


def spread_of(path: str) -> MountSpread:
    """Find the mount in which a path lies.  Raises FileNotFoundError."""
    place = os.path.realpath(path, strict=True)
    found = MountSpread("/")
    for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
        fields = line.decode("utf-8", "surrogateescape").partition(" - ")[0].split(" ")
        target = _plain(fields[4])
        is_above = f"{place}/".startswith(f"{target.rstrip('/')}/")
        if is_above and len(target) >= len(found.target):  # of two, the later covers
            tags = [tag.partition(":")[0] for tag in fields[6:]]
            found = MountSpread(target, "shared" in tags, "master" in tags)
    return found


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
