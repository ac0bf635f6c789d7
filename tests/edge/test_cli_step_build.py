"""`minidock step build` on the real kernel: held, looked at, aborted, its client killed.

What is left is counted, as for `step run`; and what a build makes on the way: workplaces,
leases, gates.
"""

import json
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.edge.terminal import terminal
from tests.edge.test_cli_step import (
    HELD,
    PATIENCE_S,
    Stepper,
    is_alive,
    is_clean,
    stepping,
    traces,
)
from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge

BUILD = ("step", "build", "--no-tui")
HELLO = 'FROM alpine\nENTRYPOINT ["echo"]\nCMD ["Hello World"]\n'
APP = (
    "FROM busybox\nWORKDIR /app\nCOPY requirements.txt .\n"
    "RUN cp requirements.txt installed && rm requirements.txt\nCOPY sample.py .\n"
    'CMD ["cat", "sample.py"]\n'
)
SHIFT_RIGHT = b"\x1b[1;2C"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of the five-step app."""
    (tmp_path / "Dockerfile").write_text(APP)
    (tmp_path / "requirements.txt").write_text("flask\n")
    (tmp_path / "sample.py").write_text("print(1)\n")
    return tmp_path


@pytest.fixture(scope="module")
def hello(minidock: Minidock, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the folder of the course's first Dockerfile."""
    assert minidock.run("bootstrap", "alpine").returncode == 0
    place = tmp_path_factory.mktemp("hello")
    (place / "Dockerfile").write_text(HELLO)
    return str(place)


@dataclass(frozen=True)
class Hold:
    """One line of a hold."""

    kind: str
    pid: int
    said: str


def holds(stepper: Stepper) -> Iterator[Hold]:
    """Read holds between whatever the build prints, to the end of the output."""
    while line := stepper.line():
        if found := HELD.fullmatch(line):
            yield Hold(found[2], 0 if found[3] == "-" else int(found[3]), found[4])


def remains(minidock: Minidock) -> list[str]:
    """Name what is left of a build that came to no good end."""
    left = sorted(traces(minidock))
    left += [path.name for path in (minidock.root / "layers").glob("tmp-*")]
    left += [path.name for path in (minidock.root / "oci/blobs/sha256").glob("tmp-*")]
    with closing(sqlite3.connect(f"file:{minidock.root}/state.db?mode=ro", uri=True)) as db:
        left += [f"lease {row[0]}" for row in db.execute("SELECT operation FROM leases")]
    return left


def last(minidock: Minidock) -> list[dict[str, object]]:
    """Read the records of the story that began last."""
    lines = minidock.run("trace", "show", "last", "--json").stdout.splitlines()
    return [json.loads(line) for line in lines[1:]]


def test_hello_world_is_held_before_each_instruction(
    minidock: Minidock, hello: str
) -> None:
    with stepping(minidock, "--no-cache", "-t", "hello", hello, verb=BUILD) as stepper:
        said = []
        for hold in holds(stepper):
            said.append((hold.kind, hold.said))
            stepper.type("c")
        assert stepper.client.wait(PATIENCE_S) == 0
    assert said == [
        ("step.started", f"Step {number} of 3: {text}")
        for number, text in enumerate(HELLO.splitlines(), 1)
    ]
    kinds = {str(record["kind"]) for record in last(minidock)}
    assert not kinds & {"container.created", "mounted", "overlay.prepared"}
    assert minidock.run("run", "--rm", "hello").stdout == "Hello World\n"


def test_n_goes_on_by_one_event_and_c_to_the_next_instruction(
    minidock: Minidock, hello: str
) -> None:
    with stepping(minidock, "--no-cache", hello, verb=BUILD) as stepper:
        letters, kinds = iter("cnnncc"), []
        for hold in holds(stepper):
            kinds.append(hold.kind)
            stepper.type(next(letters))
        assert stepper.client.wait(PATIENCE_S) == 0
    assert kinds == ["step.started", "step.started", "cache.missed", "config.changed",
                     "config.changed", "step.started"]  # fmt: skip


def test_the_rebuild_after_an_edit_stops_where_the_cache_was_missed(
    minidock: Minidock, folder: Path
) -> None:
    assert minidock.run("build", "-t", "edited-app", str(folder)).returncode == 0
    (folder / "sample.py").write_text("print(2)\n")
    words = ("--break", "cache.missed", "-t", "edited-app", str(folder))
    with stepping(minidock, *words, verb=BUILD) as stepper:
        said = []
        for hold in holds(stepper):
            said.append(hold.said)
            stepper.type("c")
        assert stepper.client.wait(PATIENCE_S) == 0
    assert said == [
        "Step 5 has to be done: sample.py has another content",
        "Step 6 has to be done: the step before it was done again",
    ]
    kinds = [str(record["kind"]) for record in last(minidock)]
    assert kinds.count("cache.hit") == 3
    assert "container.created" not in kinds
    text = minidock.run("trace", "show", "last").stdout
    assert "\n\n" in text
    assert "/app/sample.py is in the new layer: file, 9 B, mode 0644" in text


def test_a_run_tells_the_names_it_added_changed_and_deleted(
    minidock: Minidock, folder: Path
) -> None:
    assert minidock.run("build", "--no-cache", str(folder)).returncode == 0
    told = [record["data"] for record in last(minidock) if record["kind"] == "file.changed"]
    seen = [(each["change"], each["path"], each["kind"]) for each in told]  # type: ignore[index]
    assert seen == [
        ("changed", "/app", "directory"), ("added", "/app/installed", "file"),
        ("deleted", "/app/requirements.txt", "file"),
    ]  # fmt: skip
    text = minidock.run("trace", "show", "last").stdout
    assert "The container of this RUN is born: " in text
    assert "The program deleted /app/requirements.txt (file, 6 B)" in text
    whole = minidock.run("trace", "show", "last", "--depth", "3").stdout
    assert len(whole.splitlines()) > len(text.splitlines()) + 50


def test_a_build_can_be_aborted_at_any_of_its_events_and_leaves_nothing(
    minidock: Minidock, folder: Path, at_length: Callable[[int], int]
) -> None:
    """Whatever it was doing: a copy, a birth, a program, a commit."""
    (folder / "Dockerfile").write_text(
        "FROM busybox\nCOPY sample.py .\nRUN cp sample.py again\n"
    )
    words = ("--no-cache", "--break", "*", str(folder))
    with stepping(minidock, *words, verb=BUILD) as stepper:
        total = 0
        for _ in holds(stepper):
            total += 1
            stepper.type("n")
        assert stepper.end()[0] == 0
    assert total > 100
    aborted: list[str] = []
    for steps in range(0, total, total // at_length(total)):
        with stepping(minidock, *words, verb=BUILD) as stepper:
            for number, hold in enumerate(holds(stepper)):
                is_last = number == steps
                stepper.type("a" if is_last else "n")
                if is_last:
                    aborted.append(hold.kind)
                    break
            code, _, error = stepper.end()
        assert code == 125, error
        assert f"was aborted at {aborted[-1]}" in error
        assert remains(minidock) == [], (steps, aborted[-1])
    assert minidock.run("build", "--no-cache", str(folder)).returncode == 0
    assert len(set(aborted)) > 3


@pytest.mark.parametrize(
    "kind",
    ["file.copied", "layer.committed", "container.created", "birth.ready",
     "container.exited", "cgroup.removed", "file.changed", "snapshot.removed",
     "container.removed", "image.tagged"],
)  # fmt: skip
def test_an_abort_while_something_ends_leaves_nothing_either(
    minidock: Minidock, folder: Path, kind: str
) -> None:
    words = ("--no-cache", "-t", "ended", "--break", kind, str(folder))
    with stepping(minidock, *words, verb=BUILD) as stepper:
        assert next(holds(stepper)).kind == kind
        stepper.type("a")
        code, _, error = stepper.end()
    assert code == 125
    assert f"was aborted at {kind}" in error
    assert remains(minidock) == []


def test_a_killed_client_frees_the_build_and_nothing_is_left(
    minidock: Minidock, folder: Path
) -> None:
    words = ("--no-cache", "--break", "root.pivoted", str(folder))
    with stepping(minidock, *words, verb=BUILD) as stepper:
        hold = next(holds(stepper))
        assert hold.kind == "root.pivoted"
        assert hold.pid
        stepper.client.send_signal(signal.SIGKILL)
        stepper.client.wait(PATIENCE_S)
        wait_until(lambda: not is_alive(hold.pid), PATIENCE_S, "the container to end")
        wait_until(lambda: not remains(minidock), PATIENCE_S, "all of it to be gone")
    released = [r["data"] for r in last(minidock) if r["kind"] == "gate.released"]
    assert [each["by"] for each in released] == ["client gone"]  # type: ignore[index]
    assert minidock.run("build", str(folder)).returncode == 0


def test_a_client_killed_between_two_instructions_frees_the_build(
    minidock: Minidock, hello: str
) -> None:
    with stepping(minidock, "--no-cache", "-t", "never", hello, verb=BUILD) as stepper:
        next(holds(stepper))
        stepper.client.send_signal(signal.SIGKILL)
        stepper.client.wait(PATIENCE_S)
        wait_until(lambda: not remains(minidock), PATIENCE_S, "the lease to be gone")
    assert minidock.run("inspect", "never").returncode != 0


def test_a_failing_run_gives_its_exit_code_and_what_it_was(
    minidock: Minidock, folder: Path
) -> None:
    (folder / "Dockerfile").write_text("FROM busybox\nRUN echo no >&2; exit 7\nCMD ls\n")
    words = ("--no-cache", "--force-rm", str(folder))
    with stepping(minidock, *words, verb=BUILD) as stepper:
        for _ in holds(stepper):
            stepper.type("c")
        code, _, error = stepper.end()
    assert code == 7
    assert "returned a non-zero code: 7" in error
    assert remains(minidock) == []
    text = minidock.run("trace", "show", "last").stdout
    assert "It says: no" in text
    assert "The build ends at step 2: The" in text
    assert "returned a non-zero code: 7\n" in text


def test_values_are_shown_to_who_types_them_and_to_nobody_else(
    minidock: Minidock, folder: Path
) -> None:
    (folder / "Dockerfile").write_text(
        "FROM busybox\nARG WORD=plain\nENV GREETING=canary-one OTHER=canary-two\n"
        "RUN test -n $WORD\n"
    )
    words = ("--no-cache", "--break", "step.*", "--break", "config.changed",
             "--build-arg", "WORD=canary-three", str(folder))  # fmt: skip
    with stepping(minidock, *words, verb=BUILD) as stepper:
        said = []
        for hold in holds(stepper):
            said.append(hold.said)
            stepper.type("c")
        assert stepper.client.wait(PATIENCE_S) == 0
    live = "\n".join(said)
    assert "ENV gains GREETING=canary-one OTHER=canary-two" in live
    shown = minidock.run("trace", "show", "last", "--json").stdout
    exported = minidock.run("trace", "export", "last").stdout
    journal = "".join(
        path.read_text()
        for path in (minidock.root / "journal").rglob("*")
        if path.is_file()
    )
    for kept in (shown, exported, journal):
        assert "canary" not in kept
    assert "‹redacted›" in minidock.run("trace", "show", "last").stdout


def test_what_stayed_at_home_is_told_by_the_client_with_its_line(
    minidock: Minidock, folder: Path
) -> None:
    (folder / ".dockerignore").write_text("# notes\n*.log\n")
    (folder / "big.log").write_text("long")
    words = ("--break", "image.tagged", "-t", "ignoring", str(folder))
    with stepping(minidock, *words, verb=BUILD) as stepper:
        for _ in holds(stepper):
            stepper.type("c")
        assert stepper.client.wait(PATIENCE_S) == 0
    first = last(minidock)[0]
    assert (first["kind"], first["evidence"]) == ("path.ignored", "client")
    text = minidock.run("trace", "show", "last").stdout
    assert "◂ big.log stays at home: line 2 of .dockerignore" in text


def test_a_build_that_is_refused_leaves_no_open_story(
    minidock: Minidock, folder: Path
) -> None:
    ran = minidock.run(*BUILD, "-t", "NotLower", str(folder))
    assert ran.returncode == 1
    assert "invalid reference format" in ran.stderr
    assert remains(minidock) == []


def test_a_break_that_cannot_be_is_refused_with_a_command_that_can(
    minidock: Minidock, hello: str
) -> None:
    ran = minidock.run(*BUILD, "--break", "step.startet", hello)
    assert ran.returncode == 125
    assert "no event is called 'step.startet'" in ran.stderr
    assert "minidock step build --no-tui --break step.started ." in ran.stderr


def test_without_a_screen_standard_input_is_for_the_steps(minidock: Minidock) -> None:
    ran = minidock.run(*BUILD, "-", input="FROM busybox\n")
    assert ran.returncode == 125
    assert "- cannot be used with step --no-tui" in ran.stderr


# ── In a terminal ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [(24, 80), (40, 120)])
def test_the_stepper_shows_each_instruction_and_the_output_at_the_end(
    minidock: Minidock, hello: str, size: tuple[int, int]
) -> None:
    words = ("step", "build", "--no-cache", "-t", "hello", hello)
    with terminal(minidock, *words, size=size) as seen:
        before = seen.settings()
        for number in (1, 2, 3):
            seen.await_text(rb"held before instruction %d" % number)
            seen.type(SHIFT_RIGHT)
        seen.await_text(b"Dockerfile: built")
        seen.type(b"q")
        seen.await_text(rb"Successfully built [0-9a-f]{12}")
        assert seen.client.wait(PATIENCE_S) == 0
        assert seen.settings() == before


def test_leaving_the_stepper_can_abort_the_build(minidock: Minidock, hello: str) -> None:
    words = ("step", "build", "--no-cache", "-t", "left", hello)
    with terminal(minidock, *words, size=(24, 80)) as seen:
        seen.await_text(b"held before instruction 1")
        seen.type(b"q")
        seen.await_text(b"The build is held live")
        seen.type(b"a")
        seen.await_text(b"was aborted at step.started")
        assert seen.client.wait(PATIENCE_S) == 125
    assert remains(minidock) == []
    assert minidock.run("inspect", "left").returncode != 0


def test_a_recorded_build_opens_in_the_stepper_and_is_walked_both_ways(
    minidock: Minidock, folder: Path
) -> None:
    assert minidock.run("build", "--no-cache", str(folder)).returncode == 0
    with terminal(minidock, "trace", "show", "last", size=(24, 80)) as seen:
        seen.await_text(b"REPLAY of REAL")
        seen.type(b"\x1b[F")  # End
        seen.await_text(re.escape("Dockerfile: ").encode())
        seen.type(b"\x1b[H")  # Home
        seen.await_text(b"Before the first step")
        seen.type(b"q")
        assert seen.client.wait(PATIENCE_S) == 0
    assert is_clean(minidock)
