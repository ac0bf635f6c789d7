"""What happened to data that outlives containers."""

from dataclasses import dataclass

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class VolumeCreated(Event):
    """A volume is there; `is_unnamed`: nobody chose its name."""

    volume: str
    driver: str
    is_unnamed: bool = False


@dataclass(frozen=True, slots=True)
class VolumePopulated(Event):
    """An empty volume got what the image has at `path`: so many files and bytes."""

    volume: str
    path: str
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class VolumeMounted(Event):
    """A container is given a volume at `destination`, for its program or for a copy."""

    volume: str
    container: str
    destination: str
    driver: str
    is_writable: bool = True
    propagation: str = ""


@dataclass(frozen=True, slots=True)
class VolumeUnmounted(Event):
    """A container uses a volume no more; its data stays."""

    volume: str
    container: str
    driver: str


@dataclass(frozen=True, slots=True)
class VolumeRemoved(Event):
    """A volume is no more, and its data is gone."""

    volume: str
    driver: str


@dataclass(frozen=True, slots=True)
class VolumesPruned(Event):
    """All volumes that were meant and that nobody used are gone, with so many bytes."""

    reclaimed: int


@dataclass(frozen=True, slots=True)
class HostDirectoryMade(Event):
    """A directory of the host that -v named was not there, and was made, owned by root."""

    path: str
