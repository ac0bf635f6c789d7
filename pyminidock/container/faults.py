"""How a request is refused: with Docker's status, and with the line that would work.

Docker answers most faults of a request with 400, some with 500; what it can do and this
engine cannot is 501.  Whatever is refused here is refused before anything is made.
"""

from dataclasses import replace
from typing import Any

from pyminidock.container.commandline import spell_run
from pyminidock.container.spec import CreateRequest
from pyminidock.errors import MinidockError

BAD, FAULT, NOT_BUILT = 400, 500, 501


class RequestRefused(MinidockError):
    """A part of the request cannot be; `status` is Docker's."""

    def __init__(
        self, what: str, *, why: str, try_next: str, lesson: str, status: int
    ) -> None:
        super().__init__(what, why=why, try_next=try_next, lesson=lesson)
        self.status = status


def refusal(
    request: CreateRequest,
    what: str,
    why: str,
    *,
    lesson: str = "flags",
    status: int = BAD,
    **instead: Any,
) -> RequestRefused:
    """Refuse `request`; with the fields of `instead` it would do."""
    return RequestRefused(
        what, why=why, try_next=spell_run(replace(request, **instead)), lesson=lesson,
        status=status,
    )  # fmt: skip
