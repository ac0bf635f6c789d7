"""What the layers room does to a root, each as one process would do it."""

import gzip
import io
import tarfile
from pathlib import Path

from pyminidock.layers.apply import UNPRIVILEGED
from pyminidock.layers.publish import commit_tree, unpack
from pyminidock.store.opening import open_store


def archive() -> bytes:
    """Make a layer of a few thousand bytes more than the pieces that are counted."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number in range(6):
            member = tarfile.TarInfo(f"dir/file-{number}")
            member.size = 1 << 20
            tar.addfile(member, io.BytesIO(bytes([number]) * member.size))
    return out.getvalue()


def load(root: Path) -> None:
    """Unpack two layers, one upon the other, the second compressed."""
    store = open_store(root)
    with store.leases.lease("load"):
        below = unpack(
            store, io.BytesIO(archive()), policy=UNPRIVILEGED, size_bytes=len(archive())
        )
        packed = gzip.compress(archive() + bytes(512), mtime=0)
        unpack(store, io.BytesIO(packed), below.chain_id, policy=UNPRIVILEGED)
    store.close()


def build(root: Path) -> None:
    """Make a directory and commit it as a layer."""
    store = open_store(root)
    upper = root / "tmp-upper"
    (upper / "etc").mkdir(parents=True, exist_ok=True)
    for number in range(3):
        (upper / "etc" / f"file-{number}").write_bytes(bytes([number]) * 300_000)
    with store.leases.lease("build"):
        commit_tree(store, upper, policy=UNPRIVILEGED)
    store.close()
