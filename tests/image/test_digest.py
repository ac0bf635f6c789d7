"""Content names itself, and only such a name becomes a path."""

from typing import Any

import pytest

from pyminidock.errors import MinidockError
from pyminidock.image.chain import chain_ids, extend
from pyminidock.image.digest import check, hex_of, of_hex, sha256_of

# One busybox layer below two of a build, as a real engine named the three trees.
LAYERS = (
    "a47b050ef1b9e07c739c3ac98e1a127470578a9be6d5ba23919115cc220ef1a0",
    "9cee3fd6d3cc9158a1b34c1f4476a01ab718b520fc5a80a2dca5cf9f55a3ee16",
)
TREES = (
    "d2c45f89519b9e63215cc1acb172c68cb247536eb8888c15d9ca7d0eae2abe70",
    "d14c4827b2e0fa124722b32632fa51c3e14a3cc69ad9f04ed553dfbde0d6f26d",
)

BAD = [
    "", "sha256:", "sha256:../..", "sha256:" + "a" * 63, "sha256:" + "a" * 65,
    "sha256:" + "A" * 64, "md5:" + "a" * 32, "sha512:" + "a" * 128, "a" * 64,
    "sha256:" + "a" * 64 + "\n", "sha256:" + "a" * 63 + "\0", " sha256:" + "a" * 64,
    "sha256:" + "a" * (1 << 20), None, 7, ["sha256:" + "a" * 64],
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_digest_never_becomes_a_path(text: Any) -> None:
    for question in (check, hex_of, lambda text: chain_ids([text])):
        with pytest.raises(MinidockError) as refusal:
            question(text)
        assert refusal.value.status == 400
        assert len(refusal.value.what) < 120


def test_content_names_itself() -> None:
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_of(b"") == check(empty) == of_hex(hex_of(empty))


def test_a_tree_is_named_after_its_layer_and_all_below() -> None:
    parent = "sha256:" + TREES[0]
    assert extend(parent, of_hex(LAYERS[1])) == of_hex(TREES[1])


def test_the_bottom_layer_is_its_own_tree() -> None:
    digests = [of_hex("1" * 64), of_hex("2" * 64)]
    assert chain_ids(digests)[0] == digests[0]
    assert chain_ids(digests)[1] == extend(digests[0], digests[1])
    assert chain_ids([]) == ()
