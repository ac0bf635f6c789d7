"""A socket file: never open to others, never somebody else's, however it is asked for."""

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from pyminidock.api.address import AddressTaken, AddressUnsafe, listen


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def _generous_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_generous_umask")
def test_the_socket_and_its_new_parents_are_ours_alone_under_any_umask(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run" / "minidock.sock"
    address = listen(path)
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    names = sorted(entry.name for entry in path.parent.iterdir())
    assert names == [".minidock.sock.lock", "minidock.sock"]
    assert mode(path.parent / names[0]) == 0o600
    address.remove()
    assert not list(path.parent.iterdir())


def test_a_name_longer_than_an_address_works(tmp_path: Path) -> None:
    path = tmp_path / ("d" * 100) / ("s" * 100)
    address = listen(path)
    handle = os.open(path, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"/proc/self/fd/{handle}")
        address.listener.accept()[0].close()
    os.close(handle)
    with pytest.raises(AddressTaken):
        listen(path)
    address.remove()


def test_a_socket_that_is_answered_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    address = listen(path)
    with pytest.raises(AddressTaken, match="in use"):
        listen(path)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    address.remove()


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    listen(path).remove()
    assert not path.exists()


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_no_socket_is_not_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s"
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "precious")
    with pytest.raises(AddressTaken):
        listen(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["s"]


def test_a_directory_where_others_may_rename_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(AddressUnsafe) as refusal:
        listen(tmp_path / "s")
    assert refusal.value.try_next == f"chmod go-w {tmp_path}"
    tmp_path.chmod(0o1777)
    listen(tmp_path / "s").remove()


def test_removing_leaves_what_somebody_put_there_by_force(tmp_path: Path) -> None:
    path = tmp_path / "s"
    address = listen(path)
    path.unlink()
    path.write_text("precious")
    address.remove()
    assert path.read_text() == "precious"


def test_an_engine_is_not_followed_by_two(tmp_path: Path) -> None:
    """While one ends, the next may already have opened the lock that is going away."""
    path = tmp_path / "s"
    for _ in range(50):
        first = listen(path)
        outcomes: list[object] = []

        def follow(outcomes: list[object] = outcomes) -> None:
            while not outcomes:
                try:
                    outcomes.append(listen(path))
                except AddressTaken:
                    continue

        follower = threading.Thread(target=follow)
        follower.start()
        first.remove()
        follower.join()
        with pytest.raises(AddressTaken):
            listen(path)
        outcomes[0].remove()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())


def test_of_many_engines_at_once_one_gets_a_stale_address(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    outcomes: list[object] = []
    together = threading.Barrier(8)

    def begin() -> None:
        together.wait()
        try:
            outcomes.append(listen(path))
        except AddressTaken:
            outcomes.append(None)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [address for address in outcomes if address is not None]
    assert len(won) == 1
    won[0].remove()  # type: ignore[attr-defined]
