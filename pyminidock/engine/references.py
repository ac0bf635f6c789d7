"""Looks whether other containers and places that a request speaks of are there.

Docker looks at create, so that a name which means nothing is told at once.

Source: moby, daemon/container.go, daemon/volumes.go and runconfig; measured with dockerd
26.1.5.
"""

import os

from pyminidock.container.faults import BAD, refusal
from pyminidock.container.mountpoints import sources_of
from pyminidock.container.spec import CreateRequest
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.image import platform
from pyminidock.image.document import Image
from pyminidock.image.manifest import Platform
from pyminidock.store.records import NoSuchContainer

_WHY = "what is shared has to be there before"
_MODES = ("", "ro", "rw", "z", "Z", "nocopy")


class PlatformDiffers(MinidockError):
    """The image is here, and for another machine than was asked for."""

    status = 404


def check_platform(house: House, request: CreateRequest, image: Image) -> None:
    """Refuse an image for another platform than asked for.  Raises PlatformDiffers."""
    wanted = _platform(house, request)
    actual = platform.normal(Platform(image.os, image.architecture, image.variant))
    if wanted is None or (wanted.os, wanted.architecture) == (
        actual.os,
        actual.architecture,
    ):
        return
    raise PlatformDiffers(
        f"image with reference {request.image} was found but does not match the specified "
        f"platform: wanted {platform.familiar(wanted)}, "
        f"actual: {platform.familiar(actual)}",
        why="programs of one processor do not run on another",
        try_next=f"docker run --platform {platform.familiar(actual)} {request.image}",
        lesson="platforms",
    )


def _platform(house: House, request: CreateRequest) -> Platform | None:
    """Read --platform; None without one.  Raises PlatformMalformed."""
    if not request.platform:
        return None
    here = platform.normal(Platform("linux", house.machine.arch))
    return platform.parse(request.platform, here)


def check_references(house: House, request: CreateRequest) -> None:
    """Refuse a request that speaks of what is not there.

    Raises RequestRefused, PlatformMalformed.
    """
    _platform(house, request)
    for source in sources_of(request):
        if not os.path.lexists(source):
            raise _missing(
                request,
                f'invalid mount config for type "bind": bind source path does not exist: '
                f"{source}",
            )
    for text in request.places.volumes_from:
        name, _, mode = text.partition(":")
        if not text:
            raise _missing(request, "volumes-from specification cannot be an empty string")
        if any(word not in _MODES for word in mode.split(",")):
            raise _missing(request, f"invalid mode: {mode}")
        _find(house, request, name)
    for mode in (request.worlds.pid, request.worlds.ipc):
        kind, _, name = mode.partition(":")
        if kind == "container" and name:
            _find(house, request, name)
    for link in request.reach.links:
        name = link.partition(":")[0]
        _find(house, request, name, f"could not get container for {name}: ")


def _find(house: House, request: CreateRequest, name: str, prefix: str = "") -> None:
    try:
        house.life(name)
    except NoSuchContainer as missing:
        raise _missing(request, f"{prefix}{missing.what}") from missing


def _missing(request: CreateRequest, what: str) -> MinidockError:
    return refusal(request, what, _WHY, lesson="volumes", status=BAD)
