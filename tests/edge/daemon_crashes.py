"""Kill an engine at every event of a busy afternoon, and see who notices.

Run in namespaces of its own (`tests.edge.private`).  Some containers live through it all:
five print, one has a terminal, one restarts for ever, one is looked after by a health
check.  Then, for each kind of event, an engine adopts them, does everything that clients
ask for, and dies when that event has been told; the next one finds the containers alive,
clears up what was half done, and dies at the next kind.  At the end no line of output is
missing or doubled, every exit code is the right one, and nothing is left.

Arguments: how many kinds, spread evenly; none means all.  Standard output is JSON.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from signal import SIGKILL
from typing import Any

from tests import leaks
from tests.crash.matrix import DECLARED
from tests.rawapi import ask
from tests.reference import wait_until

PRINTERS = 5
PATIENCE_S = 60.0
_COUNT = (
    "i=0; trap 'exit {0}' TERM; while :; do echo line $i; i=$((i+1)); usleep 20000; done"
)
_ARMED = (
    "import sys; from pathlib import Path; from pyminidock.api.daemon import run_daemon; "
    "run_daemon(Path(sys.argv[1]), Path(sys.argv[2]))"
)
_NONE = {"NetworkMode": "none"}


class Engine:
    """Engines on one root, one after another, and a client of whichever lives."""

    def __init__(self, place: Path) -> None:
        self.root, self.socket, self._place = place / "root", place / "socket", place
        self._daemon: subprocess.Popen[bytes] | None = None

    def begin(self, armed: str = "") -> None:
        """Start an engine that dies at `armed`, and wait until it listens or has died."""
        self.socket.unlink(missing_ok=True)
        with (self._place / "daemon.log").open("ab") as log:
            self._daemon = subprocess.Popen(
                [sys.executable, "-c", _ARMED, str(self.root), str(self.socket)],
                stdout=log, stderr=log, env={**os.environ, "MINIDOCK_FAILPOINT": armed},
            )  # fmt: skip
        wait_until(lambda: self.is_dead() or self._answers(), 30, "an engine to answer")

    def is_dead(self) -> bool:
        """Say whether it has ended."""
        return self._daemon is None or self._daemon.poll() is not None

    def end(self) -> int:
        """Stop it if it lives; give how it ended."""
        assert self._daemon is not None
        if self._daemon.poll() is None:
            self._daemon.terminate()
        return self._daemon.wait(30)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask; an answer is (status, document).  Raises OSError when it dies meanwhile."""
        told = ask(self.socket, method, f"/v1.45{path}", body)
        return told.status, told.document()

    def must(self, method: str, path: str, body: object = None) -> Any:
        """Ask, and give the document; a refusal is a failure."""
        status, told = self.ask(method, path, body)
        assert status < 300, (method, path, status, told)
        return told

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(self.ask("GET", "/_ping")[0] == 200)
        return False

    def run(self, name: str, words: list[str], **host: Any) -> str:
        """Create and start a container; give its id."""
        given: dict[str, Any] = {
            key: host.pop(key) for key in ("Tty", "Healthcheck") if key in host
        }
        body = {"Image": "busybox", "Cmd": words, **given, "HostConfig": _NONE | host}
        made = self.must("POST", f"/containers/create?name={name}", body)["Id"]
        self.must("POST", f"/containers/{name}/start")
        return str(made)


# ── Those who live through it ────────────────────────────────────────────────────────────


def people(engine: Engine) -> dict[str, str]:
    """Start them; give their ids by name."""
    ids = {
        f"prints-{number}": engine.run(
            f"prints-{number}", ["sh", "-c", _COUNT.format(number + 10)]
        )
        for number in range(PRINTERS)
    }
    ids["terminal"] = engine.run("terminal", ["sh", "-c", _COUNT.format(20)], Tty=True)
    ids["again"] = engine.run(
        "again", ["sh", "-c", "sleep 0.2; exit 3"], RestartPolicy={"Name": "always"}
    )
    health = {"Test": ["CMD", "true"], "Interval": 200_000_000, "Timeout": 30_000_000_000}
    ids["well"] = engine.run("well", ["sleep", "100000"], Healthcheck=health)
    return ids


def pids(engine: Engine) -> dict[str, int]:
    """The processes of those who never end."""
    names = [*(f"prints-{number}" for number in range(PRINTERS)), "terminal", "well"]
    return {
        name: engine.must("GET", f"/containers/{name}/json")["State"]["Pid"]
        for name in names
    }


def numbers(engine: Engine, name: str) -> list[int]:
    """The lines that one of them has printed, as numbers."""
    told = ask(engine.socket, "GET", f"/v1.45/containers/{name}/logs?stdout=1")
    assert told.status == 200, told.body
    return [int(found) for found in re.findall(rb"line (\d+)\r?\n", told.body)]


# ── What clients do meanwhile ────────────────────────────────────────────────────────────


def afternoon(engine: Engine, round_: int) -> None:
    """Do everything once; whoever is refused because of an earlier death goes on."""
    one, two = f"w-{round_}-a", f"w-{round_}-b"
    body = {"Image": "busybox", "Cmd": ["sh", "-c", "echo hi; sleep 1000"]}
    ask = engine.ask
    ask("POST", f"/containers/create?name={one}", {**body, "HostConfig": _NONE})
    ask("POST", f"/containers/{one}/start")
    made = ask("POST", f"/containers/{one}/exec", {"Cmd": ["true"], "AttachStdout": True})[
        1
    ]
    ask("POST", f"/exec/{made.get('Id', 'x')}/start", {"Detach": False})
    ask("POST", f"/containers/{one}/pause")
    ask("POST", f"/containers/{one}/unpause")
    ask("POST", f"/containers/{one}/rename?name={one}-x")
    ask("POST", f"/containers/{one}-x/rename?name={one}")
    ask("POST", f"/containers/{one}/update", {"CpuShares": 512})
    ask("GET", f"/containers/{one}/top")
    ask("PUT", f"/containers/{one}/archive?path=/", _tar())
    ask("GET", f"/containers/{one}/archive?path=/etc/passwd")
    ask("GET", f"/containers/{one}/export")
    ask("POST", f"/commit?container={one}&repo=w&tag={round_}")
    ask("POST", f"/containers/{one}/resize?h=10&w=10")
    ask("POST", f"/containers/{one}/restart?t=0")
    ask("POST", f"/containers/{one}/kill?signal=HUP")
    ask("POST", f"/containers/{one}/stop?t=0")
    ask("DELETE", f"/containers/{one}?force=1")
    host = {**_NONE, "AutoRemove": True}
    ask(
        "POST",
        f"/containers/create?name={two}",
        {**body, "Cmd": ["true"], "HostConfig": host},
    )
    ask("POST", f"/containers/{two}/start")
    ask(
        "POST",
        f"/containers/create?name={two}-n",
        {"Image": "busybox", "Cmd": ["nonsense"]},
    )
    ask("POST", f"/containers/{two}-n/start")
    ask("DELETE", f"/containers/{two}-n")
    ask("POST", "/containers/prune")
    ask("DELETE", f"/images/w:{round_}?force=1")


def _tar() -> bytes:
    done = subprocess.run(
        ["tar", "c", "-C", "/etc", "hostname"], capture_output=True, check=True
    )
    return done.stdout


def clear_up(engine: Engine) -> None:
    """Remove what clients had made, in whatever state a death has left it."""
    for row in engine.must("GET", "/containers/json?all=1"):
        name = row["Names"][0].removeprefix("/")
        if name.startswith("w-"):
            status, told = engine.ask("DELETE", f"/containers/{name}?force=1")
            assert status in (204, 404), (name, status, told)
    for row in engine.must("GET", "/images/json"):
        for tag in row["RepoTags"]:
            if tag.startswith("w:"):
                engine.ask("DELETE", f"/images/{tag}?force=1")


# ── The matrix ───────────────────────────────────────────────────────────────────────────


def main(most: int) -> None:
    """Live, die, look."""
    with tempfile.TemporaryDirectory(
        prefix="minidock-deaths-", dir="/var/tmp"
    ) as directory:
        place = Path(directory)
        engine = Engine(place)
        engine.begin()
        engine.must("POST", "/minidock/bootstrap", {"name": "busybox"})
        engine.run("first", ["true"])  # what an image makes once for all its containers
        engine.must("DELETE", "/containers/first?force=1")
        engine.end()
        before = leaks.snapshot(engine.root, ignore=("journal",))
        engine.begin()
        people(engine)
        alive = pids(engine)
        kinds = [f"told.{kind}" for kind in told_kinds(engine, place)]
        kinds = [*sorted(DECLARED["daemon"]), *kinds]
        chosen = [kinds[n * len(kinds) // min(most, len(kinds))]
                  for n in range(min(most, len(kinds)))] if most else kinds  # fmt: skip
        died, faults = [], list[str]()
        for number, kind in enumerate(chosen):
            is_hit = _die(engine, kind, number)
            died.append({"kind": kind, "hit": is_hit})
            engine.begin()
            now = pids(engine)
            if now != alive:
                faults.append(f"after {kind}: {now} in place of {alive}")
            clear_up(engine)
        said = {name: _check_lines(engine, name) for name in alive if name != "well"}
        codes = _codes(engine)
        states = _last_words(engine)
        clear_up(engine)
        for name in (*alive, "again"):
            engine.must("DELETE", f"/containers/{name}?force=1")
        engine.must("POST", "/build/prune")
        engine.must("POST", "/images/prune")
        engine.end()
        left = leaks.settled(
            before, lambda: leaks.snapshot(engine.root, ignore=("journal",))
        )
        log = (place / "daemon.log").read_text(errors="replace")
    json.dump({
        "died": died, "faults": faults, "lines": said, "codes": codes, "states": states,
        "left": [each for each in left if not each.startswith("keyring ")],
        "tracebacks": log.count("Traceback"), "log": log[-3000:],
    }, sys.stdout)  # fmt: skip


def told_kinds(engine: Engine, place: Path) -> list[str]:
    """Let an engine do all of it undisturbed, and say what it tells."""
    engine.end()
    (place / "daemon.log").unlink()
    engine.begin("told?")
    afternoon(engine, 0)
    time.sleep(0.5)
    clear_up(engine)
    engine.end()
    text = (place / "daemon.log").read_text(errors="replace")
    (place / "daemon.log").unlink()
    kinds = list(dict.fromkeys(re.findall(r"^failpoint told\.(\S+)$", text, re.MULTILINE)))
    engine.begin()
    return kinds


def _die(engine: Engine, armed: str, number: int) -> bool:
    """Start an engine that will die, keep it busy until it has; say whether it did."""
    engine.end()
    engine.begin(armed)
    deadline = time.monotonic() + PATIENCE_S
    while not engine.is_dead() and time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            afternoon(engine, number + 1)
            break
    with suppress(TimeoutError):
        wait_until(engine.is_dead, 5, "an engine to die")
    return engine.end() == -SIGKILL


def _check_lines(engine: Engine, name: str) -> str:
    """Say what is wrong with the lines of one that prints; nothing is."""
    found = numbers(engine, name)
    if found == list(range(len(found))) and len(found) > 10:
        return ""
    for before, after in pairwise(found):
        if after != before + 1:
            return f"{before} is followed by {after}"
    return f"{found[:1]} … {len(found)}"


def _codes(engine: Engine) -> dict[str, int]:
    """Stop each of them, and hear how it ended."""
    codes = {}
    for name in (*(f"prints-{number}" for number in range(PRINTERS)), "terminal"):
        engine.must("POST", f"/containers/{name}/stop?t=30")
        codes[name] = engine.must("POST", f"/containers/{name}/wait")["StatusCode"]
    return codes


def _is_healthy(engine: Engine) -> bool:
    state = engine.must("GET", "/containers/well/json")["State"]
    return bool(state.get("Health", {}).get("Status") == "healthy")


def _last_words(engine: Engine) -> dict[str, Any]:
    """What the one that restarts and the one that is looked after have come to."""
    with suppress(TimeoutError):  # a new engine asks for its health anew
        wait_until(lambda: _is_healthy(engine), PATIENCE_S, "an answer about the health")
    again = engine.must("GET", "/containers/again/json")
    well = engine.must("GET", "/containers/well/json")
    return {
        "again": again["State"]["Status"], "restarts": again["RestartCount"],
        "well": well["State"].get("Health", {}).get("Status"),
    }  # fmt: skip


if __name__ == "__main__":
    os.umask(0o022)
    main(int(sys.argv[1]))
