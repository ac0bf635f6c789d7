"""`EXPOSE 80 53/udp 8000-8002`: words become ports, as Docker keeps them.

Source: docker/go-connections, nat/nat.go and parse.go; measured on Docker Engine 26.1.
"""

from collections.abc import Iterable, Iterator

from pyminidock.errors import MinidockError

_PROTOCOLS = ("tcp", "udp", "sctp")
_MOST = 65535


class PortMalformed(MinidockError):
    """A word of EXPOSE names no port."""

    status = 400


def exposed(words: Iterable[str]) -> tuple[str, ...]:
    """Give every port as NUMBER/PROTOCOL, sorted.  Raises PortMalformed.

    >>> exposed(["80", "53/UDP", "8000-8002", "8080:90"])
    ('53/udp', '80/tcp', '8000/tcp', '8001/tcp', '8002/tcp', '90/tcp')
    """
    return tuple(sorted({port for word in words for port in _ports(word)}))


def _ports(word: str) -> Iterator[str]:
    span, _, protocol = word.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in _PROTOCOLS:
        raise _malformed(f"Invalid proto: {protocol}")
    inside = span.rpartition(":")[2]
    first, dash, last = inside.partition("-")
    numbers = (_number(first, inside), _number(last, inside) if dash else 0)
    low, high = numbers if dash else (numbers[0], numbers[0])
    if high < low:
        raise _malformed(f"Invalid containerPort: {inside}")
    yield from (f"{number}/{protocol}" for number in range(low, high + 1))


def _number(text: str, shown: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) <= _MOST):
        raise _malformed(f"Invalid containerPort: {shown}")
    return int(text)


def _malformed(what: str) -> PortMalformed:
    return PortMalformed(
        what,
        why=f"a port is a number up to {_MOST}, or a range, and tcp, udp or sctp behind /",
        try_next="EXPOSE 8080/tcp",
        lesson="ports",
    )
