"""The stock `docker` on a person's terminal, with our engine behind it."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.edge.terminal import terminal
from tests.minidock_cli import Minidock
from tests.reference import program, wait_until

pytestmark = pytest.mark.edge

PATIENCE_S = 60
KEYS = b"\x10\x11"
NONE = ("--network", "none")


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock command line, speaking to our engine."""

    host: Path

    def words(self, *args: str) -> list[str]:
        """Give the words that run `docker ARGS`; they go with `environment`."""
        return [program("docker"), *args]

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which it finds our engine."""
        return {
            "PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{self.host}",
            "DOCKER_CONFIG": "/nonexistent", "DOCKER_BUILDKIT": "0",
        }  # fmt: skip

    def run(self, *args: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run it to its end."""
        return subprocess.run(
            self.words(*args), input=input, capture_output=True, check=False,
            env=self.environment, timeout=5 * PATIENCE_S,
        )  # fmt: skip

    def said(self, *args: str) -> str:
        """Run it; it must succeed."""
        done = self.run(*args)
        assert done.returncode == 0, done
        return done.stdout.decode()


@pytest.fixture
def docker(minidock: Minidock) -> Iterator[Stock]:
    made = Stock(minidock.host)
    yield made
    made.run("rm", "-f", "left", "web")


def test_a_shell_follows_the_window_takes_keys_and_gives_its_code(docker: Stock) -> None:
    with terminal(docker, "run", "--rm", "-it", *NONE, "busybox", "sh") as seen:
        before = seen.settings()
        seen.await_text(b"# ")
        seen.type(b"stty size; tty\n")
        seen.await_text(rb"33 77\r\n/dev/pts/0\r\n")
        assert seen.settings() != before
        seen.resize(20, 60)
        seen.type(b"while [ \"$(stty size)\" != '20 60' ]; do sleep 0.1; done; echo o''k\n")
        seen.await_text(b"ok\r\n")
        seen.type(b"sh -c 'echo s\"\"leeps; exec sleep 1000'\n")
        seen.await_text(b"sleeps\r\n")
        seen.type(b"\x03")
        seen.await_text(b"# ")
        seen.type(b"echo code $?\n")
        seen.await_text(rb"code 130\r\n")
        seen.type(b"echo r''eads; cat\n")
        seen.await_text(b"reads\r\n")
        seen.type(b"typed\n")
        seen.await_text(rb"typed\r\ntyped\r\n")
        seen.type(b"\x04")
        seen.await_text(b"# ")
        seen.type(b"exit 42\n")
        assert seen.client.wait(PATIENCE_S) == 42
        assert seen.settings() == before


def test_ctrl_d_ends_a_shell_with_the_code_of_its_last_command(docker: Stock) -> None:
    with terminal(docker, "run", "--rm", "-it", *NONE, "busybox", "sh") as seen:
        seen.await_text(b"# ")
        seen.type(b"\x04")
        assert seen.client.wait(PATIENCE_S) == 0


def test_one_leaves_by_keys_and_comes_back(docker: Stock) -> None:
    with terminal(docker, "run", "-it", *NONE, "--name", "left", "busybox", "sh") as seen:
        before = seen.settings()
        seen.await_text(b"# ")
        seen.type(b"x=kept\n")
        seen.await_text(b"# ")
        seen.type(KEYS)
        assert seen.client.wait(PATIENCE_S) == 0
        assert seen.settings() == before
    assert "Up" in docker.said("ps", "--filter", "name=left", "--format", "{{.Status}}")
    with terminal(docker, "attach", "--detach-keys", "a,b", "left", size=(21, 61)) as seen:
        seen.type(b"echo still $x\n")
        seen.await_text(rb"still kept\r\n")
        seen.type(b"stty size\n")
        seen.await_text(rb"21 61\r\n")
        seen.type(b"ab")
        seen.await_text(b"read escape sequence")
        assert seen.client.wait(PATIENCE_S) == 1
    with terminal(docker, "attach", "left") as seen:
        seen.type(b"exit 7\n")
        assert seen.client.wait(PATIENCE_S) == 7


def test_two_may_sit_at_one_terminal(docker: Stock) -> None:
    docker.said("run", "-dit", *NONE, "--name", "left", "busybox", "sh")
    with (
        terminal(docker, "attach", "left") as one,
        terminal(docker, "attach", "left") as two,
    ):
        one.await_text(b"# ")  # drawn anew for each that has sat down
        two.await_text(b"# ")
        one.type(b"echo from o''ne\n")
        one.await_text(rb"from one\r\n")
        two.await_text(rb"from one\r\n")
        two.type(b"echo from t''wo\n")
        one.await_text(rb"from two\r\n")


def test_a_second_process_has_a_terminal_of_its_own(docker: Stock) -> None:
    docker.said("run", "-d", *NONE, "--name", "web", "busybox", "sleep", "1000")
    with terminal(docker, "exec", "-it", "web", "sh") as seen:
        seen.await_text(b"# ")
        seen.type(b"stty size; tty\n")
        seen.await_text(rb"33 77\r\n/dev/pts/\d+\r\n")
        seen.resize(20, 60)
        seen.type(b"while [ \"$(stty size)\" != '20 60' ]; do sleep 0.1; done; echo o''k\n")
        seen.await_text(b"ok\r\n")
        seen.type(b"exit 9\n")
        assert seen.client.wait(PATIENCE_S) == 9


def test_leaving_a_second_process_leaves_it_running(docker: Stock) -> None:
    docker.said("run", "-d", *NONE, "--name", "web", "busybox", "sleep", "1000")
    with terminal(docker, "exec", "-it", "web", "sh") as seen:
        seen.await_text(b"# ")
        seen.type(KEYS)
        seen.await_text(b"read escape sequence")
        seen.client.wait(PATIENCE_S)
    assert docker.said("inspect", "-f", "{{len .ExecIDs}}", "web") == "1\n"


@pytest.mark.parametrize("verb", ["run", "exec"])
def test_the_settings_inside_are_sane(docker: Stock, verb: str) -> None:
    docker.said("run", "-d", *NONE, "--name", "web", "busybox", "sleep", "1000")
    words = ("exec", "-it", "web") if verb == "exec" else ("run", "-it", *NONE, "busybox")
    with terminal(docker, *words, "stty", "-a") as seen:
        told = seen.await_text(rb"(?s)speed.*-?echoke\b").decode()
        assert seen.client.wait(PATIENCE_S) == 0
    flags = set(re.findall(r"-?[a-z0-9]+", told))
    assert {"icanon", "isig", "echo", "onlcr", "opost", "icrnl", "ixon", "iexten"} <= flags


# ── Pipes ────────────────────────────────────────────────────────────────────────────────


def test_a_hundred_megabytes_come_out_as_they_are(docker: Stock) -> None:
    size = 100_000_000
    script = f"yes 0123456789abcde | head -c {size}"
    done = docker.run("run", "--rm", *NONE, "busybox", "sh", "-c", script)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) == size
    assert done.stdout == (b"0123456789abcde\n" * (size // 16 + 1))[:size]


def test_a_hundred_megabytes_go_in_and_come_out_as_they_are(docker: Stock) -> None:
    data = b"".join(b"%015d\n" % number for number in range(100_000_000 // 16))
    done = docker.run("run", "--rm", "-i", *NONE, "busybox", "cat", input=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data


def test_the_end_of_a_file_reaches_a_program_that_goes_on(docker: Stock) -> None:
    script = "wc -c; echo after; exit 3"
    done = docker.run(
        "run", "--rm", "-i", *NONE, "busybox", "sh", "-c", script, input=b"x" * 100_000
    )
    assert (done.returncode, done.stdout) == (3, b"100000\nafter\n")


def test_a_signal_reaches_a_program_that_does_not_read_its_input(docker: Stock) -> None:
    docker.said("run", "-di", *NONE, "--name", "web", "busybox", "sleep", "1000")
    with subprocess.Popen(
        docker.words("attach", "web"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=docker.environment,
    ) as client:  # fmt: skip
        assert client.stdin is not None
        os.set_blocking(client.stdin.fileno(), False)
        sent = 0

        def is_full() -> bool:
            nonlocal sent
            before = sent
            sent += os.write(client.stdin.fileno(), b"x" * 65536) or 0  # type: ignore[union-attr]
            return sent == before

        with suppress(BlockingIOError):
            wait_until(is_full, PATIENCE_S, "all buffers to be full")
        assert docker.run("kill", "web").returncode == 0
        client.wait(PATIENCE_S)
    assert docker.said("wait", "web") == "137\n"
