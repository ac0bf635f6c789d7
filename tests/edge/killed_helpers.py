"""Kill the shim of a container, and the spawner of an engine, and see what is said of it.

Run in namespaces of its own (`tests.edge.private`).  Standard output is JSON.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from signal import SIGKILL
from typing import Any

from tests import leaks
from tests.edge.daemon_crashes import Engine
from tests.reference import wait_until

_SLEEP = ["sh", "-c", "sleep 1000 & sleep 1000 & wait"]


def processes(name: str) -> dict[int, int]:
    """The processes that are called so, with their parents."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        head, _, rest = stat.read_text().rpartition(")")
        if head.endswith(f"({name}"):
            found[int(stat.parent.name)] = int(rest.split()[1])
    return found


def state(engine: Engine, name: str) -> dict[str, Any]:
    """What inspect says of a container's state, without times."""
    told = engine.must("GET", f"/containers/{name}/json")
    kept = ("Status", "Running", "ExitCode", "Error", "Pid")
    return {key: told["State"][key] for key in kept} | {"restarts": told["RestartCount"]}


def shim_of(engine: Engine, name: str) -> int:
    """The shim of a container: the parent of its first process."""
    pid = engine.must("GET", f"/containers/{name}/json")["State"]["Pid"]
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def kill_shims(engine: Engine) -> dict[str, Any]:
    """Kill the shim of one that stays down, and of one that is started again."""
    engine.run("plain", _SLEEP)
    engine.run("again", _SLEEP, RestartPolicy={"Name": "always"})
    pids = [
        engine.must("GET", f"/containers/{n}/json")["State"]["Pid"]
        for n in ("plain", "again")
    ]
    for name in ("plain", "again"):
        os.kill(shim_of(engine, name), SIGKILL)
    wait_until(
        lambda: state(engine, "plain")["Status"] == "exited", 20, "its end to be known"
    )
    wait_until(lambda: state(engine, "again")["restarts"] == 1
               and state(engine, "again")["Running"], 20, "another run")  # fmt: skip
    wait_until(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 10, "both to end"
    )
    return {
        "plain": state(engine, "plain"),
        "waited": engine.must("POST", "/containers/plain/wait")["StatusCode"],
        "again": state(engine, "again")["Running"],
        "removed": [engine.ask("DELETE", f"/containers/{name}?force=1")[0]
                    for name in ("plain", "again")],
    }  # fmt: skip


def kill_spawner(engine: Engine) -> dict[str, Any]:
    """Kill the spawner: what runs goes on, and what is started next is started."""
    engine.run("before", _SLEEP)
    for spawner in processes("minidock-spawn"):
        os.kill(spawner, SIGKILL)
    body = {"Image": "busybox", "Cmd": _SLEEP, "HostConfig": {"NetworkMode": "none"}}
    engine.must("POST", "/containers/create?name=after", body)
    first = engine.ask("POST", "/containers/after/start")
    second = first if first[0] == 204 else engine.ask("POST", "/containers/after/start")
    return {
        "before": state(engine, "before")["Running"],
        "first": first[0] if first[0] == 204 else first,
        "second": second[0],
        "after": state(engine, "after")["Running"],
        "stopped": engine.ask("POST", "/containers/before/stop?t=0")[0],
        "removed": [engine.ask("DELETE", f"/containers/{name}?force=1")[0]
                    for name in ("before", "after")],
    }  # fmt: skip


def main() -> None:
    """Do both, and look at what is left."""
    with tempfile.TemporaryDirectory(
        prefix="minidock-helpers-", dir="/var/tmp"
    ) as directory:
        engine = Engine(Path(directory))
        engine.begin()
        engine.must("POST", "/minidock/bootstrap", {"name": "busybox"})
        engine.run("first", ["true"])
        engine.must("DELETE", "/containers/first?force=1")
        engine.end()
        before = leaks.snapshot(engine.root, ignore=("journal",))
        engine.begin()
        told = {"shims": kill_shims(engine), "spawner": kill_spawner(engine)}
        engine.end()
        left = leaks.settled(
            before, lambda: leaks.snapshot(engine.root, ignore=("journal",))
        )
        told["left"] = [each for each in left if not each.startswith("keyring ")]  # type: ignore[assignment]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
