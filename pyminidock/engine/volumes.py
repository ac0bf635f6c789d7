"""The verbs of volumes: create, inspect, list, remove, prune, and what they take up.

    create     a volume that is there already is given as it is, whatever was asked
    remove     only what no container has, running or not
    prune      what nobody has: without a name, or with all=1 all of them

Nothing is removed that nobody named, or whose container was not removed with its volumes.

Source: moby, volume/service/{service,store}.go, daemon/prune.go; Docker Engine API v1.45.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pyminidock.engine import volumemounts
from pyminidock.engine.document import Document, moment
from pyminidock.engine.filters import FilterRefused, Filters
from pyminidock.engine.house import House
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import VolumeCreated, VolumeRemoved, VolumesPruned
from pyminidock.grammar.binds import VolumeNameRefused, check_volume_name
from pyminidock.layers.sizes import size_of_tree
from pyminidock.store.volumes import Pairs, VolumeRow
from pyminidock.volume.options import read_options
from pyminidock.volume.points import volumes_of

_LONGEST = 255
ANONYMOUS = "com.docker.volume.anonymous"
LIST_FILTERS = ("dangling", "driver", "label", "name")
PRUNE_FILTERS = ("all", "label", "label!")
LOCAL = ("", "local")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}")  # of what a journal may be named


class NoSuchVolume(MinidockError):
    """There is no volume of this name."""

    status = 404


class NoSuchDriver(MinidockError):
    """Nobody here makes volumes of this kind."""

    status = 404


class VolumeInUse(MinidockError):
    """A container has the volume, running or not."""

    status = 409


class PruneRuns(MinidockError):
    """Another prune is going on."""

    status = 409


# ── Create, inspect, list ────────────────────────────────────────────────────────────────


def create(  # noqa: PLR0913  (what Docker's body says)
    house: House, name: str, *, driver: str = "", options: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None, via: Via = NOBODY,
) -> Document:  # fmt: skip
    """Make a volume, or give the one there is.

    Raises VolumeNameRefused, NoSuchDriver, VolumeOptionRefused, StoreFull.
    """
    is_unnamed = not name
    name = name or house.kernel.new_id()
    if is_unnamed:
        labels = {**(labels or {}), ANONYMOUS: ""}
    with _telling(house, name, "create", via) as voice:
        row, is_new = have(house, name, driver=driver, options=options, labels=labels)
        if is_new:
            voice(VolumeCreated(name, "local", is_unnamed))
    return document(house, row)


def have(  # noqa: PLR0913  (as above)
    house: House, name: str, *, driver: str = "", options: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None, container: str = "",
) -> tuple[VolumeRow, bool]:  # fmt: skip
    """Give a volume, and whether it was made for that; hold it for `container`.

    Raises as `create`.
    """
    if driver not in LOCAL:
        raise NoSuchDriver(
            f"create {name}: error looking up volume plugin {driver}: plugin"
            f' "{driver}" not found',
            why="this engine has one driver for volumes, local, and no plugins",
            try_next=f"docker volume create {name}",
            lesson="volumes",
        )
    with house.volumes.guard:
        if container:
            house.volumes.hold(container, name)
        found = house.store.volumes.get(name)
        if found is not None:
            return found, False
        _check_name(name)
        read_options(name, options or {})
        row = VolumeRow(
            name, house.kernel.wall(), _pairs(labels) or None, _pairs(options) or None
        )
        house.store.volumes.add(row)
    return row, True


def _check_name(name: str) -> None:
    """Refuse what no volume, or no directory, can be called.  Raises VolumeNameRefused."""
    check_volume_name(name)
    if len(name) > _LONGEST:
        raise VolumeNameRefused(
            f"create {name}: file name too long",
            why=f"a volume is a directory, whose name has {_LONGEST} bytes at most",
            try_next=f"docker volume create {name[:32]}",
            lesson="volumes",
        )


def _pairs(told: Mapping[str, str] | None) -> Pairs:
    return tuple(sorted((told or {}).items()))


def inspect(house: House, name: str) -> Document:
    """Tell of one volume.  Raises NoSuchVolume."""
    return document(house, row_of(house, name))


def row_of(house: House, name: str) -> VolumeRow:
    """Give the row of a volume.  Raises NoSuchVolume."""
    row = house.store.volumes.get(name) if name.isascii() else None
    if row is None:
        raise NoSuchVolume(
            f"get {name[:200]}: no such volume",
            why="a volume is known by its whole name, and there is none of this name",
            try_next="docker volume ls",
            lesson="volumes",
        )
    return row


def document(house: House, row: VolumeRow) -> Document:
    """Tell of a volume as Docker does."""
    return {
        "CreatedAt": moment(int(row.created_wall)),
        "Driver": "local",
        "Labels": None if row.labels is None else dict(row.labels),
        "Mountpoint": str(house.store.volumes.data(row.name)),
        "Name": row.name,
        "Options": None if row.options is None else dict(row.options),
        "Scope": "local",
    }


def list_(house: House, said: Mapping[str, Any] | None = None) -> Document:
    """List the volumes that pass the filters, by name.  Raises FilterRefused."""
    filters = Filters(said or {}, LIST_FILTERS)
    tests = tuple(_tests(house, filters))
    rows = [row for row in house.store.volumes.all() if all(test(row) for test in tests)]
    return {"Volumes": [document(house, row) for row in rows], "Warnings": None}


def _tests(house: House, filters: Filters) -> Iterator[Callable[[VolumeRow], bool]]:
    if filters.has("name"):
        patterns = [_compiled(each) for each in filters.values("name")]
        yield lambda row: any(p.search(row.name) for p in patterns)
    if filters.has("driver"):
        yield lambda row: "local" in filters.values("driver")
    if filters.has("label"):
        yield lambda row: filters.allows(row.labels or (), 0, 0.0)
    is_dangling = filters.flag("dangling")
    if is_dangling is not None:
        used = used_by(house)
        yield lambda row: (row.name not in used) is is_dangling


def _compiled(pattern: str) -> re.Pattern[str]:
    """Read a name as Docker does: a pattern, or at least a part of the name."""
    try:
        return re.compile(pattern)
    except re.error:
        return re.compile(re.escape(pattern))


# ── Who has which ────────────────────────────────────────────────────────────────────────


def used_by(house: House) -> dict[str, list[str]]:
    """Give the containers of each volume that anybody has, oldest first."""
    found: dict[str, list[str]] = {}
    for life in house.lives():
        for name in sorted(volumes_of(house.kept(life.id).spec.points)):
            found.setdefault(name, []).append(life.id)
    return found


def users_of(house: House, name: str) -> list[str]:
    """Name the containers that have a volume, or are being made with it."""
    known = used_by(house).get(name, [])
    return [*known, *sorted(house.volumes.holders(name) - set(known))]


# ── Remove, prune ────────────────────────────────────────────────────────────────────────


def remove(house: House, name: str, *, force: bool = False, via: Via = NOBODY) -> None:
    """Remove a volume with its data; `force`: one that is not there is no mistake.

    Raises NoSuchVolume, VolumeInUse.
    """
    if force and house.store.volumes.get(name) is None:
        return
    with _telling(house, name, "remove", via) as voice:
        if discard(house, name):
            voice(VolumeRemoved(name, "local"))


def discard(house: House, name: str) -> bool:
    """Remove a volume that nobody has; False: it went meanwhile.

    Raises NoSuchVolume, VolumeInUse.
    """
    with house.volumes.guard:
        row_of(house, name)
        users = users_of(house, name)
        if users:
            raise VolumeInUse(
                f"remove {name}: volume is in use - [{', '.join(users)}]",
                why="a container has it, and would start without its data",
                try_next=f"docker rm {users[0][:12]}",
                lesson="volumes",
            )
        volumemounts.unmount(house, name)  # what is mounted there is not ours to remove
        house.store.volumes.remove(name)
    return True


def prune(
    house: House, said: Mapping[str, Any], *, is_everything: bool = False,
    via: Via = NOBODY,
) -> Document:  # fmt: skip
    """Remove what nobody has: unnamed ones, or all.  Raises FilterRefused, PruneRuns.

    `is_everything`: as before API 1.42, where there was no difference.
    """
    filters = Filters(said, PRUNE_FILTERS)
    if is_everything and filters.has("all"):
        raise FilterRefused(
            "conflict: cannot use both 'all' and 'all=1' filters on API < 1.42",
            why="an old client means all volumes anyway",
            try_next="docker volume prune",
            lesson="volumes",
        )
    everything = is_everything or _says_all(filters)
    if not house.volumes.pruning.acquire(blocking=False):
        raise PruneRuns(
            "a prune operation is already running",
            why="two of them would count the same volumes",
            try_next="docker volume prune --force",
            lesson="volumes",
        )
    try:
        with _telling(house, "prune", "prune", via) as voice:
            return _prune(house, filters, voice, everything=everything)
    finally:
        house.volumes.pruning.release()


def _says_all(filters: Filters) -> bool:
    """Read the filter `all` as Docker reads this one alone.  Raises FilterRefused.

    Source: Go, strconv.ParseBool().
    """
    text = filters.one("all")
    if not filters.has("all") or text in ("0", "f", "F", "false", "False", "FALSE"):
        return False
    if text not in ("1", "t", "T", "true", "True", "TRUE"):
        raise filters.refused(
            f"invalid filter 'all': strconv.ParseBool: parsing \"{text[:80]}\": invalid "
            "syntax"
        )
    return True


def _prune(house: House, filters: Filters, voice: Voice, *, everything: bool) -> Document:
    deleted, reclaimed = [], 0
    for row in house.store.volumes.all():
        labels = row.labels or ()
        if row.options or not filters.allows(labels, 0, 0.0):
            continue
        if not everything and ANONYMOUS not in dict(labels):
            continue
        size = size_of(house, row)
        try:
            discard(house, row.name)
        except (VolumeInUse, NoSuchVolume):
            continue
        voice(VolumeRemoved(row.name, "local"))
        deleted.append(row.name)
        reclaimed += size
    voice(VolumesPruned(reclaimed))
    return {"VolumesDeleted": deleted, "SpaceReclaimed": reclaimed}


def size_of(house: House, row: VolumeRow) -> int:
    """Count the bytes in a volume that is a directory of the engine."""
    try:
        return size_of_tree(house.store.volumes.data(row.name))
    except FileNotFoundError:
        return 0


def usage(house: House) -> list[Document]:
    """Tell of each volume how large it is, and how many containers have it."""
    used = used_by(house)
    return [
        document(house, row)
        | {"UsageData": {
            "RefCount": len(used.get(row.name, ())), "Size": size_of(house, row),
        }}
        for row in house.store.volumes.all()
        if not row.options  # what another filesystem holds is not the engine's to count
    ]  # fmt: skip


@contextmanager
def _telling(house: House, name: str, verb: str, via: Via) -> Iterator[Voice]:
    """Give the voice of one deed on a volume; its story is the volume's.

    A story is a file: a name that no volume can have names none.
    """
    is_name = _NAME.fullmatch(name) is not None
    story = f"volume-{name if is_name else house.kernel.new_id()[:12]}"
    house.recorder.story(story, f"volume {verb} {name[:64]}")
    try:
        with operation(house, story, verb, via) as voice:
            yield voice
    finally:
        house.recorder.end(story)
