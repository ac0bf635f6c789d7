"""A handful of failed tests is named for a second run; anything else has failed."""

from pathlib import Path

import pytest

from tests.house.test_nothing_skips import PLUGIN, write
from tests.plugins.second_chance import MOST

TWICE = (*PLUGIN, "-p", "tests.plugins.second_chance", "--second-chance", "failed.txt")


@pytest.fixture
def desk(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A small project with its own tests, on a machine that is not CI."""
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini("[pytest]\ntestpaths = tests\naddopts = --import-mode=importlib\n")
    return pytester


def failing(count: int) -> str:
    return (
        "import pytest\n\n"
        f'@pytest.mark.parametrize("word", [f"two words {{n}}" for n in range({count})])\n'
        "def test_some(word):\n    assert False\n\ndef test_other(): ...\n"
    )


def named(desk: pytest.Pytester) -> list[str] | None:
    path = Path(desk.path, "failed.txt")
    return path.read_text().splitlines() if path.exists() else None


def test_what_failed_is_named_and_can_be_run_by_that_name(desk: pytest.Pytester) -> None:
    write(desk, "test_some.py", failing(2))
    assert desk.runpytest(*TWICE).ret == pytest.ExitCode.TESTS_FAILED
    names = named(desk)
    assert names == [f"tests/test_some.py::test_some[two words {n}]" for n in range(2)]
    desk.runpytest(*PLUGIN, *names).assert_outcomes(failed=2)


def test_more_than_a_handful_is_no_chance(desk: pytest.Pytester) -> None:
    write(desk, "test_some.py", failing(MOST + 1))
    assert desk.runpytest(*TWICE).ret == pytest.ExitCode.TESTS_FAILED
    assert named(desk) is None


def test_names_of_an_earlier_run_are_forgotten(desk: pytest.Pytester) -> None:
    write(desk, "test_some.py", failing(1))
    desk.runpytest(*TWICE)
    write(desk, "test_some.py", "def test_some(): ...\n")
    assert desk.runpytest(*TWICE).ret == pytest.ExitCode.OK
    assert named(desk) is None


def test_a_file_that_cannot_be_collected_is_not_asked_twice(desk: pytest.Pytester) -> None:
    write(desk, "test_some.py", "import nothing_of_this_name\n")
    assert desk.runpytest(*TWICE).ret == pytest.ExitCode.INTERRUPTED
    assert named(desk) is None


def test_a_count_that_is_wrong_is_not_asked_twice(desk: pytest.Pytester) -> None:
    write(desk, "test_some.py", failing(1))
    write(desk, "counts.json", '{"unit": {"tests": 7}}')
    assert desk.runpytest(*TWICE, "--nothing-skips").ret == pytest.ExitCode.TESTS_FAILED
    assert named(desk) is None


def test_a_failure_while_cleaning_up_is_named_too(desk: pytest.Pytester) -> None:
    write(
        desk,
        "test_some.py",
        "import pytest\n\n@pytest.fixture\ndef room():\n    yield\n    assert False\n\n"
        "def test_some(room): ...\n",
    )
    desk.runpytest(*TWICE)
    assert named(desk) == ["tests/test_some.py::test_some"]
