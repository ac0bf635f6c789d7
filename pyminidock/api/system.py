"""Who answers here, on which machine, and how much of its disk is taken."""

from pyminidock.api.containers import answer
from pyminidock.api.images import sized_twice
from pyminidock.api.message import Request, Response
from pyminidock.engine import info as about
from pyminidock.engine import usage as disk
from pyminidock.engine.house import House

NEWEST = (1, 45)
OLDEST = (1, 24)


def ping(house: House, request: Request) -> Response:
    """Say that somebody is there, and which builder a client may expect."""
    headers = (
        ("Builder-Version", "1"),  # the classic one: "2" would invite BuildKit sessions
        ("Cache-Control", "no-cache, no-store, must-revalidate"),
        ("Pragma", "no-cache"),
        ("Swarm", "inactive"),
        ("Content-Type", "text/plain; charset=utf-8"),
    )
    return Response(200, headers, b"" if request.method == "HEAD" else b"OK")


def version(house: House, request: Request) -> Response:
    """Say which engine this is, on which machine."""
    return answer(about.version(house))


def info(house: House, request: Request) -> Response:
    """Tell everything that `docker info` shows, in the shape of the client's version."""
    told = about.info(house)
    if request.version < (1, 42):
        told["KernelMemory"] = told["KernelMemoryTCP"]
    if request.version < (1, 25):
        told["ExecutionDriver"] = "<not supported>"
        told["SecurityOptions"] = ["seccomp"]
    return answer(told)


def usage(house: House, request: Request) -> Response:
    """Count who takes how much of the disk; `type` may come more than once."""
    types = tuple(filter(None, request.every("type")))
    found = disk.usage(house, types or disk.TYPES)
    sized_twice(request, found.get("Images") or [])
    return answer(found)


def spell(numbers: tuple[int, ...]) -> str:
    """Write a version.

    >>> spell(NEWEST)
    '1.45'
    """
    return ".".join(map(str, numbers))
