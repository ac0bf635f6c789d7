"""What stands beside an event in the moment in which it is told.

Docker says with each event of a container how it is called, what it was made of and what
labels it has.  Our event has an id, so the rest is looked up in the house, at once: a
moment later the container may have another name, or be gone.
"""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pyminidock.engine import images
from pyminidock.engine.dockerevents import Beside
from pyminidock.errors import MinidockError
from pyminidock.events import (
    ContainerExited,
    ContainerRemoved,
    ContainerRenamed,
    EndpointMade,
    EndpointReleased,
    Event,
    ExecStarted,
    ExecStartFailed,
    ImageRemoved,
    NetworkJoined,
    NetworkLeft,
)
from pyminidock.store.records import NoSuchContainer

if TYPE_CHECKING:
    from pyminidock.engine.house import House

_SAY_ALL = (EndpointMade, EndpointReleased, NetworkJoined, NetworkLeft)
"""Events of networks: they carry all that Docker says of them."""


class Noted:
    """Looks things up in one house, and remembers what is about to be forgotten."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self._known: dict[str, Beside] = {}

    def remember(self) -> None:
        """Know every container there is, for the day of its removal."""
        self._known |= {life.id: self._kept(life.id) for life in self._house.lives()}

    def look(self, event: Event) -> Beside:
        """Give what stands beside an event; nothing, where there is nothing any more."""
        if isinstance(event, _SAY_ALL):
            return Beside()
        if container := str(getattr(event, "container", "")):
            return self._of_container(container, event)
        image = str(getattr(event, "image", ""))
        if image and not isinstance(event, ImageRemoved):
            return self._of_image(image)
        return Beside()

    def _of_container(self, container: str, event: Event) -> Beside:
        if isinstance(event, ContainerRemoved):  # the house has forgotten it already
            return self._known.pop(container, Beside(event.name))
        with suppress(NoSuchContainer):
            self._known[container] = self._kept(container)
        beside = self._known.get(container, Beside())
        match event:
            case ContainerRenamed():
                beside = self._known[container] = replace(beside, name=event.after)
            case ContainerExited():
                started = self._house.kept(container).started
                ran_s = int(self._house.kernel.wall() - started) if started else 0
                return replace(beside, ran_s=max(ran_s, 0))
            case ExecStarted() | ExecStartFailed():
                now = self._house.kernel.clock()
                found = self._house.execs.find(event.exec, now)
                return replace(beside, command=found.request.command if found else ())
        return beside

    def _kept(self, container: str) -> Beside:
        kept = self._house.kept(container)
        return Beside(kept.name, kept.request.image, kept.spec.labels)

    def _of_image(self, image: str) -> Beside:
        with suppress(MinidockError):  # it is gone, or a part of it is
            document = images.recall(self._house, images.row_of(self._house, image))
            return Beside(labels=tuple(document.config.labels))
        return Beside()
