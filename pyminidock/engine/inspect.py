"""Everything about one container, in Docker's shape: what was asked, decided and happened.

    Id … ExecIDs       who it is, what it runs, how it is
    HostConfig         what was asked for, with Docker's defaults filled in
    GraphDriver        the trees that its root is stacked from
    Mounts             trees from elsewhere
    Config             what is the image's affair: words, variables, labels
    NetworkSettings    where it can be reached

Names and order of fields, what stands in for "never" and "none", and which empty lists are
null are Docker's: whoever reads the answer of a real dockerd can read these.

Source: Docker Engine API v1.45, ContainerInspect; moby, daemon/inspect.go; measured with
dockerd 26.1.5.
"""

from pathlib import Path

from pyminidock.container.fields import CONFIG, HEALTHCHECK
from pyminidock.container.health import unwatched
from pyminidock.container.logfile import log_path
from pyminidock.container.mountpoints import mount_rows
from pyminidock.container.netmode import mac_of
from pyminidock.container.spec import ContainerSpec, CreateRequest, ImageConfig
from pyminidock.container.states import ALIVE, State
from pyminidock.container.structs import written
from pyminidock.engine.document import Document, moment
from pyminidock.engine.endpoints import network_settings
from pyminidock.engine.hostconfig import host_config
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.grammar.binds import clean
from pyminidock.grammar.environment import fill_up
from pyminidock.layers.sizes import size_of_tree

_STAND_IN = "org.pyminidock.stand-in"


def inspect(house: House, reference: str, *, size: bool = False) -> Document:
    """Tell everything about one container.  Raises NoSuchContainer."""
    life = house.life(reference)
    kept = house.kept(life.id)
    spec, directory = kept.spec, kept.spec.directory
    path, *arguments = spec.argv[2:] if spec.init else spec.argv
    files = directory if kept.started else ""  # Docker writes them at the first start
    return {
        "Id": kept.id,
        "Created": moment(kept.created),
        "Path": path,
        "Args": arguments,
        "State": _state(kept, life),
        "Image": kept.image,
        "ResolvConfPath": files and f"{files}/resolv.conf",
        "HostnamePath": files and f"{files}/hostname",
        "HostsPath": files and f"{files}/hosts",
        "LogPath": log_path(spec) if files else "",
        "Name": f"/{kept.name}",
        "RestartCount": kept.restarts,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": [each.id for each in house.execs.unfinished(life.id)] or None,
        "HostConfig": host_config(house, kept),
        "GraphDriver": {
            "Data": {
                "LowerDir": ":".join(kept.snapshot.lower),
                "MergedDir": kept.snapshot.target,
                "UpperDir": kept.snapshot.upper,
                "WorkDir": kept.snapshot.work,
            },
            "Name": "overlay2",
        },
        **(sizes(house, kept) if size else {}),
        "Mounts": mounts(kept),
        "Config": _config(kept),
        "NetworkSettings": network_settings(kept, life),
    }


def exit_code(kept: Kept, life: Life) -> int:
    """Give the exit code of the last run, as far as there was one."""
    return life.exit.code if life.exit else kept.exit_code


def _state(kept: Kept, life: Life) -> Document:
    with life.changed:
        state, process, error = life.state, life.process, life.error
        oom = life.exit.was_out_of_memory if life.exit else kept.was_out_of_memory
        finished = (life.exit and life.exit.finished) or kept.finished
    is_there = state in (State.RUNNING, State.PAUSED)
    return {
        "Status": state.value,
        "Running": state in ALIVE,
        "Paused": state is State.PAUSED,
        "Restarting": state is State.RESTARTING,
        "OOMKilled": oom,
        "Dead": state is State.DEAD,
        "Pid": process.pid if is_there and process else 0,
        "ExitCode": 0 if is_there else exit_code(kept, life),
        "Error": error,
        "StartedAt": moment(kept.started),
        "FinishedAt": moment(finished),
        **_health(life),
    }


def _health(life: Life) -> Document:
    """Tell the health of a container that is asked for it."""
    health = life.health
    if health is None:
        return {}
    return {
        "Health": {
            "Status": health_status(life),
            "FailingStreak": health.failing_streak,
            "Log": [
                {
                    "Start": moment(result.start),
                    "End": moment(result.end),
                    "ExitCode": result.exit_code,
                    "Output": result.output,
                }
                for result in health.log
            ],
        }
    }


def health_status(life: Life) -> str:
    """Give "none", "starting", "healthy" or "unhealthy", which is what rests, too."""
    if life.health is None:
        return "none"
    is_asked = life.state is State.RUNNING
    return (life.health if is_asked else unwatched(life.health)).status


# ── Config ───────────────────────────────────────────────────────────────────────────────


def _config(kept: Kept) -> Document:
    """Tell what the request said, filled up from the image.

    Source: moby, daemon/commit.go, merge().
    """
    request, spec, image = kept.request, kept.spec, kept.defaults
    told = written(CONFIG, request, request.given_empty)
    told |= {
        "Hostname": spec.hostname,
        "User": spec.user,
        "Env": list(fill_up(request.environment, image.environment)) or None,
        "Cmd": _command(request, image),
        "Entrypoint": _entrypoint(request, image),
        "Image": request.image,
        "Volumes": _names(request.places.volumes, image.volumes) or None,
        "WorkingDir": _directory(request, image),
        "Labels": labels(kept),
    }
    told |= _endings(spec)
    if not mac_of(request):
        told.pop("MacAddress", None)
    if ports := _names(request.reach.exposed, image.exposed_ports):
        told["ExposedPorts"] = ports
    told |= {
        f"Attach{name.capitalize()}": name in request.attaches
        for name in ("stdin", "stdout", "stderr")
    }
    return {name: told[name] for name in _CONFIG_ORDER if name in told}


_CONFIG_ORDER = (
    "Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr",
    "ExposedPorts", "Tty", "OpenStdin", "StdinOnce", "Env", "Cmd", "Healthcheck",
    "ArgsEscaped", "Image", "Volumes", "WorkingDir", "Entrypoint", "NetworkDisabled",
    "MacAddress", "OnBuild", "Labels", "StopSignal", "StopTimeout", "Shell",
)  # fmt: skip


def _command(request: CreateRequest, image: ImageConfig) -> list[str] | None:
    words = request.command
    return list(words or (() if request.entrypoint else image.command)) or None


def _entrypoint(request: CreateRequest, image: ImageConfig) -> list[str] | None:
    if request.entrypoint is None:
        return list(image.entrypoint) or None
    return None if request.entrypoint == ("",) else list(request.entrypoint)


def _directory(request: CreateRequest, image: ImageConfig) -> str:
    asked = request.working_directory or image.working_directory
    return clean(asked) if asked else ""


def _names(asked: tuple[str, ...], image: tuple[str, ...]) -> Document:
    return {name: {} for name in sorted({*asked, *image})}


def labels(kept: Kept) -> Document:
    """Tell the labels, and whether the image stands in for another."""
    stand_in = {_STAND_IN: kept.stand_in} if kept.stand_in else {}
    return dict(kept.spec.labels) | stand_in


def _endings(spec: ContainerSpec) -> Document:
    """Tell how it is stopped and asked for its health, as far as somebody said."""
    said: Document = {}
    if spec.healthcheck:
        said["Healthcheck"] = written(HEALTHCHECK, spec.healthcheck)
    if spec.stop_signal:
        said["StopSignal"] = spec.stop_signal
    return said


# ── Sizes and mounts ─────────────────────────────────────────────────────────────────────


def sizes(house: House, kept: Kept) -> Document:
    """Tell how much it wrote, and how much its root holds, in bytes."""
    below = [house.store.layers.get(chain_id) for chain_id in kept.layers]
    image = sum(layer.size_bytes for layer in below if layer)
    written_bytes = size_of_tree(Path(kept.snapshot.upper))
    return {"SizeRw": written_bytes, "SizeRootFs": image + written_bytes}


def mounts(kept: Kept) -> list[Document]:
    """Tell each tree from elsewhere."""
    return mount_rows(kept.request, kept.spec.points)
