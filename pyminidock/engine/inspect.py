"""What is known of containers, in Docker's shape: one in full, all in a line each.

Names of fields, and what stands in for "never" and "none", are Docker's: whoever reads the
answer of a real dockerd can read these.

Source: Docker Engine API v1.45, ContainerInspect and ContainerList.
"""

import datetime
from typing import Any

from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.container.states import State
from pyminidock.engine import images
from pyminidock.engine.house import Exec, House, Kept
from pyminidock.engine.lives import Life
from pyminidock.errors import MinidockError

NEVER = "0001-01-01T00:00:00Z"
_STAND_IN = "org.pyminidock.stand-in"

Document = dict[str, Any]


def list_(house: House, *, everything: bool = False) -> list[Document]:
    """List the containers that run, or all of them, youngest first."""
    return [
        _line(house, house.kept(life.id), life, house.kernel.wall())
        for life in reversed(house.lives())
        if everything or life.state is State.RUNNING
    ]


def inspect(house: House, reference: str) -> Document:
    """Tell everything about one container.  Raises NoSuchContainer."""
    life = house.life(reference)
    kept = house.kept(life.id)
    spec, directory = kept.spec, kept.spec.directory
    return {
        "Id": kept.id,
        "Created": moment(kept.created),
        "Path": spec.argv[0],
        "Args": list(spec.argv[1:]),
        "State": _state(kept, life),
        "Image": kept.image,
        "ResolvConfPath": f"{directory}/resolv.conf",
        "HostnamePath": f"{directory}/hostname",
        "HostsPath": f"{directory}/hosts",
        "LogPath": f"{directory}/container.log",
        "Name": f"/{kept.name}",
        "RestartCount": 0,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": [each.id for each in _execs(house, life) if each.process] or None,
        "HostConfig": _host_config(kept.request, spec),
        "GraphDriver": {
            "Name": "overlay2",
            "Data": {
                "LowerDir": ":".join(kept.snapshot.lower),
                "UpperDir": kept.snapshot.upper,
                "WorkDir": kept.snapshot.work,
            },
        },
        "Mounts": [],
        "Config": _config(kept.request, spec, kept.stand_in),
        "NetworkSettings": {"Ports": {}, "Networks": {}},
    }


def moment(wall: float) -> str:
    """Write a time as Docker does; 0 is "never".

    >>> moment(0), moment(0.5)
    ('0001-01-01T00:00:00Z', '1970-01-01T00:00:00.500000Z')
    """
    if not wall:
        return NEVER
    when = datetime.datetime.fromtimestamp(wall, datetime.UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def exit_code(kept: Kept, life: Life) -> int:
    """Give the exit code of the last run, as far as there was one."""
    return life.exit.code if life.exit else kept.exit_code


def _execs(house: House, life: Life) -> list[Exec]:
    return [each for each in house.execs.values() if each.life is life]


def _state(kept: Kept, life: Life) -> Document:
    with life.changed:
        is_running = life.state is State.RUNNING
        process, error = life.process, life.error
        status = "removing" if life.busy == "remove" else life.state.value
        oom = life.exit.was_out_of_memory if life.exit else kept.was_out_of_memory
        finished = life.exit.finished if life.exit else kept.finished
    return {
        "Status": status,
        "Running": is_running,
        "Paused": False,
        "Restarting": False,
        "OOMKilled": oom,
        "Dead": False,
        "Pid": process.pid if is_running and process else 0,
        "ExitCode": 0 if is_running else exit_code(kept, life),
        "Error": error,
        "StartedAt": moment(kept.started),
        "FinishedAt": moment(finished),
    }


def _config(request: CreateRequest, spec: ContainerSpec, stand_in: str) -> Document:
    entrypoint = None if request.entrypoint is None else list(request.entrypoint)
    return {
        "Hostname": spec.hostname,
        "Domainname": "",
        "User": spec.user,
        "Tty": spec.has_terminal,
        "OpenStdin": spec.keeps_stdin,
        "StdinOnce": spec.stdin_once,
        "Env": list(spec.environment),
        "Cmd": list(request.command) or None,
        "Image": spec.image,
        "WorkingDir": spec.working_directory,
        "Entrypoint": entrypoint,
        "Labels": {_STAND_IN: stand_in} if stand_in else {},
    }


def _host_config(request: CreateRequest, spec: ContainerSpec) -> Document:
    return {
        "AutoRemove": spec.auto_remove,
        "CapAdd": list(request.cap_add) or None,
        "CapDrop": list(request.cap_drop) or None,
        "ConsoleSize": list(spec.console_size),
        "GroupAdd": list(request.group_add) or None,
        "Init": request.uses_init or None,
        "MaskedPaths": list(spec.masked_paths) or None,
        "Memory": spec.memory_bytes,
        "MemorySwap": spec.memory_swap_bytes,
        "NanoCpus": spec.nano_cpus,
        "NetworkMode": request.network_mode,
        "PidsLimit": spec.pids_limit or None,
        "Privileged": spec.is_privileged,
        "ReadonlyPaths": list(spec.readonly_paths) or None,
        "ReadonlyRootfs": spec.is_root_readonly,
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "SecurityOpt": list(request.security_options) or None,
        "Tmpfs": dict(request.tmpfs) or None,
        "Ulimits": [
            {"Name": limit.name, "Soft": limit.soft, "Hard": limit.hard}
            for limit in request.ulimits
        ]
        or None,
    }


def _image(house: House, kept: Kept) -> str:
    """Name the image as it was asked for, while that name still means the same one."""
    try:
        found = images.row_of(house, kept.spec.image)
    except MinidockError:
        return kept.image
    return kept.spec.image if found.id == kept.image else kept.image


def _line(house: House, kept: Kept, life: Life, now: float) -> Document:
    return {
        "Id": kept.id,
        "Names": [f"/{kept.name}"],
        "Image": _image(house, kept),
        "ImageID": kept.image,
        "Command": " ".join(kept.spec.argv),
        "Created": int(kept.created),
        "State": life.state.value,
        "Status": _status(kept, life, now),
        "Ports": [],
        "Labels": {_STAND_IN: kept.stand_in} if kept.stand_in else {},
        "HostConfig": {"NetworkMode": kept.request.network_mode},
        "NetworkSettings": {"Networks": {}},
        "Mounts": [],
    }


def _status(kept: Kept, life: Life, now: float) -> str:
    """Word a state for the table that people read."""
    if life.state is State.RUNNING:
        return f"Up {duration(now - kept.started)}"
    if life.state is State.CREATED:
        return "Created"
    finished = life.exit.finished if life.exit else kept.finished
    return f"Exited ({exit_code(kept, life)}) {duration(now - finished)} ago"


def duration(seconds: float) -> str:
    """Word a time span as Docker's tables do.

    Source: docker/go-units, HumanDuration().

    >>> [duration(s) for s in (0.2, 1, 59, 61, 150, 3600, 9000, 200_000, 9e6)]
    ['Less than a second', '1 second', '59 seconds', 'About a minute', '2 minutes', \
'About an hour', '2 hours', '2 days', '3 months']
    """
    whole = int(seconds)
    if whole < 60:
        words = "1 second" if whole == 1 else f"{whole} seconds"
        return words if whole > 0 else "Less than a second"
    if whole < 3600:
        return "About a minute" if whole < 120 else f"{whole // 60} minutes"
    hours = round(whole / 3600 - 1e-9) if whole % 3600 >= 1800 else whole // 3600
    if hours < 48:
        return "About an hour" if hours == 1 else f"{whole // 3600} hours"
    days = whole // 86_400
    if days < 14:
        return f"{days} days"
    if days < 60:
        return f"{days // 7} weeks"
    return f"{days // 30} months" if days < 730 else f"{days // 365} years"
