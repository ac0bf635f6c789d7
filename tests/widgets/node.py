"""The page's own files under node: a test file beside them, no page and no package.

Playwright brings a node of its own, so nothing else has to be installed.  A file of the
player neither imports nor exports anything, because all of them are one script in the end;
here it gets an export line, so that a test file can name what it wants.
"""

import subprocess
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import playwright

NODE = Path(playwright.__file__).parent / "driver" / "node"
STATIC = files("pyminidock") / "widgets" / "static"
TESTS = Path(__file__).parent / "js"


def write_module(folder: Path, name: str, parts: Sequence[str], exports: str) -> None:
    """Join `parts` of the player into one module that exports some of its names."""
    script = "\n".join((STATIC / part).read_text(encoding="utf-8") for part in parts)
    text = f"{script}\nexport {{ {exports} }};\n"
    (folder / f"{name}.mjs").write_text(text, encoding="utf-8")


def run_tests(folder: Path, name: str, beside: Mapping[str, str]) -> None:
    """Run one file of tests in `folder`, with other files beside it."""
    (folder / name).write_text((TESTS / name).read_text(encoding="utf-8"), encoding="utf-8")
    for each, text in beside.items():
        (folder / each).write_text(text, encoding="utf-8")
    ended = subprocess.run(
        [NODE, "--test", name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "# pass 0" not in ended.stdout, "no test was found"
