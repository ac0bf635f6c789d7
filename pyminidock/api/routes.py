"""The table of Docker's routes, and the pure function from request to response.

    POST /v1.45/containers/create?name=web
         └─┬──┘└────────┬────────┘
        version   matched from top to bottom; what no row names is "page not found"

Each row names the function that answers it.  A function takes the house, the request and
the words in braces (with a star they may hold slashes), asks one story of the engine, and
puts the answer into Docker's shape.
"""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

import pyminidock
from pyminidock.api import (
    archive,
    attach,
    build,
    commit,
    containers,
    elsewhere,
    events,
    execs,
    images,
    lifecycle,
    listing,
    logs,
    minidock,
    networks,
    processes,
    system,
    tracing,
    volumes,
)
from pyminidock.api.failures import BadRequest, PageNotFound, answered
from pyminidock.api.message import Request, Response
from pyminidock.api.system import NEWEST, OLDEST, spell
from pyminidock.engine.house import House

Answer = Callable[..., Response]  # (house, request, *words in braces)

ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/_ping", system.ping),
    ("HEAD", "/_ping", system.ping),
    ("GET", "/version", system.version),
    ("GET", "/info", system.info),
    ("GET", "/system/df", system.usage),
    ("GET", "/events", events.events),
    ("POST", "/containers/create", containers.create),
    ("GET", "/containers/json", listing.list_),
    ("GET", "/containers/buildx_buildkit_{id}/json", elsewhere.buildkit),
    ("GET", "/containers/{id*}/json", listing.inspect_),
    ("POST", "/containers/{id*}/update", listing.update),
    ("POST", "/containers/prune", listing.prune),
    ("POST", "/containers/{id*}/start", lifecycle.start),
    ("POST", "/containers/{id*}/stop", lifecycle.stop),
    ("POST", "/containers/{id*}/restart", lifecycle.restart),
    ("POST", "/containers/{id*}/kill", lifecycle.kill),
    ("POST", "/containers/{id*}/pause", lifecycle.pause),
    ("POST", "/containers/{id*}/unpause", lifecycle.unpause),
    ("POST", "/containers/{id*}/rename", lifecycle.rename),
    ("POST", "/containers/{id*}/attach", attach.attach),
    ("GET", "/containers/{id*}/attach/ws", attach.websocket),
    ("POST", "/containers/{id*}/wait", lifecycle.wait),
    ("GET", "/containers/{id*}/logs", logs.read),
    ("POST", "/containers/{id*}/resize", attach.resize),
    ("DELETE", "/containers/{id*}/checkpoints/{name}", elsewhere.checkpoint),
    ("DELETE", "/containers/{id*}", lifecycle.remove),
    ("HEAD", "/containers/{id*}/archive", archive.stat),
    ("GET", "/containers/{id*}/archive", archive.read),
    ("PUT", "/containers/{id*}/archive", archive.write),
    ("POST", "/containers/{id*}/exec", execs.create),
    ("POST", "/exec/{id}/start", execs.start),
    ("POST", "/exec/{id}/resize", execs.resize),
    ("GET", "/exec/{id}/json", execs.inspect_),
    ("GET", "/containers/{id*}/export", archive.export),
    ("GET", "/containers/{id*}/changes", archive.changes),
    ("GET", "/containers/{id*}/top", processes.top),
    ("GET", "/containers/{id*}/stats", processes.stats),
    ("GET", "/images/json", images.list_),
    ("POST", "/images/load", images.load),
    ("GET", "/images/get", images.save),
    ("POST", "/images/create", images.create),
    ("POST", "/images/prune", images.prune),
    ("GET", "/images/{name*}/json", images.inspect_),
    ("GET", "/images/{name*}/history", images.history),
    ("GET", "/images/{name*}/get", images.save),
    ("POST", "/images/{name*}/tag", images.tag),
    ("DELETE", "/images/{name*}", images.remove),
    ("GET", "/networks", networks.list_),
    ("GET", "/networks/", networks.list_),
    ("GET", "/networks/{id*}", networks.inspect_),
    ("POST", "/networks/create", networks.create),
    ("POST", "/networks/prune", networks.prune),
    ("POST", "/networks/{id*}/connect", networks.connect),
    ("POST", "/networks/{id*}/disconnect", networks.disconnect),
    ("DELETE", "/networks/{id*}", networks.remove),
    ("POST", "/commit", commit.commit),
    ("POST", "/build", build.post),
    ("POST", "/build/prune", build.prune),
    ("POST", "/minidock/builds", build.open_story),
    ("GET", "/minidock/cache", build.explain),
    ("GET", "/minidock/doctor", minidock.doctor),
    ("GET", "/minidock/stories", minidock.stories),
    ("GET", "/minidock/stories/{name}", minidock.story),
    ("GET", "/minidock/events", minidock.events),
    ("GET", "/minidock/gates", minidock.gates),
    ("POST", "/minidock/gates", minidock.gate),
    ("POST", "/minidock/gates/{id}/{order}", minidock.order),
    ("DELETE", "/minidock/gates/{id}", minidock.remove_gate),
    ("POST", "/minidock/plan", minidock.plan),
    ("POST", "/minidock/flag", minidock.flag),
    ("GET", "/minidock/networks", minidock.network_map),
    ("GET", "/minidock/containers/{id}/isolation", minidock.isolation),
    ("GET", "/minidock/containers/{id}/written", minidock.written_by),
    ("GET", "/minidock/containers/{id}/lookup", minidock.lookup),
    ("GET", "/minidock/containers/{id}/survives", minidock.survives),
    ("GET", "/minidock/images", minidock.image_tree),
    ("GET", "/minidock/images/{name*}/layers", minidock.image_layers),
    ("GET", "/minidock/images/{name*}/diff", minidock.image_diff),
    ("POST", "/minidock/network/trace", tracing.trace),
    ("POST", "/minidock/bootstrap", minidock.bootstrap),
    *volumes.ROUTES,
    *elsewhere.ROUTES,
)


@dataclass(frozen=True, slots=True)
class _Route:
    path: re.Pattern[str]
    answer: Answer


def _first_word(path: str) -> str:
    """Give what stands between the first two slashes: no row has braces there."""
    return path[1:].partition("/")[0]


def _compiled(path: str, answer: Answer) -> _Route:
    """Turn words in braces into groups that hold no slash, or with a star may hold some."""
    pattern = re.sub(r"\{\w+\*\}", "(.+)", path)
    return _Route(re.compile(re.sub(r"\{\w+\}", "([^/]+)", pattern)), answer)


class Router:
    """Answers requests about one house; `shutdown` is called when a client asks for it."""

    def __init__(self, house: House, *, shutdown: Callable[[], None] | None = None) -> None:
        self._house, self._shutdown = house, shutdown or house.close
        self._routes: dict[tuple[str, str], list[_Route]] = {}
        for method, path, answer in ROUTES:  # in their order below each first word
            key = (method, _first_word(path))
            self._routes.setdefault(key, []).append(_compiled(path, answer))

    def handle(self, request: Request) -> Response:
        """Answer one request; refusals are answers, too."""
        response = answered(self._answer, request)
        return replace(response, headers=(*_EVERYWHERE, *response.headers))

    def _answer(self, request: Request) -> Response:
        if (clean := _clean(request.path)) != request.path:
            return _moved(request, clean)
        request = _unversioned(request)
        if request.method == "OPTIONS":
            return Response(200)
        if (request.method, request.path) == ("POST", "/minidock/shutdown"):
            self._shutdown()
            return Response(200)
        for route in self._routes.get((request.method, _first_word(request.path)), ()):
            found = route.path.fullmatch(request.path)
            if found:
                return route.answer(self._house, request, *found.groups())
        raise PageNotFound()


_EVERYWHERE = (
    ("Api-Version", spell(NEWEST)),
    ("Docker-Experimental", "false"),
    ("Ostype", "linux"),
    ("Server", f"Docker/{pyminidock.__version__} (linux)"),
)


def _clean(path: str) -> str:
    """Take out of a path what leads nowhere.  Source: gorilla/mux, cleanPath().

    >>> _clean("/containers//web/../web/./json/")
    '/containers/web/json/'
    """
    if "//" not in path and "/." not in path:
        return path
    clean = posixpath.normpath("/" + path.lstrip("/"))
    return f"{clean}/" if path.endswith("/") and clean != "/" else clean


def _moved(request: Request, path: str) -> Response:
    """Send the client where it should have asked, as Docker's router does."""
    pairs = [(name, value) for name in request.query for value in request.every(name)]
    query = f"?{urlencode(pairs)}" if pairs else ""
    return Response(301, (("Location", quote(path) + query),))


def _unversioned(request: Request) -> Request:
    """Take the version off the path and note it.  Raises BadRequest, Docker's sentences.

    >>> _unversioned(Request("GET", "/v1.41/_ping")).version
    (1, 41)
    """
    prefix = re.match(r"/v([0-9.]{1,16})(?=/)", request.path)
    if prefix is None:
        return replace(request, version=NEWEST)
    asked = tuple(int(number) for number in prefix[1].split(".") if number)
    if asked < OLDEST:
        raise _unfit(
            f"{prefix[1]} is too old. Minimum supported API version is {spell(OLDEST)}, "
            "please upgrade your client to a newer version"
        )
    if asked > NEWEST:
        raise _unfit(
            f"{prefix[1]} is too new. Maximum supported API version is {spell(NEWEST)}"
        )
    return replace(request, path=request.path[prefix.end() :], version=asked)


def _unfit(what: str) -> BadRequest:
    return BadRequest(
        f"client version {what}",
        why="client and engine have to speak the same version of the API",
        try_next="DOCKER_API_VERSION=1.45 docker version",
    )
