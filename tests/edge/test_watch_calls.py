"""What seccomp's notification tells of a program is what the program says itself."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.edge.glasshouse import wait_for
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge

TAIL_BYTES = 1 << 16  # behind the end of the watch the container's own end is told
PROGRAM = """
import ctypes, json, random, struct, sys
NUMBERS = {"x86_64": {
    "openat": 257, "newfstatat": 262, "mkdirat": 258, "unlinkat": 263, "renameat2": 316,
    "linkat": 265, "symlinkat": 266, "readlinkat": 267, "faccessat": 269, "statx": 332,
}, "aarch64": {
    "openat": 56, "newfstatat": 79, "mkdirat": 34, "unlinkat": 35, "renameat2": 276,
    "linkat": 37, "symlinkat": 36, "readlinkat": 78, "faccessat": 48, "statx": 291,
}}[__import__("os").uname().machine]
HERE, libc = -100, ctypes.CDLL(None)
room = ctypes.create_string_buffer(4096)

def call(name, *words):
    libc.syscall(NUMBERS[name], *words)

run = sys.argv[1]
base = "/truth/" + run
dice = random.Random(run)
told = []
__import__("os").makedirs(base)
for _ in range(60):
    path = f"{base}/{dice.randrange(6)}"
    other = f"{base}/{dice.randrange(6)}"
    name, there = path.encode(), other.encode()
    what = dice.choice(sorted(NUMBERS))
    two = what in ("renameat2", "linkat")
    told.append([what, path, other if two else ""])
    if what == "openat":
        call(what, HERE, name, dice.choice((0, 0o101)), 0o600)
    elif what in ("newfstatat", "readlinkat"):
        call(what, HERE, name, room, 4096 if what == "readlinkat" else 0)
    elif what == "mkdirat":
        call(what, HERE, name, 0o700)
    elif what == "unlinkat":
        call(what, HERE, name, dice.choice((0, 0x200)))
    elif what == "faccessat":
        call(what, HERE, name, 0)
    elif what == "statx":
        call(what, HERE, name, 0, 0x7ff, room)
    elif what == "symlinkat":
        call(what, b"nowhere", HERE, name)
    else:
        call(what, HERE, name, HERE, there, 0)
print(json.dumps([run, told]), flush=True)
"""


@pytest.fixture(scope="module")
def image(minidock: Minidock) -> str:
    """An image with Python."""
    made = minidock.run("bootstrap", "python", timeout=300)
    assert made.returncode == 0, made.stderr
    return "python"


def ran(minidock: Minidock, image: str, given: Path, runs: range) -> list[str]:
    """Run the program many times in one watched container; give what each run logged."""
    words = " ".join(map(str, runs))
    made = minidock.run(
        "run", "--name", "truth", "--storage-opt", "watch=seccomp",
        "-v", f"{given}:/given:ro", image,
        "sh", "-c", f"for run in {words}; do python3 -S /given/program.py $run; done",
        timeout=600,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return made.stdout.splitlines()


def journal(minidock: Minidock) -> Path:
    """Find the journal of the container: it is the one that was written last."""
    found = (minidock.root / "journal").glob("run-*.jsonl")
    return max(found, key=lambda path: path.stat().st_mtime)


def ends(story: Path) -> bool:
    """Say whether the end of the watch is among the last that was written."""
    with story.open("rb") as file:
        file.seek(max(0, story.stat().st_size - TAIL_BYTES))
        return b'"kind":"watch.ended"' in file.read()


def heard(minidock: Minidock) -> list[tuple[str, dict[str, str]]]:
    said = minidock.run("trace", "show", "last", "--json", timeout=600).stdout
    records = (json.loads(line) for line in said.splitlines()[1:])
    return [(each["kind"], each["data"]) for each in records]


def test_the_calls_that_are_told_are_those_that_were_made(
    minidock: Minidock, image: str, tmp_path: Path, at_length: Callable[[int], int]
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    runs = at_length(100)  # in one container: a story is read up to 64 MiB
    for lot in range(at_length(5)):
        logged = ran(minidock, image, tmp_path, range(lot * runs, lot * runs + runs))
        story = journal(minidock)
        wait_for(lambda: ends(story))  # noqa: B023  (it is asked at once)
        records = [json.loads(line) for line in story.read_text().splitlines()[1:]]
        minidock.run("rm", "truth")
        assert len(logged) == runs
        for line in logged:
            run, made = json.loads(line)
            check(run, made, records)


def check(run: str, made: list[list[str]], records: list[dict[str, Any]]) -> None:
    """Compare what one run logged with what was told of it, one by one."""
    seen = [
        record["data"]
        for record in records
        if record["kind"] == "call.noticed"
        and record["data"]["path"].startswith(f"/truth/{run}/")
    ]
    told = Counter((each["call"], each["path"], each["to"]) for each in seen)
    assert told == Counter(tuple(each) for each in made)
    assert len({each["pid"] for each in seen}) == 1


def test_what_the_profile_refuses_stays_refused_and_names_that_are_absent_are_told(
    minidock: Minidock,
) -> None:
    done = minidock.run(
        "run", "--name", "refused", "--storage-opt", "watch=seccomp", minidock.image,
        "sh", "-c", "unshare -m true; stat /absent",
    )  # fmt: skip
    assert "Operation not permitted" in done.stderr
    wait_for(lambda: any(kind == "watch.ended" for kind, _ in heard(minidock)))
    told = heard(minidock)
    minidock.run("rm", "-f", "refused")
    asked = [data for kind, data in told if kind == "call.noticed"]
    (absent,) = [data for data in asked if data["path"] == "/absent"]
    assert absent["command"] == "stat"
    assert any(
        kind == "path.resolved" and data["path"] == "/absent" and not data["layers"]
        for kind, data in told
    )
