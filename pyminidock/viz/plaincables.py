"""What you would type to wire a container by hand: `ip`, and `sysctl` for the host.

A sandbox is called by the first 12 digits of its container's id, as `ip netns` names go.
Source: man 8 ip-link, ip-netns, ip-route, bridge.
"""

import shlex

from pyminidock import events
from pyminidock.events import Event


def plain_cable(event: Event) -> str:  # noqa: PLR0911  (one line per fact)
    """Give the command with the effect of an event about networks, "" for any other.

    >>> plain_cable(events.InterfaceRemoved("br0"))
    'ip link del br0'
    """
    match event:
        case events.BridgeMade():
            return _bridge(event)
        case events.InterfaceRemoved(name):
            return f"ip link del {_quoted(name)}"
        case events.SandboxMade(sandbox):
            space = _space(sandbox)
            return f"ip netns add {space} && ip -n {space} link set lo up"
        case events.SandboxFound(sandbox, pid):
            return f"ip netns attach {_space(sandbox)} {pid}"
        case events.NamesOpened(sandbox):
            return f"ip netns exec {_space(sandbox)} dnsmasq --listen-address=127.0.0.11"
        case events.SandboxJoined(sandbox):
            return f"exec nsenter --net=/run/netns/{_space(sandbox)} sh"
        case events.EndpointPlugged():
            return _cable(event)
        case events.EndpointUnplugged(sandbox, inside, _):
            return f"ip -n {_space(sandbox)} link del {_quoted(inside)}"
        case events.GatewayChosen(sandbox, gateway, gateway6):
            ways = _ways(_space(sandbox), gateway, gateway6)
            return " && ".join(ways) or f"ip -n {_space(sandbox)} route del default"
    return ""


def _bridge(event: events.BridgeMade) -> str:
    name = _quoted(event.name)
    said = f" address {_quoted(event.mac)}" if event.mac else ""
    said += f" mtu {event.mtu}" if event.mtu else ""
    lines = [f"ip link add {name}{said} type bridge"]
    lines += [f"ip addr add {_quoted(each)} dev {name}" for each in event.addresses]
    settings = "net.ipv4.ip_forward=1 " + _quoted(
        f"net.ipv4.conf.{event.name}.route_localnet=1"
    )
    return " && ".join([*lines, f"ip link set {name} up", f"sysctl -w {settings}"])


def _cable(event: events.EndpointPlugged) -> str:
    space, inside = _space(event.sandbox), _quoted(event.inside)
    ours = _quoted(event.host_link)
    mac = f" address {_quoted(event.mac)}" if event.mac else ""
    mtu = f" mtu {event.mtu}" if event.mtu else ""
    lines = [
        f"ip link add {ours}{mtu} type veth peer name {inside}{mac}{mtu} netns {space}",
        f"ip link set {ours} master {_quoted(event.bridge)} up",
    ]
    if event.is_hairpin:
        lines.append(f"bridge link set dev {ours} hairpin on")
    if event.is_isolated:
        lines.append(f"bridge link set dev {ours} isolated on")
    for address in event.addresses:
        lines.append(f"ip -n {space} addr add {_quoted(address)} dev {inside}")
    lines.append(f"ip -n {space} link set {inside} up")
    return " && ".join([*lines, *_ways(space, event.gateway, event.gateway6)])


def _ways(space: str, *gateways: str) -> list[str]:
    return [
        f"ip -n {space} route replace default via {_quoted(way)}" for way in gateways if way
    ]


def _space(sandbox: str) -> str:
    return _quoted(sandbox[:12])


def _quoted(text: str) -> str:
    return shlex.quote(text)
