"""What an engine says while it builds: lines, then an image, or why there is none."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from pyminidock.client.builds import ignore_it
from pyminidock.client.handles import Client
from pyminidock.client.packing import Sent
from pyminidock.client.transport import Live
from pyminidock.errors import MinidockError

_PIECE_BYTES = 256 << 10
_ABSENT = re.compile(r"excluded by \.dockerignore: stat (.+): file does not exist")
Say = Callable[[str], object]
Begun = Callable[[Live], object]


class BuildFailed(MinidockError):
    """A build ended without an image; `exit_code` is what `docker build` ends with."""

    def __init__(self, detail: Mapping[str, Any], why: str = "") -> None:
        super().__init__(
            str(detail.get("message", "")),
            why=why or str(detail.get("why", "")),
            try_next=str(detail.get("try_next", "")),
            lesson="dockerfile",
        )
        self.exit_code = int(detail.get("code") or 1)
        self.caret = str(detail.get("caret", ""))


def follow(
    client: Client, query: Mapping[str, Any], archive: IO[bytes], say: Say,
    begun: Begun = ignore_it,
) -> str:  # fmt: skip
    """Say what the engine says, as it comes; give the image.

    `begun` hears of the answer that is listened to: closing it cancels the build.

    Raises BuildFailed, Refused.
    """
    image = ""
    for told in client.builds.build(query, _pieces(archive), begun):
        if "stream" in told:
            say(str(told["stream"]))
        elif "aux" in told:
            image = str(told["aux"]["ID"])
        elif "errorDetail" in told:
            raise BuildFailed(told["errorDetail"])
    if not image and not query.get("q"):
        raise broken_off()
    return image


def explained(failure: BuildFailed, sent: Sent | None) -> BuildFailed:
    """Say which line of the ignore file left out what is missing, if one did."""
    missing = _ABSENT.search(failure.what)
    if not sent or not missing:
        return failure
    for each in sent.ignored:
        if each.path == missing[1] or missing[1].startswith(f"{each.path}/"):
            why = (
                f"line {each.verdict.line} of the ignore file left it out: "
                f"{each.verdict.pattern}"
            )
            detail = {
                "message": failure.what, "code": failure.exit_code,
                "try_next": f"a line !{missing[1]} below it takes it in again",
            }  # fmt: skip
            return BuildFailed(detail, why)
    return failure


def broken_off() -> BuildFailed:
    """Say that no word of an end came."""
    return BuildFailed({
        "message": "the engine broke off in the middle of the build",
        "why": "it ended, or failed",
        "try_next": "read daemon.log in the engine's root directory, and build again",
    })  # fmt: skip


def _pieces(archive: IO[bytes]) -> Iterator[bytes]:
    while piece := archive.read(_PIECE_BYTES):
        yield piece
