"""An answer of the engine, seen as the struct that Docker's own client makes of it.

JSON does not say what is a struct and what a map, nor what a null would have been, nor what
was left out because it is zero; a template that asks for `.State.Health` needs to know.  An
object is a struct but for the few names below.

Source: moby, api/types (types.go, container/config.go, container/hostconfig.go).
"""

from collections.abc import Mapping
from typing import Any

from pyminidock.grammar.gotemplate import NIL, Map, Struct
from pyminidock.grammar.gotemplate.values import NO_LIST, NO_MAP

_MAPS = frozenset(
    ("Annotations", "Attributes", "Data", "Details", "DriverOpts", "ExposedPorts",
     "Labels", "Networks", "Options", "PortBindings", "Ports", "StorageOpt", "Sysctls",
     "Tmpfs", "Volumes")
)  # fmt: skip
_OF_NO_TEXT = frozenset(("ExposedPorts", "Networks", "PortBindings", "Ports", "Volumes"))
_POINTERS = frozenset(
    ("Health", "Healthcheck", "IPAMConfig", "Init", "MemorySwappiness", "OomKillDisable",
     "PidsLimit", "SizeRootFs", "SizeRw", "StopTimeout")
)  # fmt: skip
_SPELT = {
    "ID": "Id", "APIVersion": "ApiVersion", "CPUShares": "CpuShares",
    "CPUPeriod": "CpuPeriod", "CPUQuota": "CpuQuota",
    "CPURealtimePeriod": "CpuRealtimePeriod", "CPURealtimeRuntime": "CpuRealtimeRuntime",
    "CPUCount": "CpuCount", "CPUPercent": "CpuPercent", "NanoCPUs": "NanoCpus",
    "DNS": "Dns", "DNSOptions": "DnsOptions", "DNSSearch": "DnsSearch",
    "CPUCfsPeriod": "CpuCfsPeriod", "CPUCfsQuota": "CpuCfsQuota",
}  # fmt: skip
_ZEROS: Mapping[str, Mapping[str, Any]] = {
    "": {"SizeRw": NIL, "SizeRootFs": NIL},
    "State": {"Health": NIL},
    "Config": {
        "ExposedPorts": NO_MAP, "Healthcheck": NIL, "ArgsEscaped": False,
        "NetworkDisabled": False, "MacAddress": "", "StopSignal": "", "StopTimeout": NIL,
        "Shell": NO_LIST,
    },
    "HostConfig": {
        "Annotations": NO_MAP, "Mounts": NO_LIST, "Tmpfs": NO_MAP, "StorageOpt": NO_MAP,
        "Sysctls": NO_MAP, "Init": NIL, "KernelMemory": 0,
    },
}  # fmt: skip
_ORDER: Mapping[str, tuple[str, ...]] = {
    "State": (
        "Status", "Running", "Paused", "Restarting", "OOMKilled", "Dead", "Pid", "ExitCode",
        "Error", "StartedAt", "FinishedAt", "Health",
    ),
    "Config": (
        "Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr",
        "ExposedPorts", "Tty", "OpenStdin", "StdinOnce", "Env", "Cmd", "Healthcheck",
        "ArgsEscaped", "Image", "Volumes", "WorkingDir", "Entrypoint", "NetworkDisabled",
        "MacAddress", "OnBuild", "Labels", "StopSignal", "StopTimeout", "Shell",
    ),
}  # fmt: skip
"""Where fields that JSON leaves out stand when the whole is printed."""
_EVENT = {
    "Status": "status", "ID": "id", "From": "from", "Scope": "scope", "Time": "time",
    "TimeNano": "timeNano",
}  # fmt: skip


def as_struct(told: Mapping[str, Any], name: str = "") -> Struct:
    """See an answer as a struct; `name` is the field that it was found in.

    >>> seen = as_struct({"Id": "1", "State": {"Pid": 7}, "Config": {"Cmd": None}})
    >>> seen.find("ID"), seen.find("State").find("Health"), seen.find("Config").find("Cmd")
    ('1', <nil>, [])
    """
    fields = {key: _seen(value, key, name) for key, value in told.items()}
    spelt = {ours: theirs for ours, theirs in _SPELT.items() if theirs in fields}
    return Struct(fields, spelt=spelt, zeros=_ZEROS.get(name), order=_ORDER.get(name, ()))


def as_event(told: Mapping[str, Any]) -> Struct:
    """See a line of `events` as Docker's Message."""
    seen = {name: _seen(value, name, "") for name, value in told.items()}
    actor = Struct({"ID": "", "Attributes": NO_MAP}, "events.Actor")
    zeros: dict[str, Any] = dict.fromkeys(("Type", "Action", *_EVENT), "")
    zeros |= {"Actor": actor, "Time": 0, "TimeNano": 0}
    return Struct(seen, "*events.Message", spelt=_EVENT, zeros=zeros)


def _seen(value: Any, name: str, parent: str) -> Any:
    is_map = name in _MAPS or (parent == "LogConfig" and name == "Config")
    match value:
        case None if name in _POINTERS:
            return NIL
        case None:
            return NO_MAP if is_map else NO_LIST
        case dict() if is_map:
            entries = {key: _seen(each, "", name) for key, each in value.items()}
            return Map(entries, NO_LIST if name in _OF_NO_TEXT else "")
        case dict():
            return as_struct(value, name)
        case list():
            return [_seen(each, "", name) for each in value]
    return value
