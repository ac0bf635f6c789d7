"""Docker's words for a container, and ours.

Into the engine: the create and exec bodies of API 1.45 become requests.  Fields that no
Docker knows are ignored; a field that Docker honours and we do not is refused as soon as it
asks for something, because a container that silently got less isolation, or another
restart policy, would be a lie.
Source: Docker Engine API v1.45, ContainerCreate, ContainerExec.
"""

from pyminidock.api.body import Fields
from pyminidock.api.failures import BadRequest, NotYet
from pyminidock.container.spec import CreateRequest, ExecRequest, Ulimit

_OF_CONFIG = "Healthcheck Labels MacAddress OnBuild Shell StopSignal StopTimeout Volumes"
_OF_HOST = """
Annotations Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps
BlkioDeviceWriteIOps BlkioWeight BlkioWeightDevice Cgroup CgroupParent CpuCount CpuPercent
CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpuShares CpusetCpus CpusetMems
DeviceCgroupRules DeviceRequests Devices Dns DnsOptions DnsSearch ExtraHosts
IOMaximumBandwidth IOMaximumIOps Isolation KernelMemory KernelMemoryTCP Links MaskedPaths
MemoryReservation MemorySwap Mounts OomKillDisable OomScoreAdj PidMode PortBindings
PublishAllPorts ReadonlyPaths StorageOpt Sysctls UTSMode UsernsMode VolumeDriver VolumesFrom
"""
_ALSO_DEFAULT: dict[str, tuple[object, ...]] = {
    "CgroupnsMode": ("host",),
    "IpcMode": ("private",),
    "LogConfig": ({"Type": "", "Config": {}}, {"Type": "json-file", "Config": {}}),
    "MemorySwappiness": (-1,),
    "RestartPolicy": (),
    "Runtime": ("runc",),
    "ShmSize": (64 << 20,),
}
"""Values that ask for what happens anyway; `docker run` sends some of them."""

_EMPTY_ASKS = ("MaskedPaths", "ReadonlyPaths")  # an empty list: hide and protect nothing


def create_request(body: Fields, name: str) -> CreateRequest:
    """Read the body of POST /containers/create.  Raises BadRequest, NotYet.

    >>> create_request(Fields({"Image": "busybox", "Cmd": ["true"]}), "n").command
    ('true',)
    """
    if not body.members:
        raise BadRequest(
            "config cannot be empty in order to create a container",
            why="the body names the image at least",
            try_next='{"Image": "busybox"}',
        )
    host = body.part("HostConfig")
    _refuse_restarts(host.part("RestartPolicy"), is_removed=host.flag("AutoRemove"))
    _refuse_what_would_be_ignored(body, _OF_CONFIG)
    _refuse_what_would_be_ignored(host, _OF_HOST)
    return CreateRequest(
        image=body.text("Image"),
        name=name,
        command=body.command("Cmd") or (),
        entrypoint=body.command("Entrypoint"),
        environment=body.texts("Env") or (),
        user=body.text("User"),
        group_add=host.texts("GroupAdd") or (),
        working_directory=body.text("WorkingDir"),
        hostname=body.text("Hostname"),
        has_terminal=body.flag("Tty"),
        keeps_stdin=body.flag("OpenStdin"),
        stdin_once=body.flag("StdinOnce"),
        console_size=_size(host),
        auto_remove=host.flag("AutoRemove"),
        memory_bytes=host.number("Memory"),
        nano_cpus=host.number("NanoCpus"),
        pids_limit=host.number("PidsLimit"),
        is_root_readonly=host.flag("ReadonlyRootfs"),
        tmpfs=tuple(host.mapping("Tmpfs").items()),
        cap_add=host.command("CapAdd") or (),
        cap_drop=host.command("CapDrop") or (),
        is_privileged=host.flag("Privileged"),
        uses_init=host.flag("Init"),
        ulimits=tuple(_ulimit(limit) for limit in host.parts("Ulimits")),
        security_options=host.texts("SecurityOpt") or (),
        network_mode=host.text("NetworkMode") or "default",
    )


def exec_request(body: Fields) -> ExecRequest:
    """Read the body of POST /containers/{id}/exec.  Raises BadRequest."""
    command = body.command("Cmd")
    if not command:
        raise BadRequest(
            "No exec command specified",
            why="a second process needs a program to run",
            try_next='{"Cmd": ["sh"]}',
        )
    return ExecRequest(
        command=command,
        environment=body.texts("Env") or (),
        user=body.text("User"),
        working_directory=body.text("WorkingDir"),
        has_terminal=body.flag("Tty"),
        keeps_stdin=body.flag("AttachStdin"),
        console_size=_size(body),
        is_privileged=body.flag("Privileged"),
    )


def _ulimit(limit: Fields) -> Ulimit:
    return Ulimit(limit.text("Name"), limit.number("Soft"), limit.number("Hard"))


def _size(fields: Fields) -> tuple[int, int]:
    """Read ConsoleSize: rows and columns, or nothing."""
    match fields.numbers("ConsoleSize"):
        case []:
            return (0, 0)
        case [rows, columns]:
            return (rows, columns)
        case _:
            raise BadRequest(
                f"invalid JSON: {fields.place}ConsoleSize must hold two numbers",
                why="a terminal has rows and columns",
                try_next='"ConsoleSize": [24, 80]',
            )


def _refuse_restarts(policy: Fields, *, is_removed: bool) -> None:
    if policy.text("Name") in ("", "no"):
        return
    if is_removed:
        raise BadRequest(
            "can't create 'AutoRemove' container with restart policy",
            why="what is removed at its end cannot be started again",
            try_next="leave out --rm or --restart",
        )
    raise _not_yet("HostConfig.RestartPolicy")


def _refuse_what_would_be_ignored(fields: Fields, names: str) -> None:
    """Refuse fields that Docker honours, if they ask for anything."""
    for name in [*names.split(), *_ALSO_DEFAULT]:
        value = fields.members.get(name)
        asks = bool(value) or (value is not None and name in _EMPTY_ASKS)
        if asks and name != "RestartPolicy" and value not in _ALSO_DEFAULT.get(name, ()):
            raise _not_yet(fields.place + name)


def _not_yet(place: str) -> NotYet:
    return NotYet(
        f"{place} is not supported yet",
        why="a container that silently got something else would be a lie",
        try_next=f"leave {place} out, or use Docker for this container",
    )
