"""Who has a path of a container, told while nothing is mounted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.engine import accounts
from pyminidock.engine.house import House
from pyminidock.kernel.model.body import ModelBody
from tests.engine.houses import house_over, prepared, started


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path / "root"), ModelBody()) as made:
        yield made


def test_what_it_wrote_is_its_own(house: House) -> None:
    life = started(house)
    upper = Path(house.kept(life.id).snapshot.upper)
    (upper / "new").write_text("hello")
    told = accounts.told(house, life.id, "/new")
    assert (told["kind"], told["letter"], told["committed"]) == ("file", "A", "content")
    assert told["holdings"][0]["role"] == "shown"
    assert told["holdings"][0]["tree"] == str(upper)
    assert (told["shared_by"], told["evidence"]) == ([], "explained")


def test_what_nobody_has_is_absent_under_both_rules(house: House) -> None:
    life = started(house)
    for rules in accounts.RULES:
        told = accounts.told(house, life.id, "/none", rules)
        assert (told["kind"], told["copies"], told["letter"]) == ("absent", [], "")


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("/new/below", "overlay"), ("/", "unionfs"),
        ("/a\0b", "overlay"), ("/\ud800", "overlay"), ("/a\0b", "aufs"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(house: House, path: str, rules: str) -> None:
    life = started(house)
    (Path(house.kept(life.id).snapshot.upper) / "new").write_text("a file")
    with pytest.raises(accounts.PathNotAccounted) as refusal:
        accounts.told(house, life.id, path, rules)
    assert refusal.value.status == 400
