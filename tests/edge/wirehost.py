"""A host with an engine on it, and a neighbour beside it: each a network namespace.

    neighbour 10.9.0.2 ──veth── 10.9.0.1 host ──bridges── containers

The engine publishes on 127.0.0.1, as it does by itself.  Scripts of the tests run in Python
on the host, on the neighbour, or in the network of a container.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.compat.sides import IMAGE
from tests.compat.wired import OWN_HOST, Wired
from tests.minidock_cli import tmpfs
from tests.reference import busybox_tar, wait_until

NEIGHBOUR, HOST = "10.9.0.2", "10.9.0.1"
SERVE = (
    "mkdir -p /www/cgi-bin; echo served >/www/index.html; "
    "printf '#!/bin/sh\\necho; echo $REMOTE_ADDR\\n' >/www/cgi-bin/who; "
    "chmod 755 /www/cgi-bin/who; nc -ll -p 90 -e cat & httpd -f -p 80 -h /www"
)
"""Serves pages at 80/tcp, says who asks at /cgi-bin/who, echoes at 90/tcp."""
_ECHO = """
door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
door.bind(("0.0.0.0", 53))
print("ready", flush=True)
while True:
    door.sendto(*door.recvfrom(2048))
"""

_TOOLS = """
import os, socket, struct, sys, threading, time, urllib.request
def get(where, path="/", timeout=3.0):
    told = urllib.request.urlopen(f"http://{where}{path}", timeout=timeout).read()
    return told.decode().strip().strip("[]").removeprefix("::ffff:")
def refused(call, *words):
    try:
        return f"answered: {call(*words)}"
    except OSError as refusal:
        reason = getattr(refusal, "reason", refusal)
        return "timeout" if isinstance(reason, TimeoutError) else "refused"
def echo(address, port, size):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    data, got = os.urandom(size), bytearray()
    with socket.socket(family) as line:
        line.settimeout(30)
        line.connect((address, port))
        def say():
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
        speaker = threading.Thread(target=say)
        speaker.start()
        while more := line.recv(1 << 16):
            got += more
        speaker.join()
    return bytes(got) == data
def ask(address, port, text=b"ping"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(3)
        line.sendto(text, (address, port))
        return line.recv(2048) == text
"""


class Ground:
    """One host with an engine."""

    def __init__(self, side: Wired, engine: "Engine", neighbour: int) -> None:
        self.side, self.engine, self._neighbour = side, engine, neighbour
        self._helpers: list[subprocess.Popen[bytes]] = []

    def run(self, name: str, *flags: str, command: str = SERVE) -> None:
        """Run a container that serves, and wait until it does; it echoes at 53/udp, too."""
        done = self.side.docker(
            "run", "-d", "--name", name, *flags, IMAGE, "sh", "-c", command
        )
        assert done.returncode == 0, done.stderr
        if command == SERVE:
            self.wait_for(name)

    def wait_for(self, name: str) -> None:
        """Wait until all servers of a container listen."""

        def listens() -> bool:
            told = self.side.docker("exec", name, "netstat", "-ltun").stdout
            return all(port in told for port in (b":80 ", b":90 "))

        wait_until(listens, 30, f"{name} to listen")
        words = ["nsenter", "--net", f"--target={self.pid(name)}", sys.executable, "-c"]
        echo = subprocess.Popen(
            [*words, _TOOLS + _ECHO], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        assert echo.stdout is not None
        assert echo.stdout.readline() == b"ready\n"
        self._helpers.append(echo)

    def end(self) -> None:
        """End the helpers."""
        for each in self._helpers:
            each.kill()
            each.communicate()
        self._helpers.clear()

    def address(self, name: str) -> str:
        """Give the address of a container."""
        (told,) = json.loads(self.side.docker("inspect", name).stdout)
        nets = told["NetworkSettings"]["Networks"].values()
        return str(next(each["IPAddress"] for each in nets if each["IPAddress"]))

    def pid(self, name: str) -> int:
        """Give the pid of a container's program."""
        (told,) = json.loads(self.side.docker("inspect", name).stdout)
        return int(told["State"]["Pid"])

    def on_host(self, script: str) -> str:
        """Run a script on the host; give what it printed."""
        return _python(self.side.pid, script)

    def on_neighbour(self, script: str) -> str:
        """Run a script on the other host."""
        return _python(self._neighbour, script)

    def inside(self, name: str, script: str) -> str:
        """Run a script in the network of a container, with all powers."""
        return _python(self.pid(name), script)

    @contextmanager
    def listening(self, port: int) -> Iterator[Callable[[], str]]:
        """Listen on the neighbour; what is given waits for a visitor and says who came."""
        words = ["nsenter", "--net", f"--target={self._neighbour}", sys.executable, "-c"]
        script = f"""
door = socket.create_server(("{NEIGHBOUR}", {port}))
print("ready", flush=True)
print(door.accept()[1][0], flush=True)
"""
        ear = subprocess.Popen(
            [*words, _TOOLS + script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        assert ear.stdout is not None
        told = ear.stdout
        assert told.readline() == b"ready\n"
        try:
            yield lambda: told.readline().decode().strip()
        finally:
            ear.kill()
            ear.communicate()

    def nft(self) -> str:
        """List the rules of the host."""
        return self.side.host("nft", "list", "ruleset").stdout.decode()

    def links(self) -> list[str]:
        """Name the host's devices."""
        told = json.loads(self.side.host("ip", "-json", "link").stdout)
        return [str(each["ifname"]) for each in told]

    def counted(self, words: str) -> int:
        """Count the packets that a rule or an element has met; `words` are in its line."""
        line = next(each for each in self.nft().splitlines() if words in each)
        return int(line.partition("packets ")[2].split()[0])


def _python(pid: int, script: str) -> str:
    done = subprocess.run(
        ["nsenter", "--net", f"--target={pid}", sys.executable, "-c", _TOOLS + script],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Engine:
    """Engines on one root and one host, one after another."""

    def __init__(self, place: Path, host: int, *options: str) -> None:
        self.root, self.socket = place / "root", place / "s.sock"
        self.log, self._host, self._options = place / "log", host, options
        self._daemon: subprocess.Popen[bytes] | None = None

    def begin(self) -> Wired:
        """Start one, and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._daemon = subprocess.Popen(
                ["nsenter", "--net", f"--target={self._host}", sys.executable, "-m",
                 "pyminidock.api.daemon", "--root", str(self.root), "--socket",
                 str(self.socket), "--backend", "linux-root", *self._options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        side = Wired("ours", self.socket, self._host)
        wait_until(lambda: self._answers(side), 60, "an engine to answer")
        return side

    @property
    def pid(self) -> int:
        """The process of the one that runs."""
        assert self._daemon is not None
        return self._daemon.pid

    def _answers(self, side: Wired) -> bool:
        assert self._daemon is not None
        assert self._daemon.poll() is None, self.log.read_text()
        with suppress(OSError):
            return side.ask("GET", "/_ping").status == 200
        return False

    def end(self, *, kills: bool = False) -> None:
        """Stop it, or kill it at once."""
        if self._daemon and self._daemon.poll() is None:
            (self._daemon.kill if kills else self._daemon.terminate)()
            self._daemon.wait(60)


@contextmanager
def host() -> Iterator[int]:
    """Make a network namespace with its loopback up; give a process in it."""
    holder = subprocess.Popen(
        [*OWN_HOST, "sh", "-c", "echo ready; exec sleep 10000"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        yield holder.pid
    finally:
        holder.kill()
        holder.communicate()


@contextmanager
def ground(*options: str) -> Iterator[Ground]:
    """Make a host with an engine and a neighbour; at the end nothing may be left on it."""
    with host() as ours, host() as other, tmpfs("minidock-ground-") as place:
        _wire(ours, other)
        engine = Engine(place, ours, *options)
        made = Ground(engine.begin(), engine, other)
        try:
            bring_image(made.side)
            yield made
        finally:
            made.end()
            made.side.clear()
            engine.end()
        assert made.nft() == ""
        assert made.links() == ["lo", "wire0"]


def bring_image(side: Wired) -> None:
    """Import the image that all tests use."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = busybox_tar(Path(scratch, "twin.tar"))
        done = side.docker("import", "--change", 'CMD ["sh"]', str(tree), IMAGE)
    assert done.returncode == 0, done.stderr


def _wire(ours: int, other: int) -> None:
    here, there = (["nsenter", "--net", f"--target={pid}", "ip"] for pid in (ours, other))
    peer = ["peer", "name", "wire1", "netns", str(other)]
    for words in (
        [*here, "link", "add", "wire0", "type", "veth", *peer],
        [*here, "addr", "add", f"{HOST}/24", "dev", "wire0"],
        [*here, "link", "set", "wire0", "up"],
        [*there, "addr", "add", f"{NEIGHBOUR}/24", "dev", "wire1"],
        [*there, "link", "set", "wire1", "up"],
    ):
        subprocess.run(words, check=True)
