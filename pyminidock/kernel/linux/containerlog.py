r"""How the output of a program becomes lines of container.log.

Docker's json-file: one object per line, the text with its line feed, the time in UTC.

    {"log":"hi\n","stream":"stdout","time":"2026-01-01T00:00:00.000000000Z"}

Most output has nothing to escape but its line feeds, and one `replace` spells it: the
memory of thousands of little strings would stay with the shim.  There is no `json` here,
for that alone would cost every shim 150 KiB.
"""

import os
import time

_HEAD = b'{"log":"'
_PLAIN = bytes(set(range(32, 127)) - set(b'"\\') | set(b"\n"))  # in JSON as in the output
_LETTERS = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r", '"': '"', "\\": "\\"}
_ESCAPES = {number: f"\\u{number:04x}" for number in range(32)} | {
    ord(sign): f"\\{letter}" for sign, letter in _LETTERS.items()
}


def write(log: int, stream: str, data: bytes) -> None:
    """Append what was read at once from `stream` ("stdout" or "stderr").

    What a full disk does not take is lost: it must not stop the program.
    """
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    tail = f'","stream":"{stream}","time":"{stamp}.{nanoseconds:09d}Z"}}\n'.encode()
    between = b"\\n" + tail + _HEAD
    is_whole = data.endswith(b"\n")
    text, end = (data[:-1], b"\\n" + tail) if is_whole else (data, tail)
    if text.translate(None, _PLAIN):
        text = between.join(map(escaped, text.split(b"\n")))
    else:
        text = text.replace(b"\n", between)
    try:
        os.writev(log, (_HEAD, text, end))
    except OSError:
        return


def escaped(line: bytes) -> bytes:
    r"""Spell a line as the inside of a JSON string; what is no UTF-8 is replaced.

    >>> escaped(b'say "hi"\t\x00\xff').decode()
    'say \\"hi\\"\\t\\u0000�'
    """
    return line.decode("utf-8", "replace").translate(_ESCAPES).encode()
