"""Whatever moment an engine is killed in, the next one finds a store that holds."""

import ast
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pyminidock.store.failpoints import POINTS
from tests.crash import scenarios
from tests.crash.harness import Scenario
from tests.crash.matrix import Matrix, memory
from tests.store.stores import name

OWN = ("lease", "blob", "layer", "transaction", "index", "sweep", "opening")
SOURCE = Path(__file__).parents[2] / "pyminidock"


def names(root: Path) -> set[str]:
    with closing(sqlite3.connect(root / "state.db")) as rows:
        return {row[0] for row in rows.execute("SELECT name FROM tags")}


def still_web(root: Path) -> None:
    assert name("web") in names(root)


def one_name_at_least(root: Path) -> None:
    assert names(root) in ({name("web")}, {name("web"), name("alias")}, {name("alias")})


STORE = (
    Scenario("load", "tests.crash.scenarios:load", scenarios.one_image, still_web),
    Scenario("tag", "tests.crash.scenarios:tag", scenarios.one_image, one_name_at_least),
    Scenario("remove", "tests.crash.scenarios:remove", scenarios.one_image),
    Scenario("prune", "tests.crash.scenarios:prune", scenarios.rubbish, still_web),
)


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    with memory() as place:
        yield Matrix(place)


@pytest.mark.parametrize("scenario", STORE, ids=lambda scenario: scenario.name)
def test_a_killed_operation_happened_or_did_not(scenario: Scenario, matrix: Matrix) -> None:
    for crash in matrix.of(scenario):
        print(f"{scenario.name:7} {crash.point}:{crash.nth} {', '.join(crash.repaired)}")  # noqa: T201
    assert matrix.points(scenario) >= {each for each in POINTS if each.startswith("trans")}


def test_every_declared_place_of_the_store_was_died_at(matrix: Matrix) -> None:
    """Places of other rooms are hit by their own matrices."""
    print(matrix.draw(STORE))  # noqa: T201
    hit = set().union(*map(matrix.points, STORE))
    assert hit == {each for each in POINTS if each.partition(".")[0] in OWN}


def test_every_place_that_is_reached_is_declared_once_and_the_other_way_round() -> None:
    reached = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and _called(node) == "reach":
                (word,) = node.args
                assert isinstance(word, ast.Constant), f"{path}:{node.lineno}: say the name"
                reached.append(word.value)
    assert set(reached) == set(POINTS)
    assert len(POINTS) == len(set(POINTS))


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return word
    return ""
