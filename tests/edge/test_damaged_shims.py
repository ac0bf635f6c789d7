"""What a shim wrote, with one wrong byte: it is read, or it counts as lost; H-51."""

from pathlib import Path

import pytest

from pyminidock.container.spec import CreateRequest
from pyminidock.engine import run
from pyminidock.kernel.linux import shimrecords
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.port import ExitStatus, Process
from pyminidock.kernel.recording import Recording
from tests.builder import kitchen

pytestmark = pytest.mark.edge

EXIT = b'{"version": 1, "code": 7, "signal": 0, "oom": 0, "executed": 1, "finished": 2.5}'
OTHERS = (b"", b"[]", b"null", b"7", b'"x"', b"{}", b"[" * 100_000, b"\xff", b'{"pid":[]}',
          EXIT.replace(b"2.5", b"1e999"), EXIT.replace(b"2.5", b"NaN"))  # fmt: skip


def spoilt(record: bytes) -> list[bytes]:
    """Every bit flipped, every byte left out, every beginning, and other documents."""
    made = list(OTHERS)
    for place in range(len(record)):
        made += [
            record[:place] + bytes([record[place] ^ 1 << bit]) + record[place + 1 :]
            for bit in range(8)
        ]
        made += [record[:place] + record[place + 1 :], record[:place]]
    return made


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, LinuxBody]:
    """The records of a container that ended: its shim's, its exit's, and who reads them."""
    with kitchen(tmp_path_factory.mktemp("kitchen") / "root") as cook:
        house = cook.house
        container = run.create(house, CreateRequest("busybox", command=("sleep", "60")))
        run.start(house, container)
        directory = house.directory(container)
        shim = (directory / "shim.json").read_bytes()
        run.kill(house, container)
        run.wait(house, container)
        run.remove(house, container)
        assert isinstance(house.kernel, Recording)
        body = house.kernel.body
        assert isinstance(body, LinuxBody)
    return shim, EXIT, body


def test_a_spoilt_record_of_a_shim_is_none(
    records: tuple[bytes, bytes, LinuxBody], tmp_path: Path
) -> None:
    """H-51: nobody is taken for a container's program because of it."""
    shim, _, body = records
    for content in spoilt(shim):
        (tmp_path / "shim.json").write_bytes(content)
        found = body.find(str(tmp_path))
        assert found is None or isinstance(found, Process), content


def test_a_spoilt_record_of_an_exit_is_an_exit_all_the_same(
    records: tuple[bytes, bytes, LinuxBody], tmp_path: Path
) -> None:
    """H-51: what cannot be read is told as lost."""
    _, exit_, _ = records
    directory = str(tmp_path)
    for content in spoilt(exit_):
        (tmp_path / "exit.json").write_bytes(content)
        found = shimrecords.read_exit(directory)
        assert isinstance(found, ExitStatus), content
    (tmp_path / "exit.json").unlink()
    assert shimrecords.read_exit(directory).code == 137
    (tmp_path / "exit.json").write_bytes(exit_)
    assert shimrecords.read_exit(directory) == ExitStatus(7, finished=2.5)
