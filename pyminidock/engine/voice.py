"""The voice of one operation: what the rooms below call `emit`.

    story       what people look at: everything that happens to one container
    operation   one API call, or one thread that works for the story; a voice each
    step        what takes time: its first event is the parent of the others

A voice only says what it has to say and where it stands; what becomes of it is the
recorder's business.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from pyminidock.engine.gates import Gate
from pyminidock.events import Event


@dataclass(slots=True)
class Story:
    """What people look at: everything that happens to one container."""

    name: str
    began: float  # on the kernel's clock
    latest: float = 0.0  # when its last event happened, by the same
    gates: tuple[Gate, ...] = ()
    on_hold: Callable[[int], object] = lambda _seq: None  # called before it stands still


@dataclass(slots=True)
class Step:
    """What takes time: its first event stands for it, as the parent of the others."""

    phase: str
    parent: int
    first: int = 0


class Tell(Protocol):
    """Stamps and spreads what a voice says; `at` is when it happened, if not now.

    `evidence` is how it is known, if not as its class says.
    """

    def __call__(
        self, voice: "Voice", event: Event, frame: FrameType,
        at: float | None = None, evidence: str = "", /,
    ) -> None:  # fmt: skip
        """May block, and raise, where a gate says so."""


class Voice:
    """Tells events of one operation of one story; an Emit.  For one thread.

    Steps nest: the first event of a step is the parent of what follows within it.
    """

    def __init__(
        self, tell: Tell, story: Story, operation: str, *, may_abort: bool
    ) -> None:
        self.story, self.operation, self.may_abort = story, operation, may_abort
        self.steps = [Step("", 0)]
        self.held_s = 0.0  # for so long gates have held it, all in all
        self.is_held = False  # by a gate, now
        self.on_hold: Callable[[], None] = lambda: None  # called when a gate begins to
        self._tell = tell

    def __call__(self, event: Event) -> None:
        """Tell `event`; may block at a gate.  Raises BirthAborted where it says so."""
        self._tell(self, event, sys._getframe(1))

    def relay(self, event: Event) -> None:
        """Tell `event` for whoever called the function that calls this; else as a call."""
        self._tell(self, event, sys._getframe(2))

    def happened(self, event: Event, at: float) -> None:
        """Tell `event`, which happened at `at` by the kernel's clock; else as a call."""
        self._tell(self, event, sys._getframe(1), at)

    def known(self, event: Event, evidence: str) -> None:
        """Tell `event`, which is known by `evidence`, one of EVIDENCE; else as a call."""
        self._tell(self, event, sys._getframe(1), None, evidence)

    def step(self, phase: str) -> "_Within":
        """Tell what follows as parts of one step, named `phase`."""
        return _Within(self.steps, phase)


class _Within:
    """The time that a step takes."""

    __slots__ = ("_phase", "_steps")

    def __init__(self, steps: list[Step], phase: str) -> None:
        self._steps, self._phase = steps, phase

    def __enter__(self) -> None:
        outer = self._steps[-1]
        self._steps.append(Step(self._phase, outer.first or outer.parent))

    def __exit__(self, *_: object) -> None:
        self._steps.pop()
