"""A real engine is asked anything, by anybody, in any number, and goes on.

What one request can be is made in tests/api/test_fuzz; here it is also cut off, or drips.
"""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from pyminidock.engine.attendants import MOST_IDLE
from tests.api.test_fuzz import answered, request_of
from tests.edge.daemons import PATIENCE_S, Daemon, daemon
from tests.reference import wait_until

pytestmark = pytest.mark.edge

GUNNERS = 4
GROWTH_BYTES = 64 << 20  # hardening H-49


@pytest.fixture
def engine() -> Iterator[Daemon]:
    with daemon() as made:
        assert made.ask("POST", "/minidock/bootstrap", {"name": "busybox"})[0] == 200
        made.ask("POST", "/containers/create?name=web", {"Image": "busybox"})
        made.clear()
        yield made


def dial(engine: Daemon) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(PATIENCE_S)
    line.connect(str(engine.socket))
    return line


def shoot(engine: Daemon, rng: random.Random, loris: list[socket.socket]) -> str:
    """Ask one thing, in one of the ways; give what came of it."""
    method, data = request_of(rng)
    way = rng.random()
    if way < 0.75:
        return str(answered(engine.socket, method, data))
    cut = data[: rng.randrange(len(data))]
    line = dial(engine)
    line.sendall(cut)
    if way < 0.85:
        line.close()
        return "hung up"
    if way < 0.97 or len(loris) > 20:
        line.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while line.recv(65536):
                pass
        line.close()
        return "cut"
    loris.append(line)  # says no more, and stays
    return "slow"


def bombard(engine: Daemon, seed: int, shots: int, failures: list[BaseException]) -> None:
    """Ask `shots` things, as one client; whatever goes wrong is a failure."""
    rng, loris = random.Random(seed), list[socket.socket]()
    try:
        for number in range(shots):
            if number % 40 == 0:  # one of them may well have been a prune
                wish = {"Image": "busybox", "Cmd": ["sleep", "1000"]}
                engine.ask("POST", "/minidock/bootstrap", {"name": "busybox"})
                engine.ask("POST", "/containers/create?name=web", wish)
                engine.ask("POST", "/containers/web/start")
            shoot(engine, rng, loris)
    except BaseException as failure:
        failures.append(failure)
        raise
    finally:
        for line in loris:
            line.close()


def barrage(engine: Daemon, seeds: range, shots: int) -> None:
    """Let several clients bombard at once; then remove what they made."""
    failures: list[BaseException] = []
    gunners = [
        threading.Thread(target=bombard, args=(engine, seed, shots, failures))
        for seed in seeds
    ]
    for each in gunners:
        each.start()
    for each in gunners:
        each.join()
    assert not failures
    engine.clear()


def attend(engine: Daemon) -> None:
    """Have so many containers at once that as many threads are kept idle as ever are."""
    for number in range(MOST_IDLE):
        wish = {"Image": "busybox", "Cmd": ["sleep", "1000"]}
        engine.ask("POST", f"/containers/create?name=n{number}", wish)
        assert engine.ask("POST", f"/containers/n{number}/start")[0] == 204
    engine.clear()


def test_20000_random_requests_leave_nothing_and_end_nothing(
    engine: Daemon, at_length: Callable[[int], int]
) -> None:
    attend(engine)
    barrage(engine, range(GUNNERS), 10)  # to be warm
    threads, descriptors = engine.threads(), engine.descriptors()
    barrage(engine, range(10, 10 + GUNNERS), at_length(20_000) // GUNNERS)
    said = engine.log.read_text(errors="replace")
    assert "Traceback" not in said, said[-4000:]
    wait_until(
        lambda: engine.threads() <= threads and engine.descriptors() <= descriptors,
        PATIENCE_S, f"{threads} threads and {descriptors} descriptors",
    )  # fmt: skip


def test_200_clients_at_once_are_answered(engine: Daemon) -> None:
    lines = [dial(engine) for _ in range(200)]
    for line in lines:
        line.sendall(b"GET /containers/json HTTP/1.1\r\nHost: docker\r\n\r\n")
    for line in lines:
        assert line.recv(12) == b"HTTP/1.1 200"
        line.close()


def test_who_takes_everything_leaves_enough_for_the_others(engine: Daemon) -> None:
    """H-49: 300 connections, slow ones, listeners that never read; the rest is served."""
    memory = engine.memory_bytes()
    listeners = [dial(engine) for _ in range(60)]
    for number, line in enumerate(listeners):
        path = "/events" if number % 2 else "/minidock/events"
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: docker\r\n\r\n".encode())
    slow = [dial(engine) for _ in range(150)]
    for line in slow:
        line.sendall(b"GET /containers/json HTTP/1.1\r\nHost: do")
    greedy = [dial(engine) for _ in range(90)]
    refused = 0
    for line in greedy:
        with suppress(BrokenPipeError):
            line.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n")
        with suppress(ConnectionResetError):
            refused += line.recv(12) == b"HTTP/1.1 503"
    assert refused >= 40, "beyond its share nobody is served, but everybody is answered"
    for line in greedy:
        line.close()
    for number in range(150):  # which nobody of the sixty reads
        assert engine.ask("POST", "/images/busybox/tag?repo=x&tag=1")[0] == 201, number
    assert engine.memory_bytes() - memory < GROWTH_BYTES
    for line in (*listeners, *slow):
        line.close()
    wait_until(lambda: engine.ask("GET", "/_ping")[0] == 200, PATIENCE_S, "an answer")


def test_an_engine_with_few_descriptors_answers_those_it_can() -> None:
    """H-49: RLIMIT_NOFILE=64, hard: 503 beyond it, and the others go on."""
    with daemon(before=["prlimit", "--nofile=64:64"]) as engine:
        lines = [dial(engine) for _ in range(80)]
        answers = []
        for line in lines:
            with suppress(BrokenPipeError):
                line.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n")
            with suppress(ConnectionResetError):
                answers.append(line.recv(12))
        assert {b"HTTP/1.1 200", b"HTTP/1.1 503"} <= {*answers}
        for line in lines:
            line.close()
        wait_until(
            lambda: engine.ask("GET", "/_ping") == (200, "OK"), PATIENCE_S, "an answer"
        )


def test_an_engine_in_another_network_is_as_good_as_any() -> None:
    """Its socket is a file: clients reach it from any network namespace."""
    with daemon(before=["unshare", "--net"]) as engine:
        assert engine.ask("POST", "/minidock/bootstrap", {"name": "busybox"})[0] == 200
        wish = {"Image": "busybox", "Cmd": ["sh", "-c", "exit 7"]}
        assert engine.ask("POST", "/containers/create?name=web", wish)[0] == 201
        assert engine.ask("POST", "/containers/web/start")[0] == 204
        assert engine.ask("POST", "/containers/web/wait")[1]["StatusCode"] == 7
