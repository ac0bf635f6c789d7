"""Signals reach the program although our own main thread waits for its output."""

import signal
import subprocess
import sys

WAIT_S = 20.0
# The signal is given to another thread than the one that waits, which it does not wake.
CARRIES = """
import signal, socket, threading
from pyminidock.cli.terminal import Courier

here, there = socket.socketpair()
there.settimeout(15)
courier = Courier(lambda number: here.sendall(number.name.encode()),
                  {signal.SIGUSR1, signal.SIGUSR2})
signal.signal(signal.SIGHUP, lambda *_: None)  # somebody else's

def send(*numbers):
    for number in numbers:
        signal.pthread_kill(threading.get_ident(), number)

def late(*numbers):
    waits.wait()
    send(*numbers)

send(signal.SIGUSR1)  # before there is a program
waits = threading.Event()
thread = threading.Thread(target=late, args=(signal.SIGHUP, signal.SIGUSR2))
thread.start()
courier.begin()
said = there.recv(7)
waits.set()
print(said.decode(), there.recv(7).decode())
thread.join()
"""


def test_a_signal_is_carried_while_the_main_thread_waits() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CARRIES],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("SIGUSR1 SIGUSR2\n", 0), done.stderr


LISTENS = """
import os, signal
from pyminidock.cli.terminal import only_listening

# A shell starts what it leaves in the background without interrupts.
signal.signal(signal.SIGINT, HANDLER or signal.default_int_handler)
before = signal.getsignal(signal.SIGINT)
with only_listening():
    during = signal.getsignal(signal.SIGINT)
print(during is signal.SIG_DFL, during is before, signal.getsignal(signal.SIGINT) is before,
      flush=True)
with only_listening():
    os.kill(os.getpid(), signal.SIGINT)
"""


def listened(handler: str) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", LISTENS.replace("HANDLER", handler)],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout, done.returncode


def test_an_interrupt_ends_at_once_who_only_listens() -> None:
    assert listened("None") == ("True False True\n", -signal.SIGINT)


def test_who_ignores_interrupts_goes_on_ignoring_them() -> None:
    assert listened("signal.SIG_IGN") == ("False True True\n", 0)
