"""Containers as Docker's clients ask for them: each function answers one route.

What starts, stops and removes containers is in `lifecycle`.
"""

from dataclasses import replace

from pyminidock.api.body import read_object
from pyminidock.api.failures import JSON
from pyminidock.api.message import Request, Response
from pyminidock.api.shapes import create_request
from pyminidock.api.streams import document
from pyminidock.engine import run
from pyminidock.engine.house import House
from pyminidock.engine.operations import Via


def create(house: House, request: Request) -> Response:
    """Make a container."""
    body = read_object(request, "runconfig.ContainerConfigWrapper", is_needed=True)
    wish = create_request(body, request.query.get("name", ""))
    wish = replace(wish, platform=request.query.get("platform", ""))
    container = run.create(house, wish, via=via(request))
    warnings = list(house.kept(container).spec.warnings)
    return answer({"Id": container, "Warnings": warnings}, 201)


# ── Reading requests, writing answers ────────────────────────────────────────────────────


def answer(value: object, status: int = 200) -> Response:
    """Answer with one JSON document."""
    return Response(status, (JSON,), document(value, is_escaped=False))


def via(request: Request) -> Via:
    """Tell the story what was asked."""
    return (request.method, request.path)
