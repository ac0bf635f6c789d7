"""Who is about to use a volume, so that nobody takes it away meanwhile.

A container that exists says in its record which volumes it has.  One that is being made has
no record yet: until then its volumes are held here.  Whoever makes a volume, or looks
whether one is unused and removes it, has the guard.

Who uses a volume that is mounted only while it is used stands here, too.
"""

from threading import Lock, RLock


class VolumeBook:
    """The holds of one engine.  Any thread may ask."""

    def __init__(self) -> None:
        self.guard = RLock()  # nobody tells anything while it is held
        self.filling = Lock()  # one first use at a time
        self.pruning = Lock()  # one prune at a time
        self.users: dict[str, set[str]] = {}  # who needs what is mounted, by volume
        self._holds: dict[str, set[str]] = {}  # by container
        self._mounting: dict[str, Lock] = {}  # by volume

    def mounting(self, volume: str) -> Lock:
        """Give the lock of who mounts or unmounts a volume; others need not wait."""
        with self.guard:
            return self._mounting.setdefault(volume, Lock())

    def hold(self, container: str, volume: str) -> None:
        """Keep a volume for a container that is being made."""
        with self.guard:
            self._holds.setdefault(container, set()).add(volume)

    def let_go(self, container: str) -> None:
        """Hold nothing for a container: its record does, or there will be none."""
        with self.guard:
            self._holds.pop(container, None)

    def holders(self, volume: str) -> set[str]:
        """Name the containers that are being made with a volume."""
        with self.guard:
            return {each for each, names in self._holds.items() if volume in names}
