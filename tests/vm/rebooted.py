"""The first process of a virtual machine that is switched off and boots again.

    STAGE=before    containers are made and write; what `explain survives` says goes on disk
    STAGE=after     a new kernel, a new engine, the same disk: each fate is looked at

Between the two nothing is stopped: the power goes.  So no container has a chance to put
anything in order, as in a class room.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, "/project")

from guest import (  # type: ignore[import-not-found]  # beside it, in the machine
    attempt,
    end,
    load,
    prepare,
    say,
)
from rawapi import ask  # type: ignore[import-not-found]

from pyminidock.api.routes import Router
from pyminidock.api.server import serve
from pyminidock.engine import kernels
from pyminidock.engine.house import House

DISK = Path("/disk")
ROOT, SOCKET, TOLD = DISK / "minidock", Path("/run/minidock.sock"), DISK / "told.json"
WRITES = """
[ -e /been ] || for d in / /named /un /host /mem /ram /dev/shm; do echo x > $d/probe; done
touch /been /mem/been; echo said; exec sleep 1000
"""
PROBES = {
    "written file": "/probe", "named volume": "/named/probe", "unnamed volume": "/un/probe",
    "tree of the host": "/host/probe", "tmpfs": "/mem/probe",
    "volume in memory": "/ram/probe", "shared memory": "/dev/shm/probe",  # noqa: S108
}  # fmt: skip
Document = dict[str, Any]


def engine(method: str, path: str, body: object = None) -> Any:
    """Ask the engine; a refusal ends the check."""
    answer = ask(SOCKET, method, path, body)
    assert answer.status < 400, (path, answer.body)
    return answer.document()


def patiently(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; a machine without KVM takes its time."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.1)


def is_there(name: str, probe: str) -> bool:
    """Look for a file in a container: from inside if it runs, else in what it left."""
    if not seen(name)["State"]["Running"]:
        target = f"/containers/{name}/archive?path={probe}"
        return bool(ask(SOCKET, "HEAD", target).status == 200)
    body = {"Cmd": ["test", "-e", probe]}
    made = engine("POST", f"/containers/{name}/exec", body)["Id"]
    engine("POST", f"/exec/{made}/start", {"Detach": True})
    patiently(lambda: not engine("GET", f"/exec/{made}/json")["Running"], "test to end")
    return bool(engine("GET", f"/exec/{made}/json")["ExitCode"] == 0)


def seen(name: str) -> Document:
    """Give what inspect says."""
    told = engine("GET", f"/containers/{name}/json")
    assert isinstance(told, dict)
    return told


def port_of(name: str, inner: str) -> str:
    """Give the port of the host that leads to one inside; "" if none does."""
    bound = (seen(name)["NetworkSettings"]["Ports"] or {}).get(inner) or [{}]
    return str(bound[0].get("HostPort", ""))


def address_of(name: str, network: str) -> str:
    """Give its address in a network."""
    return str(seen(name)["NetworkSettings"]["Networks"][network]["IPAddress"])


# ── Before ───────────────────────────────────────────────────────────────────────────────


def begin(name: str, policy: str, *command: str, **more: Any) -> None:
    """Make and start a container."""
    body = {
        "Image": "busybox", "Cmd": list(command), "Env": ["WORD=kept"],
        **more.pop("top", {}),
        "HostConfig": {"RestartPolicy": {"Name": policy}, "NetworkMode": "app", **more},
    }  # fmt: skip
    engine("POST", f"/containers/create?name={name}", body)
    engine("POST", f"/containers/{name}/start")


def everything_is_made_and_written() -> None:
    """Four containers: one that comes back, one that does not, one that ended, one --rm."""
    engine("POST", "/minidock/bootstrap", {"name": "busybox"})
    subnet = {"Config": [{"Subnet": "10.91.0.0/24"}]}
    engine("POST", "/networks/create", {"Name": "app", "IPAM": subnet})
    memory = {"type": "tmpfs", "device": "tmpfs"}
    engine("POST", "/volumes/create", {"Name": "ram", "DriverOpts": memory})
    (DISK / "host").mkdir()
    places = {
        "Binds": ["data:/named", f"{DISK}/host:/host", "ram:/ram"], "Tmpfs": {"/mem": ""}
    }  # fmt: skip
    top = {
        "Volumes": {"/un": {}}, "ExposedPorts": {"80/tcp": {}, "81/tcp": {}},
        "NetworkingConfig": {"EndpointsConfig": {
            "app": {"IPAMConfig": {"IPv4Address": "10.91.0.77"}}}},
    }  # fmt: skip
    ports = {"80/tcp": [{"HostPort": "8080"}], "81/tcp": [{"HostPort": ""}]}
    begin("again", "always", "sh", "-c", WRITES, top=top, PortBindings=ports, **places)
    begin("once", "no", "sh", "-c", "echo said; echo x > /probe; exec sleep 1000")
    begin("ended", "no", "sh", "-c", "echo x > /probe; exit 3")
    begin("gone", "no", "sh", "-c", "echo x > /un/probe; exec sleep 1000",
          top={"Volumes": {"/un": {}}}, AutoRemove=True)  # fmt: skip
    patiently(lambda: is_there("again", "/mem/been"), "the writer to have written")
    patiently(lambda: is_there("once", "/probe"), "the other to have written")
    engine("POST", "/containers/ended/wait")


def what_is_said_of_it_goes_on_the_disk() -> None:
    """Word by word as a student reads it."""
    names = ("again", "once", "ended", "gone")
    facts = {name: engine("GET", f"/minidock/containers/{name}/survives") for name in names}
    about = {name: {"id": seen(name)["Id"], "port": port_of("again", "81/tcp"),
                    "volumes": [m["Name"] for m in seen(name)["Mounts"] if m.get("Name")]}
             for name in names}  # fmt: skip
    TOLD.write_text(json.dumps({"facts": facts, "about": about}))


# ── After ────────────────────────────────────────────────────────────────────────────────


def told(name: str, kind: str, what: str = "") -> str:
    """Give what was said before, of the reboot."""
    facts = json.loads(TOLD.read_text())["facts"][name]["facts"]
    (fact,) = (f for f in facts if f["kind"] == kind and what in f["what"])
    return str(fact["fates"]["reboot"])


def about(name: str) -> Document:
    """Give what it was before."""
    known = json.loads(TOLD.read_text())["about"][name]
    assert isinstance(known, dict)
    return known


def who_was_to_run_again_runs_again_and_nobody_else() -> None:
    """The policy decides; what was said of each is what became of it."""
    patiently(lambda: seen("again")["State"]["Running"], "the writer to run again")
    assert told("again", "its running") == "anew"
    assert told("once", "its running") == "lost"
    assert not seen("once")["State"]["Running"]


def each_file_is_where_it_was_said_to_be() -> None:
    """Those in memory are lost, the others kept; the program does not write them anew."""
    for kind, probe in PROBES.items():
        what = probe if kind == "written file" else ""
        assert is_there("again", probe) == (told("again", kind, what) == "kept"), kind
    assert told("once", "written file", "/probe") == "kept"
    assert is_there("once", "/probe")


def settings_names_and_output_are_kept() -> None:
    """And the output grows on."""
    for name in ("again", "once", "ended"):
        assert told(name, "settings") == told(name, "name and id") == "kept"
        assert seen(name)["Id"] == about(name)["id"]
        assert "WORD=kept" in seen(name)["Config"]["Env"]
    assert told("once", "output") == told("again", "output") == "kept"
    for name, times in (("once", 1), ("again", 2)):
        said = ask(SOCKET, "GET", f"/containers/{name}/logs?stdout=1").body
        assert said.count(b"said") == times, (name, said)


def an_exit_code_of_before_is_known() -> None:
    """Of who ended; who was cut off has the code of a killed one."""
    assert told("ended", "exit code") == "kept"
    assert seen("ended")["State"]["ExitCode"] == 3
    assert seen("once")["State"]["ExitCode"] != 0


def given_addresses_and_ports_are_kept_and_others_are_anew() -> None:
    """Seen from the network itself: the host asks."""
    assert told("again", "address") == told("again", "published port", "8080") == "kept"
    assert told("again", "published port", "any") == "anew"
    assert address_of("again", "app") == "10.91.0.77"
    assert port_of("again", "80/tcp") == "8080"
    assert port_of("again", "81/tcp").isdigit()
    assert told("once", "address") == "anew"
    engine("POST", "/containers/once/start")
    assert address_of("once", "app").startswith("10.91.0.")


def who_was_started_with_rm_is_gone_and_so_is_its_unnamed_volume() -> None:
    """Its end was that of the machine."""
    gone = ask(SOCKET, "GET", "/containers/gone/json").status == 404
    assert gone == (told("gone", "settings") == "lost")
    left = {each["Name"] for each in engine("GET", "/volumes")["Volumes"]}
    assert (not set(about("gone")["volumes"]) & left) == (
        told("gone", "unnamed volume") == "lost"
    )
    assert set(about("again")["volumes"]) <= left


BEFORE = (everything_is_made_and_written, what_is_said_of_it_goes_on_the_disk)
AFTER = (
    who_was_to_run_again_runs_again_and_nobody_else,
    each_file_is_where_it_was_said_to_be,
    settings_names_and_output_are_kept,
    an_exit_code_of_before_is_known,
    given_addresses_and_ports_are_kept_and_others_are_anew,
    who_was_started_with_rm_is_gone_and_so_is_its_unnamed_volume,
)


def main() -> None:
    """Mount, begin an engine, look, and let the power go."""
    prepare()
    load(*Path("/modules/names").read_text().split())
    subprocess.run(["/bin/busybox", "ip", "link", "set", "lo", "up"], check=True)
    DISK.mkdir(exist_ok=True)
    subprocess.run(
        ["/bin/busybox", "mount", "-t", "ext4", "/dev/nvme0n1", str(DISK)], check=True
    )
    ROOT.mkdir(exist_ok=True)
    serve(Router(House(ROOT, kernels.choose("linux-root", ROOT), "127.0.0.1")), SOCKET)
    for check in BEFORE if os.environ.get("STAGE") == "before" else AFTER:
        attempt(check)
    end()


if __name__ == "__main__":
    try:
        main()
    except BaseException as failure:  # else the kernel panics without a word
        say("begin", repr(failure), is_fine=False)
        end()
