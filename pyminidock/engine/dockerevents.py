"""What `docker events` says of our typed events: a projection, and nothing besides.

The engine tells its story once, in its own words.  Docker has fewer words for it, and its
clients wait for exactly those: so each typed event becomes one of Docker's messages, or
none.  What a message needs and the event does not carry (a container's name and labels, how
long it ran) stands beside it, noted in the moment in which it was told:

    ContainerExited(id, 3, …) + Beside("web", "busybox", ran_s=7)
        ─► container die  {"exitCode": "3", "execDuration": "7", "image": …, "name": …}

Source: moby, daemon/events.go, daemon/events/events.go; measured on Docker Engine 26.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyminidock import events as e
from pyminidock.events import Event

SPOKEN: frozenset[type[Event]] = frozenset((
    e.ContainerCreated, e.ContainerStarted, e.ContainerExited, e.ContainerSignalled,
    e.ContainerRemoved, e.ContainerStopped, e.ContainerPaused, e.ContainerUnpaused,
    e.ContainerRestarted, e.ContainerRenamed, e.ContainerUpdated, e.ContainerAttached,
    e.ContainerDetached, e.TerminalResized, e.MemoryExhausted, e.ExecCreated,
    e.ExecStarted, e.ExecStartFailed, e.ExecExited, e.ExecDetached, e.HealthChanged,
    e.ContainerExported, e.PathArchived, e.PathExtracted, e.ContainerCommitted,
    e.ProcessesListed, e.ContainersPruned, e.ImageTagged, e.ImageUntagged, e.ImageRemoved,
    e.ImageLoaded, e.ImageImported, e.ImageSaved, e.ImagesPruned, e.CachePruned,
    e.VolumeCreated, e.VolumeMounted, e.VolumeUnmounted, e.VolumeRemoved,
    e.VolumesPruned,
    e.NetworkCreated, e.NetworkRemoved, e.NetworkLeft, e.EndpointMade,
    e.EndpointReleased, e.NetworksPruned,
))  # fmt: skip
"""The events for which Docker has a word."""

Said = tuple[str, Mapping[str, str]]  # the action, and attributes of its own


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside an event of a container or an image, when it is told."""

    name: str = ""
    image: str = ""  # of a container: as it was named at its creation
    labels: tuple[tuple[str, str], ...] = ()
    ran_s: int = 0
    command: tuple[str, ...] = ()  # of the second process


@dataclass(frozen=True, slots=True)
class Message:
    """One of Docker's messages; `time_ns` is nanoseconds since 1970."""

    type: str
    action: str
    id: str
    time_ns: int
    attributes: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Give it in Docker's shape; what is old in it only containers and images have."""
        old: dict[str, Any] = {}
        if self.type in ("container", "image"):
            origin = self.attributes.get("image", "") if self.type == "container" else ""
            old = {"status": self.action, "id": self.id, "from": origin}
        return {
            **{name: value for name, value in old.items() if value},
            "Type": self.type,
            "Action": self.action,
            "Actor": {"ID": self.id, "Attributes": dict(sorted(self.attributes.items()))},
            "scope": "local",
            "time": self.time_ns // 1_000_000_000,
            "timeNano": self.time_ns,
        }


def message(event: Event, beside: Beside, wall: float) -> Message | None:
    """Say an event, told at `wall` (seconds since 1970), as Docker does; None: not at all.

    >>> said = message(e.ContainerRenamed("c", "web", "shop"), Beside("shop", "nginx"), 1.5)
    >>> said.action, said.attributes
    ('rename', {'image': 'nginx', 'name': 'shop', 'oldName': '/web'})
    """
    time_ns = round(wall * 1_000_000_000)
    if pruned := _pruned(event):
        kind, reclaimed = pruned
        return Message(kind, "prune", "", time_ns, {"reclaimed": str(reclaimed)})
    if said := _of_volume(event):
        action, own = said
        return Message("volume", action, str(getattr(event, "volume", "")), time_ns, own)
    if said := _of_network(event):
        action, own = said
        network = str(getattr(event, "network", ""))
        return Message("network", action, network, time_ns, own)
    if said := _of_image(event):
        action, own = said
        image = str(getattr(event, "image", ""))
        return Message("image", action, image, time_ns, {**dict(beside.labels), **own})
    if said := _of_container(event, beside):
        action, own = said
        named = {"image": beside.image} if beside.image else {}
        attributes = {**dict(beside.labels), **named, "name": beside.name, **own}
        return Message(
            "container", action, str(getattr(event, "container", "")), time_ns, attributes
        )
    return None


def _pruned(event: Event) -> tuple[str, int] | None:
    match event:
        case e.NetworksPruned():
            return "network", 0
        case e.ContainersPruned(reclaimed):
            return "container", reclaimed
        case e.ImagesPruned(reclaimed):
            return "image", reclaimed
        case e.CachePruned(reclaimed):
            return "builder", reclaimed
        case e.VolumesPruned(reclaimed):
            return "volume", reclaimed
    return None


def _of_volume(event: Event) -> Said | None:
    match event:
        case e.VolumeCreated(_, driver):
            return "create", {"driver": driver}
        case e.VolumeRemoved(_, driver):
            return "destroy", {"driver": driver}
        case e.VolumeUnmounted(_, container, driver):
            return "unmount", {"container": container, "driver": driver}
        case e.VolumeMounted(_, container, destination, driver, is_writable, propagation):
            return "mount", {
                "container": container, "destination": destination, "driver": driver,
                "propagation": propagation, "read/write": str(is_writable).lower(),
            }  # fmt: skip
    return None


_OF_NETWORKS: Mapping[type[Event], str] = {
    e.NetworkCreated: "create", e.NetworkRemoved: "destroy",
    e.NetworkLeft: "disconnect", e.EndpointMade: "connect",
    e.EndpointReleased: "disconnect",
}  # fmt: skip
"""Whoever is taken out while it runs is told of twice, as in Docker; who joins while it
rests is told of at its start."""


def _of_network(event: Event) -> Said | None:
    action = _OF_NETWORKS.get(type(event), "")
    if not action or (action == "destroy" and getattr(event, "driver", "") == "null"):
        return None  # what was a pattern only goes without a word
    named = {"name": getattr(event, "name", ""), "type": getattr(event, "driver", "")}
    container = str(getattr(event, "container", ""))
    return action, named | ({"container": container} if container else {})


_OF_IMAGES: Mapping[type[Event], str] = {
    e.ImageTagged: "tag", e.ImageUntagged: "untag", e.ImageRemoved: "delete",
    e.ImageLoaded: "load", e.ImageImported: "import", e.ImageSaved: "save",
}  # fmt: skip


def _of_image(event: Event) -> Said | None:
    """Only a tag is called by its name; in all the others `name` is the id once more."""
    action = _OF_IMAGES.get(type(event), "")
    name = event.name if isinstance(event, e.ImageTagged) else getattr(event, "image", "")
    return (action, {"name": str(name)}) if action else None


_BARE: Mapping[type[Event], str] = {
    e.ContainerCreated: "create", e.ContainerStarted: "start",
    e.ContainerRemoved: "destroy", e.ContainerStopped: "stop",
    e.ContainerPaused: "pause", e.ContainerUnpaused: "unpause",
    e.ContainerRestarted: "restart", e.ContainerUpdated: "update",
    e.ContainerAttached: "attach", e.ContainerDetached: "detach",
    e.MemoryExhausted: "oom", e.ContainerExported: "export",
    e.PathArchived: "archive-path", e.PathExtracted: "extract-to-dir",
    e.ProcessesListed: "top",
}  # fmt: skip
"""Where the action alone says it."""


def _of_container(event: Event, beside: Beside) -> Said | None:
    bare = _BARE.get(type(event), "")
    own: Mapping[str, object] = {}
    match event:
        case e.ContainerExited(_, exit_code):
            bare, own = "die", {"execDuration": beside.ran_s, "exitCode": exit_code}
        case e.ContainerSignalled(_, signal):
            bare, own = "kill", {"signal": signal}
        case e.ContainerRenamed(_, before):
            bare, own = "rename", {"oldName": f"/{before}"}
        case e.TerminalResized(_, rows, columns):
            bare, own = "resize", {"height": rows, "width": columns}
        case e.HealthChanged(_, status):
            bare = f"health_status: {status}"
        case e.ContainerCommitted(_, image, reference, comment):
            own = {"comment": comment, "imageID": image, "imageRef": reference}
            bare = "commit"
    if not bare:
        return _of_exec(event, beside)
    return bare, {name: str(value) for name, value in own.items()}


def _of_exec(event: Event, beside: Beside) -> Said | None:
    """The words of the command are part of the action, with a blank behind the first."""
    match event:
        case e.ExecCreated(_, name, command):
            return f"exec_create: {_words(command)}", {"execID": name}
        case e.ExecStarted(_, name) | e.ExecStartFailed(_, name):
            return f"exec_start: {_words(beside.command)}", {"execID": name}
        case e.ExecExited(_, name, exit_code):
            return "exec_die", {"execID": name, "exitCode": str(exit_code)}
        case e.ExecDetached(_, name):
            return "exec_detach", {"execID": name}
    return None


def _words(command: tuple[str, ...]) -> str:
    """Join a command as Docker does.

    >>> _words(("true",)), _words(("sh", "-c", "exit 3"))
    ('true ', 'sh -c exit 3')
    """
    return f"{command[0] if command else ''} {' '.join(command[1:])}"
