"""How a refusal travels: the error's own status, Docker's sentence, and three of ours.

A stock client prints `message`; ours print what, why and what to try.  A fault of our own
is told as such and never as something that the person did.
"""

import sys
import traceback
from collections.abc import Callable
from typing import Protocol

from pyminidock.api.message import ClientGone, Request, Response
from pyminidock.api.streams import document
from pyminidock.errors import MinidockError

JSON = ("Content-Type", "application/json")


class Answers(Protocol):
    """A router: a pure function from request to response, which may raise."""

    def handle(self, request: Request) -> Response:
        """Answer one request."""


class PageNotFound(MinidockError):
    """No route has this path with this method.  Docker never answers 405."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "page not found",
            why="no route of the engine has this method and path",
            try_next="minidock --help",
        )


class BadRequest(MinidockError):
    """The request cannot be read as what it should be."""

    status = 400


class NotYet(MinidockError):
    """Docker has this, we do not; saying so beats guessing."""

    status = 501


def no_buildkit() -> NotYet:
    """Make the refusal for whoever asks for BuildKit, by whichever of its doors."""
    return NotYet(
        "BuildKit is not spoken here: set DOCKER_BUILDKIT=0",
        why="the client asked for a BuildKit session, a protocol of its own",
        try_next='eval "$(minidock env)"',
    )


def answered(handle: Callable[[Request], Response], request: Request) -> Response:
    """Answer a request, whatever happens: one request must not end the engine."""
    try:
        return handle(request)
    except MinidockError as refusal:
        return failure(refusal)
    except ClientGone:  # no fault of ours, and nobody hears what is said
        return Response(400)
    except Exception as mistake:
        traceback.print_exc(file=sys.stderr)
        return fault(mistake)


def failure(error: MinidockError) -> Response:
    r"""Answer with a refusal.  304 has no body: nothing had to change.

    >>> failure(PageNotFound()).status
    404
    """
    if error.status == 304:
        return Response(304)
    told = {
        "message": error.what,
        "what": error.what,
        "why": error.why,
        "try_next": error.try_next,
        "lesson": error.lesson,
    }
    return Response(error.status, (JSON,), document(told, is_escaped=False))


def fault(error: Exception) -> Response:
    """Answer with a fault of the engine itself; the traceback belongs into its log."""
    what = f"the engine failed: {type(error).__name__}: {error}"
    told = {
        "message": what,
        "what": what,
        "why": "this is a fault of the engine, not of your request",
        "try_next": "read daemon.log in the engine's root directory, and report it",
        "lesson": "",
    }
    return Response(500, (JSON,), document(told, is_escaped=False))
