"""A container that stands still while its files are copied, and never longer.

Who pauses a container wants it to stay so; who copies its files wants it back.  The two
look the same to the kernel.  So a copy leaves a mark in the container's directory before it
stops the processes: an engine that finds it after a crash lets them go on.

Source: moby, daemon/commit.go, which pauses in the same way, and leaves it at that.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pyminidock.container.plan import freeze_plan, thaw_plan
from pyminidock.container.states import State, Verb
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import ContainerPaused, ContainerUnpaused
from pyminidock.store.failpoints import reach

_MARK = "still"  # ROOT/containers/<id>/still


@contextmanager
def standing_still(house: House, life: Life, voice: Voice) -> Iterator[None]:
    """Stop all processes of a container that runs, for the time being.

    The caller is the only one who changes it.  Where processes cannot be stopped they go
    on, as with Docker, and the copy is of what they leave.
    """
    if life.state is not State.RUNNING or not _stopped(house, life):
        yield
        return
    life.becomes(Verb.PAUSE)
    voice.relay(ContainerPaused(life.id))
    try:
        reach("commit.paused")
        yield
    finally:
        _let_go_on(house, life)
        voice.relay(ContainerUnpaused(life.id))
        reach("commit.resumed")


def stands_for_a_copy(house: House, life: Life) -> bool:
    """Say whether an engine died while a container stood still for a copy; forget it."""
    mark = house.directory(life.id) / _MARK
    with suppress(FileNotFoundError):
        mark.unlink()
        return True
    return False


def _stopped(house: House, life: Life) -> bool:
    mark = house.directory(life.id) / _MARK
    mark.touch(mode=0o600)
    try:
        house.kernel.perform(freeze_plan(house.kept(life.id).spec, house.machine))
    except MinidockError:
        mark.unlink(missing_ok=True)
        return False
    return True


def _let_go_on(house: House, life: Life) -> None:
    with suppress(MinidockError):  # it has ended: nobody is left who stands still
        house.kernel.perform(thaw_plan(house.kept(life.id).spec, house.machine))
    if life.state is State.PAUSED:
        life.becomes(Verb.UNPAUSE)
    (house.directory(life.id) / _MARK).unlink(missing_ok=True)
