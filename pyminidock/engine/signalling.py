"""Sending a signal to a container, and what follows from it besides the signal.

    kill web            KILL; returns when the program has ended
    kill -s HUP web     HUP; returns at once
    paused              the signal waits in the kernel until the container is thawed
    restarting          there is nobody to signal: the policy is told to give up

Whoever signals tells so before the end that it brings is told (`Life.speaks`).

Source: moby, daemon/kill.go: killWithSignal(), Kill().
"""

from collections.abc import Callable
from contextlib import suppress

from pyminidock.container.plan import thaw_plan
from pyminidock.container.states import State, Verb, VerbRefused
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.restarts import cancels
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import ContainerSignalled, ContainerUnpaused
from pyminidock.grammar.signals import KILL, check_known
from pyminidock.kernel.port import ProcessGone

PATIENCE_S = 10.0  # for a program that was killed to be gone
LAST_PATIENCE_S = 2.0


class KillUnheard(MinidockError):
    """A program was killed and is still there: the kernel does not let go of it."""


def kill(house: House, reference: str, signal: int = KILL, *, via: Via = NOBODY) -> None:
    """Send a signal to the program; KILL returns when it has ended.

    Raises VerbRefused, ContainerBusy, KillUnheard.
    """
    life = house.life(reference)
    with operation(house, life.story, "kill", via) as voice:
        if signal == KILL:
            with life.only("kill", voice):
                life.allows(Verb.KILL)
            put_down(house, life, voice)
        else:
            send(house, life, signal, voice)


def put_down(
    house: House, life: Life, voice: Voice, is_over: Callable[[], bool] = lambda: False
) -> None:
    """Kill the program, and return when it has ended; or when `is_over`.

    Raises ContainerBusy, KillUnheard.
    """
    outcome = life.outcome("not-running")

    def is_done() -> bool:
        return outcome() or is_over()

    try:
        try:
            was_sent = send(house, life, KILL, voice, is_done)
        except VerbRefused:  # its policy has given up in this very moment
            return
        if not was_sent or life.until(is_done, PATIENCE_S):
            return
        if life.process is not None:
            with suppress(ProcessGone):
                house.kernel.signal(life.process, KILL)
        if not life.until(is_done, LAST_PATIENCE_S):
            raise KillUnheard(
                "tried to kill container, but did not receive an exit event",
                why="a process in the middle of a call that waits for a device cannot end",
                try_next=f"minidock top {life.name}",
                lesson="lifecycle",
            )
    finally:
        life.forget(outcome)


def send(  # noqa: PLR0913  (whom, what, and when it is too late)
    house: House, life: Life, signal: int, voice: Voice,
    is_over: Callable[[], bool] = lambda: False, *, goes_on: bool = False,
) -> bool:  # fmt: skip
    """Send a signal and tell it; False if `is_over` before it could be sent.

    With `goes_on` the voice has more to say before the end is told (`Life.falls_silent`).
    Raises VerbRefused, ContainerBusy, SignalUnsupported.
    """
    with life.only("kill", voice, is_over) as is_mine:
        if not is_mine:
            return False
        life.allows(Verb.KILL)
        is_new = life.speaks(voice)
        try:
            with life.signalling(voice):
                _send(house, life, signal, voice)
        finally:
            if is_new and not goes_on:
                life.falls_silent(voice)
    return True


def _send(house: House, life: Life, signal: int, voice: Voice) -> None:
    spec = house.kept(life.id).spec
    is_final = cancels(spec, signal)
    house.note(life, was_stopped=True, is_durable=spec.restart_policy != "no")
    if is_final:
        with life.changed:
            life.gave_up = True
            life.changed.notify_all()
    if life.state is State.RESTARTING:
        return
    check_known(signal)
    process = life.running(Verb.KILL)
    if signal == KILL:
        life.killed = life.runs
    with suppress(ProcessGone):  # its end will be told in a moment
        house.kernel.signal(process, signal)
    voice(ContainerSignalled(life.id, signal))
    if life.state is State.PAUSED and is_final:
        house.kernel.perform(thaw_plan(spec, house.machine), emit=voice)
        life.becomes(Verb.UNPAUSE)
        if signal != KILL:
            voice(ContainerUnpaused(life.id))
