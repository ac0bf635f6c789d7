"""Where a container can be reached, in Docker's shape: its place in each network.

A container has only its loopback device; what was asked for is told all the same, as Docker
tells it of a container that has not been started.

Source: moby, daemon/inspect.go, getInspectData(); measured with dockerd 26.1.5.
"""

from pyminidock.container.asked import Endpoint
from pyminidock.container.netmode import mac_of, networks_of
from pyminidock.container.spec import CreateRequest
from pyminidock.engine.document import Document


def network_settings(request: CreateRequest) -> Document:
    """Tell where it can be reached: nowhere, in Docker's shape."""
    return {
        "Bridge": "",
        "SandboxID": "",
        "SandboxKey": "",
        "Ports": {},
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": "",
        "Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": "",
        "IPPrefixLen": 0,
        "IPv6Gateway": "",
        "MacAddress": _mac(request, "bridge"),
        "Networks": networks(request),
    }


def networks(request: CreateRequest) -> Document:
    """Tell its places in networks."""
    asked = {each.network: each for each in request.reach.endpoints}
    asked |= {"bridge": asked["default"]} if "default" in asked else {}
    return {
        name: _endpoint(asked.get(name, Endpoint(name)), _mac(request, name))
        for name in networks_of(request)
    }


def _mac(request: CreateRequest, network: str) -> str:
    asked = mac_of(request) if network in networks_of(request) else ""
    own = [e.mac_address for e in request.reach.endpoints if e.network == network]
    return next(filter(None, own), asked)


def _endpoint(endpoint: Endpoint, mac_address: str) -> Document:
    addresses = {
        "IPv4Address": endpoint.address,
        "IPv6Address": endpoint.address6,
        "LinkLocalIPs": list(endpoint.link_local),
    }
    said = {name: value for name, value in addresses.items() if value}
    return {
        "IPAMConfig": said or None,
        "Links": list(endpoint.links) or None,
        "Aliases": list(endpoint.aliases) or None,
        "MacAddress": mac_address,
        "NetworkID": "",
        "EndpointID": "",
        "Gateway": "",
        "IPAddress": "",
        "IPPrefixLen": 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DriverOpts": dict(endpoint.options) or None,
        "DNSNames": None,
    }
