"""Ports and rules through flushes, deaths and restarts of an engine, and beside others."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.sides import IMAGE
from tests.compat.wired import Wired
from tests.edge.wirehost import NEIGHBOUR, Engine, Ground, bring_image, ground, host
from tests.minidock_cli import tmpfs
from tests.reference import wait_until

pytestmark = pytest.mark.edge

_GET = "print(get('127.0.0.1:8080'))"
_TAKE = """
try:
    socket.create_server(("127.0.0.1", {port})).close()
    print("free")
except OSError as refusal:
    print(os.strerror(refusal.errno))
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory on a file system of its own."""
    with tmpfs("minidock-publishing-") as made:
        yield made


@pytest.fixture(scope="module")
def shared() -> Iterator[Ground]:
    """A host with an engine."""
    with ground() as made:
        yield made


@pytest.fixture
def world(shared: Ground) -> Iterator[Ground]:
    """The same for each test, without a container before and after."""
    yield shared
    shared.end()
    shared.side.clear()
    shared.side.docker("network", "prune", "-f")


def shape(rules: str) -> str:
    """The rules without what they have counted."""
    return re.sub(r"packets [0-9]+ bytes [0-9]+", "", rules)


def test_a_port_is_taken_from_the_start_to_the_end(world: Ground) -> None:
    take = _TAKE.format(port=8080)
    assert world.on_host(take) == "free"
    world.run("web", "-p", "8080:80")
    assert world.on_host(take) == "Address already in use"
    world.side.docker("kill", "web")
    world.side.docker("wait", "web")
    wait_until(lambda: world.on_host(take) == "free", 10, "the port to be free")
    assert "8080" not in world.nft()
    assert world.side.docker("start", "web").returncode == 0
    assert world.on_host(take) == "Address already in use"
    world.side.remove("web")
    assert world.on_host(take) == "free"


def test_a_start_that_fails_leaves_no_port_and_no_rule(world: Ground) -> None:
    world.run("first", "-p", "8081:80")
    before = shape(world.nft())
    for flags, command in (
        (["-p", "8080:80", "-p", "8081:80"], ["sleep", "9"]),
        (["-p", "8080:80"], ["/no/such/program"]),
    ):
        done = world.side.docker("run", "-d", "--name", "bad", *flags, IMAGE, *command)
        assert done.returncode != 0
        assert world.on_host(_TAKE.format(port=8080)) == "free"
        assert shape(world.nft()) == before
        world.side.remove("bad")
    world.side.remove("first")


def test_who_flushes_all_rules_is_outlived(world: Ground) -> None:
    """Tables of others are not ours to put back; traffic goes on meanwhile."""
    world.run("web", "-p", "8080:80", "-p", "0.0.0.0:9080:80")
    before = shape(world.nft())
    world.side.host("nft", "add", "table", "inet", "others")
    for _ in range(3):
        world.side.host("nft", "flush", "ruleset")
        assert world.on_host(_GET) == "served"
        wait_until(lambda: shape(world.nft()) == before, 5, "the rules to be back")
        assert (
            world.on_neighbour("print(get('10.9.0.1:9080', '/cgi-bin/who'))") == NEIGHBOUR
        )
    world.side.remove("web")


@pytest.mark.parametrize("words", [
    ["delete", "chain", "inet", "TABLE", "forward"],
    ["flush", "set", "inet", "TABLE", "bridges"],
    ["flush", "chain", "bridge", "TABLE", "guard"],
    ["delete", "table", "inet", "TABLE"],
])  # fmt: skip
def test_a_part_that_somebody_takes_is_put_back(world: Ground, words: list[str]) -> None:
    world.run("web", "-p", "8080:80")
    before = shape(world.nft())
    table = re.search(r"minidock_[0-9a-f]{6}", before)
    assert table
    done = world.side.host("nft", *(table[0] if w == "TABLE" else w for w in words))
    assert done.returncode == 0, done.stderr
    wait_until(lambda: shape(world.nft()) == before, 5, "the rules to be back")
    world.side.remove("web")


def test_tables_of_others_stay_as_they_are(world: Ground) -> None:
    made = b"add table ip nat\nadd chain ip nat DOCKER\nadd table inet minidock_ffffff\n"
    assert world.side.host("nft", "-f", "-", input=made).returncode == 0

    def theirs() -> list[bytes]:
        names = (["ip", "nat"], ["inet", "minidock_ffffff"])
        return [world.side.host("nft", "list", "table", *each).stdout for each in names]

    before = theirs()
    assert b"DOCKER" in before[0]
    world.run("web", "-p", "8080:80")
    world.side.docker("network", "create", "some")
    world.side.docker("network", "connect", "some", "web")
    world.side.docker("network", "disconnect", "some", "web")
    world.side.remove("web")
    world.side.docker("network", "rm", "some")
    assert theirs() == before
    gone = b"delete table ip nat\ndelete table inet minidock_ffffff\n"
    assert world.side.host("nft", "-f", "-", input=gone).returncode == 0


def test_any_ports_are_counted_upward_and_not_given_out_again(world: Ground) -> None:
    seen = []
    for _ in range(3):
        world.run("web", "-p", "80")
        told = world.side.docker("port", "web", "80").stdout.decode()
        seen.append(int(told.rpartition(":")[2]))
        assert world.on_host(f"print(get('127.0.0.1:{seen[-1]}'))") == "served"
        world.side.remove("web")
    assert seen == sorted(set(seen))
    assert all(32768 <= port <= 60999 for port in seen)


def test_a_dead_container_s_network_that_somebody_holds_is_mute(world: Ground) -> None:
    """Its cable is still plugged in, and its address is the next container's."""
    world.run("old", "-p", "8080:80")
    address = world.address("old")
    holder = subprocess.Popen(
        ["nsenter", "--net", f"--target={world.pid('old')}", "sleep", "1000"]
    )
    try:
        world.side.remove("old")
        world.run("web", "-p", "8080:80")
        assert world.address("web") == address
        assert world.on_host(_GET) == "served"
    finally:
        holder.kill()
        holder.wait()


def test_a_network_that_is_joined_later_keeps_the_ports(world: Ground) -> None:
    """The way out may change with it: the ports lead there from then on."""
    world.side.docker("network", "create", "aa")
    world.run("web", "-p", "8080:80")
    assert world.on_host(_GET) == "served"
    assert world.side.docker("network", "connect", "aa", "web").returncode == 0
    assert world.on_host(_GET) == "served"
    assert world.side.docker("network", "disconnect", "bridge", "web").returncode == 0
    assert world.on_host(_GET) == "served"
    assert world.side.docker("port", "web").stdout == b"80/tcp -> 127.0.0.1:8080\n"
    world.side.remove("web")
    world.side.docker("network", "rm", "aa")


_POLICY = """
import json
from pathlib import Path
from pyminidock.kernel.detect import judge
from pyminidock.kernel.linux.facts import read_facts
rows = {each.name: each for each in judge(read_facts(Path("/var/tmp")))}
print(rows["packet rules"].state, rows["packet rules"].reason)
"""


def test_a_firewall_that_drops_what_passes_through_is_named(world: Ground) -> None:
    """As Docker's does: nothing of it is changed, and the doctor's way out works."""
    world.run("web", "-p", "0.0.0.0:9080:80")
    assert world.on_host(_POLICY).startswith("yes")
    assert world.side.host("iptables", "-P", "FORWARD", "DROP").returncode == 0
    try:
        told = world.on_host(_POLICY)
        assert told.startswith("limited")
        assert "ip filter FORWARD" in told
        get = "print(refused(get, '10.9.0.1:9080', '/', 1.0))"
        assert world.on_neighbour(get) == "timeout"
        assert b":FORWARD DROP" in world.side.host("iptables-save").stdout
        for way in ("-i", "-o"):
            rule = ("iptables", "-I", "FORWARD", way, "md+", "-j", "ACCEPT")
            assert world.side.host(*rule).returncode == 0
        assert world.on_neighbour(get) == "answered: served"
    finally:
        world.side.host("nft", "delete", "table", "ip", "filter")


@pytest.mark.parametrize("program", ["iptables-legacy", "ip6tables-legacy"])
def test_an_older_table_that_drops_is_named_and_none_is_made_by_looking(
    program: str,
) -> None:
    with host() as here:
        world = Wired("ours", Path(), here)
        looked = [sys.executable, "-c", _POLICY]
        names = "/proc/net/ip6_tables_names" if "6" in program else (
            "/proc/net/ip_tables_names"
        )  # fmt: skip
        assert world.host(*looked).stdout.startswith(b"yes")
        assert world.host("cat", names).stdout == b""
        for words in ("-A FORWARD -i x0 -j ACCEPT", "-P FORWARD DROP"):
            assert world.host(program, *words.split()).returncode == 0
        told = world.host(*looked).stdout.decode()
        assert told.startswith("limited")
        assert f"{program} filter FORWARD" in told
        assert world.host(program, "-P", "FORWARD", "ACCEPT").returncode == 0
        assert world.host(*looked).stdout.startswith(b"yes")


def test_an_engine_is_killed_and_traffic_goes_on(place: Path) -> None:
    with host() as here:
        engine = Engine(place, here)
        world = Ground(engine.begin(), engine, here)
        try:
            bring_image(world.side)
            world.run("web", "-p", "8080:80", "-p", "80")
            before = shape(world.nft())
            ports = world.side.docker("port", "web").stdout
            engine.end(kills=True)
            assert world.on_host(_GET) == "served"
            assert shape(world.nft()) == before
            world.side = engine.begin()
            assert world.on_host(_GET) == "served"
            assert world.on_host(_TAKE.format(port=8080)) == "Address already in use"
            assert shape(world.nft()) == before
            assert world.side.docker("port", "web").stdout == ports
            engine.end()
            assert world.on_host(_GET) == "served"
            world.side = engine.begin()
            done = world.side.docker("run", "-d", "-p", "8080:80", IMAGE, "sleep", "9")
            assert b"port is already allocated" in done.stderr
        finally:
            world.end()
            world.side.clear()
            engine.end()
        assert world.nft() == ""
        assert world.links() == ["lo"]


def test_rules_that_were_flushed_while_no_engine_lived_are_put_back(place: Path) -> None:
    with host() as here:
        engine = Engine(place, here)
        world = Ground(engine.begin(), engine, here)
        try:
            bring_image(world.side)
            world.run("web", "-p", "8080:80")
            before = shape(world.nft())
            engine.end(kills=True)
            world.side.host("nft", "flush", "ruleset")
            world.side = engine.begin()
            assert shape(world.nft()) == before
            assert world.on_host(_GET) == "served"
        finally:
            world.end()
            world.side.clear()
            engine.end()


def test_two_engines_live_side_by_side(place: Path) -> None:
    with host() as here:
        engines = []
        for name in ("one", "two"):
            (place / name).mkdir()
            engines.append(Engine(place / name, here))
        worlds = []
        try:
            for number, engine in enumerate(engines):
                world = Ground(engine.begin(), engine, here)
                worlds.append(world)
                bring_image(world.side)
                world.run("web", "-p", f"{8080 + number}:80")
            assert worlds[0].address("web") != worlds[1].address("web")
            for port in (8080, 8081):
                assert worlds[0].on_host(f"print(get('127.0.0.1:{port}'))") == "served"
            first, second = worlds
            taken = second.side.docker("run", "-d", "-p", "8080:80", IMAGE, "sleep", "9")
            assert b"address already in use" in taken.stderr
            isolated = f"print(refused(get, '{second.address('web')}', '/', 1.0))"
            assert first.inside("web", isolated) == "timeout"
            kept = [each for each in shape(first.nft()).split("table ") if each]
            first.end()
            first.side.clear()
            engines[0].end()
            left = [each for each in shape(second.nft()).split("table ") if each]
            assert left == [each for each in kept if each in left]
            assert len(left) == 2
            assert second.on_host("print(get('127.0.0.1:8081'))") == "served"
        finally:
            for world in worlds:
                world.end()
            for world, engine in zip(worlds, engines, strict=False):
                _clear(world.side)
                engine.end()
        assert worlds[0].nft() == ""
        assert worlds[0].links() == ["lo"]


def _clear(side: Wired) -> None:
    if side.socket.exists():
        side.clear()
