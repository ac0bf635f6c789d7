"""Archives of images for tests, as each tool writes them, and as nobody should."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

Members = dict[str, Any]  # bytes: a file; "link:x" and "hard:x": links


def digest(content: bytes) -> str:
    return "sha256:" + sha256(content).hexdigest()


def blob(content: bytes) -> str:
    return "blobs/sha256/" + sha256(content).hexdigest()


def tar(members: Mapping[str, Any]) -> bytes:
    """Pack members, in their order."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                kind, _, entry.linkname = content.partition(":")
                entry.type = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
                              "fifo": tarfile.FIFOTYPE}[kind]  # fmt: skip
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def layer(name: str = "hello", content: bytes = b"hi\n") -> bytes:
    return tar({name: content})


def config(*layers: bytes, **fields: Any) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [digest(each) for each in layers]}
    said = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["sh"]},
        "rootfs": rootfs,
    }
    return json.dumps(said | fields).encode()


def old_docker(layers: Sequence[bytes], document: bytes, *names: str) -> Members:
    """Write as Docker 1.10 to 24 did: <id>/layer.tar, equal ones as links."""
    members: Members = {}
    first: dict[bytes, str] = {}
    places = []
    for number, content in enumerate(layers):
        place = f"{number:064x}/layer.tar"
        members[f"{number:064x}/VERSION"] = b"1.0"
        members[f"{number:064x}/json"] = b"{}"
        members[place] = f"link:../{first[content]}" if content in first else content
        first.setdefault(content, place)
        places.append(place)
    door = f"{sha256(document).hexdigest()}.json"
    members[door] = document
    entry = {"Config": door, "RepoTags": list(names) or None, "Layers": places}
    members["manifest.json"] = json.dumps([entry]).encode()
    return members


def descriptor(content: bytes, kind: str, **fields: Any) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest(content), "size": len(content)} | fields


def manifest(
    document: bytes, layers: Sequence[bytes], *, kind: str = CONFIG, **of_layers: Any
) -> bytes:
    said = {
        "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(document, kind),
        "layers": [descriptor(each, LAYER, **of_layers) for each in layers],
    }  # fmt: skip
    return json.dumps(said).encode()


def index(*entries: dict[str, Any], **fields: Any) -> bytes:
    said = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)}
    return json.dumps(said | fields).encode()


def layout(door: bytes, *contents: bytes) -> Members:
    """Write an OCI layout: the door and the blobs behind it."""
    members: Members = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": door}
    return members | {blob(content): content for content in contents}


def oci(layers: Sequence[bytes], document: bytes, name: str = "") -> Members:
    """Write as skopeo's oci-archive, layers gzip'ed."""
    packed = [gzip.compress(each, mtime=0) for each in layers]
    content = manifest(document, packed)
    notes = {"annotations": {"org.opencontainers.image.ref.name": name}} if name else {}
    return layout(index(descriptor(content, MANIFEST, **notes)), content, document, *packed)
