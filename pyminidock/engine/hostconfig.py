"""What was asked of the host for one container, as Docker tells it in HostConfig.

    the request's own words       a row each, in the order of `container.fields`
    what Docker fills in          shared memory, runtime, masked paths, namespaces
    what Docker takes back        swappiness and weights that the machine cannot keep

Source: moby, daemon/daemon_unix.go, adaptContainerSettings(), verifyPlatform…().
"""

from pyminidock.container.fields import HOST
from pyminidock.container.netmode import network_of
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.container.structs import written
from pyminidock.engine.document import Document
from pyminidock.engine.house import House, Kept
from pyminidock.engine.linking import shown


def host_config(house: House, kept: Kept) -> Document:
    """Tell what was asked of the host, with Docker's defaults.

    Source: moby, daemon/daemon_unix.go, adaptContainerSettings().
    """
    request, spec = kept.request, kept.spec
    told = written(HOST, request, request.given_empty)
    told.pop("KernelMemory", None)  # no kernel keeps it any more
    told |= _limits(house, request, spec)
    told |= {
        "LogConfig": {"Type": spec.log_driver, "Config": dict(spec.log_options)},
        "RestartPolicy": {
            "Name": spec.restart_policy,
            "MaximumRetryCount": spec.restart_retries,
        },
        "NetworkMode": network_of(request),
        "Links": shown(house, kept),
        "CgroupnsMode": request.worlds.cgroup or _cgroup_namespace(house),
        "IpcMode": request.worlds.ipc or "private",
        "Runtime": request.worlds.runtime or "runc",
        "SecurityOpt": _security(request, told["SecurityOpt"]),
        "ShmSize": spec.shm_bytes,
        "MaskedPaths": _paths(request, request.masked_paths, spec.masked_paths),
        "ReadonlyPaths": _paths(request, request.readonly_paths, spec.readonly_paths),
    }
    return {name: told[name] for name in _HOST_ORDER if name in told}


def _host_order() -> tuple[str, ...]:
    """Put the two rows that are no rows of the table where Docker has them."""
    names = [row.name for row in HOST.rows]
    for name, before in (("LogConfig", "NetworkMode"), ("RestartPolicy", "AutoRemove")):
        names.insert(names.index(before), name)
    return tuple(names)


_HOST_ORDER = _host_order()


def _limits(house: House, request: CreateRequest, spec: ContainerSpec) -> Document:
    """Tell the limits that Docker fills in or takes back."""
    kept, asked = spec.resources, request.resources
    is_v2 = _is_v2(house)
    told: Document = {
        "BlkioWeight": kept.blkio_weight,
        "CpuPercent": 0,
        "MemorySwap": _int64(spec.memory_swap_bytes),
        "MemorySwappiness": kept.memory_swappiness,
        "OomKillDisable": None if is_v2 else bool(asked.disables_oom_killer),
        "PidsLimit": _pids(request),
    }
    if asked.blkio_weights and not kept.blkio_weights:
        told["BlkioWeightDevice"] = []
    return told


def _pids(request: CreateRequest) -> int | None:
    is_told = request.pids_limit > 0 or "PidsLimit" in request.given_empty
    return request.pids_limit if is_told else None


def _int64(number: int) -> int:
    """Let a number that is too large come out as it does in Go.

    >>> _int64(1 << 63) == -(1 << 63)
    True
    """
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def _is_v2(house: House) -> bool:
    tree = house.machine.cgroups
    return tree is not None and tree.version == 2


def _cgroup_namespace(house: House) -> str:
    return "private" if _is_v2(house) else "host"


def _security(request: CreateRequest, said: list[str] | None) -> list[str] | None:
    """Add what sharing the host's worlds says to SELinux."""
    options = said or []
    is_open = request.is_privileged or "host" in (request.worlds.ipc, request.worlds.pid)
    if is_open and not any(option.startswith("label") for option in options):
        return [*options, "label=disable"]
    return said


def _paths(
    request: CreateRequest, asked: tuple[str, ...] | None, decided: tuple[str, ...]
) -> list[str] | None:
    if asked is not None:
        return list(asked)
    return None if request.is_privileged else list(decided)
