"""Networks as Docker's clients ask for them: each function answers one route.

Source: Docker Engine API v1.45, Network; moby, api/server/router/network.
"""

from pyminidock.api.body import Fields, read_object
from pyminidock.api.containers import answer, via
from pyminidock.api.failures import BadRequest
from pyminidock.api.images import filters
from pyminidock.api.message import Request, Response
from pyminidock.api.shapes import endpoint_settings
from pyminidock.container.asked import Endpoint as Asked
from pyminidock.engine import connecting, networkmaking, networks
from pyminidock.engine.house import House
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.objects import Pool
from pyminidock.network.wish import Wish


def list_(house: House, request: Request) -> Response:
    """List the networks; old clients are told who is in them, too."""
    found = networks.list_(house, filters(request))
    return answer(found)


def inspect_(house: House, request: Request, network: str) -> Response:
    """Tell everything about one."""
    told = networks.inspect(
        house, network, scope=request.query.get("scope", ""),
        verbose=request.says("verbose"),
    )  # fmt: skip
    return answer(told)


def create(house: House, request: Request) -> Response:
    """Make one."""
    made = networkmaking.create(
        house, wish(read_object(request, "types.NetworkCreateRequest")), via=via(request)
    )
    return answer({"Id": made, "Warning": ""}, 201)


def wish(body: Fields) -> Wish:
    """Read the body of POST /networks/create.  Raises BadRequest.

    >>> wish(Fields({"Name": "n", "IPAM": {"Config": [{"Subnet": "10.1.0.0/16"}]}})).pools
    (Pool(subnet='10.1.0.0/16', range='', gateway='', auxiliary=()),)
    """
    body = body.within("", "NetworkCreateRequest")
    ipam = body.part("IPAM", "network.IPAM")
    options: tuple[tuple[str, str], ...] | None = tuple(ipam.mapping("Options").items())
    if ipam.get("Options") is None:
        options = None
    return Wish(
        body.text("Name"),
        body.text("Driver"),
        tuple(map(_pool, ipam.parts("Config", "[]network.IPAMConfig"))),
        is_internal=body.flag("Internal"),
        is_attachable=body.flag("Attachable"),
        is_ingress=body.flag("Ingress"),
        is_ipv6=body.flag("EnableIPv6"),
        is_config_only=body.flag("ConfigOnly"),
        config_from=body.part("ConfigFrom", "network.ConfigReference").text("Network"),
        scope=body.text("Scope"),
        options=tuple(body.mapping("Options").items()),
        labels=tuple(body.mapping("Labels").items()),
        ipam_driver=ipam.text("Driver"),
        ipam_options=options,
    )


def _pool(part: Fields) -> Pool:
    return Pool(
        part.text("Subnet"), part.text("IPRange"), part.text("Gateway"),
        tuple(part.mapping("AuxiliaryAddresses").items()),
    )  # fmt: skip


def remove(house: House, request: Request, network: str) -> Response:
    """Remove one."""
    networkmaking.remove(house, network, via=via(request))
    return Response(204)


def prune(house: House, request: Request) -> Response:
    """Remove those that nobody uses."""
    return answer(networkmaking.prune(house, filters(request), via=via(request)))


def connect(house: House, request: Request, network: str) -> Response:
    """Let a container into one."""
    body = read_object(request)
    asked = endpoint_settings(body, "EndpointConfig", network)
    connecting.connect(house, network, _container(body), _endpoint(asked), via=via(request))
    return Response(200)


def _container(body: Fields) -> str:
    """Read who is meant.  Raises BadRequest."""
    if not (name := body.text("Container")):
        raise BadRequest(
            'invalid name or ID supplied: ""', why="somebody has to be meant",
            try_next="docker ps --all",
        )  # fmt: skip
    return name


def _endpoint(asked: Asked) -> Endpoint:
    return Endpoint(
        asked.network, wants=asked.address, wants6=asked.address6,
        wants_mac=asked.mac_address, link_local=asked.link_local, aliases=asked.aliases,
        links=asked.links, options=asked.options,
    )  # fmt: skip


def disconnect(house: House, request: Request, network: str) -> Response:
    """Take a container out of one."""
    body = read_object(request)
    connecting.disconnect(
        house, network, _container(body), force=body.flag("Force"), via=via(request)
    )
    return Response(200)
