"""Two digests of one layer, in one pass.

    network, file ──▶ hash ──▶ decompress ──▶ hash ──▶ archive reader ──▶ tree
                       │                       │
                 digest of the blob         diff id

A manifest names a layer by the digest of the bytes that travel, a config by the digest of
the archive they unpack to: compressing again changes the first and never the second.  Both
are of the whole stream, what lies behind the end of the archive included, so they are known
when a reader has come to the very end, and not before.

Source: OCI image specification, config.md, "Layer DiffID"; descriptor.md, "Digests".
"""

from hashlib import sha256

from pyminidock.events import Emit, ignore
from pyminidock.image.digest import Digest, of_hex
from pyminidock.layers.archive import Limits, Stream
from pyminidock.layers.compression import decompressed
from pyminidock.layers.tarfields import DEFAULT_LIMITS


class Hashed:
    """A stream that is hashed and counted while it is read."""

    def __init__(self, stream: Stream) -> None:
        self._stream, self._hash = stream, sha256()
        self.size_bytes = 0

    def read(self, limit: int, /) -> bytes:
        """Give 1 to `limit` bytes, or none at the end."""
        piece = self._stream.read(limit)
        self._hash.update(piece)
        self.size_bytes += len(piece)
        return piece

    @property
    def digest(self) -> Digest:
        """Say what has been read so far; of the whole, once `read` has given nothing."""
        return of_hex(self._hash.hexdigest())


class LayerStream:
    """The archive in a blob, however it was compressed, and both digests of it.

    `read` gives the archive.  `blob` and `archive` know digest and size of what came and
    of what it unpacked to; for an uncompressed layer they are one and the same.
    """

    def __init__(
        self, stream: Stream, limits: Limits = DEFAULT_LIMITS, *, emit: Emit = ignore
    ) -> None:
        """Read the first bytes.  Raises CompressionUnknown."""
        self.blob = Hashed(stream)
        plain = decompressed(self.blob, limits, emit=emit)
        self.compression = plain.compression
        if self.compression == "none":
            self.archive, self.read = self.blob, plain.read
        else:
            self.archive = Hashed(plain)
            self.read = self.archive.read
