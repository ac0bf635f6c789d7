"""A container becomes an image, as Docker's clients ask for it: `docker commit`.

    POST  /commit?container=N&repo=R&tag=T&author=A&comment=C&changes=I&pause=1

The body may hold a configuration; without one, or with none of its fields, the container's
own is meant.
"""

from collections.abc import Mapping
from typing import Any

from pyminidock.api.body import read_object
from pyminidock.api.containers import answer, via
from pyminidock.api.failures import BadRequest
from pyminidock.api.images import new_named
from pyminidock.api.message import Request, Response
from pyminidock.engine import committing
from pyminidock.engine.house import House
from pyminidock.image.document import CONFIG_FIELDS


def commit(house: House, request: Request) -> Response:
    """Make an image of a container, and give its id."""
    config = _config(request)
    name = new_named(request)
    container = request.query.get("container", "")
    if not container:
        raise BadRequest(
            'invalid name or ID supplied: ""',
            why="the query says which container becomes an image",
            try_next="container=NAME",
        )
    query = request.query
    wish = committing.Wish(
        name, query.get("author", ""), query.get("comment", ""), config,
        request.every("changes"), pauses=request.says("pause", "1") or not query["pause"],
    )  # fmt: skip
    image = committing.commit(house, container, wish, via=via(request))
    return answer({"Id": image}, 201)


def _config(request: Request) -> Mapping[str, Any] | None:
    """Read the configuration in the body; None if there is none."""
    if request.body.strip() in (b"", b"null"):
        return None
    body = read_object(request, "runconfig.ContainerConfigWrapper")
    found = {name: body.get(name) for name in CONFIG_FIELDS if body.get(name) is not None}
    for name in ("Cmd", "Entrypoint"):  # one word may come without its list
        if isinstance(found.get(name), str):
            found[name] = [found[name]]
    return found or None
