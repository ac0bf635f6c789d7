"""The log of a program that does not run: what a test makes it say is kept as on Linux.

It is a real file in the container's directory, in the spelling of a real shim, so that
`logs` can be shown without a kernel.  It begins with the first word; a container that has
nothing to say leaves none.
"""

import os
from pathlib import Path

from pyminidock.kernel.calls import LogFile
from pyminidock.kernel.linux.containerlog import PART_BYTES, Log, open_file

_NAMES = {1: "stdout", 2: "stderr"}


class SimulatedLog:
    """Where one program's output goes."""

    def __init__(self, directory: str, wish: LogFile) -> None:
        self._directory, self._wish = directory, wish
        self._log: Log | None = None

    def write(self, stream: int, data: bytes) -> None:
        """Keep a piece of output of stdout (1) or stderr (2)."""
        if self._log is None:
            self._log = self._open()
        for start in range(0, len(data), PART_BYTES):
            self._log.write(_NAMES[stream], data[start : start + PART_BYTES])

    def end(self) -> None:
        """Keep what had no line feed, and close the file."""
        if self._log is None:
            return
        for name in _NAMES.values():
            self._log.end(name)
        os.close(self._log.file)
        os.close(self._log.directory)
        self._log = None

    def _open(self) -> Log:
        wish = self._wish
        handle = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        (file,), _ = open_file(handle, wish.name.encode())
        rest = (wish.most_bytes, wish.most_files, wish.attributes.encode())
        return Log(handle, file, (wish.name.encode(), *rest, wish.compresses))


def log_in(directory: str, wish: LogFile | None) -> SimulatedLog | None:
    """Give the log for a shim; None: it keeps none, or its directory is made up as well."""
    has_place = wish is not None and Path(directory).is_dir()
    return SimulatedLog(directory, wish) if wish and has_place else None
