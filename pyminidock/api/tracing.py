"""POST /minidock/network/trace: follow one request, hop by hop.

    {"port": 8080, "container": "web", "protocol": "tcp", "from": "host", "address": "",
     "prove": false}

`from` is "host", "outside" (another machine), or a container; without `container` it is the
one that has to do with the port.  The answer has the hops, the cause and what helps against
it (both null where the request arrives) and, with `prove`, what came of the same request in
a copy of the wiring.
"""

import ipaddress

from pyminidock.api.body import read_object
from pyminidock.api.failures import JSON, BadRequest
from pyminidock.api.message import Request, Response
from pyminidock.api.streams import document
from pyminidock.engine import tracing
from pyminidock.engine.house import House
from pyminidock.engine.tracing import Wanted

_PROTOCOLS = ("tcp", "udp")


def trace(house: House, request: Request) -> Response:
    """Follow one request.  Raises BadRequest, and what the engine's trace raises."""
    body = read_object(request)
    port, protocol = body.number("port"), body.text("protocol") or "tcp"
    address = body.text("address")
    if not 0 < port < 1 << 16:
        raise _unfit(f"{port} is no port", "ports are numbers from 1 to 65535")
    if protocol not in _PROTOCOLS:
        raise _unfit(f"{protocol[:80]!r} is no protocol to trace", "it is tcp or udp")
    if address:
        try:
            ipaddress.IPv4Address(address)
        except ValueError as refusal:
            raise _unfit(
                f"{address[:80]!r} is no address", "IPv4 is traced, as 127.0.0.1"
            ) from refusal
    wanted = Wanted(
        port, body.text("container"), protocol, body.text("from") or "host", address,
        body.flag("prove"),
    )  # fmt: skip
    return Response(200, (JSON,), document(tracing.trace(house, wanted)))


def _unfit(what: str, why: str) -> BadRequest:
    return BadRequest(
        what, why=why, try_next="minidock explain port 8080", lesson="networks"
    )
