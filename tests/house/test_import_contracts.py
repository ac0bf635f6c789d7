"""The import contracts hold, and each of them breaks when it should.

A contract that names rooms by a pattern matches nothing where it is misspelt, and then
keeps silently.  So every contract is also run on a small house of empty rooms in which
one forbidden import was planted.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ROOMS = """
__main__ widgets course cli client api engine build container registry volume network layers
store kernel viz image unionfs dockerfile grammar events errors
"""
BODIES = ["linux", "rootless", "proot", "model", "recording", "port"]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package below `folder`, with that folder's settings."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Every room, each with one empty module, and our own contracts."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    package = tmp_path / "pyminidock"
    for room in ROOMS.split():
        modules = BODIES if room == "kernel" else ["one"]
        (package / room).mkdir(parents=True)
        for name in ["__init__", *modules]:
            (package / room / f"{name}.py").touch()
    (package / "__init__.py").touch()
    return tmp_path


def test_the_package_keeps_its_contracts() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Contracts: 6 kept, 0 broken." in result.stdout


def test_an_empty_house_keeps_them_too(house: Path) -> None:
    result = lint_imports(house)
    assert "Contracts: 6 kept, 0 broken." in result.stdout, result.stdout + result.stderr


STOREYS = "Storeys rest on the storeys below"
CLIENTS = "Notebooks and terminals are clients"
PURE = "The pure storeys touch no system"
PORT = "Rooms know the port, only engine/ chooses a kernel"


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("grammar", "import pyminidock.engine.one", STOREYS),
        ("volume", "import pyminidock.network.one", STOREYS),
        ("utils", "", STOREYS),
        ("container", "import ctypes", "Only kernel/ speaks to the kernel"),
        ("engine", "import pyroute2", "Only kernel/ speaks to the kernel"),
        ("cli", "from pyminidock.engine import one", CLIENTS),
        ("course", "import pyminidock.kernel.port", CLIENTS),
        ("widgets", "import pyminidock.store", CLIENTS),
        ("viz", "import os", PURE),
        ("events", "from os.path import join", PURE),
        ("unionfs", "import threading", PURE),
        ("container", "import pyminidock.kernel.linux", PORT),
        ("store", "import pyminidock.kernel.model", PORT),
        ("cli", "import traitlets", "Only widgets/ knows notebooks"),
        ("engine", "from IPython import display", "Only widgets/ knows notebooks"),
    ],
)
def test_a_planted_import_breaks_its_contract(
    house: Path, room: str, line: str, contract: str
) -> None:
    folder = house / "pyminidock" / room
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / "planted.py").write_text(f"{line}\n")
    result = lint_imports(house)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{contract} BROKEN" in result.stdout


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("kernel", "import ctypes, fcntl"),
        ("widgets", "import anywidget, IPython"),
        ("engine", "import pyminidock.kernel.linux"),
        ("cli", "import pyminidock.client.one, pyminidock.viz.one, os"),
        ("container", "import pyminidock.kernel.port, pyminidock.layers.one"),
    ],
)
def test_what_a_room_may_import_stays_allowed(house: Path, room: str, line: str) -> None:
    (house / "pyminidock" / room / "planted.py").write_text(f"{line}\n")
    result = lint_imports(house)
    assert result.returncode == 0, result.stdout + result.stderr
