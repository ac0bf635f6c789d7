"""Who waits for a change in a directory: here only programs make one, or their ends."""

from collections.abc import Callable
from threading import Lock

Bell = Callable[[], object]


class Bells:
    """Bells by directory; each rings once.  Any thread may hang and ring."""

    def __init__(self) -> None:
        self._bells: list[tuple[str, Bell]] = []
        self._lock = Lock()  # never held while one rings

    def hang(self, directory: str, bell: Bell) -> Callable[[], None]:
        """Have `bell` called at the next change; what is given takes that back."""
        with self._lock:
            self._bells.append((directory, bell))

        def forget() -> None:
            with self._lock:
                if (directory, bell) in self._bells:
                    self._bells.remove((directory, bell))

        return forget

    def ring(self, directory: str) -> None:
        """Call whoever waits for a change there."""
        with self._lock:
            called = [each for each in self._bells if each[0] == directory]
            self._bells = [each for each in self._bells if each[0] != directory]
        for _, bell in called:
            bell()
