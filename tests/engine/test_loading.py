"""Images come in whole, from every tool's archive, or nothing of them does."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pyminidock.engine import images, loading, removing
from pyminidock.engine.archived import LIMITS
from pyminidock.engine.house import House
from pyminidock.engine.loading import Loaded
from pyminidock.engine.saving import Saving
from pyminidock.errors import MinidockError
from pyminidock.grammar.refs import parse
from pyminidock.image.config import ImageConfig
from pyminidock.image.docker_archive import read_door
from pyminidock.kernel.model.body import ModelBody
from pyminidock.layers.archive import Limits
from tests.engine import archives
from tests.engine.archives import (
    INDEX,
    MANIFEST,
    config,
    descriptor,
    digest,
    index,
    layer,
    layout,
    manifest,
    oci,
    old_docker,
    tar,
)
from tests.engine.houses import house_over, kinds
from tests.store.invariants import check_invariants, check_swept

ONE, TWO = layer(), layer("bye", b"bye\n")
DOCUMENT = config(ONE, TWO)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(tmp_path / "root", ModelBody()) as made:
        yield made


def load(house: House, content: bytes, limits: Limits = LIMITS) -> list[Loaded]:
    heard: list[Loaded] = []
    loading.load(house, io.BytesIO(content), heard.append, limits=limits)
    return heard


def save(house: House, *names: str) -> bytes:
    return b"".join(Saving(house, names))


# ── What comes in ────────────────────────────────────────────────────────────────────────

SOURCES = {
    "docker before 25": tar(old_docker([ONE, TWO], DOCUMENT, "app:1", "other/app:2")),
    "gzip'ed whole": gzip.compress(tar(old_docker([ONE, TWO], DOCUMENT, "app:1",
                                                  "other/app:2"))),
    "layers gzip'ed": tar(old_docker([gzip.compress(ONE), TWO], DOCUMENT, "app:1",
                                     "other/app:2")),
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_an_archive_of_docker_comes_in_with_its_names(house: House, source: str) -> None:
    names = (parse("app:1"), parse("other/app:2"))
    assert load(house, SOURCES[source]) == [Loaded(digest(DOCUMENT), names)]
    found = images.find(house, "other/app:2")
    assert found.row.id == digest(DOCUMENT)
    assert found.image.config == ImageConfig(("sh",))
    assert (found.trees[0] / "bye").read_bytes() == b"bye\n"
    assert (found.trees[1] / "hello").read_bytes() == b"hi\n"
    assert house.store.blobs.read(found.row.config_blob) == DOCUMENT


def test_an_oci_layout_comes_in_as_it_was_packed(house: House) -> None:
    members = oci([ONE, TWO], DOCUMENT, "docker.io/library/app:1")
    assert load(house, tar(members)) == [Loaded(digest(DOCUMENT), (parse("app:1"),))]
    row = images.row_of(house, "app:1")
    packed = [house.store.layers.get(chain) for chain in row.layers]
    assert [each.blob for each in packed if each] == [
        digest(gzip.compress(each, mtime=0)) for each in (ONE, TWO)
    ]
    content = manifest(DOCUMENT, [gzip.compress(each, mtime=0) for each in (ONE, TWO)])
    assert row.manifest_digest == digest(content)


def test_a_bare_tag_is_no_name(house: House) -> None:
    assert load(house, tar(oci([ONE], config(ONE), "latest"))) == [
        Loaded(digest(config(ONE)))
    ]


def test_of_a_list_the_machine_s_own_image_comes_in(house: House) -> None:
    documents = {arch: config(ONE, architecture=arch) for arch in ("arm64", "amd64")}
    contents = {arch: manifest(document, [ONE]) for arch, document in documents.items()}
    entries = [
        descriptor(content, MANIFEST, platform={"os": "linux", "architecture": arch})
        for arch, content in contents.items()
    ]
    inner = index(*entries)
    note = {"io.containerd.image.name": "docker.io/library/app:1"}
    members = layout(index(descriptor(inner, INDEX, annotations=note)), inner, ONE,
                     *documents.values(), *contents.values())  # fmt: skip
    own = normal_arch(house)
    assert load(house, tar(members)) == [Loaded(digest(documents[own]), (parse("app:1"),))]
    plain = layout(index(*entries), ONE, *documents.values(), *contents.values())
    assert load(house, tar(plain)) == [Loaded(digest(documents[own]))]


def normal_arch(house: House) -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}[house.machine.arch]


def test_equal_layers_in_an_old_archive_are_links_to_one(house: House) -> None:
    document = config(ONE, TWO, ONE)
    load(house, tar(old_docker([ONE, TWO, ONE], document, "app:1")))
    assert len(images.find(house, "app:1").trees) == 3


def test_what_is_here_is_not_unpacked_again(house: House) -> None:
    load(house, tar(old_docker([ONE], config(ONE), "base:1")))
    load(house, tar(old_docker([ONE, TWO], DOCUMENT, "app:1")))
    house.recorder.flush()
    story = [entry.header.story for entry in house.journals.entries()][-1]
    assert kinds(house, story)[:2] == ["layer.reused", "layer.unpacked"]
    load(
        house, tar(oci([ONE, TWO], DOCUMENT, "app:2"))
    )  # packed otherwise, the same layers
    check_invariants(house.root)


def test_a_name_is_taken_from_the_image_that_had_it(house: House) -> None:
    load(house, tar(old_docker([ONE], config(ONE), "app:1")))
    (told,) = load(house, tar(old_docker([TWO], config(TWO), "app:1")))
    assert told.renamed == ((parse("app:1"), digest(config(ONE))),)
    assert images.list_(house)


def test_who_removes_the_last_name_waits_until_the_image_has_the_new_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the image would go between its coming in and its naming."""
    app = tar(old_docker([ONE], config(ONE), "app:1"))
    load(house, app)
    removals: list[Thread] = []

    def reach(point: str) -> None:
        if point == "load.admitted" and not removals:
            removals.append(Thread(target=removing.remove, args=(house, "app:1")))
            removals[0].start()
            removals[0].join(0.2)

    monkeypatch.setattr(loading, "reach", reach)
    app = tar(old_docker([ONE], config(ONE), "app:1"))
    load(house, app)
    removals[0].join()
    assert house.store.images.all() == ()


def test_several_images_come_in_one_by_one(house: House) -> None:
    members = old_docker([ONE], config(ONE), "a:1")
    door = json.loads(members["manifest.json"])
    second = {"Config": "two.json", "RepoTags": ["b:1"], "Layers": ["two.tar"]}
    members |= {"two.json": config(TWO), "two.tar": TWO,
                "manifest.json": json.dumps([*door, second]).encode()}  # fmt: skip
    assert [each.names for each in load(house, tar(members))] == [
        (parse("a:1"),), (parse("b:1"),),
    ]  # fmt: skip
    members["manifest.json"] = json.dumps([*door, second | {"Config": "x"}]).encode()
    removing.remove(house, "a:1")
    removing.remove(house, "b:1")
    with pytest.raises(MinidockError, match="has no file 'x'"):
        load(house, tar(members))
    assert images.row_of(house, "a:1")


# ── What does not ────────────────────────────────────────────────────────────────────────


def bad_door(**fields: Any) -> dict[str, Any]:
    members = old_docker([ONE], config(ONE), "a:1")
    entry = json.loads(members["manifest.json"])[0] | fields
    return members | {"manifest.json": json.dumps([entry]).encode()}


def bad_layout(**fields: Any) -> dict[str, Any]:
    content = manifest(config(ONE), [ONE])
    return layout(index(descriptor(content, MANIFEST) | fields), content, config(ONE), ONE)


def confused(content: bytes) -> bytes:
    return json.dumps(json.loads(content) | {"manifests": []}).encode()


def behind(content: bytes, *more: bytes) -> dict[str, Any]:
    return layout(index(descriptor(content, MANIFEST)), content, *more)


def cyclic() -> dict[str, Any]:
    """Make an index that leads to another, six deep."""
    contents = [index()]
    for _ in range(6):
        contents.append(index(descriptor(contents[-1], INDEX)))
    return layout(contents[-1], *contents)


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "T-58: a layer outside": (bad_door(Layers=["../../etc/passwd"]), "leads out of it"),
    "T-58: a config outside": (bad_door(Config="/etc/passwd"), "leads out of it"),
    "T-58: a member outside": ({"../../etc/cron.d/x": b"x"}, "climbs above the root"),
    "T-59: a layer is a link out": (
        bad_door(Layers=["x"]) | {"x": "link:../../etc/passwd"}, "no file 'x'"),
    "T-59: a layer is an absolute link": (
        bad_door(Layers=["x"]) | {"x": "link:/etc/passwd"}, "no file 'x'"),
    "T-59: a layer is a hard link to nothing": (
        bad_door(Layers=["x"]) | {"x": "hard:etc/passwd"}, "no file 'x'"),
    "T-59: links in a circle": (
        bad_door(Layers=["x"]) | {"x": "link:y", "y": "link:x"}, "no file 'x'"),
    "T-59: a layer is a fifo": (bad_door() | {"x": "fifo:"}, "'x' is no file"),
    "T-60: a digest that is a path": (bad_layout(digest="sha256:../"), "invalid digest"),
    "T-60: another algorithm": (bad_layout(digest="sha512:" + "0" * 128), "invalid digest"),
    "T-60: a wrong size": (bad_layout(size=1), "is not what the archive has"),
    "T-60: a size beyond the limit": (bad_layout(size=1 << 40), "the limit is 4194304"),
    "T-60: a blob is missing": (bad_layout(digest=digest(b"")), "has no file"),
    "T-60: a blob is another": (
        bad_layout() | {archives.blob(manifest(config(ONE), [ONE])): b"x"},
        "is not what the archive has"),
    "T-60: a layer is another": (
        behind(manifest(config(ONE), [ONE]), config(ONE)) | {archives.blob(ONE): TWO},
        "expected"),
    "T-60: indices without end": (cyclic(), "more than 4 deep"),
    "T-60: a door beyond the limit": (
        {"index.json": b" " * ((4 << 20) + 1)}, "the limit is 4194304"),
    "T-61: another diff id": (bad_door() | {f"{0:064x}/layer.tar": TWO},
        f'invalid diffID for layer 0: expected "{digest(ONE)}", got "{digest(TWO)}"'),
    "T-61: fewer layers": (
        bad_door(Layers=[]), "layers length mismatch: expected 0, got 1"),
    "T-61: more layers": (
        behind(manifest(config(ONE), [ONE, TWO]), config(ONE), ONE, TWO),
        "layers length mismatch: expected 2, got 1"),
    "T-63: a name that leads out": (bad_door(RepoTags=["../x:1"]), "invalid tag '../x:1'"),
    "T-63: a name that paints": (bad_door(RepoTags=["\x1b[31mx:1"]), "invalid tag"),
    "T-63: names without end": (bad_door(RepoTags=["a:1"] * 2000), "2000 names"),
    "T-63: a name in an index": (
        bad_layout(annotations={"io.containerd.image.name": "../x"}), "invalid name"),
    "two documents in one": (
        behind(confused(manifest(config(ONE), [ONE])), config(ONE), ONE),
        "taken for two things"),
    "layers elsewhere": (
        behind(manifest(config(ONE), [ONE], urls=["https://example.org/x"]), config(ONE)),
        "addresses are not followed"),
    "no image at all": (
        behind(manifest(config(ONE), [ONE], kind="text/x"), config(ONE)),
        "something else than an image: 'text/x'"),
    "windows": (old_docker([ONE], config(ONE, os="windows")), "cannot load windows image"),
    "a config that is none": (old_docker([ONE], b"[]"), "an object belongs"),
    "a config with a key twice": (old_docker([ONE], b'{"os":"","os":""}'), "twice"),
    "members twice": ({"manifest.json": b"[]", "./manifest.json": b"[]"}, "comes twice"),
    "nothing": ({"etc/passwd": b"x"}, "holds no image that can be loaded"),
    "older than 1.10": ({"repositories": b"{}"}, "holds no image that can be loaded"),
    "no UTF-8": ({"\udcff": b""}, "is not UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_and_nothing_is_left(house: House, case: str) -> None:
    members, reason = HOSTILE[case]
    outside = sorted(house.root.parent.iterdir())
    with pytest.raises(MinidockError) as refusal:
        load(house, tar(members))
    assert reason in refusal.value.what
    assert refusal.value.status in (400, 404)
    assert "\x1b" not in refusal.value.what
    assert house.store.images.all() == ()
    assert sorted(house.root.parent.iterdir()) == outside
    check_swept(house.root)


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, b"<html>" * 999, tar({})[:-1]])
def test_what_is_no_archive_holds_no_image(house: House, content: bytes) -> None:
    with pytest.raises(MinidockError) as refusal:
        load(house, content)
    assert refusal.value.status == 400


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_an_archive_that_breaks_off_leaves_nothing(house: House, share: float) -> None:
    whole = SOURCES["docker before 25"]
    with pytest.raises(MinidockError):
        load(house, whole[: int(len(whole) * share)])
    check_swept(house.root)


def test_an_archive_beyond_a_limit_is_refused_while_it_comes(house: House) -> None:
    with pytest.raises(MinidockError, match="layer_bytes"):
        load(house, SOURCES["docker before 25"], Limits(layer_bytes=4096))
    with pytest.raises(MinidockError, match="entries"):
        load(house, SOURCES["docker before 25"], Limits(entries=3))
    check_swept(house.root)


# ── What goes out ────────────────────────────────────────────────────────────────────────


def test_what_goes_out_comes_in_again(house: House, tmp_path: Path) -> None:
    load(house, tar(oci([ONE, TWO], DOCUMENT, "docker.io/library/app:1")))
    images.tag(house, "app:1", "app:2")
    content = save(house, "app:1", "app:2")
    assert content == save(house, "app")
    with house_over(tmp_path / "other", ModelBody()) as other:
        assert load(other, content) == [
            Loaded(digest(DOCUMENT), (parse("app:1"), parse("app:2")))
        ]
        layers = [other.store.layers.get(chain) for chain in
                  images.row_of(other, "app:1").layers]  # fmt: skip
        assert [each.blob for each in layers if each] == [digest(ONE), digest(TWO)]
        assert save(other, "app:1", "app:2") == content


def test_the_archive_has_docker_s_members_in_docker_s_order(house: House) -> None:
    load(house, tar(old_docker([ONE, TWO], DOCUMENT, "app:1")))
    names = members_of(save(house, "app:1"))
    assert names[:2] == ["blobs", "blobs/sha256"]
    assert names[-4:] == ["index.json", "manifest.json", "oci-layout", "repositories"]
    assert names[2:-4] == sorted(names[2:-4])
    assert {archives.blob(each) for each in (ONE, TWO, DOCUMENT)} < set(names)


def test_an_id_goes_out_without_a_name(house: House) -> None:
    load(house, tar(old_docker([ONE], config(ONE), "app:1")))
    content = save(house, images.row_of(house, "app:1").id)
    (image,) = read_door(extracted(content, "manifest.json"))
    assert image.names == ()
    assert "repositories" not in members_of(content)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", "No such image: nope"),
        ("nope:1", "reference does not exist"),
        (
            "Bad",
            "invalid reference format: repository name (library/Bad) must be lowercase",
        ),
    ],
)
def test_what_is_not_here_does_not_go_out(house: House, name: str, message: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        save(house, name)
    assert refusal.value.what == message
    assert house.store.leases.held() == ()


def test_an_archive_that_nobody_reads_to_its_end_lets_go(house: House) -> None:
    load(house, tar(old_docker([ONE], config(ONE), "app:1")))
    going = Saving(house, ["app:1"])
    assert next(going)
    assert house.store.leases.held() == ("save app:1",)
    going.close()
    assert list(going) == []
    assert house.store.leases.held() == ()


def members_of(content: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return archive.getnames()


def extracted(content: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return file.read()


# ── A tree of files ──────────────────────────────────────────────────────────────────────


def test_a_tree_of_files_becomes_an_image_of_one_layer(house: House) -> None:
    image = loading.import_tree(
        house, io.BytesIO(gzip.compress(ONE)), name=parse("tree:1"), message="by hand",
        change=lambda config: ImageConfig(("sh",)),
    )  # fmt: skip
    found = images.find(house, "tree:1")
    assert found.row.id == image
    assert (found.trees[0] / "hello").read_bytes() == b"hi\n"
    assert found.image.comment == "by hand"
    assert found.image.diff_ids == (digest(ONE),)
    assert found.image.config.command == ("sh",)
    with pytest.raises(MinidockError):
        loading.import_tree(house, io.BytesIO(ONE[:700]))
    assert len(house.store.images.all()) == 1
    check_invariants(house.root)
