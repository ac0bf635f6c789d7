"""Networks and ports of a container to come, as the engine is told of them.

What is said here is understood and sent; the engine says which of it cannot be.

    --network web                        a name
    --network name=web,alias=db,ip=…     the long form
    --ip, --network-alias, --link …      belong to the first network

Source: docker/cli, cli/command/container/opts.go, parseNetworkOpts(); opts/network.go.
"""

import csv
import io
import re

from pyminidock.cli.readflags import Body, Given, refused
from pyminidock.cli.words import invalid
from pyminidock.errors import MinidockError
from pyminidock.grammar.ports import PortBinding, parse_expose, parse_publish

UNASKED = "default"
"""The bridge that all share who say nothing of networks."""

_NOT_OWN = ("default", "bridge", "host", "none")
_FLAGS = {
    "aliases": "network-alias", "links": "link", "ip": "ip", "ip6": "ip6",
    "mac_address": "mac-address", "link_local_ip": "link-local-ip",
}  # fmt: skip
_EMPTY: Body = {
    "IPAMConfig": None, "Links": None, "Aliases": None, "MacAddress": "", "NetworkID": "",
    "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0, "IPv6Gateway": "",
    "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DriverOpts": None, "DNSNames": None,
}  # fmt: skip
_WHY = "a network is known by its name; what else is said of it must not be said twice"


def network_mode(given: Given) -> str:
    """Name the first network; where nobody speaks of networks, the one that all share."""
    asked = _asked(given)
    if not asked and not _flags(given):
        return UNASKED
    return str(asked[0]["name"]) if asked else "default"


def endpoints(given: Given) -> Body:
    """Tell how it is reached in each network.  Raises WordsRefused."""
    typed = _asked(given)
    if not typed and not _flags(given):
        return {}
    asked = typed or [{"name": "default"}]
    asked[0] = _with_flags(given, asked[0])
    found: Body = {}
    for place, each in enumerate(asked):
        name = each["name"]
        if not name:
            raise refused("no name set for network", _WHY)
        endpoint = _endpoint(each)
        if name in found:
            raise refused(f'network "{name}" is specified multiple times', _WHY)
        is_plain = endpoint == _EMPTY
        if not (place == 0 and len(typed) == 1 and is_plain):
            found[name] = endpoint
    if len({_is_own(each["name"]) for each in asked}) > 1:
        raise refused(
            "conflicting options: cannot attach both user-defined and non-user-defined "
            "network-modes",
            "the networks that are always there exclude all others",
        )
    return found


def _asked(given: Given) -> list[Body]:
    """Read every --network."""
    return [_network(each) for each in given["network"]]


def _network(typed: str) -> Body:
    """Read one, short or long."""
    if not re.search(r"^\w+=", typed):
        return {"name": typed.lower()}
    asked: Body = {}
    many = {"alias": "aliases", "link-local-ip": "link_local_ip", "driver-opt": "options"}
    for field in next(csv.reader(io.StringIO(typed)), []):
        name, equals, value = field.partition("=")
        name, value = name.strip().lower(), value.strip()
        if not equals:
            raise _unfit(typed, f"invalid field {field}")
        if name in many:
            asked.setdefault(many[name], []).append(value)
        elif name in ("name", "ip", "ip6", "mac-address"):
            asked[name.replace("-", "_")] = value
        else:
            raise _unfit(typed, f"invalid field key {name}")
    if not asked.get("name"):
        raise _unfit(typed, "network name/id is not specified")
    return asked


def _unfit(typed: str, fault: str) -> MinidockError:
    return invalid(
        typed, "--network", fault, why=_WHY, try_next="minidock run --network none busybox"
    )


def _with_flags(given: Given, asked: Body) -> Body:
    """Add what separate flags say; saying it twice is refused."""
    words = {
        "aliases": "alias", "ip": "IPv4 address", "ip6": "IPv6 address",
        "mac_address": "MAC address", "link_local_ip": "link-local IP addresses",
    }  # fmt: skip
    for field, value in _flags(given).items():
        if field == "links" and not _is_own(asked["name"]):
            continue
        flag = _FLAGS[field]
        if asked.get(field):
            raise refused(
                f"conflicting options: cannot specify both --{flag} and per-network "
                f"{words.get(field, flag)}",
                _WHY,
            )
        asked = asked | {field: value}
    return asked


def _flags(given: Given) -> Body:
    """Collect what separate flags say of the first network."""
    names = ((field, flag.replace("-", "_")) for field, flag in _FLAGS.items())
    typed = {field: given[name] for field, name in names}
    return {
        field: list(value) if isinstance(value, tuple) else value
        for field, value in typed.items()
        if value
    }


def _endpoint(asked: Body) -> Body:
    """Give Docker's EndpointSettings."""
    if asked.get("aliases") and not _is_own(asked["name"]):
        raise refused(
            "network-scoped aliases are only supported for user-defined networks",
            "in the networks that are always there nobody asks for names",
        )
    mac = asked.get("mac_address", "")
    if mac and not re.fullmatch(r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}", mac):
        raise refused(f"{mac} is not a valid mac address", "it has six bytes: 92:d0:c6:…")
    addresses = {"IPv4Address": asked.get("ip"), "IPv6Address": asked.get("ip6"),
                 "LinkLocalIPs": asked.get("link_local_ip")}  # fmt: skip
    addresses = {name: value for name, value in addresses.items() if value}
    options = dict(each.partition("=")[::2] for each in asked.get("options", ()))
    return _EMPTY | {
        "IPAMConfig": addresses or None,
        "Links": asked.get("links") or None,
        "Aliases": asked.get("aliases") or None,
        "MacAddress": mac,
        "DriverOpts": options or None,
    }


def _is_own(name: str) -> bool:
    """Tell whether somebody made this network."""
    return name not in _NOT_OWN and not name.startswith("container:")


# ── Ports ─────────────────────────────────────────────────────────────────────────────────


def _published(given: Given) -> list[PortBinding]:
    """Read every -p."""
    try:
        return [binding for each in given["publish"] for binding in parse_publish(each)]
    except MinidockError as refusal:
        raise refused(refusal.what, refusal.why, refusal.try_next) from refusal


def port_bindings(given: Given) -> Body:
    """Tell which port of the host leads to which of the container."""
    found: Body = {}
    for each in _published(given):
        bound = {"HostIp": each.address, "HostPort": each.host_port}
        found.setdefault(each.port, []).append(bound)
    return found


def exposed_ports(given: Given) -> Body:
    """Name all ports that it offers, published or not."""
    try:
        offered = [port for each in given["expose"] for port in parse_expose(each)]
    except MinidockError as refusal:
        raise refused(refusal.what, refusal.why, refusal.try_next) from refusal
    return {port: {} for port in [*(each.port for each in _published(given)), *offered]}
