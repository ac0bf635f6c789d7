"""Trees from elsewhere: `-v`, `--mount`, `--volumes-from` and the image's VOLUMEs.

Volumes and trees of the host come with a later issue: they are read, checked and shown by
inspect as Docker does, and a start that would need them is refused with one sentence.  A
tree in memory (`--mount type=tmpfs`) is built.  An image's VOLUME must not keep the image
from running: its files stay in the container's own layer, and create says so.

Source: moby, volume/mounts/{linux_parser,validate}.go; daemon/volumes.go.
"""

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pyminidock.container.asked import MountWish
from pyminidock.container.faults import refusal
from pyminidock.container.spec import CreateRequest, ImageConfig
from pyminidock.grammar.binds import check_volume_name, clean, parse_bind
from pyminidock.grammar.tmpfs import TmpfsMount, TmpfsRefused, parse_tmpfs

_PROPAGATIONS = ("private", "rprivate", "slave", "rslave", "shared", "rshared")
_KINDS = ("bind", "volume", "tmpfs")
_MODE = 0o7777


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


def has_to_wait(request: CreateRequest) -> str:
    """Say in one sentence why it cannot be started yet; "" if it can."""
    places = request.places
    others = [mount.kind for mount in places.mounts if mount.kind != "tmpfs"]
    if places.binds or places.volumes or others:
        return (
            "volumes and trees of the host are not built yet; leave out -v and --mount, "
            "or use --tmpfs"
        )
    if places.volumes_from:
        return "volumes are not built yet; leave out --volumes-from"
    return ""


def warnings_of(request: CreateRequest, image: ImageConfig) -> Iterator[str]:
    """Say what an image's VOLUMEs are here."""
    kept = [path for path in image.volumes if clean(path) not in _taken(request)]
    if kept and not has_to_wait(request):
        yield (
            f"{', '.join(kept)}: volumes of the image are not built yet, what is written "
            "there stays in the container's own layer"
        )


def _taken(request: CreateRequest) -> set[str]:
    return {clean(place) for place, _ in request.tmpfs} | {
        clean(mount.target) for mount in request.places.mounts
    }


def mount_rows(request: CreateRequest, volumes: Iterable[str]) -> list[dict[str, Any]]:
    """Tell each place as inspect does, sorted by place; volumes have no directory yet."""
    rows: dict[str, dict[str, Any]] = {}
    for text in request.places.binds:
        bind = parse_bind(text)
        row = _row(bind.target, bind.mode, bind.is_writable, bind.propagation)
        if bind.is_of_host:
            rows[bind.target] = {"Type": "bind", "Source": bind.source} | row
        else:
            rows[bind.target] = _volume(bind.source, row | {"Mode": bind.mode or "z"})
    for mount in request.places.mounts:
        target, is_writable = clean(mount.target), not mount.is_readonly
        if mount.kind == "bind":
            spread = (mount.bind.propagation if mount.bind else "") or "rprivate"
            row = _row(target, "", is_writable, spread)
            rows[target] = {"Type": "bind", "Source": mount.source} | row
        elif mount.kind == "tmpfs":
            row = _row(target, "", is_writable, "")
            rows[target] = {"Type": "tmpfs", "Source": ""} | row
        else:
            rows[target] = _volume(mount.source, _row(target, "z", is_writable, ""))
    for place in volumes:
        rows.setdefault(place, _volume("", _row(place, "", True, "")))
    return [rows[place] for place in sorted(rows)]


def _row(target: str, mode: str, is_writable: bool, spread: str) -> dict[str, Any]:
    return {"Destination": target, "Mode": mode, "RW": is_writable, "Propagation": spread}


def _volume(name: str, row: dict[str, Any]) -> dict[str, Any]:
    place, rest = {"Destination": row.pop("Destination")}, row
    return (
        {"Type": "volume", "Name": name, "Source": ""} | place | {"Driver": "local"} | rest
    )


def sources_of(request: CreateRequest) -> tuple[str, ...]:
    """Name the host's trees that have to exist at create: those of --mount."""
    return tuple(
        posixpath.normpath(mount.source)
        for mount in request.places.mounts
        if mount.kind == "bind"
    )
