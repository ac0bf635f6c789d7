"""Trees from elsewhere: `-v`, `--mount`, `--volumes-from` and the image's VOLUMEs.

What people typed is checked here, with Docker's words, and spelled as `volume.points`; who
wins where two want one place is decided there, and where a volume lies by the engine.

Source: moby, volume/mounts/{linux_parser,validate}.go; daemon/volumes.go.
"""

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pyminidock.container.asked import BindOptions, MountWish, VolumeOptions
from pyminidock.container.faults import refusal
from pyminidock.container.spec import CreateRequest, ImageConfig
from pyminidock.grammar.binds import Bind, check_volume_name, clean, parse_bind
from pyminidock.grammar.tmpfs import TmpfsMount, TmpfsRefused, parse_tmpfs
from pyminidock.volume.points import MountPoint

_PROPAGATIONS = ("private", "rprivate", "slave", "rslave", "shared", "rshared")
_KINDS = ("bind", "volume", "tmpfs")
_MODE = 0o7777
INIT_FAULT = (
    "failed to create task for container: failed to create shim task: OCI runtime create "
    "failed: runc create failed: unable to start container process: error during container "
    "init: "
)


def check_places(request: CreateRequest) -> None:
    """Refuse places that cannot be, and two at one place.

    Raises RequestRefused, BindMalformed, VolumeNameRefused.
    """
    for mount in request.places.mounts:
        _check_mount(request, mount)
    for place, _ in request.tmpfs:
        _check_tmpfs(place)
    taken = [clean(mount.target) for mount in request.places.mounts]
    taken += [parse_bind(text).target for text in request.places.binds]
    taken += {clean(place) for place, _ in request.tmpfs}
    for place, times in Counter(taken).items():
        if times > 1:
            raise refusal(
                request, f"Duplicate mount point: {place}",
                "one place can show one tree only", lesson="mounts",
            )  # fmt: skip


def _check_tmpfs(place: str) -> None:
    """Refuse a place; options are refused at start, as in Docker."""
    if not place.startswith("/") or clean(place) == "/":
        parse_tmpfs(place)


def _check_mount(request: CreateRequest, mount: MountWish) -> None:
    fault = _foreign_options(mount)
    if fault:
        raise _refused_mount(request, fault)
    fault = _fault(mount)
    if fault:
        raise _refused_mount(
            request, f'invalid mount config for type "{mount.kind}": {fault}'
        )
    if mount.kind == "volume" and mount.source:
        check_volume_name(mount.source)


def _refused_mount(request: CreateRequest, what: str) -> Exception:
    return refusal(
        request, what,
        "a --mount has a type (bind, volume, tmpfs), an absolute target, and a source "
        "unless it is of memory",
        lesson="mounts",
    )  # fmt: skip


def _foreign_options(mount: MountWish) -> str:
    """Say which options belong to another type of mount."""
    for name, kind, given in (
        ("BindOptions", "bind", mount.bind),
        ("VolumeOptions", "volume", mount.volume),
        ("TmpfsOptions", "tmpfs", mount.tmpfs),
    ):
        if given is not None and mount.kind in _KINDS and mount.kind != kind:
            return f'{name} must not be specified on mount type "{mount.kind}"'
    return ""


def _fault(mount: MountWish) -> str:  # noqa: PLR0911  (Docker's list of faults, in order)
    """Find the first fault, in Docker's order and words."""
    if not mount.target:
        return "field Target must not be empty"
    if clean(mount.target) == "/" and mount.target.startswith("/"):
        return "invalid specification: destination can't be '/'"
    if mount.kind not in _KINDS:
        return "mount type unknown"
    if not mount.target.startswith("/"):
        return f"invalid mount path: '{mount.target}' mount path must be absolute"
    if mount.kind == "bind":
        return _bind_fault(mount)
    if mount.kind == "tmpfs":
        return "field Source must not be specified" if mount.source else ""
    if not mount.source and mount.is_readonly:
        return "must not set ReadOnly mode when using anonymous volumes"
    below = posixpath.normpath(mount.volume.subpath) if mount.volume else ""
    if below.startswith("/") or below == ".." or below.startswith("../"):
        return "subpath must be a relative path within the volume"
    return ""


def _bind_fault(mount: MountWish) -> str:
    if not mount.source:
        return "field Source must not be empty"
    spread = mount.bind.propagation if mount.bind else ""
    if spread and spread not in _PROPAGATIONS:
        return f"invalid propagation mode: {spread}"
    if not mount.source.startswith("/"):
        return f"invalid mount path: '{mount.source}' mount path must be absolute"
    return ""


def trees_in_memory(request: CreateRequest) -> tuple[TmpfsMount, ...]:
    """Parse each --tmpfs and --mount type=tmpfs; shallow places come first.

    Of two `--tmpfs` for a place the last one wins.
    """
    mounts = {m.target: m for m in (parse_tmpfs(*typed) for typed in request.tmpfs)}
    for wish in request.places.mounts:
        if wish.kind == "tmpfs":
            made = parse_tmpfs(wish.target, _options(wish))
            mounts[made.target] = made
    return tuple(sorted(mounts.values(), key=lambda mount: mount.target.count("/")))


def _options(wish: MountWish) -> str:
    """Spell the options of a --mount as --tmpfs has them.

    Source: moby, volume/mounts/linux_parser.go, ConvertTmpfsOptions().
    """
    words = ["ro"] if wish.is_readonly else []
    if wish.tmpfs and wish.tmpfs.mode:
        words.append(f"mode={wish.tmpfs.mode & _MODE:o}")
    if wish.tmpfs and wish.tmpfs.size_bytes > 0:
        words.append(f"size={_shortest(wish.tmpfs.size_bytes)}")
    return ",".join(words)


def _shortest(size: int) -> str:
    for letter, shift in (("g", 30), ("m", 20), ("k", 10)):
        if size % (1 << shift) == 0:
            return f"{size >> shift}{letter}"
    return str(size)


def fault_in_memory(request: CreateRequest) -> TmpfsRefused | None:
    """Find the first --tmpfs whose place is guarded, or with an option that is none."""
    try:
        trees_in_memory(request)
    except TmpfsRefused as fault:
        return fault
    return None


def asked_points(request: CreateRequest) -> tuple[MountPoint, ...]:
    """Give what -v and --mount ask for, in this order; trees in memory are not here."""
    binds = (_of_bind(parse_bind(text), request) for text in request.places.binds)
    mounts = (_of_mount(m) for m in request.places.mounts if m.kind in ("bind", "volume"))
    return (*binds, *mounts)


def _of_bind(bind: Bind, request: CreateRequest) -> MountPoint:
    if bind.is_of_host:
        return MountPoint(
            "bind", bind.target, posixpath.normpath(bind.source), mode=bind.mode,
            is_writable=bind.is_writable, propagation=_said(bind), makes_source=True,
        )  # fmt: skip
    words = bind.mode.split(",")
    return MountPoint(
        "volume", bind.target, name=bind.source, mode=bind.mode or "z",
        is_writable=bind.is_writable, is_unnamed=not bind.source,
        takes_files="nocopy" not in words,
        driver=request.places.volume_driver or "local",
    )  # fmt: skip


def _said(bind: Bind) -> str:
    """Give how mounts spread if somebody said it."""
    return next((word for word in bind.mode.split(",") if word in _PROPAGATIONS), "")


def _of_mount(wish: MountWish) -> MountPoint:
    target = clean(wish.target)
    if wish.kind == "bind":
        how = wish.bind or BindOptions()
        return MountPoint(
            "bind", target, posixpath.normpath(wish.source),
            is_writable=not wish.is_readonly, propagation=how.propagation,
            is_flat=how.is_flat, makes_source=how.makes_source,
            is_flat_readonly=how.is_flat_readonly,
        )  # fmt: skip
    volume = wish.volume or VolumeOptions()
    driver = volume.driver.name if volume.driver else ""
    return MountPoint(
        "volume", target, name=wish.source, mode="z", is_writable=not wish.is_readonly,
        is_unnamed=not wish.source,
        takes_files=not volume.is_left_empty and not volume.subpath,
        subpath=volume.subpath, driver=driver or "local",
    )  # fmt: skip


def unnamed_points(request: CreateRequest, image: ImageConfig) -> tuple[MountPoint, ...]:
    """Give the places that want a volume of their own: the image's VOLUMEs and `-v /x`."""
    places = {clean(path) for path in (*image.volumes, *request.places.volumes)}
    driver = request.places.volume_driver or "local"
    return tuple(
        MountPoint("volume", place, is_unnamed=True, takes_files=True, driver=driver)
        for place in sorted(places)
    )


_IN_PROC = ("cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg",
            "slabinfo", "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled")  # fmt: skip


def fault_of_place(point: MountPoint) -> str:
    """Say why nothing may be hung up at a place: it could cover a mask.

    Source: runc, libcontainer/rootfs_linux.go, checkProcMount(); CVE-2019-16884.
    """
    inside = point.target.removeprefix("/proc/")
    if point.target == "/proc":
        why = f'"{point.target}" cannot be mounted because it is not of type proc'
    elif inside != point.target and inside not in _IN_PROC:
        why = f'"{point.target}" cannot be mounted because it is inside /proc'
    else:
        return ""
    return (
        f'{INIT_FAULT}error mounting "{point.source}" to rootfs at "{point.target}": '
        f"check proc-safety of {point.target} mount: {why}"
        ": unknown"
    )


def places_in_memory(request: CreateRequest) -> tuple[str, ...]:
    """Name the places of --tmpfs and --mount type=tmpfs."""
    wishes = (mount.target for mount in request.places.mounts if mount.kind == "tmpfs")
    return tuple(clean(place) for place in (*(p for p, _ in request.tmpfs), *wishes))


def wish_of(request: CreateRequest, target: str) -> VolumeOptions | None:
    """Give what --mount says of the volume at a place."""
    for mount in request.places.mounts:
        if mount.kind == "volume" and clean(mount.target) == target:
            return mount.volume
    return None


def volumes_from(request: CreateRequest) -> Iterator[tuple[str, str]]:
    """Give each --volumes-from: the container, and the mode."""
    for text in request.places.volumes_from:
        name, _, mode = text.partition(":")
        yield name, mode


def mount_rows(
    request: CreateRequest, points: Iterable[MountPoint]
) -> list[dict[str, Any]]:
    """Tell each place as inspect does, by place."""
    rows: dict[str, dict[str, Any]] = {}
    for point in points:
        row: dict[str, Any] = {"Type": point.kind}
        if point.kind == "volume":
            row["Name"] = point.name
        row |= {"Source": point.source, "Destination": point.target}
        if point.kind == "volume":
            row["Driver"] = point.driver
        rows[point.target] = row | {
            "Mode": point.mode, "RW": point.is_writable, "Propagation": point.propagation,
        }  # fmt: skip
    for mount in request.places.mounts:
        if mount.kind == "tmpfs":
            target = clean(mount.target)
            rows[target] = {
                "Type": "tmpfs", "Source": "", "Destination": target, "Mode": "",
                "RW": not mount.is_readonly, "Propagation": "",
            }  # fmt: skip
    return [rows[place] for place in sorted(rows)]


def sources_of(request: CreateRequest) -> tuple[str, ...]:
    """Name the host's trees that have to exist at create: those of --mount."""
    return tuple(
        posixpath.normpath(mount.source)
        for mount in request.places.mounts
        if mount.kind == "bind"
    )
