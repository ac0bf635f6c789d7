"""Bugs that we plant on purpose: the tests of a room must notice them.

A test that passes whatever the code does is worse than none.  tests/mutants/mutants.toml
lists at least one small, believable bug per room and the tests that must fail with it:

    [[mutant]]
    room = "unionfs"
    bug = "a whiteout hides nothing"          what a student would call it
    file = "pyminidock/unionfs/lookup.py"
    find = "case Kind.WHITEOUT if not merged:"
    replace = "case Kind.WHITEOUT if merged:"
    tests = ["tests/unionfs"]
    needs_root = false                        optional: left out where we are not root

The tree is copied, never touched.  First all named tests run on the unchanged copy, and
must pass; then each bug is planted alone, and pytest must answer "tests failed", nothing
else: a bug that only makes the collection fail proves nothing.  A `find` that does not
occur exactly once is an error: the code moved on, and so must the mutant.

    python -m tests.mutants            all
    python -m tests.mutants unionfs    one room's
"""

import compileall
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("mutants.toml")
PATIENCE_S = 600
TESTS_FAILED = 1  # pytest.ExitCode.TESTS_FAILED


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug and the tests that must fail with it."""

    room: str
    bug: str
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]
    needs_root: bool = False


class CannotPlant(Exception):
    """The list and the code do not fit together."""


def read_list(text: str) -> tuple[Mutant, ...]:
    """Parse mutants.toml; a missing or surplus key is a TypeError that names it."""
    rows = tomllib.loads(text).get("mutant", [])
    return tuple(Mutant(**{**row, "tests": tuple(row["tests"])}) for row in rows)


def planted(source: str, mutant: Mutant) -> str:
    """Give `source` with the bug in it.  Raises CannotPlant unless it fits exactly once."""
    times = source.count(mutant.find)
    if times != 1:
        raise CannotPlant(f"{mutant.file}: {mutant.find!r} occurs {times} times, not once")
    if mutant.find == mutant.replace:
        raise CannotPlant(f"{mutant.file}: {mutant.find!r} is replaced by itself")
    return source.replace(mutant.find, mutant.replace)


def copy_tree(target: Path) -> None:
    """Copy what git knows, and what is new and not ignored: the tree as it stands."""
    names = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        text=True,
    )
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():  # a deleted file is still listed
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    compile_by_content(target)


def compile_by_content(tree: Path) -> None:
    """Compile every module once, for all runs; a module that a bug changes is read anew.

    Python asks what the source says, not how old it is: two edits within a second differ.
    """
    compileall.compile_dir(
        tree, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH
    )


def run_tests(tree: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Run `tests` in the copy: pytest's exit code, and the end of what it said."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    result = subprocess.run(
        command,
        cwd=tree,
        # First on the path, so that the copy is imported and not the installed checkout.
        env={**os.environ, "PYTHONPATH": str(tree)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    return result.returncode, result.stdout[-3000:]


@contextmanager
def bug_in(tree: Path, mutant: Mutant) -> Iterator[None]:
    """Plant the bug, and take it out again."""
    file = tree / mutant.file
    source = file.read_text(encoding="utf-8")
    file.write_text(planted(source, mutant), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(source, encoding="utf-8")


def verdict(tree: Path, mutant: Mutant) -> str:
    """Say "caught", or what went wrong instead."""
    try:
        with bug_in(tree, mutant):
            code, said = run_tests(tree, mutant.tests)
    except (CannotPlant, OSError, subprocess.TimeoutExpired) as refusal:
        return f"cannot be planted: {refusal}"
    if code == TESTS_FAILED:
        return "caught"
    if code == 0:
        return f"SURVIVED {' '.join(mutant.tests)}"
    return f"proves nothing: pytest ended with {code}\n{said}"


def main(rooms: Sequence[str]) -> int:
    """Plant the bugs of `rooms`, or all; 0 if each was caught."""
    say = sys.stdout.write
    mutants = read_list(LIST.read_text(encoding="utf-8"))
    mutants = tuple(mutant for mutant in mutants if not rooms or mutant.room in rooms)
    if os.geteuid() != 0 and os.environ.get("CI") != "true":
        say("not root: bugs that only root's tests can see are left out\n")
        mutants = tuple(mutant for mutant in mutants if not mutant.needs_root)
    if not mutants:
        say(f"no mutant is listed for {', '.join(rooms) or 'any room'}\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="minidock-mutants-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        code, said = run_tests(tree, sorted({test for m in mutants for test in m.tests}))
        if code != 0:
            say(f"the tests fail without any bug planted:\n{said}\n")
            return 1
        failures = 0
        for mutant in mutants:
            answer = verdict(tree, mutant)
            failures += answer != "caught"
            say(f"{mutant.room}: {mutant.bug}: {answer}\n")
            sys.stdout.flush()
    say(f"mutants: {len(mutants) - failures} caught, {failures} not\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
