"""Kill an operation at every place that has a name, and see what the next engine finds.

A scenario is a function in a module, called with a root directory in a process of its own.
The harness runs it once to learn which failpoints it meets and how often.  Then, for each
place, the first and the last time, on a fresh copy of the root: run, die there, open,
check, open again (nothing is left to repair), do it again to the end, sweep, check.

    SCENARIO = Scenario("tag", "tests.crash.scenarios:tag", prepare=one_image)
    for crash in crashes(SCENARIO, tmp_path): ...
"""

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from pyminidock.store.failpoints import VARIABLE
from pyminidock.store.gc import sweep
from pyminidock.store.opening import open_store
from tests.store.invariants import check_invariants, check_swept, read_tables


def nothing(root: Path) -> None:
    """Prepare nothing: the root is empty."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`verb` is "module:function"; the function takes the root and may be done twice.

    `check` looks at the root after each repair: the operation happened, or it did not.
    `is_swept`: the check that nothing lies around holds (false with containers).
    """

    name: str
    verb: str
    prepare: Callable[[Path], None] = nothing
    check: Callable[[Path], None] = nothing
    is_swept: bool = True


@dataclass(frozen=True, slots=True)
class Crash:
    """One death: the failpoint, the how-manyth time, and what the next engine repaired."""

    point: str
    nth: int
    repaired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: as os.waitstatus_to_exitcode says, and what it printed as errors."""

    code: int
    errors: str


class Runner:
    """A process that has imported everything and forks one child for each run.

    A fresh interpreter for each of some hundred deaths would take minutes.  What a child
    imports late, the process imports too, so that the next child has it already.
    """

    def __init__(self, place: Path) -> None:
        self._errors = place / "errors"
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.crash.harness import serve; serve()"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, scenario: Scenario, root: Path, armed: str = "") -> Ending:
        """Run a scenario in a process of its own, with a failpoint armed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = [scenario.verb, os.fspath(root), armed, os.fspath(self._errors)]
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Ending(int(self._process.stdout.readline()), self._errors.read_text())


def serve() -> None:
    """Fork for each line of input and print how the child ended; runs in the runner."""
    for line in sys.stdin:
        verb, root, armed, errors = json.loads(line)
        module, _, function = verb.partition(":")
        deed = getattr(importlib.import_module(module), function)  # here: once for all
        child = os.fork()
        if child == 0:
            with Path(errors).open("wb") as file:
                os.dup2(file.fileno(), 2)
            os.environ[VARIABLE] = armed
            _act(deed, Path(root), Path(f"{errors}.modules"))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == 0:
            _import_what_is_in(Path(f"{errors}.modules"))
        print(code, flush=True)  # noqa: T201


def _import_what_is_in(learned: Path) -> None:
    for name in learned.read_text().split():
        if name not in sys.modules:
            importlib.import_module(name)


def _act(deed: Callable[[Path], object], root: Path, learned: Path) -> NoReturn:
    code = 1
    try:
        deed(root)
        learned.write_text("\n".join(sys.modules))
        code = 0
    except BaseException:  # a fork may not return into its parent's program
        traceback.print_exc()
    finally:
        os._exit(code)


def met(runner: Runner, scenario: Scenario, place: Path) -> Counter[str]:
    """Say which failpoints an undisturbed run meets, and how often each."""
    root = place / "undisturbed"
    scenario.prepare(root)
    done = runner.run(scenario, root, "?")
    assert done.code == 0, done.errors
    lines = (line.partition("failpoint ") for line in done.errors.splitlines())
    return Counter(name for before, word, name in lines if word and not before)


def crashes(scenario: Scenario, place: Path, only: Collection[str] = ()) -> Iterator[Crash]:
    """Die at every place and look after it each time; `place` is an empty directory.

    With `only` die at these places, if they are met at all, and once at each.
    """
    prepared = place / "prepared"
    scenario.prepare(prepared)
    root = place / "root"
    with Runner(place) as runner:
        for point, often in sorted(met(runner, scenario, place).items()):
            if only and point not in only:
                continue
            # Those between leave what the first and the last leave.
            for nth in (often,) if only else sorted({1, often}):
                if prepared.exists():
                    shutil.copytree(prepared, root, symlinks=True)
                yield _crash(runner, scenario, root, f"{point}:{nth}")
                shutil.rmtree(root)


def _crash(runner: Runner, scenario: Scenario, root: Path, armed: str) -> Crash:
    died = runner.run(scenario, root, armed)
    assert died.code == -signal.SIGKILL, f"{armed}: {died.errors}"
    repaired = _open_and_close(root)
    check_invariants(root)
    scenario.check(root)
    rows = read_tables(root)
    assert _open_and_close(root) == (), "the second opening found something to repair"
    assert read_tables(root) == rows
    again = runner.run(scenario, root)
    assert again.code == 0, f"after {armed}: {again.errors}"
    _open_and_close(root, is_swept=scenario.is_swept)
    check_invariants(root)
    if scenario.is_swept:
        check_swept(root)
    point, _, nth = armed.partition(":")
    return Crash(point, int(nth), repaired)


def _open_and_close(root: Path, *, is_swept: bool = False) -> tuple[str, ...]:
    store = open_store(root)
    try:
        if is_swept:
            sweep(store)
        return tuple(f"{each.deed} {each.what}" for each in store.repairs)
    finally:
        store.close()
