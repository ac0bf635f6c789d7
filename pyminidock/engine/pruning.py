"""Every container that does not run is removed, as far as filters let it.

    until     only what was made before a moment
    label     only what has it, or has it with this value; label! the reverse

A container that somebody starts or removes in the same moment is left to them.

Source: moby, daemon/prune.go, ContainersPrune().
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyminidock.container.states import State
from pyminidock.engine.burying import remove
from pyminidock.engine.document import Document
from pyminidock.engine.filters import Filters, for_prune
from pyminidock.engine.house import House
from pyminidock.engine.images import telling
from pyminidock.engine.inspect import labels
from pyminidock.engine.operations import NOBODY, Via
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import ContainersPruned
from pyminidock.layers.sizes import size_of_tree

FILTERS = ("label", "label!", "until")


class PruneRuns(MinidockError):
    """Another prune is going on."""

    status = 409


def prune(house: House, said: Mapping[str, Any], *, via: Via = NOBODY) -> Document:
    """Remove them; tell which, and how many bytes they had written.

    Raises FilterRefused, PruneRuns.
    """
    filters = for_prune(said, FILTERS)
    if not house.pruning.acquire(blocking=False):
        raise PruneRuns(
            "a prune operation is already running",
            why="two of them would count the same containers",
            try_next="docker container prune --force",
            lesson="lifecycle",
        )
    try:
        with telling(house, "prune", "container prune", via) as voice:
            return _prune(house, filters, via, voice)
    finally:
        house.pruning.release()


def _prune(house: House, filters: Filters, via: Via, voice: Voice) -> Document:
    deleted, reclaimed = [], 0
    now = house.kernel.wall()
    for life in house.lives():
        if life.is_running or life.state is State.REMOVING:
            continue
        with suppress(MinidockError):  # it is somebody else's in this moment
            kept = house.kept(life.id)
            if not filters.allows(tuple(labels(kept).items()), int(kept.created), now):
                continue
            size = size_of_tree(Path(kept.snapshot.upper))
            remove(house, life.id, via=via)
            deleted.append(life.id)
            reclaimed += size
    voice(ContainersPruned(reclaimed))
    return {"ContainersDeleted": deleted or None, "SpaceReclaimed": reclaimed}
