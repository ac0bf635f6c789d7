"""What somebody who stands still has not read yet: one file without a name.

A reader that is only slower than the program makes the program wait, as any pipe does.  One
that takes nothing at all must not hold up the others, so what it misses is kept here until
it goes on:

    frames ─► ┌─────────────────────────┐ end: where the next frame goes
              │ ▲ one reader  ▲ another │
              └─┴─────────────┴─────────┘ each reads on from where it stopped

The file is shared, for all of them miss the same; it is emptied when nobody is behind.
"""

import os

LARGEST_BYTES = 128 << 20


class Backlog:
    """The frames of one program, in a file in `directory`."""

    def __init__(self, directory: int) -> None:
        self._directory, self._file = directory, -1
        self.end, self._is_spoilt = 0, False

    def is_full(self) -> bool:
        """Say whether nothing more is taken until it is emptied."""
        return self._is_spoilt or self.end >= LARGEST_BYTES

    def add(self, frame: bytes) -> bool:
        """Keep a frame, unless there is no room for it on the disk."""
        try:
            if self._file < 0:
                flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
                self._file = os.open(".", flags, 0o600, dir_fd=self._directory)
            self._is_spoilt = os.pwrite(self._file, frame, self.end) != len(frame)
        except OSError:
            self._is_spoilt = True
        self.end += 0 if self._is_spoilt else len(frame)
        return not self._is_spoilt

    def read(self, offset: int, most: int) -> bytes:
        """Read on from somewhere; nothing at the end."""
        if offset >= self.end:
            return b""
        return os.pread(self._file, min(most, self.end - offset), offset)

    def empty(self) -> None:
        """Let go of everything, for everybody has read it."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self.end, self._is_spoilt = -1, 0, False
