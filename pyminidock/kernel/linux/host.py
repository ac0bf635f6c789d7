"""What this machine says of itself, read once.

Source: os-release(5), proc_meminfo(5), cgroups(7); moby, pkg/sysinfo.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from pyminidock.kernel.host import Host
from pyminidock.kernel.linux.mountinfo import read_mountinfo
from pyminidock.kernel.port import CgroupTree

_SWITCHES = ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables",
             "net/bridge/bridge-nf-call-ip6tables")  # fmt: skip
_LIMITS = re.compile(r"(?:memory|cpu|cpuset|pids)\.[a-z_.]+")
_OF_CONTROLLERS = {  # of version 2: its files are there below the root only
    "memory": ("memory.max", "memory.swap.max"),
    "cpu": ("cpu.weight", "cpu.max"),
    "cpuset": ("cpuset.cpus",),
    "pids": ("pids.max",),
}


def read_host(root: Path, cgroups: CgroupTree | None) -> Host:
    """Read it; `root` is the directory of the engine."""
    told = _os_release()
    return Host(
        release=os.uname().release,
        system=told.get("PRETTY_NAME", "Linux"),
        version=told.get("VERSION_ID", ""),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        filesystem=filesystem_of(root),
        accounts=frozenset(_accounts(cgroups)),
        forwards=frozenset(name for name in _SWITCHES if _is_on(name)),
    )


def filesystem_of(root: Path) -> str:
    """Name the filesystem of the nearest directory that exists."""
    place = next(each for each in (root, *root.parents) if each.exists()).resolve()
    holding = [
        entry for entry in read_mountinfo("self")
        if place.is_relative_to(entry.target)
    ]  # fmt: skip
    return max(holding, key=lambda entry: len(entry.target)).filesystem if holding else ""


def _os_release() -> dict[str, str]:
    for place in ("/etc/os-release", "/usr/lib/os-release"):
        with suppress(OSError):
            lines = Path(place).read_text(encoding="utf-8", errors="replace").splitlines()
            pairs = (line.partition("=") for line in lines if "=" in line)
            return {name: value.strip("\"'") for name, _, value in pairs}
    return {}


def _accounts(cgroups: CgroupTree | None) -> list[str]:
    """Name the files of limits that a cgroup has here."""
    if cgroups is None:
        return []
    found: list[str] = []
    for names, directory in cgroups.hierarchies:
        with suppress(OSError):
            if cgroups.version == 1:
                found += filter(_LIMITS.fullmatch, os.listdir(directory))
                continue
            there = Path(directory, "cgroup.controllers").read_text(encoding="ascii")
            for controller in {*there.split(), *names.split(",")}:
                found += _OF_CONTROLLERS.get(controller, ())
    return found


def _is_on(switch: str) -> bool:
    with suppress(OSError):
        return Path("/proc/sys", switch).read_text(encoding="ascii").strip() != "0"
    return False
