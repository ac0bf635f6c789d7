"""Kill engines and programs while data goes into a volume, and count what is there.

Run in namespaces of its own (`tests.edge.private`).  One container writes a line at a time
into the volume `data`, each on the disk before the next.  For each named place an engine
adopts it, makes, fills and removes other volumes, and dies there; every third time the
program of the writer is killed, too, and started again by the next engine.

Arguments: how many places, spread evenly; none means all.  Standard output is JSON.
"""

import http.client
import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyminidock.store.failpoints import POINTS
from tests.edge.daemon_crashes import Engine

_WRITE = (
    "i=$(wc -l < /d/log 2>/dev/null || echo 0); "
    "while :; do echo line $i >> /d/log; i=$((i+1)); usleep 5000; done"
)
_TOLD = (
    "volume.created", "volume.populated", "volume.mounted", "volume.unmounted",
    "volume.removed", "volumes.pruned", "host.directory.made", "container.created",
    "container.started", "container.exited", "container.removed", "snapshot.prepared",
)  # fmt: skip
PLACES = (
    *(point for point in POINTS if point.startswith("volume.")),
    "transaction.begun:2", "transaction.written:2", "transaction.committed:2",
    *(f"told.{kind}" for kind in _TOLD),
    *(f"told.{kind}:2" for kind in _TOLD if kind != "volumes.pruned"),
    "record.temporary:3", "record.renamed:3", "record.trashed", "record.removed",
)  # fmt: skip


def afternoon(engine: Engine, place: Path) -> None:
    """Do everything that touches volumes; the engine may die in the midst of it.

    `place` is a directory of the host that is not there yet.
    """
    for number in (1, 2):
        host = place / f"{number}"
        engine.ask("POST", "/volumes/create", {"Name": f"made-{number}"})
        for name, options in mounted(number, place).items():
            engine.ask("POST", "/volumes/create", {"Name": name, "DriverOpts": options})
        body = {
            "Image": "busybox", "Cmd": ["true"], "Volumes": {"/unnamed": {}},
            "HostConfig": {
                "NetworkMode": "none",
                "Binds": [
                    f"filled-{number}:/bin", f"made-{number}:/m", f"{host}:/h",
                    *(f"{name}:/{name}" for name in mounted(number, place)),
                ],
            },
        }  # fmt: skip
        name = f"user-{number}"
        engine.ask("POST", f"/containers/create?name={name}", body)
        engine.ask("POST", f"/containers/{name}/start")
        engine.ask("POST", f"/containers/{name}/wait")
        engine.ask("DELETE", f"/containers/{name}?force=1&v=1")
        for volume in (f"made-{number}", f"filled-{number}", *mounted(number, place)):
            engine.ask("DELETE", f"/volumes/{volume}")
    engine.ask("POST", '/volumes/prune?filters={"all":["1"]}')


def mounted(number: int, place: Path) -> dict[str, dict[str, str]]:
    """Name the volumes that are mounted while they are used, with their options."""
    shown = place.parent / "shown"
    return {
        f"memory-{number}": {"type": "tmpfs", "device": "tmpfs"},
        f"shown-{number}": {"type": "none", "o": "bind", "device": str(shown)},
    }


def clear(engine: Engine, place: Path) -> list[str]:
    """Remove what a death left; give what was half there, or is not there any more."""
    faults = []
    shown = place.parent / "shown"
    if [path.name for path in shown.iterdir()] != ["kept"]:
        faults.append(f"{shown}: a tree of the host has lost its file")
    if "memory-" in (table := Path("/proc/self/mountinfo").read_text()):
        faults.append(f"mounted: {[row for row in table.splitlines() if 'memory-' in row]}")
    for number in (1, 2):
        filled = engine.root / f"volumes/filled-{number}/_data"
        if filled.exists():
            count = len(list(filled.iterdir()))
            whole = len(list(bin_of(engine).iterdir()))
            if count not in (0, whole):
                faults.append(f"{filled}: {count} of {whole} names")
        engine.ask("DELETE", f"/containers/user-{number}?force=1&v=1")
        for volume in mounted(number, place):
            engine.ask("DELETE", f"/volumes/{volume}")
    engine.ask("POST", '/volumes/prune?filters={"all":["1"]}')
    left = [each["Name"] for each in engine.must("GET", "/volumes")["Volumes"]]
    there = sorted(path.name for path in (engine.root / "volumes").iterdir())
    if left != ["data"] or there != ["data"]:
        faults.append(f"left: {left} {there}")
    return faults


def bin_of(engine: Engine) -> Path:
    """Find the image's directory that fills the volumes."""
    (found,) = (path for path in engine.root.glob("layers/*/diff/bin") if path.is_dir())
    return found


def lines_of(log: Path) -> list[str]:
    """Check that no line is missing, doubled or half; give what is wrong."""
    lines = log.read_text().splitlines()
    wrong = [line for n, line in enumerate(lines) if line != f"line {n}"]
    return wrong[:3]


def main(most: int) -> None:
    """Die at each place; then look."""
    places = PLACES if not most else PLACES[:: max(1, len(PLACES) // most)]
    told: dict[str, Any] = {"died": [], "faults": []}
    with tempfile.TemporaryDirectory(prefix="volumes-") as name:
        place = Path(name)
        (place / "shown").mkdir()
        (place / "shown/kept").touch()
        engine = Engine(place)
        engine.begin()
        engine.must("POST", "/minidock/bootstrap", {"name": "busybox"})
        engine.run("writer", ["sh", "-c", _WRITE], Binds=["data:/d"])
        log = engine.root / "volumes/data/_data/log"
        engine.end()
        for number, armed in enumerate(places):
            engine.begin(armed)
            with suppress(OSError, http.client.HTTPException):
                if number % 3 == 2:
                    engine.ask("POST", "/containers/writer/kill")
                    engine.ask("POST", "/containers/writer/wait")
                afternoon(engine, place / f"host-{number}")
            code = engine.end()
            told["died"].append((armed, code == -9))
            engine.begin()
            told["faults"] += [f"{armed}: {each}" for each in clear(engine, place / "host")]
            status, _ = engine.ask("POST", "/containers/writer/start")
            assert status in (204, 304), status
            told["faults"] += [f"{armed}: {each}" for each in lines_of(log)]
            engine.end()
        engine.begin()
        engine.must("DELETE", "/containers/writer?force=1")
        told["lines"] = len(log.read_text().splitlines())
        told["faults"] += lines_of(log)
        engine.must("DELETE", "/volumes/data")
        told["left"] = [path.name for path in (engine.root / "volumes").iterdir()]
        engine.end()
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 0)
