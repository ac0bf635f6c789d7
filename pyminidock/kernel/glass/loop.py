"""One thread reads what the kernel asks, and answers; some answers come later.

    read ─► perform ─► write               what nearly everything is: ten microseconds
               │
               ├─► a worker copies …       slow work: the answer comes when it is done
               └─► held                    somebody looks at it: the answer waits for them

One reader is faster than several, which only hand the interpreter to each other.  Whoever
else wants to touch the tree (a worker that is done) takes `lock` first.

After an answer the next question is mostly near: a program that looks through directories
asks every few microseconds, and a thread that sleeps takes longer than that to wake up.  So
the loop looks for it a few times more before it sleeps, where there is another processor.

A program that waits for an answer can be killed if we let it: its signal arrives here as
INTERRUPT with the number of the request, and the request is then answered "interrupted".

Source: Linux, Documentation/filesystems/fuse.rst, "Interrupting filesystem operations".
"""

import errno
import os
import select
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress

from pyminidock.kernel.glass import wire
from pyminidock.kernel.glass.wire import Op, Request

Reply = bytes | tuple[bytes, memoryview]  # the second part is good until the next request
Perform = Callable[[Request], Reply | None]
"""Does what is asked; gives the reply, or None if it comes later or never."""

# Read raises them and goes on: a request was taken back, a signal, nothing there after all.
_AGAIN = (errno.ENOENT, errno.EINTR)
LOOKS = 100  # for the next question, before the loop sleeps: a tenth of a millisecond


class Loop:
    """The line to the kernel, and the requests whose answers wait."""

    def __init__(self, device: int) -> None:
        self.device = device
        self.lock = threading.Lock()
        self.is_idle = self.is_over = False
        self.performs: dict[int, Perform] = {}
        self.admit: Callable[[Request, Reply], Reply | None] | None = None
        self._waiting: dict[int, Callable[[], object]] = {}

    def run(self) -> None:
        """Answer until the filesystem is unmounted, or `end` is called."""
        device, lock = self.device, self.lock
        buffer = bytearray(wire.BUFFER_BYTES)
        view, buffers = memoryview(buffer), [buffer]
        os.set_blocking(device, False)
        sleep = select.poll()
        sleep.register(device, select.POLLIN)
        looks = LOOKS if len(os.sched_getaffinity(0)) > 1 else 1
        left = looks
        while True:
            self.is_idle = True
            if self.is_over:
                return
            try:
                size = os.readv(device, buffers)
            except BlockingIOError:
                left -= 1
                if left <= 0:
                    sleep.poll()
                    left = looks
                continue
            except OSError as refusal:
                if refusal.errno in _AGAIN:
                    continue
                if refusal.errno == errno.ENODEV:  # unmounted
                    return
                raise
            self.is_idle, left = False, looks
            with lock:
                reply = self._serve(wire.request(view[:size]))
            if reply is not None:
                self.reply(reply)

    def _serve(self, asked: Request) -> Reply | None:
        """Give the reply to one request; an OSError of whoever performs it is one too."""
        perform = self.performs.get(asked.opcode)
        if perform is None:
            if asked.opcode == Op.INTERRUPT:
                self._interrupt(*wire.INTERRUPT_IN.unpack_from(asked.body))
                return None
            return wire.refusal(asked.unique, errno.ENOSYS)
        return self._answer(asked, perform)

    def _answer(self, asked: Request, perform: Perform) -> Reply | None:
        """Perform a request; whatever goes wrong is the answer to it, and to it alone."""
        try:
            reply: Reply | None = perform(asked)
        except OSError as refusal:
            reply = wire.refusal(asked.unique, refusal.errno or errno.EIO)
        except Exception:
            traceback.print_exc()
            reply = wire.refusal(asked.unique, errno.EIO)
        if reply is not None and self.admit is not None:
            return self.admit(asked, reply)
        return reply

    def reply(self, reply: Reply) -> None:
        """Answer a request, from any thread; who asked may be gone."""
        with suppress(OSError):
            if isinstance(reply, bytes):
                os.write(self.device, reply)
            else:
                os.writev(self.device, reply)

    # ── Answers that come later ───────────────────────────────────────────────────────────

    def wait(self, unique: int, give_up: Callable[[], object]) -> None:
        """Note that an answer comes later; `give_up` is called if a signal comes first."""
        self._waiting[unique] = give_up

    def arrive(self, unique: int, reply: Reply) -> bool:
        """Answer a request that waited; False if it was interrupted meanwhile."""
        if self._waiting.pop(unique, None) is None:
            return False
        self.reply(reply)
        return True

    def perform_again(self, asked: Request, perform: Perform) -> None:
        """Perform a request that waited; under the lock."""
        if self._waiting.pop(asked.unique, None) is None:
            return
        reply = self._answer(asked, perform)
        if reply is not None:
            self.reply(reply)

    def _interrupt(self, unique: int) -> None:
        give_up = self._waiting.pop(unique, None)
        if give_up is not None:
            give_up()
            self.reply(wire.refusal(unique, errno.EINTR))

    def end(self) -> None:
        """End the loop, from a signal's handler: at once if it waits, else in a moment.

        Raises Ended into a loop that waits, because read(2) is taken up again otherwise.
        """
        self.is_over = True
        if self.is_idle:
            raise Ended


class Ended(BaseException):
    """The loop was told to end while it waited for a request."""
