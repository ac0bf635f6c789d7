"""How images go out as an archive: what `docker save` writes, and every tool reads.

    blobs/sha256/…  index.json  manifest.json  oci-layout  repositories

Layers go out unpacked, so that a layer's blob is named by its diff id, whatever packing it
came in.  Nothing of the clock is in the archive: saved twice, it is the same bytes.

Source: moby, image/tarexport/save.go; OCI image layout specification.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO

from pyminidock.engine.house import House
from pyminidock.engine.images import no_such_image, row_of, telling
from pyminidock.engine.operations import NOBODY, Via
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import ImageSaved
from pyminidock.grammar.refs import Reference, ReferenceMalformed, parse
from pyminidock.image.digest import Digest
from pyminidock.image.docker_archive import SavedImage, blob_name, documents
from pyminidock.image.document import MAX_DOCUMENT_BYTES
from pyminidock.layers.archive import Entry, Kind
from pyminidock.layers.compression import decompressed
from pyminidock.layers.digests import Hashed
from pyminidock.layers.tarwriter import header_of
from pyminidock.store.files import telling_full
from pyminidock.store.images import ImageRow, NoSuchImage
from pyminidock.store.layers import LayerRow

_PIECE = 256 << 10
_BLOCK = 512


class ArchiveLost(MinidockError):
    """The archive of a layer is gone or damaged; its tree may still be there."""


@dataclass(slots=True)
class _Wanted:
    row: ImageRow
    names: list[Reference] = field(default_factory=list)


class Saving:
    """An archive on its way out: pieces of bytes.  Holds its layers until it is closed."""

    def __init__(self, house: House, names: Sequence[str], via: Via = NOBODY) -> None:
        """Look everything up.  Raises NoSuchImage, ReferenceMalformed, ArchiveLost."""
        self._undo = ExitStack()
        try:
            title = f"save {' '.join(names)}"[:200]
            title = title.encode(errors="backslashreplace").decode()  # half a character
            voice = self._undo.enter_context(telling(house, "save", title, via))
            self._undo.enter_context(house.store.leases.lease(title))
            self._undo.enter_context(telling_full(house.root))
            self._pieces = self._pack(house, names, voice)
        except BaseException:
            self._undo.close()
            raise
        self._is_closed = False

    def __iter__(self) -> "Saving":
        """Give itself."""
        return self

    def __next__(self) -> bytes:
        """Give the next piece; lets go of everything behind the last one."""
        if not self._is_closed:
            for piece in self._pieces:
                return piece
        self._undo.close()
        raise StopIteration

    def close(self) -> None:
        """Give no more pieces; from any thread."""
        self._is_closed = True

    def _pack(self, house: House, names: Sequence[str], voice: Voice) -> Iterator[bytes]:
        files: dict[Digest, _Layer] = {}
        images = []
        for wanted in _wanted(house, names):
            document = house.store.blobs.read(wanted.row.config_blob, MAX_DOCUMENT_BYTES)
            layers = []
            for chain_id in wanted.row.layers:
                layer = house.store.layers.get(chain_id)
                if layer is None:
                    raise _lost(chain_id)
                if layer.diff_id not in files:
                    files[layer.diff_id] = self._open(house, layer)
                layers.append((layer.diff_id, files[layer.diff_id].size_bytes))
            images.append(SavedImage(document, tuple(layers), tuple(wanted.names)))
            familiar = tuple(name.familiar for name in wanted.names)
            voice(ImageSaved(wanted.row.id, familiar))
        return _archive(house, documents(images), files)

    def _open(self, house: House, layer: LayerRow) -> "_Layer":
        """Find a layer's archive; one that is packed is unpacked beforehand."""
        if not layer.blob:
            raise _lost(layer.chain_id)
        if layer.blob == layer.diff_id:
            return _Layer(layer.blob, house.store.blobs.size(layer.blob))
        plain = tempfile.TemporaryFile(dir=house.root)  # noqa: SIM115  (closed by _undo)
        self._undo.enter_context(plain)
        with house.store.blobs.open(layer.blob) as file:
            unpacked = Hashed(decompressed(file))
            while piece := unpacked.read(_PIECE):
                plain.write(piece)
        if unpacked.digest != layer.diff_id:
            raise _lost(layer.chain_id)
        return _Layer(layer.diff_id, unpacked.size_bytes, plain)


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer to be written: a blob, or what was unpacked of one."""

    digest: Digest
    size_bytes: int
    plain: BinaryIO | None = None

    def pieces(self, house: House) -> Iterator[bytes]:
        """Give the archive of the layer."""
        with ExitStack() as opened:
            if self.plain is None:
                file = opened.enter_context(house.store.blobs.open(self.digest))
            else:
                file = self.plain
                file.seek(0)
            while piece := file.read(_PIECE):
                yield piece


def _wanted(house: House, names: Sequence[str]) -> list[_Wanted]:
    """Find each image once, with the names under which it was asked for."""
    found: dict[Digest, _Wanted] = {}
    for name in names:
        for row, reference in _meant(house, name):
            wanted = found.setdefault(row.id, _Wanted(row))
            if reference and reference not in wanted.names:
                wanted.names.append(reference)
    return list(found.values())


def _meant(house: House, name: str) -> list[tuple[ImageRow, Reference | None]]:
    """Say what a word means: one name, all names of a repository, or an id."""
    try:
        reference = parse(name)
    except ReferenceMalformed:
        if len(name) != 64:
            raise
        return [(row_of(house, name), None)]
    tags = house.store.images.tags()
    same = [parse(each) for each in tags if parse(each).name == reference.name]
    if reference.tag:
        same = [each for each in same if each.tag == reference.tag]
    if same and not reference.digest:
        return [(house.store.images.get(tags[each.canonical]), each) for each in same]
    try:
        return [(row_of(house, name), None)]
    except NoSuchImage:
        refusal = no_such_image(house, name)  # as Docker: without ":latest"
        if (reference.tag or reference.digest) and not name.startswith("sha256:"):
            raise _no_reference(refusal) from None
        raise refusal from None


def _no_reference(refusal: NoSuchImage) -> NoSuchImage:
    """Word it as Docker does when a name with a tag or a digest was looked for."""
    return NoSuchImage(
        "reference does not exist",
        why=f"{refusal.what}; {refusal.why}",
        try_next=refusal.try_next,
        lesson=refusal.lesson,
    )


def _archive(
    house: House, written: dict[str, bytes], layers: dict[Digest, _Layer]
) -> Iterator[bytes]:
    """Give the archive piece by piece."""
    found = {blob_name(digest): layer for digest, layer in layers.items()}
    blobs = sorted({*found, *(name for name in written if name.startswith("blobs/"))})
    for name in ("blobs", "blobs/sha256") if blobs else ():
        yield header_of(Entry(name.encode(), Kind.DIRECTORY, 0o755))
    for name in (*blobs, *(each for each in written if each not in blobs)):
        size = len(written[name]) if name in written else found[name].size_bytes
        yield header_of(Entry(name.encode(), Kind.FILE, 0o644, size=size))
        yield from (written[name],) if name in written else found[name].pieces(house)
        yield bytes(-size % _BLOCK)
    yield bytes(2 * _BLOCK)


def _lost(chain_id: Digest) -> ArchiveLost:
    return ArchiveLost(
        f"the archive of layer {chain_id} is not here any more",
        why="it was lost or damaged; a layer can only be saved as the bytes it came as",
        try_next="load, pull or build the image again, which brings the archive back",
        lesson="state-on-disk",
    )
