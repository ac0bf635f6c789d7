"""What volumes and trees of the host mean for a container, from its creation to its end.

    create   names are decided, volumes are made, empty ones get the image's files
    start    trees of the host that -v named are made; then all are hung up, by the plan
    end      the container lets go of them
    remove   unnamed ones go with it, if that was asked for and nobody else has them

Source: moby, daemon/{create_unix,volumes,volumes_unix,mounts}.go.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from pyminidock.container import mountpoints
from pyminidock.container.faults import refusal
from pyminidock.container.spec import ContainerSpec, CreateRequest, ImageConfig
from pyminidock.engine import volumes
from pyminidock.engine.house import House
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import (
    Emit,
    HostDirectoryMade,
    VolumeCreated,
    VolumeMounted,
    VolumePopulated,
    VolumeRemoved,
    VolumeUnmounted,
    ignore,
)
from pyminidock.kernel.port import NotHere, Tree, View
from pyminidock.layers.snapshots import Snapshot
from pyminidock.store.failpoints import reach
from pyminidock.store.files import telling_full
from pyminidock.store.volumes import FILL
from pyminidock.volume.options import LocalOptions, read_options, why_not
from pyminidock.volume.points import SHARED, SLAVE, MountPoint, decide, inherit, meets
from pyminidock.volume.populate import Copied, copy_tree, move_in

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_STAGED = "tmp-fill"


class PlaceIsFile(MinidockError):
    """A volume shall hang where the image has a file."""

    status = 500


class VolumeUnusable(MinidockError):
    """A volume is of a kind that no container can use here."""

    status = 500


# ── Create ───────────────────────────────────────────────────────────────────────────────


def furnish(  # noqa: PLR0913, PLR0917  (what was asked, of what, for whom, who hears and undoes)
    house: House, request: CreateRequest, image: ImageConfig, container: str,
    snapshot: Snapshot, voice: Emit, undo: ExitStack,
) -> tuple[MountPoint, ...]:  # fmt: skip
    """Decide what hangs where, make the volumes that are missing, fill the empty ones.

    Raises VolumeNameRefused, NoSuchDriver, VolumeOptionRefused, PlaceIsFile, StoreFull.
    """
    undo.callback(house.volumes.let_go, container)
    decided = decide(
        mountpoints.unnamed_points(request, image), _inherited(house, request),
        mountpoints.asked_points(request), mountpoints.places_in_memory(request),
    )  # fmt: skip
    if not decided:
        return ()
    decided = tuple(_spreading(house, request, point) for point in decided)
    view = _View(house, snapshot)
    try:
        asked = {point.target for point in mountpoints.asked_points(request)}
        points = tuple(
            _had(house, request, point, container, voice, undo, asked)
            if point.kind == "volume" else point
            for point in decided
        )  # fmt: skip
        for point in points:
            if point.kind == "volume" and point.takes_files:
                view.refuse_file(point.target, is_named=point.target in asked)
        for point in points:
            if point.kind == "volume" and point.takes_files:
                _fill(house, view, point, voice)
    finally:
        view.close()
    return points


def _spreading(house: House, request: CreateRequest, point: MountPoint) -> MountPoint:
    """Decide how mounts spread: not at all, unless the engine's own tree lies there.

    Else a container would hold on to what the engine mounts and unmounts.
    Raises RequestRefused.  Source: moby, daemon/mounts.go, validateBindDaemonRoot().
    """
    root, said = str(house.root), point.propagation
    if point.kind != "bind":
        return point
    if not meets(point.source, root):
        return replace(point, propagation=said or "rprivate")
    if said not in ("", "rslave", "rshared"):
        raise refusal(
            request,
            'invalid mount config: must use either propagation mode "rslave" or "rshared" '
            f'when mount source is within the daemon root, daemon root: "{root}", bind '
            f'mount source: "{point.source}", propagation: "{said}"',
            "a private copy of the engine's mounts would keep them when it lets go",
            lesson="mounts",
        )  # fmt: skip
    return replace(point, propagation=said or "rslave", is_guarded=not said)


def _inherited(house: House, request: CreateRequest) -> Iterator[MountPoint]:
    for name, mode in mountpoints.volumes_from(request):
        yield from inherit(house.kept(house.life(name).id).spec.points, mode)


def _had(  # noqa: PLR0913, PLR0917  (as above)
    house: House, request: CreateRequest, point: MountPoint, container: str, voice: Emit,
    undo: ExitStack, asked: set[str],
) -> MountPoint:  # fmt: skip
    """Give a point whose volume is there, and has a name."""
    is_new_name = not point.name
    name = point.name or house.kernel.new_id()
    wish = mountpoints.wish_of(request, point.target) if point.target in asked else None
    labels = dict(wish.labels) if wish else {}
    if is_new_name:
        labels[volumes.ANONYMOUS] = ""
    options = dict(wish.driver.options) if wish and wish.driver else {}
    if is_new_name:
        undo.callback(_discard, house, name, container)
    row, is_new = volumes.have(
        house, name, driver=point.driver, options=options, labels=labels,
        container=container,
    )  # fmt: skip
    if is_new:
        voice(VolumeCreated(name, "local", is_new_name))
    return replace(
        point, name=row.name, source=str(house.store.volumes.data(row.name)),
        driver="local",
    )  # fmt: skip


def _discard(house: House, name: str, container: str) -> None:
    """Undo the making of a volume that nobody named."""
    house.volumes.let_go(container)
    with suppress(volumes.NoSuchVolume, volumes.VolumeInUse):
        volumes.discard(house, name)


class _View:
    """The container's tree as its image has it; opened when somebody asks."""

    def __init__(self, house: House, snapshot: Snapshot) -> None:
        self._house, self._snapshot = house, snapshot
        self._view: View | None = None
        self._is_blind = False

    def open(self, path: str) -> int:
        """Open a directory; -1 where there is none.  Raises NotADirectoryError."""
        with suppress(FileNotFoundError):
            view = self._opened()
            if view is not None:
                return view.open(os.fsencode(path), os.O_RDONLY | os.O_DIRECTORY)
        return -1

    def refuse_file(self, path: str, *, is_named: bool) -> None:
        """Refuse a place at which the image has a file.  Raises PlaceIsFile."""
        try:
            handle = self.open(path)
        except NotADirectoryError as fault:
            place = f"{self._snapshot.target}{path}"
            raise PlaceIsFile(
                f"source {place} is not directory"
                if is_named
                else f"cannot mount volume over existing file, file exists {place}",
                why="a volume is a directory, and a directory cannot cover a file",
                try_next="docker run --volume NAME:/another/place",
                lesson="volumes",
            ) from fault
        if handle >= 0:
            os.close(handle)

    def _opened(self) -> View | None:
        if self._view is None and not self._is_blind:
            one = self._snapshot
            try:
                self._view = self._house.kernel.view(
                    Tree(one.lower, one.upper, one.work, one.target, ())
                )
            except NotHere:
                self._is_blind = True
        return self._view

    def close(self) -> None:
        if self._view is not None:
            self._view.close()


def _fill(house: House, view: _View, point: MountPoint, voice: Emit) -> None:
    """Copy what the image has at a place into the volume, if that is empty."""
    place = house.store.volumes.data(point.name).parent
    row = volumes.row_of(house, point.name)
    if row.options:
        return
    with house.volumes.filling, telling_full(house.root):
        if any((place / "_data").iterdir()):
            return
        try:
            source = view.open(point.target)
        except NotADirectoryError:
            return
        if source < 0:
            return
        try:
            copied = fill_from(house, source, place)
        finally:
            os.close(source)
    if copied.files:
        told = VolumePopulated(point.name, point.target, copied.files, copied.size_bytes)
        voice(told)


def fill_from(house: House, source: int, place: Path) -> Copied:
    """Copy an open directory into the empty volume whose directory is `place`.

    Whatever interrupts it: the volume is empty, or all is in it.  Raises OSError.
    """
    staged = place / _STAGED
    house.store.remove_tree(staged)
    try:
        staged.mkdir(0o700)
        target = os.open(staged, _DIRECTORY)
        try:
            copied = copy_tree(source, target)
        finally:
            os.close(target)
        reach("volume.copied")
        house.kernel.sync(place)
        staged.rename(place / FILL)
        house.store.files.sync_directory(place)
        reach("volume.filling")
    except OSError:
        house.store.remove_tree(staged)
        raise
    finish_fill(house, place)
    reach("volume.filled")
    return copied


def finish_fill(house: House, place: Path) -> bool:
    """Move a complete copy into its volume; False: there is none."""
    house.store.remove_tree(place / _STAGED)
    try:
        staged = os.open(place / FILL, _DIRECTORY)
    except FileNotFoundError:
        return False
    try:
        target = os.open(place / "_data", _DIRECTORY)
        try:
            move_in(staged, target)
        finally:
            os.close(target)
    finally:
        os.close(staged)
    house.store.remove_tree(place / FILL)
    return True


def finish_fills(house: House) -> Iterator[str]:
    """Move what an earlier engine had copied into its volume; name those volumes."""
    for row in house.store.volumes.all():
        if finish_fill(house, house.store.volumes.data(row.name).parent):
            yield row.name


# ── Start and end ────────────────────────────────────────────────────────────────────────


def ready(house: House, spec: ContainerSpec, voice: Emit = ignore) -> ContainerSpec:
    """Give the spec with trees that are there: those of -v are made, if they are missing.

    Raises VolumeUnusable, OSError.
    """
    return replace(spec, points=tuple(_real(house, each, voice) for each in spec.points))


def _real(house: House, point: MountPoint, voice: Emit) -> MountPoint:
    if fault := mountpoints.fault_of_place(point):
        raise _unusable(
            fault, "what hangs there could hide what has to stay hidden",
            "docker run --volume NAME:/another/place",
        )  # fmt: skip
    if point.kind == "bind":
        return _real_bind(house, point, voice)
    options = options_of(house, point.name)
    if fault := why_not(options):
        raise _unusable(
            f"error while mounting volume '{point.source}': {fault}",
            "the engine asks no other machine, and knows no other filesystem",
            f"docker volume inspect {point.name}",
        )
    if point.subpath:
        _check_below(point)
    return replace(point, source=options.device) if options.is_bind else point


def _real_bind(house: House, point: MountPoint, voice: Emit) -> MountPoint:
    if not os.path.lexists(point.source):
        if not point.makes_source:
            raise _unusable(
                'invalid mount config for type "bind": bind source path does not exist: '
                f"{point.source}",
                "--mount shows what is there; -v makes it",
                f"mkdir -p {point.source}",
                status=400,
            )
        Path(point.source).mkdir(0o755, parents=True, exist_ok=True)
        voice(HostDirectoryMade(point.source))
    if point.propagation not in (*SHARED, *SLAVE):
        return point
    found = house.kernel.spread(point.source)
    if found.is_shared or (found.is_slave and point.propagation in SLAVE):
        return point
    if point.is_guarded:
        return replace(point, propagation="rprivate")
    kind = "shared or slave" if point.propagation in SLAVE else "shared"
    raise _unusable(
        f"path {point.source} is mounted on {found.target} but it is not a {kind} mount",
        "only a mount that hands on what is mounted below it can go on doing so",
        f"mount --make-shared {found.target}",
    )


def _check_below(point: MountPoint) -> None:
    """Refuse a part of a volume that is not there; the plan will not leave the volume."""
    whole = f"{point.source}/{point.subpath}"
    if not os.path.lexists(whole):
        raise _unusable(
            f"cannot access path {whole}: lstat {whole}: no such file or directory",
            "a part of a volume is shown, and not made",
            f"docker run --volume {point.name}:/all busybox ls -R /all",
        )


def _unusable(what: str, why: str, try_next: str, *, status: int = 500) -> VolumeUnusable:
    made = VolumeUnusable(what, why=why, try_next=try_next, lesson="volumes")
    made.status = status
    return made


def options_of(house: House, name: str) -> LocalOptions:
    """Say what a volume is made of."""
    row = house.store.volumes.get(name)
    return read_options(name, dict(row.options or ()) if row else {})


def tell_mounted(spec: ContainerSpec, voice: Voice) -> None:
    """Tell that the container is given its volumes."""
    for point in spec.points:
        if point.kind == "volume":
            voice(VolumeMounted(
                point.name, spec.id, point.target, point.driver, point.is_writable,
                point.propagation,
            ))  # fmt: skip


def tell_unmounted(spec: ContainerSpec, voice: Voice) -> None:
    """Tell that it lets go of them."""
    for point in spec.points:
        if point.kind == "volume":
            voice(VolumeUnmounted(point.name, spec.id, point.driver))


# ── Remove ───────────────────────────────────────────────────────────────────────────────


def release(house: House, spec: ContainerSpec, voice: Voice) -> None:
    """Remove the unnamed volumes of a container that is gone, unless others have them."""
    for point in spec.points:
        if point.kind == "volume" and point.is_unnamed:
            with suppress(volumes.NoSuchVolume, volumes.VolumeInUse):
                volumes.discard(house, point.name)
                voice(VolumeRemoved(point.name, point.driver))
