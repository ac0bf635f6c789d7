"""The two ways to the router: as a function, and through a socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

from pyminidock.api.failures import Answers
from pyminidock.api.message import Request, Response
from pyminidock.api.server import serve
from tests.api.studio import WAIT_S
from tests.rawapi import UnixConnection


class OverSocket:
    """Asks through a socket what a router is asked directly elsewhere; see Answers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def handle(self, request: Request) -> Response:
        """Send it, read the whole answer."""
        line = UnixConnection(self._path, WAIT_S)
        try:
            target = quote(request.path, safe="/:*")
            if request.query:
                target += f"?{urlencode(request.query)}"
            line.request(
                request.method, target, request.body, {"Host": "docker", **request.headers}
            )
            answer = line.getresponse()
            return Response(answer.status, tuple(answer.getheaders()), answer.read())
        finally:
            line.close()


@contextmanager
def over_socket(router: Answers, path: Path) -> Iterator[OverSocket]:
    """Serve a router at `path`, and give the way to it."""
    server = serve(router, path)
    try:
        yield OverSocket(path)
    finally:
        server.stop()
