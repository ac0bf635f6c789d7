"""A network as a value: its name, its pools of addresses, its options.

    bridge   a switch made of software on the host; containers get cables to it
    host     the host's own devices
    null     nothing but the loopback

`pools` is what it has, complete; `asked` is what somebody said, and what is told of it.

Source: moby, api/types/network/network.go; libnetwork/drivers/bridge/labels.go.
"""

import ipaddress
from dataclasses import dataclass
from typing import TypeAlias

Net: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Pairs: TypeAlias = tuple[tuple[str, str], ...]

BRIDGE, HOST, NONE = "bridge", "host", "none"
PREDEFINED = (BRIDGE, HOST, NONE)
DRIVERS = ("bridge", "host", "null")

OF_BRIDGE = "com.docker.network.bridge"
BRIDGE_NAME = f"{OF_BRIDGE}.name"
ICC = f"{OF_BRIDGE}.enable_icc"
MASQUERADE = f"{OF_BRIDGE}.enable_ip_masquerade"
HOST_BINDING = f"{OF_BRIDGE}.host_binding_ipv4"
DEFAULT_BRIDGE = f"{OF_BRIDGE}.default_bridge"
MTU = "com.docker.network.driver.mtu"
PREFIX = "com.docker.network.container_iface_prefix"
USUAL_MTU = 1500  # bytes


@dataclass(frozen=True, slots=True)
class Pool:
    """Addresses of one family: all of `subnet`, handed out from `range` if there is one."""

    subnet: str = ""  # 172.18.0.0/16
    range: str = ""  # the part of it that is handed out
    gateway: str = ""  # the host's own address in it
    auxiliary: Pairs = ()  # (name, address): kept for somebody else

    @property
    def net(self) -> Net:
        """Give the subnet as numbers."""
        return ipaddress.ip_network(self.subnet, strict=False)

    @property
    def prefix(self) -> int:
        """Give the length of its prefix."""
        return self.net.prefixlen

    @property
    def version(self) -> int:
        """Give 4 or 6."""
        return self.net.version


@dataclass(frozen=True, slots=True)
class Network:
    """One network; `created` is in seconds since 1970."""

    id: str
    name: str
    driver: str = "bridge"
    created: float = 0.0
    pools: tuple[Pool, ...] = ()
    asked: tuple[Pool, ...] = ()
    bridge: str = ""  # the name of its switch on the host
    is_internal: bool = False
    is_attachable: bool = False
    is_ipv6: bool = False
    is_config_only: bool = False
    config_from: str = ""
    scope: str = "local"
    options: Pairs = ()
    labels: Pairs = ()
    ipam_driver: str = "default"
    ipam_options: Pairs | None = ()

    @property
    def is_predefined(self) -> bool:
        """Whether the engine made it: nobody can remove it."""
        return self.name in PREDEFINED

    @property
    def is_wired(self) -> bool:
        """Whether containers get a cable to it."""
        return self.driver == "bridge" and not self.is_config_only

    @property
    def is_user_defined(self) -> bool:
        """Whether somebody made it: then it knows names, aliases and chosen addresses."""
        return not self.is_predefined

    def pool(self, version: int = 4) -> Pool | None:
        """Give the pool of a family of addresses."""
        return next((each for each in self.pools if each.version == version), None)

    def option(self, name: str, default: str = "") -> str:
        """Give what an option says."""
        return dict(self.options).get(name, default)

    def says(self, name: str, *, default: bool) -> bool:
        """Read an option that is yes or no, as Go does.

        >>> Network("1", "n", options=((ICC, "false"),)).says(ICC, default=True)
        False
        """
        return self.option(name, str(default).lower()) in TRUE

    @property
    def mtu(self) -> int:
        """Give how many bytes fit into one packet."""
        return int(self.option(MTU, "0")) or USUAL_MTU

    @property
    def has_icc(self) -> bool:
        """Whether its containers may speak with each other."""
        return self.says(ICC, default=True)

    @property
    def masquerades(self) -> bool:
        """Whether what leaves it bears the host's address."""
        return not self.is_internal and self.says(MASQUERADE, default=True)

    @property
    def host_binding(self) -> str:
        """Give the address on which its ports are published; "": the engine's default."""
        return self.option(HOST_BINDING)


TRUE = ("1", "t", "T", "TRUE", "true", "True")
FALSE = ("0", "f", "F", "FALSE", "false", "False")
