"""What `explain survives` says is what happens: each column is performed, and looked at.

The reboot is performed in the virtual machine of `make edge-vm`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.test_stock_terminal import Stock
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge

WRITES = """
[ -e /been ] || for d in / /named /un /host /mem; do echo x > $d/probe; done
touch /been; echo said; exec sleep 100
"""
PROBES = {
    "written file": "/probe", "named volume": "/named/probe", "unnamed volume": "/un/probe",
    "tree of the host": "/host/probe", "tmpfs": "/mem/probe",
}  # fmt: skip
DEEDS = ("exit", "restart", "rm", "rebuild")


@pytest.fixture
def docker(minidock: Minidock, tmp_path: Path) -> Iterator[Stock]:
    made = Stock(minidock.host)
    yield made
    made.run("rm", "-fv", "sv", "look")
    made.run("volume", "rm", "-f", "sv-named")


def begin(docker: Stock, host: Path, image: str, program: str = WRITES) -> None:
    docker.said(
        "run", "-d", "--network", "none", "--name", "sv", "-v", "sv-named:/named",
        "-v", "/un", "-v", f"{host}:/host", "--tmpfs", "/mem", image, "sh", "-c", program,
    )  # fmt: skip


def told(minidock: Minidock) -> dict[str, dict[str, str]]:
    """Give what the engine says: the fates by kind; of files, those of the probe."""
    done = minidock.run("explain", "survives", "--json", "sv")
    facts = json.loads(done.stdout)["facts"]
    return {
        each["kind"]: each["fates"] for each in facts
        if each["kind"] != "written file" or each["what"] == "/probe"
    }  # fmt: skip


def seen(docker: Stock, probe: str) -> bool:
    """Look for a probe in the container, which runs or is started without writing anew."""
    return docker.run("exec", "sv", "cat", probe).returncode == 0


@pytest.mark.parametrize("deed", DEEDS)
def test_what_is_said_of_a_deed_is_what_becomes_of_everything(
    docker: Stock, minidock: Minidock, tmp_path: Path, deed: str
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    docker.said("tag", "busybox", "sv-image")
    begin(docker, host, "sv-image")
    while not (host / "probe").exists():
        docker.said("exec", "sv", "true")
    docker.said("exec", "sv", "sh", "-c", "until [ -e /mem/probe ]; do sleep 0.05; done")
    fates = told(minidock)
    unnamed = docker.said(
        "inspect", "-f",
        "{{range .Mounts}}{{if eq .Destination \"/un\"}}{{.Source}}{{end}}{{end}}", "sv",
    ).strip()  # fmt: skip
    named = Path(unnamed).parents[1] / "sv-named/_data"

    if deed in ("exit", "restart"):
        perform_in_place(docker, minidock, deed, fates)
        return
    docker.said("rm", "-f", "sv")
    for kind, path in (("named volume", named), ("tree of the host", host)):
        assert fates[kind][deed] == "kept"
        assert (path / "probe").exists()
    assert (Path(unnamed) / "probe").exists()  # left: no container has it
    if deed == "rm":
        assert fates["unnamed volume"]["rm"] == "left"
        assert fates["written file"]["rm"] == fates["output"]["rm"] == "lost"
        assert docker.run("logs", "sv").returncode != 0
        return
    begin(docker, host, "sv-image", "exec sleep 100")
    for kind, probe in PROBES.items():
        is_there = seen(docker, probe)
        assert is_there == (fates[kind]["rebuild"] == "kept"), kind
    assert fates["unnamed volume"]["rebuild"] == "anew"
    assert docker.said("logs", "sv") == ""


def perform_in_place(
    docker: Stock, minidock: Minidock, deed: str, fates: dict[str, dict[str, str]]
) -> None:
    """End its program, or end and start it; its files are then looked at from outside."""
    docker.said("exec", "sv", "sh", "-c", "until [ -e /been ]; do sleep 0.05; done")
    docker.said("kill", "sv") if deed == "exit" else docker.said("restart", "-t", "0", "sv")
    assert fates["output"][deed] == "kept"
    assert "said" in docker.said("logs", "sv")
    if deed == "exit":
        docker.said("wait", "sv")
        state = docker.said("inspect", "-f", "{{.State.ExitCode}} {{.State.Running}}", "sv")
        assert state.split() == ["137", "false"]
        assert fates["exit code"]["exit"] == "kept"
        assert fates["its running"]["exit"] == "lost"
        for kind, probe in PROBES.items():
            is_there = docker.run("cp", f"sv:{probe}", "-").returncode == 0
            assert is_there == (fates[kind][deed] == "kept"), kind
        return
    state = docker.said("inspect", "-f", "{{.State.ExitCode}} {{.State.Running}}", "sv")
    assert state.split() == ["0", "true"]
    assert fates["exit code"]["restart"] == "lost"
    assert fates["its running"]["restart"] == "anew"
    for kind, probe in PROBES.items():
        assert seen(docker, probe) == (fates[kind]["restart"] == "kept"), kind
