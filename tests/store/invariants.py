"""What must hold for the store of a root, whatever happened to it.

    row ⇒ files exist and verify        every chain complete
    name of a blob ⇒ its content        index.json = names
    no lease without an engine          nobody else may enter

The store is closed, and has been opened since whatever happened.  Everything is read here
with bare hands: code under test does not testify for itself.

Source: hardening.md G.5.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

TABLES = ("images", "image_layers", "image_blobs", "layers", "tags", "cache", "leases")


def check_invariants(root: Path) -> None:
    """Fail with all that is wrong in the store of `root`."""
    broken = tuple(_broken(root))
    assert not broken, "\n".join(broken)


def check_swept(root: Path) -> None:
    """Fail if something lies around that no row needs; no container uses this root."""
    tables = read_tables(root)
    blobs = {each["digest"] for each in tables["image_blobs"]}
    blobs |= {each["blob"] for each in tables["layers"]} - {""}
    found = {
        f"sha256:{path.name}" for path in (root / "oci" / "blobs" / "sha256").iterdir()
    }
    assert found == blobs
    trees = {f"sha256:{path.name}" for path in (root / "layers").iterdir()}
    used = {each["chain_id"] for each in tables["image_layers"]}
    assert trees == {each["chain_id"] for each in tables["layers"]} == used
    assert list((root / "trash").iterdir()) == []


def read_tables(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Give every table as rows of plain values: two equal answers are two equal stores."""
    with closing(sqlite3.connect(f"file:{root / 'state.db'}?mode=ro", uri=True)) as rows:
        rows.row_factory = sqlite3.Row
        return {table: [dict(row) for row in _rows(rows, table)] for table in TABLES}


def _rows(rows: sqlite3.Connection, table: str) -> sqlite3.Cursor:
    return rows.execute(f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608  (ours)


def _broken(root: Path) -> Iterator[str]:
    with closing(sqlite3.connect(f"file:{root / 'state.db'}?mode=ro", uri=True)) as rows:
        for row in rows.execute("PRAGMA integrity_check"):
            if row[0] != "ok":
                yield f"state.db: {row[0]}"
        for row in rows.execute("PRAGMA foreign_key_check"):
            yield f"state.db: a row of {row[0]} refers to nothing in {row[2]}"
    tables = read_tables(root)
    yield from _broken_blobs(root, tables)
    yield from _broken_layers(root, tables)
    yield from _broken_index(root, tables)
    yield from (f"a lease of nobody: {each['operation']}" for each in tables["leases"])
    yield from _broken_modes(root)


def _broken_blobs(root: Path, tables: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    directory = root / "oci" / "blobs" / "sha256"
    sizes = {}
    for path in directory.iterdir():
        content = path.read_bytes()
        sizes[f"sha256:{path.name}"] = len(content)
        if hashlib.sha256(content).hexdigest() != path.name:
            yield f"blob {path.name} holds something else, or was never finished"
    expected = [(each["digest"], each["size_bytes"]) for each in tables["image_blobs"]]
    expected += [(each["blob"], each["blob_bytes"]) for each in tables["layers"]]
    for digest, size in expected:
        if digest and sizes.get(digest) != size:
            yield f"a row says that blob {digest} has {size} bytes: {sizes.get(digest)}"
    named = {(each["image"], each["digest"]) for each in tables["image_blobs"]}
    for image in tables["images"]:
        for part in ("config_blob", "manifest_digest"):
            if image[part] and (image["id"], image[part]) not in named:
                yield f"image {image['id']}: nobody counts its {part}"


def _broken_layers(root: Path, tables: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    layers = {each["chain_id"]: each for each in tables["layers"]}
    for chain_id, row in layers.items():
        whole = f"{row['parent']} {row['diff_id']}".encode()
        made = (
            f"sha256:{hashlib.sha256(whole).hexdigest()}"
            if row["parent"]
            else row["diff_id"]
        )
        if made != chain_id:
            yield f"layer {chain_id}: its parts make {made}"
        if not (root / "layers" / chain_id[7:] / "diff").is_dir():
            yield f"layer {chain_id}: no tree"
    for image in tables["images"]:
        rows = [each for each in tables["image_layers"] if each["image"] == image["id"]]
        rows.sort(key=lambda each: int(each["position"]))
        below = None
        for place, each in enumerate(rows):
            if each["position"] != place or layers[each["chain_id"]]["parent"] != below:
                yield f"image {image['id']}: layer {place} does not stand on the one before"
            below = each["chain_id"]
    for path in (root / "layers").iterdir():
        if path.name.startswith("tmp-"):
            yield f"layers/{path.name} is unfinished"


def _broken_index(root: Path, tables: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    index = json.loads((root / "oci" / "index.json").read_bytes())
    layout = json.loads((root / "oci" / "oci-layout").read_bytes())
    if layout != {"imageLayoutVersion": "1.0.0"}:
        yield "oci-layout is no such thing"
    manifests = {each["id"]: each["manifest_digest"] for each in tables["images"]}
    names = {
        (each["name"], manifests[each["image"]])
        for each in tables["tags"]
        if manifests[each["image"]]
    }
    found = set()
    for entry in index["manifests"]:
        called = entry.get("annotations", {}).get("org.opencontainers.image.ref.name")
        if called:
            found.add((called, entry["digest"]))
        path = root / "oci" / "blobs" / "sha256" / entry["digest"][7:]
        if not path.is_file() or path.stat().st_size != entry["size"]:
            yield f"index.json names {entry['digest']}, which is not so"
    if found != names:
        yield f"index.json has {sorted(found)}, the rows have {sorted(names)}"


def _broken_modes(root: Path) -> Iterator[str]:
    for name in (".", "oci", "layers", "trash", "oci/blobs", "oci/blobs/sha256"):
        if (root / name).stat().st_mode & 0o077:
            yield f"{name} is open to others"
    for path in (*root.glob("*"), *root.glob("oci/*"), *root.glob("oci/blobs/sha256/*")):
        if path.is_file() and path.stat().st_mode & 0o077:
            yield f"{path.name} is open to others"
