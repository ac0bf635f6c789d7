r"""A person's terminal, for tests of programs that behave differently on one.

    with terminal(minidock, "run", "-it", "busybox", "sh") as seen:
        seen.await_text(b"# ")
        seen.type(b"exit\n")

The command leads a session of its own, so that a change of the window's size reaches it.
"""

import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

PATIENCE_S = 30


class Command(Protocol):
    """A command line with what it finds its engine by."""

    def words(self, *args: str) -> list[str]:
        """Give the words that run it."""

    @property
    def environment(self) -> dict[str, str]:
        """Give its variables."""


@dataclass
class Terminal:
    """A person's terminal: the test types into it and reads its screen."""

    master: int
    slave: int
    client: subprocess.Popen[bytes]
    screen: bytes = b""

    def type(self, keys: bytes) -> None:
        """Type keys."""
        os.write(self.master, keys)

    def await_text(self, pattern: bytes) -> bytes:
        """Read the screen until it shows `pattern`; give what stood there."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.screen)):
            left = deadline - time.monotonic()
            assert left > 0, (pattern, self.screen)
            if select.select([self.master], [], [], left)[0]:
                self.screen += os.read(self.master, 65536)
        self.screen = self.screen[found.end() :]
        return found[0]

    def resize(self, rows: int, columns: int) -> None:
        """Draw the window to another size."""
        termios.tcsetwinsize(self.master, (rows, columns))

    def settings(self) -> list[object]:
        """How the terminal behaves now."""
        return list(termios.tcgetattr(self.slave))


@contextmanager
def terminal(
    command: Command, *args: str, size: tuple[int, int] = (33, 77)
) -> Iterator[Terminal]:
    """Run a command as the leader of a terminal of so many rows and columns."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(master, size)
    client = subprocess.Popen(
        ["setsid", "--ctty", *command.words(*args)],
        stdin=slave, stdout=slave, stderr=slave,
        env=command.environment | {"TERM": "xterm-256color"},
    )  # fmt: skip
    try:
        yield Terminal(master, slave, client)
    finally:
        client.kill()
        client.wait(PATIENCE_S)
        os.close(master)
        os.close(slave)
