"""Every process of a container stands still, wherever it is, and goes on later.

The freezer is a switch of the cgroup: what is in it is not scheduled any more, and has no
way to notice.  A signal waits until it is thawed.

Source: moby, daemon/pause.go and daemon/unpause.go; man 7 cgroups, "freezer".
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pyminidock.container.plan import freeze_plan, thaw_plan
from pyminidock.container.states import Verb
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.signalling import PATIENCE_S
from pyminidock.events import ContainerPaused, ContainerUnpaused
from pyminidock.kernel.port import CallFailed


def pause(house: House, reference: str, *, via: Via = NOBODY) -> None:
    """Freeze all processes.  Raises VerbRefused, ContainerBusy, CallFailed."""
    life = house.life(reference)
    with (
        operation(house, life.story, "pause", via) as voice,
        life.only("pause", voice),
    ):
        if life.killed == life.runs:  # who is frozen cannot die
            life.until(lambda: life.exit is not None, PATIENCE_S)
        life.allows(Verb.PAUSE, reference)
        plan = freeze_plan(house.kept(life.id).spec, house.machine)
        with _said(life, Verb.PAUSE, "cannot pause container"):
            house.kernel.perform(plan, emit=voice)
        life.becomes(Verb.PAUSE)
        voice(ContainerPaused(life.id))


def unpause(house: House, reference: str, *, via: Via = NOBODY) -> None:
    """Thaw all processes.  Raises NotPaused, ContainerBusy, CallFailed."""
    life = house.life(reference)
    with (
        operation(house, life.story, "unpause", via) as voice,
        life.only("unpause", voice),
    ):
        life.allows(Verb.UNPAUSE, reference)
        plan = thaw_plan(house.kept(life.id).spec, house.machine)
        with _said(life, Verb.UNPAUSE, "Cannot unpause container"):
            house.kernel.perform(plan, emit=voice)
        life.becomes(Verb.UNPAUSE)
        voice(ContainerUnpaused(life.id))


@contextmanager
def _said(life: Life, verb: Verb, words: str) -> Iterator[None]:
    """Say what could not be done; of a program that has ended meanwhile, that it has."""
    try:
        yield
    except CallFailed as failure:
        life.allows(verb)
        failure.what = f"{words} {life.id}: {failure.what}"
        raise
