"""`docker events` tells of a script what dockerd tells of it: each message, in order.

Ids are numbered as they appear, names of our own making are called so, and how long
something ran is left out.  Networks are compared where there are some.
"""

import json
import re
import shlex
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.compat.sides import Side, Sides

pytestmark = pytest.mark.compat

N = "--network=none"

# A name to each script, and its lines for the stock command line; `@` waits for a container
# to be running no longer.
SCRIPTS: dict[str, str] = {
    "a life": f"""
create {N} --name told --label tier=front twin sh -c "exit 3"
start told
@told
rm told
""",
    "run and remove": f"""
run {N} --rm twin true
run {N} --name told twin sh -c "exit 5"
start -a told
rm told
""",
    "a program that is not there": f"""
run {N} --name told twin nosuch
rm told
run {N} --rm twin nosuch
""",
    "second processes": f"""
run {N} -d --name told twin sleep 1000
exec told true
exec told sh -c "exit 3"
exec told nosuch
exec -d told true
@alone told
kill -s USR1 told
kill told
@told
rm told
""",
    "by force": f"""
run {N} -d --name told twin sleep 1000
rm -f told
""",
    "stop and restart": f"""
run {N} -d --name told twin sleep 1000
stop -t 0 told
stop -t 0 told
start told
restart -t 0 told
pause told
unpause told
rename told retold
update --cpu-shares 512 retold
top retold
rm -f retold
""",
    "copies and commits": f"""
run {N} -d --name told twin sleep 1000
cp told:/etc/passwd passwd
cp passwd told:/tmp/
export -o tree told
commit -m hello told twin:told
commit told
rmi twin:told
rm -f told
import tree twin:imported
rmi twin:imported
image prune -f
""",
    "names of images": """
tag twin twin:2
tag twin twin:2
rmi twin:2
save -o saved twin
load -i saved
container prune -f --filter label=nobody
""",
    "a build": """
build -q -t twin:built .
build -q -t twin:built .
rmi twin:built
""",
    "a build that fails": """
build -q -f Failing .
container prune -f --filter label=whose=events
""",
    "memory": f"""
run {N} --name told -m 32m twin sh -c "x=a; while true; do x=$x$x$x$x; done"
rm told
""",
    "health": f"""
run {N} -d --name told --health-cmd true --health-interval 3s twin sleep 1000
@healthy told
rm -f told
""",
    "volumes": f"""
volume create told-v
volume create told-v
run {N} --name told -v told-v:/m -v /un twin true
cp file told:/m/f
cp told:/m/f copied
rm -v told
run {N} --rm --name told -v told-v:/m:ro -v /un twin true
run {N} --rm --name told -v told-v:/m twin /nonsense
run {N} -d --name told --mount src=told-v,dst=/m,readonly twin sleep 1000
restart -t 0 told
kill told
@told
rm -f told
volume rm told-v
volume rm told-v
volume prune -f
""",
    "policy": f"""
run {N} -d --name told --restart on-failure:2 twin false
@told
rm told
""",
}


@pytest.fixture(scope="module")
def place(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory to build in; what fails in it is labelled, so that it can be pruned."""
    place = tmp_path_factory.mktemp("events")
    (place / "Dockerfile").write_text("FROM twin\nRUN echo hi >/hi\nCOPY file /file\n")
    (place / "Labelled").write_text("FROM twin\nLABEL whose=events\n")
    (place / "Failing").write_text("FROM labelled\nRUN false\n")
    (place / "file").write_text("here\n")
    for side in sides:
        done = side.docker(
            "build", "-q", "-f", "Labelled", "-t", "labelled", ".", cwd=place
        )
        assert done.returncode == 0, done.stderr
    yield place
    for side in sides:
        side.docker("rmi", "labelled")


class Play:
    """One engine plays a script and listens to itself."""

    def __init__(self, side: Side, place: Path) -> None:
        self.side, self.place = side, place
        self._ids: list[str] = []

    def lines(self, script: str) -> Iterator[str]:
        """Play it; give what was told, one line for each message."""
        begun = time.time()
        try:
            for line in script.strip().splitlines():
                if line.startswith("@"):
                    self._wait(line.removeprefix("@").split())
                    continue
                self.side.docker(*shlex.split(line), cwd=self.place)
        finally:  # else the next script meets what this one left
            self.side.remove("told", "retold")
        ended = time.time()
        told = self.side.ask("GET", f"/events?since={begun:.9f}&until={ended:.9f}")
        for text in told.body.splitlines():
            message = json.loads(text)
            if message["Type"] != "network":
                yield self._plain(message)

    def _wait(self, words: list[str]) -> None:
        """Wait for a state; the deadline is far above what anything here takes."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            told = self.side.ask("GET", f"/containers/{words[-1]}/json").json
            health = told["State"].get("Health", {}).get("Status", "")
            alone = "" if told["ExecIDs"] else "alone"
            if (words[0] if words[1:] else "exited") in (
                told["State"]["Status"], health, alone,
            ):  # fmt: skip
                return
            time.sleep(0.02)
        raise AssertionError(f"{words} did not come")

    def _plain(self, message: dict[str, Any]) -> str:
        attributes = dict(message["Actor"]["Attributes"])
        if "execDuration" in attributes:
            attributes["execDuration"] = "N"
        if attributes.get("reclaimed", "0") != "0":
            attributes["reclaimed"] = "some"
        if re.fullmatch(r"[a-z]+_[a-z]+|[a-z]+-[a-z]+", attributes.get("name", "")):
            attributes["name"] = "made up"
        said = {key: message[key] for key in message if key not in ("time", "timeNano")}
        said["Actor"] = {"ID": message["Actor"]["ID"], "Attributes": attributes}
        text = re.sub(r"[0-9a-f]{64}", self._number, json.dumps(said))
        assert message["time"] == message["timeNano"] // 10**9
        return text

    def _number(self, found: re.Match[str]) -> str:
        if found[0] not in self._ids:
            self._ids.append(found[0])
        return f"<{self._ids.index(found[0]) + 1}>"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_told_as_docker_tells_it(sides: Sides, place: Path, name: str) -> None:
    theirs, ours = ([*Play(side, place).lines(SCRIPTS[name])] for side in sides)
    assert theirs, "the script tells something"
    assert _in_turn(ours) == _in_turn(_once(theirs))


def _once(lines: list[str]) -> list[str]:
    """Leave out that Docker hears from containerd of a pause that was over, as of another.

    No script pauses twice.
    """
    again = {at for at, line in enumerate(lines) if 'pause", "Actor"' in line
             and line in lines[:at]}  # fmt: skip
    return [line for at, line in enumerate(lines) if at not in again]


_HUNG = re.compile(r'{"Type": "volume", "Action": "(un)?mount"')


def _in_turn(lines: list[str]) -> list[str]:
    """Give them in the one order where threads of dockerd tell them in either, or twice.

    `die` comes after `stop`.  Volumes that are hung up or let go of at once come in order
    of a map, which in Go is another one each time.  A pause around a commit is told by who
    pauses and, now and then once more, by who hears of it from containerd: there it is
    left out.
    """
    if any('"Action": "commit"' in line for line in lines):
        lines = [line for line in lines if 'pause", "Actor"' not in line]
    runs = groupby(lines, key=lambda line: _HUNG.match(line) is not None)
    lines = [line for is_hung, run in runs for line in (sorted(run) if is_hung else run)]
    for at in range(len(lines) - 1):
        if '"Action": "die"' in lines[at] and '"Action": "stop"' in lines[at + 1]:
            lines[at : at + 2] = lines[at + 1], lines[at]
    return lines
