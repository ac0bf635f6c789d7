"""What a client of the socket waits for: the same requests to both engines, by turns.

    raw API        create, start, wait, remove, on one connection
    SDK            containers.run(remove=True) of the Docker SDK for Python
    stock CLI      docker run --rm
    exec           a second program in a container that runs: create, start, its output
    50 starts      create and start, eight clients at a time; milliseconds per container

The program is `sh -c 'echo hi'`, and where a client sees its output, that is checked.  At
fifty running containers the daemon's resident memory is read.
"""

import http.client
import os
import random
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker

from tests.bench.engines import EXPECTED, IMAGE, Engine, Line, engines, until_quiet
from tests.bench.show import Verdict, write
from tests.reference import program

COMMAND = ("sh", "-c", "echo hi")
COUNT, AT_ONCE = 50, 8
RSS_MIB = 75.0
ROUNDS, CROWDS = 20, 3  # a crowd of fifty is many rounds in one

Once = Callable[[], float]  # seconds; raises if the answer is not what it should be


@dataclass(frozen=True, slots=True)
class Race:
    """One deed for both engines: `of` gets it ready for one; the goal is ours × so much."""

    name: str
    goal: float
    of: Callable[[Engine], AbstractContextManager[Once]]
    rounds: int = ROUNDS


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds of each round, by engine."""

    race: Race
    ms: dict[str, list[float]] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Say how many times as long dockerd took, at the medians."""
        ours, others = (statistics.median(values) for values in self.ms.values())
        return others / ours


@dataclass(frozen=True, slots=True)
class Wire:
    """All races, and what each daemon held with fifty containers, in MiB."""

    results: list[Result]
    rss_mib: dict[str, float]


def measure(place: Path, word: str = "") -> Wire:
    """Hold the races whose names have `word`."""
    with engines(place) as both:
        results = [hold(race, both) for race in RACES if word in race.name]
        return Wire(results, {engine.name: _rss_in_a_crowd(engine) for engine in both})


def hold(race: Race, both: tuple[Engine, Engine]) -> Result:
    """Let the two take turns, in another order each time, after one to warm up."""
    result, chance = Result(race, {engine.name: [] for engine in both}), random.Random(0)
    with ExitStack() as stack:
        deeds = [(engine.name, stack.enter_context(race.of(engine))) for engine in both]
        for number in range(race.rounds + 1):
            for name, once in chance.sample(deeds, len(deeds)):
                until_quiet()
                took = once() * 1000
                if number:
                    result.ms[name].append(took)
    return result


# ── What is done ─────────────────────────────────────────────────────────────────────────


@contextmanager
def _raw(engine: Engine) -> Iterator[Once]:
    with engine.line() as line:
        yield lambda: once_raw(line, "none")


def once_raw(line: Line, network: str) -> float:
    """Create, start, wait for, and remove one container."""
    began = time.perf_counter()
    container = line.create(*COMMAND, network=network)
    line.ask("POST", f"/containers/{container}/start")
    ended = line.ask("POST", f"/containers/{container}/wait")
    line.ask("DELETE", f"/containers/{container}")
    took = time.perf_counter() - began
    assert ended["StatusCode"] == 0, ended
    return took


@contextmanager
def _sdk(engine: Engine) -> Iterator[Once]:
    def once() -> float:
        began = time.perf_counter()
        output = client.containers.run(
            IMAGE, list(COMMAND), network_mode="none", remove=True
        )
        took = time.perf_counter() - began
        assert output == EXPECTED, output
        return took

    client = docker.DockerClient(f"unix://{engine.socket}", version="1.45")
    try:
        yield once
    finally:
        client.close()


@contextmanager
def _cli(engine: Engine) -> Iterator[Once]:
    yield lambda: once_by_cli(engine, "none")


def once_by_cli(engine: Engine, network: str) -> float:
    """Type `docker run --rm`."""
    words = [program("docker"), "run", "--rm", "--network", network, IMAGE, *COMMAND]
    where = {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{engine.socket}",
             "DOCKER_CONFIG": str(engine.socket.parent)}  # fmt: skip
    began = time.perf_counter()
    ran = subprocess.run(
        words, env=where, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    took = time.perf_counter() - began
    assert (ran.returncode, ran.stdout) == (0, EXPECTED), ran
    return took


@contextmanager
def _exec(engine: Engine) -> Iterator[Once]:
    def once() -> float:
        began = time.perf_counter()
        wish = {"Cmd": COMMAND, "AttachStdout": True, "AttachStderr": True}
        made = line.ask("POST", f"/containers/{container}/exec", wish)["Id"]
        output = _hijacked(engine, f"/exec/{made}/start", b'{"Detach":false,"Tty":false}')
        code = line.ask("GET", f"/exec/{made}/json")["ExitCode"]
        took = time.perf_counter() - began
        assert code == 0, code
        assert output.endswith(EXPECTED), output
        return took

    with engine.line() as line:
        container = line.create("sleep", "600")
        line.ask("POST", f"/containers/{container}/start")
        yield once
        line.ask("DELETE", f"/containers/{container}?force=1")


def _hijacked(engine: Engine, path: str, body: bytes) -> bytes:
    """Ask, take the connection over, and read it to its end, as the stock CLI does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(engine.socket))
        head = (
            f"POST /v1.45{path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\n"
            "Upgrade: tcp\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 101, answer.status
        return answer.fp.read()


@contextmanager
def _crowd(engine: Engine) -> Iterator[Once]:
    def once() -> float:
        began = time.perf_counter()
        containers = _started(engine)
        took = time.perf_counter() - began
        _removed(engine, containers)
        return took / COUNT

    yield once


def _started(engine: Engine) -> list[str]:
    """Start fifty that sleep, eight clients at a time; their ids."""

    def start(numbers: range) -> list[str]:
        with engine.line() as line:
            ids = []
            for _ in numbers:
                ids.append(line.create("sleep", "600"))
                line.ask("POST", f"/containers/{ids[-1]}/start")
            return ids

    shares = [range(begin, COUNT, AT_ONCE) for begin in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as clients:
        return [each for ids in clients.map(start, shares) for each in ids]


def _removed(engine: Engine, containers: list[str]) -> None:
    with engine.line() as line:
        for container in containers:
            line.ask("DELETE", f"/containers/{container}?force=1")


def _rss_in_a_crowd(engine: Engine) -> float:
    containers = _started(engine)
    until_quiet()
    try:
        return engine.rss_mib()
    finally:
        _removed(engine, containers)


RACES = (
    Race("raw API", 15, _raw),
    Race("SDK", 12, _sdk),
    Race("stock CLI", 7, _cli),
    Race("exec", 5, _exec),
    Race("50 starts, 8 at a time", 10, _crowd, CROWDS),
)

# ── What is said ─────────────────────────────────────────────────────────────────────────


def show(found: Wire) -> None:
    """Print the table."""
    write(f"\n{'over the socket':24} {'':10} {'min ms':>8} {'median':>8} {'x ours':>8}")
    for result in found.results:
        for name, values in result.ms.items():
            label = result.race.name if name == "ours" else ""
            least, median = min(values), statistics.median(values)
            times = 1.0 if name == "ours" else result.ratio
            write(f"{label:24} {name:10} {least:8.2f} {median:8.2f} {times:8.1f}")
    write(f"\n{f'daemon, {COUNT} containers':24} {'MiB (RSS)':>20}")
    for name, size in found.rss_mib.items():
        write(f"{name:24} {size:20.1f}")


def verdicts(found: Wire) -> list[Verdict]:
    """Compare with the goals."""
    told = [
        Verdict(
            f"{each.race.name}: dockerd {each.ratio:.1f} times ours"
            f" (goal {each.race.goal:.0f})",
            each.ratio >= each.race.goal,
        )
        for each in found.results
    ]
    size = found.rss_mib["ours"]
    text = f"the daemon takes {size:.1f} MiB with {COUNT} containers (goal {RSS_MIB:.0f})"
    return [*told, Verdict(text, size <= RSS_MIB)]
