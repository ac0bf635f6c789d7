"""From the text of a lesson to the notebook that students open.

    lesson.md  ──Jupytext──►  cells  ──run──►  outputs  ──frozen──►  .ipynb

Frozen means: what needs a kernel is taken out, what is left can be read anywhere.  Two runs
differ in ids, times and pids, so what is compared is the *normal form*, and a notebook is
written again only where that changed.

    make notebooks, or python -m pyminidock.course.notebook [--check | --anew] [NUMBER …]
"""

import argparse
import difflib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

from pyminidock.client.connect import connect
from pyminidock.course.lesson import FOLDER, Lesson, lessons
from pyminidock.errors import MinidockError

NOTEBOOKS = FOLDER.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
VOLATILE = "nbval-ignore-output"  # the tag of a cell whose output is never the same
_PATIENCE_S = 180
_LONGEST_LINE = 300


class CellFailed(MinidockError):
    """A cell of a lesson raised something, or said that it was refused."""

    status = 500


# ── Making ───────────────────────────────────────────────────────────────────────────────


def read(lesson: Lesson) -> Any:
    """Give the cells of a lesson, without outputs; their ids tell their places."""
    made = jupytext.reads(lesson.text, fmt="md")
    for place, cell in enumerate(made.cells):
        cell["id"] = f"{lesson.number}-{place:02d}"
    made.metadata.pop("jupytext", None)
    made.nbformat, made.nbformat_minor = 4, 5
    return made


def run(lesson: Lesson, environment: Mapping[str, str]) -> Any:
    """Run all cells in an empty directory, with the engine that `environment` names.

    Raises nbclient's CellExecutionError at the first cell that fails.
    """
    made = read(lesson)
    with tempfile.TemporaryDirectory(prefix="lesson-") as place, _surroundings(environment):
        client = NotebookClient(
            made, timeout=_PATIENCE_S, kernel_name="python3", store_widget_state=False,
            resources={"metadata": {"path": place}}, record_timing=False,
        )  # fmt: skip
        client.execute()
    return made


@contextmanager
def _surroundings(environment: Mapping[str, str]) -> Iterator[None]:
    """A kernel inherits our variables; `minidock` is the one beside this interpreter."""
    before = dict(os.environ)
    beside = str(Path(sys.executable).parent)
    path = f"{beside}{os.pathsep}{before.get('PATH', os.defpath)}"
    os.environ.update(environment, PATH=path)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def fresh_engine() -> Iterator[dict[str, str]]:
    """Start an engine that has nothing but busybox; give the variables that name it."""
    with tempfile.TemporaryDirectory(prefix="minidock-lesson-") as place:
        root = Path(place, "root")
        with connect(root) as client:
            client.bootstrap("busybox")
            try:
                yield {
                    "MINIDOCK_ROOT": str(root),
                    "MINIDOCK_PROGRESS": str(Path(place, "progress.json")),
                }
            finally:
                for told in client.containers(all=True):
                    client.remove(told["Id"], force=True, volumes=True)
                client.shutdown()


# ── Freezing ─────────────────────────────────────────────────────────────────────────────


def freeze(made: Any) -> Any:
    """Take out, in place, what needs a kernel or tells when it was; twice is as once.

    The root of the engine that was made for the lesson becomes the one that readers have.
    """
    made.metadata.pop("widgets", None)
    made.metadata["language_info"] = {"name": "python"}
    for number, cell in enumerate(_code(made), start=1):
        cell["execution_count"] = number
        cell.metadata.pop("execution", None)
        kept = [output for each in cell["outputs"] if (output := _frozen(each, number))]
        cell["outputs"] = list(_joined(kept))
    return made


def _joined(outputs: Sequence[Any]) -> Iterator[Any]:
    """Put together what one stream said: in how many pieces it came is chance."""
    before: Any = None
    for output in outputs:
        is_more = before is not None and output["output_type"] == "stream" and (
            (before["output_type"], before.get("name")) == ("stream", output["name"])
        )  # fmt: skip
        if is_more:
            before["text"] += output["text"]
            continue
        before = output
        yield output


def _frozen(output: Any, number: int) -> Any:
    if "execution_count" in output:
        output["execution_count"] = number
    if WIDGET in output.get("data", {}):
        del output["data"][WIDGET]
        output["data"].pop("text/plain", None)
        if not output["data"]:
            return None
    output.get("metadata", {}).pop(WIDGET, None)
    for words in (output, output.get("data", {})):
        for kind, said in words.items():
            if isinstance(said, str):
                words[kind] = re.sub(*_ROOT, said)
    return output


def _code(made: Any) -> list[Any]:
    return [cell for cell in made.cells if cell.cell_type == "code"]


def refusals(made: Any) -> list[str]:
    """List what went wrong without stopping anything: minidock's own words on stderr."""
    found = []
    for cell in _code(made):
        for output in cell["outputs"]:
            said = str(output.get("text", ""))
            if output.get("output_type") == "error" or re.search(
                r"^minidock: ", said, re.M
            ):
                found.append(f"{cell['source'].strip()}\n{said.strip()}")
    return found


_ROOT = (r"[\w./-]*/minidock-lesson-\w+/root\b", "/var/lib/minidock")

# ── Comparing ────────────────────────────────────────────────────────────────────────────

NORMAL = (
    (r"(?m)^ ---> (Using cache|Running in \w+|Removed intermediate container \w+)\n", ""),
    (
        r'(?s)<figure class="md-static"[^>]*(aria-label="[^"]*")[^>]*>.*?</figure>',
        r"FIGURE \1",
    ),
    (
        r"(?s)\\begin\{verbatim\}\n(.*?)\n.*?\\end\{verbatim\}",
        r"PAPER \1",
    ),  # the same picture
    (r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+", "IMAGE"),
    (r"\b(run|build|exec)-[0-9a-f]{12}\b", "STORY"),
    (r"\b(sha256:)?[0-9a-f]{12,64}\b", "ID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "MOMENT"),
    (r"\b\d+(\.\d+)? ?(ms|µs|s|seconds?|minutes?)\b", "TIME"),
    (r"\b\d+(\.\d+)? ?(k|M|G|Ki|Mi)?B\b", "SIZE"),
    _ROOT,
    (r"\bminidock-lesson-\w+", "PLACE"),
    (r"\b[Ss]tep \d+ decides", "STEP decides"),
    (r"\b[a-z]+_[a-z]+(?= is gone)", "NAME"),
    (r"(?m)^(([\w/]+\.py):)\d+", r"\1LINE"),
    (r"(?m)^ *\d+ {2,}(?=\S)", "LINE  "),
)
"""What differs from one run to the next, and the word that stands for it; in this order."""


def normal(text: str) -> str:
    """Give the normal form of an output.

    >>> normal(" ---> 45c71fb1148d  (0.25 s)")
    ' ---> ID  (TIME)'
    """
    for pattern, word in NORMAL:
        text = re.sub(pattern, word, text)
    return text


def normal_form(made: Any) -> list[dict[str, Any]]:
    """Give what two runs of the same lesson have in common, cell by cell."""
    return [
        {
            "id": cell.get("id"), "type": cell.cell_type, "source": cell["source"],
            "outputs": _normal_outputs(cell) if cell.cell_type == "code" else [],
        }
        for cell in made.cells
    ]  # fmt: skip


def _normal_outputs(cell: Any) -> Any:
    if VOLATILE in cell.metadata.get("tags", []):
        return "‹volatile›" if cell["outputs"] else ""
    return [
        {
            "type": output["output_type"],
            "text": normal(str(output.get("text", ""))),
            "data": {
                kind: normal(said if isinstance(said, str) else json.dumps(said))
                for kind, said in sorted(output.get("data", {}).items())
            },
        }
        for output in cell["outputs"]
    ]


def differences(committed: Any, built: Any) -> list[str]:
    """Say cell by cell where a build is not what was committed."""
    before, after = normal_form(committed), normal_form(built)
    said = [] if len(before) == len(after) else [
        f"{len(before)} cells are committed, {len(after)} were built"
    ]  # fmt: skip
    for old, new in zip(before, after, strict=False):
        if old != new:
            lines = _differing(_lines(old), _lines(new))
            said.append("\n".join([f"cell {new['id']}:", *lines]))
    return said


def _lines(cell: Mapping[str, Any]) -> list[str]:
    told = json.dumps(cell, indent=0, ensure_ascii=False, default=str)
    return told.replace("\\n", "\n").splitlines()


def _differing(old: list[str], new: list[str]) -> Iterator[str]:
    """Give only the lines that differ, and not the whole of a long one."""
    for line in difflib.unified_diff(old, new, lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            yield line[:_LONGEST_LINE]


# ── Both ─────────────────────────────────────────────────────────────────────────────────


def place_of(lesson: Lesson, folder: Path = NOTEBOOKS) -> Path:
    """Tell where the notebook of a lesson is."""
    return folder / lesson.folder.name / "lesson.ipynb"


def load(path: Path) -> Any:
    """Read a notebook; an empty one where there is none."""
    if not path.exists():
        return nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def build(lesson: Lesson) -> Any:
    """Run a lesson on a fresh engine and freeze it.  Raises CellFailed."""
    with fresh_engine() as environment:
        made = freeze(run(lesson, environment))
    if wrong := refusals(made):
        raise CellFailed(
            f"lesson {lesson.number}: {wrong[0]}",
            why="a notebook shows what works; what is refused on purpose needs other words",
            try_next=f"python -m pyminidock.course.notebook {lesson.number}",
        )
    return made


def main() -> int:
    """Build the notebooks that changed; with --check, only say which ones would."""
    reader = argparse.ArgumentParser(prog="make notebooks")
    reader.add_argument("numbers", nargs="*", help="of lessons; all, if none is given")
    reader.add_argument("--check", action="store_true", help="write nothing")
    reader.add_argument("--anew", action="store_true", help="write all, pictures as well")
    asked = reader.parse_args()
    changed = 0
    for lesson in lessons():
        if asked.numbers and lesson.number not in asked.numbers:
            continue
        made, path = build(lesson), place_of(lesson)
        told = differences(load(path), made)
        changed += bool(told)
        say = "\n".join(told) if asked.check and told else "changed" if told else "the same"
        sys.stdout.write(f"{lesson.folder.name}: {say}\n")
        if (told or asked.anew) and not asked.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(made, path)  # type: ignore[no-untyped-call]
    return 1 if asked.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
