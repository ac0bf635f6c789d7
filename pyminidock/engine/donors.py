"""Whose processes and shared memory a container shares, when they are another container's.

    create    --pid container:web     the other is looked up, and known by its id
    start     its process, alive      the child joins the namespaces of that one

A namespace lives as long as a process in it, so the other has to run at each start.

Source: moby, daemon/container_operations_unix.go: getPIDContainer(), getIPCContainer();
measured with dockerd 26.1.5.
"""

from collections.abc import Mapping
from dataclasses import replace

from pyminidock.container.asked import Worlds
from pyminidock.container.spec import ContainerSpec
from pyminidock.container.states import State
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.kernel.port import Process
from pyminidock.store.records import NoSuchContainer

_OTHER = "container:"


class WorldNotJoined(MinidockError):
    """The container whose namespace was to be shared cannot share it now."""

    def __init__(self, kind: str, what: str, why: str, try_next: str, status: int) -> None:
        """`status` is Docker's for the IPC namespace; of the other it has but one."""
        super().__init__(
            f"failed to join {kind.upper()} namespace: {what}", why=why, try_next=try_next,
            lesson="namespaces",
        )  # fmt: skip
        self.status = status if kind == "ipc" else 500


def by_id(house: House, worlds: Worlds) -> Worlds:
    """Call the other containers by their ids: they may be renamed.

    Raises NoSuchContainer.
    """
    return replace(worlds, pid=_by_id(house, worlds.pid), ipc=_by_id(house, worlds.ipc))


def _by_id(house: House, mode: str) -> str:
    name = mode.removeprefix(_OTHER)
    return mode if name in (mode, "") else _OTHER + house.life(name).id


def donors(house: House, spec: ContainerSpec) -> Mapping[str, Process]:
    """Give the processes whose namespaces are joined, by kind.  Raises WorldNotJoined."""
    found = {}
    for kind, mode in (("ipc", spec.worlds.ipc), ("pid", spec.worlds.pid)):
        if mode.startswith(_OTHER):
            found[kind] = _donor(house, kind, mode.removeprefix(_OTHER))
    return found


def _donor(house: House, kind: str, id: str) -> Process:
    if not id:
        raise WorldNotJoined(
            kind, 'invalid name or ID supplied: ""', "nobody was named to share with",
            "minidock ps", 400,
        )  # fmt: skip
    try:
        life = house.life(id)
    except NoSuchContainer as missing:
        raise WorldNotJoined(
            kind, missing.what, "it was removed since this container was made",
            "minidock ps -a", 400,
        ) from missing  # fmt: skip
    process = life.process
    if life.state is State.RESTARTING:
        raise WorldNotJoined(
            kind, f"Container {life.id} is restarting, wait until the container is running",
            "between two runs it has no process", f"minidock logs {life.name}", 409,
        )  # fmt: skip
    if not life.is_running or process is None:
        raise WorldNotJoined(
            kind, f"container {life.id} is not running",
            "a namespace lives as long as a process in it", f"minidock start {life.name}",
            409,
        )  # fmt: skip
    if kind == "ipc" and house.kept(life.id).spec.worlds.ipc != "shareable":
        raise WorldNotJoined(
            kind, f"container {life.id}: non-shareable IPC (hint: use IpcMode:shareable "
            "for the donor container)",
            "queues and shared memory are its own unless it is made to share them",
            f"minidock inspect --format '{{{{.HostConfig.IpcMode}}}}' {life.name}", 400,
        )  # fmt: skip
    return process
