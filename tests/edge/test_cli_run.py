"""`minidock run` and its neighbours on the real kernel: streams, codes, keys, signals."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.edge.terminal import terminal
from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge

DETACH = b"\x10\x11"
PATIENCE_S = 30


def raw(minidock: Minidock, *args: str, stdin: bytes = b"") -> tuple[bytes, bytes, int]:
    """Run a command with bytes; give what it wrote to each stream, and its code."""
    ran = subprocess.run(
        minidock.words(*args), input=stdin, capture_output=True, check=False,
        env=minidock.environment, timeout=PATIENCE_S,
    )  # fmt: skip
    return ran.stdout, ran.stderr, ran.returncode


def said(minidock: Minidock, *args: str) -> str:
    """Run a command that must succeed without a word on standard error."""
    ran = minidock.run(*args)
    assert (ran.returncode, ran.stderr) == (0, ""), ran
    return ran.stdout


def names(minidock: Minidock, *flags: str) -> list[str]:
    """Name the containers that `ps` lists."""
    return [line.split()[-1] for line in said(minidock, "ps", *flags).splitlines()[1:]]


def is_gone(minidock: Minidock, name: str) -> Callable[[], bool]:
    """Ask whether a container is no more."""
    return lambda: name not in names(minidock, "-a")


@pytest.fixture
def web(minidock: Minidock) -> Iterator[str]:
    """Give a container that runs."""
    said(minidock, "run", "-d", "--name", "web", "busybox", "sleep", "1000")
    yield "web"
    assert minidock.run("rm", "-f", "web").returncode == 0


# ── Streams ──────────────────────────────────────────────────────────────────────────────


def test_the_two_outputs_stay_apart_and_nothing_is_added(minidock: Minidock) -> None:
    script = "echo out; echo err >&2; printf '\\377\\000\\r\\n'"
    out, err, code = raw(minidock, "run", "--rm", "busybox", "sh", "-c", script)
    assert (out, err, code) == (b"out\n\xff\x00\r\n", b"err\n", 0)


def test_the_first_words_are_never_lost(minidock: Minidock) -> None:
    for _ in range(10):
        assert said(minidock, "run", "--rm", "busybox", "echo", "hi") == "hi\n"


def test_a_program_may_print_more_than_anybody_buffers(minidock: Minidock) -> None:
    out, err, code = raw(
        minidock, "run", "--rm", "busybox", "head", "-c", "5000000", "/dev/zero"
    )
    assert (len(out), err, code) == (5_000_000, b"", 0)


def test_a_megabyte_goes_in_and_comes_out(minidock: Minidock) -> None:
    data = os.urandom(1 << 20)
    assert raw(minidock, "run", "--rm", "-i", "busybox", "cat", stdin=data) == (
        data, b"", 0,
    )  # fmt: skip


def test_the_end_of_our_input_is_the_end_of_the_programs_input(minidock: Minidock) -> None:
    out, _, code = raw(
        minidock, "run", "--rm", "-i", "busybox", "sh", "-c", "cat; echo after",
        stdin=b"before\n",
    )  # fmt: skip
    assert (out, code) == (b"before\nafter\n", 0)


def test_without_i_the_program_reads_nothing_of_ours(minidock: Minidock) -> None:
    assert raw(minidock, "run", "--rm", "busybox", "cat", stdin=b"ours") == (b"", b"", 0)


def test_a_reader_that_goes_away_ends_the_client_as_any_filter(minidock: Minidock) -> None:
    client = subprocess.Popen(
        minidock.words("run", "--name", "chatty", "busybox", "yes"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=minidock.environment,
    )  # fmt: skip
    assert client.stdout is not None
    assert client.stderr is not None
    try:
        assert client.stdout.readline() == b"y\n"
        client.stdout.close()
        assert client.wait(PATIENCE_S) in (-signal.SIGPIPE, 128 + signal.SIGPIPE)
        assert client.stderr.read() == b""
    finally:
        client.stderr.close()
        minidock.run("rm", "-f", "chatty")


# ── Exit codes ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        pytest.param(["sh", "-c", "exit 42"], 42, "", id="its own"),
        pytest.param(["sh", "-c", "sh -c 'kill -9 $$'; exit $?"], 137, "Killed", id="137"),
        pytest.param(
            ["nope"], 127, 'exec: "nope": executable file not found in $PATH', id="127"
        ),
        pytest.param(
            ["/nope"], 127, 'exec: "/nope": stat /nope: no such file or directory',
            id="127 for a path",
        ),
        pytest.param(
            ["/etc/passwd"], 126, 'exec: "/etc/passwd": permission denied', id="126"
        ),
        pytest.param(["/etc"], 126, 'exec: "/etc": is a directory', id="126 a directory"),
    ],
)  # fmt: skip
def test_exit_codes_are_dockers(
    minidock: Minidock, words: list[str], code: int, text: str
) -> None:
    ran = minidock.run("run", "--rm", "busybox", *words)
    assert ran.returncode == code
    assert text in ran.stderr
    assert ran.stdout == ""


def test_what_cannot_be_started_is_125(minidock: Minidock) -> None:
    ran = minidock.run("run", "--rm", "--user", "nobodyx", "busybox", "true")
    assert ran.returncode == 125
    first, why, try_next = ran.stderr.splitlines()
    assert first == (
        "minidock: Error response from daemon: unable to find user nobodyx: "
        "no matching entries in passwd file"
    )
    assert why.startswith("  why: ")
    assert try_next.startswith("  try: minidock run ")


def test_a_container_killed_by_a_signal_ends_with_128_and_its_number(
    minidock: Minidock,
) -> None:
    client = subprocess.Popen(
        minidock.words("run", "--rm", "--name", "victim", "busybox", "sleep", "1000"),
        stdin=subprocess.DEVNULL, env=minidock.environment,
    )  # fmt: skip
    wait_until(lambda: "victim" in names(minidock), PATIENCE_S, "the victim")
    assert said(minidock, "kill", "-s", "KILL", "victim") == "victim\n"
    assert client.wait(PATIENCE_S) == 128 + signal.SIGKILL
    assert "victim" not in names(minidock, "-a")


# ── What is asked for is there ───────────────────────────────────────────────────────────


def test_variables_stand_in_dockers_order(minidock: Minidock, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("FILE=1\n")
    given = ["-e", "B=2", "-e", "A=1", "--env-file", str(tmp_path / "env"), "-h", "web"]
    told = said(minidock, "run", "--rm", *given, "busybox", "env").splitlines()
    assert [line.partition("=")[0] for line in told] == [
        "PATH", "HOSTNAME", "FILE", "B", "A", "HOME",
    ]  # fmt: skip
    assert {"HOSTNAME=web", "FILE=1", "HOME=/root"} <= set(told)


@pytest.mark.parametrize(
    ("flags", "script", "told"),
    [
        (
            ["-u", "1000:1001", "--group-add", "7"],
            "id -u; id -g; id -G",
            "1000 1001 1001 7",
        ),
        (["-w", "/new/place"], "pwd", "/new/place"),
        (["--read-only"], "touch /x 2>/dev/null || echo refused", "refused"),
        (["--read-only", "--tmpfs", "/run"], "touch /run/x && echo written", "written"),
        (["--ulimit", "nofile=99:99"], "ulimit -n; ulimit -Hn", "99 99"),
        (["--entrypoint", "echo"], "", "-c"),
    ],
)
def test_flags_are_seen_inside(
    minidock: Minidock, flags: list[str], script: str, told: str
) -> None:
    words = ["sh", "-c", script] if script else ["-c"]
    ran = said(minidock, "run", "--rm", *flags, "busybox", *words)
    assert " ".join(ran.split()) == told


# ── Terminals ────────────────────────────────────────────────────────────────────────────


def test_a_terminal_has_our_size_and_follows_it(minidock: Minidock) -> None:
    script = (
        "tty; stty size; while [ \"$(stty size)\" != '20 60' ]; do sleep 0.1; done; exit 5"
    )
    with terminal(minidock, "run", "--rm", "-it", "busybox", "sh", "-c", script) as seen:
        before = seen.settings()
        assert seen.await_text(rb"/dev/\S+\r\n33 77\r\n").startswith(b"/dev/pts/0")
        assert seen.settings() != before  # raw, while the program runs
        seen.resize(20, 60)
        assert seen.client.wait(PATIENCE_S) == 5
        assert seen.settings() == before


def test_ctrl_c_belongs_to_the_program(minidock: Minidock) -> None:
    script = "trap 'echo heard; exit 3' INT; echo ready; while :; do sleep 0.1; done"
    with terminal(minidock, "run", "--rm", "-it", "busybox", "sh", "-c", script) as seen:
        seen.await_text(b"ready")
        seen.type(b"\x03")
        seen.await_text(b"heard")
        assert seen.client.wait(PATIENCE_S) == 3


def test_the_detach_keys_leave_the_program_alone(minidock: Minidock) -> None:
    with terminal(minidock, "run", "-it", "--name", "left", "busybox", "sh") as seen:
        before = seen.settings()
        seen.await_text(b"# ")
        seen.type(DETACH)
        assert seen.client.wait(PATIENCE_S) == 0
        assert seen.settings() == before
    assert "left" in names(minidock)
    assert said(minidock, "rm", "-f", "left") == "left\n"


def test_a_client_that_is_terminated_gives_the_terminal_back(minidock: Minidock) -> None:
    with terminal(minidock, "run", "-it", "--name", "left", "busybox", "sh") as seen:
        before = seen.settings()
        seen.await_text(b"# ")
        seen.client.send_signal(signal.SIGTERM)
        assert seen.client.wait(PATIENCE_S) in (-signal.SIGTERM, 128 + signal.SIGTERM)
        assert seen.settings() == before
    assert said(minidock, "rm", "-f", "left") == "left\n"


def test_it_needs_a_terminal_of_ours(minidock: Minidock) -> None:
    ran = minidock.run("run", "--rm", "-it", "busybox", "sh")
    assert ran.returncode == 1
    assert ran.stderr.startswith("minidock: the input device is not a TTY\n")


# ── Signals, and clients that end ────────────────────────────────────────────────────────


def test_signals_to_us_are_the_programs(minidock: Minidock) -> None:
    script = "trap 'echo heard; exit 7' USR1; echo ready; while :; do sleep 0.1; done"
    client = subprocess.Popen(
        minidock.words("run", "--rm", "busybox", "sh", "-c", script),
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=minidock.environment,
    )  # fmt: skip
    with client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"ready\n"
        client.send_signal(signal.SIGUSR1)
        assert client.stdout.read() == b"heard\n"
        assert client.wait(PATIENCE_S) == 7


def test_a_killed_client_leaves_nothing_of_a_program_that_reads(minidock: Minidock) -> None:
    client = subprocess.Popen(
        minidock.words("run", "--rm", "-i", "--name", "reader", "busybox", "cat"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=minidock.environment,
    )  # fmt: skip
    with client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(b"first\n")
        client.stdin.flush()
        assert client.stdout.readline() == b"first\n"
        client.kill()
        client.wait(PATIENCE_S)
        wait_until(is_gone(minidock, "reader"), PATIENCE_S, "its container to end")
    assert not list((minidock.root / "containers").iterdir())


# ── Neighbours ───────────────────────────────────────────────────────────────────────────


def test_detached_prints_the_id_and_the_short_verbs_find_it(minidock: Minidock) -> None:
    told = said(minidock, "run", "-d", "--name", "short", "busybox", "sleep", "1000")
    assert re.fullmatch(r"[0-9a-f]{64}\n", told)
    assert said(minidock, "ps", "-q") == told[:12] + "\n"
    assert f'"Id": "{told.strip()}"' in said(minidock, "inspect", "short")
    assert said(minidock, "stop", "-t", "0", told[:6]) == told[:6] + "\n"
    assert said(minidock, "wait", "short") == "137\n"
    assert "short" not in names(minidock)
    assert "short" in names(minidock, "-a")
    assert said(minidock, "rm", "short") == "short\n"


def test_create_and_start_are_run_in_two_parts(minidock: Minidock) -> None:
    made = said(
        minidock, "create", "--name", "twice", "busybox", "sh", "-c", "echo hi; exit 9"
    )
    assert len(made) == 65
    for _ in range(2):
        ran = minidock.run("start", "-a", "twice")
        assert (ran.stdout, ran.stderr, ran.returncode) == ("hi\n", "", 9)
    assert said(minidock, "rm", "twice") == "twice\n"


def test_exec_has_streams_and_a_code_of_its_own(minidock: Minidock, web: str) -> None:
    script = "echo out; echo err >&2; exit 3"
    assert raw(minidock, "exec", web, "sh", "-c", script) == (b"out\n", b"err\n", 3)
    assert raw(minidock, "exec", "-i", web, "cat", stdin=b"typed") == (b"typed", b"", 0)
    told = said(minidock, "exec", "-u", "1000", "-w", "/etc", "-e", "A=1", web, "sh", "-c",
                'id -u; pwd; echo "$A"')  # fmt: skip
    assert told.split() == ["1000", "/etc", "1"]


def test_exec_has_a_terminal_if_asked(minidock: Minidock, web: str) -> None:
    with terminal(minidock, "exec", "-it", web, "sh", "-c", "tty; stty size") as seen:
        seen.await_text(rb"/dev/pts/\d+\r\n33 77\r\n")
        assert seen.client.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["web", "nope"], 126, 'exec: "nope": executable file not found in $PATH'),
        (["web", "/etc/passwd"], 126, 'exec: "/etc/passwd": permission denied'),
        (["wbe", "true"], 1, "No such container: wbe"),
    ],
)
@pytest.mark.usefixtures("web")
def test_exec_refuses_as_docker_does(
    minidock: Minidock, words: list[str], code: int, text: str
) -> None:
    ran = minidock.run("exec", *words)
    assert ran.returncode == code
    assert text in ran.stderr


def test_an_unknown_name_is_answered_with_the_one_that_was_meant(
    minidock: Minidock, web: str
) -> None:
    for verb in ("rm", "stop", "kill", "wait", "inspect"):
        ran = minidock.run(verb, "wbe")
        assert ran.returncode == 1
        kind = "object" if verb == "inspect" else "container"
        assert f"No such {kind}: wbe" in ran.stderr
        assert ran.stderr.splitlines()[-1] == f"  try: minidock {verb} {web}"
