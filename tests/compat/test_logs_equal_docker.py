"""Logs are Docker's: the files on the disk, the bytes on the wire, and what people see.

The same programs run on both engines.  Times differ and are made equal, and where a program
prints on both outputs each is compared by itself: in which order two pipes are read is
chance, on either engine.
"""

import contextlib
import gzip
import itertools
import json
import re
import struct
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from tests.minidock_cli import Minidock
from tests.rawapi import UnixConnection, ask
from tests.reference import Reference, program, wait_until

pytestmark = pytest.mark.compat

_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_NAME = re.compile(rb"\b[a-z]+_[a-z]+\d?\b")  # of a container that nobody named


HEADERS = {"Content-Type": "application/json", "Host": "docker"}


class Answer(NamedTuple):
    """What came over the wire."""

    status: int
    kind: str | None
    body: bytes


@dataclass
class Engine:
    """One engine: its API, its files as they are seen from here, its containers."""

    socket: Path
    image: str
    files: Path
    made: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, wish: object = None) -> Answer:
        """Ask over the API and read all of the answer."""
        told = ask(self.socket, method, path, wish, headers=HEADERS)
        body = told.body
        if told.status >= 400:  # ours says more than this, beside it
            body = str(told.document()["message"]).encode()
        return Answer(told.status, told.headers.get("Content-Type"), body)

    def create(self, script: str, **config: Any) -> Answer:
        """Make a container that runs `script`; `log` is its LogConfig."""
        host = {"NetworkMode": "none", "LogConfig": config.pop("log", {})}
        host |= config.pop("host", {})
        wish = {"Image": self.image, "Cmd": ["sh", "-c", script], "HostConfig": host}
        answer = self.ask("POST", "/containers/create", wish | config)
        if answer.status == 201:
            self.made.append(json.loads(answer.body)["Id"])
        return answer

    def started(self, script: str, **config: Any) -> str:
        """Make a container and start it; give its id."""
        assert self.create(script, **config).status == 201
        answer = self.ask("POST", f"/containers/{self.made[-1]}/start")
        assert answer.status == 204, answer
        return self.made[-1]

    def ran(self, script: str, **config: Any) -> str:
        """Run a container to its end; give its id."""
        container = self.started(script, **config)
        self.ask("POST", f"/containers/{container}/wait")
        return container

    def logs(self, container: str, **query: object) -> Answer:
        """Read a log."""
        return self.ask("GET", f"/containers/{container}/logs?{urlencode(query)}")

    def file(self, container: str, suffix: str = "") -> bytes:
        """Read a file of the log as it is on the disk."""
        path = self.path(container)
        return path.with_name(path.name + suffix).read_bytes()

    def path(self, container: str) -> Path:
        """Where the log is, as it is seen from here."""
        answer = self.ask("GET", f"/containers/{container}/json")
        path: str = json.loads(answer.body)["LogPath"]
        return self.files / path.lstrip("/")

    def docker(self, *words: str) -> tuple[int, bytes, bytes]:
        """Run the stock command line."""
        done = subprocess.run(
            [program("docker"), "--host", f"unix://{self.socket}", *words],
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60,
        )  # fmt: skip
        return done.returncode, still(done.stdout), still(done.stderr)

    def clear(self) -> None:
        """Leave no container."""
        for container in self.made:
            self.ask("DELETE", f"/containers/{container}?force=1")


@pytest.fixture(scope="module")
def theirs(reference: Reference) -> Iterator[Engine]:
    files = Path(f"/proc/{reference.pid}/root")
    engine = Engine(reference.socket, reference.image, files)
    yield engine
    engine.clear()


@pytest.fixture(scope="module")
def ours(minidock: Minidock) -> Iterator[Engine]:
    engine = Engine(minidock.host, minidock.image, Path("/"))
    yield engine
    engine.clear()


def still(data: bytes) -> bytes:
    """Put words in the place of times and names, which differ from run to run."""
    return _NAME.sub(b"NAME", _ID.sub(b"ID", _TIME.sub(b"TIME", data)))


def frames(answer: Answer) -> dict[int, list[bytes]]:
    """Take a framed body apart: what came on each stream, frame by frame."""
    found: dict[int, list[bytes]] = {}
    body = answer.body
    while body:
        stream, length = struct.unpack_from(">BxxxI", body)
        found.setdefault(stream, []).append(still(body[8 : 8 + length]))
        body = body[8 + length :]
    return found


PROGRAMS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "lines": ("echo one; echo two; echo three", {}),
    "both": ("echo out; echo err >&2; echo more; echo worse >&2", {}),
    "unended": ("echo whole; printf 'no end'", {}),
    "silent": ("true", {}),
    "blank lines": ("echo; echo; printf '\\n\\n'", {}),
    "escapes": (
        r"""printf '<a href="x">&amp;</a>\\ \t\b\f\r\v\000\001\033[1m\177\n'""", {},
    ),
    "utf8": (r"printf 'gr\303\274n \342\202\254 \342\200\250 \342\200\251\n'", {}),
    "no utf8": (
        r"printf '\377 \303( \342\202 \355\240\200 \300\257 \364\220\200\200\n'", {},
    ),
    "long": ("head -c 40000 /dev/zero | tr '\\0' x; echo; echo next", {}),
    "exactly": ("head -c 16384 /dev/zero | tr '\\0' x; echo; echo next", {}),
    "almost": ("head -c 16383 /dev/zero | tr '\\0' x; echo; echo next", {}),
    "long unended": ("head -c 20000 /dev/zero | tr '\\0' x", {}),
    "cut character": (
        r"head -c 16383 /dev/zero | tr '\0' x; printf '\303\274\n'; echo next", {},
    ),
    "terminal": ("echo out; echo err >&2; printf end", {"Tty": True}),
    "labels": ("echo x", {
        "Labels": {"a": "1 <&>é", "b": "", "cc": "3"}, "Env": ["E=1=2 3", "F="],
        "log": {"Type": "json-file", "Config": {
            "labels": "a,zz", "labels-regex": "^c+$", "env": "E", "env-regex": "F"}},
    }),
    "tag": ("echo x", {"log": {"Type": "json-file", "Config": {
        "tag": "{{.Name}}/{{.FullID}} {{upper .Command}} {{json .Config}}"}}}),
    "template": ("echo x", {"Labels": {"a": "<1 & 2>"}, "Env": ["E=1"],
        "log": {"Type": "json-file", "Config": {"tag":
        '{{range $k, $v := .ContainerLabels}}{{$k}}={{$v}};{{end}}{{json .ContainerLabels}}'
        '{{index .ContainerLabels "a"}}{{.ContainerArgs}}{{.ContainerEntrypoint}}'
        '{{if .Config}}{{.Command | title}}{{end}}{{index .ContainerEnv 0}}'}}}),
    "mode": ("echo x", {"log": {"Type": "json-file", "Config": {
        "mode": "non-blocking", "max-buffer-size": "1m"}}}),
}  # fmt: skip


@pytest.fixture(scope="module")
def ran(theirs: Engine, ours: Engine) -> dict[str, tuple[str, str]]:
    """Both engines' container for each program that has been asked for."""
    return {
        name: (theirs.ran(script, **config), ours.ran(script, **config))
        for name, (script, config) in PROGRAMS.items()
    }


Ran = dict[str, tuple[str, str]]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_file_holds_the_same_records(
    theirs: Engine, ours: Engine, ran: Ran, name: str
) -> None:
    def records(engine: Engine, container: str) -> list[bytes]:
        lines = still(engine.file(container)).splitlines(keepends=True)
        return sorted(lines, key=lambda line: json.loads(line)["stream"])

    their_one, our_one = ran[name]
    assert records(ours, our_one) == records(theirs, their_one)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(
    "query",
    [
        {}, {"tail": "1"}, {"tail": "2"}, {"tail": "0"}, {"tail": "all"}, {"tail": "-1"},
        {"timestamps": "1"}, {"details": "True"}, {"details": "1", "timestamps": "1"},
        {"timestamps": "1", "tail": "2"}, {"since": "1"}, {"until": "1"}, {"until": "0"},
        {"since": "9999999999"}, {"follow": "1"}, {"follow": "1", "tail": "0"},
    ],
    ids=lambda query: urlencode(query) or "all",
)  # fmt: skip
def test_the_wire_carries_the_same_bytes(
    theirs: Engine, ours: Engine, ran: Ran, name: str, query: Mapping[str, str]
) -> None:
    their_one, our_one = ran[name]
    if name == "both" and query.get("tail") in ("1", "2"):
        query = {**query, "tail": "4"}  # which line is the last is chance
    for streams in ({"stdout": 1}, {"stderr": 1}, {"stdout": 1, "stderr": 1}):
        wanted = theirs.logs(their_one, **streams, **query)
        got = ours.logs(our_one, **streams, **query)
        assert got[:2] == wanted[:2]
        if name == "terminal":
            assert still(got.body) == still(wanted.body)
        else:
            assert frames(got) == frames(wanted)


QUERIES = ("", "stdout=0", "stdout=1&since=abc", "stdout=1&until=abc", "stdout=1&since=1.x",
           "stdout=1&since=-5", "stdout=1&since=2026-01-01", "stdout=1&since=1e3",
           "stdout=1&since=1.", "stdout=1&since=.5", "stdout=1&since=1.9999999999",
           "stdout=1&since=99999999999999999999", "stdout=1&tail=%2B2", "stdout=1&tail=+2",
           "stdout=1&tail=1_0", "stdout=1&tail=99999999999999999999", "stdout=no",
           "stdout=TRUE&tail=", "stdout=1&since=&until=",
           "stdout=1&tail=1&tail=2")  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("version", ["", "/v1.41"])
def test_odd_questions_have_the_same_answers(
    theirs: Engine, ours: Engine, ran: Ran, query: str, version: str
) -> None:
    for name in ("lines", "terminal"):
        their_one, our_one = ran[name]
        wanted = theirs.ask("GET", f"{version}/containers/{their_one}/logs?{query}")
        assert ours.ask("GET", f"{version}/containers/{our_one}/logs?{query}") == wanted
    wanted = theirs.ask("GET", f"{version}/containers/nope/logs?{query}")
    assert ours.ask("GET", f"{version}/containers/nope/logs?{query}") == wanted


@pytest.mark.parametrize(
    "flags",
    [
        [], ["-t"], ["--details"], ["-t", "--details"], ["-n", "1"], ["--tail", "all"],
        ["-f"], ["-f", "-n", "1", "-t"], ["--since", "1h"], ["--until", "1h"],
        ["--since", "2001-01-01T00:00:00Z", "--until", "2001-01-02"], ["--since", "foo"],
        ["--tail", "x"], ["--since", "1.5"], ["--until", "2099-01-01"], ["--nope"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_stock_command_line_shows_the_same(
    theirs: Engine, ours: Engine, ran: Ran, flags: list[str]
) -> None:
    for name in ("lines", "both", "unended", "labels", "terminal", "escapes"):
        if name == "both" and "1" in flags:
            continue
        their_one, our_one = ran[name]
        wanted = theirs.docker("logs", *flags, their_one)
        assert ours.docker("logs", *flags, our_one) == wanted


def test_a_container_that_never_ran_has_an_empty_log(theirs: Engine, ours: Engine) -> None:
    for engine in (theirs, ours):
        engine.create("echo x")
        for query in ({"stdout": 1}, {"stdout": 1, "follow": 1}):
            answer = engine.logs(engine.made[-1], **query)
            assert answer == (200, "application/vnd.docker.multiplexed-stream", b"")


def test_without_a_log_there_is_nothing_to_read(theirs: Engine, ours: Engine) -> None:
    answers = []
    for engine in (theirs, ours):
        container = engine.ran("echo x", log={"Type": "none", "Config": {"any": "thing"}})
        answers.append([
            engine.logs(container, stdout=1), engine.logs(container),
            engine.logs(container, stdout=1, since="abc"),
            engine.docker("logs", container),
            json.loads(engine.ask("GET", f"/containers/{container}/json").body)["LogPath"],
        ])  # fmt: skip
    assert answers[1] == answers[0]


def test_the_driver_local_is_read_alike_and_hides_its_file(
    theirs: Engine, ours: Engine
) -> None:
    answers = []
    for engine in (theirs, ours):
        script = "echo one; printf '<\\377>'; head -c 40000 /dev/zero | tr '\\0' x"
        container = engine.ran(script, log={"Type": "local", "Config": {"max-size": "1m"}})
        told = json.loads(engine.ask("GET", f"/containers/{container}/json").body)
        answer = engine.logs(container, stdout=1, timestamps=1)
        texts = [text.partition(b" ")[2] for text in frames(answer)[1]]
        answers.append((b"".join(texts), told["LogPath"], told["HostConfig"]["LogConfig"]))
    assert answers[1][1:] == answers[0][1:]
    assert answers[1][0].replace("\ufffd".encode(), b"\xff") == answers[0][0]


OPTIONS: tuple[tuple[str, Mapping[str, str]], ...] = (
    *(("json-file", options) for options in (
        {"foo": "1"}, {"max-size": "x"}, {"max-size": "-1"}, {"max-size": "0"},
        {"max-size": ""}, {"max-size": "1.5k"}, {"max-size": "10KiB"}, {"max-size": "1 m"},
        {"max-file": "0"}, {"max-file": "x"}, {"max-file": "-2"}, {"max-file": "3"},
        {"max-file": ""}, {"compress": "true"}, {"compress": "true", "max-size": "1k"},
        {"compress": "maybe"}, {"compress": "f"}, {"mode": "x"}, {"mode": "blocking"},
        {"mode": "blocking", "max-buffer-size": "1m"}, {"max-buffer-size": "1m"},
        {"mode": "non-blocking", "max-buffer-size": "zz"}, {"tag": "{{.Nope}}"},
        {"tag": "{{.Name"}, {"tag": "{{nope .ID}}"}, {"tag": "{{.ID.X}}"},
        {"tag": "{{if}}"}, {"labels-regex": "("}, {"labels-regex": ")"},
        {"env-regex": "a**"}, {"env-regex": "[a"}, {"env-regex": "*"},
        {"env-regex": "a{2}+"},
        {"cache-disabled": "true"},
    )),
    ("nope", {}), ("JSON-FILE", {}), ("nope", {"mode": "x"}), ("none", {"foo": "1"}),
    ("local", {"foo": "1"}), ("local", {"max-size": "x"}), ("local", {"max-file": "0"}),
    ("local", {"compress": "maybe"}), ("local", {"max-file": "x"}),
    ("local", {"max-file": "-1"}), ("local", {"max-file": "1"}), ("local", {"tag": "{{"}),
    ("local", {"max-file": "0", "compress": "0"}), ("local", {"max-size": "-1"}),
    ("local", {"max-file": "1", "compress": "no"}), ("local", {"max-size": "0"}),
 ("", {"max-size": "1k"}), ("", {"foo": "x"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("driver", "options"), OPTIONS, ids=lambda v: v if isinstance(v, str) else urlencode(v)
)
def test_options_are_refused_with_the_same_words(
    theirs: Engine, ours: Engine, driver: str, options: Mapping[str, str]
) -> None:
    answers = []
    for engine in (theirs, ours):
        made = engine.create("true", log={"Type": driver, "Config": options})
        told = [(made.status, made.body if made.status != 201 else b"")]
        if made.status == 201:
            begun = engine.ask("POST", f"/containers/{engine.made[-1]}/start")
            told.append((begun.status, begun.body))
        answers.append(told)
    assert answers[1] == answers[0]


# ── While the program prints ─────────────────────────────────────────────────────────────


def test_who_follows_gets_every_line_and_the_end(theirs: Engine, ours: Engine) -> None:
    script = "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; exit 3"
    for engine, follow in itertools.product((theirs, ours), ({}, {"tail": "all"})):
        container = engine.started(f"sleep 0.2; {script}")
        answer = engine.logs(container, stdout=1, follow=1, **follow)
        assert frames(answer)[1] == [b"line %d\n" % number for number in range(300)]


def test_who_follows_leaves_with_the_program_even_if_it_is_started_again(
    theirs: Engine, ours: Engine
) -> None:
    for engine in (theirs, ours):
        container = engine.started("echo x; sleep 0.3")
        assert frames(engine.logs(container, stdout=1, follow=1)) == {1: [b"x\n"]}
        engine.ask("POST", f"/containers/{container}/start")
        assert frames(engine.logs(container, stdout=1, follow=1)) == {1: [b"x\n", b"x\n"]}


def test_times_bound_what_is_shown_and_the_bounds_are_inside(
    theirs: Engine, ours: Engine
) -> None:
    """Each engine by its own clock: what it says a record's time is, it goes by."""
    for engine in (theirs, ours):
        container = engine.ran("for i in 1 2 3 4 5 6; do echo $i; sleep 0.03; done")
        stamped = [
            line.split(b" ")
            for line in re.findall(rb"[\dT:.Z-]{30} \d", engine.logs(
                container, stdout=1, timestamps=1).body)
        ]  # fmt: skip
        times = [since_1970(line[0].decode()) for line in stamped]
        for low, high in itertools.combinations_with_replacement(times, 2):
            answer = engine.logs(
                container, stdout=1, since=seconds(low), until=seconds(high)
            )
            wanted = [
                line[1] + b"\n"
                for line, time in zip(stamped, times, strict=True)
                if low <= time <= high
            ]
            assert frames(answer)[1] == wanted
            tail = engine.logs(container, stdout=1, until=seconds(low), tail=1)
            assert frames(tail) == ({1: [b"6\n"]} if low == times[-1] else {})


def since_1970(time: str) -> int:
    """Read a time as nanoseconds since 1970."""
    done = subprocess.run(
        ["date", "--date", time, "+%s%N"], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def seconds(nanoseconds: int) -> str:
    """Write a time as clients do."""
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09}"


def test_follow_ends_at_the_first_record_after_until(theirs: Engine, ours: Engine) -> None:
    for engine in (theirs, ours):
        container = engine.started("while :; do echo x; sleep 0.1; done")
        wanted = {"stdout": 1, "follow": 1, "timestamps": 1}
        with contextlib.closing(UnixConnection(engine.socket)) as line:
            target = f"/containers/{container}/logs?{urlencode(wanted)}"
            line.request("GET", target, headers=HEADERS)
            first = line.getresponse().read(39)[8:].partition(b" ")[0]
        last = since_1970(first.decode()) + 300_000_000
        answer = engine.logs(container, until=seconds(last), **wanted)
        times = [since_1970(found[0].decode()) for found in _TIME.finditer(answer.body)]
        assert times
        assert max(times) <= last


@pytest.mark.parametrize("most_files", [1, 3])
def test_a_log_with_a_limit_keeps_its_last_lines_in_so_many_files(
    theirs: Engine, ours: Engine, most_files: int
) -> None:
    script = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done"
    config = {"max-size": "1k", "max-file": str(most_files)}
    for engine in (theirs, ours):
        container = engine.ran(script, log={"Type": "json-file", "Config": config})
        shown = frames(engine.logs(container, stdout=1))[1]
        first = 200 - len(shown)
        assert shown == [b"line %d\n" % number for number in range(first, 200)]
        suffixes = [f".{number}" for number in range(most_files - 1, 0, -1)]
        full = [engine.file(container, suffix) for suffix in suffixes]
        assert all(1000 <= len(file) < 1100 for file in full)
        kept = b"".join([*full, engine.file(container)])
        assert [json.loads(line)["log"].encode() for line in kept.splitlines()] == shown
        for count in (1, 5, 15, 25, 1000):
            tail = frames(engine.logs(container, stdout=1, tail=count))[1]
            assert tail == shown[-count:]


def are_packed(log: Path) -> bool:
    """Tell whether all full files of a log have been compressed."""
    names = sorted(path.name.removeprefix(log.name) for path in log.parent.glob("*.log*"))
    return names == ["", ".1.gz", ".2.gz"]


def test_full_files_are_packed_if_that_is_wanted(theirs: Engine, ours: Engine) -> None:
    script = "for i in $(seq 200); do echo line $i; usleep 5000; done"
    config = {"max-size": "2k", "max-file": "3", "compress": "true"}
    for engine in (theirs, ours):
        container = engine.ran(script, log={"Type": "json-file", "Config": config})
        wait_until(partial(are_packed, engine.path(container)), 60, "packed files")
        shown = frames(engine.logs(container, stdout=1))[1]
        first = 201 - len(shown)
        assert shown == [b"line %d\n" % number for number in range(first, 201)]
        inside = gzip.decompress(engine.file(container, ".2.gz")).splitlines()
        assert json.loads(inside[0])["log"].encode() == shown[0]
        assert frames(engine.logs(container, stdout=1, tail=30))[1] == shown[-30:]


def test_names_and_parts_of_ids_find_the_same_log(theirs: Engine, ours: Engine) -> None:
    for engine in (theirs, ours):
        container = engine.ran("echo x")
        told = json.loads(engine.ask("GET", f"/containers/{container}/json").body)
        for reference in (container[:12], told["Name"][1:]):
            assert frames(engine.logs(reference, stdout=1)) == {1: [b"x\n"]}
