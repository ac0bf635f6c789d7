"""One file out of a container: it comes as an archive with a single entry."""

import io
import tarfile

from pyminidock.client.handles import Client

_MOST_BYTES = 1 << 20


def only_file(client: Client, container: str, path: str) -> bytes | None:
    """Give the content of a regular file; None for anything else.

    At most 1 MiB is read.  Raises Refused where there is no such path.
    """
    _, live = client.files.archive(container, path)
    try:
        archive = b"".join(live)
    finally:
        live.close()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.next()
        if member is None or not member.isfile():
            return None
        content = tar.extractfile(member)
        return content.read(_MOST_BYTES) if content else None
