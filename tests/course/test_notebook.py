"""A lesson becomes a notebook that can be read without a kernel, and compared."""

from copy import deepcopy
from typing import Any

import nbformat
import pytest

from pyminidock.course import notebook
from pyminidock.course.lesson import Lesson, find_level, find_prediction, lessons
from pyminidock.course.notebook import VOLATILE, WIDGET, differences, freeze, normal

FIGURE = (
    '<figure class="md-static" aria-label="birth"><img alt="17 ms" src="data:x"></figure>'
)


def made() -> Any:
    """Make a notebook as a kernel leaves it."""
    v4: Any = nbformat.v4
    shown = v4.new_output("display_data", {"text/html": FIGURE, "text/plain": "birth"})
    widget = v4.new_output(
        "display_data", {WIDGET: {"model_id": "b1946ac92492d2347c6235b4d2611184"},
                         "text/plain": "<Stepper>"})  # fmt: skip
    printed = v4.new_output("stream", name="stdout", text=" ---> 45c71fb1148d\n0.27 s\n")
    cell = v4.new_code_cell("%minidock trace show last", id="a", execution_count=7)
    cell["outputs"] = [shown, widget, printed]
    cell.metadata["execution"] = {"iopub.status.busy": "2026-01-01T00:00:00Z"}
    return v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})


def test_what_needs_a_kernel_is_taken_out_and_pictures_stay() -> None:
    frozen = freeze(made())
    assert "widgets" not in frozen.metadata
    [cell] = frozen.cells
    assert cell["execution_count"] == 1
    assert "execution" not in cell.metadata
    kinds = [sorted(output.get("data", {})) for output in cell["outputs"]]
    assert kinds == [["text/html", "text/plain"], []]
    nbformat.validate(frozen)


def test_in_how_many_pieces_a_stream_came_is_forgotten() -> None:
    one, two = made(), made()
    [*_, printed] = two.cells[0]["outputs"]
    whole = printed["text"]
    printed["text"] = whole[:4]
    two.cells[0]["outputs"].append({**printed, "text": whole[4:]})
    assert differences(freeze(one), freeze(two)) == []


def test_freezing_twice_is_freezing_once() -> None:
    once = freeze(made())
    assert freeze(deepcopy(once)) == once


def test_two_runs_are_the_same_but_for_what_is_never_the_same() -> None:
    one, two = freeze(made()), freeze(made())
    two.cells[0]["outputs"][1]["text"] = " ---> 000000000000\n3.5 s\n"
    two.cells[0]["outputs"][0]["data"]["text/html"] = FIGURE.replace("17 ms", "2 s")
    assert differences(one, two) == []
    two.cells[0]["outputs"][1]["text"] = " ---> 000000000000\n3.5 s\nmore\n"
    assert len(differences(one, two)) == 1


def test_a_picture_that_is_gone_is_a_difference() -> None:
    one, two = freeze(made()), freeze(made())
    del two.cells[0]["outputs"][0]
    assert "cell a" in differences(one, two)[0]


def test_of_a_volatile_cell_only_the_source_counts_and_that_it_says_something() -> None:
    one, two = freeze(made()), freeze(made())
    for each in (one, two):
        each.cells[0].metadata["tags"] = [VOLATILE]
    two.cells[0]["outputs"][1]["text"] = "quite another thing"
    assert differences(one, two) == []
    two.cells[0]["outputs"] = []
    assert differences(one, two) != []


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Successfully built 452537e1dd7a", "Successfully built ID"),
        ("sha256:" + 64 * "a", "ID"),
        ("Step 2/3 : RUN echo hello", "Step 2/3 : RUN echo hello"),
        ("Step 132 decides: Container eager_lamport is gone", "STEP decides: Container NAME"
         " is gone"),
        ("%minidock trace show run-aa3760d3deab", "%minidock trace show STORY"),
        ("stops is 3.02 s, and should be below 1 s",
         "stops is TIME, and should be below TIME"),
        ("Docker daemon  2.048kB", "Docker daemon  SIZE"),
        ("Step 1/1 : RUN x\n ---> Using cache\n ---> 45c71fb1148d",
         "Step 1/1 : RUN x\n ---> ID"),
        ("echo hi", "echo hi"),
    ],
)  # fmt: skip
def test_the_normal_form_has_words_for_what_is_never_the_same(text: str, form: str) -> None:
    assert normal(text) == form


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.number)
def test_the_text_asks_for_each_level_and_prediction_that_there_is(lesson: Lesson) -> None:
    sources = [cell["source"] for cell in notebook.read(lesson).cells]
    asked = {s.split()[1] for s in sources if s.startswith(("%level", "%%predict"))}
    assert asked == {
        *(level.id for level in lesson.levels), *(one.id for one in lesson.predictions)
    }  # fmt: skip
    for id in asked:
        assert find_level(id) if id[-1].isdigit() else find_prediction(id)


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.number)
def test_the_first_cell_finds_the_engine_and_says_what_this_machine_is(
    lesson: Lesson,
) -> None:
    first = next(c for c in notebook.read(lesson).cells if c.cell_type == "code")
    assert first["source"].splitlines() == [
        "%load_ext pyminidock", "!minidock doctor --short"
    ]  # fmt: skip


def test_a_refusal_in_a_cell_is_found() -> None:
    told = made()
    assert notebook.refusals(told) == []
    told.cells[0]["outputs"][2]["text"] = "minidock: No such container: x\n  why: …"
    assert "No such container" in notebook.refusals(told)[0]


def test_a_notebook_names_the_root_that_its_reader_has() -> None:
    said = made()
    [cell] = said.cells
    cell["outputs"][2]["text"] = "at /srv/minidock-lesson-d5ofbzk1/root/volumes/data\n"
    cell["outputs"][0]["data"]["text/plain"] = "/srv/minidock-lesson-d5ofbzk1/root"
    [cell] = freeze(said).cells
    assert cell["outputs"][-1]["text"] == "at /var/lib/minidock/volumes/data\n"
    assert cell["outputs"][0]["data"]["text/plain"] == "/var/lib/minidock"
    assert normal("/srv/minidock-lesson-a_b/root/oci") == "/var/lib/minidock/oci"
