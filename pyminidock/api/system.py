"""Who answers here: the two questions with which every client begins."""

import pyminidock
from pyminidock.api.failures import JSON
from pyminidock.api.message import Request, Response
from pyminidock.api.streams import document
from pyminidock.engine.house import House

NEWEST = (1, 45)
OLDEST = (1, 24)

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # Go's names, as Docker has them


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
    """Say which engine this is, on which machine; what only Go has stays empty."""
    machine = house.machine
    details = {"Backend": machine.backend, "Root": str(house.root)}
    engine = {"Name": "Engine", "Version": pyminidock.__version__, "Details": details}
    told = {
        "Platform": {"Name": "pyMiniDock"},
        "Components": [engine],
        "Version": pyminidock.__version__,
        "ApiVersion": spell(NEWEST),
        "MinAPIVersion": spell(OLDEST),
        "GitCommit": "",
        "GoVersion": "",
        "Os": "linux",
        "Arch": _ARCHITECTURES.get(machine.arch, machine.arch),
        "KernelVersion": spell(machine.kernel),
        "BuildTime": "",
    }
    return Response(200, (JSON,), document(told))


def spell(numbers: tuple[int, ...]) -> str:
    """Write a version.

    >>> spell(NEWEST)
    '1.45'
    """
    return ".".join(map(str, numbers))
