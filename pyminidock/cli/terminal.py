r"""Between a person and a program: streams, raw mode, window size, signals.

    keyboard ──thread──► Attached ──────► program
    screen   ◄─────────  Attached ◄────── program
    signals, new window size ──pipe──thread──► the engine's kill and resize

Without a terminal inside, signals sent to us are the program's.  With one, the keys travel
instead (^C is a byte like any other), so our own terminal has to be raw: every key is
passed on and none is echoed.  Whatever happens, it is given back as it was found.

A signal only puts its number into a pipe; asking the engine from within a handler could
meet a half-read answer.  Nor does a handler do that: Python runs it between two steps of
its main thread, so of a signal that comes right before a wait it is run after it, if ever.

Source: man 3 termios; docker/cli, container/hijack.go; Python, signal.set_wakeup_fd().
"""

import os
import signal
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from pyminidock.cli.detach import Watcher
from pyminidock.cli.failures import ERROR, WordsRefused
from pyminidock.client.attach import STDERR, Attached
from pyminidock.errors import MinidockError

_PIECE_BYTES = 65536
_NOT_FORWARDED = {
    signal.SIGCHLD, signal.SIGPIPE, signal.SIGURG, signal.SIGWINCH, signal.SIGTSTP,
    signal.SIGTTIN, signal.SIGTTOU, signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV,
    signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT,
}  # fmt: skip
"""Job control concerns us alone; a fault of ours is no fault of the program."""

Deliver = Callable[[signal.Signals], None]


class Ended(BaseException):
    """A signal ends this client; raised so that the terminal is given back on the way."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Courier:
    """Carries signals that reach us to where they belong, one at a time, in order.

    They are kept from the first moment on, but carried only after `begin`: before that
    there is no program to get them.
    """

    def __init__(self, deliver: Deliver, numbers: set[signal.Signals]) -> None:
        self._deliver, self._numbers = deliver, numbers
        if not numbers:
            return
        self._kept, keeps = os.pipe()
        os.set_blocking(keeps, False)
        signal.set_wakeup_fd(keeps, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, _noted)

    def begin(self) -> None:
        """Carry what came, and what comes."""
        if self._numbers:
            threading.Thread(target=self._carry, daemon=True).start()

    def _carry(self) -> None:
        while True:
            for number in os.read(self._kept, _PIECE_BYTES):
                if number not in self._numbers:
                    continue  # it has a handler of its own
                with suppress(MinidockError, OSError):  # the program ended meanwhile
                    self._deliver(signal.Signals(number))


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing more: the number is in the pipe already."""


@contextmanager
def only_listening() -> Iterator[None]:
    """Let an interrupt end us there and then: who only listens has nothing to put right."""
    found = signal.getsignal(signal.SIGINT)
    if found is signal.default_int_handler:  # else it is ignored, or somebody else's
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, found)


def proxied() -> set[signal.Signals]:
    """Name the signals that a program without a terminal gets from us."""
    return {number for number in signal.valid_signals()
            if isinstance(number, signal.Signals)
            and number < signal.SIGRTMIN} - _NOT_FORWARDED  # fmt: skip


def check_keyboard(*, reads: bool, has_terminal: bool) -> None:
    """Refuse -it where nobody can type.  Raises WordsRefused."""
    if reads and has_terminal and not os.isatty(0):
        raise WordsRefused(
            "the input device is not a TTY",
            why="-t -i passes on single keys, and standard input is a file or a pipe",
            try_next="minidock run -i busybox cat",
            exit_code=ERROR,
        )


def size() -> tuple[int, int]:
    """Give rows and columns of our terminal, 0 and 0 without one."""
    try:
        columns, rows = os.get_terminal_size(1)
    except OSError:
        return 0, 0
    return rows, columns


@contextmanager
def raw(*, wanted: bool) -> Iterator[None]:
    """Pass every key on, if standard input is a terminal; put it back at the end."""
    if not wanted or not os.isatty(0):
        yield
        return
    found = termios.tcgetattr(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, _end)
    try:
        tty.setraw(0, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSANOW, found)


def _end(number: int, _: FrameType | None) -> None:
    raise Ended(number)


def converse(attached: Attached, *, reads: bool, keys: bytes) -> bool:
    """Pass everything between our streams and the program's, to the end of its output.

    Give False if the person left by typing `keys`.  Raises ConnectionLost.
    """
    typed = Watcher(keys)
    if reads:
        threading.Thread(target=_type, args=(attached, typed), daemon=True).start()
    try:
        while piece := attached.read():
            number, data = piece
            write(2 if number == STDERR else 1, data)
    except OSError:
        if not typed.has_fired:  # else the socket was closed beneath us, by us
            raise
    return not typed.has_fired


def write(descriptor: int, data: bytes) -> None:
    """Write all of it, past every buffer.  A closed pipe ends us as it ends any filter."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BrokenPipeError:
        die_of(signal.SIGPIPE)


def die_of(number: int) -> None:
    """End by a signal, so that whoever waits for us sees the true reason."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _type(attached: Attached, typed: Watcher) -> None:
    """Pass on what is typed, until its end or until the keys come."""
    with suppress(OSError):  # the program ended, or takes no more
        while data := os.read(0, _PIECE_BYTES):
            if passed := typed.feed(data):
                attached.write(passed)
            if typed.has_fired:
                attached.close()
                return
    attached.close_stdin()
