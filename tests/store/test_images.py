"""An image is there whole, under every name it was given, or not at all."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest

from pyminidock.image.digest import sha256_of
from pyminidock.store.images import ImageIncomplete, ImageRow, NoSuchImage
from pyminidock.store.layers import NoSuchLayer
from pyminidock.store.opening import Store, open_store
from tests.store.stores import name, put_image, put_layer

ABSENT = sha256_of(b"nobody has this")


def test_an_image_comes_back_from_the_next_engine(store: Store) -> None:
    image = put_image(store, "web", "below", "above")
    store.close()
    again = open_store(store.root, mounts="")
    try:
        assert again.images.get(image.id) == image
        assert again.images.tagged(name("web")) == image
        assert [again.layers.get(each) for each in image.layers] == [
            row
            for each in image.layers
            for row in again.layers.all()
            if row.chain_id == each
        ]
        assert again.repairs == ()
    finally:
        again.close()


def test_a_name_moves_and_the_image_stays(store: Store) -> None:
    old, new = put_image(store, "web", "1"), put_image(store, "", "2")
    assert store.images.tag(name("web"), new.id) == old.id
    assert store.images.names(new.id) == (name("web"),)
    assert store.images.names(old.id) == ()
    assert {row.id for row in store.images.all()} == {old.id, new.id}
    assert store.images.untag(name("web"))
    assert not store.images.untag(name("web"))
    assert store.images.tagged(name("web")) is None


def test_an_image_is_meant_by_the_beginning_of_its_id(store: Store) -> None:
    image = put_image(store, "web", "1")
    digits = image.id.removeprefix("sha256:")
    for word in (image.id, digits, digits[:4], f"sha256:{digits[:4]}"):
        assert store.images.beginning(word) == (image,)
    for word in ("", "sha256:", "%", "_" * 64, digits + "0"):
        assert store.images.beginning(word) == ()


def without(row: ImageRow) -> tuple[ImageRow, ...]:
    return (
        replace(row, config_blob=ABSENT),
        replace(row, manifest_digest=ABSENT),
        replace(row, blobs=(ABSENT,)),
        replace(row, layers=(*row.layers, ABSENT)),
    )


@pytest.mark.parametrize("part", range(4))
def test_an_image_without_all_its_parts_is_refused(store: Store, part: int) -> None:
    whole = put_image(store, "web", "1")
    store.images.remove(whole.id)
    with pytest.raises(ImageIncomplete):
        store.images.add(without(whole)[part])
    assert store.images.all() == ()


def test_nobody_can_name_an_image_that_is_not_there(store: Store) -> None:
    with pytest.raises(NoSuchImage, match=f"No such image: {ABSENT}"):
        store.images.tag(name("web"), ABSENT)
    with pytest.raises(NoSuchImage):
        store.images.get(ABSENT)
    assert store.images.names() == ()


def test_removing_an_image_removes_its_names(store: Store) -> None:
    image = put_image(store, "web", "1")
    store.images.remove(image.id)
    store.images.remove(image.id)
    assert store.images.names() == ()


def test_a_build_knows_parents_and_children(store: Store) -> None:
    base = put_image(store, "base", "1")
    step = put_image(store, "", "1", "2", parent=base.id)
    assert store.images.children(base.id) == (step.id,)
    assert store.images.parent(step.id) == base.id


def test_a_layer_without_the_one_below_it_is_refused(store: Store) -> None:
    with pytest.raises(NoSuchLayer, match=ABSENT):
        put_layer(store, "floating", parent=ABSENT)
    assert store.layers.all() == ()
    assert not list((store.root / "layers").glob("[0-9a-f]*"))


def test_the_same_layer_twice_is_one(store: Store) -> None:
    assert put_layer(store, "same") == put_layer(store, "same")
    assert len(store.layers.all()) == 1


def test_other_tools_see_names_and_nameless_images(store: Store) -> None:
    web, nameless = put_image(store, "web", "1"), put_image(store, "", "2")
    store.images.tag(name("alias"), web.id)
    index = json.loads((store.root / "oci" / "index.json").read_bytes())
    found = {
        (
            each["digest"],
            each.get("annotations", {}).get("org.opencontainers.image.ref.name"),
        )
        for each in index["manifests"]
    }
    assert found == {
        (web.manifest_digest, name("web")),
        (web.manifest_digest, name("alias")),
        (nameless.manifest_digest, None),
    }
    for each in index["manifests"]:
        assert store.blobs.size(each["digest"]) == each["size"]


def test_what_fails_halfway_leaves_nothing(store: Store) -> None:
    image = put_image(store, "web", "1")
    with suppress(RuntimeError), store.db.write():
        store.images.untag(name("web"))
        store.images.remove(image.id)
        raise RuntimeError
    assert store.images.tagged(name("web")) == image
