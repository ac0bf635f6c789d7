"""What a link tells a program in variables: where the other container is, what it knows.

    --link db:store     STORE_NAME=/web/store
                        STORE_PORT=tcp://172.17.0.2:5432          its first port
                        STORE_PORT_5432_TCP=tcp://172.17.0.2:5432, …_ADDR, …_PORT, …_PROTO
                        STORE_ENV_USER=…                          each variable of its own

The old way, from before networks had names: what stands here was true at the start, and
everything that the other one was told, secrets too, is told to whoever is linked.

Source: moby, daemon/links/links.go; measured on Docker Engine 26.1.
"""

from collections.abc import Iterable, Iterator

_KEPT_BACK = ("PATH", "HOME")


def link_variables(
    name: str, alias: str, address: str, ports: Iterable[str], environment: Iterable[str]
) -> Iterator[str]:
    """Give NAME=value for a link of the container `name`; `ports` are as 80/tcp.

    >>> for line in link_variables("web", "my-db", "172.17.0.2", ["80/tcp"], ["A=1"]):
    ...     print(line)
    MY_DB_PORT=tcp://172.17.0.2:80
    MY_DB_PORT_80_TCP=tcp://172.17.0.2:80
    MY_DB_PORT_80_TCP_ADDR=172.17.0.2
    MY_DB_PORT_80_TCP_PORT=80
    MY_DB_PORT_80_TCP_PROTO=tcp
    MY_DB_NAME=/web/my-db
    MY_DB_ENV_A=1
    """
    prefix = alias.upper().replace("-", "_")
    ordered = sorted({_split(port) for port in ports})
    for index, (number, protocol) in enumerate(ordered):
        place = f"{protocol}://{address}:{number}"
        if not index:
            yield f"{prefix}_PORT={place}"
        stem = f"{prefix}_PORT_{number}_{protocol.upper()}"
        yield f"{stem}={place}"
        yield f"{stem}_ADDR={address}"
        yield f"{stem}_PORT={number}"
        yield f"{stem}_PROTO={protocol}"
    yield f"{prefix}_NAME=/{name}/{alias}"
    for each in environment:
        key, is_set, value = each.partition("=")
        if is_set and key not in _KEPT_BACK:
            yield f"{prefix}_ENV_{key}={value}"


def _split(port: str) -> tuple[int, str]:
    number, _, protocol = port.partition("/")
    return int(number), protocol or "tcp"
