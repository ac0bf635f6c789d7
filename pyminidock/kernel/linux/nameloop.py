"""One thread serves the names of all containers: it waits for all sockets at once.

    desk      a datagram socket and a listening one, inside one container
    talk      a connection of a program in it: questions and answers, each with its length
    errand    a question to a server outside, on a socket of its own from inside: its port
              and its number are what a forger would have to guess

Whoever is in a container may ask what and as often as it likes, so everything has an end:
errands of one desk and of all, talks of one desk and of all, the bytes of a question and of
what waits to be sent, the time that anything takes.  What is too much is refused, and the
others do not notice.

Source: RFC 1035 4.2, RFC 5452; man 7 epoll; limits and times of Docker Engine 26.1.
"""

import heapq
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Protocol

from pyminidock.kernel.linux.namesockets import Desk
from pyminidock.kernel.nametalk import Clerk, Errand

SERVER_S = 4.0  # for each server that is asked
REST_S = 0.5  # when there is no descriptor for who wants to talk
TALK_S = 8.0  # for a connection that says nothing, or takes no answer
ERRANDS, TALKS = 64, 16  # of one desk
ALL_ERRANDS, ALL_TALKS = 512, 128  # of all together: each of them is a descriptor
QUESTION_BYTES = 4096
_UNSENT_BYTES = 256 << 10
_AT_ONCE = 16  # datagrams of one desk, before the others have their turn
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Timed(Protocol):
    """Something that ends by itself."""

    deadline: float

    def expire(self) -> None:
        """Its time is over."""


class NameLoop:
    """The thread and what it waits for; there is none while there is no desk."""

    def __init__(self, *, server_s: float = SERVER_S, talk_s: float = TALK_S) -> None:
        self.server_s, self.talk_s = server_s, talk_s
        self.errands = self.talks = 0
        self.lock = threading.Lock()
        self._desks: dict[str, _Service] = {}
        self._selector: selectors.BaseSelector | None = None
        self._bell: socket.socket | None = None
        self._ends: list[tuple[float, int, Timed]] = []
        self._order = count()

    def serve(self, key: str, desk: Desk, clerk: Clerk) -> None:
        """Answer at a desk, which is the loop's now; in place of another of `key`."""
        self.leave(key)
        with self.lock:
            if self._selector is None:
                self._begin()
            self._desks[key] = _Service(self, desk, clerk)

    def leave(self, key: str) -> None:
        """Close a desk and whatever hangs on it; one that is not there is fine."""
        with self.lock:
            service = self._desks.pop(key, None)
            if service is not None:
                service.close()
                self._ring()

    def close(self) -> None:
        """Close all desks, and let the thread end."""
        for key in list(self._desks):
            self.leave(key)

    @property
    def keys(self) -> frozenset[str]:
        """Name the desks that are served."""
        return frozenset(self._desks)

    # ── For what it waits, under the lock ─────────────────────────────────────────────────

    def watch(
        self,
        line: socket.socket,
        mask: int,
        act: Callable[[int], None],
        *,
        again: bool = False,
    ) -> None:
        """Call `act` when something can be done with a socket."""
        if self._selector is not None:
            known = self._selector.modify if again else self._selector.register
            known(line, mask, act)

    def forget(self, line: socket.socket) -> None:
        """Watch a socket no more."""
        if self._selector is not None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(line)

    def unwatch(self, line: socket.socket) -> None:
        """Forget a socket, and close it."""
        self.forget(line)
        line.close()

    def end_at(self, thing: Timed) -> None:
        """Wake up at the deadline of a thing; it may have got another one by then."""
        heapq.heappush(self._ends, (thing.deadline, next(self._order), thing))

    # ── The thread ────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, heard = socket.socketpair()
        heard.setblocking(False)
        self._selector.register(heard, _READ, None)
        threading.Thread(
            target=self._run, args=(self._selector, heard), name="names", daemon=True
        ).start()

    def _ring(self) -> None:
        if self._bell is not None:
            with suppress(BlockingIOError):
                self._bell.send(b"!", socket.MSG_DONTWAIT)

    def _run(self, selector: selectors.BaseSelector, heard: socket.socket) -> None:
        while True:
            ready = selector.select(self._wait_s())
            with self.lock:
                for key, mask in ready:
                    if key.data is None:
                        with suppress(BlockingIOError):
                            heard.recv(64)
                    elif key.fileobj.fileno() >= 0:  # type: ignore[union-attr]
                        key.data(mask)
                self._expire()
                if not self._desks:
                    self._end(selector, heard)
                    return

    def _end(self, selector: selectors.BaseSelector, heard: socket.socket) -> None:
        self._ends.clear()
        selector.close()
        heard.close()
        if self._bell is not None:
            self._bell.close()
        self._selector = self._bell = None

    def _wait_s(self) -> float | None:
        with self.lock:
            return max(0.0, self._ends[0][0] - time.monotonic()) if self._ends else None

    def _expire(self) -> None:
        now = time.monotonic()
        while self._ends and self._ends[0][0] <= now:
            _, _, thing = heapq.heappop(self._ends)
            if thing.deadline > now:
                self.end_at(thing)
            else:
                thing.expire()


class _Service:
    """One desk, its clerk, and what is going on there."""

    def __init__(self, loop: NameLoop, desk: Desk, clerk: Clerk) -> None:
        self.loop, self.desk, self.clerk = loop, desk, clerk
        self.errands: set[_Errand] = set()
        self.talks: set[_Talk] = set()
        loop.watch(desk.datagrams, _READ, self._hear)
        loop.watch(desk.connections, _READ, self._accept)

    def _hear(self, _: int) -> None:
        for _ in range(_AT_ONCE):
            try:
                question, asker = self.desk.datagrams.recvfrom(QUESTION_BYTES)
            except OSError:  # nothing more, or an asker who went away
                return
            self.ask(question, partial(self._tell, asker), True)

    def _tell(self, asker: tuple[str, int], reply: bytes) -> None:
        with suppress(OSError):  # who does not listen asks again
            self.desk.datagrams.sendto(reply, asker)

    def _accept(self, _: int) -> None:
        try:
            line, _ = self.desk.connections.accept()
        except BlockingIOError:
            return  # who came has gone again
        except OSError:  # no descriptor is left, and who waits goes on waiting
            self.loop.forget(self.desk.connections)
            self.loop.end_at(_Rest(self))
            return
        if len(self.talks) >= TALKS or self.loop.talks >= ALL_TALKS:
            line.close()
            return
        line.setblocking(False)
        self.talks.add(_Talk(self, line))

    def accept_again(self) -> None:
        """Look again who waits to be accepted."""
        if self.desk.connections.fileno() >= 0:
            self.loop.watch(self.desk.connections, _READ, self._accept)

    def ask(
        self, question: bytes, tell: Callable[[bytes], None], is_datagram: bool
    ) -> None:
        """Let the clerk say what is to be done, and do it."""
        said = self.clerk(question, is_datagram)
        if said is None:
            return
        if isinstance(said, bytes):
            tell(said)
        elif len(self.errands) >= ERRANDS or self.loop.errands >= ALL_ERRANDS:
            said.ended("")
            tell(said.failure)
        else:
            _Errand(self, said, tell, is_datagram).ask_next()

    def close(self) -> None:
        for errand in list(self.errands):
            errand.close()
        for talk in list(self.talks):
            talk.close()
        for line in (self.desk.datagrams, self.desk.connections):
            self.loop.unwatch(line)
        self.desk.close()


class _Rest:
    """A moment in which nobody is accepted: there may be descriptors again after it."""

    def __init__(self, service: _Service) -> None:
        self._service, self.deadline = service, time.monotonic() + REST_S

    def expire(self) -> None:
        self._service.accept_again()


class _Talk:
    """A connection from inside; it ends when it says nothing for a while."""

    def __init__(self, service: _Service, line: socket.socket) -> None:
        self._service, self._line = service, line
        self._heard, self._unsent = b"", b""
        self.deadline = 0.0
        service.loop.talks += 1
        service.loop.watch(line, _READ, self._act)
        self._go_on()
        service.loop.end_at(self)

    def _go_on(self) -> None:
        self.deadline = time.monotonic() + self._service.loop.talk_s

    def _act(self, mask: int) -> None:
        try:
            if mask & _WRITE:
                self._unsent = self._unsent[self._line.send(self._unsent) :]
                self._go_on()
                self._watch()
            if mask & _READ:
                self._read()
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def _read(self) -> None:
        told = self._line.recv(2 + QUESTION_BYTES)
        self._heard += told
        if not told:
            self.close()
        while self in self._service.talks and len(self._heard) >= 2:
            length = int.from_bytes(self._heard[:2], "big")
            if length > QUESTION_BYTES:
                self.close()
            elif len(self._heard) < 2 + length:
                return
            else:
                question, self._heard = (
                    self._heard[2 : 2 + length],
                    self._heard[2 + length :],
                )
                self._go_on()
                self._service.ask(question, self._tell, False)

    def _tell(self, reply: bytes) -> None:
        if self not in self._service.talks:
            return  # it went away meanwhile
        self._unsent += len(reply).to_bytes(2, "big") + reply
        if len(self._unsent) > _UNSENT_BYTES:
            self.close()
            return
        self._go_on()
        self._watch()

    def _watch(self) -> None:
        mask = _READ | (_WRITE if self._unsent else 0)
        self._service.loop.watch(self._line, mask, self._act, again=True)

    def expire(self) -> None:
        self.close()

    def close(self) -> None:
        if self in self._service.talks:
            self._service.talks.discard(self)
            self._service.loop.talks -= 1
            self._service.loop.unwatch(self._line)


class _Errand:
    """A question that goes from server to server until one of them helps."""

    def __init__(
        self, service: _Service, errand: Errand, tell: Callable[[bytes], None],
        is_datagram: bool,
    ) -> None:  # fmt: skip
        self._service, self._errand, self._tell = service, errand, tell
        self._is_datagram = is_datagram
        self._left = list(errand.whom)
        self._server, self._number, self._heard = "", 0, b""
        self._line: socket.socket | None = None
        self.deadline = 0.0
        service.errands.add(self)
        service.loop.errands += 1

    def ask_next(self) -> None:
        """Ask the next server; if there is none, say that nobody knows."""
        self._hang_up()
        while self._left:
            self._server, is_host = self._left.pop(0)
            self._number, self._heard = secrets.randbits(16), b""
            try:
                line = self._service.desk.dial(
                    self._server, is_datagram=self._is_datagram, is_host=is_host
                )
            except OSError:  # nobody is there, or there is no way
                continue
            self._line = line
            mask = _READ if self._is_datagram else _WRITE
            self._service.loop.watch(line, mask, self._act)
            self.deadline = time.monotonic() + self._service.loop.server_s
            self._service.loop.end_at(self)
            if self._is_datagram:
                with suppress(OSError):  # refused: then it is told below, as an error
                    line.send(self._errand.question(self._number))
            return
        self._over("", self._errand.failure)

    def _act(self, mask: int) -> None:
        line = self._line
        if line is None:
            return
        try:
            if mask & _WRITE:
                question = self._errand.question(self._number)
                line.send(len(question).to_bytes(2, "big") + question)
                self._service.loop.watch(line, _READ, self._act, again=True)
                return
            told = line.recv(0xFFFF)
        except BlockingIOError:
            return
        except OSError:
            self.ask_next()
            return
        if not self._is_datagram:
            self._heard += told
            length = int.from_bytes(self._heard[:2], "big")
            if told and len(self._heard) < 2 + length:
                return
            told = self._heard[2 : 2 + length] if told else b""
        self._judge(told)

    def _judge(self, told: bytes) -> None:
        reply = self._errand.reply(told, self._number)
        if reply and self._errand.is_helpful(reply):
            self._over(self._server, reply)
        elif reply or not self._is_datagram:
            self.ask_next()
        # else a forger, or an answer that comes too late: the true one may still come

    def expire(self) -> None:
        if self in self._service.errands:
            self.ask_next()

    def _over(self, server: str, reply: bytes) -> None:
        self.close()
        self._errand.ended(server)
        self._tell(reply)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._service.loop.unwatch(self._line)
            self._line = None

    def close(self) -> None:
        self._hang_up()
        if self in self._service.errands:
            self._service.errands.discard(self)
            self._service.loop.errands -= 1
