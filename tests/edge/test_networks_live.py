"""Containers on a bridge made by hand: who reaches whom, and that nothing stays behind."""

import errno
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyminidock.kernel import calls, netcalls
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.linux import rtnetlink, sandboxes
from pyminidock.kernel.linux.namedesks import NameDesks
from pyminidock.kernel.linux.netlink import Netlink
from pyminidock.kernel.linux.wiring import Wiring
from pyminidock.kernel.port import CallFailed, Process
from tests import leaks
from tests.contract.fixtures import linux, linux_root
from tests.contract.plans import NETWORK, SANDBOX, birth, bridging, plug, wiring
from tests.contract.stands import LinuxStand, assert_as_before
from tests.edge.street import Street, built

__all__ = ["linux", "linux_root"]
pytestmark = pytest.mark.edge

ROOT = "root:x:0:0:root"
SOON_S = 5.0


@pytest.fixture
def street(linux: LinuxStand) -> Iterator[Street]:
    """A bridge with room for some containers."""
    with built(linux) as street:
        yield street


def find(process: Process) -> netcalls.FindSandbox:
    """Hold the network of a program that runs."""
    return netcalls.FindSandbox(SANDBOX, process.pid, process.start_time)


def test_a_container_calls_another_one_by_its_address(street: Street) -> None:
    street.house(2)
    caller = street.house(3)
    assert ROOT in street.fetch(caller, f"{NETWORK}.2")
    assert ROOT in street.fetch(caller, f"{NETWORK}.3"), "and itself"
    assert ROOT in street.fetch(caller, "127.0.0.1"), "over lo as well"
    assert street.fetch(caller, f"{NETWORK}.4") == "", "where nobody lives, nobody answers"


def test_the_host_reaches_them_and_counts_what_goes_through(street: Street) -> None:
    server = street.house(2)
    body, port = street.stand.body, street.stand.place.cable(2)
    before = body.netfacts().link(port)
    url = f"http://{NETWORK}.2:8080/passwd"
    said = subprocess.check_output(["busybox", "wget", "-q", "-O", "-", url], timeout=20)
    after = body.netfacts().link(port)
    assert before is not None
    assert after is not None
    assert ROOT in said.decode()
    assert after.traffic.received_bytes > before.traffic.received_bytes + len(said)
    assert after.traffic.sent_packets > before.traffic.sent_packets
    (eth0,) = [link for link in body.netfacts(server).links if link.name == "eth0"]
    assert eth0.traffic.sent_bytes > len(said)
    near = {each.address: each for each in body.netfacts().neighbours}
    assert near[f"{NETWORK}.2"].mac == eth0.mac
    assert near[f"{NETWORK}.2"].device == street.stand.place.bridge


def test_two_containers_share_one_network(street: Street) -> None:
    first = street.house(2)
    second = street.house(9, ("sleep", "1000"), wires=(find(first),))
    assert ROOT in street.fetch(second, "127.0.0.1")
    said, _ = street.ask(second, "busybox", "ip", "-o", "addr")
    assert f"{NETWORK}.2/24" in said
    for each in (first, second):
        said, _ = street.ask(each, "busybox", "ls", "/sys/class/net")
        assert said.split() == ["eth0", "lo"], "sysfs is that of the network, too"


def test_without_a_network_namespace_it_is_the_host(street: Street) -> None:
    def on_the_host(plan: Plan) -> Plan:
        return tuple(
            call
            for call in plan
            if call not in (netcalls.JoinSandbox(SANDBOX), calls.RaiseLoopback())
            and not (isinstance(call, calls.WriteSysctl) and call.key.startswith("net."))
        )

    nothing = (netcalls.RemoveLink("nowhere0"),)
    process = street.house(2, ("sleep", "1000"), wires=nothing, change=on_the_host)
    observed = dict(street.stand.body.observe(process).namespaces)["network"]
    assert observed == Path("/proc/self/ns/net").stat().st_ino
    said, _ = street.ask(process, "busybox", "ip", "-o", "addr")
    assert street.stand.place.bridge in said


def test_a_live_container_is_cut_off_and_connected_again(street: Street) -> None:
    server, caller = street.house(2), street.house(3, ("sleep", "1000"))
    assert ROOT in street.fetch(caller, f"{NETWORK}.2")
    street.do(find(server), netcalls.Unplug(SANDBOX, "eth0", street.stand.place.cable(2)))
    assert street.fetch(caller, f"{NETWORK}.2") == ""
    again = replace(plug(street.stand.place, 7, "eth1"), is_hairpin=True)
    street.do(find(server), again)
    assert ROOT in street.fetch(caller, f"{NETWORK}.7")


def test_isolated_ports_reach_the_host_and_not_each_other(street: Street) -> None:
    def apart(host: int) -> Plan:
        cable = replace(plug(street.stand.place, host), is_isolated=True)
        return netcalls.MakeSandbox(SANDBOX), cable

    street.house(2, wires=apart(2))
    caller = street.house(3, ("sleep", "1000"), wires=apart(3))
    assert street.fetch(caller, f"{NETWORK}.2") == ""
    _, code = street.ask(caller, "busybox", "ping", "-c", "1", "-W", "2", f"{NETWORK}.1")
    assert code == 0


def test_the_loopback_of_the_host_is_out_of_reach(street: Street) -> None:
    """H-networks: what listens on 127.0.0.1 of the host answers no container."""
    caller = street.house(2, ("sleep", "1000"))
    argv = [sys.executable, "-m", "http.server", "-b", "127.0.0.1", "18391"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as it:
        try:
            for address in ("127.0.0.1", f"{NETWORK}.1"):
                assert street.fetch(caller, address, 18391) == ""
        finally:
            it.kill()


def test_there_is_no_ipv6_beyond_lo_unless_it_was_asked_for(street: Street) -> None:
    without = street.house(2, ("sleep", "1000"))
    said, _ = street.ask(without, "busybox", "ip", "-6", "-o", "addr")
    assert "::1/128" in said
    assert "eth0" not in said
    both = replace(
        plug(street.stand.place, 3), addresses=(f"{NETWORK}.3/24", "fd00:64::3/64")
    )
    with_it = street.house(
        3, ("sleep", "1000"), wires=(netcalls.MakeSandbox(SANDBOX), both)
    )
    said, _ = street.ask(with_it, "busybox", "ip", "-6", "-o", "addr")
    assert "fd00:64::3/64" in said
    port = street.stand.place.cable(3)
    assert "inet6" not in subprocess.check_output(["ip", "addr", "show", port], text=True)


def test_a_birth_that_is_walked_step_by_step_shows_its_network_at_its_step(
    street: Street,
) -> None:
    seen: list[tuple[str, bool]] = []
    place = street.stand.place
    own = Path("/proc/self/ns/net").stat().st_ino
    newborn = 0

    def answer(call: calls.Call, value: int, at: float) -> None:
        nonlocal newborn
        newborn = value if isinstance(call, calls.ForkInit) else newborn
        if newborn and not isinstance(call, calls.Execute):
            there = Path(f"/proc/{newborn}/ns/net").stat().st_ino
            seen.append((type(call).__name__, there == own))

    process = street.stand.body.perform(
        birth(place, wires=wiring(place)), answer=answer, lockstep=True
    )
    assert process is not None
    street.lives.append((process, place))
    names = [name for name, _ in seen]
    at = names.index("JoinSandbox")
    assert [on_host for _, on_host in seen] == [n < at for n in range(len(seen))]


def test_first_packets_over_new_bridges_are_rarely_lost(linux: LinuxStand) -> None:
    """Whoever asks at once would have to ask again after a second, every other time."""
    place = linux.place
    took_s = []
    for _ in range(9):
        with closing(Wiring(NameDesks())) as wires, ExitStack() as undo:
            wires.do(bridging(place), undo)
            wires.do(netcalls.MakeSandbox(SANDBOX), undo)
            with sandboxes.standing_in(wires.sandboxes[SANDBOX].handle):
                server = undo.enter_context(socket.socket())
            server.bind(("", 8080))
            server.listen()
            wires.do(plug(place), undo)
            began = time.monotonic()
            with socket.create_connection((f"{NETWORK}.2", 8080), timeout=SOON_S):
                took_s.append(time.monotonic() - began)
    assert sorted(took_s)[6] < 0.5, took_s


def test_who_asked_before_the_cable_was_there_need_not_ask_again(
    linux: LinuxStand,
) -> None:
    """A program that tries an address again and again would else wait for a second."""
    place = linux.place
    with closing(Wiring(NameDesks())) as wires, ExitStack() as undo:
        wires.do(bridging(place), undo)
        wires.do(netcalls.MakeSandbox(SANDBOX), undo)
        sandbox = wires.sandboxes[SANDBOX].handle
        client = undo.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        client.sendto(b"too early", (f"{NETWORK}.2", 8080))
        wires.do(plug(place), undo)
        near = {each.address: each for each in linux.body.netfacts().neighbours}
        assert near[f"{NETWORK}.2"].mac == plug(place).mac
        with sandboxes.standing_in(sandbox), Netlink() as inside:
            told = inside.ask(rtnetlink.all_of(rtnetlink.RTM_GETNEIGH))
        assert any(socket.inet_aton(f"{NETWORK}.1") in body for body in told)


# ── What somebody else does to it ────────────────────────────────────────────────────────


@pytest.mark.parametrize("deed", ["removed", "lowered", "renamed"])
def test_who_watches_hears_of_a_device_that_was_touched(street: Street, deed: str) -> None:
    heard: queue.Queue[str] = queue.Queue()
    name = street.stand.place.bridge
    stop = street.stand.body.watch_links(heard.put)
    try:
        argv = {
            "removed": ["ip", "link", "del", name],
            "lowered": ["ip", "link", "set", name, "down"],
            "renamed": ["ip", "link", "set", name, "name", f"{name[:12]}r"],
        }[deed]
        subprocess.run(argv, check=True, timeout=20)
        assert heard.get(timeout=SOON_S) == name
    finally:
        stop()
        subprocess.run(["ip", "link", "del", f"{name[:12]}r"], check=False, timeout=20,
                       stderr=subprocess.DEVNULL)  # fmt: skip


def test_nobody_listens_when_nobody_wants_to_know(street: Street) -> None:
    threads = threading.active_count()
    stops = [street.stand.body.watch_links(print) for _ in range(3)]
    assert threading.active_count() == threads + 1
    for stop in (*stops, *stops):
        stop()
    assert threading.active_count() == threads


# ── Nothing stays ────────────────────────────────────────────────────────────────────────


def test_after_twenty_lives_nothing_is_left(linux: LinuxStand) -> None:
    before = leaks.at_rest(linux.picture)
    with built(linux) as street:
        for host in range(2, 22):  # a cable may be there a little longer than its people
            street.leave(street.house(host, ("sleep", "1000")))
    assert_as_before(linux, before)


def test_after_twenty_births_that_failed_nothing_is_left(linux: LinuxStand) -> None:
    """At the cable, in the child, at its sandbox, at the program: each five times."""
    before = leaks.at_rest(linux.picture)
    place = linux.place
    with built(linux) as street:
        twice = (*wiring(place), plug(place, 2, "eth1"))
        plans = (
            birth(place, wires=twice),
            birth(place, wires=wiring(place), argv=("/nowhere",)),
            birth(place, wires=wiring(place), extra=(calls.SetHostname("x" * 99),)),
            birth(place, wires=(netcalls.MakeSandbox("of somebody else"),)),
        )
        for plan in plans * 5:
            with pytest.raises(CallFailed):
                street.do(*plan)
    assert_as_before(linux, before)


def test_without_the_power_over_networks_one_sentence_says_so(tmp_path: Path) -> None:
    """No imitation: who may not make a bridge is told what it takes, and what works."""
    script = (
        "import sys, pathlib\n"
        "from pyminidock.kernel import netcalls\n"
        "from pyminidock.kernel.linux.body import LinuxBody\n"
        "from pyminidock.kernel.port import CallFailed\n"
        "body = LinuxBody(pathlib.Path(sys.argv[1]))\n"
        "for call in (netcalls.MakeBridge('mdpower0', '', (), 0, False),\n"
        "             netcalls.MakeSandbox('c0ffee')):\n"
        "    try:\n"
        "        body.perform((call,), answer=print)\n"
        "    except CallFailed as failed:\n"
        "        print(failed.errno, failed.why, failed.try_next)\n"
    )
    drop = "-net_admin,-sys_admin"
    argv = ["setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}", sys.executable,
            "-c", script, str(tmp_path)]  # fmt: skip
    said = subprocess.check_output(argv, text=True, timeout=60).splitlines()
    assert len(said) == 2
    for line in said:
        assert line.startswith(str(errno.EPERM))
        assert "CAP_NET_ADMIN" in line
        assert "--network none" in line


# ── The same, by the tools of the machine ────────────────────────────────────────────────


def test_what_is_read_is_what_the_tool_ip_says(street: Street) -> None:
    """The oracle reads the same kernel: devices, addresses, routes."""
    street.house(2)
    facts = street.stand.body.netfacts()
    links = _of_ip("-details", "link")
    assert {each["ifname"] for each in links} == {each.name for each in facts.links}
    for told in links:
        seen = facts.link(told["ifname"])
        assert seen is not None
        assert (seen.index, seen.mtu, seen.master) == (
            told["ifindex"], told["mtu"], told.get("master", ""),
        )  # fmt: skip
        assert seen.kind == told.get("linkinfo", {}).get("info_kind", "")
        assert seen.is_up == ("UP" in told["flags"])
    for told in _of_ip("address"):
        own = [f"{each['local']}/{each['prefixlen']}" for each in told["addr_info"]]
        seen = facts.link(told["ifname"])
        assert seen is not None
        assert list(seen.addresses) == own
    ways = {
        (r.destination, r.device, r.gateway)
        for r in facts.routes
        if ":" not in r.destination
    }
    assert ways == {
        (_whole(each["dst"]), each["dev"], each.get("gateway", ""))
        for each in _of_ip("-4", "route")
    }


def _of_ip(*words: str) -> list[dict[str, Any]]:
    said = subprocess.check_output(["ip", "-json", *words], timeout=20)
    found: list[dict[str, Any]] = json.loads(said)
    return found


def _whole(destination: str) -> str:
    if destination == "default":
        return "0.0.0.0/0"
    return destination if "/" in destination else f"{destination}/32"
