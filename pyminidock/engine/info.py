"""What `docker info` and `docker version` tell: the engine, its machine, what there is.

Every key of Docker's document is here, because clients read them without asking whether
they are there.  What we do not have is said as Docker says it of itself: null, an empty
list, "N/A".

Source: moby, daemon/info.go; measured on Docker Engine 26.1.
"""

import os
import platform
import threading
import uuid
from pathlib import Path
from typing import Any

import pyminidock
from pyminidock.engine.document import moment
from pyminidock.engine.house import API_VERSION, House
from pyminidock.kernel.port import Machine

Document = dict[str, Any]

MIN_API_VERSION = "1.24"
RUNTIME = "runc"  # the only name by which ours can be asked for
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # Go's names, as Docker has them
_INDEX = "https://index.docker.io/v1/"
_UNKNOWN = {"ID": "N/A", "Expected": "N/A"}
_NO_SWARM = {
    "NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": False,
    "Error": "", "RemoteManagers": None,
}  # fmt: skip
_REGISTRIES = {
    "AllowNondistributableArtifactsCIDRs": None,
    "AllowNondistributableArtifactsHostnames": None,
    "InsecureRegistryCIDRs": ["127.0.0.0/8"],
    "IndexConfigs": {
        "docker.io": {"Name": "docker.io", "Mirrors": [], "Secure": True, "Official": True}
    },
    "Mirrors": None,
}
_LIMITS = {
    "MemoryLimit": ("memory.limit_in_bytes", "memory.max"),
    "SwapLimit": ("memory.memsw.limit_in_bytes", "memory.swap.max"),
    "KernelMemoryTCP": ("memory.kmem.tcp.limit_in_bytes",),
    "CpuCfsPeriod": ("cpu.cfs_period_us", "cpu.max"),
    "CpuCfsQuota": ("cpu.cfs_quota_us", "cpu.max"),
    "CPUShares": ("cpu.shares", "cpu.weight"),
    "CPUSet": ("cpuset.cpus",),
    "PidsLimit": ("pids.max",),
}
"""Which files of an account stand for which key: of version 1, then of version 2.

`pids.max` is missing in the topmost account of version 1, where nothing can be limited.
"""
_SWITCHES = {
    "IPv4Forwarding": "net/ipv4/ip_forward",
    "BridgeNfIptables": "net/bridge/bridge-nf-call-iptables",
    "BridgeNfIp6tables": "net/bridge/bridge-nf-call-ip6tables",
}


def info(house: House) -> Document:
    """Tell everything that `docker info` shows."""
    machine, host = house.machine, house.machine.host
    limits = limits_of(machine)
    return {
        "ID": identity(house),
        **_containers(house),
        "Images": len(house.store.images.all()),
        "Driver": "overlay2",
        "DriverStatus": [
            ["Backing Filesystem", host.filesystem], ["Supports d_type", "true"],
            ["Using metacopy", "false"], ["Native Overlay Diff", "true"],
            ["userxattr", str(machine.is_single_user).lower()],
        ],
        "Plugins": {
            "Volume": [], "Network": ["null"], "Authorization": None, "Log": ["json-file"],
        },
        **limits,
        **{key: switch in host.forwards for key, switch in _SWITCHES.items()},
        "Debug": False,
        "NFd": _descriptors(),
        "OomKillDisable": "memory.oom_control" in host.accounts,
        "NGoroutines": threading.active_count(),
        "SystemTime": moment(house.kernel.wall()),
        "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs" if machine.cgroups else "none",
        "CgroupVersion": str(machine.cgroups.version if machine.cgroups else 1),
        "NEventsListener": house.bulletin.listeners,
        "KernelVersion": host.release,
        "OperatingSystem": host.system,
        "OSVersion": host.version,
        "OSType": "linux",
        "Architecture": machine.arch,
        "IndexServerAddress": _INDEX,
        "RegistryConfig": _REGISTRIES,
        "NCPU": machine.cpus or os.cpu_count() or 1,
        "MemTotal": host.memory_bytes,
        "GenericResources": None,
        "DockerRootDir": str(house.root),
        "HttpProxy": "", "HttpsProxy": "", "NoProxy": "",
        "Name": machine.hostname,
        "Labels": [],
        "ExperimentalBuild": False,
        "ServerVersion": pyminidock.__version__,
        "Runtimes": {RUNTIME: {"path": "pyminidock"}},
        "DefaultRuntime": RUNTIME,
        "Swarm": _NO_SWARM,
        "LiveRestoreEnabled": True,  # containers outlive the engine, always
        "Isolation": "",
        "InitBinary": Path(machine.init).name,
        "ContainerdCommit": _UNKNOWN, "RuncCommit": _UNKNOWN, "InitCommit": _UNKNOWN,
        "SecurityOptions": _walls(machine),
        "CDISpecDirs": [],
        "Warnings": _warnings(machine, limits) or None,
    }  # fmt: skip


def version(house: House) -> Document:
    """Tell which engine this is, on which machine; what only Go has stays empty."""
    machine = house.machine
    details = {
        "ApiVersion": API_VERSION,
        "Arch": ARCHITECTURES.get(machine.arch, machine.arch),
        "BuildTime": "",
        "Experimental": "false",
        "GitCommit": "",
        "GoVersion": f"none (Python {platform.python_version()})",
        "KernelVersion": machine.host.release,
        "MinAPIVersion": MIN_API_VERSION,
        "Os": "linux",
    }
    ours = {"Backend": machine.backend, "Root": str(house.root)}
    engine = {
        "Name": "Engine", "Version": pyminidock.__version__, "Details": details | ours,
    }  # fmt: skip
    told = ("GitCommit", "GoVersion", "Os", "Arch", "KernelVersion", "BuildTime")
    return {
        "Platform": {"Name": "pyMiniDock"},
        "Components": [engine],
        "Version": pyminidock.__version__,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        **{name: details[name] for name in told},
    }


def identity(house: House) -> str:
    """Name this engine: the same name as long as it is on this machine, in this place."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{house.machine.hostname}:{house.root}"))


def limits_of(machine: Machine) -> dict[str, bool]:
    """Say which limits can be set here."""
    there = machine.host.accounts
    tree = machine.cgroups
    controllers = ",".join(name for name, _ in tree.hierarchies) if tree else ""
    found = {key: not there.isdisjoint(files) for key, files in _LIMITS.items()}
    found["PidsLimit"] = found["PidsLimit"] or "pids" in controllers.split(",")
    return found


def _containers(house: House) -> Document:
    states = [life.state.value for life in house.lives()]
    running = states.count("running") + states.count("restarting")
    paused = states.count("paused")
    return {
        "Containers": len(states),
        "ContainersRunning": running,
        "ContainersPaused": paused,
        "ContainersStopped": len(states) - running - paused,
    }


def _descriptors() -> int:
    try:
        return len(list(Path("/proc/self/fd").iterdir()))
    except OSError:  # no such directory: the kernel is a simulated one, elsewhere
        return 0


def _walls(machine: Machine) -> list[str]:
    found = ["name=seccomp,profile=builtin"]
    if machine.is_single_user:
        found.append("name=rootless")
    if machine.cgroups and machine.cgroups.version == 2:
        found.append("name=cgroupns")
    return found


_MISSING = {
    "MemoryLimit": "memory limit", "SwapLimit": "swap limit",
    "CpuCfsPeriod": "cpu cfs period", "CpuCfsQuota": "cpu cfs quota",
    "CPUShares": "cpu shares", "CPUSet": "cpuset", "PidsLimit": "pids limit",
}  # fmt: skip


def _warnings(machine: Machine, limits: dict[str, bool]) -> list[str]:
    """Say what a limit would be worth nothing here.  Source: moby, daemon/info_unix.go."""
    if machine.cgroups is None:
        return ["WARNING: Running in rootless-mode without cgroups. Systemd is required to "
                "enable cgroups in rootless-mode."]  # fmt: skip
    return [f"WARNING: No {said} support" for key, said in _MISSING.items()
            if not limits[key]]  # fmt: skip
