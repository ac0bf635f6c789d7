"""Requests that die for real, each of one cause: it is named, in time, and proved."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.edge.topologies import BUILDERS, LAN, Lab, lab, shown

pytestmark = pytest.mark.edge
NAMED_WITHIN_S = 2.0


@pytest.fixture(scope="module")
def engine() -> Iterator[Lab]:
    with lab(6) as made:
        yield made


@pytest.fixture
def it(engine: Lab) -> Iterator[Lab]:
    yield engine
    engine.clear()


@pytest.mark.parametrize("name", BUILDERS)
def test_what_is_wrong_is_named_in_time_and_its_proof_agrees(it: Lab, name: str) -> None:
    request = BUILDERS[name](it, is_broken=True)
    told = it.trace(request | {"prove": True})
    assert told["cause"], shown(told)
    assert told["cause"]["name"] == name, shown(told)
    assert not told["arrived"]
    assert told["elapsed_s"] < NAMED_WITHIN_S
    assert [hop["state"] for hop in told["hops"]].count("dies") == 1
    assert told["remedy"]["command"]
    assert told["proof"]["holds"], shown(told)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_healthy_twin_arrives(it: Lab, name: str) -> None:
    told = it.trace(BUILDERS[name](it, is_broken=False))
    assert told["cause"] is None, shown(told)
    assert told["arrived"]
    assert {hop["state"] for hop in told["hops"]} == {"ok"}
    assert told["elapsed_s"] < NAMED_WITHIN_S


def test_other_machines_reach_a_port_that_is_published_for_them_alone(it: Lab) -> None:
    port, inner = it.port(), it.port()
    for address, cause in (("", "other-address"), (LAN, None)):
        it.serve(
            inner, ports={f"{inner}/tcp": [{"HostIp": address, "HostPort": str(port)}]}
        )
        told = it.trace({"port": port, "from": "outside", "prove": True})
        assert (told["cause"] or {}).get("name") == cause, shown(told)
        assert told["proof"] is None if cause is None else told["proof"]["holds"]
        it.clear()


STRANGERS = {
    "as ufw: what passes is dropped, and one address may": """
 chain forward { type filter hook forward priority 0; policy %(policy)s;
  ct state established,related accept
  iifname != "lan0" accept
  jump user
 }
 chain user { ip daddr 203.0.113.9 tcp dport 80 accept; }""",
    "as firewalld: zones by the device, in a map": """
 map zones { type ifname : verdict; elements = { "lan0" : goto zone }; }
 chain forward { type filter hook forward priority 10; policy accept;
  iifname vmap @zones; }
 chain zone { %(verdict)s comment "zone public"; }""",
    "as docker: before all others, by a set of addresses": """
 set allowed { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 }; }
 chain forward { type filter hook forward priority -10; policy accept;
  iifname "lan0" ip saddr != @allowed tcp dport { %(inner)d, 9 } counter %(verdict)s; }""",
}


@pytest.mark.parametrize("kind", STRANGERS)
@pytest.mark.parametrize("drops", [True, False], ids=["drops", "lets pass"])
def test_what_other_programs_drop_of_other_machines_is_named(
    it: Lab, kind: str, *, drops: bool
) -> None:
    """Their rules are in the copy, too; the host itself, which asks otherwise, arrives."""
    port, inner = it.port(), it.port()
    word = "drop" if drops else "accept"
    it.forbid(STRANGERS[kind] % {"policy": word, "verdict": word, "inner": inner})
    it.serve(inner, ports={f"{inner}/tcp": [{"HostIp": LAN, "HostPort": str(port)}]})
    told = it.trace({"port": port, "from": "outside", "prove": True})
    found = (told["cause"] or {}).get("name")
    assert found == ("foreign-firewall" if drops else None), shown(told)
    assert it.trace({"port": port, "address": LAN})["arrived"]
    if drops:
        assert told["proof"]["holds"]
        assert "strangers" in told["remedy"]["command"], shown(told)
    else:
        assert told["arrived"], shown(told)


@pytest.mark.parametrize("drops", [True, False], ids=["drops", "lets pass"])
def test_a_server_on_the_hosts_own_network_meets_the_hosts_input(
    it: Lab, *, drops: bool
) -> None:
    port = it.port()
    it.forbid(
        f" chain in {{ type filter hook input priority 0; policy drop;\n"
        f'  iifname "lo" accept\n  tcp dport {22 if drops else port} accept\n }}'
    )
    name = it.serve(port, network="host")
    told = it.trace({"port": port, "container": name, "from": "outside", "prove": True})
    found = (told["cause"] or {}).get("name")
    assert found == ("foreign-firewall" if drops else None), shown(told)
    assert told["arrived"] != drops
    assert told["proof"]["holds"] if drops else told["proof"] is None


def test_random_topologies_are_judged_right(
    it: Lab, at_length: Callable[[int], int]
) -> None:
    named, meant, right, slowest = 0, 0, 0, 0.0
    wrong = Counter[str]()
    for number in range(2 * max(6, at_length(50))):
        name = it.rng.choice(list(BUILDERS))
        is_broken = number % 2 == 0
        told = it.trace(BUILDERS[name](it, is_broken=is_broken) | {"prove": is_broken})
        found = told["cause"]["name"] if told["cause"] else ""
        named, meant = named + bool(found), meant + is_broken
        right += is_broken and found == name
        slowest = max(slowest, told["elapsed_s"])
        if found != (name if is_broken else ""):
            wrong[f"{name if is_broken else 'healthy ' + name} → {found or 'none'}"] += 1
        if is_broken and found == name and not told["proof"]["holds"]:
            wrong[f"{name}: not proved"] += 1
        it.clear()
    precision, recall = right / max(named, 1), right / meant
    print(f"\n{meant} broken, {meant} healthy: precision {precision:.3f}, "  # noqa: T201
          f"recall {recall:.3f}, named within {slowest:.2f} s")  # fmt: skip
    assert not wrong, wrong
    assert min(precision, recall) >= 0.98


def test_nothing_of_a_trace_is_left_on_the_host(it: Lab) -> None:
    def seen() -> tuple[list[str], list[str]]:
        return it.host("ip", "-o", "link"), it.host("nft", "list", "tables")

    request = BUILDERS["foreign-firewall"](it, is_broken=True)
    before = seen()
    for _ in range(3):
        it.trace(request | {"prove": True})
    it.trace({"port": request["port"], "from": "outside", "prove": True})
    assert seen() == before
