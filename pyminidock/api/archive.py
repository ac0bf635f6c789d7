"""What goes in and out of a container's files, as Docker's clients ask for it.

    HEAD, GET, PUT  /containers/N/archive?path=P      `docker cp`
    GET             /containers/N/export              `docker export`
    GET             /containers/N/changes             `docker diff`

What is at the path travels in a header, as base64 of JSON; the files as a tar.
"""

import base64
from datetime import UTC, datetime

from pyminidock.api.containers import answer, via
from pyminidock.api.failures import BadRequest
from pyminidock.api.message import Request, Response
from pyminidock.api.squeezing import squeezed
from pyminidock.api.streams import document
from pyminidock.engine import copying, exporting
from pyminidock.engine.house import House
from pyminidock.grammar.gopaths import file_mode
from pyminidock.layers.inside import PathStat

TAR = ("Content-Type", "application/x-tar")
_BYTES = ("Content-Type", "application/octet-stream")


def stat(house: House, request: Request, container: str) -> Response:
    """Tell what is at a path."""
    return Response(200, (_header(copying.stat(house, container, _path(request))),))


def read(house: House, request: Request, container: str) -> Response:
    """Give what is at a path, as an archive."""
    found, pieces = copying.read(house, container, _path(request), via=via(request))
    return squeezed(request, Response(200, (_header(found), TAR), pieces))


def write(house: House, request: Request, container: str) -> Response:
    """Unpack the body into a directory."""
    copying.write(
        house, container, _path(request), request.reader(),
        keeps_kinds=request.says("noOverwriteDirNonDir"),
        takes_owner=request.says("copyUIDGID"), via=via(request),
    )  # fmt: skip
    return Response(200)


def export(house: House, request: Request, container: str) -> Response:
    """Give all files, as an archive."""
    return Response(200, (_BYTES,), exporting.export(house, container, via=via(request)))


def changes(house: House, request: Request, container: str) -> Response:
    """Tell what was changed, added and deleted; null if nothing was."""
    found = exporting.changes(house, container)
    rows = [{"Path": path.decode("utf-8", "replace"), "Kind": kind} for kind, path in found]
    return answer(rows or None)


def _path(request: Request) -> str:
    path = request.query.get("path", "")
    if not path or "\0" in path:
        raise BadRequest(
            "bad parameter: pathcannot be empty",
            why="the query says which path of the container is meant",
            try_next="path=/etc/hosts",
        )
    return path


def _header(found: PathStat) -> tuple[str, str]:
    told = {
        "name": found.name, "size": found.size_bytes, "mode": file_mode(found.mode),
        "mtime": _moment(found.modified_ns), "linkTarget": found.link_target,
    }  # fmt: skip
    text = base64.b64encode(document(told).rstrip(b"\n")).decode("ascii")
    return ("X-Docker-Container-Path-Stat", text)


def _moment(nanoseconds: int) -> str:
    """Write a time as Go does: RFC 3339, as many digits as there are.

    >>> _moment(0), _moment(1_500_000_000)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.5Z')
    """
    whole, rest = divmod(nanoseconds, 10**9)
    text = f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}"
    return text + (f".{rest:09d}".rstrip("0") if rest else "") + "Z"
