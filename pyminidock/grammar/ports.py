"""Ports as `-p` and `--expose` spell them.

    80                     a port of the container, and any one of the host
    8080:80/udp            HOST:CONTAINER/PROTOCOL
    127.0.0.1:7000-7002:7000-7002      an address of the host, and ranges
    target=80,published=8080           the long form

Source: docker/go-connections, nat/nat.go, ParsePortSpec(); docker/cli, opts/port.go.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyminidock.errors import MinidockError

PROTOCOLS = ("tcp", "udp", "sctp")
_LARGEST = 65535


@dataclass(frozen=True, slots=True)
class PortBinding:
    """One port of the container, as 80/tcp, and where the host has it; "" is any."""

    port: str
    address: str
    host_port: str


class PortRefused(MinidockError):
    """The text names no port."""

    status = 400


def parse_publish(text: str) -> list[PortBinding]:
    """Read the argument of `-p`.

    >>> parse_publish("127.0.0.1:8080:80")
    [PortBinding(port='80/tcp', address='127.0.0.1', host_port='8080')]
    >>> parse_publish("x")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.ports.PortRefused: Invalid containerPort: x
    """
    if "=" in text:
        text = _short(text)
    address, host, container = _parts(text)
    ports, _, protocol = container.partition("/")
    protocol = protocol or "tcp"
    if not ports:
        raise _refusal(f"No port specified: {text}<empty>")
    ip = _address(address)
    start, end = _bounds(ports, f"Invalid containerPort: {ports}")
    if not host:
        bounds: tuple[int, int] | None = None
    else:
        bounds = _bounds(host, f"Invalid hostPort: {host}")
        if end - start != bounds[1] - bounds[0] and end != start:
            raise _refusal(
                f"Invalid ranges specified for container and host Ports: {ports} and {host}"
            )
    if protocol.lower() not in PROTOCOLS:
        raise _refusal(f"Invalid proto: {protocol}")
    return list(_bindings(start, end, bounds, protocol.lower(), ip))


def parse_expose(text: str) -> list[str]:
    """Read the argument of `--expose`.

    >>> parse_expose("90-91/udp")
    ['90/udp', '91/udp']
    """
    if ":" in text:
        raise _refusal(f"invalid port format for --expose: {text}")
    ports, _, protocol = text.partition("/")
    start, _, end = ports.partition("-")
    for number in (start, end) if end else (start,):
        if fault := _fault(number):
            raise _refusal(f"invalid range format for --expose: {text}, error: {fault}")
    numbers = range(int(start), int(end or start) + 1)
    return [f"{number}/{protocol.lower() or 'tcp'}" for number in numbers]


def _parts(text: str) -> tuple[str, str, str]:
    """Cut at colons, of which an address may have its own."""
    parts = text.split(":")
    if len(parts) < 3:
        host, container = parts if len(parts) == 2 else ("", parts[0])
        return "", host, container
    return ":".join(parts[:-2]), parts[-2], parts[-1]


def _address(text: str) -> str:
    """Check an address, and take its brackets away."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in text and bare == text:
        fault = f"address {text}:: too many colons in address"
        raise _refusal(f"Invalid ip address {text}: {fault}")
    try:
        if bare:
            ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        raise _refusal(f"Invalid ip address: {text}") from None
    return bare


def _bounds(text: str, fault: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    numbers = [first, last] if last else [first, first]
    if any(_fault(number) for number in numbers) or int(numbers[0]) > int(numbers[1]):
        raise _refusal(fault)
    return int(numbers[0]), int(numbers[1])


def _fault(number: str) -> str:
    """Say what is wrong with the number of a port, in Go's words."""
    if not re.fullmatch("[0-9]+", number):
        return f'strconv.ParseUint: parsing "{number}": invalid syntax'
    if len(number) > 20 or int(number) > _LARGEST:
        return f'strconv.ParseUint: parsing "{number}": value out of range'
    return ""


def _bindings(
    start: int, end: int, host: tuple[int, int] | None, protocol: str, address: str
) -> Iterator[PortBinding]:
    for offset in range(end - start + 1):
        if host is None:
            host_port = ""
        elif start == end and host[0] != host[1]:
            host_port = f"{host[0]}-{host[1]}"  # any one of these
        else:
            host_port = str(host[0] + offset)
        yield PortBinding(f"{start + offset}/{protocol}", address, host_port)


def _short(text: str) -> str:
    """Turn the long form into the short one."""
    fields = dict.fromkeys(("target", "published", "protocol", "mode"), "")
    for field in text.split(","):
        name, equals, value = field.partition("=")
        if not equals or name not in fields:
            raise _refusal(f"invalid field {field}")
        fields[name] = value.lower()
    if not fields["target"]:
        raise _refusal('missing required field "target"')
    published = f"{fields['published']}:" if fields["published"] else ""
    return f"{published}{fields['target']}/{fields['protocol'] or 'tcp'}"


def _refusal(what: str) -> PortRefused:
    return PortRefused(
        what,
        why="a port is [[ADDRESS:]HOST:]CONTAINER[/tcp|udp|sctp], from 1 to 65535",
        try_next="minidock run -p 8080:80 busybox true",
        lesson="networks",
    )


def sorted_ports(ports: Sequence[str]) -> list[str]:
    """Sort ports as Docker shows them: by number, then by protocol.

    >>> sorted_ports(["80/udp", "443/tcp", "80/tcp"])
    ['80/tcp', '80/udp', '443/tcp']
    """
    return sorted(ports, key=lambda port: (int(port.partition("/")[0]), port))
