"""A house over the simulated kernel, with one root to start containers on."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyminidock.engine.house import House
from pyminidock.image.config import ImageConfig
from pyminidock.kernel.model import ModelBody
from pyminidock.kernel.recording import Recording
from tests.engine import pictures

WAIT_S = 20.0  # far above what anything here takes; nothing waits for it to pass


@dataclass(frozen=True)
class Studio:
    """An engine and the strings of its simulated kernel."""

    house: House
    body: ModelBody

    def finish(self, container: str, code: int = 0) -> None:
        """Let a container's program end by itself."""
        self.body.finish(self._pid(container), code)

    def say(self, container: str, data: bytes, stream: int = 1) -> None:
        """Let a container's program print."""
        self.body.say(self._pid(container), data, stream)

    def typed(self, container: str) -> bytes:
        """Give what a container's program was sent."""
        return self.body.typed(self._pid(container))

    def _pid(self, container: str) -> int:
        process = self.house.life(container).process
        assert process is not None
        return process.pid


def furnish(root: Path) -> None:
    """Put an image called busybox into the engine's directory `root`."""
    pictures.furnish(root, ImageConfig(("sh",), environment=("PATH=/usr/bin:/bin",)))


def studio(root: Path) -> Studio:
    """Open a house in `root` (made if it is missing) where busybox can be run."""
    furnish(root)
    body = ModelBody()
    return Studio(House(root, Recording(body)), body)


def until(claim: Callable[[], object]) -> None:
    """Wait for something to become true, in small steps, at most WAIT_S."""
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.005)):
        if claim():
            return
        pause.wait(0.005)
    raise AssertionError("it did not become true")
