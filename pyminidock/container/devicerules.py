"""Which devices a container may have to do with: Docker's few, and what was asked for.

The list is written the same way on v1: deny all, then allow a few; v2 has no file for it
and is given a program instead, made of the same list (see `devicefilter`).

Source: runc, libcontainer/specconv/spec_linux.go, AllowedDevices; read in containers of
dockerd 26.1.5.
"""

from pyminidock.container.spec import ContainerSpec

DEVICES = (
    "b *:* m", "c *:* m",  # any node may be made, but not opened
    "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",  # null … urandom
    "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm",  # tty console ptmx
    "c 10:200 rwm",  # net/tun
    "c 136:* rwm",  # pts/N
)  # fmt: skip


def allowed(spec: ContainerSpec) -> tuple[str, ...]:
    """Give the rules for devices: Docker's few, and what was asked for, by number."""
    asked = (node.rule for node in spec.devices if node.permissions)
    rules = dict.fromkeys((*DEVICES, *asked, *spec.resources.device_rules))
    return tuple(sorted(rules, key=_by_number))


def _by_number(rule: str) -> tuple[str, int, int]:
    """Sort as runc writes them: by kind, major and minor, all numbers before each."""
    kind, numbers, _ = rule.split(" ")
    major, minor = (-1 if n == "*" else int(n) for n in numbers.split(":"))
    return kind, major, minor
