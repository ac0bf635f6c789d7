"""A moment stands still, and says all the same what happened and how we know."""

import pytest

from pyminidock.viz.moment import moment
from pyminidock.viz.painters.text import paint
from pyminidock.viz.scene import Node
from pyminidock.viz.world import fold_all
from tests.viz.films import STORIES


def ids(node: Node) -> list[str]:
    return [node.id, *(inner for child in node.children for inner in ids(child))]


def test_a_moment_says_what_happened_how_we_know_and_what_to_type() -> None:
    records = STORIES["run"][1]
    mounted = next(n for n, record in enumerate(records, 1) if record.kind == "mounted")
    said = paint(moment(fold_all(records[:mounted])), 90).splitlines()
    assert said[0].startswith("[REAL]  start: birth")
    assert "the kernel answered" in said[2]
    assert said[3].strip().startswith("# mkdir -p ./proc && mount -t proc")
    assert "── Processes and namespaces" in "\n".join(said)


def test_a_build_is_shown_with_its_layers_and_a_chosen_view_alone() -> None:
    world = fold_all(STORIES["cold"][1])
    assert [each.id for each in moment(world).children[-2:]] == ["build", "layers"]
    assert [each.id for each in moment(world, ["timeline"]).children[3:]] == ["timeline"]


@pytest.mark.parametrize("name", sorted(STORIES))
def test_nothing_in_a_moment_has_the_id_of_another_thing(name: str) -> None:
    for number in range(1, len(STORIES[name][1]), 9):
        found = ids(moment(fold_all(STORIES[name][1][:number])))
        assert len(found) == len(set(found))
