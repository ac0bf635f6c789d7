"""The writable place of one container."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Read-only trees below, one writable tree on top; all are host paths.

    `lower` is topmost first.  `target` is the empty directory where the stacked tree is
    hung up, in the container's own mount namespace only.
    """

    lower: tuple[str, ...]
    upper: str
    work: str
    target: str
