"""What lies beside the layers in the archive of `docker save`.

    blobs/sha256/…       config, layers, manifests, each named by its digest
    index.json           the OCI layout's door: one entry per name
    manifest.json        Docker's own door: which config, which layers, which names
    oci-layout           the layout's version
    repositories         the oldest door: name, tag, layer

Older engines wrote <id>/layer.tar and <config>.json instead of blobs, and skopeo a mixture;
in all of them manifest.json names the members, so one reader serves.  A member's name comes
from a stranger: it is compared with the archive's own list of members and never becomes a
path on this machine.

Source: moby, image/tarexport/{save,load}.go; containers/image, docker/internal/tarfile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyminidock.grammar.refs import Reference, ReferenceMalformed, parse
from pyminidock.image.digest import Digest, hex_of, sha256_of
from pyminidock.image.fields import Fields
from pyminidock.image.jsontext import DocumentMalformed, malformed, read, write
from pyminidock.image.manifest import (
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    write_index,
    write_manifest,
)

MAX_DOOR_BYTES = 4 << 20
MAX_IMAGES = 1024
MAX_NAMES = 1024  # of one image
MAX_MEMBER = 4096
LAYOUT = b'{"imageLayoutVersion": "1.0.0"}'
IMAGE_NAME = "io.containerd.image.name"
REF_NAME = "org.opencontainers.image.ref.name"

_KEYS = ("Config", "RepoTags", "Layers", "Parent", "LayerSources")


class ArchiveMalformed(DocumentMalformed):
    """The archive's own documents contradict it, or lead out of it."""


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """One entry of manifest.json; members are names inside the archive."""

    config: str
    layers: tuple[str, ...]  # bottom up
    names: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class SavedImage:
    """One image to be saved; its layers are uncompressed, named by their diff ids."""

    document: bytes
    layers: tuple[tuple[Digest, int], ...]  # diff id and size in bytes, bottom up
    names: tuple[Reference, ...] = ()


def read_door(data: bytes) -> tuple[ArchivedImage, ...]:
    """Read manifest.json.  Raises ArchiveMalformed."""
    value = read(data, MAX_DOOR_BYTES, "manifest.json", ArchiveMalformed)
    entries = [] if value is None else value
    if not isinstance(entries, list):
        raise malformed(ArchiveMalformed, "manifest.json", "not a list")
    if len(entries) > MAX_IMAGES:
        reason = f"{len(entries)} images, the limit is {MAX_IMAGES}"
        raise malformed(ArchiveMalformed, "manifest.json", reason)
    return tuple(_archived(entry) for entry in entries)


def _archived(value: Any) -> ArchivedImage:
    told = Fields(value, "manifest.json", ArchiveMalformed, _KEYS)
    names = told.texts("RepoTags")
    if len(names) > MAX_NAMES:
        reason = f"{len(names)} names of one image, the limit is {MAX_NAMES}"
        raise malformed(ArchiveMalformed, "manifest.json", reason)
    layers = tuple(member(name) for name in told.texts("Layers"))
    return ArchivedImage(member(told.text("Config")), layers, tuple(map(_tagged, names)))


def _tagged(name: str) -> Reference:
    """Read one of RepoTags, which has a tag and no digest."""
    try:
        found = parse(name)
    except ReferenceMalformed as refusal:
        reason = f"invalid tag {name[:80]!r}: {refusal.what[:200]}"
        raise malformed(ArchiveMalformed, "manifest.json", reason) from refusal
    if found.digest or not found.tag:
        raise malformed(ArchiveMalformed, "manifest.json", f"invalid tag {name[:80]!r}")
    return found


def member(name: str) -> str:
    """Give the one spelling of a member's name, or refuse what leads out of the archive.

    >>> member("./blobs//x")
    'blobs/x'
    >>> member("../../etc/passwd")
    Traceback (most recent call last):
    ...
    pyminidock.image.docker_archive.ArchiveMalformed: the archive is malformed: the member \
'../../etc/passwd' leads out of it
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        reason = f"the member {name[:80]!r} leads out of it"
        raise malformed(ArchiveMalformed, "the archive", reason)
    if len(name) > MAX_MEMBER:
        raise malformed(
            ArchiveMalformed, "the archive", f"a name of {len(name)} characters"
        )
    return "/".join(parts)


def blob_name(digest: Digest) -> str:
    """Name a blob's member."""
    return f"blobs/sha256/{hex_of(digest)}"


def documents(images: Sequence[SavedImage]) -> dict[str, bytes]:
    """Write everything but the layers: member to content, in the archive's order."""
    blobs: dict[str, bytes] = {}
    entries, doors = [], []
    repositories: dict[str, dict[str, str]] = {}
    for image in images:
        manifest = _manifest(image)
        content = write_manifest(manifest)
        for one in (image.document, content):
            blobs[blob_name(sha256_of(one))] = one
        entries += _index_entries(image, content)
        doors.append(_door(image, manifest))
        for name in image.names if image.layers else ():
            tags = repositories.setdefault(name.familiar_name, {})
            tags[name.tag] = hex_of(image.layers[-1][0])
    found = dict(sorted(blobs.items()))
    found["index.json"] = write_index(Index(tuple(entries)))
    found["manifest.json"] = write(doors) + b"\n"
    found["oci-layout"] = LAYOUT
    if repositories:
        found["repositories"] = write({
            name: dict(sorted(tags.items())) for name, tags in sorted(repositories.items())
        }) + b"\n"  # fmt: skip
    return found


def _manifest(image: SavedImage) -> Manifest:
    config = Descriptor(OCI_CONFIG, sha256_of(image.document), len(image.document))
    layers = tuple(Descriptor(OCI_LAYER, digest, size) for digest, size in image.layers)
    return Manifest(config, layers)


def _index_entries(image: SavedImage, content: bytes) -> list[Descriptor]:
    """Give one entry per name; an image without a name has one entry all the same."""
    notes: list[tuple[tuple[str, str], ...]] = [
        ((IMAGE_NAME, name.canonical), (REF_NAME, name.tag)) for name in image.names
    ]
    digest, size = sha256_of(content), len(content)
    return [Descriptor(OCI_MANIFEST, digest, size, note) for note in notes or [()]]


def _door(image: SavedImage, manifest: Manifest) -> dict[str, Any]:
    layers = {
        one.digest: {
            "mediaType": one.media_type,
            "size": one.size_bytes,
            "digest": one.digest,
        }
        for one in sorted(manifest.layers, key=lambda one: one.digest)
    }
    return {
        "Config": blob_name(manifest.config.digest),
        "RepoTags": [name.familiar for name in image.names] or None,
        "Layers": [blob_name(one.digest) for one in manifest.layers],
        "LayerSources": layers,
    }
