"""A container's record with one wrong byte: the engine starts, and nothing else is lost."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.engine import run
from pyminidock.kernel.model.body import ModelBody
from tests.engine.houses import WISH, house_over, kinds, prepared


@pytest.mark.soak
def test_one_wrong_byte_in_a_record_stops_no_engine(
    tmp_path: Path, at_length: Callable[[int], int]
) -> None:
    """H-51: what cannot be read is set aside with a reason; the name is free again.

    A byte within a text makes another text; nobody can know that it is wrong.
    """
    body, chance = ModelBody(), random.Random(51)
    with house_over(prepared(tmp_path), body) as first:
        whole = run.create(first, WISH)
    aside_before = set[str]()
    for round_ in range(at_length(400)):
        with house_over(tmp_path, body) as house:
            damaged = run.create(house, replace(WISH, name=f"web{round_}"))
            path = house.directory(damaged) / "config.json"
        content = bytearray(path.read_bytes())
        place = chance.randrange(len(content))
        content[place] ^= chance.randint(1, 255)
        path.write_bytes(content)
        with house_over(tmp_path, body) as again:
            here = {life.id for life in again.lives()}
            assert whole in here
            aside = {each.name for each in (tmp_path / "quarantine").glob(f"*{damaged}")}
            assert (damaged in here) is not bool(aside), (round_, place)
            for name in aside - aside_before:
                assert (tmp_path / "quarantine" / name / "reason").read_text().strip()
                assert kinds(again, "engine")[-1] == "orphan.removed"
            aside_before |= aside
            if damaged in here:
                run.remove(again, damaged, force=True)
    assert aside_before


def test_a_container_without_its_record_is_cleared_away_and_told(tmp_path: Path) -> None:
    """H-51: what nobody can describe is nobody's."""
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        lost, whole = run.create(first, WISH), run.create(first, WISH)
        (first.directory(lost) / "config.json").unlink()
    with house_over(tmp_path, body) as again:
        assert [life.id for life in again.lives()] == [whole]
        assert not (tmp_path / "containers" / lost).exists()
        assert kinds(again, "engine") == ["orphan.removed"]
