"""An archive of images, before anything of it is believed.

    stream ──► spool: every member, one behind the other, in a file without a name
               table: name ──► where in the spool, or which other name (a link)
               manifest.json, else index.json ──► which config, which layers, which names

The documents that name the members come last, so everything is kept until then.  A member's
name is looked up in the archive's own table and never on this machine; a link leads to
another member or nowhere.

Read are the archives of `docker save` (26.1 and, since 1.10, the older kind), of skopeo and
podman (docker-archive, oci-archive).

Source: moby, image/tarexport/load.go; OCI image layout specification; hardening.md G.2.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pyminidock.errors import MinidockError
from pyminidock.events import Emit, ignore
from pyminidock.grammar.refs import Reference, ReferenceMalformed, parse
from pyminidock.image import platform
from pyminidock.image.digest import Digest, sha256_of
from pyminidock.image.docker_archive import (
    IMAGE_NAME,
    MAX_DOOR_BYTES,
    MAX_IMAGES,
    REF_NAME,
    ArchiveMalformed,
    blob_name,
    read_door,
)
from pyminidock.image.document import MAX_DOCUMENT_BYTES
from pyminidock.image.jsontext import malformed
from pyminidock.image.manifest import (
    DOCKER_CONFIG,
    MAX_MANIFEST_BYTES,
    MAX_NESTING,
    OCI_CONFIG,
    Descriptor,
    Index,
    Manifest,
    Platform,
    read_either,
    read_index,
)
from pyminidock.layers.archive import Entry, Kind, Limits, Stream, read_entries, shown
from pyminidock.layers.compression import decompressed

LIMITS = Limits(entries=20_000, layer_bytes=64 << 30)
_DOORS = ("manifest.json", "index.json", "repositories", "oci-layout")
_CONFIGS = ("", OCI_CONFIG, DOCKER_CONFIG)
_MOST_LINKS = 8
_PIECE = 1 << 20


class ArchiveHoldsNoImage(MinidockError):
    """The archive may be one, but not of images that can be read here."""

    status = 400


@dataclass(frozen=True, slots=True)
class Part:
    """A layer of the archive: its member, and what a manifest promises about it."""

    member: str
    descriptor: Descriptor | None = None


@dataclass(frozen=True, slots=True)
class Coming:
    """One image of the archive, not yet taken in; `manifest` is "" for Docker's kind."""

    document: bytes
    parts: tuple[Part, ...]
    names: tuple[Reference, ...]
    manifest: bytes = b""


class Members:
    """The members of one archive, in `spool`, an empty file that is nobody else's."""

    def __init__(
        self, spool: BinaryIO, stream: Stream, *, limits: Limits = LIMITS,
        emit: Emit = ignore,
    ) -> None:  # fmt: skip
        """Read the whole archive.  Raises ArchiveRefused, ArchiveMalformed."""
        self._spool = spool
        self._files: dict[str, tuple[int, int]] = {}  # name: offset, size in bytes
        self._links: dict[str, str] = {}
        self._end = 0
        plain = decompressed(stream, limits, emit=emit)
        for entry in read_entries(plain, limits, emit=emit):
            self._take(entry)

    def has(self, name: str) -> bool:
        """Whether a name leads to a file of the archive."""
        return self._resolved(name) in self._files

    def read(self, name: str, limit_bytes: int) -> bytes:
        """Give a document.  Raises ArchiveMalformed if absent or beyond the limit."""
        offset, size = self._found(name)
        if size > limit_bytes:
            reason = f"{name[:80]!r} has {size} bytes, the limit is {limit_bytes}"
            raise malformed(ArchiveMalformed, "the archive", reason)
        self._spool.seek(offset)
        return self._spool.read(size)

    def open(self, name: str) -> "Slice":
        """Give a member as a stream of its own.  Raises ArchiveMalformed if absent."""
        return Slice(self._spool, *self._found(name))

    def blob(self, descriptor: Descriptor, limit_bytes: int) -> bytes:
        """Give a document by its descriptor, compared with it.  Raises ArchiveMalformed."""
        if descriptor.size_bytes > limit_bytes:
            reason = (
                f"a document of {descriptor.size_bytes} bytes, the limit is {limit_bytes}"
            )
            raise malformed(ArchiveMalformed, "the archive", reason)
        content = self.read(blob_name(descriptor.digest), limit_bytes)
        found = sha256_of(content), len(content)
        if found != (descriptor.digest, descriptor.size_bytes):
            reason = f"{descriptor.digest} is not what the archive has under this name"
            raise malformed(ArchiveMalformed, "the archive", reason)
        return content

    def _take(self, entry: Entry) -> None:
        name = _text(entry.name)
        if entry.kind is Kind.DIRECTORY:
            return
        if name in self._files or name in self._links:
            raise malformed(ArchiveMalformed, "the archive", f"{name[:80]!r} comes twice")
        if entry.kind is Kind.FILE:
            if name in _DOORS and entry.size > MAX_DOOR_BYTES:
                reason = f"{name} has {entry.size} bytes, the limit is {MAX_DOOR_BYTES}"
                raise malformed(ArchiveMalformed, "the archive", reason)
            self._files[name] = (self._end, entry.size)
            while piece := entry.body.read(_PIECE):
                self._spool.write(piece)
            self._end += entry.size
        elif entry.kind is Kind.HARD_LINK:
            self._links[name] = _text(entry.link)
        elif entry.kind is Kind.SYMLINK:
            above = posixpath.dirname(name)
            self._links[name] = posixpath.normpath(f"{above}/{_text(entry.link)}").lstrip(
                "/"
            )
        else:
            reason = f"{name[:80]!r} is no file"
            raise malformed(ArchiveMalformed, "the archive", reason)

    def _resolved(self, name: str) -> str:
        for _ in range(_MOST_LINKS):
            if name not in self._links:
                return name
            name = self._links[name]
        return ""

    def _found(self, name: str) -> tuple[int, int]:
        found = self._files.get(self._resolved(name))
        if found is None:
            raise malformed(
                ArchiveMalformed, "the archive", f"it has no file {name[:80]!r}"
            )
        return found


class Slice:
    """The bytes of one member."""

    def __init__(self, spool: BinaryIO, offset: int, size_bytes: int) -> None:
        self._spool, self._place, self._left = spool, offset, size_bytes

    def read(self, limit: int, /) -> bytes:
        """Give 1 to `limit` bytes, or none at the end."""
        self._spool.seek(self._place)
        piece = self._spool.read(min(limit, self._left))
        self._place += len(piece)
        self._left -= len(piece)
        return piece


def _text(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as cause:
        reason = f"the name {shown(name)!r} is not UTF-8"
        raise malformed(ArchiveMalformed, "the archive", reason) from cause


# ── Which images ─────────────────────────────────────────────────────────────────────────


def images_in(members: Members, machine: Platform) -> Iterator[Coming]:
    """Find the images of an archive, by the door that Docker prefers.

    Raises ArchiveMalformed, ManifestMalformed, NoMatchingPlatform, ArchiveHoldsNoImage.
    """
    if members.has("manifest.json"):
        for image in read_door(members.read("manifest.json", MAX_DOOR_BYTES)):
            document = members.read(image.config, MAX_DOCUMENT_BYTES)
            parts = tuple(Part(layer) for layer in image.layers)
            yield Coming(document, parts, image.names)
    elif members.has("index.json"):
        yield from _images_of_layout(members, machine)
    else:
        is_old = members.has("repositories")
        raise ArchiveHoldsNoImage(
            "the archive holds no image that can be loaded",
            why="it was saved by an engine older than Docker 1.10" if is_old else
            "it has neither manifest.json nor index.json, which say what is in it",
            try_next="docker load it into Docker, and docker save it again" if is_old else
            "minidock import ARCHIVE NAME, if it is a tree of files",
            lesson="images",
        )  # fmt: skip


def _images_of_layout(members: Members, machine: Platform) -> Iterator[Coming]:
    index = read_index(members.read("index.json", MAX_DOOR_BYTES))
    entries = index.manifests
    if len(entries) > MAX_IMAGES:
        reason = f"{len(entries)} images, the limit is {MAX_IMAGES}"
        raise malformed(ArchiveMalformed, "index.json", reason)
    is_list = len(entries) > 1 and all(
        entry.platform and not _name_of(entry) for entry in entries
    )
    if is_list:
        entries = (platform.choose(index, machine).descriptor,)
    named: dict[Digest, list[Reference]] = {}
    first: dict[Digest, Descriptor] = {}
    for entry in entries:
        first.setdefault(entry.digest, entry)
        name, names = _name_of(entry), named.setdefault(entry.digest, [])
        if name and name not in names:
            names.append(name)
    for digest, entry in first.items():
        yield _image_at(members, entry, machine, tuple(named[digest]))


def _image_at(
    members: Members, entry: Descriptor, machine: Platform, names: tuple[Reference, ...]
) -> Coming:
    """Follow a descriptor to a manifest, through indices, for this machine."""
    for _ in range(MAX_NESTING):
        content = members.blob(entry, MAX_MANIFEST_BYTES)
        found = read_either(content)
        if isinstance(found, Manifest):
            return _described(members, found, content, names)
        entry = _chosen(found, machine)
    reason = f"an index in an index, more than {MAX_NESTING} deep"
    raise malformed(ArchiveMalformed, "index.json", reason)


def _chosen(index: Index, machine: Platform) -> Descriptor:
    return platform.choose(index, machine).descriptor


def _described(
    members: Members, manifest: Manifest, content: bytes, names: tuple[Reference, ...]
) -> Coming:
    if manifest.config.media_type not in _CONFIGS:
        kind = manifest.config.media_type[:80]
        raise ArchiveHoldsNoImage(
            f"the archive holds something else than an image: {kind!r}",
            why="other things travel in the same boxes: charts, signatures, models",
            try_next="skopeo inspect --raw tells what it is",
            lesson="images",
        )
    for layer in manifest.layers:
        if layer.urls and not members.has(blob_name(layer.digest)):
            reason = f"layer {layer.digest} lies elsewhere, and addresses are not followed"
            raise malformed(ArchiveMalformed, "the manifest", reason)
    document = members.blob(manifest.config, MAX_DOCUMENT_BYTES)
    parts = tuple(Part(blob_name(layer.digest), layer) for layer in manifest.layers)
    return Coming(document, parts, names, content)


def _name_of(entry: Descriptor) -> Reference | None:
    """Read the name in an entry's notes; a bare tag names no repository."""
    notes = dict(entry.annotations)
    text = notes.get(IMAGE_NAME) or notes.get(REF_NAME, "")
    if IMAGE_NAME not in notes and not (":" in text or "/" in text):
        return None
    try:
        found = parse(text).with_default_tag()
    except ReferenceMalformed as refusal:
        reason = f"invalid name {text[:80]!r}: {refusal.what[:200]}"
        raise malformed(ArchiveMalformed, "index.json", reason) from refusal
    return None if found.digest else found
