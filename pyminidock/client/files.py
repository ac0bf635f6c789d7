"""What can be asked about the files of a container, one method each."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyminidock.client.transport import Live, Question, Reply, Transport, refusal

_STAT = "x-docker-container-path-stat"


class Files:
    """The files of the containers of one engine."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def changes(self, container: str) -> list[dict[str, Any]]:
        """List what differs from the image: Kind (0 changed, 1 added, 2 deleted), Path."""
        question = Question("GET", f"/containers/{container}/changes")
        return [*(self._ask(question).json() or ())]

    def written(
        self, container: str, *, start: int = 0, most: int = 1000
    ) -> dict[str, Any]:
        """Tell what it wrote and where on the host it is, from name number `start` on."""
        query = {"start": str(start), "most": str(most)}
        question = Question("GET", f"/minidock/containers/{container}/written", query)
        return dict(self._ask(question).json())

    def lookup(
        self, container: str, path: str, *, rules: str = "overlay"
    ) -> dict[str, Any]:
        """Tell which layer answers for a path, what is hidden, what a write copies."""
        query = {"path": path, "rules": rules}
        question = Question("GET", f"/minidock/containers/{container}/lookup", query)
        return dict(self._ask(question).json())

    def survives(self, container: str) -> dict[str, Any]:
        """Tell what is left of it after an exit, a restart, an rm, a rebuild, a reboot."""
        question = Question("GET", f"/minidock/containers/{container}/survives")
        return dict(self._ask(question).json())

    def export(self, container: str) -> Live:
        """Give all its files as one archive, piece by piece."""
        return self._transport.listen(Question("GET", f"/containers/{container}/export"))

    def stat(self, container: str, path: str) -> dict[str, Any]:
        """Tell what a path is: name, size, mode, mtime, linkTarget."""
        question = Question("HEAD", f"/containers/{container}/archive", {"path": path})
        reply = self._transport.ask(question)
        if reply.status >= 400:  # the answer to HEAD has no body that could say why
            asked = Question("GET", question.path, question.query)
            reply = self._transport.ask(asked)
        return _stat(self._checked(reply))

    def archive(self, container: str, path: str) -> tuple[dict[str, Any], Live]:
        """Give a path as an archive, and what it is."""
        question = Question("GET", f"/containers/{container}/archive", {"path": path})
        live, headers = self._transport.read(question)
        return _decoded(headers.get(_STAT, "")), live

    def extract(
        self, container: str, path: str, pieces: Iterable[bytes], *,
        keeps_owners: bool = False,
    ) -> None:  # fmt: skip
        """Put an archive below a path; a directory is never replaced by another thing."""
        query = {"path": path, "noOverwriteDirNonDir": "true"}
        query |= {"copyUIDGID": "true"} if keeps_owners else {}
        target = f"/containers/{container}/archive"
        self._ask(Question("PUT", target, query, stream=pieces))

    def commit(
        self, query: Mapping[str, str | Sequence[str]], body: Mapping[str, object]
    ) -> str:
        """Make an image of a container; give its id."""
        return str(self._ask(Question("POST", "/commit", query, body)).json()["Id"])

    def _ask(self, question: Question) -> Reply:
        return self._checked(self._transport.ask(question))

    def _checked(self, reply: Reply) -> Reply:
        if reply.status >= 400:
            raise refusal(reply)
        return reply


def _stat(reply: Reply) -> dict[str, Any]:
    return _decoded(reply.headers.get(_STAT, ""))


def _decoded(text: str) -> dict[str, Any]:
    """Read the header that tells what a path is: JSON in base64."""
    return dict(json.loads(base64.b64decode(text))) if text else {}
