"""How far a long way has been gone: a bar in a terminal, nothing elsewhere.

It is drawn on standard error, because standard output may be the archive itself, and it is
gone when the way is.
"""

import sys
from collections.abc import Iterable, Iterator


def watched(
    pieces: Iterable[bytes], label: str, total: int | None = None
) -> Iterator[bytes]:
    """Pass pieces on, and draw how many bytes of `total` went by.

    >>> list(watched([b"a", b"b"], "load"))
    [b'a', b'b']
    """
    if not sys.stderr.isatty():
        yield from pieces
        return
    from rich.console import Console  # noqa: PLC0415  (costs 60 ms; a pipe needs none)
    from rich.progress import (  # noqa: PLC0415  (as above)
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        for piece in pieces:
            yield piece
            progress.advance(task, len(piece))
