"""A tree from elsewhere in a container: what lies where, for reading or writing.

    who asks                                wins over
    image's VOLUME, `-v /x`                 nothing: an unnamed volume where nothing else is
    --volumes-from                          those; of two, the later one
    -v SOURCE:/x, --mount                   all; two of them at one place are refused before

What is decided here is written into the container's record at its creation.  A volume has a
name from then on, also one that nobody named.

Source: moby, daemon/volumes.go, registerMountPoints(); daemon/create_unix.go.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

SHARED = ("shared", "rshared")
SLAVE = ("slave", "rslave")


@dataclass(frozen=True, slots=True)
class MountPoint:
    """One tree from elsewhere, as it was asked for or decided.

    `is_unnamed`: nobody chose the name of the volume; it goes with its container.
    """

    kind: str  # bind, volume
    target: str  # inside, clean
    source: str = ""  # host: the tree of a bind, the _data of a volume
    name: str = ""  # of a volume
    mode: str = ""  # as typed, and as inspect shows it
    is_writable: bool = True
    propagation: str = ""
    is_unnamed: bool = False
    takes_files: bool = False  # those of the image, at its first use
    is_flat: bool = False  # without what is mounted below the source
    is_flat_readonly: bool = False  # what is mounted below stays writable
    makes_source: bool = False  # a missing tree of the host is made, as -v has it
    subpath: str = ""  # the part of the volume that is shown
    driver: str = ""  # of a volume
    is_guarded: bool = False  # the engine's own tree lies in it: slave, if that can be


def decide(
    unnamed: Iterable[MountPoint],
    inherited: Iterable[MountPoint],
    asked: Iterable[MountPoint],
    elsewhere: Iterable[str] = (),
) -> tuple[MountPoint, ...]:
    """Let the stronger one win each place; `elsewhere` are places of trees in memory.

    The parents come before what lies in them, otherwise as they were asked for.

    >>> old = MountPoint("volume", "/data", name="old")
    >>> new = MountPoint("bind", "/data", source="/srv")
    >>> [point.source for point in decide([], [old], [new])]
    ['/srv']
    """
    won: dict[str, MountPoint] = {}
    for point in (*inherited, *asked):
        won.pop(point.target, None)
        won[point.target] = point
    for point in unnamed:
        if point.target not in won and point.target not in elsewhere:
            won[point.target] = point
    return tuple(sorted(won.values(), key=depth))


def depth(point: MountPoint) -> int:
    """Count how deep a place lies."""
    return point.target.count("/")


def inherit(points: Iterable[MountPoint], mode: str) -> Iterator[MountPoint]:
    """Give what --volumes-from takes from another container: all, at most for reading.

    >>> data = MountPoint("volume", "/d", name="d1", takes_files=True)
    >>> [p.is_writable for p in inherit([data], "ro")]
    [False]
    """
    is_writable = "ro" not in mode.split(",")
    for point in points:
        yield replace(
            point, is_writable=point.is_writable and is_writable, takes_files=False,
            mode="",
        )  # fmt: skip


def meets(source: str, root: str) -> bool:
    """Say whether a tree of the host and the engine's own lie one in the other.

    >>> meets("/var", "/var/lib/minidock"), meets("/srv", "/var/lib/minidock")
    (True, False)
    >>> meets("/var/lib/mini", "/var/lib/minidock")
    False
    """
    above, own = (f"{path.rstrip('/')}/" for path in (source, root))
    return own.startswith(above) or above.startswith(own)


def holder(points: Iterable[MountPoint], path: str) -> MountPoint | None:
    """Find the tree from elsewhere in which a clean path lies; None: the container's own.

    >>> data = MountPoint("volume", "/d", name="d1")
    >>> holder([data], "/d/x") is data, holder([data], "/dx")
    (True, None)
    """
    above = [
        point for point in points if f"{path}/".startswith(f"{point.target.rstrip('/')}/")
    ]
    return max(above, key=lambda point: len(point.target), default=None)


def volumes_of(points: Iterable[MountPoint]) -> frozenset[str]:
    """Name the volumes."""
    return frozenset(point.name for point in points if point.kind == "volume")
