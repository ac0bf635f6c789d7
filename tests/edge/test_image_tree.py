"""The tree of images is what their documents say, and its sums are right."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from pyminidock.engine import images, imagetree, removing
from pyminidock.store.images import NoSuchImage
from pyminidock.viz.imagetree import read
from pyminidock.viz.painters.text import columns, paint
from pyminidock.viz.views.imagetree import imagetree as view
from tests.builder import Kitchen, kitchen
from tests.minidock_cli import Minidock, minidock

pytestmark = pytest.mark.edge

__all__ = ["minidock"]
ONE = "FROM busybox\nENV A=1\nRUN echo 1 > /one\nWORKDIR /data\nRUN echo 2 > /two\n"
TWO = "FROM one\nRUN echo three > /three\n"
SAME = "FROM one\nLABEL other=configuration\n"
ALONE = "FROM scratch\nCOPY a /a\n"
NOTHING = "FROM scratch\nENV A=1\n"


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    with kitchen(tmp_path_factory.mktemp("image-tree") / "root") as made:
        for name, text in (("one", ONE), ("two", TWO), ("same", SAME), ("alone", ALONE),
                           ("nothing", NOTHING)):  # fmt: skip
            built = made.build({"Dockerfile": text, "a": "seven!\n"},
                               tags=(f"{name}:latest",))  # fmt: skip
            assert not built.failure, built.text
        images.tag(made.house, "one", "one:1")
        yield made


def by_name(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: each for each in told["images"] for name in each["names"]}


def test_each_layer_is_told_once_and_stands_on_the_one_below_it(cook: Kitchen) -> None:
    told = imagetree.tree(cook.house)
    on = {each["chain_id"]: each["on"] for each in told["layers"]}
    assert len(on) == len(told["layers"])
    for name, each in by_name(told).items():
        chain, way = each["top"], list[str]()
        while chain:
            way.insert(0, chain)
            chain = on[chain]
        assert tuple(way) == images.row_of(cook.house, name).layers


def test_what_is_shared_and_what_is_own_add_up_to_each_image_and_to_the_disk(
    cook: Kitchen,
) -> None:
    told = imagetree.tree(cook.house)
    found = by_name(told)
    for name, each in found.items():
        whole = images.inspect(cook.house, name)["Size"]
        assert each["own_bytes"] + each["shared_bytes"] == whole, name
    assert (found["two:latest"]["own_bytes"], found["one:1"]["own_bytes"]) == (6, 0)
    assert (found["alone:latest"]["own_bytes"], found["alone:latest"]["shared_bytes"]) == (
        7, 0
    )  # fmt: skip
    taken = {layer.chain_id: layer.size_bytes for layer in cook.house.store.layers.all()}
    assert told["size_bytes"] == sum(taken.values())


def test_removing_an_image_gives_back_what_was_its_own(cook: Kitchen) -> None:
    cook.build({"Dockerfile": "FROM one\nRUN echo goodbye > /g\n"}, tags=("gone:latest",))
    before = imagetree.tree(cook.house)
    assert by_name(before)["gone:latest"]["own_bytes"] == len("goodbye\n")
    removing.remove(cook.house, "gone:latest")
    after = imagetree.tree(cook.house)
    assert before["size_bytes"] - after["size_bytes"] == len("goodbye\n")


def test_the_names_of_one_image_stand_together_and_another_configuration_beside_it(
    cook: Kitchen,
) -> None:
    found = by_name(imagetree.tree(cook.house))
    assert found["one:1"] is found["one:latest"]
    assert found["same:latest"]["top"] == found["one:1"]["top"]
    assert found["same:latest"]["id"] != found["one:1"]["id"]
    assert found["nothing:latest"]["layers"] == 0


def test_with_a_name_only_those_that_share_a_layer_are_told(cook: Kitchen) -> None:
    told = imagetree.tree(cook.house, "two")
    shared = {"busybox:latest", "one:1", "one:latest", "two:latest", "same:latest"}
    assert set(by_name(told)) == shared
    assert told["asked"] == by_name(told)["two:latest"]["id"]
    assert set(by_name(imagetree.tree(cook.house, "alone"))) == {"alone:latest"}
    assert set(by_name(imagetree.tree(cook.house, "nothing"))) == {"nothing:latest"}
    with pytest.raises(NoSuchImage, match="No such image: gone:latest"):
        imagetree.tree(cook.house, "gone")


def test_the_picture_has_each_layer_by_its_letter_and_fits_its_page(cook: Kitchen) -> None:
    shown = paint(view(read(imagetree.tree(cook.house))), 80)
    assert max(columns(line) for line in shown.splitlines()) <= 80
    assert re.search(r"A +2,0\d\d,\d\d\d B .*\(on it: 4 images\)", shown)
    assert re.search(r"└─ ▸ B +2 B +RUN echo 1 > /one", shown)
    assert re.search(r"│ +C +0 B +WORKDIR /data", shown)
    assert re.search(r"└─ ✎ E +6 B +RUN echo three > /three", shown)
    assert "= one:1, one:latest" in shown
    assert "nothing:latest  no layers: only a configuration" in shown
    two = paint(view(read(imagetree.tree(cook.house, "two"))), 80)
    assert "→ two:latest" in two
    assert "alone" not in two


def test_the_command_line_prints_it_and_refuses_as_docker_does(minidock: Minidock) -> None:
    assert "= busybox:latest" in minidock.run("image", "tree").stdout
    assert '"own_bytes"' in minidock.run("image", "tree", "busybox", "--json").stdout
    refused = minidock.run("image", "tree", "no-such")
    assert refused.returncode == 1
    assert "Error response from daemon: No such image: no-such:latest" in refused.stderr
