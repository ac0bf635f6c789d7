"""Environment variables as people give them: `--env NAME=value` and files full of them.

A file holds one variable a line.  There is no shell in between: quotes are part of the
value, and so is a `#` that does not begin the line.

    A=1
    # a comment                                   (so is a line of blanks)
    B="2" # x                                     the value is  "2" # x
    HOME                                          copied from whoever reads the file

Source: docker/cli, opts/env.go and opts/file.go.  The messages were compared with docker
26.1.5.
"""

from collections.abc import Mapping

from pyminidock.errors import MinidockError

_LONGEST_LINE = 64 * 1024  # bytes; the same as in Docker
_BLANKS = " \t"


class VariableRefused(MinidockError):
    """`--env` was given something without a name."""

    status = 400


class EnvFileRefused(MinidockError):
    """A line of the file is no variable."""

    status = 400


def parse_variable(text: str, surroundings: Mapping[str, str]) -> str:
    """Read the argument of `--env`; a bare name takes its value from `surroundings`.

    A name that is not set there stays bare, which removes the variable from the container.

    >>> parse_variable("A=1", {}), parse_variable("B", {"B": "2"}), parse_variable("C", {})
    ('A=1', 'B=2', 'C')
    """
    name, equals, _ = text.partition("=")
    if not name:
        raise VariableRefused(
            f"invalid environment variable: {text}",
            why="a variable is NAME=value, or NAME alone to copy its value",
            try_next="minidock run --env NAME=value busybox env",
            lesson="environment",
        )
    if not equals and name in surroundings:
        return f"{name}={surroundings[name]}"
    return text


def parse_env_file(
    data: bytes, filename: str, surroundings: Mapping[str, str]
) -> tuple[str, ...]:
    r"""Read the variables of a file in its order; `filename` is for messages only.

    A bare name that `surroundings` does not know is left out.  Raises EnvFileRefused.

    >>> parse_env_file(b"A=1\n# no\n\n  B=2 # x\nC\nD\n", "env", {"C": "3"})
    ('A=1', 'B=2 # x', 'C=3')
    """
    found = []
    for number, raw in enumerate(data.split(b"\n"), start=1):
        line = _decode(raw, filename, number).lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if any(blank in name for blank in _BLANKS):
            raise _poorly(f"variable '{name}' contains whitespaces", filename, number)
        if not name:
            raise _poorly(f"no variable name on line '{line}'", filename, number)
        if equals:
            found.append(f"{name}={value}")
        elif name in surroundings:
            found.append(f"{name}={surroundings[name]}")
    return tuple(found)


def _decode(raw: bytes, filename: str, number: int) -> str:
    if len(raw) >= _LONGEST_LINE:
        raise EnvFileRefused(
            "bufio.Scanner: token too long",
            why=f"line {number} of {filename} is longer than {_LONGEST_LINE - 1} bytes",
            try_next=_show_line(filename, number) + " | wc -c",
            lesson="environment",
        )
    if number == 1:
        raw = raw.removeprefix(b"\xef\xbb\xbf")  # some editors put this mark first
    try:
        return raw.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as damage:
        numbers = " ".join(str(byte) for byte in raw[:64])
        raise EnvFileRefused(
            f"env file {filename} contains invalid utf8 bytes at line {number}: "
            f"[{numbers}]",
            why="the names and values of a file are read as UTF-8",
            try_next=_show_line(filename, number) + " | od -c",
            lesson="environment",
        ) from damage


def _poorly(fault: str, filename: str, number: int) -> EnvFileRefused:
    return EnvFileRefused(
        f"poorly formatted environment: {fault}",
        why="every line is NAME=value; blanks belong into the value only",
        try_next=_show_line(filename, number),
        lesson="environment",
    )


def _show_line(filename: str, number: int) -> str:
    quoted = "'" + filename.replace("'", "'\"'\"'") + "'"
    return f"sed -n {number}p {quoted}"
