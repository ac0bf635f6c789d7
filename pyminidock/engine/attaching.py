"""Somebody connects with the streams of a container's first process.

    asked ─► may it be attached to? ─► told ─► what was printed, if wanted ─► live streams
                                                                                  │
                                   ends with the program, with the client, or ◄───┘
                                   by the client's keys, which is told, too

A place is taken before anything runs (`run.Place`), so a client misses nothing of a
program that it starts next; who attaches to a container that has ended waits for its next
run.

Source: moby, daemon/attach.go and container/stream/attach.go; measured with dockerd 26.1.5.
"""

from dataclasses import dataclass

from pyminidock.container.states import State, Verb
from pyminidock.engine import run
from pyminidock.engine.house import House, Kept
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import ContainerAttached, ContainerDetached, TerminalResized
from pyminidock.grammar.detachkeys import DEFAULT, KeyUnknown, parse_keys

LARGEST = 0xFFFF  # rows or columns; the kernel sees as many bits of any number


class KeysUnknown(MinidockError):
    """The keys to leave by cannot be read."""

    status = 400


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants of a container's streams."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    is_live: bool = True  # what is printed from now on
    wants_past: bool = False  # what was printed before
    keys: str = ""  # names of keys; empty: the usual ones


class Visit:
    """One client at the streams of one container; `place` is None when it wants none."""

    def __init__(self, kept: Kept, wish: Wish, keys: bytes, voice: Voice) -> None:
        spec = kept.spec
        self.kept, self.wish = kept, wish
        self.is_framed = not spec.has_terminal
        self.takes_input = wish.is_live and wish.stdin and spec.keeps_stdin
        self.ends_input = spec.stdin_once and not spec.has_terminal
        self.keys = keys if spec.has_terminal else b""
        self.place: run.Place | None = None
        self._voice = voice

    @property
    def shows(self) -> frozenset[int]:
        """Give the numbers of the outputs that the client wants."""
        return frozenset(
            number
            for number, is_wanted in ((1, self.wish.stdout), (2, self.wish.stderr))
            if is_wanted
        )

    def left(self) -> None:
        """Tell that the client left by its keys."""
        self._voice(ContainerDetached(self.kept.id))


def attach(house: House, reference: str, wish: Wish, *, via: Via = NOBODY) -> Visit:
    """Begin a visit; its place has to be used or closed.

    Raises KeysUnknown, NoSuchContainer, VerbRefused.
    """
    keys = read_keys(wish.keys, f"Invalid detach keys ({wish.keys}) provided")
    life = house.life(reference)
    with operation(house, life.story, "attach", via) as voice:
        if life.state in (State.PAUSED, State.RESTARTING):
            life.allows(Verb.ATTACH, reference)
        visit = Visit(house.kept(life.id), wish, keys, voice)
        if wish.is_live and (visit.shows or visit.takes_input):
            visit.place = run.attach(house, life.id)
        try:
            voice(ContainerAttached(life.id))
        except BaseException:
            if visit.place:
                visit.place.close()
            raise
    return visit


def resize(
    house: House, reference: str, rows: int, columns: int, *, via: Via = NOBODY
) -> None:
    """Change the size of the program's terminal, if it has one; any number is taken.

    Raises NoSuchContainer, VerbRefused, ProcessGone.
    """
    life = house.life(reference)
    with operation(house, life.story, "resize", via) as voice:
        process = life.running(Verb.RESIZE)
        house.kernel.resize(process, rows & LARGEST, columns & LARGEST)
        voice(TerminalResized(life.id, rows, columns))


def read_keys(names: str, refusal: str, status: int = 400) -> bytes:
    """Read the keys to leave by; none are the usual ones.  Raises KeysUnknown."""
    try:
        return parse_keys(names or DEFAULT)
    except KeyUnknown as unknown:
        error = KeysUnknown(
            refusal,
            why=f"{str(unknown)[:80]!r} is no key: a key is one character, or ctrl- and "
            "one of a-z @ [ \\ ] ^ _",
            try_next=f"--detach-keys {DEFAULT}",
            lesson="streams",
        )
        error.status = status
        raise error from unknown
