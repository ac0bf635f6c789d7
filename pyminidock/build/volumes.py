"""VOLUME and what is written there afterwards: kept, and said so.

    VOLUME /data
    RUN echo x >/data/f        BuildKit keeps the file, and so do we; Docker's classic
                               builder mounts a volume there, and what is in it gets lost

Who learned the one will be surprised by the other, so a line of the output tells.
Source: docker-build-and-api 9, row B5; measured on Docker Engine 26.1.
"""

import posixpath
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pyminidock.layers.merged import Merged


def written_below(upper: Path, volumes: Sequence[str]) -> Iterator[str]:
    """Name the volumes below which there is something in `upper` (host, a RUN's layer).

    Links are followed inside `upper` only.
    """
    if not volumes:
        return
    with Merged([upper]) as tree:
        for volume in volumes:
            path = posixpath.join("/", posixpath.normpath(volume))
            with suppress(OSError):
                if tree.list(path):
                    yield volume


def note(volume: str) -> str:
    r"""Say what became of it.

    >>> note("/data")
    'Note: what was written below the volume /data is kept\n'
    """
    return f"Note: what was written below the volume {volume} is kept\n"
