"""What one sees of a container's processes: the same table, the same document."""

import json
import re
import threading
from typing import Any
from urllib.parse import quote

import pytest

from tests.compat.sides import Side, Sides
from tests.rawapi import UnixConnection
from tests.reference import wait_until

pytestmark = pytest.mark.compat

ARGUMENTS = (
    "", "-ef", "aux", "-o pid,cmd", "-o cmd", "-eo pid,comm,args", "-zzz", "-o foo",
    "-o pid=PIDX", "-o cmd=PID", "-o pid -o cmd=PID", "-o pid=PID -o cmd", "axo pid,args",
    "-eLo pid,comm", "m -o pid,comm", "-C sleep -o pid,comm", "--no-headers -ef", " -ef",
    "-ef  --forest",
)  # fmt: skip


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_a_table_has_the_columns_and_the_processes_of_docker_s(
    sides: Sides, arguments: str
) -> None:
    found = []
    for side in sides:
        side.remove("top")
        side.make("top", starts=True)
        side.docker("exec", "-d", "top", "sleep", "2000")
        wait_until(lambda: _sleepers(side) == "2\n", 60, "a second program to run")  # noqa: B023
        answer = side.ask("GET", f"/containers/top/top?ps_args={quote(arguments)}")
        found.append((answer.status, _alike(answer.json)))
        side.remove("top")
    assert found[1] == found[0]


def _sleepers(side: Side) -> str:
    return side.inside("top", "ps -o comm | grep -cx sleep")


def _alike(told: Any) -> object:
    """Leave out what differs by nature: numbers, times, and who else lives here."""
    if "Titles" not in told:
        return told
    rows = [
        re.sub(r"[0-9]+|\\_|\||[?]", "", " ".join(row)).split() for row in told["Processes"]
    ]
    return told["Titles"], sorted({row[-1] for row in rows if row}), len(rows)


@pytest.mark.parametrize("verb", ["top", "stats?stream=0"])
def test_nobody_s_processes_are_refused_alike(sides: Sides, verb: str) -> None:
    theirs, ours = (side.ask("GET", f"/containers/nobody/{verb}") for side in sides)
    assert (ours.status, ours.json) == (theirs.status, theirs.json)


def test_a_container_that_does_not_run_has_no_processes(sides: Sides) -> None:
    found = []
    for side in sides:
        side.remove("top-not")
        container = side.make("top-not")
        answer = side.ask("GET", "/containers/top-not/top")
        found.append((answer.status, str(answer.json).replace(container, "ID")))
        side.remove("top-not")
    assert found[1] == found[0]


def shape(value: object, place: str = "") -> dict[str, str]:
    """Name every field of a document with its type."""
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for key, inner in value.items():
            found |= shape(inner, f"{place}.{key}")
        return found or {place: "{}"}
    return {place: type(value).__name__}


QUERIES = ("stream=0", "stream=false&one-shot=1", "one-shot=1", "stream=1&one-shot=true")


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("starts", [False, True])
def test_a_document_has_every_field_of_docker_s(
    sides: Sides, query: str, starts: bool
) -> None:
    found = []
    for side in sides:
        side.remove("stats")
        side.make("stats", starts=starts, HostConfig={"Memory": 64 << 20, "PidsLimit": 50})
        answer = side.ask("GET", f"/containers/stats/stats?{query}")
        found.append((answer.status, answer.headers.get("Content-Type"), answer.json))
        side.remove("stats")
    (theirs, kind, document), (ours, our_kind, our_document) = found
    assert (ours, our_kind) == (theirs, kind)
    assert shape(our_document) == shape(document)
    assert list(our_document) == list(document)


def test_the_figures_are_those_of_the_container(sides: Sides) -> None:
    """A program that keeps one processor busy, in 64 MiB, is seen to do so."""
    for side in sides:
        side.remove("busy")
        side.make(
            "busy", starts=True, Cmd=["sh", "-c", "while :; do :; done"],
            HostConfig={"Memory": 64 << 20},
        )  # fmt: skip
        told = side.ask("GET", "/containers/busy/stats?stream=0").json
        now, before = told["cpu_stats"], told["precpu_stats"]
        used = now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
        passed = now["system_cpu_usage"] - before["system_cpu_usage"]
        assert used > 0, side.name
        assert 0 < used <= passed * 1.2, side.name
        assert told["memory_stats"]["limit"] == 64 << 20, side.name
        assert 0 < told["memory_stats"]["usage"] < 64 << 20, side.name
        assert told["pids_stats"]["current"] == 1, side.name
        side.remove("busy")


def test_the_command_line_prints_the_same_columns(sides: Sides) -> None:
    found = []
    for side in sides:
        side.remove("cli-stats")
        side.make("cli-stats", starts=True, HostConfig={"Memory": 64 << 20})
        plain = side.docker(
            "stats", "--no-stream", "--format",
            "{{.Name}} {{.NetIO}} {{.PIDs}} {{.MemUsage}} {{.CPUPerc}}", "cli-stats",
        )  # fmt: skip
        table = side.docker("stats", "--no-stream", "cli-stats")
        top = side.docker("top", "cli-stats", "-o", "pid,args")
        nobody = side.docker("stats", "--no-stream", "nobody")
        numbers = re.compile(rb"[0-9.]+[kM]?i?B / |[0-9.]+%|[0-9]{3,}")
        found.append((
            numbers.sub(b"N", plain.stdout), plain.stderr,
            table.stdout.splitlines()[0].split(), re.sub(rb"[0-9]+", b"N", top.stdout),
            nobody.returncode, nobody.stderr,
        ))  # fmt: skip
        side.remove("cli-stats")
    assert found[1] == found[0]


def stream(side: Side, count: int) -> tuple[dict[str, str], list[Any]]:
    """Read so many documents of a stream, and hang up."""
    line = UnixConnection(side.socket)
    try:
        line.request("GET", "/v1.45/containers/flow/stats", headers={"Host": "docker"})
        answer = line.getresponse()
        found = [json.loads(answer.readline()) for _ in range(count)]
        return dict(answer.getheaders()), found
    finally:
        line.close()


def test_a_stream_tells_each_moment_and_the_one_before(sides: Sides) -> None:
    kinds = []
    for side in sides:
        side.remove("flow")
        side.make("flow", starts=True)
        fields, (first, second, third) = stream(side, 3)
        kinds.append(fields.get("Content-Type"))
        assert first["preread"] == "0001-01-01T00:00:00Z", side.name
        assert (second["preread"], third["preread"]) == (first["read"], second["read"])
        assert third["precpu_stats"] == second["cpu_stats"], side.name
        assert first["name"] == "/flow", side.name
        side.remove("flow")
    assert kinds[1] == kinds[0]


def test_a_stream_ends_with_its_container(sides: Sides) -> None:
    for side in sides:
        side.remove("flow")
        side.make("flow", starts=True)
        line = UnixConnection(side.socket)
        line.request("GET", "/v1.45/containers/flow/stats", headers={"Host": "docker"})
        answer = line.getresponse()
        answer.readline()
        remover = threading.Thread(target=side.remove, args=("flow",))
        remover.start()
        answer.read()  # to its end
        remover.join()
        line.close()
