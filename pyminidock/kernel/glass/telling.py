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

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from json import JSONEncoder
from json.encoder import encode_basestring_ascii
from typing import Any

from pyminidock.events import Event, kind_of
from pyminidock.events.journal import data_of
from pyminidock.kernel.glass import calls
from pyminidock.kernel.glass.loop import Loop, Reply
from pyminidock.kernel.glass.tree import Answers, Tree
from pyminidock.kernel.glass.wire import Op, Request

_AT_ONCE = 200  # records in one write
_UNHEARD = 100_000  # records that wait for the engine; of more only the number is told
_REST_S = 0.002  # between two writes, while nobody is held: a thread that wakes costs all
_PROGRAMS = 64  # whose names are at hand

_encode = JSONEncoder(separators=(",", ":")).encode


class Telling:
    """The line to the engine."""

    def __init__(self, tree: Tree, loop: Loop, line: socket.socket) -> None:
        self._tree, self._loop, self._line = tree, loop, line
        self._told: list[str] = []
        self._records: deque[str] = deque()
        self._missed = 0  # records that were lost since this was last told
        self._news = threading.Event()
        # By number of a thread: its process, and where its name can be read.
        self._programs: dict[int, tuple[int, int]] = {}
        self._held: dict[int, Reply] = {}
        self._is_holding = self._is_heard = True
        tree.listener = self
        loop.admit = self._admit

    def begin(self) -> None:
        """Wait for the engine, in a thread of its own."""
        threading.Thread(target=self._serve, daemon=True).start()

    # ── In the loop, under its lock ──────────────────────────────────────────────────────

    def looked_up(self, answers: Answers, *, is_anew: bool) -> None:
        """Note which branch answered what; what is remembered is worded only once."""
        if is_anew:
            self._told.append(_worded(answers, "observed"))
            return
        if not answers.line:
            answers.line = _worded(answers, "remembered")
        self._told.append(answers.line)

    def done(self, event: Event) -> None:
        """Note what was done to the upper layer: the calls have returned."""
        self._told.append(spell(event, "acknowledged"))

    def _admit(self, asked: Request, reply: Reply) -> Reply | None:
        """Tell of what was asked for; keep the answer back while somebody looks."""
        if not self._is_heard:
            self._told.clear()
            return reply
        if call := calls.answered(self._tree, asked, reply):
            self._told.append(spell(call, "observed"))
        if not self._told:
            return reply
        if len(self._records) >= _UNHEARD:
            self._missed += 1
        else:
            self._records.append(self._record(asked))
            if not self._news.is_set():
                self._news.set()
        self._told.clear()
        if not self._is_holding:
            return reply
        self._held[asked.unique] = reply
        self._loop.wait(asked.unique, partial(self._take_back, asked, reply))
        return None

    def _record(self, asked: Request) -> str:
        pid, name = self._asker(asked.pid)
        command = encode_basestring_ascii(name)
        if self._missed:
            self._told.insert(0, f'["observed","files.missed",{self._missed}]')
            self._missed = 0
        return (
            f'{{"unique":{asked.unique},"pid":{pid},"command":{command},'
            f'"told":[{",".join(self._told)}]}}\n'
        )

    def _asker(self, thread: int) -> tuple[int, str]:
        """Give the process that a thread belongs to, and its program's name.

        The name is read anew each time: a process may become another program.
        """
        for _ in range(2):
            try:
                if thread not in self._programs:
                    if len(self._programs) >= _PROGRAMS:
                        os.close(self._programs.pop(next(iter(self._programs)))[1])
                    name = f"/proc/{thread}/comm"
                    handle = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
                    self._programs[thread] = _process_of(thread), handle
                pid, handle = self._programs[thread]
                return pid, os.pread(handle, 64, 0).decode(errors="replace")[:-1]
            except OSError:  # it has ended; another may have its number
                if thread in self._programs:
                    os.close(self._programs.pop(thread)[1])
        return thread, ""

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
            self._news.set()  # wakes who sends
            self._let_go()

    def _send(self, connection: socket.socket, gone: threading.Event) -> None:
        while not gone.is_set():
            self._news.wait()
            self._news.clear()
            if not self._is_holding:
                time.sleep(_REST_S)
            while self._records and not gone.is_set():
                count = min(_AT_ONCE, len(self._records))
                lines = "".join([self._records.popleft() for _ in range(count)])
                with suppress(OSError):
                    connection.sendall(lines.encode())

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


_kind: Callable[[Any], str] = cache(kind_of)


def spell(event: Event, evidence: str) -> str:
    """Write how an event is known, its kind and its values; not yet who asked.

    >>> from pyminidock.events import LayerProbed
    >>> spell(LayerProbed("/motd", "upper", "absent"), "observed")
    '["observed","layer.probed","/motd","upper","absent"]'
    """
    *values, _, _ = data_of(event).values()
    said = [encode_basestring_ascii(v) if type(v) is str else _encode(v) for v in values]
    return f'["{evidence}","{_kind(type(event))}",{",".join(said)}]'


def _worded(answers: Answers, evidence: str) -> str:
    """Spell what a lookup brought; its end is always seen, by who asked."""
    *probes, end = answers.events
    return ",".join([*(spell(event, evidence) for event in probes), spell(end, "observed")])


def _process_of(thread: int) -> int:
    """Give the process of a thread; the kernel tells us who asks as a thread."""
    with suppress(OSError), open(f"/proc/{thread}/status", "rb") as file:
        _, _, told = file.read().partition(b"\nTgid:")
        return int(told.split(None, 1)[0])
    return thread
