"""Every check that the contract gives to what is built so far is a test that runs."""

import pytest

from tests.house.checks import (
    ARCHIVES,
    BEHAVIOUR,
    BONES,
    IMAGE,
    PICTURE,
    WIRE,
    collected,
    missing,
    numbered,
)


@pytest.fixture(scope="module")
def found() -> dict[str, frozenset[str]]:
    return collected({place.partition("::")[0] for place in (*BEHAVIOUR, *ARCHIVES)})


def test_the_table_has_every_id_of_the_contract() -> None:
    assert frozenset().union(*BEHAVIOUR.values()) >= BONES | IMAGE | PICTURE | WIRE
    assert frozenset().union(*ARCHIVES.values()) == numbered("T", (1, 66))


def test_every_behaviour_is_proved_where_the_table_says(
    found: dict[str, frozenset[str]],
) -> None:
    assert missing(BEHAVIOUR, found) == []


def test_every_archive_is_tried_at_every_door_of_the_table(
    found: dict[str, frozenset[str]],
) -> None:
    assert missing(ARCHIVES, found) == []


def test_a_missing_id_is_named() -> None:
    wanted = {"tests/a.py": numbered("T", (1, 2)), "tests/b.py::test_x": numbered("H", 7)}
    there = {
        "tests/a.py::test_a[T-01 link]": frozenset({"T-01"}),
        "tests/b.py::test_y": frozenset({"H-07"}),
    }
    assert missing(wanted, there) == ["T-02 in tests/a.py", "H-07 in tests/b.py::test_x"]
