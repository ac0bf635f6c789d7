"""Ports: the same command lines on dockerd and on ours, each on a host of its own.

What is compared is what a person sees: the answer and the exit status, the PORTS of `ps`,
`docker port`, and what inspect tells of ports.  Ids are masked.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.sides import IMAGE, together
from tests.compat.wired import Pair, Wired, both_wired, wired

__all__ = ["both_wired", "wired"]
pytestmark = pytest.mark.compat

_ID = re.compile(r"\b[0-9a-f]{12,64}\b")

GOOD = [
    "-p 18080:80", "-p 18080:80/tcp", "-p 18080:80/udp", "-p 127.0.0.1:18081:81",
    "-p 0.0.0.0:18082:82", "-p [::1]:18083:80", "-p 18100-18101:80", "-p 18110-18112:80-82",
    "-p 127.0.0.1:18113-18114:80-81", "-p 18115:80 -p 18116:80",
    "-p 18117:80 -p 18117:80/udp",
    "-p target=80,published=18120", "-p target=80,published=18121,protocol=udp",
    "-p target=80,published=18122,mode=host", "-p target=80,published=18123,mode=foo",
    "-p 18130:80 --expose 7000-7002",
    "--expose 7000-7002", "--expose 53/udp --expose 53/tcp", "-p 18140:81 -p 18141:80",
    "-p 127.0.0.1:18150:80 -p 127.0.0.1:18151:80", "-p 18160:80/TCP", "-p 18170:00080",
    "-p 127.0.0.2:18180:80", "-p 18190:8080 -p 18191:443 -p 18192:80 -p 18193:9/udp", "",
]  # fmt: skip
ANY = [
    "-p 80", "-p 0", "-p 127.0.0.1::80", "-p :80", "-p 0:80", "-P", "-P --expose 80",
    "-P --expose 7000-7003", "-P --expose 53/udp --expose 80", "-P -p 18080:80 --expose 81",
    "-p 80 -p 81 -p 82", "-p 80/udp", "-p 127.0.0.1::80/udp", "-p 80-82",
]  # fmt: skip
BAD = [
    "-p abc", "-p 70000", "-p 18080:70000", "-p 127.0.0.1:80", "-p -1:80",
    "-p 18104-18103:80", "-p 1.2.3:18080:80", "-p 999.1.1.1:18080:80", "-p 18080:80:80",
    "-p ::1:18080:80", "-p 18100-18102:80-81", "-p 80:", "-p 18080:80/foo",
    "--expose abc", "--expose 80:80", "--expose 80-", "--expose 90000", "-p target=x",
    "-p published=18080", "-p target=80,protocol=foo", "-p ''",
]  # fmt: skip


@pytest.fixture
def clean(wired: Pair) -> Iterator[Pair]:
    """Both engines, with no container before or after."""
    yield wired
    for side in wired:
        side.clear()


def masked(text: bytes) -> str:
    return _ID.sub("ID", text.decode()).replace("See 'docker run --help'.", "").strip()


def run(side: Wired, name: str, line: str, *command: str) -> tuple[int, str]:
    words = [word.strip("'") for word in line.split()]
    command = command or ("sleep", "1000")
    done = side.docker("run", "-d", "--name", name, *words, IMAGE, *command)
    return done.returncode, masked(done.stdout + done.stderr)


def ports_of(side: Wired, name: str) -> dict[str, Any]:
    """All that is told of the ports of a container."""
    (told,) = json.loads(side.docker("inspect", name).stdout)
    (row,) = json.loads(
        side.ask("GET", f'/containers/json?all=1&filters={{"name":["^/{name}$"]}}').body
    )
    rows = sorted(row["Ports"], key=lambda each: json.dumps(each, sort_keys=True))
    return {
        "asked": told["HostConfig"]["PortBindings"],
        "exposed": told["Config"].get("ExposedPorts"),
        "ports": told["NetworkSettings"]["Ports"],
        "rows": rows,
        "column": side.docker(
            "ps", "-a", "--filter", f"name=^/{name}$", "--format", "{{.Ports}}"
        ).stdout.decode().strip(),
        "port": side.docker("port", name).stdout.decode(),
    }  # fmt: skip


@pytest.mark.parametrize("line", GOOD)
def test_a_form_of_p_means_the_same(clean: Pair, line: str) -> None:
    told = together(lambda side: (run(side, "web", line), ports_of(side, "web")), clean)
    assert told[0] == told[1]
    assert told[0][0][0] == 0


NETWORKED = [
    "--network none -p 18080:80", "--network host -p 18080:80",
    "--network inner -p 18080:80",
    "--network user -p 18080:80", "--network user -P --expose 80",
    "--network inner -P",
    "--network bound -p 18080:80", "--network none --expose 80",
    "--network host --expose 80",
    "--network container:other -p 18080:80", "--network container:other --expose 80",
]  # fmt: skip


@pytest.fixture(scope="module")
def networked(wired: Pair) -> Iterator[Pair]:
    """Both engines, with three networks."""
    binding = "com.docker.network.bridge.host_binding_ipv4=127.0.0.1"
    made = (["user"], ["--internal", "inner"], ["-o", binding, "bound"])
    for side in wired:
        for words in made:
            assert side.docker("network", "create", *words).returncode == 0
    yield wired
    for side in wired:
        side.clear()
        side.docker("network", "rm", "user", "inner", "bound")


@pytest.mark.parametrize("line", NETWORKED)
def test_a_network_says_what_a_port_means(networked: Pair, line: str) -> None:
    told = []
    for side in networked:
        side.clear()
        assert run(side, "other", "")[0] == 0
        done = run(side, "web", line)
        seen = ports_of(side, "web") if not done[0] else {}
        told.append((done, shape(seen)))
    assert told[0] == told[1]


def shape(told: dict[str, Any]) -> str:
    """The same with every port of the host that nobody named as one word."""
    return re.sub(r"\b(3[2-9]|[4-5][0-9]|60)[0-9]{3}\b", "ANY", json.dumps(told))


@pytest.mark.parametrize("line", ANY)
def test_any_port_is_one_that_nobody_named(clean: Pair, line: str) -> None:
    told = together(
        lambda side: (run(side, "web", line), shape(ports_of(side, "web"))), clean
    )
    assert told[0] == told[1]


@pytest.mark.parametrize("line", BAD)
def test_a_bad_form_is_refused_in_the_same_words(clean: Pair, line: str) -> None:
    told = together(lambda side: run(side, "web", line), clean)
    assert told[0] == told[1]
    assert told[0][0] == 125


OCCUPIED = [
    ("-p 18080:80", "-p 18080:80"),
    ("-p 18080:80", "-p 127.0.0.1:18080:80"),
    ("-p 127.0.0.1:18080:80", "-p 127.0.0.1:18080:81"),
    ("-p 127.0.0.1:18080:80", "-p 127.0.0.2:18080:80"),
    ("-p 18080:80", "-p 18080:80/udp"),
    ("-p 18080:80/udp", "-p 18080:80/udp"),
    ("-p 18080:80", "-p 18080-18081:80"),
    ("-p 18080-18081:80-81", "-p 18080-18081:80"),
    ("-p [::1]:18080:80", "-p [::1]:18080:80"),
    ("-p 18080:80", "-p 203.0.113.9:18120:80"),
]


@pytest.mark.parametrize(("first", "second"), OCCUPIED)
def test_a_port_of_another_container_is_refused_in_the_same_words(
    clean: Pair, first: str, second: str
) -> None:
    told = []
    for side in clean:
        one, two = run(side, "one", first), run(side, "two", second)
        assert one[0] == 0, one
        (state,) = json.loads(side.docker("inspect", "two").stdout)
        kept = {key: state["State"][key] for key in ("Status", "ExitCode", "Running")}
        error = masked(state["State"]["Error"].encode())
        told.append((two, kept, error, ports_of(side, "two")))
    assert told[0] == told[1]


_LISTEN = """
import socket, time
door = socket.create_server(("0.0.0.0", 18090))
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("line", ["-p 18090:80", "-p 127.0.0.1:18090:80"])
def test_a_port_of_another_program_is_refused_in_the_same_words(
    clean: Pair, line: str
) -> None:
    told = []
    for side in clean:
        other = side.begin(sys.executable, "-c", _LISTEN)
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
            told.append(run(side, "web", line))
        finally:
            other.kill()
            other.communicate()
    assert told[0] == told[1]
    assert "address already in use" in told[0][1]


ASKED = ["web", "web 80", "web 80/tcp", "web 80/udp", "web 99", "web 81/udp", "web abc",
         "nobody", "web 70000", "other"]  # fmt: skip


@pytest.fixture(scope="module")
def asked(wired: Pair) -> Iterator[Pair]:
    """Both engines, with a container that publishes much and one that does not run."""
    for side in wired:
        assert run(side, "web", "-p 18080:80 -p 18081:81/udp -p 127.0.0.1:18082:80")[0] == 0
        assert (
            side.docker("create", "--name", "other", "-p", "18099:80", IMAGE).returncode
            == 0
        )
    yield wired
    for side in wired:
        side.clear()


@pytest.mark.parametrize("words", ASKED)
def test_docker_port_says_the_same(asked: Pair, words: str) -> None:
    told = []
    for side in asked:
        done = side.docker("port", *words.split())
        told.append((done.returncode, masked(done.stdout), masked(done.stderr)))
    assert told[0] == told[1]


@pytest.mark.parametrize("words", ["port web", "port web 80", "port web 99", "port other",
                                   "ps --format {{.Ports}}", "port nobody"])  # fmt: skip
def test_our_command_line_says_what_docker_s_does(asked: Pair, words: str) -> None:
    ours = asked[1]
    stock = ours.docker(*words.split())
    done = subprocess.run(
        [sys.executable, "-m", "pyminidock", *words.split()],
        capture_output=True, timeout=60, check=False,
        env=os.environ | {"MINIDOCK_HOST": f"unix://{ours.socket}"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (stock.returncode, stock.stdout)


FILTERS = [
    "publish=18080", "publish=18080/tcp", "publish=18080/udp", "expose=80", "expose=80/udp",
    "publish=1-20000", "expose=81/udp", "publish=80", "expose=18080", "publish=x",
]  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS)
def test_ps_finds_by_port(asked: Pair, filters: str) -> None:
    told = [
        side.docker("ps", "-a", "--filter", filters, "--format", "{{.Names}}").stdout
        for side in asked
    ]
    assert told[0] == told[1]


def test_a_stopped_container_has_no_ports_and_gets_them_again(clean: Pair) -> None:
    told = []
    for side in clean:
        run(side, "web", "-p 18080:80 --expose 81", "sleep", "1000")
        side.docker("kill", "web")
        side.docker("wait", "web")
        stopped = ports_of(side, "web")
        side.docker("start", "web")
        told.append((stopped, ports_of(side, "web")))
    assert told[0] == told[1]


def test_stats_count_what_goes_through_each_link(clean: Pair) -> None:
    """A guest sees its landlord's links; without links of its own it has no such field."""
    found = []
    for side in clean:
        for name, network in (("web", "bridge"), ("guest", "container:web"),
                              ("alone", "none"), ("open", "host")):  # fmt: skip
            words = ("run", "--detach", "--name", name, "--network", network, IMAGE)
            assert side.docker(*words, "sleep", "1000").returncode == 0, (side.name, name)
        side.inside("web", "ping -c 2 $(ip route | awk '/^default/ { print $3 }')")
        told = {
            name: side.ask("GET", f"/containers/{name}/stats?stream=0&one-shot=1").json
            for name in ("web", "guest", "alone", "open")
        }
        links = {name: one.get("networks") for name, one in told.items()}
        counted = links["web"]["eth0"]
        assert counted["rx_packets"] >= 2 <= counted["tx_packets"], side.name
        assert counted["tx_bytes"] >= 2 * 84, side.name
        found.append({
            name: one and {link: sorted(fields) for link, fields in one.items()}
            for name, one in links.items()
        })  # fmt: skip
    assert found[1] == found[0]
