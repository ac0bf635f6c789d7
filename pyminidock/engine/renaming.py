"""Another name for a container; its id, its directory and its story stay.

Source: moby, daemon/rename.go.
"""

from dataclasses import replace

from pyminidock.engine import introducing, linking
from pyminidock.engine.house import House
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.errors import MinidockError
from pyminidock.events import ContainerRenamed
from pyminidock.grammar.names import parse_name


class NameUnchanged(MinidockError):
    """The new name is missing, or is the old one."""

    status = 400


def rename(house: House, reference: str, name: str, *, via: Via = NOBODY) -> None:
    """Give a container another name.

    Raises NameUnchanged, NameTaken, NoSuchContainer, ContainerBusy, NameRefused.
    """
    if not name:
        raise _unchanged("Neither old nor new names may be empty")
    life = house.life(reference)
    with operation(house, life.story, "rename", via) as voice, life.only("rename", voice):
        before = life.name
        if name.removeprefix("/") == before:
            raise _unchanged("Renaming a container with the same name as its current name")
        after = _claim(house, name, life.id)
        try:
            spec = replace(house.kept(life.id).spec, name=after)
            house.amend(life, name=after, spec=spec)
        except BaseException:
            house.records.let_go(after)
            raise
        house.records.let_go(before)
        life.name = after
        linking.renamed(house, before, after)
        introducing.renamed(house, life.id, before)
        voice(ContainerRenamed(life.id, before, after))


def _claim(house: House, name: str, container: str) -> str:
    """Take a name.  Raises NameTaken, NameRefused, in Docker's words for a second name."""
    try:
        after = parse_name(f"/{name.removeprefix('/')}")
        house.records.claim(after, container)
    except MinidockError as refusal:
        refusal.what = f"Error when allocating new name: {refusal.what}"
        raise
    return after


def _unchanged(what: str) -> NameUnchanged:
    return NameUnchanged(
        what,
        why="a new name is one that the container does not have",
        try_next="name=web2",
        lesson="names",
    )
