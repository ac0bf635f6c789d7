"""What is asked and answered, told to the engine; which may ask that an answer waits.

    loop ── LOOKUP passwd: upper absent, layer 2 file ──► line ──► engine, event by event
                   │                                                  │
                   └── answer kept back while the engine says "hold" ◄┴── "go 4711"

One JSON object a line: who asked, and what is to be told, as evidence, kind and values.
What a branch was asked anew is *observed*, what it had answered before and nothing has
changed *remembered*, and what was done to the upper layer *acknowledged*.

The engine says `hold` while somebody has set a gate, `flow` when
nobody has.  Until it is first heard, answers wait; when it is gone, none does: whoever was
held goes on, and what happens is told to nobody.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

from pyminidock.events import Event, kind_of
from pyminidock.events.journal import data_of
from pyminidock.kernel.glass import calls
from pyminidock.kernel.glass.loop import Loop, Reply
from pyminidock.kernel.glass.tree import Tree
from pyminidock.kernel.glass.wire import Op, Request

Told = list[Any]

_AT_ONCE = 200  # records in one write
_UNHEARD = 100_000  # records that wait for the engine; older ones are lost


class Telling:
    """The line to the engine."""

    def __init__(self, tree: Tree, loop: Loop, line: socket.socket) -> None:
        self._tree, self._loop, self._line = tree, loop, line
        self._told: list[Told] = []
        self._records: SimpleQueue[str] = SimpleQueue()
        self._held: dict[int, Reply] = {}
        self._is_holding = self._is_heard = True
        tree.listener = self._hear
        loop.admit = self._admit

    def begin(self) -> None:
        """Wait for the engine, in a thread of its own."""
        threading.Thread(target=self._serve, daemon=True).start()

    # ── In the loop, under its lock ──────────────────────────────────────────────────────

    def _hear(self, events: Iterable[Event], evidence: str) -> None:
        self._told += [spell(event, evidence) for event in events]

    def _admit(self, asked: Request, reply: Reply) -> Reply | None:
        """Tell of what was asked for; keep the answer back while somebody looks."""
        told, self._told = self._told, []
        if not self._is_heard:
            return reply
        if call := calls.answered(self._tree, asked, reply):
            told.append(spell(call, "observed"))
        if not told:
            return reply
        if self._records.qsize() < _UNHEARD:
            self._records.put(self._record(asked, told))
        if not self._is_holding:
            return reply
        self._held[asked.unique] = reply
        self._loop.wait(asked.unique, partial(self._take_back, asked, reply))
        return None

    def _record(self, asked: Request, told: list[Told]) -> str:
        return json.dumps(
            {"unique": asked.unique, "pid": asked.pid, "told": told,
             "command": self._command(asked.pid)}
        )  # fmt: skip

    @staticmethod
    def _command(pid: int) -> str:
        """Name the program, anew each time: a process may become another program."""
        with suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().rstrip("\n")
        return ""

    def _take_back(self, asked: Request, reply: Reply) -> None:
        """Undo what an answer would have given, for who asked has been interrupted."""
        self._held.pop(asked.unique, None)
        if not isinstance(reply, bytes) or len(reply) <= 16:
            return
        if len(reply) in (144, 160):  # a node, and perhaps a handle
            self._tree.forget(int.from_bytes(reply[16:24], "little"), 1)
        if asked.opcode in (Op.OPEN, Op.OPENDIR):
            self._tree.release(int.from_bytes(reply[16:24], "little"))
        elif len(reply) == 160:
            self._tree.release(int.from_bytes(reply[144:152], "little"))

    # ── The line ─────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        """Speak to one engine after the other: one may end, and the next adopt us."""
        while True:
            connection, _ = self._line.accept()
            with self._loop.lock:
                self._is_heard = True
            gone = threading.Event()
            threading.Thread(
                target=self._send, args=(connection, gone), daemon=True
            ).start()
            with suppress(OSError), connection, connection.makefile("r") as words:
                for word in words:
                    self._obey(word.split())
            gone.set()
            self._records.put("")  # wakes who sends
            self._let_go()

    def _send(self, connection: socket.socket, gone: threading.Event) -> None:
        while not gone.is_set():
            lines = [self._records.get()]
            while len(lines) < _AT_ONCE and not self._records.empty():
                lines.append(self._records.get())
            with suppress(OSError):
                connection.sendall("".join(f"{each}\n" for each in lines if each).encode())

    def _obey(self, words: list[str]) -> None:
        obeys: dict[str, Callable[[], None]] = {
            "hold": lambda: self._set(is_holding=True),
            "flow": lambda: self._set(is_holding=False),
            "go": lambda: self._go(int(words[1])),
        }
        if words and words[0] in obeys:
            obeys[words[0]]()

    def _set(self, *, is_holding: bool) -> None:
        with self._loop.lock:
            self._is_holding = is_holding

    def _go(self, unique: int) -> None:
        with self._loop.lock:
            reply = self._held.pop(unique, None)
            if reply is not None:
                self._loop.arrive(unique, reply)

    def _let_go(self) -> None:
        """The engine is gone: nobody is to wait for it."""
        with self._loop.lock:
            self._is_holding = self._is_heard = False
            held, self._held = self._held, {}
            for unique, reply in held.items():
                self._loop.arrive(unique, reply)


def spell(event: Event, evidence: str) -> Told:
    """Write how an event is known, its kind and its values; not yet who asked.

    >>> spell(LayerProbed("/motd", "upper", "absent"), "observed")
    ['observed', 'layer.probed', '/motd', 'upper', 'absent']
    """
    *values, _, _ = data_of(event).values()
    return [evidence, kind_of(event), *values]
