"""The doors of an archive are read with care, and written as `docker save` writes them."""

import json
from typing import Any

import pytest

from pyminidock.grammar.refs import parse
from pyminidock.image.digest import sha256_of
from pyminidock.image.docker_archive import (
    ArchivedImage,
    ArchiveMalformed,
    SavedImage,
    documents,
    member,
    read_door,
)
from pyminidock.image.manifest import read_index, read_manifest

LAYERS = (("sha256:" + "e" * 64, 2181120), ("sha256:" + "1" * 64, 2560))
NAMES = (parse("full:1"), parse("other/x:2"))


def door(**fields: Any) -> bytes:
    entry = {"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["x/layer.tar"]} | fields
    return json.dumps([entry]).encode()


def test_every_writer_s_door_is_read() -> None:
    assert read_door(door()) == (
        ArchivedImage("c.json", ("x/layer.tar",), (parse("a:1"),)),
    )
    assert read_door(door(RepoTags=None, Layers=None, Parent="sha256:x")) == (
        ArchivedImage("c.json", (), ()),
    )
    assert read_door(b"null") == read_door(b"[]") == ()
    assert read_door(door(RepoTags=["docker.io/library/a:1"]))[0].names == (parse("a:1"),)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (door(Layers=["../../etc/passwd"]), "'../../etc/passwd' leads out"),
        (door(Layers=["a/../../x"]), "leads out"),
        (door(Layers=[""]), "leads out"),
        (door(Layers=["a\0b"]), "leads out"),
        (door(Config="/etc/passwd"), "'/etc/passwd' leads out"),
        (door(Config=None), "leads out"),
        (door(Config="c" * 5000), "a name of 5000"),
        (door(RepoTags=["../x:1"]), "invalid tag '../x:1'"),
        (door(RepoTags=["a\x1b[31m:1"]), "invalid tag 'a\\x1b[31m:1'"),
        (door(RepoTags=["a"]), "invalid tag 'a'"),
        (door(RepoTags=["a:1@sha256:" + "0" * 64]), "invalid tag"),
        (door(RepoTags=["a:1"] * 100_000), "100000 names"),
        (door(Layers="x"), "Layers: str where a list"),
        (door(config="c.json"), "'config' where 'Config'"),
        (b"{}", "not a list"),
        (b"[" + b"{}," * 1024 + b"{}]", "1025 images"),
        (b"[1]", "an object belongs"),
        (b"\0", "Expecting value"),
    ],
)
def test_a_door_that_leads_elsewhere_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ArchiveMalformed) as refusal:
        read_door(data)
    assert reason in refusal.value.what
    assert "\x1b" not in refusal.value.what
    assert len(refusal.value.what) < 500


def test_a_member_has_one_spelling() -> None:
    assert member("./a//b/./c/") == "a/b/c"


def test_what_is_saved_is_what_docker_saves() -> None:
    found = documents([SavedImage(b"{}", LAYERS, NAMES)])
    config = sha256_of(b"{}").removeprefix("sha256:")
    top, bottom = "1" * 64, "e" * 64
    source = (
        '{"mediaType":"application/vnd.oci.image.layer.v1.tar","size":%d,"digest":"%s"}'
    )
    assert found["manifest.json"].decode() == (
        f'[{{"Config":"blobs/sha256/{config}","RepoTags":["full:1","other/x:2"],'
        f'"Layers":["blobs/sha256/{bottom}","blobs/sha256/{top}"],"LayerSources":{{'
        f'"sha256:{top}":{source % (2560, "sha256:" + top)},'
        f'"sha256:{bottom}":{source % (2181120, "sha256:" + bottom)}}}}}]\n'
    )
    assert found["repositories"].decode() == (
        f'{{"full":{{"1":"{top}"}},"other/x":{{"2":"{top}"}}}}\n'
    )
    assert found["oci-layout"] == b'{"imageLayoutVersion": "1.0.0"}'
    blobs = {name for name in found if name.startswith("blobs/")}
    for name in blobs:
        assert name == f"blobs/sha256/{sha256_of(found[name])[7:]}"
    assert list(found) == sorted(found)
    entries = read_index(found["index.json"]).manifests
    assert [dict(entry.annotations)["io.containerd.image.name"] for entry in entries] == [
        "docker.io/library/full:1", "docker.io/other/x:2",
    ]  # fmt: skip
    manifest = read_manifest(found[f"blobs/sha256/{entries[0].digest[7:]}"])
    assert manifest.config.digest == sha256_of(b"{}")
    assert [(one.digest, one.size_bytes) for one in manifest.layers] == list(LAYERS)


def test_an_image_without_a_name_is_saved_without_one() -> None:
    found = documents([SavedImage(b"{}", LAYERS)])
    assert '"RepoTags":null' in found["manifest.json"].decode()
    assert "repositories" not in found
    assert [entry.annotations for entry in read_index(found["index.json"]).manifests] == [
        ()
    ]


def test_what_is_saved_reads_back() -> None:
    images = [SavedImage(b"{}", LAYERS, NAMES), SavedImage(b"[]", LAYERS[:1])]
    found = documents(images)
    assert [(one.names, len(one.layers)) for one in read_door(found["manifest.json"])] == [
        (NAMES, 2), ((), 1),
    ]  # fmt: skip
