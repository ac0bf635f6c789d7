"""Asking the reference engine what it thinks of a Dockerfile, over its own API."""

import io
import json
import tarfile
from typing import Any
from urllib.parse import urlencode

from tests.rawapi import ask
from tests.reference import Reference


def context(**files: str | bytes) -> bytes:
    """A build context as the command line would send it; `__` in a name is a dot."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode("utf-8")
            entry = tarfile.TarInfo(name.replace("__", "."))
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def build(reference: Reference, tar: bytes, **query: str) -> tuple[int, str]:
    """Send `tar` to POST /build: the HTTP status and the body as it came."""
    told = ask(reference.socket, "POST", f"/v1.45/build?{urlencode(query)}", tar)
    return told.status, told.body.decode(errors="replace")


def judgement(reference: Reference, dockerfile: str | bytes) -> tuple[int, str]:
    """What the engine says about a Dockerfile before it builds: a status and a sentence.

    The target that nobody has stops every file that could be read.
    """
    status, body = build(reference, context(Dockerfile=dockerfile), target="zz-nobody")
    return status, message(body)


def message(body: str) -> str:
    """The sentence in a body: a refusal's, or the error line of a stream."""
    found: Any = {}
    for line in body.splitlines():
        found |= json.loads(line)
    said = found.get("message", found.get("error", ""))
    return str(said)
