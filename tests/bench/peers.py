"""The others: each runs one program in one root and gives seconds from call to end.

Each is used as its own documentation shows, with the network off, and its output checked.
"""

import http.client
import json
import os
import socket
import subprocess
import time
from pathlib import Path

from tests.reference import Reference

EXPECTED = b"hi\n"


def docker(reference: Reference, command: tuple[str, ...]) -> float:
    """Docker's API without its CLI: create, attach, start, wait, remove."""
    began = time.perf_counter()
    made = reference.api(
        "POST", "/containers/create",
        {"Image": reference.image, "Cmd": list(command), "AttachStdout": True,
         "HostConfig": {"NetworkMode": "none"}},
    )  # fmt: skip
    name = made.body["Id"]
    stream = _attach(reference.socket, name)
    reference.api("POST", f"/containers/{name}/start")
    ended = reference.api("POST", f"/containers/{name}/wait")
    output = stream.makefile("rb").read()
    stream.close()
    reference.api("DELETE", f"/containers/{name}")
    took = time.perf_counter() - began
    assert ended.body["StatusCode"] == 0
    assert output.endswith(EXPECTED), output
    return took


def _attach(path: Path, name: str) -> socket.socket:
    """Take over a connection for the output, as `docker run` does."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    connection.sendall(
        f"POST /containers/{name}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: docker\r\n"
        "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode()
    )
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert answer.status == 101, answer.status
    return connection


def runc(state: Path, root: Path, command: tuple[str, ...]) -> float:
    """`runc run` of its own default spec; writable root, no terminal."""
    bundle = state / "bundle"
    if not bundle.exists():
        bundle.mkdir()
        subprocess.run(["runc", "spec"], cwd=bundle, check=True)
        spec = json.loads((bundle / "config.json").read_text())
        spec["root"] = {"path": str(root), "readonly": False}
        spec["process"]["terminal"] = False
        spec["process"]["args"] = list(command)
        # The default asks for more than this machine's root may have.
        limits = [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]
        spec["process"]["rlimits"] = limits
        (bundle / "config.json").write_text(json.dumps(spec))
    name = f"bench-{os.getpid()}"
    return _timed("runc", "--root", str(state / "runc"), "run", "-b", str(bundle), name)


def bwrap(root: Path, command: tuple[str, ...]) -> float:
    """Bubblewrap with all namespaces, /proc and /dev."""
    return _timed(
        "bwrap", "--unshare-all", "--bind", str(root), "/", "--proc", "/proc",
        "--dev", "/dev", *command,
    )  # fmt: skip


def unshare_chroot(root: Path, command: tuple[str, ...]) -> float:
    """The least that could be called a container: five namespaces and a chroot."""
    return _timed(
        "unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork",
        "chroot", str(root), *command,
    )  # fmt: skip


def _timed(*words: str) -> float:
    began = time.perf_counter()
    ended = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    took = time.perf_counter() - began
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == EXPECTED, ended
    return took
