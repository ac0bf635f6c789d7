"""Bad input: what is wrong, why that is a rule, and what to type; then it is typed.

Each case is a command line that is refused.  The test reads the three lines, sees that
nothing in the root directory has changed, types what the refusal advises into a shell, and
sees that succeed: it is the corrected command, or it makes the failing one succeed.
"""

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyminidock.client.connect import connect
from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge

PATIENCE_S = 60
TELLS_ONLY = {"journal", "daemon.log"}  # the story of a refusal is told all the same


@dataclass(frozen=True, slots=True)
class Case:
    """One mistake: the words, Docker's sentence, Docker's exit code."""

    words: str
    what: str
    code: int = 125
    again: bool = False  # the advice mends the cause: afterwards the same words succeed


CASES = {
    "unknown user": Case(
        "run --rm --user nobodyx BUSYBOX true", "unable to find user nobodyx"
    ),
    "unknown group": Case(
        "run --rm --user 1:nogrp BUSYBOX true", "unable to find group nogrp"
    ),
    "group to add": Case(
        "run --rm --group-add nog BUSYBOX true", "Unable to find group nog"
    ),
    "number too large": Case(
        "run --rm --user 99999999999 BUSYBOX true", "uids and gids must be in range"
    ),
    "command not found": Case(
        "run --rm BUSYBOX nope", "executable file not found in $PATH", 127
    ),
    "path not found": Case("run --rm BUSYBOX /nope", "stat /nope: no such file", 127),
    "not executable": Case("run --rm BUSYBOX /etc/passwd", "permission denied", 126),
    "a directory": Case("run --rm BUSYBOX /etc", "is a directory", 126),
    "bad capability": Case(
        "run --rm --cap-add nope BUSYBOX true", 'unknown capability: "CAP_NOPE"'
    ),
    "bad memory size": Case(
        "run --rm -m 10x BUSYBOX true",
        'invalid argument "10x" for "-m, --memory" flag: invalid size: \'10x\'',
    ),
    "too little memory": Case(
        "run --rm -m 5m BUSYBOX true", "Minimum memory limit allowed is 6MB"
    ),
    "bad processors": Case("run --rm --cpus many BUSYBOX true", "as a rational number"),
    "too many processors": Case(
        "run --rm --cpus 9999 BUSYBOX true", "Range of CPUs is from 0.01 to"
    ),
    "bad number": Case("run --rm --pids-limit x BUSYBOX true", "strconv.ParseInt: parsing"),
    "limits crossed": Case(
        "run --rm --ulimit nofile=128:64 BUSYBOX true",
        "soft limit must be less than or equal",
    ),
    "unknown limit": Case(
        "run --rm --ulimit foo=1 BUSYBOX true", "invalid ulimit type: foo"
    ),
    "directory not absolute": Case(
        "run --rm -w rel BUSYBOX true", "the working directory 'rel' is invalid"
    ),
    "workdir is a file": Case(
        "run --rm -w /etc/passwd BUSYBOX true",
        "Cannot mkdir: /etc/passwd is not a directory",
    ),
    "missing env file": Case(
        "run --rm --env-file nofile BUSYBOX true",
        "open nofile: no such file or directory",
        again=True,
    ),
    "variable without a name": Case(
        "run --rm -e =x BUSYBOX true", "invalid environment variable: =x"
    ),
    "missing profile": Case(
        "run --rm --security-opt seccomp=nofile BUSYBOX true",
        "opening seccomp profile (nofile) failed",
    ),
    "wrong profile": Case(
        "run --rm --security-opt seccomp=wrong.json BUSYBOX true", "unknown action 'NO'"
    ),
    "unknown option": Case("run --rm --security-opt foo BUSYBOX true", "--security-opt"),
    "name in use": Case(
        "run --rm --name idle BUSYBOX true",
        'container name "/idle" is already in use',
        again=True,
    ),
    "bad name": Case("run --rm --name -x BUSYBOX true", "Invalid container name (-x)"),
    "relative tmpfs": Case(
        "run --rm --tmpfs run BUSYBOX true", "mount path must be absolute"
    ),
    "unknown network": Case(
        "run --rm --network nope BUSYBOX true", "network nope not found"
    ),
    "no such image": Case("run --rm nosuch true", "No such image: nosuch:latest"),
    "no command": Case("run --rm --entrypoint '' BUSYBOX", "no command specified"),
    "unknown flag": Case("run --rm --privilegd BUSYBOX true", "unknown flag: --privilegd"),
    "not a terminal": Case("run --rm -it BUSYBOX true", "the input device is not a TTY", 1),
    "unknown verb": Case("runn --rm BUSYBOX true", "'runn' is not a minidock command", 1),
    "unknown container": Case("exec bsuy true", "No such container: bsuy", 1),
    "does not run": Case("exec idle true", "is not running", 1),
    "no such program": Case("exec busy nope", "OCI runtime exec failed: exec failed", 126),
    "unknown user in exec": Case("exec -u nobodyx busy true", "unable to find user", 126),
    "runs": Case("rm busy", "cannot remove container", 1),
    "bad signal": Case(
        "kill -s NOPE busy", "cannot kill container: busy: invalid signal: NOPE", 1
    ),
    "unknown break": Case(
        "step run --no-tui --break root.pivotet BUSYBOX true", "no event is called"
    ),
    "unknown story": Case("trace show nosuch", "no such story: nosuch", 1),
    "unknown base": Case("bootstrap alpin", "no recipe for an image named 'alpin'", 1),
    "nothing to explain": Case("explain flag BUSYBOX true", "no flag to explain"),
}


@pytest.fixture
def place(
    minidock: Minidock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Give a directory to stand in, with `minidock` on PATH and two containers."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "minidock"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m pyminidock "$@"\n')
    command.chmod(0o755)
    (tmp_path / "wrong.json").write_text('{"defaultAction": "NO"}')
    for name, value in minidock.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    sleeping = {"Image": minidock.image, "Cmd": ["sleep", "1000"]}
    with connect() as client:  # a command for each would take longer than the case itself
        busy = client.create(sleeping, "busy")
        client.start(busy)
        client.create(sleeping, "idle")
    record = minidock.root / "containers" / busy / "config.json"
    wait_until(  # a start is answered before it is written down
        lambda: json.loads(record.read_bytes())["state"] == "running", 30, "the record"
    )
    yield tmp_path
    with connect() as client:
        for each in client.containers(all=True):
            client.remove(each["Id"], force=True)


def type_in(line: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Type a line into a shell that stands in `place`."""
    return subprocess.run(
        ["sh", "-c", line], cwd=place, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=PATIENCE_S,
    )  # fmt: skip


def state_hash(root: Path) -> str:
    """Hash every file, link and directory below `root`, but for what only tells."""
    digest = hashlib.sha256()
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in TELLS_ONLY)
        for name in sorted([*names, *files]):
            path = Path(directory, name)
            if name in TELLS_ONLY or stat.S_ISSOCK(path.lstat().st_mode):
                continue
            digest.update(f"{path.relative_to(root)} {path.lstat().st_mode:o}\n".encode())
            if path.is_file() and not path.is_symlink():
                digest.update(path.read_bytes())
    return digest.hexdigest()


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name) for name, case in CASES.items()]
)
def test_a_mistake_is_explained_and_the_advice_works(
    minidock: Minidock, place: Path, case: Case
) -> None:
    line = "minidock " + case.words.replace("BUSYBOX", minidock.image)
    before = state_hash(minidock.root)
    refused = type_in(line, place)
    assert state_hash(minidock.root) == before
    assert refused.returncode == case.code, refused.stderr
    assert refused.stdout == ""
    what, why, advice = refused.stderr.splitlines()
    assert what.startswith("minidock: ")
    assert case.what in what
    assert why.startswith("  why: ")
    assert why.removeprefix("  why: ") not in what
    assert advice.startswith("  try: ")
    typed = type_in(advice.removeprefix("  try: "), place)
    assert typed.returncode == 0, (advice, typed.stderr)
    if case.again:
        assert type_in(line, place).returncode == 0
    else:
        assert "minidock " in advice


def test_there_are_as_many_as_promised() -> None:
    assert len(CASES) >= 15


# ── Where the machine is the cause, doctor names the same way out ────────────────────────


@pytest.fixture
def own(place: Path) -> Iterator[str]:
    """Give the variables of an engine of its own, for `env`; it is ended at the end."""
    settings = f"MINIDOCK_ROOT={place}/own MINIDOCK_HOST=unix://{place}/own.sock"
    yield settings
    assert type_in(f"env {settings} minidock system reset --force", place).returncode == 0


def rows_of_doctor(told: str) -> dict[str, dict[str, str]]:
    """Read what `doctor --json` says, by the names of its rows."""
    return {row["name"]: row for row in json.loads(told)["capabilities"]}


def test_without_root_and_user_namespaces_the_engine_says_what_doctor_says(
    place: Path, own: str
) -> None:
    user = (
        "unshare --user --map-user=1000 --keep-caps sh -c 'echo 0 > "
        "/proc/sys/user/max_user_namespaces; exec setpriv --inh-caps=-all "
        f'--ambient-caps=-all env {own} "$@"\' sh'
    )
    refused = type_in(f"{user} env MINIDOCK_BACKEND=linux-root minidock ps", place)
    assert refused.returncode == 1
    assert "linux-root does not work here" in refused.stderr
    why = re.search("why: (namespaces take root.*)", refused.stderr)
    assert why, refused.stderr
    told = type_in(f"{user} minidock doctor --json", place)
    assert told.returncode == 0, told.stderr
    rows = rows_of_doctor(told.stdout)
    assert rows["backend"]["reason"] == f"simulated: {why[1]}"
    assert rows["user namespaces"]["fix"].startswith("sudo sysctl user.max_user_namespaces")


def test_a_capability_that_this_root_lacks_is_missing_in_doctor_too(
    place: Path, own: str
) -> None:
    poor = f"setpriv --bounding-set=-sys_boot env {own}"
    assert type_in(f"{poor} minidock bootstrap busybox", place).returncode == 0
    refused = type_in(f"{poor} minidock run --rm --cap-add SYS_BOOT busybox true", place)
    assert refused.returncode == 125
    what, _, advice = refused.stderr.splitlines()
    assert what.endswith("this machine's root lacks CAP_SYS_BOOT")
    line = advice.removeprefix("  try: ").replace("minidock", f"{poor} minidock", 1)
    assert type_in(line, place).returncode == 0
    told = type_in(f"{poor} minidock doctor --json", place).stdout
    row = rows_of_doctor(told)["capabilities"]
    assert row["state"] == "limited"
    assert "CAP_SYS_BOOT" in row["reason"]
    assert row["fix"]
