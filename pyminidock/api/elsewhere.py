"""What Docker has and this engine does not: each route of it, with an honest answer.

    registries           pull, push, search, login are refused: what is here was made here
    swarm, nodes, …      Docker's own answer outside a swarm
    plugins              there are none
    checkpoints          Docker's own answer without its experimental features
    BuildKit             is not spoken; the sentence says how to do without

A client that meets "page not found" takes us for another program.  So there is a row for
every route of Docker's API 1.45, and a test that asks dockerd whether one is missing.

Source: moby, api/server/router; measured on Docker Engine 26.1 outside a swarm.
"""

from collections.abc import Callable

from pyminidock.api.body import read_object
from pyminidock.api.containers import answer
from pyminidock.api.failures import JSON, BadRequest, NotYet, no_buildkit
from pyminidock.api.message import Request, Response
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError

Answer = Callable[..., Response]


class Unavailable(MinidockError):
    """There is no swarm to ask."""

    status = 503


class NoSuchPlugin(MinidockError):
    """There is no plugin at all."""

    status = 404


# ── Registries ───────────────────────────────────────────────────────────────────────────


def registry(house: House, request: Request, *words: str) -> Response:
    """Refuse what a registry would have to answer."""
    verb = request.path.rstrip("/").rpartition("/")[2]
    said = {"push": "push", "search": "search", "auth": "login"}.get(verb, "manifest")
    raise NotYet(
        f"docker {said}: registries are not supported yet",
        why="this engine makes and loads images, and asks nobody on the internet",
        try_next="docker load -i FILE, docker build, or minidock bootstrap busybox",
        lesson="registries",
    )


# ── Swarm ────────────────────────────────────────────────────────────────────────────────


def swarm(house: House, request: Request, *words: str) -> Response:
    """Say what Docker says outside a swarm."""
    raise Unavailable(
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join"'
        " to connect this node to swarm and try again.",
        why="this engine is one machine and orchestrates nothing",
        try_next="docker run, or docker compose",
    )


def leave_swarm(house: House, request: Request) -> Response:
    """Say that there is nothing to leave."""
    raise Unavailable(
        "This node is not part of a swarm",
        why="this engine is one machine and orchestrates nothing",
        try_next="docker info",
    )


def enter_swarm(house: House, request: Request) -> Response:
    """Refuse to become a part of one."""
    read_object(request)
    raise NotYet(
        "swarm mode is not supported",
        why="this engine is one machine and orchestrates nothing",
        try_next="docker run, or docker compose",
    )


# ── Plugins, checkpoints, BuildKit, what Go tells of itself ──────────────────────────────


def list_plugins(house: House, request: Request) -> Response:
    """List the plugins, of which there are none."""
    return answer([])


def plugin(house: House, request: Request, name: str) -> Response:
    """Tell that there is no such plugin."""
    raise NoSuchPlugin(
        f'plugin "{name[:200]}" not found',
        why="this engine has no plugins, and no way to install one",
        try_next="docker plugin ls",
    )


def install_plugin(house: House, request: Request, *words: str) -> Response:
    """Refuse to install one."""
    raise NotYet(
        "plugins are not supported",
        why="what this engine can do is in its own source, to be read",
        try_next="docker plugin ls",
    )


def checkpoint(house: House, request: Request, *words: str) -> Response:
    """Say what Docker says without its experimental features."""
    raise NotYet(
        "This experimental feature is disabled by default. Start the Docker daemon in"
        " experimental mode in order to enable it.",
        why="a process cannot be put aside and continued elsewhere here",
        try_next="docker pause CONTAINER",
    )


def cancel_build(house: House, request: Request) -> Response:
    """Cancel a build of BuildKit's, which has a number; of ours the client hangs up."""
    if not request.query.get("id"):
        raise BadRequest(
            "build ID not provided",
            why="a build that is not BuildKit's is cancelled by hanging up",
            try_next="press Ctrl-C in the build",
        )
    return Response(200, (JSON,))


def buildkit(house: House, request: Request, *words: str) -> Response:
    """Refuse a BuildKit session."""
    raise no_buildkit()


def of_go(house: House, request: Request, *words: str) -> Response:
    """Refuse what dockerd tells of its own process."""
    raise NotYet(
        "this engine is no Go program and has no profile of one",
        why="dockerd shows its own goroutines and memory here",
        try_next="GET /info, or minidock trace ls",
    )


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("POST", "/auth", registry),
    ("GET", "/images/search", registry),
    ("POST", "/images/{name*}/push", registry),
    ("GET", "/distribution/{name*}/json", registry),
    ("GET", "/plugins", list_plugins),
    ("GET", "/plugins/privileges", install_plugin),
    ("GET", "/plugins/{name*}/json", plugin),
    ("DELETE", "/plugins/{name*}", plugin),
    *(("POST", f"/plugins/{{name*}}/{verb}", plugin)
      for verb in ("enable", "disable", "push", "set")),
    *(("POST", f"/plugins/{path}", install_plugin)
      for path in ("pull", "create", "{name*}/upgrade")),
    ("GET", "/containers/{id*}/checkpoints", checkpoint),
    ("POST", "/containers/{id*}/checkpoints", checkpoint),
    ("POST", "/build/cancel", cancel_build),
    ("POST", "/session", buildkit),
    ("POST", "/grpc", buildkit),
    ("GET", "/debug/{name*}", of_go),
    ("POST", "/swarm/init", enter_swarm),
    ("POST", "/swarm/join", enter_swarm),
    ("POST", "/swarm/leave", leave_swarm),
    *(("GET", path, swarm) for path in ("/swarm", "/swarm/unlockkey")),
    *(("POST", path, swarm) for path in ("/swarm/update", "/swarm/unlock")),
    *(("GET", f"/{kind}", swarm)
      for kind in ("nodes", "services", "tasks", "secrets", "configs")),
    *(("GET", f"/{kind}/{{id}}", swarm)
      for kind in ("nodes", "services", "tasks", "secrets", "configs")),
    *(("GET", f"/{kind}/{{id}}/logs", swarm) for kind in ("services", "tasks")),
    *(("POST", f"/{kind}/create", swarm) for kind in ("services", "secrets", "configs")),
    *(("POST", f"/{kind}/{{id}}/update", swarm)
      for kind in ("nodes", "services", "secrets", "configs")),
    *(("DELETE", f"/{kind}/{{id}}", swarm)
      for kind in ("nodes", "services", "secrets", "configs")),
)  # fmt: skip
