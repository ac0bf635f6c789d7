"""The default bridge: what a container on it costs, and how fast its packets travel.

    raw API          create, start, wait, remove
    stock CLI        docker run --rm
    endpoint         a container that runs is connected to one network more
    latency          a connection to a published port of localhost, one word there and back
    throughput       64 MiB through that port
    neighbours       64 MiB from one container to the other

Either engine has a host of its own, a network namespace, so both may publish the same port.
Server and clients are the same Python program for both; it stands in the networks of the
containers and of the hosts, and only what it measures between them is counted.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.engines import Engine, Line, engines
from tests.bench.show import Verdict, write
from tests.bench.wire import Once, Race, Result, hold, once_by_cli, once_raw

PORT, INSIDE = 8090, 90
MIB = 64
REQUESTS = 200  # of which the median is one figure

_SERVER = """
import socket, threading
def serve(line):
    if line.recv(1) == b"e":
        while word := line.recv(64):
            line.sendall(word)
    else:
        while line.recv(1 << 18):
            pass
        line.sendall(b"k")
    line.close()
door = socket.create_server(("0.0.0.0", PORT), backlog=64)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()
"""
_LATENCY = """
import socket, statistics, time
took = []
for _ in range(REQUESTS):
    began = time.perf_counter()
    with socket.create_connection(("ADDRESS", PORT), 30) as line:
        line.sendall(b"e!")
        assert line.recv(1) == b"!"
    took.append(time.perf_counter() - began)
print(statistics.median(took))
"""
_THROUGHPUT = """
import socket, time
data = bytes(1 << 20)
with socket.create_connection(("ADDRESS", PORT), 30) as line:
    line.sendall(b"s")
    began = time.perf_counter()
    for _ in range(MIB):
        line.sendall(data)
    line.shutdown(socket.SHUT_WR)
    assert line.recv(1) == b"k"
    print(time.perf_counter() - began)
"""


def measure(place: Path, word: str = "") -> list[Result]:
    """Hold the races whose names have `word`."""
    with engines(place, is_wired=True) as both:
        return [hold(race, both) for race in RACES if word in race.name]


# ── A container on it ────────────────────────────────────────────────────────────────────


@contextmanager
def _raw(engine: Engine) -> Iterator[Once]:
    with engine.line() as line:
        yield lambda: once_raw(line, "default")


@contextmanager
def _cli(engine: Engine) -> Iterator[Once]:
    yield lambda: once_by_cli(engine, "default")


@contextmanager
def _endpoint(engine: Engine) -> Iterator[Once]:
    def once() -> float:
        wish = {"Container": container}
        began = time.perf_counter()
        line.ask("POST", f"/networks/{network}/connect", wish)
        took = time.perf_counter() - began
        line.ask("POST", f"/networks/{network}/disconnect", wish)
        return took

    with ExitStack() as stack:
        line = stack.enter_context(engine.line())
        network = line.ask("POST", "/networks/create", {"Name": "second"})["Id"]
        stack.callback(line.ask, "DELETE", f"/networks/{network}")
        container, _, _ = stack.enter_context(_running(line))
        yield once


# ── Its packets ──────────────────────────────────────────────────────────────────────────


@contextmanager
def _latency(engine: Engine) -> Iterator[Once]:
    with engine.line() as line, _serving(line):
        yield lambda: _seconds(engine.pid, _LATENCY, "127.0.0.1", PORT)


@contextmanager
def _throughput(engine: Engine) -> Iterator[Once]:
    with engine.line() as line, _serving(line):
        yield lambda: _seconds(engine.pid, _THROUGHPUT, "127.0.0.1", PORT)


@contextmanager
def _neighbours(engine: Engine) -> Iterator[Once]:
    with engine.line() as line, _serving(line) as address, _running(line) as (_, other, _):
        yield lambda: _seconds(other, _THROUGHPUT, address, INSIDE)


@contextmanager
def _running(
    line: Line, ports: Mapping[str, object] | None = None
) -> Iterator[tuple[str, int, str]]:
    """Run a container on the default bridge; its id, its pid, its address."""
    container = line.create("sleep", "600", network="default", ports=ports)
    try:
        line.ask("POST", f"/containers/{container}/start")
        told = line.ask("GET", f"/containers/{container}/json")
        address = told["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        yield container, int(told["State"]["Pid"]), address
    finally:
        line.ask("DELETE", f"/containers/{container}?force=1")


@contextmanager
def _serving(line: Line) -> Iterator[str]:
    """Run a container whose server is published; give its address."""
    at = {f"{INSIDE}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(PORT)}]}
    with _running(line, at) as (_, pid, address):
        words = _standing_in(pid, _SERVER.replace("PORT", str(INSIDE)))
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield address
        finally:
            server.kill()
            server.communicate()


def _seconds(pid: int, script: str, address: str, port: int) -> float:
    """Run a client in the network of a process; what it measured."""
    for name, value in (("ADDRESS", address), ("PORT", port), ("MIB", MIB),
                        ("REQUESTS", REQUESTS)):  # fmt: skip
        script = script.replace(name, str(value))
    done = subprocess.run(
        _standing_in(pid, script), stdin=subprocess.DEVNULL, capture_output=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def _standing_in(pid: int, script: str) -> list[str]:
    return ["nsenter", "--net", f"--target={pid}", sys.executable, "-c", script]


RACES = (
    Race("bridge, raw API", 20, _raw),
    Race("bridge, stock CLI", 8, _cli),
    Race("endpoint set-up", 5, _endpoint),
    Race("published, latency", 1.2, _latency, 10),
    Race("published, 64 MiB", 1, _throughput, 10),
    Race("neighbours, 64 MiB", 0.9, _neighbours, 10),
)

# ── What is said ─────────────────────────────────────────────────────────────────────────


def show(found: list[Result]) -> None:
    """Print the table."""
    write(
        f"\n{'on the default bridge':24} {'':10} {'min ms':>8} {'median':>8} {'x ours':>8}"
    )
    for result in found:
        for name, values in result.ms.items():
            label = result.race.name if name == "ours" else ""
            least, median = min(values), statistics.median(values)
            times = 1.0 if name == "ours" else result.ratio
            write(f"{label:24} {name:10} {least:8.2f} {median:8.2f} {times:8.2f}")


def verdicts(found: list[Result]) -> list[Verdict]:
    """Compare with the goals."""
    return [
        Verdict(
            f"{each.race.name}: dockerd {each.ratio:.2f} times ours"
            f" (goal {each.race.goal:g})",
            each.ratio >= each.race.goal,
        )
        for each in found
    ]
