"""What is known of containers, and what of it can be changed: list, inspect, update, prune.

Reading a query is all that is done here; `engine.listing` and its neighbours know the
answers.
"""

from pyminidock.api.body import read_object
from pyminidock.api.containers import answer, via
from pyminidock.api.images import filters
from pyminidock.api.message import Request, Response
from pyminidock.api.shapes import update_request
from pyminidock.engine import inspect, listing, pruning, updating
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.grammar.numbers import integer


class LimitUnreadable(MinidockError):
    """As Docker has it, this one is the server's fault."""

    status = 500


def list_(house: House, request: Request) -> Response:
    """List those that run, or all."""
    text = request.query.get("limit") or "0"
    try:
        limit = integer(text)
    except ValueError as fault:
        raise LimitUnreadable(
            f'strconv.Atoi: parsing "{text[:80]}": {fault}',
            why="limit is how many containers are listed at most",
            try_next="limit=10",
        ) from None
    asked = listing.Asked(request.says("all"), request.says("size"), limit)
    return answer(listing.list_(house, asked, filters(request)))


def inspect_(house: House, request: Request, container: str) -> Response:
    """Tell everything about one."""
    return answer(inspect.inspect(house, container, size=request.says("size")))


def update(house: House, request: Request, container: str) -> Response:
    """Change its limits or its restart policy."""
    values, policy = update_request(read_object(request, "container.UpdateConfig"))
    warnings = updating.update(house, container, values, policy, via=via(request))
    return answer({"Warnings": warnings or None})


def prune(house: House, request: Request) -> Response:
    """Remove those that do not run."""
    return answer(pruning.prune(house, filters(request), via=via(request)))
