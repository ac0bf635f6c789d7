"""What a container uses, told in Docker's shape, and read once for all who watch."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.engine import run, stats
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.samples import Sample
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import BlockUse, LinkUse, Usage
from tests.engine.houses import WISH, house_over, prepared, started

GIB = 1 << 30


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path / "root"), ModelBody()) as made:
        yield made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second be short: how long it is says nothing about what is told."""
    monkeypatch.setattr(stats, "EVERY_S", 0.01)


UNIFIED = Usage(
    2, 5_000, 4, 8 * GIB, cpu_ns=300, user_ns=200, kernel_ns=100, periods=3,
    throttled_periods=2, throttled_ns=1, memory_bytes=4096, memory_limit_bytes=2**64 - 1,
    memory_failures=7, memory={"anon": 5, "file": 6, "not_docker_s": 1}, pids=2,
    block=(BlockUse("bytes", 8, 0, "read", 10), BlockUse("bytes", 8, 0, "write", 20)),
)  # fmt: skip


def test_cgroups_of_version_2_are_told_as_docker_tells_them() -> None:
    told = stats.told(Sample(1.0, UNIFIED), None, Life("a" * 64, "web"))
    assert told["cpu_stats"] == {
        "cpu_usage": {
            "total_usage": 300, "usage_in_kernelmode": 100, "usage_in_usermode": 200
        },
        "system_cpu_usage": 5_000, "online_cpus": 4,
        "throttling_data": {
            "periods": 3, "throttled_periods": 2, "throttled_time": 1
        },
    }  # fmt: skip
    memory = told["memory_stats"]
    assert (memory["usage"], memory["limit"], memory["failcnt"]) == (4096, 8 * GIB, 7)
    assert "max_usage" not in memory
    assert (memory["stats"]["anon"], memory["stats"]["pgfault"]) == (5, 0)
    assert "not_docker_s" not in memory["stats"]
    assert told["blkio_stats"]["io_service_bytes_recursive"] == [
        {"major": 8, "minor": 0, "op": "read", "value": 10},
        {"major": 8, "minor": 0, "op": "write", "value": 20},
    ]
    assert told["blkio_stats"]["io_serviced_recursive"] is None
    assert told["pids_stats"] == {"current": 2}
    assert told["name"] == "/web"


def test_a_container_on_a_network_tells_what_went_through_each_link() -> None:
    used = replace(UNIFIED, links=(LinkUse("eth0", (1, 2, 3, 4), (5, 6, 7, 8)),))
    told = stats.told(Sample(1.0, used), None, Life("a" * 64, "web"))
    assert told["networks"] == {"eth0": {
        "rx_bytes": 1, "rx_packets": 2, "rx_errors": 3, "rx_dropped": 4,
        "tx_bytes": 5, "tx_packets": 6, "tx_errors": 7, "tx_dropped": 8,
    }}  # fmt: skip
    assert "networks" not in stats.told(Sample(1.0, UNIFIED), None, Life("a" * 64, "web"))


def test_the_second_of_two_samples_tells_the_first_too(house: House, quick: None) -> None:
    life = started(house)
    told = stats.once(house, life.id, is_alone=False)
    used = told["cpu_stats"]["cpu_usage"]["total_usage"]
    assert used > told["precpu_stats"]["cpu_usage"]["total_usage"] > 0
    assert told["read"] > told["preread"]


def test_what_does_not_run_uses_nothing_and_is_told_at_once(house: House) -> None:
    container = run.create(house, WISH)
    told = stats.once(house, container, is_alone=False)
    assert told["cpu_stats"]["cpu_usage"]["total_usage"] == 0
    assert told["memory_stats"] == {}
    assert told["read"] == "0001-01-01T00:00:00Z"


def test_all_who_watch_share_one_reading(house: House, quick: None) -> None:
    life = started(house)
    with stats.Watch(house, life) as first, stats.Watch(house, life) as second:
        seen = [next(first) for _ in range(20)], [next(second) for _ in range(20)]
    assert {id(each) for each in seen[0]} & {id(each) for each in seen[1]}


def test_a_watcher_that_is_closed_waits_no_longer(house: House, quick: None) -> None:
    watch = stats.Watch(house, started(house))
    next(watch)
    watch.close()
    watch.close()
    assert list(watch) == []


def test_the_removal_ends_every_watch(house: House, quick: None) -> None:
    life = started(house)
    stream = stats.Stream(house, life.id)
    assert next(stream)["pids_stats"]["current"] == 1
    run.remove(house, life.id, force=True)
    for _ in stream:
        pass
    stream.close()


def test_who_watches_again_is_told_again(house: House, quick: None) -> None:
    life = started(house)
    for _ in range(3):
        with stats.Watch(house, life) as watch:
            assert next(watch).usage is not None
