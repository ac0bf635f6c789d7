"""The two lists by which images travel: a manifest names blobs, an index names manifests.

    index ──► manifest (linux/amd64) ──► config, layer, layer, …
          └─► manifest (linux/arm64) ──► …

Every arrow is a descriptor: what kind, which digest, how many bytes.  A stranger wrote
them all, so nothing is believed before the bytes were counted and hashed, and a document
that could be taken for a manifest and for an index is refused.

Source: OCI image specification, descriptor.md, manifest.md, image-index.md; Docker's
image manifest version 2, schema 2; CVE-2021-41190.
"""

from dataclasses import dataclass, field
from typing import Any

from pyminidock.image.digest import Digest
from pyminidock.image.document import MAX_LAYERS
from pyminidock.image.fields import Fields
from pyminidock.image.jsontext import DocumentMalformed, malformed, read, write

MAX_MANIFEST_BYTES = 4 << 20
MAX_INDEX_BYTES = 4 << 20
MAX_DESCRIPTORS = 1024  # of one index
MAX_NESTING = 4  # of an index in an index

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

_MANIFESTS = ("", OCI_MANIFEST, DOCKER_MANIFEST)
_INDICES = ("", OCI_INDEX, DOCKER_LIST)
_KEYS = (
    "schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests",
    "subject", "annotations", "fsLayers",
)  # fmt: skip
_DESCRIPTOR = (
    "mediaType", "digest", "size", "urls", "annotations", "data", "platform",
    "artifactType",
)  # fmt: skip
_PLATFORM = ("architecture", "os", "os.version", "os.features", "variant", "features")


class ManifestMalformed(DocumentMalformed):
    """A document is no manifest and no index, or one beyond a limit."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A machine; see `platform` for what its names mean."""

    os: str
    architecture: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Where bytes are: their kind, their digest, how many."""

    media_type: str
    digest: Digest
    size_bytes: int
    annotations: tuple[tuple[str, str], ...] = ()
    platform: Platform | None = None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image: its config and its layers, bottom up."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    media_type: str = OCI_MANIFEST
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Index:
    """Many images, or one for many machines."""

    manifests: tuple[Descriptor, ...] = ()
    media_type: str = OCI_INDEX
    annotations: tuple[tuple[str, str], ...] = field(default=())


def read_either(data: bytes) -> Manifest | Index:
    """Read a document that is a manifest or an index.  Raises ManifestMalformed."""
    name = "the manifest"
    value = read(data, MAX_MANIFEST_BYTES, name, ManifestMalformed)
    told = Fields(value, name, ManifestMalformed, _KEYS)
    is_manifest = "layers" in told.raw or "config" in told.raw
    if is_manifest and "manifests" in told.raw:
        reason = "it has layers and manifests, so it could be taken for two things"
        raise malformed(ManifestMalformed, name, reason)
    if told.number("schemaVersion") != 2:
        found = told.number("schemaVersion")
        raise malformed(ManifestMalformed, name, f"schema version {found}, only 2 is read")
    kinds = _MANIFESTS if is_manifest else _INDICES
    kind = told.text("mediaType")
    if kind not in kinds:
        reason = f"media type {kind[:80]!r}, which does not fit its content"
        raise malformed(ManifestMalformed, name, reason)
    if is_manifest:
        return _manifest(told, kind)
    if "manifests" not in told.raw:
        raise malformed(ManifestMalformed, name, "neither layers nor manifests")
    entries = tuple(_descriptor(entry, "the index") for entry in told.list("manifests"))
    if len(entries) > MAX_DESCRIPTORS:
        reason = f"{len(entries)} entries, the limit is {MAX_DESCRIPTORS}"
        raise malformed(ManifestMalformed, "the index", reason)
    return Index(entries, kind or OCI_INDEX, told.pairs("annotations"))


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest.  Raises ManifestMalformed."""
    found = read_either(data)
    if isinstance(found, Index):
        raise malformed(ManifestMalformed, "the manifest", "it is an index")
    return found


def read_index(data: bytes) -> Index:
    """Read an index.  Raises ManifestMalformed."""
    found = read_either(data)
    if isinstance(found, Manifest):
        raise malformed(ManifestMalformed, "the index", "it is a manifest")
    return found


def write_manifest(manifest: Manifest) -> bytes:
    """Write a manifest; equal manifests give equal bytes.

    >>> config = Descriptor(OCI_CONFIG, "sha256:" + "c" * 64, 2)
    >>> read_manifest(write_manifest(Manifest(config, ()))) == Manifest(config, ())
    True
    """
    said: dict[str, Any] = {
        "schemaVersion": 2, "mediaType": manifest.media_type,
        "config": _fields(manifest.config),
        "layers": [_fields(one) for one in manifest.layers],
    }  # fmt: skip
    if manifest.annotations:
        said["annotations"] = dict(manifest.annotations)
    return write(said)


def write_index(index: Index) -> bytes:
    """Write an index; equal indices give equal bytes."""
    said: dict[str, Any] = {
        "schemaVersion": 2, "mediaType": index.media_type,
        "manifests": [_fields(one) for one in index.manifests],
    }  # fmt: skip
    if index.annotations:
        said["annotations"] = dict(index.annotations)
    return write(said)


def _manifest(told: Fields, kind: str) -> Manifest:
    layers = tuple(_descriptor(one, "the manifest, layers") for one in told.list("layers"))
    if len(layers) > MAX_LAYERS:
        reason = f"{len(layers)} layers, the limit is {MAX_LAYERS}"
        raise malformed(ManifestMalformed, "the manifest", reason)
    config = _descriptor(told.raw.get("config"), "the manifest, config")
    return Manifest(config, layers, kind or OCI_MANIFEST, told.pairs("annotations"))


def _descriptor(value: Any, name: str) -> Descriptor:
    told = Fields(value, name, ManifestMalformed, _DESCRIPTOR)
    return Descriptor(
        told.text("mediaType"), told.digest("digest"), told.size("size"),
        told.pairs("annotations"), _platform(told.raw.get("platform"), name),
        told.texts("urls"),
    )  # fmt: skip


def _platform(value: Any, name: str) -> Platform | None:
    if value is None:
        return None
    told = Fields(value, f"{name}, platform", ManifestMalformed, _PLATFORM)
    return Platform(told.text("os"), told.text("architecture"), told.text("variant"))


def _fields(one: Descriptor) -> dict[str, Any]:
    said: dict[str, Any] = {
        "mediaType": one.media_type, "digest": one.digest, "size": one.size_bytes,
        "urls": list(one.urls), "annotations": dict(one.annotations),
        "platform": one.platform and {
            "architecture": one.platform.architecture, "os": one.platform.os,
            **({"variant": one.platform.variant} if one.platform.variant else {}),
        },
    }  # fmt: skip
    return {key: value for key, value in said.items() if value or key == "size"}
