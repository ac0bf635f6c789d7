"""A manifest names blobs, an index names manifests, and nothing is both."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.image import manifest as documents
from pyminidock.image.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    ManifestMalformed,
    Platform,
    read_either,
    read_index,
    read_manifest,
    write_index,
    write_manifest,
)

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
CONFIG = Descriptor(OCI_CONFIG, A, 7)
LAYER = Descriptor(OCI_LAYER, B, 0, (("k", "v"),), None, ("https://example.org/x",))
MANIFEST = Manifest(CONFIG, (LAYER, LAYER), DOCKER_MANIFEST, (("a", "<b>"),))
ENTRY = Descriptor(OCI_MANIFEST, A, 9, platform=Platform("linux", "arm64", "v8"))


def raw(**fields: Any) -> bytes:
    return json.dumps({"schemaVersion": 2} | fields).encode()


def one(**fields: Any) -> dict[str, Any]:
    return {"mediaType": OCI_LAYER, "digest": A, "size": 1} | fields


def test_what_is_written_reads_back_whole() -> None:
    assert read_manifest(write_manifest(MANIFEST)) == MANIFEST
    index = Index((ENTRY, CONFIG), DOCKER_LIST, (("a", "1"),))
    assert read_index(write_index(index)) == index


def test_a_document_without_a_media_type_is_known_by_its_content() -> None:
    assert read_either(raw(config=one(), layers=[])).media_type == OCI_MANIFEST
    assert read_either(raw(manifests=None)) == Index((), OCI_INDEX)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (raw(config=one(), layers=[], manifests=[]), "taken for two things"),
        (raw(config=one(), manifests=[]), "taken for two things"),
        (raw(layers=[one()], manifests=[one()]), "taken for two things"),
        (raw(config=one(), Layers=[]), "'Layers' where 'layers' is meant"),
        (raw(manifests=[], LAYERS=[one()]), "'LAYERS' where"),
        (raw(), "neither layers nor manifests"),
        (raw(manifests=[], mediaType=OCI_MANIFEST), "does not fit its content"),
        (raw(config=one(), layers=[], mediaType=OCI_INDEX), "does not fit its content"),
        (raw(config=one(), layers=[], mediaType="text/html"), "does not fit its content"),
        (raw(config=one(), layers=[], schemaVersion=1), "schema version 1"),
        (raw(config=one(), layers=[], schemaVersion=True), "schemaVersion"),
        (b'{"fsLayers":[]}', "schema version 0"),
        (b"<html>", "Expecting value"),
        (b"[]", "an object belongs"),
        (raw(layers=[]), "an object belongs"),
        (raw(config=one(digest="md5:" + "0" * 32), layers=[]), "invalid digest"),
        (raw(config=one(digest="sha256:../../x"), layers=[]), "invalid digest"),
        (raw(config=one(size=-1), layers=[]), "size"),
        (raw(config=one(size=1 << 63), layers=[]), "size"),
        (raw(config=one(size=1.5), layers=[]), "size"),
        (raw(config=one(size="7"), layers=[]), "size"),
        (raw(config=one(urls=["x", 1]), layers=[]), "urls"),
        (raw(config=one(), layers=[one()] * 128), "128 layers, the limit is 127"),
        (raw(manifests=[one()] * 1025), "1025 entries, the limit is 1024"),
        (raw(manifests=[one(platform="linux")]), "an object belongs"),
        (b" " * ((4 << 20) + 1), "the limit is 4194304"),
        (b'{"schemaVersion":2,"manifests":[],"manifests":[]}', "'manifests' twice"),
    ],
)
def test_what_is_no_manifest_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(ManifestMalformed) as refusal:
        read_either(data)
    assert reason in refusal.value.what
    assert refusal.value.status == 400


def test_the_one_is_not_taken_for_the_other() -> None:
    with pytest.raises(ManifestMalformed, match="it is an index"):
        read_manifest(write_index(Index()))
    with pytest.raises(ManifestMalformed, match="it is a manifest"):
        read_index(write_manifest(MANIFEST))


@given(st.dictionaries(
    st.sampled_from(["schemaVersion", "config", "layers", "manifests", "mediaType"]),
    st.sampled_from([1, 2, None, [], {}, "", OCI_MANIFEST, OCI_INDEX, one(), [one()]]),
))  # fmt: skip
def test_any_object_is_one_of_the_two_or_a_refusal(value: dict[str, Any]) -> None:
    try:
        found = read_either(json.dumps(value).encode())
    except ManifestMalformed:
        return
    assert ("manifests" in value) == isinstance(found, Index)
    assert ("config" in value) == isinstance(found, Manifest)


def test_the_limits_are_those_that_the_contract_names() -> None:
    sizes = (documents.MAX_MANIFEST_BYTES, documents.MAX_INDEX_BYTES)
    assert (*sizes, documents.MAX_NESTING) == (4 << 20, 4 << 20, 4)
