"""An archive on its way to a client that takes it compressed.

Docker compresses the archives of `cp`, and nothing else, in the first of two ways that the
client accepts: gzip, deflate (which is raw here, as Go writes it).

Source: moby, api/server/router/container/copy.go, writeCompressedResponse().
"""

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from pyminidock.api.message import Request, Response, Stream

_WAYS: tuple[tuple[str, Callable[[], "zlib._Compress"]], ...] = (
    ("gzip", lambda: zlib.compressobj(wbits=31)),
    ("deflate", lambda: zlib.compressobj(wbits=-15)),
)


class _Squeezed:
    """A stream whose pieces come out smaller."""

    def __init__(self, pieces: Stream, packer: "zlib._Compress") -> None:
        self._pieces, self._packer, self._is_over = pieces, packer, False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while not self._is_over:
            try:
                if out := self._packer.compress(next(self._pieces)):
                    return out
            except StopIteration:
                self._is_over = True
                return self._packer.flush()
        raise StopIteration

    def close(self) -> None:
        """See Stream."""
        self._pieces.close()


def squeezed(request: Request, response: Response) -> Response:
    """Compress the stream of a response, if the client says that it may be."""
    if isinstance(response.body, bytes):
        return response
    accepted = request.headers.get("accept-encoding", "")
    for name, packer in _WAYS:
        if _is_accepted(name, accepted):
            headers = (*response.headers, ("Content-Encoding", name))
            return replace(
                response, headers=headers, body=_Squeezed(response.body, packer())
            )
    return response


def _is_accepted(name: str, header: str) -> bool:
    """Tell whether a client takes a coding; "q=0" says that it does not.

    >>> _is_accepted("gzip", "gzip, deflate"), _is_accepted("gzip", "gzip;q=0, deflate")
    (True, False)
    """
    for part in header.lower().split(","):
        word, *parameters = (each.strip() for each in part.split(";"))
        if word == name:
            return not any(
                each.replace("0", "").replace(".", "") == "q=" for each in parameters
            )
    return False
