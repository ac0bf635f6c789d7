"""What the magics began: cells return at once, and the next one finds it done.

    %minidock build -t hello .      returns at once, its stepper lives
    !minidock run --rm hello        waits until the image is there

So "Run All" means what it says, and nobody waits in a cell.  A story that is held is not
waited for, nor one that was sent to the background, and a program that goes on for longer
than a few seconds is meant to.  An interrupt ends the waiting and nothing else.
"""

from contextlib import suppress
from weakref import WeakKeyDictionary

from pyminidock.client.buildstory import BuildHandle
from pyminidock.client.runstory import RunHandle
from pyminidock.client.story import StoryHandle
from pyminidock.widgets.cell import is_watched
from pyminidock.widgets.stepper import LIVING, Stepper

RUN_S = 5.0  # of a program that may be a server
BUILD_S = 600.0

_steppers: WeakKeyDictionary[StoryHandle, Stepper] = WeakKeyDictionary()
_awaited: list[StoryHandle] = []


def stepper_of(handle: StoryHandle) -> Stepper:
    """Give the stepper of a story: one, however often it is shown."""
    if handle not in _steppers:
        _steppers[handle] = Stepper(handle)
    return _steppers[handle]


def show(handle: StoryHandle) -> None:
    """Show a handle as what it is: a story that can be stepped through.

    Where nobody looks, the notebook is made for paper: its picture is waited for.
    """
    stepper_of(handle).show(None if is_watched() else _patience_s(handle))


def await_before_next(handle: StoryHandle) -> None:
    """Let the next cell find this story done."""
    _awaited.append(handle)


def _patience_s(handle: StoryHandle) -> float:
    """Give the seconds that others wait for a story; none for one in the background."""
    if isinstance(handle, BuildHandle):
        return BUILD_S
    is_detached = isinstance(handle, RunHandle) and handle.is_detached
    return 0.0 if is_detached else RUN_S


def settle(_info: object = None) -> None:
    """Wait for what the cells before began."""
    with suppress(KeyboardInterrupt):
        while _awaited:
            handle = _awaited[0]
            limit_s, waited_s = _patience_s(handle), 0.0
            while not handle.join(0.05) and waited_s < limit_s and not handle.holding:
                waited_s += 0.05
            _awaited.pop(0)
        return
    _awaited.clear()


def close_all() -> None:
    """Hold nothing, and take every widget off its page."""
    _awaited.clear()
    for stepper in tuple(LIVING):
        stepper.close()
    _steppers.clear()
