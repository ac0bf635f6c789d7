"""A notebook types the command line: in a shell of IPython, without a browser."""

import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from pyminidock.client.buildstory import BuildHandle
from pyminidock.client.runstory import RunHandle
from pyminidock.widgets.picture import Picture
from pyminidock.widgets.stepper import LIVING, Stepper
from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge

PATIENCE_S = 30


class Notebook:
    """A shell that keeps what its cells say and show."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.said = self.complained = ""
        self.shown: list[dict[str, Any]] = []
        shell.display_pub.publish = self._publish  # type: ignore[method-assign]

    def run(self, cell: str) -> Any:
        """Run a cell; give the value of its last line."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            result = self.shell.run_cell(cell)
        result.raise_error()
        self.said, self.complained = out.getvalue(), err.getvalue()
        return result.result

    def _publish(self, data: dict[str, Any], *_: object, **more: Any) -> None:
        self.shown.append({**data, "is_update": bool(more.get("update"))})


@pytest.fixture
def notebook(
    minidock: Minidock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Notebook]:
    for name in ("MINIDOCK_ROOT", "MINIDOCK_HOST"):
        monkeypatch.setenv(name, minidock.environment[name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    settings = Config()
    settings.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=settings)
    made = Notebook(shell)
    made.run("%load_ext pyminidock")
    yield made
    made.run("%unload_ext pyminidock")
    assert os.environ["DOCKER_HOST"] == "unix:///elsewhere"
    InteractiveShell.clear_instance()


def test_loading_points_every_docker_client_at_our_engine(
    notebook: Notebook, minidock: Minidock
) -> None:
    assert os.environ["DOCKER_HOST"] == f"unix://{minidock.host}"
    assert os.environ["DOCKER_BUILDKIT"] == "0"
    assert (notebook.said, notebook.complained) == ("", "")


def test_a_run_is_a_handle_at_once_and_is_shown_as_a_stepper(notebook: Notebook) -> None:
    handle = notebook.run("%minidock run --rm busybox sh -c 'echo $HOME; exit 3'")
    assert isinstance(handle, RunHandle)
    assert (handle.wait(PATIENCE_S), handle.logs()) == (3, "/root\n")
    html = "".join(each.get("text/html", "") for each in notebook.shown)
    assert "md-static" in html
    kinds = {kind for each in notebook.shown for kind in each}
    assert "application/vnd.jupyter.widget-view+json" in kinds

    def drawn() -> bool:
        return any(
            each["is_update"] and "Step " in each.get("text/html", "")
            for each in notebook.shown
        )

    wait_until(drawn, PATIENCE_S, "the picture of its end")


def test_the_next_cell_finds_what_the_one_before_began(notebook: Notebook) -> None:
    notebook.run("%%dockerfile magic-test --build\nFROM busybox\nCMD echo made\n")
    notebook.run("%minidock run --name magic-1 magic-test")
    notebook.run("%minidock logs magic-1")
    assert notebook.said == "made\n"
    notebook.run("%minidock rm magic-1")
    notebook.run("%minidock rmi magic-test")


def test_a_cell_is_what_a_program_reads(notebook: Notebook) -> None:
    handle = notebook.run("%%minidock run --rm busybox sh\necho $((1 + 2)) {x}\n")
    assert (handle.wait(PATIENCE_S), handle.logs()) == (0, "3 {x}\n")


def test_a_cell_is_what_a_second_program_reads(notebook: Notebook) -> None:
    server = notebook.run("%minidock run -d --rm busybox sleep 60")
    notebook.shell.user_ns["name"] = server.id
    notebook.run("%%minidock exec -i $name cat\nfour\n")
    assert notebook.said == "four\n"
    server.stop(0)


def test_a_dockerfile_finds_the_files_that_other_cells_put_beside_it(
    notebook: Notebook,
) -> None:
    notebook.run("%%minidock context magic-copy/app/hello.txt\nhello $HOME {x}\n")
    text = "FROM busybox\nCOPY app/hello.txt /\nRUN cat /hello.txt\n"
    handle = notebook.run(f"%%dockerfile magic-copy --build\n{text}")
    assert isinstance(handle, BuildHandle)
    assert handle.wait(PATIENCE_S).startswith("sha256:")
    assert "hello $HOME {x}\n" in handle.logs()
    assert [each.name for each in Path.cwd().iterdir()] == [".ipython"]
    notebook.run("%minidock rmi magic-copy")


def test_a_mistake_in_a_dockerfile_is_shown_where_it_is(notebook: Notebook) -> None:
    assert notebook.run("%%dockerfile broken --build\nFROM busybox\nRUNN x\n") is None
    assert "RUNN" in notebook.complained
    assert "Traceback" not in notebook.complained


@pytest.mark.parametrize(
    ("line", "said", "code"),
    [
        ("run nope", "minidock: Error response from daemon: No such image: nope", 125),
        ("run --nope busybox", "minidock: unknown flag: --nope", 125),
        ("run -it busybox sh", "minidock: -t cannot be used from a cell", 125),
        ("run busybox 'echo", "minidock: the line cannot be cut into words", 125),
        ("frobnicate", "minidock: 'frobnicate' is not a minidock command.", 1),
        ("build /nowhere", "minidock: ", 1),
        ("rm nobody", "minidock: Error response from daemon: No such container", 1),
        ("trace show none.jsonl", "minidock: open none.jsonl: no such file", 1),
    ],
)
def test_what_is_refused_says_why_and_raises_nothing(
    notebook: Notebook, line: str, said: str, code: int
) -> None:
    assert notebook.run(f"%minidock {line}") is None
    assert notebook.complained.startswith(said)
    assert f"exit code: {code}" in notebook.complained
    assert notebook.shell.user_ns["_exit_code"] == code


def test_a_name_that_is_taken_says_why_a_second_run_meets_it(notebook: Notebook) -> None:
    notebook.run("%minidock run --name twice busybox true")
    assert notebook.run("%minidock run --name twice busybox true") is None
    assert "Conflict" in notebook.complained
    assert "with --rm" in notebook.complained
    notebook.run("%minidock rm -f twice")


def test_variables_of_the_notebook_are_put_in_and_nothing_else_is(
    notebook: Notebook,
) -> None:
    notebook.run("word, more = 'a b', ['-e', 'X=1']")
    handle = notebook.run(
        "%minidock run --rm $more busybox sh -c 'echo $0 $X {word}' $word"
    )
    assert (handle.wait(PATIENCE_S), handle.logs()) == (0, "a b 1 {word}\n")


def test_a_step_is_held_until_it_is_let_go(notebook: Notebook) -> None:
    handle = notebook.run("h = %minidock step run --break root.pivoted busybox echo x\nh")
    wait_until(lambda: handle.holding is not None, PATIENCE_S, "it to be held")
    handle.resume()
    assert (handle.wait(PATIENCE_S), handle.logs()) == (0, "x\n")


def test_a_story_that_nobody_looks_at_goes_on_by_itself(notebook: Notebook) -> None:
    """A page that comes has ten seconds to load; none ever comes here."""
    handle = notebook.run("%minidock step run busybox echo x")
    assert (handle.wait(PATIENCE_S), handle.logs()) == (0, "x\n")


def test_a_recorded_story_is_shown_as_a_stepper(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run("%minidock run --rm busybox true")
    stepper = notebook.run("%minidock trace show last")
    assert isinstance(stepper, Stepper)
    notebook.run("%minidock trace export last --json")
    (tmp_path / "one.jsonl").write_text(notebook.said)
    again = notebook.run("%minidock trace show one.jsonl")
    assert repr(again) == repr(stepper)
    notebook.run("%minidock trace show last --text")
    assert "The image busybox is here" in notebook.said
    for each in (stepper, again):
        each.close()


def test_an_image_is_shown_as_a_picture_that_needs_no_kernel(notebook: Notebook) -> None:
    picture = notebook.run("%minidock image layers busybox")
    assert isinstance(picture, Picture)
    html = notebook.shown[-2]["text/html"]
    assert html.startswith('<div class="md-static"><figure')
    state = notebook.shown[-1]["application/vnd.jupyter.widget-view+json"]
    assert state["model_id"]
    assert "<script" not in html
    grove = notebook.run("%minidock image tree busybox")
    assert isinstance(grove, Picture)
    assert "busybox:latest" in str(notebook.shown[-2]["text/html"])


def test_cells_return_while_a_program_goes_on(notebook: Notebook) -> None:
    handle = notebook.run("%minidock run --rm busybox sleep 60")
    assert handle.state in ("starting", "running")
    notebook.run("1 + 1")  # waits a little, and no longer
    assert handle.state == "running"
    handle.stop(0)
    assert handle.wait(PATIENCE_S) == 137


def test_help_is_shown_and_is_no_failure(notebook: Notebook) -> None:
    assert notebook.run("%minidock run --help") is None
    assert "Run a program in a new container" in notebook.said
    assert notebook.complained == ""


def test_output_that_would_command_a_terminal_is_shown_and_not_obeyed(
    notebook: Notebook,
) -> None:
    """H-44: what a program says reaches the page as text."""
    said = r"\033]52;c;YQ==\007<img onerror=x>\033[2J\342\200\256</script>\377\n"
    handle = notebook.run(f"%minidock run --rm busybox printf '{said}'")
    assert handle.wait(PATIENCE_S) == 0

    def shown() -> str:
        texts = [each["text/plain"] for each in notebook.shown if each["is_update"]]
        return "".join(texts)

    wait_until(lambda: "onerror" in shown(), PATIENCE_S, "the output")
    assert not [each for each in shown() if each in "\x1b\x07\u202e"]
    html = [each.get("text/html", "") for each in notebook.shown]
    assert not [each for each in html if "<img onerror" in each or "</script" in each]


def test_a_secret_on_the_command_line_is_not_in_what_is_shown(notebook: Notebook) -> None:
    """H-45: the cell has it, for somebody typed it there; its outputs do not."""
    notebook.run(
        "%minidock run --rm -e TOKEN=canary-1 busybox true --header 'X-Token: canary-2'"
    )
    notebook.run("1")
    stepper = notebook.run("%minidock trace show last")
    wait_until(stepper._is_complete.is_set, PATIENCE_S, "its picture")
    told = json.dumps(notebook.shown) + repr(stepper) + repr(stepper.widget.get_state())
    assert "canary" not in told
    assert b"canary" not in b"".join(stepper.outlet._frames)
    stepper.close()


def test_a_story_is_followed_to_its_end(notebook: Notebook) -> None:
    server = notebook.run("%minidock run -d --rm busybox sleep 60")
    stepper = notebook.run("%minidock trace follow last")
    assert isinstance(stepper, Stepper)
    server.stop(0)
    wait_until(stepper._is_complete.is_set, PATIENCE_S, "the end")
    assert stepper.footage is not None
    assert len(stepper.footage) > 100


def test_unloading_takes_every_widget_away_and_ends_the_sender(notebook: Notebook) -> None:
    notebook.run("%minidock run --rm busybox true")
    notebook.run("stepper = %minidock trace show last\nstepper")
    assert "minidock-sender" in [each.name for each in threading.enumerate()]
    notebook.run("%unload_ext pyminidock")
    assert "minidock-sender" not in [each.name for each in threading.enumerate()]
    assert not LIVING
    notebook.run("%load_ext pyminidock")
