"""Devices of the host that a container shall have: nodes in /dev, and the right to open.

    --device /dev/fuse:/dev/y:r        a node with the host's number; the rule c 10:229 r
    --device-cgroup-rule 'c 42:* r'    the rule alone

Source: moby, oci/devices_linux.go and oci/oci.go, AppendDevicePermissionsFromCgroupRules().
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pyminidock.container.asked import DeviceMapping, Resources
from pyminidock.grammar.binds import clean
from pyminidock.kernel.port import Machine

_RULE = re.compile(r"([acb]) ([0-9]{1,10}|\*):([0-9]{1,10}|\*) ([rwm]{1,3})")


class DeviceUnknown(ValueError):
    """The host has no such device; the words are Docker's."""


class RuleMalformed(ValueError):
    """The words are no rule; the words are Docker's."""


@dataclass(frozen=True, slots=True)
class DeviceNode:
    """A node to be made inside; `permissions` out of r, w, m."""

    path: str
    major: int
    minor: int
    mode: int
    uid: int
    gid: int
    is_block: bool
    permissions: str

    @property
    def rule(self) -> str:
        """Give the right to open it, as the devices cgroup spells it."""
        kind = "b" if self.is_block else "c"
        return f"{kind} {self.major}:{self.minor} {self.permissions}"


def named(asked: Iterable[DeviceMapping], machine: Machine) -> tuple[DeviceNode, ...]:
    """Find what was asked for; a directory stands for all in it.  Raises DeviceUnknown."""
    found = []
    for mapping in asked:
        source, target = clean(mapping.host_path), mapping.path or mapping.host_path
        rights = "".join(r for r in "rwm" if r in (mapping.permissions or "rwm"))
        below = [
            DeviceNode(
                clean(target) + path[len(source) :], major, minor, mode, uid, gid, is_block,
                rights,
            )
            for path, major, minor, mode, uid, gid, is_block in machine.devices
            if path == source or path.startswith(f"{source}/")
        ]  # fmt: skip
        if not below:
            raise DeviceUnknown(
                "error gathering device information while adding custom device "
                f'"{mapping.host_path}": no such file or directory'
            )
        found += below
    return tuple(found)


def rules_of(asked: Resources, machine: Machine) -> tuple[str, ...]:
    """Give every rule that was asked for, the nodes' own first.  Raises RuleMalformed."""
    for rule in asked.device_rules:
        if not _RULE.fullmatch(rule):
            raise RuleMalformed(f"invalid device cgroup rule format: '{rule}'")
    nodes = named(asked.devices, machine)
    return (*(node.rule for node in nodes if node.permissions), *asked.device_rules)
