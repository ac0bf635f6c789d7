"""Names, addresses and ports of a request: what contradicts itself, what has to wait.

A container has its own network in every mode but two:

    none               its own, with the loopback device only
    default, bridge    a cable to the bridge that all share who say nothing
    NAME               a cable to a network that somebody made
    host               that of the host
    container:NAME     that of another container

Whoever is not root on the host cannot lay a cable there: then `default` has the loopback
device only and says so, and all others are refused at the start.

Source: moby, runconfig/hostconfig_unix.go, validateNetMode(); daemon/container.go and
api/types/network/endpoint.go, Validate().
"""

import ipaddress
import re
from collections.abc import Iterator

from pyminidock.container.asked import Endpoint, PortBinding
from pyminidock.container.faults import FAULT, refusal
from pyminidock.container.spec import CreateRequest
from pyminidock.kernel.port import Machine

LOOPBACK_ONLY = "the container has the loopback device only: cables are laid by root"
MAC_DEPRECATED = (
    "The container-wide MacAddress field is now deprecated. It should be specified in "
    "EndpointsConfig instead."
)
_DEFAULT = ("", "default", "bridge")
_OURS = (*_DEFAULT, "none")
_PORT = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_NO_NETWORKS = "the parts of a request may not contradict each other"


def network_of(request: CreateRequest) -> str:
    """Give the network's name as inspect tells it.

    >>> network_of(CreateRequest("busybox"))
    'bridge'
    """
    return "bridge" if request.network_mode in _DEFAULT else request.network_mode


def networks_of(request: CreateRequest) -> tuple[str, ...]:
    """Name the networks that it shall be in."""
    mode = network_of(request)
    if request.reach.is_disabled or mode.startswith("container:"):
        return ()
    asked = [each.network for each in request.reach.endpoints]
    return tuple("bridge" if n in _DEFAULT else n for n in asked) or (mode,)


def mac_of(request: CreateRequest) -> str:
    """Give the address that was asked for, if it is in a network that knows addresses."""
    mode = network_of(request)
    is_kept = mode not in ("none", "host") and not mode.startswith("container:")
    return request.reach.mac_address if is_kept else ""


def is_wired(machine: Machine) -> bool:
    """Whether cables can be laid here: between bridges of the host and containers."""
    return machine.backend != "linux-rootless"


def has_to_wait(request: CreateRequest, machine: Machine) -> str:
    """Say in one sentence why it cannot be started here; "" if it can."""
    reach = request.reach
    others = [name for name in networks_of(request) if name not in _OURS]
    if network_of(request).startswith("container:"):
        others = [network_of(request)]
    if others and not is_wired(machine):
        return (
            f"network {others[0]} cannot be reached without root: a container has the "
            "loopback device only; leave out --network, or use --network none"
        )
    is_published = reach.publishes_all or any(each.hosts for each in reach.published)
    if is_published and not is_wired(machine):
        return (
            "ports cannot be published without root: a container has the loopback device "
            "only; leave out -p and -P"
        )
    return ""


def warnings_of(request: CreateRequest, machine: Machine) -> Iterator[str]:
    """Say what will be otherwise than expected."""
    if request.reach.mac_address:
        yield MAC_DEPRECATED
    if request.network_mode == "host" and request.reach.published:
        yield "Published ports are discarded when using host network mode"
    is_meant = request.network_mode in _DEFAULT and not is_wired(machine)
    if is_meant and not has_to_wait(request, machine):
        yield LOOPBACK_ONLY


def check_mode(request: CreateRequest) -> None:
    """Refuse a network that contradicts the rest.  Raises RequestRefused."""
    mode, reach = request.network_mode, request.reach
    is_container = mode.startswith("container:") and mode != "container:"
    if mode.partition(":")[0] == "container" and not mode.partition(":")[2]:
        raise _conflict(
            request, "Invalid network mode: invalid container format container:<name|id>"
        )
    for applies, what in (
        (is_container and request.hostname, "hostname and the network mode"),
        (
            is_container and reach.links,
            "container type network can't be used with links. This would result in "
            "undefined behavior",
        ),
        (is_container and reach.dns, "dns and the network mode"),
        (
            is_container and reach.extra_hosts,
            "custom host-to-IP mapping and the network mode",
        ),
        (
            is_container and (reach.published or reach.publishes_all),
            "port publishing and the container type network mode",
        ),
        (
            is_container and reach.exposed,
            "port exposing and the container type network mode",
        ),
        (request.worlds.uts == "host" and request.hostname, "hostname and the UTS mode"),
        (
            mode == "host" and reach.links,
            "host type networking can't be used with links. This would result in "
            "undefined behavior",
        ),
    ):
        if applies:
            raise _conflict(request, f"conflicting options: {what}")


def _conflict(request: CreateRequest, what: str) -> Exception:
    return refusal(
        request, what, "a container that shares a network shares its names and ports too",
        lesson="networks", network_mode="none",
    )  # fmt: skip


def check_reach(request: CreateRequest) -> None:
    """Refuse names, addresses and ports that cannot be.  Raises RequestRefused."""
    for entry in request.reach.extra_hosts:
        _check_host(request, entry)
    for binding in request.reach.published:
        _check_ports(request, binding)
    for link in request.reach.links:
        if not link or link.count(":") > 1:
            what = (
                f"bad format for links: {link}"
                if link
                else ("empty string specified for links")
            )
            raise refusal(
                request, what, "a link is CONTAINER[:ALIAS]", status=FAULT,
                lesson="networks", network_mode="none",
            )  # fmt: skip


def check_endpoints(request: CreateRequest) -> None:
    """Refuse places in networks that cannot be.  Raises RequestRefused."""
    for endpoint in request.reach.endpoints:
        name = "bridge" if endpoint.network in _DEFAULT else endpoint.network
        if endpoint.is_null:
            raise _bad_network(request, name, "EndpointsConfig is nil")
        if faults := list(_faults(endpoint, name)):
            text = faults[0] if len(faults) == 1 else "\n".join(f"* {f}" for f in faults)
            raise _bad_network(request, name, f"invalid endpoint settings:\n{text}")
    mac = mac_of(request)
    if mac and not re.fullmatch(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}", mac):
        raise _bad_network(request, network_of(request), f"invalid MAC address {mac}")


def _faults(endpoint: Endpoint, name: str) -> Iterator[str]:
    if name not in ("bridge", "none", "host"):
        return  # the engine knows what that network can give
    if endpoint.address or endpoint.address6:
        yield "user specified IP address is supported on user defined networks only"
    if endpoint.aliases:
        yield (
            "network-scoped alias is supported only for containers in user defined networks"
        )
    for version, address in ((4, endpoint.address), (6, endpoint.address6)):
        if address and _version(address) != version:
            yield f"invalid IPv{version} address: {address}"
    if endpoint.address or endpoint.address6:
        yield (
            "user specified IP address is supported only when connecting to networks with "
            "user configured subnets"
        )
    for address in endpoint.link_local:
        if not _version(address):
            yield f"invalid link-local IP address: {address}"


def _version(address: str) -> int:
    """Give 4 or 6; 0 for what is no address."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


def _bad_network(request: CreateRequest, name: str, fault: str) -> Exception:
    return refusal(
        request, f"invalid config for network {name}: {fault}",
        "an address is chosen in networks of one's own only",
        lesson="networks", network_mode="none",
    )  # fmt: skip


def faults_of_servers(request: CreateRequest) -> Iterator[str]:
    """Say which name server is no address, as Docker does at a start."""
    for server in request.reach.dns:
        if not _version(server.partition("%")[0]):
            fault = f'ParseAddr("{server}"): unable to parse IP'
            yield f"bad nameserver address {server}: {fault}"


def _check_host(request: CreateRequest, entry: str) -> None:
    """Refuse an --add-host that is none.  Source: moby, opts, ValidateExtraHost()."""
    name, colon, address = entry.partition(":")
    if not colon or not name:
        what = f'bad format for add-host: "{entry}"'
    elif address == "host-gateway" or _version(address.strip("[]")):
        return
    else:
        what = f'invalid IP address in add-host: "{address}"'
    raise refusal(
        request, what, "a line of /etc/hosts is made of NAME:ADDRESS", lesson="names",
    )  # fmt: skip


def _check_ports(request: CreateRequest, binding: PortBinding) -> None:
    """Refuse ports that are none.  Source: docker/go-connections, nat.ParsePort."""
    number, slash, protocol = binding.port.partition("/")
    ports = [number, *(port for _, port in binding.hosts or ())]
    for index, port in enumerate(ports):
        if not port and index:
            continue
        found = _PORT.fullmatch(port)
        numbers = [int(each) for each in found.groups() if each] if found else []
        if not numbers or max(numbers) > 65535 or (index == 0 and len(numbers) > 1):
            raise _bad_port(request, port)
        if len(numbers) > 1 and numbers[0] > numbers[1]:
            raise _bad_port(request, port)
    if slash and protocol not in ("tcp", "udp", "sctp"):
        raise _bad_port(request, binding.port)


def _bad_port(request: CreateRequest, port: str) -> Exception:
    return refusal(
        request, f'invalid port specification: "{port}"',
        "a port is a number up to 65535, with /tcp, /udp or /sctp behind it",
        lesson="ports",
    )  # fmt: skip
