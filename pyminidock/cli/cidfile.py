"""`--cidfile`: the id of a container to come, in a file.

The file is made before the container, so that nothing is made whose id cannot be kept; if
no container came, it goes.  A file that is there belongs to another container.

Source: docker/cli, cli/command/container/create.go, newCIDFile().
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pyminidock.cli.readflags import refused


@contextmanager
def cid_file(typed: str | None) -> Iterator[Callable[[str], None]]:
    """Give what writes the id.  Raises WordsRefused."""
    if not typed:
        yield lambda _: None
        return
    path = Path(typed)
    if path.exists():
        raise refused(
            "container ID file found, make sure the other container isn't running or "
            f"delete {typed}",
            "the file may name a container that somebody still needs",
            f"rm {typed}",
        )
    try:
        path.touch()
    except OSError as refusal:
        fault = (refusal.strerror or "").lower()
        raise refused(
            f"failed to create the container ID file: open {typed}: {fault}",
            "the id has to be kept somewhere before there is one",
        ) from refusal
    try:
        yield lambda identifier: _write(path, identifier)
    finally:
        if not path.stat().st_size:
            path.unlink()


def _write(path: Path, identifier: str) -> None:
    path.write_text(identifier)
