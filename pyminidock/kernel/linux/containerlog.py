r"""How the output of a program becomes the records of its log.

Docker's json-file: one object per line, the text with its line feed, the time in UTC.

    {"log":"hi\n","stream":"stdout","attrs":{"tag":"web"},"time":"2026-01-01T00:00:00.5Z"}

A line waits until its line feed has come.  One that is longer than 16384 bytes is stored
in parts, and what is left at the end of the stream too: neither ends in a line feed, which
is how a reader knows that more belongs to it.

    ID-json.log.2 ◄─ ID-json.log.1 ◄─ ID-json.log ◄── records

The log that has reached its size gives its name to a new one before the next record; the
oldest is forgotten.  What a disk does not take is lost, for it must not stop the program,
and is counted: the first record that fits again says how many lines are missing.

Most output has nothing to escape but its line feeds, and one `replace` spells it: the
memory of thousands of little strings would stay with the shim.  There is no `json` here,
for that alone would cost every shim 150 KiB.

Source: moby, daemon/logger/copier.go, jsonfilelog, loggerutils/logfile.go; measured with
dockerd 26.1.5.
"""

import os
import sys
import time

PART_BYTES = 16384  # of a line, before it is spelt
Wish = tuple[bytes, int, int, bytes, bool]
"""As in calls.LogFile: name, bytes, files, `attrs`, whether full files are packed."""

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_MODE = 0o640
_PLAIN = bytes(set(range(32, 128)) - set(b'"\\<>&') | set(b"\n"))  # in JSON as they are
_ESCAPES = {number: b"\\u%04x" % number for number in (*range(32), *b"<>&")} | {
    0x0D: b"\\r",
    0x22: b'\\"',
}
_HEAD = b'{"log":"'

# What a packer does, in the directory that is its descriptor 3: a reader finds the full
# file or the packed one, which says by its inner name which file it was.
_PACKER = """
import gzip, os, sys
os.fchdir(3)
os.umask(0o027)
name = sys.argv[1]
with open(name, "rb") as full, open(name + ".gz.tmp", "wb") as file:
    status = os.fstat(full.fileno())
    inner = f"{status.st_ino}-{status.st_size}"
    with gzip.GzipFile(inner, "wb", 6, file, 0) as packed:
        while piece := full.read(1 << 16):
            packed.write(piece)
if os.stat(name).st_ino == status.st_ino:  # a later shim may have passed the name on
    os.rename(name + ".gz.tmp", name + ".gz")
    os.unlink(name)
else:
    os.unlink(name + ".gz.tmp")
"""
_LOST = dict.fromkeys(range(0xDC80, 0xDD00), "\\ufffd")  # what surrogateescape makes
_SEPARATORS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))


def open_file(directory: int, name: bytes) -> tuple[tuple[int], bool]:
    """Open the log of earlier lives, or begin one; whether it is new.

    A record that was cut off, with the power perhaps, shall not spoil the next one.
    """
    try:
        file = os.open(name, _FLAGS | os.O_EXCL, _MODE, dir_fd=directory)
    except FileExistsError:
        file = os.open(name, _FLAGS, _MODE, dir_fd=directory)
    else:
        return (file,), True
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        os.write(file, b"\n")
    return (file,), False


class Log:
    """One log, open at its end; `directory` is a handle."""

    def __init__(self, directory: int, file: int, wish: Wish) -> None:
        self.directory, self.file = directory, file
        self.name, self.most_bytes, self.most_files, attributes, self.packs = wish
        self.packer = 0  # the process that compresses the last full file
        self.size = os.fstat(file).st_size
        self.lost = 0  # lines that the disk did not take
        self.held = {"stdout": b"", "stderr": b""}  # what waits for its line feed
        self.begun = {"stdout": b"", "stderr": b""}  # when the line began that is in parts
        attrs = b',"attrs":' + attributes if attributes else b""
        self.between = b'"%s,"time":"' % attrs
        self.second, self.stamp = -1, ""

    def write(self, stream: str, data: bytes) -> None:
        """Append what was read at once from `stream` ("stdout" or "stderr").

        At most PART_BYTES: then only the first line of it can be too long.
        """
        data, now = self.held[stream] + data, self._now()
        while len(data) >= PART_BYTES and data.find(b"\n", 0, PART_BYTES) < 0:
            self.begun[stream] = self.begun[stream] or now
            self._append(stream, data[:PART_BYTES], self.begun[stream])
            data = data[PART_BYTES:]
        end = data.rfind(b"\n") + 1
        if end and self.begun[stream]:
            first = data.find(b"\n") + 1
            self._append(stream, data[:first], self.begun[stream])
            self.begun[stream], data, end = b"", data[first:], end - first
        if end:
            self._append(stream, data[:end], now)
        self.held[stream] = data[end:]

    def end(self, stream: str) -> None:
        """Append what has no line feed and gets none any more."""
        rest, self.held[stream] = self.held[stream], b""
        if rest:
            self._append(stream, rest, self.begun[stream] or self._now())
        self.begun[stream] = b""
        if self.lost:
            self._confess(self._now())

    # ── Spelling ─────────────────────────────────────────────────────────────────────────

    def _now(self) -> bytes:
        """Spell the time as Go does: nanoseconds without the zeros at their end."""
        second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        if second != self.second:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self.second, self.stamp = second, stamp
        fraction = f".{nanoseconds:09d}".rstrip("0").rstrip(".")
        return f"{self.stamp}{fraction}Z".encode()

    def _append(self, stream: str, lines: bytes, stamp: bytes) -> None:
        """Append whole lines, or one part of a line, as records."""
        tail = b'","stream":"%s%s%s"}\n' % (stream.encode(), self.between, stamp)
        after_each = b"\\n" + tail + _HEAD
        text, end = (lines[:-1], b"\\n" + tail) if lines.endswith(b"\n") else (lines, tail)
        text = escaped(text).replace(b"\n", after_each)
        pieces = (_HEAD, text, end)
        length = len(_HEAD) + len(text) + len(end)
        if self.lost or (self.most_bytes and self.size + length > self.most_bytes):
            self._put_in_turns(b"".join(pieces), stamp)
        else:
            self._put(pieces, length)

    # ── Storing ──────────────────────────────────────────────────────────────────────────

    def _put_in_turns(self, records: bytes, stamp: bytes) -> None:
        """Store records where a file becomes full among them, or where some were lost."""
        while records:
            if self.most_bytes and self.size >= self.most_bytes:
                self._rotate()
            if self.lost and not self._confess(stamp):
                self.lost += records.count(b"\n")
                return
            end, room = len(records), self.most_bytes - self.size
            if 0 < room < end:  # up to the record that fills the file
                end = records.find(b"\n", room - 1) + 1
            self._put((records[:end],), end)
            records = records[end:]

    def _put(self, pieces: tuple[bytes, ...], length: int) -> None:
        """Store whole records; count those that do not fit."""
        try:
            written = os.writev(self.file, pieces)
        except OSError:
            written = 0
        if written < length:
            records = b"".join(pieces)
            length = records.rfind(b"\n", 0, written) + 1
            self.lost += records.count(b"\n", length)
            if written > length:
                os.truncate(self.file, self.size + length)
        self.size += length

    def _confess(self, stamp: bytes) -> bool:
        """Say in the log how many lines are missing here; False: no room for that."""
        lost, self.lost = self.lost, 0
        words = b"[%d lines are missing here: the disk was full]" % lost
        tail = b'\\n","stream":"stderr%s%s"}\n' % (self.between, stamp)
        self._put((_HEAD, words, tail), len(_HEAD) + len(words) + len(tail))
        if self.lost:
            self.lost = lost
        return not self.lost

    def _rotate(self) -> None:
        """Begin a new file; where that is refused, the old one goes on growing."""
        young = self.name + b".tmp"
        if self._is_packing():  # the file that it reads must keep its name
            return
        try:
            file = os.open(young, _FLAGS | os.O_TRUNC, _MODE, dir_fd=self.directory)
            for number in range(self.most_files - 1, 0, -1):
                self._pass_on(number - 1, number)
            os.rename(
                young, self.name, src_dir_fd=self.directory, dst_dir_fd=self.directory
            )
        except OSError:
            return
        os.close(self.file)
        self.file, self.size = file, 0
        if self.packs and self.most_files > 1:
            self._pack()

    def _called(self, number: int) -> bytes:
        return b"%s.%d" % (self.name, number) if number else self.name

    def _pass_on(self, before: int, after: int) -> None:
        """Call a file by the next number, packed or not; whoever had it is forgotten."""
        for end in (b"", b".gz") if self.packs else (b"",):
            names = (self._called(before) + end, self._called(after) + end)
            try:
                os.rename(*names, src_dir_fd=self.directory, dst_dir_fd=self.directory)
            except FileNotFoundError:
                self._forget(names[1])

    def _forget(self, name: bytes) -> None:
        try:
            os.unlink(name, dir_fd=self.directory)
        except FileNotFoundError:
            return

    def _pack(self) -> None:
        """Let another process compress the file that is full; Python is all it needs."""
        words = (sys.executable, "-I", "-S", "-c", _PACKER, self._called(1))
        actions = [(os.POSIX_SPAWN_DUP2, self.directory, 3)]
        try:
            self.packer = os.posix_spawn(sys.executable, words, {}, file_actions=actions)
        except OSError:  # it stays as it is, which is no loss
            return

    def _is_packing(self) -> bool:
        """Say whether the last full file is being compressed still."""
        if self.packer:
            try:
                if os.waitpid(self.packer, os.WNOHANG)[0] == 0:
                    return True
            except ChildProcessError:  # it was collected together with others
                pass
            self.packer = 0
        return False


def escaped(text: bytes) -> bytes:
    r"""Spell text as the inside of a JSON string, line feeds aside.

    Each byte that is no UTF-8 is replaced; what could end a script or a line in a browser
    is escaped, as Go does.

    >>> escaped(b'say "hi"\t<\xff\xfe>')
    b'say \\"hi\\"\\u0009\\u003c\\ufffd\\ufffd\\u003e'
    """
    odd = set(text.translate(None, _PLAIN))
    if 0x5C in odd:  # before others bring more of them
        text = text.replace(b"\\", b"\\\\")
    for number in odd & _ESCAPES.keys():
        text = text.replace(bytes((number,)), _ESCAPES[number])
    return text if not odd or max(odd) < 0x80 else _readable(text)


def _readable(text: bytes) -> bytes:
    """Replace what is no UTF-8, and escape what some take for the end of a line."""
    try:
        text.decode()
    except UnicodeDecodeError:
        text = text.decode("utf-8", "surrogateescape").translate(_LOST).encode()
    for separator, escape in _SEPARATORS:
        text = text.replace(separator, escape)
    return text
