"""What create accepts and no start can do: found early, told late, as Docker does.

Docker looks at most values only when it builds the process, so a container with a setting
that no kernel takes is created, can be inspected, and fails at every start.  The same
holds here for what is not built yet: one sentence, and nothing else has happened.

Source: moby, daemon/{oci_linux,start}.go; runc, libcontainer/configs/validate.
"""

import re
from collections.abc import Iterator

from pyminidock.container import budget, mountpoints, netmode
from pyminidock.container.devices import DeviceUnknown, RuleMalformed, named, rules_of
from pyminidock.container.faults import FAULT, NOT_BUILT
from pyminidock.container.spec import CreateRequest, Hindrance
from pyminidock.kernel.port import Machine

_TASK = "failed to create task for container: "
_RUNC = (
    f"{_TASK}failed to create shim task: OCI runtime create failed: runc create failed: "
)
_CGROUP = (
    f"{_RUNC}unable to start container process: error during container init: error "
    "setting cgroup config for procHooks process: "
)
_OF_IPC = ("kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
           "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced")  # fmt: skip
_KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def hindrance_of(request: CreateRequest, machine: Machine) -> Hindrance | None:
    """Find the first; None if a start may be tried."""
    if waits := netmode.has_to_wait(request, machine):
        return Hindrance(waits, NOT_BUILT)
    what = next(filter(None, _faults(request, machine)), "")
    if what:
        return Hindrance(what, FAULT)
    fault = mountpoints.fault_in_memory(request)
    return Hindrance(fault.what, FAULT, fault.why, fault.try_next) if fault else None


def _faults(request: CreateRequest, machine: Machine) -> Iterator[str]:
    """Give sentences, "" for what is well, in the order in which Docker comes to them."""
    yield from netmode.faults_of_servers(request)
    yield _devices(request, machine)
    yield _shares(request)
    fault = _sysctl(request)
    yield f"{_RUNC}{fault}: unknown" if fault else ""


def _shares(request: CreateRequest) -> str:
    fault = budget.fault_at_start(request)
    return f"{_CGROUP}{fault}: unknown" if fault.startswith("the ") else fault


def _devices(request: CreateRequest, machine: Machine) -> str:
    """Say which device cannot be had."""
    asked = request.resources
    for wanted in asked.device_requests:
        capabilities = " ".join(f"[{' '.join(row)}]" for row in wanted.capabilities or ())
        return (
            f'could not select device driver "{wanted.driver}" with capabilities: '
            f"[{capabilities}]"
        )
    try:
        named(asked.devices, machine)
        rules_of(asked, machine)
    except (DeviceUnknown, RuleMalformed) as fault:
        return str(fault)
    rates = (*asked.blkio_read_bps, *asked.blkio_write_bps, *asked.blkio_read_iops,
             *asked.blkio_write_iops)  # fmt: skip
    there = {device[0] for device in machine.devices}
    for each in (*rates, *(asked.blkio_weights if machine.weighs_each_disk else ())):
        if each.path not in there:
            return f"stat {each.path}: no such file or directory"
    return ""


def _sysctl(request: CreateRequest) -> str:
    """Say which setting would be the host's own."""
    keys = [key for key, _ in request.sysctls]
    if request.worlds.uts == "host" and request.domainname:
        keys.append("kernel.domainname")
    return next(filter(None, (_not_own(request, key) for key in keys)), "")


def _not_own(request: CreateRequest, key: str) -> str:
    """Say why a setting is not the container's; "" if it is.

    Source: runc, libcontainer/configs/validate/validator.go, sysctl().
    """
    fault = "is not in a separate kernel namespace"
    if not _KEY.fullmatch(key):
        pass
    elif key in _OF_IPC or key.startswith("fs.mqueue."):
        is_hosts = request.worlds.ipc == "host"
        fault = "is not allowed in the hosts ipc namespace" if is_hosts else ""
    elif key.startswith("net."):
        is_hosts = request.network_mode == "host"
        fault = "not allowed in host network namespace" if is_hosts else ""
    elif key == "kernel.hostname":
        fault = 'is not allowed as it conflicts with the OCI "hostname" field'
    elif key == "kernel.domainname" and request.worlds.uts != "host":
        fault = ""
    return fault and f'sysctl "{key}" {fault}'
