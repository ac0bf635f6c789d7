"""How a container goes: its program is ended, then everything that it wrote is removed.

    removal        one at a time; a second one hears that the first is in progress
      └─ kill      with force, if it is running
          └─ bury  record, snapshot, name; the story closes

What removes itself at the end of its program is buried by whoever attends to that end,
unless somebody is removing it already.

Source: moby, daemon/delete.go.
"""

from pyminidock.container.states import State, Verb
from pyminidock.engine.furnishing import release
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.signalling import put_down
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import ContainerRemoved, SnapshotRemoved


class RemovalFailed(MinidockError):
    """The disk does not let go of what a container wrote."""


def remove(
    house: House, reference: str, *, force: bool = False, volumes: bool = False,
    via: Via = NOBODY,
) -> None:  # fmt: skip
    """Remove a container with all that it wrote; `force` kills its program first.

    `volumes`: and the volumes that have no name, if nobody else has them.

    Raises VerbRefused, ContainerBusy, KillUnheard, RemovalFailed.
    """
    life = house.life(reference)

    def check() -> None:
        if life.is_running and not force:
            life.allows(Verb.REMOVE)

    with (
        operation(house, life.story, "remove", via) as voice,
        life.removal(reference, voice, check),
    ):
        if life.is_gone:  # it had removed itself meanwhile
            return
        if life.is_running:
            put_down(house, life, voice)
        with life.only("remove", voice):
            bury(house, life, voice, has_volumes=volumes)


def bury(house: House, life: Life, voice: Voice, *, has_volumes: bool = False) -> None:
    """Take away all of a container that is not running, and close its story.

    `has_volumes`: also its volumes without a name, unless another container has them.

    If that fails it is dead: it can be removed again, and nothing else.
    Raises RemovalFailed.
    """
    life.state = State.REMOVING
    try:
        house.records.remove(life.id)
    except OSError as refusal:
        failure = _not_removed(life, refusal)
        life.remains(failure.what)
        raise failure from refusal
    except BaseException:
        life.becomes(Verb.FAIL)
        raise
    voice(SnapshotRemoved(life.id))
    spec = house.kept(life.id).spec
    house.forget(life.id)
    if has_volumes:
        release(house, spec, voice)
    voice(ContainerRemoved(life.id, life.name))
    life.goes()
    house.recorder.end(life.story)


def _not_removed(life: Life, refusal: OSError) -> RemovalFailed:
    return RemovalFailed(
        f"unable to remove filesystem for {life.id}: {refusal}",
        why="its files could not be taken away, so its name is kept for another try",
        try_next=f"minidock rm {life.name}",
        lesson="lifecycle",
    )
