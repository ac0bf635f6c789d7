"""A container's files as a whole, and what it changed in them: `docker export` and `diff`.

Both look at the stacked layers alone: nothing that is mounted for the program is in them,
not even the engine's own files in /etc.

Source: moby, daemon/export.go and daemon/changes.go.
"""

from pathlib import Path

from pyminidock.engine.copying import Pieces, open_view
from pyminidock.engine.house import House
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.events import ContainerExported
from pyminidock.layers.apply import policy_here
from pyminidock.layers.differences import Difference, differences
from pyminidock.layers.merged import Merged
from pyminidock.layers.outgoing import Outgoing


def export(house: House, reference: str, *, via: Via = NOBODY) -> Pieces:
    """Give all files of a container as an archive, piece by piece.

    Raises NoSuchContainer.
    """
    life = house.life(reference)
    with operation(house, life.story, "export", via) as voice:
        view = open_view(house, life, has_files=False)
        pieces = Outgoing(view).directory(b"/", b"", has_itself=False)
        voice(ContainerExported(life.id))
    return Pieces(pieces, view.close)


def changes(house: House, reference: str) -> tuple[Difference, ...]:
    """Tell what a container changed, against its image.  Raises NoSuchContainer."""
    snapshot = house.kept(house.life(reference).id).snapshot
    spelling = policy_here(is_single_user=house.machine.is_single_user).spelling
    with Merged(tuple(map(Path, snapshot.lower)), spelling) as below:
        return differences(Path(snapshot.upper), below, spelling)
