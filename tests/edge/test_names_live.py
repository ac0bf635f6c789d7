"""Names in real containers: after the engine died, under a flood, and nothing left open."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.compat.sides import IMAGE
from tests.compat.wired import OWN_HOST, Wired
from tests.edge.daemons import Daemon, daemon
from tests.minidock_cli import tmpfs
from tests.rawapi import ask
from tests.reference import busybox_tar, wait_until

pytestmark = pytest.mark.edge

FLOOD = """
import os, socket, sys, time
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.setblocking(False)
question = os.urandom(2) + b"\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6nobody\\4test\\0\\0\\1\\0\\1"
talks = []
print("ready", flush=True)
end = time.monotonic() + 4
while time.monotonic() < end:
    try:
        for _ in range(50):
            line.sendto(question, ("127.0.0.11", 53))
        if len(talks) < 300:
            talks.append(socket.create_connection(("127.0.0.11", 53), 0.2))
    except OSError:
        time.sleep(0.005)
"""


def furnished(side: Wired, scratch: Path) -> Wired:
    """Give an engine the common image and a network."""
    tree = busybox_tar(scratch / "twin.tar")
    for words in (
        ("import", "--change", 'CMD ["sh"]', str(tree), IMAGE),
        ("network", "create", "back"),
    ):
        done = side.docker(*words)
        assert done.returncode == 0, done.stderr
    return side


def run(side: Wired, name: str, *flags: str) -> None:
    done = side.docker("run", "-d", "--name", name, "--net", "back", *flags, IMAGE,
                       "sleep", "1000")  # fmt: skip
    assert done.returncode == 0, done.stderr


def answer(side: Wired, asker: str, name: str) -> bytes:
    return side.docker("exec", asker, "nslookup", "-type=a", f"{name}.").stdout


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[tuple[Daemon, Wired]]:
    with daemon(before=OWN_HOST) as made:
        yield made, furnished(Wired("ours", made.socket, made.pid), tmp_path)


def test_a_program_may_ask_with_its_first_breath(engine: tuple[Daemon, Wired]) -> None:
    _, side = engine
    run(side, "db")
    for _ in range(5):
        done = side.docker("run", "--rm", "--net", "back", IMAGE, "nslookup", "db.back.")
        assert b"Name:\tdb.back" in done.stdout, done


def test_nothing_stays_open_for_containers_that_have_gone(
    engine: tuple[Daemon, Wired],
) -> None:
    made, side = engine
    run(side, "db")
    before = made.descriptors()
    for number in range(4):
        run(side, f"web{number}")
        assert b"Address: 172." in answer(side, f"web{number}", "db")
    assert made.descriptors() > before
    side.remove(*(f"web{number}" for number in range(4)))
    wait_until(lambda: made.descriptors() <= before, 30, "what was open to be closed")


def test_a_flood_from_one_container_does_not_keep_another_from_its_answers(
    engine: tuple[Daemon, Wired],
) -> None:
    made, side = engine
    for name in ("greedy", "modest"):
        run(side, name, "--dns", "192.0.2.77")  # where nobody answers
    before = made.descriptors()
    told = side.ask("GET", "/containers/greedy/json").json["State"]["Pid"]
    flood = subprocess.Popen(
        ["nsenter", "--net", f"--target={told}", sys.executable, "-c", FLOOD],
        stdout=subprocess.PIPE,
    )
    assert flood.stdout is not None
    assert flood.stdout.readline() == b"ready\n"
    held = []
    while flood.poll() is None:
        began = time.monotonic()
        assert b"Address: 172." in answer(side, "modest", "greedy")
        held.append((time.monotonic() - began, made.descriptors()))
    flood.communicate()
    assert len(held) > 2
    assert max(descriptors for _, descriptors in held) < before + 64 + 16 + 20
    wait_until(lambda: made.descriptors() <= before + 2, 30, "all errands to end")


@contextmanager
def own_host() -> Iterator[int]:
    """Give a process in a network namespace that outlives engines."""
    words = [*OWN_HOST, "sh", "-c", "echo ready; exec sleep 1000"]
    holder = subprocess.Popen(words, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        yield holder.pid
    finally:
        holder.kill()
        holder.communicate()


def begun(host: int, place: Path) -> "subprocess.Popen[bytes]":
    """Start an engine on this host, and wait for it."""
    socket = place / "s.sock"
    words = ["nsenter", "--net", f"--target={host}", sys.executable, "-m",
             "pyminidock.api.daemon", "--root", str(place / "root"), "--socket",
             str(socket), "--backend", "linux-root"]  # fmt: skip
    with (place / "log").open("ab") as log:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ
        )

    def answers() -> bool:
        assert process.poll() is None, (place / "log").read_text()
        try:
            return ask(socket, "GET", "/_ping").status == 200
        except OSError:
            return False

    wait_until(answers, 60, "the engine to answer")
    return process


def test_a_new_engine_answers_the_containers_of_one_that_was_killed(tmp_path: Path) -> None:
    with tmpfs("minidock-names-") as place, own_host() as host:
        engine = begun(host, place)
        side = furnished(Wired("ours", place / "s.sock", engine.pid), tmp_path)
        run(side, "db", "--network-alias", "sql")
        run(side, "web")
        assert b"Address: 172." in answer(side, "web", "sql")
        engine.kill()
        engine.wait()
        engine = begun(host, place)
        try:
            side = Wired("ours", place / "s.sock", engine.pid)
            assert b"Address: 172." in answer(side, "web", "sql")
            run(side, "new")
            assert b"Address: 172." in answer(side, "db", "new")
            assert b"Address: 172." in answer(side, "new", "web")
            side.clear()
        finally:
            engine.terminate()
            engine.wait(60)
