"""The house keeps its promises: names, imports, forbidden calls, generated pages."""

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pyminidock"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def test_importing_the_package_is_free() -> None:
    """Fifty milliseconds, and neither netlink nor notebooks; the fastest of five."""
    program = (
        "import json, sys, time\n"
        "began = time.perf_counter()\n"
        "import pyminidock\n"
        "took = time.perf_counter() - began\n"
        "print(json.dumps([took, sorted(sys.modules)]))\n"
    )
    runs = [
        json.loads(subprocess.check_output([sys.executable, "-c", program], cwd=ROOT))
        for _ in range(5)
    ]
    assert min(took_s for took_s, _ in runs) < 0.050
    loaded = {name.partition(".")[0] for _, names in runs for name in names}
    assert not loaded & {"pyroute2", "jupyterlab", "IPython", "ipywidgets", "traitlets"}


def test_no_room_is_a_drawer() -> None:
    drawers = {"utils", "util", "common", "helpers", "helper", "misc"}
    assert [path for path in SOURCES if drawers & {path.stem, path.parent.name}] == []


# ── Calls that no file of the engine makes ────────────────────────────────────────────────


def forbidden(source: str) -> Iterator[str]:
    """Name each forbidden thing in `source`, in the order of its lines."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from _account_databases(alias.name for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield from _account_databases([module])
            case ast.Call(func=function, keywords=keywords):
                given = {word.arg: word.value for word in keywords if word.arg}
                yield from _call(ast.unparse(function), given)


def _account_databases(modules: Iterator[str] | list[str]) -> Iterator[str]:
    """NSS loads libraries, inside a container the container's: we read the files."""
    yield from (module for module in modules if module in ("pwd", "grp"))


def _call(name: str, given: dict[str, ast.expr]) -> Iterator[str]:
    if "preexec_fn" in given:  # Python code in a child of a threaded program
        yield "preexec_fn"
    if "shell" in given and not _is(given["shell"], value=False):
        yield "shell=True"
    # With src_dir_fd the default changes meaning: it would link what a symlink names.
    if name == "os.link" and not _is(given.get("follow_symlinks"), value=False):
        yield "os.link without follow_symlinks=False"
    if name in ("os.system", "os.popen"):
        yield name


def _is(node: ast.expr | None, *, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import pwd", "pwd"),
        ("from grp import getgrall", "grp"),
        ("subprocess.run(argv, preexec_fn=f)", "preexec_fn"),
        ("subprocess.run(line, shell=True)", "shell=True"),
        ("subprocess.run(line, shell=wanted)", "shell=True"),
        ("os.link(a, b)", "os.link without follow_symlinks=False"),
        ("os.link(a, b, src_dir_fd=3)", "os.link without follow_symlinks=False"),
        ("os.system('ls')", "os.system"),
        ("os.link(a, b, src_dir_fd=3, follow_symlinks=False)", None),
        ("subprocess.run(argv, shell=False)", None),
    ],
)
def test_a_forbidden_call_is_seen(source: str, name: str | None) -> None:
    assert list(forbidden(source)) == ([name] if name else [])


def test_no_file_makes_a_forbidden_call() -> None:
    seen = {
        str(path.relative_to(ROOT)): found
        for path in SOURCES
        if (found := list(forbidden(path.read_text(encoding="utf-8"))))
    }
    assert seen == {}


def test_no_example_is_switched_off() -> None:
    """Every example runs; pytest cannot see an example that skips a part of itself."""
    switch = re.compile(r"doctest:\s*\+" + "SKIP")
    assert [
        path for path in SOURCES if switch.search(path.read_text(encoding="utf-8"))
    ] == []


# ── Pages written by a program ────────────────────────────────────────────────────────────


def test_the_page_of_events_is_up_to_date() -> None:
    catalogue = importlib.import_module("pyminidock.events.catalogue")
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    assert page == catalogue.markdown(), "run: make events-doc"


def test_every_file_of_the_package_can_be_found() -> None:
    """A folder with modules and no __init__ would be left out of the wheel and of mypy."""
    folders = {path.parent for path in SOURCES}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
