"""Whatever moment a load, a tag or a removal is killed in, it happened or it did not."""

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pyminidock.container.states import State
from pyminidock.engine import images, loading
from pyminidock.store.failpoints import POINTS
from pyminidock.store.images import NoSuchImage
from tests.crash import build_scenarios, files_scenarios, volumes_scenarios
from tests.crash import images_scenarios as scenarios
from tests.crash.harness import Scenario
from tests.crash.images_scenarios import APP, WEB, house
from tests.crash.matrix import DECLARED, Matrix, memory


def web_is_whole(root: Path) -> None:
    """The image that was there before is there, named, with its tree; it loads again."""
    with house(root) as made:
        found = images.find(made, "web:1")
        assert (found.trees[0] / "base").stat().st_size == 2500
        loading.load(made, io.BytesIO(WEB), lambda _: None)


def app_is_whole_or_nameless(root: Path) -> None:
    """`app` has all of its layers wherever one of its names is left."""
    web_is_whole(root)
    with house(root) as made:
        for name in ("app:1", "app:2"):
            with suppress(NoSuchImage):
                trees = images.find(made, name).trees
                assert [tree.is_dir() for tree in trees] == [True, True]


def loads_again(root: Path) -> None:
    """Nothing is in the way of doing it once more."""
    with house(root) as made:
        loading.load(made, io.BytesIO(APP), lambda _: None)
        assert images.find(made, "app:2")


def builds_again(root: Path) -> None:
    """The base is whole, no container is left, and the name means all that was built."""
    web_is_whole(root)
    with build_scenarios.house(root) as made:
        assert made.lives() == ()
        assert list((root / "containers").iterdir()) == []
        with suppress(NoSuchImage):
            found = images.find(made, "app:1")
            assert (found.trees[0] / "srv/app").stat().st_size == 18_000
            assert len(found.trees) == len(found.image.diff_ids) == 3


def copied_whole(root: Path) -> None:
    """What has its name has all of its content, and nothing else lies around."""
    wanted = {"tree", *files_scenarios.SIZES}
    for path in (root / "tree").rglob("*"):
        name = path.relative_to(root / "tree").as_posix()
        assert name in wanted
        assert path.is_dir() or path.stat().st_size == files_scenarios.SIZES[name]


def committed_whole(root: Path) -> None:
    """The image is there with all of it or not at all, and the container goes on."""
    with scenarios.house(root) as made:
        (life,) = made.lives()
        assert life.state is not State.PAUSED
        with suppress(NoSuchImage):
            found = images.find(made, "made:1")
            assert (found.trees[0] / "written").stat().st_size == 50_000
            assert len(found.trees) == len(found.image.diff_ids) == 2


FILES = "tests.crash.files_scenarios"
HERE = "tests.crash.images_scenarios"
IMAGES = (
    Scenario("load", f"{HERE}:load", scenarios.web, app_is_whole_or_nameless),
    Scenario("import", f"{HERE}:import_tree", scenarios.web, web_is_whole),
    Scenario("build", "tests.crash.build_scenarios:build_app", scenarios.web, builds_again),
    Scenario("copy", f"{FILES}:copy", files_scenarios.prepare_copy, copied_whole),
    Scenario(
        "commit",
        f"{FILES}:commit",
        files_scenarios.prepare_commit,
        committed_whole,
        is_swept=False,
    ),
    Scenario(
        "volume",
        "tests.crash.volumes_scenarios:work",
        volumes_scenarios.prepare,
        volumes_scenarios.check,
    ),
    Scenario("tag", f"{HERE}:tag", scenarios.web, web_is_whole),
    Scenario("remove", f"{HERE}:remove", scenarios.web_and_app, app_is_whole_or_nameless),
    Scenario("prune", f"{HERE}:prune", scenarios.web_and_app, loads_again),
)


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    with memory() as place:
        yield Matrix(place)


@pytest.mark.parametrize("scenario", IMAGES, ids=lambda scenario: scenario.name)
def test_a_killed_deed_happened_or_did_not(scenario: Scenario, matrix: Matrix) -> None:
    """And each place that is declared for the verb was hit, died at and recovered from."""
    for crash in matrix.of(scenario):
        print(f"{scenario.name:7} {crash.point}:{crash.nth} {', '.join(crash.repaired)}")  # noqa: T201
    assert matrix.points(scenario) == DECLARED[scenario.name]


def test_the_matrix_of_deaths_has_no_gap(matrix: Matrix) -> None:
    print(matrix.draw(IMAGES))  # noqa: T201
    died = set().union(*map(matrix.points, IMAGES))
    assert died == set().union(*(DECLARED[each.name] for each in IMAGES))
    assert set(POINTS) == set().union(*DECLARED.values())
