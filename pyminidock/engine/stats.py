"""What a container uses, once a second: `docker stats`.

One thread samples a container, however many watch it, and ends with the last of them.  A
sample tells the one before it too, so that a client can say how much of the processors was
used between the two; of a container that does not run it is empty.

Source: moby, daemon/stats.go, daemon/stats_unix.go (statsV1, statsV2) and
daemon/stats/collector.go; API v1.45, ContainerStats.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from pyminidock.engine.copying import alive
from pyminidock.engine.document import moment
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.samples import Sample
from pyminidock.kernel.port import BlockUse, LinkUse, ProcessGone, Usage

Document = dict[str, Any]

EVERY_S = 1.0
_COUNTED = ("bytes", "packets", "errors", "dropped")
_NOTHING = Sample(0.0, None)
_BLOCK_FIELDS = (
    "io_service_bytes_recursive", "io_serviced_recursive", "io_queue_recursive",
    "io_service_time_recursive", "io_wait_time_recursive", "io_merged_recursive",
    "io_time_recursive", "sectors_recursive",
)  # fmt: skip
_V1_MEMORY = (
    "cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "pgpgin", "pgpgout",
    "pgfault", "pgmajfault", "inactive_anon", "active_anon", "inactive_file",
    "active_file", "unevictable",
)  # fmt: skip
_V2_MEMORY = (
    "anon", "file", "kernel_stack", "slab", "sock", "shmem", "file_mapped", "file_dirty",
    "file_writeback", "anon_thp", "inactive_anon", "active_anon", "inactive_file",
    "active_file", "unevictable", "slab_reclaimable", "slab_unreclaimable", "pgfault",
    "pgmajfault", "workingset_refault", "workingset_activate", "workingset_nodereclaim",
    "pgrefill", "pgscan", "pgsteal", "pgactivate", "pgdeactivate", "pglazyfree",
    "pglazyfreed", "thp_fault_alloc", "thp_collapse_alloc",
)  # fmt: skip


def once(house: House, reference: str, *, is_alone: bool) -> Document:
    """Tell what a container uses now, and, unless `is_alone`, a second before.

    Raises NoSuchContainer.
    """
    life = house.life(reference)
    if alive(life) is None:
        return told(_NOTHING, None, life)
    if is_alone:
        document = told(sample(house, life), None, life)
        return {key: document[key] for key in document if key not in ("name", "id")}
    with Watch(house, life) as watch:
        first = next(watch, _NOTHING)
        second = next(watch, _NOTHING)
    return told(second, first, life)


class Watch:
    """One watcher of a container: a sample a second, until it is closed or removed."""

    def __init__(self, house: House, life: Life) -> None:
        self._samples, self._is_closed = life.samples, False

        def read() -> Sample | None:
            return None if life.is_gone or house.is_closed else sample(house, life)

        self._seen = self._samples.enter(read, EVERY_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        """Give itself."""
        return self

    def __next__(self) -> Sample:
        """Wait for the next sample."""
        found = self._samples.after(self._seen, lambda: self._is_closed)
        if found is None:
            raise StopIteration
        self._seen, sample = found
        return sample

    def close(self) -> None:
        """Watch no more; from any thread, and more than once."""
        if not self._is_closed:
            self._is_closed = True
            self._samples.leave()


class Stream:
    """What a client of `docker stats` gets: a document a second."""

    def __init__(self, house: House, reference: str) -> None:
        """Begin.  Raises NoSuchContainer."""
        self._life = house.life(reference)
        self._watch = Watch(house, self._life)
        self._before: Sample | None = None

    def __iter__(self) -> Self:
        """Give itself."""
        return self

    def __next__(self) -> Document:
        """Wait for the next document; the end is the removal of the container."""
        found = next(self._watch)
        document = told(found, self._before, self._life)
        self._before = found
        return document

    def close(self) -> None:
        """Watch no more; from any thread."""
        self._watch.close()


def sample(house: House, life: Life) -> Sample:
    """Read what a container uses now."""
    process = alive(life)
    if process is not None:
        with suppress(ProcessGone):
            usage = house.kernel.usage(process)
            return Sample(house.kernel.wall(), usage)
    return _NOTHING


# ── Docker's document ────────────────────────────────────────────────────────────────────


def told(now: Sample, before: Sample | None, life: Life) -> Document:
    """Tell a sample in Docker's shape, with the processors' part of the one before."""
    usage, earlier = now.usage, before.usage if before else None
    return {
        "read": moment(now.at), "preread": moment(before.at if before else 0.0),
        "pids_stats": _present(current=usage.pids, limit=usage.pids_limit) if usage else {},
        "blkio_stats": _block(usage), "num_procs": 0, "storage_stats": {},
        "cpu_stats": _cpu(usage), "precpu_stats": _cpu(earlier),
        "memory_stats": _memory(usage) if usage else {},
        "name": f"/{life.name}", "id": life.id,
        **_present(networks=_networks(usage.links) if usage else {}),
    }  # fmt: skip


def _present(**fields: object) -> Document:
    """Leave out what is nothing, as Docker does with these fields."""
    return {name: value for name, value in fields.items() if value}


def _cpu(usage: Usage | None) -> Document:
    if usage is None:
        nothing = {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0}
        return {"cpu_usage": nothing, "throttling_data": _throttling(0, 0, 0)}
    each = {"percpu_usage": list(usage.each_cpu_ns)} if usage.each_cpu_ns else {}
    return {
        "cpu_usage": {
            "total_usage": usage.cpu_ns, **each,
            "usage_in_kernelmode": usage.kernel_ns, "usage_in_usermode": usage.user_ns,
        },
        **_present(system_cpu_usage=usage.system_ns, online_cpus=usage.processors),
        "throttling_data": _throttling(
            usage.periods, usage.throttled_periods, usage.throttled_ns
        ),
    }  # fmt: skip


def _throttling(periods: int, throttled: int, nanoseconds: int) -> Document:
    return {
        "periods": periods, "throttled_periods": throttled, "throttled_time": nanoseconds
    }  # fmt: skip


def _block(usage: Usage | None) -> Document:
    """Tell reads and writes; version 2 has only the bytes of them."""
    lists: dict[str, Any] = dict.fromkeys(_BLOCK_FIELDS)
    if usage is None:
        return lists
    of = {"bytes": _BLOCK_FIELDS[0], "operations": _BLOCK_FIELDS[1]}
    if usage.version == 1:
        lists = {name: [] for name in _BLOCK_FIELDS}
    for each in usage.block:
        lists[of[each.kind]] = [*(lists[of[each.kind]] or ()), _block_row(each)]
    return lists


def _block_row(use: BlockUse) -> Document:
    return {
        "major": use.major, "minor": use.minor, "op": use.operation, "value": use.amount
    }  # fmt: skip


def _networks(links: tuple[LinkUse, ...]) -> Document:
    return {
        link.name: {
            f"{way}_{what}": amount
            for way, amounts in (("rx", link.received), ("tx", link.sent))
            for what, amount in zip(_COUNTED, amounts, strict=True)
        }
        for link in links
    }


def _memory(usage: Usage) -> Document:
    limit = usage.memory_limit_bytes
    if usage.machine_memory_bytes and limit > usage.machine_memory_bytes:
        limit = usage.machine_memory_bytes
    details = _memory_v1(usage.memory) if usage.version == 1 else _memory_v2(usage.memory)
    return _present(
        usage=usage.memory_bytes, max_usage=usage.most_memory_bytes, stats=details,
        failcnt=usage.memory_failures, limit=limit,
    )  # fmt: skip


def _memory_v1(found: Mapping[str, int]) -> Document:
    limits = {
        "hierarchical_memory_limit": found.get("hierarchical_memory_limit", 0),
        "hierarchical_memsw_limit": found.get("hierarchical_memsw_limit", 0),
    }
    names = (*_V1_MEMORY, *(f"total_{name}" for name in _V1_MEMORY))
    return dict(sorted((limits | {name: found.get(name, 0) for name in names}).items()))


def _memory_v2(found: Mapping[str, int]) -> Document:
    return {name: found.get(name, 0) for name in sorted(_V2_MEMORY)} if found else {}
