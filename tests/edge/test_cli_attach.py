"""A container that runs gets our terminal, is left by keys, and is found as it was left."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.terminal import PATIENCE_S, terminal
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge

KEYS = b"\x10\x11"
TALKS = "trap 'echo told; exit 7' USR1; echo ready; while :; do sleep 0.1; done"


def said(minidock: Minidock, *words: str) -> str:
    """Run a command that has to succeed; give its output."""
    done = minidock.run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def shell(minidock: Minidock) -> Iterator[str]:
    """A shell with a terminal, in the background."""
    said(minidock, "run", "-dit", "--name", "shell", "busybox", "sh")
    yield "shell"
    said(minidock, "rm", "-f", "shell")


def test_one_attaches_leaves_and_attaches_again(minidock: Minidock, shell: str) -> None:
    with terminal(minidock, "attach", shell) as seen:
        seen.type(b"here=1; stty size\n")
        seen.await_text(rb"33 77")
        seen.type(KEYS)
        seen.await_text(b"read escape sequence")
        assert seen.client.wait(PATIENCE_S) == 1
    assert said(minidock, "ps", "-q", "--filter", f"name={shell}") != ""
    with terminal(minidock, "attach", "--detach-keys", "x,y", shell) as seen:
        seen.type(b"echo again-$here; exit 5\n")
        seen.await_text(b"again-1")
        assert seen.client.wait(PATIENCE_S) == 5


def test_the_window_of_who_attached_is_that_of_the_program(
    minidock: Minidock, shell: str
) -> None:
    with terminal(minidock, "attach", shell) as seen:
        wait = b"while [ \"$(stty size)\" != '20 50' ]; do sleep 0.1; done"
        seen.type(b"echo wa''iting; " + wait + b"; echo fol''lowed\n")
        seen.await_text(b"waiting")
        seen.resize(20, 50)
        seen.await_text(b"followed")
        seen.type(KEYS)
        assert seen.client.wait(PATIENCE_S) == 1


def test_a_second_process_is_left_by_keys_too(minidock: Minidock, shell: str) -> None:
    with terminal(minidock, "exec", "-it", shell, "sh") as seen:
        seen.type(b"echo in''side\n")
        seen.await_text(b"inside")
        seen.type(KEYS)
        seen.await_text(b"read escape sequence")
        assert seen.client.wait(PATIENCE_S) == 1


@pytest.mark.parametrize("way", ["attach", "start"])
def test_without_a_terminal_signals_are_the_program_s(minidock: Minidock, way: str) -> None:
    name = f"talks-{way}"  # whose events are told from those of the other way
    said(minidock, "create", "--name", name, "busybox", "sh", "-c", TALKS)
    if way == "attach":
        said(minidock, "start", name)
    words = ["attach", name] if way == "attach" else ["start", "-a", name]
    client = subprocess.Popen(
        minidock.words(*words), env=minidock.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        _until(minidock, name, "attach")
        _until(minidock, name, "start")
        with terminal(minidock, "logs", "-f", name) as seen:
            seen.await_text(b"ready")
            client.send_signal(signal.SIGUSR1)
            seen.await_text(b"told")
            assert seen.client.wait(PATIENCE_S) == 0  # the log ends with the program
        output, _ = client.communicate(timeout=PATIENCE_S)
        assert "told\n" in output
        assert client.returncode == 7
    finally:
        client.kill()
        client.wait()
        said(minidock, "rm", "-f", name)


def _until(minidock: Minidock, name: str, event: str) -> None:
    """Wait until the engine told of an event."""
    words = ["events", "--since", "1h", "--filter", f"container={name}"]
    with terminal(minidock, *words, "--filter", f"event={event}") as seen:
        seen.await_text(f"container {event}".encode())


def catches(pid: int, number: signal.Signals) -> bool:
    """Say whether a process handles a signal itself, which Python does when it gets to it.

    Where it then waits already for what may never come, that is never.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.partition("SigCgt:\t")[2].split()[0], 16)
    return bool(caught >> (number - 1) & 1)


def test_an_interrupt_ends_who_listens_and_nobody_else(minidock: Minidock) -> None:
    said(minidock, "run", "-d", "--name", "talks", "busybox", "sh", "-c", TALKS)
    try:
        listening = ("logs -f talks", "stats talks", "events --since 1h")
        for words in map(str.split, listening):
            with terminal(minidock, *words) as seen:
                seen.await_text(rb"ready|talks|container")
                assert not catches(seen.client.pid, signal.SIGINT)
                seen.type(b"\x03")
                assert seen.client.wait(PATIENCE_S) in (-signal.SIGINT, 130)
        assert said(minidock, "ps", "--format", "{{.Names}}").split() == ["talks"]
    finally:
        said(minidock, "rm", "-f", "talks")


def test_what_stands_still_cannot_be_attached_to(minidock: Minidock) -> None:
    said(minidock, "create", "--name", "idle", "busybox", "true")
    refused = minidock.run("attach", "idle")
    said(minidock, "rm", "idle")
    assert refused.returncode == 1
    assert "You cannot attach to a stopped container, start it first" in refused.stderr
