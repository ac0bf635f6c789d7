"""Networks outlive accidents: a killed engine, a bridge that somebody deletes, odd devices.

Each engine has a network namespace of its own; what happens there is seen by `nsenter`.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.minidock_cli import Minidock, running_minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge

LOOPBACK_UP = ("unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh")
PING = ("ping", "-c", "1", "-W", "2", "-q")
REPAIRED_S = 5


@pytest.fixture
def engine() -> Iterator[Minidock]:
    with running_minidock(*LOOPBACK_UP) as made:
        try:
            yield made
        finally:
            said(made, "ps", "-aq")
            for each in said(made, "ps", "-aq").split():
                said(made, "rm", "-f", each)


def said(engine: Minidock, *words: str) -> str:
    done = engine.run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def daemon_of(engine: Minidock) -> int:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"pyminidock.api.daemon" in words and str(engine.root).encode() in words:
            return int(process.name)
    raise AssertionError("no engine runs")


def on_host(pid: int, *words: str) -> str:
    """Run a program in the network namespace that the engine takes for the host's."""
    done = subprocess.run(
        ["nsenter", f"--net=/proc/{pid}/ns/net", *words],
        capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    return done.stdout


def links(pid: int) -> set[str]:
    told = json.loads(on_host(pid, "ip", "-json", "link"))
    return {each["ifname"] for each in told} - {"lo"}


def reaches(engine: Minidock, address: str) -> bool:
    return engine.run("exec", "one", *PING, address).returncode == 0


def address_of(engine: Minidock, name: str, network: str = "web") -> str:
    template = f"{{{{.NetworkSettings.Networks.{network}.IPAddress}}}}"
    return said(engine, "inspect", "-f", template, name)


def two_containers(engine: Minidock) -> str:
    said(engine, "network", "create", "web")
    for name in ("one", "two"):
        said(engine, "run", "-d", "--name", name, "--network", "web", "busybox",
             "sleep", "1000")  # fmt: skip
    there = address_of(engine, "two")
    assert reaches(engine, there)
    return there


def test_a_deleted_bridge_is_made_again_within_seconds(engine: Minidock) -> None:
    there = two_containers(engine)
    host = daemon_of(engine)
    (bridge,) = (name for name in links(host) if name.startswith("md"))
    on_host(host, "ip", "link", "delete", bridge)
    began = time.monotonic()
    wait_until(lambda: reaches(engine, there), REPAIRED_S, "the bridge to be made again")
    assert time.monotonic() - began < REPAIRED_S
    assert bridge in links(host)
    assert reaches(engine, "172.18.0.1")


def test_a_cut_cable_is_laid_again_within_seconds(engine: Minidock) -> None:
    there = two_containers(engine)
    host = daemon_of(engine)
    cable = min(name for name in links(host) if name.startswith("mv"))
    on_host(host, "ip", "link", "delete", cable)
    wait_until(lambda: reaches(engine, there), REPAIRED_S, "the cable to be laid again")
    assert cable in links(host)


@pytest.mark.parametrize("kind", ["md", "mv"], ids=["bridge", "cable"])
def test_a_renamed_device_is_put_right_within_seconds_while_somebody_talks(
    engine: Minidock, kind: str
) -> None:
    there = two_containers(engine)
    host = daemon_of(engine)
    before = links(host)
    device = min(name for name in before if name.startswith(kind))
    said(engine, "exec", "-d", "one", "ping", "-i", "0.2", there)
    on_host(host, "ip", "link", "set", device, "name", "stranger0")

    def is_right() -> bool:
        return reaches(engine, there) and device in links(host)

    wait_until(is_right, REPAIRED_S, "the device to be put right")
    assert links(host) == before


def test_a_killed_engine_leaves_its_networks_serving_and_the_next_one_adopts_them(
    engine: Minidock,
) -> None:
    there = two_containers(engine)
    host = daemon_of(engine)
    net = os.open(f"/proc/{host}/ns/net", os.O_RDONLY)
    try:
        os.kill(host, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{host}").exists(), 10, "the engine to be gone")
        subprocess.run(
            ["nsenter", f"--net=/proc/{os.getpid()}/fd/{net}", "sh", "-c",
             "ip link add virbr0 type bridge && exec \"$@\"", "sh",
             *engine.words("ps")],
            check=True, env=engine.environment, capture_output=True, timeout=60,
        )  # fmt: skip
    finally:
        os.close(net)
    assert address_of(engine, "two") == there
    assert reaches(engine, there)
    said(engine, "run", "-d", "--name", "three", "--network", "web", "busybox", "sleep",
         "1000")  # fmt: skip
    assert address_of(engine, "three") == "172.18.0.4"
    assert reaches(engine, "172.18.0.4")
    said(engine, "rm", "-f", "one", "two", "three")
    said(engine, "network", "rm", "web")
    host = daemon_of(engine)
    wait_until(lambda: links(host) <= {"virbr0"}, 5, "every device of ours to be gone")
    on_host(host, "ip", "link", "delete", "virbr0")


def test_nothing_of_many_networks_and_containers_is_left(engine: Minidock) -> None:
    host_before = set[str]()
    for number in range(8):
        said(engine, "network", "create", f"n{number}")
        said(engine, "run", "--rm", "--network", f"n{number}", "busybox", "true")
    host = daemon_of(engine)
    assert len(links(host)) >= 8
    said(engine, "network", "prune", "-f")
    wait_until(lambda: links(host) == host_before, 5, "every device to be gone")


def test_a_network_without_icc_and_an_internal_one_keep_people_apart(
    engine: Minidock,
) -> None:
    said(engine, "network", "create", "-o", "com.docker.network.bridge.enable_icc=false",
         "apart")  # fmt: skip
    said(engine, "network", "create", "--internal", "shut")
    for name in ("one", "two"):
        said(engine, "run", "-d", "--name", name, "--network", "apart", "busybox",
             "sleep", "1000")  # fmt: skip
    assert not reaches(engine, address_of(engine, "two", "apart"))
    said(engine, "network", "connect", "shut", "one")
    said(engine, "network", "connect", "shut", "two")
    assert reaches(engine, address_of(engine, "two", "shut"))
    said(engine, "network", "disconnect", "apart", "one")
    assert "default" not in said(engine, "exec", "one", "ip", "route")


def test_a_reset_leaves_no_device_no_rule_and_no_file(tmp_path: Path) -> None:
    engine = Minidock(tmp_path / "root", tmp_path / "minidock.sock")
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec cat"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as host:  # fmt: skip
        assert host.stdout is not None
        assert host.stdin is not None
        host.stdout.readline()
        within = ["nsenter", f"--net=/proc/{host.pid}/ns/net", *engine.words()]
        for words in (
            ("bootstrap", "busybox"), ("network", "create", "web"),
            ("run", "-d", "--network", "web", "-p", "8080:80", "busybox", "sleep", "1000"),
            ("run", "-d", "busybox", "sleep", "1000"),
        ):  # fmt: skip
            subprocess.run(
                [*within, *words], check=True, env=engine.environment,
                capture_output=True, timeout=60,
            )  # fmt: skip
        assert len(links(host.pid)) == 4
        said(engine, "system", "reset", "--force")
        assert "minidock" not in on_host(host.pid, "nft", "list", "tables")
        wait_until(lambda: not links(host.pid), 5, "every device to be gone")
        host.stdin.close()
    assert not engine.root.exists()
