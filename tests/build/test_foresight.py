"""What is kept of a build for the next one, and what never is."""

import io

import pytest

from pyminidock.build.contents import Contents, contents_of
from pyminidock.build.foresight import Foreseen, Foresight, foresight, is_settled
from pyminidock.build.options import Options
from pyminidock.build.stage import Standing
from pyminidock.dockerfile.arguments import Arguments
from pyminidock.dockerfile.instructions import Env
from pyminidock.dockerfile.parse import parse_trigger
from pyminidock.events import ignore
from pyminidock.image.config import ImageConfig
from pyminidock.image.document import Image
from pyminidock.store.cache import DoneStep
from tests.build.test_contents import archive_of

STEP = Env((("A", "1"),), text="ENV A=1")


def standing(*environment: str) -> Standing:
    return Standing(
        "sha256:1", Image(ImageConfig(environment=environment)), (), 0, Arguments()
    )


def found_at(place: Standing) -> Foreseen:
    done = DoneStep("sha256:1", "key", "sha256:2", "ENV A=1")
    return Foreseen(STEP, place, (), done, standing("A=1"), ())


def test_a_step_is_known_where_it_stood_and_nowhere_else() -> None:
    known, here = Foresight(), standing()
    known.note(2, found_at(here))
    assert known.of(2, standing(), STEP) == found_at(here)
    assert known.of(3, here, STEP) is None
    assert known.of(2, standing("B=2"), STEP) is None  # FROM and a step leave other words
    assert known.of(2, here, Env((("A", "2"),), text="ENV A=2")) is None


def test_a_stage_is_known_on_its_base() -> None:
    known = Foresight()
    known.note_entered(0, standing(), standing("PATH=/bin"))
    assert known.entered(0, standing()) == standing("PATH=/bin")
    assert known.entered(0, standing("X=1")) is None
    assert known.entered(1, standing()) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COPY a /b", True),
        ("COPY --from=x a /b", False),
        ("ADD a /b", True),
        ("ADD a https://x/y /b", False),
        ("RUN true", True),
    ],
)
def test_what_comes_from_elsewhere_is_not_settled(text: str, expected: bool) -> None:
    assert is_settled(parse_trigger(text)) is expected


def contents(name: str = "a") -> Contents:
    return contents_of(archive_of([name]), io.BytesIO, ignore)


def test_equal_archives_share_one_foresight() -> None:
    plan, options = object(), Options()
    first = foresight(plan, contents().shared, options)
    assert foresight(plan, contents().shared, options) is first
    assert foresight(plan, contents("b").shared, options) is not first
    assert foresight(object(), contents().shared, options) is not first
    assert foresight(plan, contents().shared, Options(network="none")) is not first


@pytest.mark.parametrize(
    "options",
    [
        Options(arguments={"TOKEN": "x"}),
        Options(labels={"a": "b"}),
        Options(uses_cache=False),
        Options(cache_from=("busybox",)),
    ],
)
def test_what_a_client_gave_is_not_kept(options: Options) -> None:
    plan = object()
    first = foresight(plan, contents().shared, options)
    assert foresight(plan, contents().shared, options) is not first
