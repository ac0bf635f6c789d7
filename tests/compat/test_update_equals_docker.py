"""Limits change while a container lives, and stopped containers are pruned, as in Docker.

Both engines get the same bodies, one after the other, on a container that runs and on one
that does not.  The answer, what inspect tells then, and what the container reads of its own
accounts have to be equal.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.compat.allowlist import differences
from tests.compat.documents import facts
from tests.compat.observe import Facts
from tests.compat.sides import Side, Sides, both
from tests.minidock_cli import Minidock
from tests.reference import Reference

pytestmark = pytest.mark.compat

MIB = 1 << 20
FILES = (
    "memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes",
    "memory/memory.soft_limit_in_bytes", "cpu/cpu.shares", "cpu/cpu.cfs_quota_us",
    "cpu/cpu.cfs_period_us", "cpuset/cpuset.cpus", "pids/pids.max", "memory.max",
    "memory.swap.max", "memory.low", "cpu.weight", "cpu.max", "pids.max", "cpuset.cpus",
)  # fmt: skip
SHOW = f"cd /sys/fs/cgroup; for f in {' '.join(FILES)}; do echo $f $(cat $f 2>&-); done"

# Each is laid over what those before it left.  MemorySwap -1 is not there: dockerd says
# that it did it and writes nothing (daemon/update_linux.go, toContainerdResources); we do.
STEPS: list[dict[str, Any]] = [
    {},
    {"Memory": 32 * MIB},
    {"Memory": 32 * MIB, "MemorySwap": 64 * MIB},
    {"Memory": 128 * MIB},
    {"Memory": 128 * MIB, "MemorySwap": 256 * MIB},
    {"Memory": 16 * MIB, "MemorySwap": 32 * MIB},
    {"Memory": 5},
    {"MemoryReservation": 8 * MIB},
    {"MemoryReservation": 512 * MIB, "Memory": 16 * MIB},
    {"NanoCpus": 1_500_000_000},
    {"NanoCpus": 500_000_000},
    {"CpuQuota": 50_000},
    {"CpuPeriod": 50_000},
    {"NanoCpus": 99 * 10**9},
    {"CpuShares": 512},
    {"CpusetCpus": "0"},
    {"CpusetCpus": "4095"},
    {"CpusetCpus": "x"},
    {"PidsLimit": 50},
    {"PidsLimit": 0},
    {"PidsLimit": 60},
    {"PidsLimit": -1},
    {"PidsLimit": None},
    {"BlkioWeight": 300},
    {"KernelMemory": MIB},
    {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 4}},
    {"RestartPolicy": {"Name": "foo"}},
    {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 4}},
    {"RestartPolicy": {"Name": "no"}},
    {"RestartPolicy": {"Name": ""}},
    {"Memory": "x"},
    {"Surprise": 1},
]  # fmt: skip
HANDS = {"update-runs": True, "update-waits": False}


@pytest.fixture(scope="module")
def sides(reference: Reference, minidock: Minidock) -> Iterator[Sides]:
    with both(reference, minidock) as made:
        try:
            for side in made:
                for name, starts in HANDS.items():
                    side.make(name, starts=starts)
            yield made
        finally:
            for side in made:
                side.remove(*HANDS)


def told(side: Side, name: str, body: dict[str, Any]) -> Facts:
    """What an engine answers, and how the container is afterwards."""
    answer = side.ask("POST", f"/containers/{name}/update", body)
    found = side.ask("GET", f"/containers/{name}/json").json
    accounts = side.inside(name, SHOW).splitlines() if HANDS[name] else []
    return {
        **facts("update", {"status": answer.status, "answer": answer.json}),
        **facts("inspect", found["HostConfig"]),
        **{("accounts", line): "" for line in accounts},
    }


def test_each_change_is_answered_kept_and_written_as_docker_does(sides: Sides) -> None:
    for name in HANDS:
        for body in STEPS:
            docker, ours = (told(side, name, body) for side in sides)
            found = "\n".join(map(str, differences(docker, ours)))
            assert found == "", f"{name}: {json.dumps(body)}"


def test_what_removes_itself_takes_no_restart_policy(sides: Sides) -> None:
    body = {"RestartPolicy": {"Name": "always"}}
    answers = []
    for side in sides:
        made = side.make("update-gone", starts=True, HostConfig={"AutoRemove": True})
        answer = side.ask("POST", "/containers/update-gone/update", body)
        answers.append((answer.status, answer.json["message"].replace(made, "ID")))
        side.remove("update-gone")
    assert answers[0] == answers[1]
    assert answers[0][0] == 409


def test_nobody_updates_what_is_not_there(sides: Sides) -> None:
    docker, ours = (
        side.ask("POST", "/containers/nope/update", {"Memory": 32 * MIB}) for side in sides
    )
    assert (docker.status, docker.json) == (ours.status, ours.json)


# ── Prune ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "said",
    [
        {"label": ["prune=yes"]},
        {"label": ["prune=yes"], "until": ["1h"]},
        {"label!": ["prune"], "label": ["other"]},
        {"zz": ["x"]},
        {"until": ["x"]},
        {"until": ["1h", "2h"]},
    ],
    ids=json.dumps,
)
def test_a_prune_takes_the_same_containers(sides: Sides, said: dict[str, Any]) -> None:
    def pruned(side: Side) -> Any:
        names: dict[str, dict[str, Any]] = {
            "prune-one": {"Labels": {"prune": "yes"}},
            "prune-two": {"Labels": {"prune": "no"}},
            "prune-three": {"Labels": {"other": ""}},
        }
        ids = {side.make(name, **wish): name for name, wish in names.items()}
        ids[side.make("prune-runs", starts=True, Labels={"prune": "yes"})] = "prune-runs"
        try:
            said_so = quote(json.dumps(said))
            answer = side.ask("POST", f"/containers/prune?filters={said_so}")
            if answer.status != 200:
                return answer.status, answer.json["message"]
            deleted = answer.json["ContainersDeleted"]
            gone = deleted and sorted(ids[each] for each in deleted)
            return gone, answer.json["SpaceReclaimed"], list(answer.json)
        finally:
            side.remove(*names, "prune-runs")

    docker, ours = (pruned(side) for side in sides)
    assert ours == docker


def test_a_prune_tells_what_was_written(sides: Sides) -> None:
    answers = []
    for side in sides:
        wish: dict[str, Any] = {
            "Cmd": ["sh", "-c", "head -c 1000 /dev/zero >/f"],
            "Labels": {"wrote": ""},
        }
        side.make("prune-wrote", starts=True, **wish)
        side.ask("POST", "/containers/prune-wrote/wait")
        said = quote(json.dumps({"label": ["wrote"]}))
        answer = side.ask("POST", f"/containers/prune?filters={said}").json
        answers.append((len(answer["ContainersDeleted"]), answer["SpaceReclaimed"]))
    assert answers == [(1, 1000), (1, 1000)]
