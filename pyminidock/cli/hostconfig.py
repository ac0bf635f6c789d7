"""What the host gives to a container: limits, walls, files, and how it goes on.

Every field is sent, those that nobody asked for with what Docker's client sends then.

Source: docker/cli, cli/command/container/opts.go, parse().
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

from pyminidock.cli.endpoints import port_bindings
from pyminidock.cli.readflags import (
    Body,
    Given,
    checked,
    natural,
    read,
    refused,
    whole,
)
from pyminidock.cli.terminal import size
from pyminidock.cli.words import invalid
from pyminidock.errors import MinidockError
from pyminidock.grammar import devices
from pyminidock.grammar.mounts import has_source, parse_mount
from pyminidock.grammar.sizes import parse_cpus, parse_memory
from pyminidock.grammar.tmpfs import split_tmpfs
from pyminidock.grammar.ulimits import parse_ulimit

_SYSTEM_PATHS = "systempaths=unconfined"
_MODES = {
    "pid": ("PID", r"(host|container:.+)?"),
    "uts": ("UTS", r"(host)?"),
    "userns": ("USER", r"(host)?"),
    "cgroupns": ("CGROUP", r"(host|private)?"),
}


def host_config(given: Given) -> Body:
    """Make the HostConfig.  Raises WordsRefused."""
    policy = restart_policy(given["restart"] if given["restart"] is not None else "no")
    if given["rm"] and policy["Name"] not in ("", "no"):
        raise refused(
            "Conflicting options: --restart and --rm",
            "what is removed at its end cannot be started again",
        )
    return {
        **_files(given), **_walls(given), **resources(given), **_limits(given),
        "AutoRemove": bool(given["rm"]),
        "RestartPolicy": policy,
        "LogConfig": _log_config(given),
        "ContainerIDFile": given["cidfile"] or "",
        "ConsoleSize": list(size()),
        "Isolation": given["isolation"] or "",
        "Links": list(given["link"]) or None,
        "PortBindings": port_bindings(given),
        "PublishAllPorts": bool(given["publish_all"]),
        "Dns": _addresses(given), "DnsOptions": list(given["dns_option"]),
        "DnsSearch": [_domain(each) for each in given["dns_search"]],
        "ExtraHosts": [_host(each) for each in given["add_host"]] or None,
        **({"Runtime": given["runtime"]} if given["runtime"] else {}),
        **({"Annotations": _pairs(given["annotation"])} if given["annotation"] else {}),
        **({"Sysctls": _sysctls(given)} if given["sysctl"] else {}),
        **({"Init": True} if given["init"] else {}),
    }  # fmt: skip


def restart_policy(typed: str) -> Body:
    """Read a policy and how often it applies.

    >>> restart_policy("on-failure:3")
    {'Name': 'on-failure', 'MaximumRetryCount': 3}
    """
    name, colon, count = typed.partition(":")
    fault = ""
    if colon and not name:
        fault = "no policy provided before colon"
    elif count and not re.fullmatch("[+-]?[0-9]{1,18}", count):
        fault = "maximum retry count must be an integer"
    if fault:
        raise refused(
            f"invalid restart policy format: {fault}",
            "a policy is no, always, unless-stopped or on-failure[:N]",
        )
    return {"Name": name, "MaximumRetryCount": int(count) if count else 0}


def resources(given: Given) -> Body:
    """Read the limits that `update` can change too."""
    numbers = {
        "CpuShares": ("cpu_shares", "-c, --cpu-shares"),
        "CpuPeriod": ("cpu_period", "--cpu-period"),
        "CpuQuota": ("cpu_quota", "--cpu-quota"),
        "CpuRealtimePeriod": ("cpu_rt_period", "--cpu-rt-period"),
        "CpuRealtimeRuntime": ("cpu_rt_runtime", "--cpu-rt-runtime"),
        "PidsLimit": ("pids_limit", "--pids-limit"),
    }
    read_numbers = {
        field: read(given[name], spelling, whole)
        for field, (name, spelling) in numbers.items()
    }
    weight = given["blkio_weight"]
    return read_numbers | {
        "BlkioWeight": read(weight, "--blkio-weight", lambda t: natural(t, bits=16)),
        "CpusetCpus": given["cpuset_cpus"] or "",
        "CpusetMems": given["cpuset_mems"] or "",
        "Memory": read(given["memory"], "-m, --memory", parse_memory),
        "MemoryReservation": read(
            given["memory_reservation"], "--memory-reservation", parse_memory
        ),
        "MemorySwap": read(given["memory_swap"], "--memory-swap", _swap),
        "NanoCpus": read(given["cpus"], "--cpus", parse_cpus),
    }


def volumes(given: Given) -> Body:
    """Name the places that want a volume of their own: -v without a source."""
    return {each: {} for each in given["volume"] if not _has_source(each)}


# ── The parts ─────────────────────────────────────────────────────────────────────────────


def _limits(given: Given) -> Body:
    """Read the limits that last as long as the container."""
    swappiness = given["memory_swappiness"]
    degree = -1 if swappiness is None else checked(swappiness, "--memory-swappiness", whole)
    if not -1 <= degree <= 100:
        raise refused(
            f"invalid value: {degree}. Valid memory swappiness range is 0-100",
            "it says how gladly memory is swapped out, in hundredths",
        )
    read(given["kernel_memory"], "--kernel-memory", parse_memory)
    limits = (checked(each, "--ulimit", parse_ulimit) for each in given["ulimit"])
    last = {limit.name: limit for limit in limits}
    return {
        "MemorySwappiness": degree,
        "OomKillDisable": bool(given["oom_kill_disable"]),
        "OomScoreAdj": read(given["oom_score_adj"], "--oom-score-adj", whole),
        "CpuCount": 0, "CpuPercent": 0, "IOMaximumIOps": 0, "IOMaximumBandwidth": 0,
        "Ulimits": [
            {"Name": name, "Hard": last[name].hard, "Soft": last[name].soft}
            for name in sorted(last)
        ],
        "CgroupParent": given["cgroup_parent"] or "",
        "ShmSize": read(given["shm_size"], "--shm-size", parse_memory),
        "BlkioWeightDevice": _each(given, "blkio_weight_device", devices.parse_weight),
        "BlkioDeviceReadBps": _each(given, "device_read_bps", devices.parse_rate),
        "BlkioDeviceWriteBps": _each(given, "device_write_bps", devices.parse_rate),
        "BlkioDeviceReadIOps": _each(given, "device_read_iops", devices.parse_operations),
        "BlkioDeviceWriteIOps": _each(given, "device_write_iops", devices.parse_operations),
    }  # fmt: skip


def _walls(given: Given) -> Body:
    modes = {name: given[name] or "" for name in _MODES}
    for name, (kind, pattern) in _MODES.items():
        if not re.fullmatch(pattern, modes[name]):
            raise refused(
                f"--{name}: invalid {kind} mode",
                "a namespace is its own, the host's, or that of another container",
            )
    options = [_security(each) for each in given["security_opt"]]
    kept = [each for each in options if each != _SYSTEM_PATHS]
    unmasked: list[str] | None = [] if len(kept) < len(options) else None
    return {
        "CapAdd": list(given["cap_add"]) or None,
        "CapDrop": list(given["cap_drop"]) or None,
        "Privileged": bool(given["privileged"]),
        "SecurityOpt": kept if options else None,
        "MaskedPaths": unmasked, "ReadonlyPaths": unmasked,
        "GroupAdd": list(given["group_add"]) or None,
        "IpcMode": given["ipc"] or "",
        "PidMode": modes["pid"], "UTSMode": modes["uts"], "UsernsMode": modes["userns"],
        "CgroupnsMode": modes["cgroupns"], "Cgroup": "",
    }  # fmt: skip


def _files(given: Given) -> Body:
    asked = [each for each in given["device"] if not devices.is_qualified(each)]
    vendors = [each for each in given["device"] if devices.is_qualified(each)]
    requests = [checked(each, "--gpus", devices.parse_gpus) for each in given["gpus"]]
    if vendors:
        requests.append({"Driver": "cdi", "Count": 0, "DeviceIDs": vendors,
                         "Capabilities": None, "Options": None})  # fmt: skip
    binds = [_bind(each) for each in given["volume"] if _has_source(each)]
    rules = _each(given, "device_cgroup_rule", devices.parse_device_rule)
    tmpfs = dict(split_tmpfs(each) for each in given["tmpfs"])
    mounts = [
        checked(each, "--mount", lambda t: parse_mount(t, _absolute))
        for each in given["mount"]
    ]
    return {
        "Binds": binds or None,
        "VolumeDriver": given["volume_driver"] or "",
        "VolumesFrom": list(given["volumes_from"]) or None,
        "ReadonlyRootfs": bool(given["read_only"]),
        "Devices": [_device(each) for each in asked],
        "DeviceCgroupRules": rules or None,
        "DeviceRequests": requests or None,
        **({"Tmpfs": tmpfs} if tmpfs else {}),
        **({"Mounts": mounts} if mounts else {}),
        **({"StorageOpt": storage} if (storage := _storage(given)) else {}),
    }


def _each(given: Given, name: str, parse: Callable[[str], object]) -> list[object]:
    spelling = f"--{name.replace('_', '-')}"
    return [checked(each, spelling, parse) for each in given[name]]


def _swap(typed: str) -> int:
    return -1 if typed == "-1" else parse_memory(typed)


def _device(typed: str) -> Body:
    try:
        return devices.parse_device(typed)
    except MinidockError as refusal:
        raise refused(refusal.what, refusal.why, refusal.try_next) from refusal


def _has_source(typed: str) -> bool:
    try:
        return has_source(typed)
    except MinidockError as refusal:
        raise refused(refusal.what, refusal.why, refusal.try_next) from refusal


def _bind(typed: str) -> str:
    """Complete a source that begins with a dot: the engine stands elsewhere."""
    source, colon, rest = typed.partition(":")
    is_here = source == "." or source.startswith("./")
    return (_absolute(source) if is_here else source) + colon + rest


def _absolute(path: str) -> str:
    return str(Path(path).absolute())


def _pairs(typed: tuple[str, ...]) -> dict[str, str]:
    return dict(each.partition("=")[::2] for each in typed)


def _log_config(given: Given) -> Body:
    driver = given["log_driver"] or ""
    if driver == "none" and given["log_opt"]:
        raise refused(
            "invalid logging opts for driver none", "what keeps nothing has no options"
        )
    return {"Type": driver, "Config": _pairs(given["log_opt"])}


def _storage(given: Given) -> dict[str, str]:
    if any("=" not in each for each in given["storage_opt"]):
        raise refused("invalid storage option", "an option is NAME=VALUE")
    if given["glass"] and given["watch"]:
        raise refused(
            "conflicting options: --glass and --watch",
            "with glass we are the file system, with watch the kernel is",
        )
    shown = {name: "on" for name in ("glass", "watch") if given[name]}
    origin = {"from": given["from"]} if given["from"] else {}
    return shown | _pairs(given["storage_opt"]) | origin


def _sysctls(given: Given) -> dict[str, str]:
    for each in given["sysctl"]:
        if "=" not in each:
            raise invalid(
                each, "--sysctl", f"sysctl '{each}' is not allowed",
                why="a setting is NAME=VALUE",
                try_next="minidock run --sysctl kernel.msgmax=65536 busybox true",
            )  # fmt: skip
    return _pairs(given["sysctl"])


# ── Names and addresses ───────────────────────────────────────────────────────────────────


def _addresses(given: Given) -> list[str]:
    for each in given["dns"]:
        if not re.fullmatch(r"[0-9a-fA-F:.]+", each):
            raise invalid(
                each, "--dns", f"IP address is not correctly formatted: {each}",
                why="a resolver is known by its address",
                try_next="minidock run --dns 9.9.9.9 busybox true",
            )  # fmt: skip
    return list(given["dns"])


def _domain(typed: str) -> str:
    bare = typed.rstrip(".") if typed != "." else typed
    if typed != "." and not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", bare):
        raise invalid(
            typed, "--dns-search", f"{typed} is not a valid domain",
            why="a domain is names with dots between them",
            try_next="minidock run --dns-search example.org busybox true",
        )  # fmt: skip
    return bare


def _host(typed: str) -> str:
    """Read NAME:ADDRESS or NAME=ADDRESS."""
    name, sign, address = typed.partition("=" if "=" in typed else ":")
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    if not sign or not name:
        fault = f'bad format for add-host: "{typed}"'
    elif bare == "host-gateway" or re.fullmatch(r"[0-9a-fA-F:.]*[:.][0-9a-fA-F:.]*", bare):
        return f"{name}:{bare}"
    else:
        fault = f'invalid IP address in add-host: "{address}"'
    raise invalid(
        typed, "--add-host", fault,
        why="a name that is known inside has an address: NAME:ADDRESS",
        try_next="minidock run --add-host db:10.0.0.2 busybox true",
    )  # fmt: skip


def _security(typed: str) -> str:
    """Read one --security-opt; a seccomp profile travels as its text.

    Source: docker/cli, opts.go, parseSecurityOpts().
    """
    name, separator, value = typed.partition("=" if "=" in typed else ":")
    if not separator and name != "no-new-privileges":
        raise refused(
            f'Invalid --security-opt: "{typed}"',
            "it is no-new-privileges, or NAME=VALUE",
            "minidock run --security-opt no-new-privileges busybox true",
        )
    if name != "seccomp" or value in ("unconfined", "builtin"):
        return typed
    return "seccomp=" + _profile(value)


def _profile(name: str) -> str:
    try:
        return json.dumps(json.loads(Path(name).read_bytes()), separators=(",", ":"))
    except OSError as refusal:
        fault = f"open {name}: {(refusal.strerror or 'input/output error').lower()}"
        raise refused(
            f"opening seccomp profile ({name}) failed: {fault}",
            "the profile is a file of this machine, or the word unconfined",
            "minidock run busybox true",
        ) from refusal
    except (ValueError, RecursionError) as damage:
        raise refused(
            f"compacting json for seccomp profile ({name}) failed: {damage}",
            "a seccomp profile is one JSON object",
            "minidock run --security-opt seccomp=builtin busybox true",
        ) from damage
