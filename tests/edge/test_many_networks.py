"""Hundreds of networks, and containers in many of them: made, removed, and nothing left."""

import json
import os
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from tests.compat.sides import IMAGE
from tests.compat.wired import Wired
from tests.edge.test_publishing import shape
from tests.edge.wirehost import ground

pytestmark = pytest.mark.edge

NETWORKS, ENDPOINTS, IN_EACH = 200, 500, 10
PARTS = 5  # of the way, compared with each other
FLAT = 2.0  # the last part costs at most so many times the first
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_hundreds_of_networks_and_endpoints_leave_nothing_behind(
    at_length: Callable[[int], int],
) -> None:
    """What an endpoint costs the engine and the kernel does not grow with their number.

    Work is counted, not time: others have this machine, too.
    """
    networks, endpoints = at_length(NETWORKS), at_length(ENDPOINTS)
    with ground() as host:
        side, pid = host.side, host.engine.pid
        host.run("first", command="sleep 10000")  # whose bridge and tables stay
        links, rules = set(host.links()), shape(host.nft())
        names = [_network(side, number) for number in range(networks)]
        containers = [
            _container(side, number) for number in range(-(-endpoints // IN_EACH))
        ]
        ways = [
            (names[number % networks], containers[number // IN_EACH])
            for number in range(endpoints)
        ]
        spent = [_spent_ms(pid)]
        for number, (network, container) in enumerate(ways, start=1):
            _do(side, "POST", f"/networks/{network}/connect", {"Container": container})
            if number * PARTS // endpoints > len(spent) - 1:
                spent.append(_spent_ms(pid))
        assert len(host.links()) >= len(links) + endpoints + networks
        curve = [(after - before) * PARTS / endpoints for before, after in pairwise(spent)]
        print(  # noqa: T201
            f"{networks} networks, {endpoints} endpoints: ms of work each, by fifths:",
            *(f"{each:.2f}" for each in curve),
        )
        if endpoints == ENDPOINTS:  # else too few ticks of the clock to compare
            assert curve[-1] <= FLAT * curve[0], curve
        for network, container in ways[: endpoints // 2]:  # the others go with theirs
            wish = {"Container": container, "Force": False}
            _do(side, "POST", f"/networks/{network}/disconnect", wish)
        for container in containers:
            _do(side, "DELETE", f"/containers/{container}?force=1")
        for network in names:
            _do(side, "DELETE", f"/networks/{network}")
        assert set(host.links()) == links
        assert shape(host.nft()) == rules


def _network(side: Wired, number: int) -> str:
    subnet = f"10.{100 + number // 250}.{number % 250}.0/24"
    wish = {"Name": f"n{number}", "IPAM": {"Config": [{"Subnet": subnet}]}}
    return str(_do(side, "POST", "/networks/create", wish)["Id"])


def _container(side: Wired, number: int) -> str:
    wish = {"Image": IMAGE, "Cmd": ["sleep", "10000"]}
    container = str(_do(side, "POST", f"/containers/create?name=c{number}", wish)["Id"])
    _do(side, "POST", f"/containers/{container}/start")
    return container


def _do(
    side: Wired, method: str, path: str, body: Mapping[str, object] | None = None
) -> dict[str, object]:
    told = side.ask(method, path, body)
    assert told.status < 300, (method, path, told)
    return dict(json.loads(told.body)) if told.body else {}


def _spent_ms(pid: int) -> float:
    """Read how long a process has worked; man 5 proc_pid_stat, utime and stime."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_MS
