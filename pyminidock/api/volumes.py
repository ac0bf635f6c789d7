"""Volumes over HTTP: list, create, inspect, remove, prune.

Source: Docker Engine API v1.45, Volume; moby, api/server/router/volume.
"""

from collections.abc import Callable

from pyminidock.api.body import read_object
from pyminidock.api.containers import answer, via
from pyminidock.api.elsewhere import Unavailable
from pyminidock.api.failures import BadRequest
from pyminidock.api.images import filters
from pyminidock.api.message import Request, Response
from pyminidock.engine import volumes
from pyminidock.engine.filters import FilterRefused
from pyminidock.engine.house import House

_ALL_SINCE = (1, 42)  # before that, a prune took the named ones, too


def list_volumes(house: House, request: Request) -> Response:
    """List them."""
    try:
        return answer(volumes.list_(house, filters(request)))
    except (BadRequest, FilterRefused) as refusal:
        if refusal.what == "invalid filter":  # not one of them, but how they are written
            refusal.what = f"error reading volume filters: {refusal.what}"
        raise


def inspect_volume(house: House, request: Request, name: str) -> Response:
    """Tell of one."""
    return answer(volumes.inspect(house, name))


def create_volume(house: House, request: Request) -> Response:
    """Make one, or give the one there is."""
    body = read_object(request, "volume.CreateOptions").within("", "CreateOptions")
    made = volumes.create(
        house, body.text("Name"), driver=body.text("Driver"),
        options=body.mapping("DriverOpts"), labels=body.mapping("Labels"),
        via=via(request),
    )  # fmt: skip
    return answer(made, 201)


def update_volume(house: House, request: Request, name: str) -> Response:
    """Say what Docker says outside a swarm."""
    raise Unavailable(
        "volume update only valid for cluster volumes, but swarm is unavailable",
        why="only a volume of a swarm can be changed after it was made",
        try_next="docker volume ls",
    )


def remove_volume(house: House, request: Request, name: str) -> Response:
    """Remove one."""
    volumes.remove(house, name, force=request.says("force"), via=via(request))
    return Response(204)


def prune_volumes(house: House, request: Request) -> Response:
    """Remove those that nobody has."""
    is_old = request.version < _ALL_SINCE
    return answer(
        volumes.prune(house, filters(request), is_everything=is_old, via=via(request))
    )


ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", "/volumes", list_volumes),
    ("GET", "/volumes/{name*}", inspect_volume),
    ("POST", "/volumes/create", create_volume),
    ("POST", "/volumes/prune", prune_volumes),
    ("PUT", "/volumes/{name*}", update_volume),
    ("DELETE", "/volumes/{name*}", remove_volume),
)
