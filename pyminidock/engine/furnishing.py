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
from pyminidock.engine import volumemounts, volumes
from pyminidock.engine.filling import ImageView, fill
from pyminidock.engine.house import House
from pyminidock.engine.voice import Voice
from pyminidock.engine.volumemounts import unusable
from pyminidock.events import (
    Emit,
    HostDirectoryMade,
    VolumeCreated,
    VolumeMounted,
    VolumeRemoved,
    VolumeUnmounted,
    ignore,
)
from pyminidock.layers.snapshots import Snapshot
from pyminidock.volume.points import SHARED, SLAVE, MountPoint, decide, inherit, meets

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_STAGED = "tmp-fill"


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
    view = ImageView(house, snapshot)
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
                fill(house, view, point, voice)
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


# ── Start and end ────────────────────────────────────────────────────────────────────────


def ready(house: House, spec: ContainerSpec, voice: Emit = ignore) -> ContainerSpec:
    """Give the spec with trees that are there: those of -v are made, if they are missing.

    Raises VolumeUnusable, OSError.
    """
    volumemounts.hold(house, spec.points, spec.id)
    return replace(spec, points=tuple(_real(house, each, voice) for each in spec.points))


def _real(house: House, point: MountPoint, voice: Emit) -> MountPoint:
    if fault := mountpoints.fault_of_place(point):
        raise unusable(
            fault, "what hangs there could hide what has to stay hidden",
            "docker run --volume NAME:/another/place",
        )  # fmt: skip
    if point.kind == "bind":
        return _real_bind(house, point, voice)
    if point.subpath:
        _check_below(point)
    return point


def _real_bind(house: House, point: MountPoint, voice: Emit) -> MountPoint:
    if not os.path.lexists(point.source):
        if not point.makes_source:
            raise unusable(
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
    raise unusable(
        f"path {point.source} is mounted on {found.target} but it is not a {kind} mount",
        "only a mount that hands on what is mounted below it can go on doing so",
        f"mount --make-shared {found.target}",
    )


def _check_below(point: MountPoint) -> None:
    """Refuse a part of a volume that is not there; the plan will not leave the volume."""
    whole = f"{point.source}/{point.subpath}"
    if not os.path.lexists(whole):
        raise unusable(
            f"cannot access path {whole}: lstat {whole}: no such file or directory",
            "a part of a volume is shown, and not made",
            f"docker run --volume {point.name}:/all busybox ls -R /all",
        )


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
