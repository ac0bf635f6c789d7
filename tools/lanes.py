"""Every part of the tests, in lanes side by side, and at the end all that one must know.

A lane takes the next part as soon as it is free, so the lanes end together whatever the
parts take on this machine.  As root, a part that builds mounts and networks gets a mount
and a network namespace of its own with nothing in it but a loopback: what it mounts, names
and publishes cannot meet what another part does, and tests that compare the whole table of
mounts see their own alone.  Everything else bears names that are drawn anew for each run
(directories, sockets, cgroups).

    ── compat begins
    ── edge begins
    ── edge: passed, 1020 s          … with all that it said
    …
    ── The parts                     … what failed, in its last words, and the table:
    check             passed     92 s
    compat            failed   1604 s
        failed: tests/compat/test_x.py::test_one
        asked a second time: tests/compat/test_x.py::test_one

    python tools/lanes.py 3 MAKE "3.13 /usr/bin/python3.13|…"

How many lanes: one more than there are cores, since most parts wait half of their time for
an engine, a browser or a clock.  The last line says how busy the processors were.

Runs before anything is imported from us: the standard library alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LAST_WORDS = 60  # lines of a failed part that are said once more at the end

OWN_WORLD = ("unshare", "--net", "--mount", "sh", "-c",
             'ip link set lo up; exec "$@"', "sh")  # fmt: skip

# The long ones first, and a part that computes beside one that waits for others.
ORDER = (
    "check", "compat", "unit", "edge", "unit+", "edge+", "browser", "lessons",
    "mutants", "stories", "edge-vm",
)  # fmt: skip
BUILDERS = frozenset({"compat", "edge", "browser", "lessons"})  # of mounts and networks


@dataclass
class Part:
    """One `make` target on one Python, and what became of it."""

    name: str
    command: Sequence[str]
    said: str = ""
    code: int | None = None
    seconds: float = 0.0

    def run(self) -> None:
        """Run it to its end; it keeps what it said."""
        began = time.monotonic()
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as out:
            done = subprocess.run(
                self.command, check=False,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
            out.seek(0)
            self.said = out.read()
        self.code, self.seconds = done.returncode, time.monotonic() - began

    @property
    def verdict(self) -> str:
        """One word."""
        return "passed" if self.code == 0 else "failed"

    def row(self) -> str:
        r"""Its line of the table, and below it the tests that one must know of.

        >>> part = Part("edge", (), "FAILED tests/a.py::b - no\n", code=1, seconds=7)
        >>> print(part.row())
        edge               failed      7 s
            failed: tests/a.py::b - no
        """
        first, again, second = self.said.partition(": asked a second time, alone:\n")
        names = [f"failed: {name}" for name in failures(second if again else first)]
        names += [f"asked a second time: {name}" for name in indented(second)]
        line = f"{self.name:<18} {self.verdict} {self.seconds:6.0f} s"
        return "\n".join([line, *(f"    {name}" for name in names)])


def failures(said: str) -> list[str]:
    """Give what pytest's summary names: failed tests, errors, complaints of ours."""
    return re.findall(r"^(?:FAILED|ERROR|NOTHING SKIPS:) (.{1,250})", said, re.MULTILINE)


def indented(said: str) -> list[str]:
    r"""Give the lines at the beginning that are set in.

    >>> indented("  one\n  two\nand so on\n  three\n")
    ['one', 'two']
    """
    block = re.match(r"(?:  \S.*\n)*", said)
    return [line.strip() for line in block.group().splitlines()] if block else []


def parts(make: str, others: Iterable[tuple[str, str]]) -> list[Part]:
    """List every part in order; `name+` is the part again on each other Python."""
    made = []
    for word in ORDER:
        name = word.removesuffix("+")
        pythons = others if word.endswith("+") else [("", "")]
        for version, python in pythons:
            on = [f"VENV=.venv-{version}", f"PYTHON={python}"] if version else []
            title = f"{name} on {version}" if version else name
            command = [make, "--no-print-directory", name, *on]
            made.append(Part(title, [*own_world(name), *command]))
    return made


def own_world(name: str) -> tuple[str, ...]:
    """Give the words before a part that builds mounts and networks; others need no root."""
    if name not in BUILDERS or os.geteuid() != 0 or not shutil.which("unshare"):
        return ()
    return OWN_WORLD


@dataclass
class Lanes:
    """Parts that wait, and a door that lets one lane speak at a time."""

    waiting: list[Part]
    speaking: threading.Lock = field(default_factory=threading.Lock)

    def run(self, lanes: int) -> None:
        """Run them all."""
        threads = [threading.Thread(target=self._lane) for _ in range(lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _lane(self) -> None:
        while True:
            with self.speaking:
                if not self.waiting:
                    return
                part = self.waiting.pop(0)
                say(f"── {part.name} begins")
            part.run()
            with self.speaking:
                say(f"── {part.name}: {part.verdict}, {part.seconds:.0f} s\n{part.said}")


def say(text: str) -> None:
    """Write now: whoever is ended by a time limit has said all until then."""
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def busy() -> tuple[float, float]:
    """Tell what all processors did since the machine began: (at work, altogether)."""
    stat = Path("/proc/stat")  # man 5 proc_stat
    if not stat.exists():
        return 0.0, 0.0
    ticks = [float(word) for word in stat.read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)  # less idle and iowait


def run(every: Sequence[Part], lanes: int) -> int:
    """Run all parts and tell how it went; 0 if all have passed."""
    began, before = time.monotonic(), busy()
    Lanes(list(every)).run(lanes)
    seconds, after = time.monotonic() - began, busy()
    failed = [part for part in every if part.code != 0]
    for part in failed:
        last = part.said.splitlines()[-LAST_WORDS:]
        say("\n".join([f"── the last words of {part.name}", *last]))
    say("── The parts")
    for part in every:
        say(part.row())
    share = (after[0] - before[0]) / ((after[1] - before[1]) or 1)
    say(f"{'all':<18} {'failed' if failed else 'passed'} {seconds:6.0f} s, "
        f"processors at work {share:.0%}")  # fmt: skip
    return 1 if failed else 0


def main(lanes: str, make: str, others: str) -> int:
    """Read the list of other Pythons as the Makefile hands it on."""
    lines = [line.split(maxsplit=1) for line in others.split("|") if line.strip()]
    every = parts(make, [(version, python) for version, python in lines])
    return run(every, int(lanes))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
