"""In which networks a container shall be, as its request says: wishes without addresses.

    --network web --network-alias db --ip 10.1.2.9      Endpoint("web", wants=…, aliases=…)
    --network container:other, or none of its own       no endpoint at all

Source: moby, daemon/container.go, updateContainerNetworkSettings().
"""

from pyminidock.container.asked import Endpoint as Asked
from pyminidock.container.netmode import mac_of, network_of, networks_of
from pyminidock.container.spec import CreateRequest
from pyminidock.network.endpoints import Endpoint

_DEFAULT = ("", "default")


def wishes(request: CreateRequest) -> tuple[Endpoint, ...]:
    """Give its places in networks, by the names that were typed.

    >>> wishes(CreateRequest("busybox"))[0].network
    'bridge'
    """
    asked = {_named(each.network): each for each in request.reach.endpoints}
    mode = network_of(request)
    return tuple(
        _wish(asked.get(name, Asked(name)), name, mac_of(request) if name == mode else "")
        for name in networks_of(request)
    )


def _named(name: str) -> str:
    return "bridge" if name in _DEFAULT else name


def _wish(asked: Asked, name: str, mac: str) -> Endpoint:
    return Endpoint(
        name, wants=asked.address, wants6=asked.address6,
        wants_mac=asked.mac_address or mac, link_local=asked.link_local,
        aliases=asked.aliases, links=asked.links, options=asked.options,
    )  # fmt: skip
