"""What one client may take of the engine, before it is refused or cut off."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one client may take of the engine; seconds, bytes, connections."""

    header_bytes: int = 64 << 10
    body_bytes: int = 4 << 20
    stream_bytes: int = 8 << 30
    header_s: float = 10.0
    body_s: float = 60.0
    idle_s: float = 120.0
    stall_s: float = 60.0
    connections: int = 256
    connections_per_user: int = 240  # the others are for root, and for the engine's user
