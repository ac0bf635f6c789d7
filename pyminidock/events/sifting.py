"""What happened to rules for packets, and to ports of the host.

Rules stay as they are made, elements of their sets come and go.  Source: `kernel.rules`.
"""

from dataclasses import dataclass

from pyminidock.events.kernel import Effect


@dataclass(frozen=True, slots=True)
class RulesMade(Effect):
    """The engine's own tables were made or replaced, in one transaction."""

    table: str
    families: tuple[str, ...]
    rules: int
    elements: int


@dataclass(frozen=True, slots=True)
class RulesRemoved(Effect):
    """The engine's own tables are gone; those of others were not touched."""

    table: str


@dataclass(frozen=True, slots=True)
class ElementsAdded(Effect):
    """From now on the rules hold for these too: as "family set { element }"."""

    table: str
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ElementsDropped(Effect):
    """The rules no longer hold for these."""

    table: str
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PortBound(Effect):
    """A port of the host belongs to a container: nobody else can have it."""

    protocol: str
    address: str  # of the host
    port: int
    to_address: str  # of the container
    to_port: int


@dataclass(frozen=True, slots=True)
class PortReleased(Effect):
    """A port of the host is free again."""

    protocol: str
    address: str
    port: int
