"""Many clients run containers at once; an engine with threads must never fork.

Run in namespaces of its own (`tests.edge.private`).  Arguments: how many clients, how many
runs of each.  The engine takes every warning for an error and notes each fork that it makes
while it has more than one thread.  Standard output is JSON.
"""

import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from tests.rawapi import ask
from tests.reference import wait_until

_ENGINE = """
import os, sys
from pathlib import Path
FORKS = {"os.fork", "os.forkpty"}  # a spawn runs nothing of ours in between
def note(event, words):
    if event in FORKS and len(os.listdir("/proc/self/task")) > 1:
        os.write(2, f"forked: {event}\\n".encode())
sys.addaudithook(note)
from pyminidock.api.daemon import run_daemon
run_daemon(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def main(clients: int, runs: int) -> None:
    """Start an engine and clients; say what went wrong."""
    with tempfile.TemporaryDirectory(prefix="minidock-par-", dir="/var/tmp") as directory:
        place = Path(directory)
        socket, log = place / "socket", place / "log"
        with log.open("wb") as file:
            daemon = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", _ENGINE, str(place / "root"),
                 str(socket)],
                stderr=file,
            )  # fmt: skip
        wait_until(socket.exists, 30, "the engine to listen")
        _ask(socket, "POST", "/minidock/bootstrap", {"name": "busybox"})
        faults: list[str] = []
        workers = [
            threading.Thread(target=_runs, args=(socket, number, runs, faults))
            for number in range(clients)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        daemon.terminate()
        code = daemon.wait(60)
        text = log.read_text(errors="replace")
    json.dump({"faults": faults[:10], "log": text[-4000:], "code": code}, sys.stdout)


def _runs(socket: Path, number: int, runs: int, faults: list[str]) -> None:
    for turn in range(runs):
        name = f"run-{number}-{turn}"
        body = {
            "Image": "busybox", "Cmd": ["sh", "-c", f"exit {number}"],
            "HostConfig": {"NetworkMode": "none"},
        }  # fmt: skip
        told = [
            _ask(socket, "POST", f"/v1.45/containers/create?name={name}", body),
            _ask(socket, "POST", f"/v1.45/containers/{name}/start"),
            _ask(socket, "POST", f"/v1.45/containers/{name}/wait"),
            _ask(socket, "DELETE", f"/v1.45/containers/{name}"),
        ]
        codes = [status for status, _ in told]
        if codes != [201, 204, 200, 204] or told[2][1]["StatusCode"] != number:
            faults.append(f"{name}: {told}")


def _ask(socket: Path, method: str, path: str, body: object = None) -> tuple[int, Any]:
    told = ask(socket, method, path, body)
    return told.status, told.document()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
