"""Records are whole or absent; names have one owner; damage hides nothing else."""

import json
import os
import stat
from pathlib import Path
from threading import Barrier, Thread

import pytest

from pyminidock.store.records import (
    AmbiguousId,
    NameTaken,
    NoSuchContainer,
    Records,
    RecordTooNew,
)

ONE, TWO = "a1" * 32, "a2" * 32


def content(container: str, name: str) -> dict[str, object]:
    return {"id": container, "name": name, "colour": "é"}


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "root")


def test_a_record_comes_back_in_the_next_engine(records: Records, tmp_path: Path) -> None:
    records.put(ONE, content(ONE, "web"))
    again = Records(tmp_path / "root")
    assert again.load(0.0) == ()
    assert again.get(ONE) == {"v": 1, **content(ONE, "web")}
    assert again.find("web") == ONE


def test_a_container_is_meant_by_name_by_id_and_by_its_beginning(records: Records) -> None:
    for container, name in ((ONE, "web"), (TWO, "db")):
        records.claim(name, container)
        records.put(container, content(container, name))
    assert {records.find(word) for word in ("web", "/web", ONE, "a1", ONE[:12])} == {ONE}
    for nobody in ("", "we", "b", "webb", "../web"):
        with pytest.raises(NoSuchContainer):
            records.find(nobody)


def test_an_exact_name_wins_over_the_beginning_of_an_id(records: Records) -> None:
    records.put(ONE, content(ONE, "web"))
    records.claim("a1", TWO)
    records.put(TWO, content(TWO, "a1"))
    assert records.find("a1") == TWO


def test_a_name_has_one_owner_whoever_asks_at_once(records: Records) -> None:
    start, won, lost = Barrier(8), list[str](), list[str]()

    def claim(container: str) -> None:
        start.wait()
        try:
            records.claim("web", container)
            won.append(container)
        except NameTaken as refusal:
            lost.append(refusal.what)

    threads = [Thread(target=claim, args=(f"{number}" * 64,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert (
        lost
        == [
            f'Conflict. The container name "/web" is already in use by container'
            f' "{won[0]}".'
            " You have to remove (or rename) that container to be able to reuse that name."
        ]
        * 7
    )


def test_a_name_is_free_again_after_removal(records: Records, tmp_path: Path) -> None:
    records.claim("web", ONE)
    records.put(ONE, content(ONE, "web"))
    (records.directory / ONE / "upper").mkdir()
    records.remove(ONE)
    records.claim("web", TWO)
    with pytest.raises(NoSuchContainer):
        records.get(ONE)
    assert list(records.directory.iterdir()) == []
    assert list((tmp_path / "root" / "trash").iterdir()) == []


def test_what_an_earlier_removal_has_left_is_in_nobody_s_way(
    records: Records, tmp_path: Path
) -> None:
    left = tmp_path / "root" / "trash" / ONE
    left.mkdir(parents=True)
    (left / "config.json").touch()
    records.put(ONE, content(ONE, "web"))
    records.remove(ONE)
    assert not left.exists()
    assert list(records.directory.iterdir()) == []


def test_removing_follows_no_link(records: Records, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    records.put(ONE, content(ONE, "web"))
    (records.directory / ONE / "upper").symlink_to(tmp_path / "precious")
    records.remove(ONE)
    assert (tmp_path / "precious" / "file").exists()


def test_files_are_for_their_owner_only(records: Records) -> None:
    old = os.umask(0)
    try:
        records.put(ONE, content(ONE, "web"))
    finally:
        os.umask(old)
    directory = records.directory / ONE
    modes = [stat.S_IMODE(path.stat().st_mode) for path in
             (records.directory, directory, directory / "config.json")]  # fmt: skip
    assert modes == [0o700, 0o700, 0o600]


def test_a_new_version_replaces_the_old_one_in_one_piece(records: Records) -> None:
    records.put(ONE, content(ONE, "web"))
    before = (records.directory / ONE / "config.json").open()
    records.put(ONE, content(ONE, "web") | {"state": "exited"}, is_durable=False)
    assert "state" not in json.load(before)  # who had it open still reads the old one
    before.close()
    assert [path.name for path in (records.directory / ONE).iterdir()] == ["config.json"]


def test_what_an_earlier_engine_wrote_is_written_again(
    records: Records, tmp_path: Path
) -> None:
    records.put(ONE, content(ONE, "web"))
    again = Records(tmp_path / "root")
    again.load(0.0)
    kept = again.get(ONE)
    for state in ("running", "exited"):  # what is the same object is not spelled again
        again.put(ONE, {**kept, "state": state})
        written = json.loads((again.directory / ONE / "config.json").read_text())
        assert written == {**kept, "state": state}


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b'{"v": 1}', b"\xff\xfe", b'{"v":1,"id":"other","name":"x"}',
     b'{"v":"1"}', b"[" * 100_000],
    ids=lambda damage: damage[:8].decode("ascii", "replace"),
)  # fmt: skip
def test_a_damaged_record_goes_to_quarantine_with_all_it_holds(
    records: Records, tmp_path: Path, damage: bytes
) -> None:
    for container, name in ((ONE, "web"), (TWO, "db")):
        records.put(container, content(container, name))
    (records.directory / ONE / "config.json").write_bytes(damage)
    (records.directory / ONE / "upper").mkdir()
    again = Records(tmp_path / "root")
    (aside,) = again.load(1_767_225_600.0)
    assert aside.path == str(tmp_path / "root" / "quarantine" / f"20260101T000000-{ONE}")
    assert (Path(aside.path) / "reason").read_text() == f"{aside.reason}\n"
    assert (Path(aside.path) / "upper").is_dir()
    assert [each["name"] for each in again.all()] == ["db"]


def test_a_record_of_a_newer_release_is_refused_untouched(
    records: Records, tmp_path: Path
) -> None:
    records.put(ONE, content(ONE, "web"))
    path = records.directory / ONE / "config.json"
    path.write_text(path.read_text().replace('"v": 1', '"v": 2'))
    with pytest.raises(RecordTooNew) as refusal:
        Records(tmp_path / "root").load(0.0)
    assert "version 2" in refusal.value.why
    assert path.exists()


def test_what_a_crash_left_is_found(records: Records, tmp_path: Path) -> None:
    records.put(ONE, content(ONE, "web"))
    (records.directory / TWO).mkdir()  # created, and no record yet
    (records.directory / ONE / "tmp-config.json").touch()
    (tmp_path / "root" / "trash").mkdir()
    (tmp_path / "root" / "trash" / "gone").mkdir()
    again = Records(tmp_path / "root")
    again.load(0.0)
    assert {path.name for path in again.strays()} == {TWO, "gone", "tmp-config.json"}
    for path in again.strays():
        again.discard(path)
    assert again.strays() == ()
    assert again.get(ONE)


def test_a_beginning_that_several_ids_share_names_none_of_them(tmp_path: Path) -> None:
    records = Records(tmp_path)
    for container in ("ab" + "0" * 62, "ac" + "0" * 62):
        records.claim(container[:2], container)
        records.put(container, {"id": container, "name": container[:2]})
    with pytest.raises(AmbiguousId) as refusal:
        records.find("a")
    assert refusal.value.what == "multiple IDs found with provided prefix: a"
    assert refusal.value.status == 400
    assert records.find("ab0") == "ab" + "0" * 62
