"""Real packets: who reaches a published port, from where, and as whom; who does not."""

from collections.abc import Iterator

import pytest

from tests.edge.wirehost import HOST, NEIGHBOUR, Ground, ground

pytestmark = pytest.mark.edge

MIB = 1 << 20


@pytest.fixture(scope="module")
def host() -> Iterator[Ground]:
    """A host on which `web` serves on localhost, `open` to everybody, `quiet` to nobody."""
    with ground() as made:
        made.run("web", "-p", "8080:80", "-p", "8090:90", "-p", "8053:53/udp",
                 "-p", "[::1]:8080:80", "-p", "[::1]:8090:90")  # fmt: skip
        made.run("open", "-p", "0.0.0.0:9080:80", "-p", "0.0.0.0:9090:90",
                 "-p", "0.0.0.0:9053:53/udp")  # fmt: skip
        made.run("quiet")
        yield made


# ── From the host ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("where", ["127.0.0.1:8080", "127.0.0.1:9080", f"{HOST}:9080"])
def test_the_host_reaches_a_published_port(host: Ground, where: str) -> None:
    assert host.on_host(f"print(get('{where}'))") == "served"


def test_localhost_is_served_by_a_rule_and_not_by_a_copy_of_bytes(host: Ground) -> None:
    before = host.counted("127.0.0.1 . tcp . 8080")
    host.on_host("get('127.0.0.1:8080')")
    assert host.counted("127.0.0.1 . tcp . 8080") == before + 1


def test_the_host_reaches_a_container_by_its_address(host: Ground) -> None:
    address = host.address("quiet")
    assert host.on_host(f"print(get('{address}'))") == "served"


def test_who_comes_from_localhost_is_the_bridge_for_the_program(host: Ground) -> None:
    assert host.on_host("print(get('127.0.0.1:8080', '/cgi-bin/who'))") == "172.17.0.1"


def test_version_6_of_localhost_is_relayed(host: Ground) -> None:
    assert host.on_host("print(get('[::1]:8080'))") == "served"
    assert host.on_host(f"print(echo('::1', 8090, {8 * MIB}))") == "True"


@pytest.mark.parametrize("port", [8053, 9053])
def test_datagrams_are_answered(host: Ground, port: int) -> None:
    assert host.on_host(f"print(ask('127.0.0.1', {port}))") == "True"


# ── From another host ─────────────────────────────────────────────────────────────────────


def test_another_host_reaches_what_is_published_to_all_and_keeps_its_address(
    host: Ground,
) -> None:
    who = host.on_neighbour(f"print(get('{HOST}:9080', '/cgi-bin/who'))")
    assert who == NEIGHBOUR
    assert host.on_neighbour(f"print(ask('{HOST}', 9053))") == "True"


def test_another_host_does_not_reach_what_is_published_on_localhost(host: Ground) -> None:
    assert host.on_neighbour(f"print(refused(get, '{HOST}:8080'))") == "refused"


def test_another_host_cannot_pretend_to_be_localhost(host: Ground) -> None:
    """Its packets for 127.0.0.1 would be let in by the DNAT alone."""
    rule = "ports of localhost are not for other hosts"
    before = host.counted(rule)
    told = host.on_neighbour(f"""
import subprocess
for words in (
    "ip addr del 127.0.0.1/8 dev lo", "sysctl -qw net.ipv4.conf.all.route_localnet=1",
    "ip route add 127.0.0.1 via {HOST} src {NEIGHBOUR}",
):
    subprocess.run(words.split(), check=True)
try:
    print(refused(get, "127.0.0.1:8080", "/", 1.0))
finally:
    for words in ("ip route del 127.0.0.1", "ip addr add 127.0.0.1/8 dev lo"):
        subprocess.run(words.split(), check=True)
""")
    assert told == "timeout"
    assert host.counted(rule) > before


def test_another_host_does_not_reach_what_is_not_published(host: Ground) -> None:
    address = host.address("quiet")
    told = host.on_neighbour(f"""
import subprocess
subprocess.run("ip route add 172.17.0.0/16 via {HOST}".split(), check=True)
print(refused(get, "{address}", "/", 1.0), refused(get, "{host.address("web")}", "/", 1.0))
""")
    assert told == "timeout timeout"
    assert host.counted("not published") >= 2


# ── From inside ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["quiet", "open"])
@pytest.mark.parametrize("is_shown", [0, 1])
def test_a_container_reaches_a_port_of_the_host_and_its_own(
    host: Ground, name: str, is_shown: int
) -> None:
    """Whether or not the host's bridges show their frames to its firewall."""
    switch = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    host.on_host(
        f"if os.path.exists('{switch}'): open('{switch}', 'w').write('{is_shown}')"
    )
    for gateway in ("172.17.0.1", HOST):
        assert host.inside(name, f"print(get('{gateway}:9080'))") == "served"
        assert host.inside(name, f"print(ask('{gateway}', 9053))") == "True"


def test_neighbours_see_each_other_as_they_are(host: Ground) -> None:
    web = host.address("web")
    who = host.inside("quiet", f"print(get('{web}', '/cgi-bin/who'))")
    assert who == host.address("quiet")


def test_who_leaves_bears_the_host_s_address(host: Ground) -> None:
    with host.listening(7001) as visitor:
        host.inside("quiet", f"socket.create_connection(('{NEIGHBOUR}', 7001), 5).close()")
        assert visitor() == HOST


def test_the_host_s_loopback_is_out_of_reach(host: Ground) -> None:
    """Even for who may do anything in its own network."""
    rule = "the host's loopback is not for containers"
    before = host.counted(rule)
    told = host.inside("quiet", """
import subprocess
for words in ("ip addr del 127.0.0.1/8 dev lo",
              "sysctl -qw net.ipv4.conf.all.route_localnet=1",
              "ip route add 127.0.0.1 via 172.17.0.1"):
    subprocess.run(words.split(), check=True)
try:
    print(refused(get, "127.0.0.1:8080", "/", 1.0))
finally:
    for words in ("ip route del 127.0.0.1", "ip addr add 127.0.0.1/8 dev lo"):
        subprocess.run(words.split(), check=True)
""")  # fmt: skip
    assert told == "timeout"
    assert host.counted(rule) > before


def test_no_other_source_leaves_a_container(host: Ground) -> None:
    """By raw packets, with its neighbour's address and with one of nobody."""
    before = host.counted("somebody else's")
    for source in (host.address("web"), "198.51.100.7"):
        host.inside(
            "quiet",
            f"""
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as line:
    head = struct.pack("!BBHHHBBH4s4s", 69, 0, 28, 0, 0, 64, 17, 0,
                       socket.inet_aton("{source}"), socket.inet_aton("{NEIGHBOUR}"))
    for _ in range(3):
        line.sendto(head + struct.pack("!HHHH", 9, 9, 8, 0), ("{NEIGHBOUR}", 0))
""",
        )
    assert host.counted("somebody else's") >= before + 6


# ── Much of it ────────────────────────────────────────────────────────────────────────────


def test_eight_mebibytes_arrive_as_they_were_sent(host: Ground) -> None:
    size, web = 8 * MIB, host.address("web")
    assert host.on_host(f"print(echo('127.0.0.1', 8090, {size}))") == "True"
    assert host.on_host(f"print(echo('{HOST}', 9090, {size}))") == "True"
    assert host.on_neighbour(f"print(echo('{HOST}', 9090, {size}))") == "True"
    assert host.inside("quiet", f"print(echo('{web}', 90, {size}))") == "True"
    assert host.inside("open", f"print(echo('172.17.0.1', 9090, {size}))") == "True"


# ── Networks ──────────────────────────────────────────────────────────────────────────────


def test_networks_are_isolated_and_an_internal_one_has_no_way_out(host: Ground) -> None:
    for words in (["one"], ["--internal", "inner"]):
        assert host.side.docker("network", "create", *words).returncode == 0
    host.run("first", "--network", "one")
    host.run("second", "--network", "inner")
    web, first = host.address("web"), host.address("first")
    said = "print(refused(get, '{}', '/', 1.0))"
    assert host.inside("first", said.format(web)) == "timeout"
    assert host.inside("quiet", said.format(first)) == "timeout"
    assert host.inside("second", said.format(first)) != "served"
    assert "answered" not in host.inside("second", said.format(f"{NEIGHBOUR}:7001"))
    host.side.remove("first", "second")
    for name in ("one", "inner"):
        assert host.side.docker("network", "rm", name).returncode == 0
