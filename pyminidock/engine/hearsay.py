"""What is told of questions for names: enough to follow, never enough to drown in.

    the same question, the same outcome     once in ten seconds, with how often meanwhile
    everything of one container             twenty in ten seconds; what is more is not told

A program may ask a thousand times a second, and a story has to stay a story.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from pyminidock.events import NameAsked
from pyminidock.viz.sentences import middle

WINDOW_S = 10.0
AT_MOST = 20  # of one container in a window
_REMEMBERED = 2048  # questions
_LONGEST, _ANSWERS = 100, 8

_Question = tuple[str, str, str, str]


@dataclass(slots=True)
class _Said:
    at: float
    unsaid: int = 0


class Hearsay:
    """Decides which questions are told.  For one thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._said: OrderedDict[_Question, _Said] = OrderedDict()
        self._windows: dict[str, tuple[float, int]] = {}

    def sifted(self, event: NameAsked) -> NameAsked | None:
        """Give what is to be told of a question; None: nothing.

        >>> hears = Hearsay(lambda: 1.0)
        >>> hears.sifted(NameAsked("c", "db", "A", "known")).times
        1
        >>> hears.sifted(NameAsked("c", "db", "A", "known")) is None
        True
        """
        now = self._clock()
        question = (event.container, event.name, event.kind, event.outcome)
        said = self._said.get(question)
        if said is not None and now - said.at < WINDOW_S:
            said.unsaid += 1
            return None
        began, told = self._windows.get(event.container, (now, 0))
        if now - began >= WINDOW_S:
            began, told = now, 0
        if told >= AT_MOST:
            return None
        self._windows[event.container] = (began, told + 1)
        self._said[question] = _Said(now)
        self._said.move_to_end(question)
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        return replace(
            event, name=middle(event.name, _LONGEST), answers=event.answers[:_ANSWERS],
            times=1 + (said.unsaid if said else 0),
        )  # fmt: skip

    def forget(self, container: str) -> None:
        """Let go of what was said of a container."""
        self._windows.pop(container, None)
        for question in [each for each in self._said if each[0] == container]:
            del self._said[question]
