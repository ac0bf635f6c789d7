"""Asking a container to end, waiting for it, and then no longer asking.

    stop ── its stop signal ──► wait t seconds ── KILL ──► wait ──► stopped
    restart = stop, if it is running, and start

Any number may stop one container at the same time: each sends its signal, all return at
the same end.  A kill or a removal need not wait for them.

Source: moby, daemon/stop.go and daemon/restart.go.
"""

from collections.abc import Callable

from pyminidock.container.states import State, Verb
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.restarts import stop_signal
from pyminidock.engine.signalling import put_down, send
from pyminidock.engine.starting import start_in
from pyminidock.engine.voice import Voice
from pyminidock.events import ContainerRestarted, ContainerStopped
from pyminidock.grammar.signals import SignalUnsupported

PATIENCE_S = 10  # for a program that nobody said anything else of
_UNHEARD_S = 2  # for one that could not be asked


def stop(
    house: House, reference: str, *, signal: int = 0, timeout_s: int | None = None,
    via: Via = NOBODY,
) -> None:  # fmt: skip
    """End the program: ask it, and kill it after `timeout_s` (-1: never).

    Without `signal` and `timeout_s` as the container was made to be stopped.
    Raises NothingToDo, ContainerBusy, KillUnheard.
    """
    life = house.life(reference)
    with operation(house, life.story, "stop", via) as voice:
        with life.only("stop", voice):
            life.allows(Verb.STOP)
        _stop(house, life, voice, signal, timeout_s)


def restart(
    house: House, reference: str, *, signal: int = 0, timeout_s: int | None = None,
    via: Via = NOBODY,
) -> None:  # fmt: skip
    """End the program as `stop` does, if it runs, and start it.

    Raises as `stop` and `start` do, but never NothingToDo.
    """
    life = house.life(reference)
    with operation(house, life.story, "restart", via, may_abort=True) as voice:
        with life.only("restart", voice):
            is_running = life.is_running
            life.is_being_restarted = is_running
        try:
            if is_running:
                _stop(house, life, voice, signal, timeout_s)
            start_in(house, life, voice)
        except BaseException:
            life.is_being_restarted = False
            raise
        voice(ContainerRestarted(life.id))


def _stop(
    house: House, life: Life, voice: Voice, signal: int, timeout_s: int | None
) -> None:
    """Do it; whoever finds that it has stopped meanwhile tells nothing."""
    with life.changed:
        outcome = life.outcome("not-running")
        run = life.runs + (life.state is State.RESTARTING)

    def is_over() -> bool:
        return outcome() or (life.ceased >= run and not life.is_being_signalled)

    try:
        if _ask(house, life, voice, signal, timeout_s, is_over):
            voice(ContainerStopped(life.id))
        life.falls_silent(voice)
        life.until(outcome)
    finally:
        life.falls_silent(voice)
        life.forget(outcome)


def _ask(  # noqa: PLR0913, PLR0917  (whom, how, and when it is enough)
    house: House, life: Life, voice: Voice, signal: int, timeout_s: int | None,
    is_over: Callable[[], bool],
) -> bool:  # fmt: skip
    """Ask it to end, and then no longer ask; False: it had ended before."""
    spec = house.kept(life.id).spec
    said = (timeout_s, spec.stop_timeout, PATIENCE_S)
    patience_s = next(each for each in said if each is not None)
    number = signal or stop_signal(spec)
    try:
        if not send(house, life, number, voice, is_over, goes_on=True):
            return False
    except SignalUnsupported:
        patience_s = _UNHEARD_S
    if not life.until(is_over, None if patience_s < 0 else patience_s):
        put_down(house, life, voice, is_over)
    return True
