"""Three values on the way to a process: what was asked, what was decided, what was added.

    CreateRequest ──┐
    ImageConfig ────┼─ resolve ─► ContainerSpec ─ plan ─► calls
    files, Machine ─┘
    ExecRequest ──────── resolve_exec ─► ExecSpec ─ exec_plan ─► calls

A request holds what people typed, in their words; a spec holds numbers and lists, and no
question is open in it.  A spec is kept as JSON in the container's config.json, so that the
next daemon, or the next version, finds what this one decided.  Names are Docker's.

Source: Docker Engine API v1.45, ContainerCreate; OCI runtime specification, config.md.
"""

import base64
import dataclasses
import functools
import operator
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pyminidock.container.asked import Places, Reach, Resources, Worlds
from pyminidock.container.devices import DeviceNode
from pyminidock.errors import MinidockError
from pyminidock.grammar.tmpfs import TmpfsMount
from pyminidock.grammar.ulimits import Ulimit
from pyminidock.image.config import Healthcheck, ImageConfig
from pyminidock.volume.points import MountPoint

__all__ = [
    "ContainerSpec",
    "CreateRequest",
    "ExecRequest",
    "ExecSpec",
    "Healthcheck",
    "ImageConfig",
    "RecordDamaged",
    "TmpfsMount",
    "Ulimit",
    "from_json",
    "to_json",
]


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """What somebody asked for; empty and 0 mean "not said" unless noted."""

    image: str
    name: str = ""
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None  # None: the image's; () or ("",): none
    environment: tuple[str, ...] = ()  # NAME=value, or NAME alone to remove it
    user: str = ""
    group_add: tuple[str, ...] = ()
    working_directory: str = ""
    hostname: str = ""
    has_terminal: bool = False
    keeps_stdin: bool = False
    stdin_once: bool = False
    console_size: tuple[int, int] = (0, 0)  # rows, columns
    auto_remove: bool = False
    memory_bytes: int = 0
    nano_cpus: int = 0  # billionths of a processor
    pids_limit: int = 0  # 0 and -1: unlimited
    is_root_readonly: bool = False
    tmpfs: tuple[tuple[str, str], ...] = ()  # (path, options as typed)
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    is_privileged: bool = False
    uses_init: bool = False
    ulimits: tuple[Ulimit, ...] = ()
    security_options: tuple[str, ...] = ()  # seccomp=JSON carries the profile's text
    network_mode: str = "default"
    labels: tuple[tuple[str, str], ...] = ()
    attaches: tuple[
        str, ...
    ] = ()  # of "stdin", "stdout", "stderr": what was asked to watch
    restart_policy: str = ""  # no, always, on-failure, unless-stopped
    restart_retries: int = 0  # at most, after a failure; 0: without end
    stop_signal: str = ""
    stop_timeout: int | None = None  # seconds; None: the engine's, -1: without end
    healthcheck: Healthcheck | None = None
    log_driver: str = ""
    log_options: tuple[tuple[str, str], ...] = ()
    domainname: str = ""
    on_build: tuple[str, ...] = ()
    shell: tuple[str, ...] = ()
    args_escaped: bool = False
    annotations: tuple[tuple[str, str], ...] = ()
    id_file: str = ""
    oom_score: int = 0  # added to the badness of its processes, -1000 to 1000
    shm_bytes: int = 0  # 0: 64 MiB
    sysctls: tuple[tuple[str, str], ...] = ()
    masked_paths: tuple[str, ...] | None = None  # None: the default ones
    readonly_paths: tuple[str, ...] | None = None
    resources: Resources = field(default_factory=Resources)
    worlds: Worlds = field(default_factory=Worlds)
    places: Places = field(default_factory=Places)
    reach: Reach = field(default_factory=Reach)
    platform: str = ""  # os/architecture[/variant] that the image must have
    given_empty: tuple[str, ...] = ()  # what was sent empty: inspect says [], not null

    @property
    def is_behind_init(self) -> bool:
        """Whether --init applies: among others' processes there is a first one already."""
        return self.uses_init and self.worlds.pid in ("", "private")


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why no start can succeed: Docker's sentence and status, and two of ours."""

    what: str
    status: int
    why: str = (
        "create keeps what was asked for; what no start can do is refused at the start"
    )
    try_next: str = "minidock ps --all"


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """Everything about a container, decided; host paths are named so."""

    id: str
    name: str
    image: str
    directory: str  # host: ROOT/containers/<id>
    hostname: str
    argv: tuple[str, ...]
    environment: tuple[str, ...]
    working_directory: str
    user: str  # as asked or as the image says
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    bounding: tuple[str, ...]  # capabilities no program inside can exceed
    capabilities: tuple[str, ...]  # permitted and effective; none unless uid is 0
    seccomp: str  # "default", "unconfined" or "custom"
    seccomp_program: bytes  # empty: no filter
    no_new_privileges: bool
    masked_paths: tuple[str, ...]
    readonly_paths: tuple[str, ...]
    ulimits: tuple[Ulimit, ...]  # all that the plan sets
    memory_bytes: int = 0
    memory_swap_bytes: int = 0  # memory and swap together
    nano_cpus: int = 0
    pids_limit: int = 0
    is_privileged: bool = False
    is_root_readonly: bool = False
    tmpfs: tuple[TmpfsMount, ...] = ()
    init: str = ""  # host path of the program behind --init; empty: none
    network_mode: str = "none"
    has_terminal: bool = False
    keeps_stdin: bool = False
    stdin_once: bool = False
    console_size: tuple[int, int] = (0, 0)  # rows, columns
    auto_remove: bool = False
    cgroup: str = ""  # below each hierarchy's directory; empty: none
    given_environment: tuple[str, ...] = ()  # asked for or the image's; exec builds on it
    warnings: tuple[str, ...] = ()  # one sentence each, shown at create
    labels: tuple[tuple[str, str], ...] = ()  # the request's over the image's, by name
    restart_policy: str = "no"  # no, always, on-failure, unless-stopped
    restart_retries: int = 0  # at most, after a failure; 0: without end
    stop_signal: str = ""  # as asked or as the image says; empty: SIGTERM
    stop_timeout: int | None = None  # seconds; None: the engine's, -1: without end
    healthcheck: Healthcheck | None = None  # the request's, filled up from the image's
    log_driver: str = "json-file"
    log_options: tuple[tuple[str, str], ...] = ()  # by name
    domainname: str = ""
    oom_score: int = 0
    shm_bytes: int = 64 << 20
    sysctls: tuple[tuple[str, str], ...] = ()  # by name
    resources: Resources = field(default_factory=Resources)  # less what is discarded here
    worlds: Worlds = field(default_factory=Worlds)
    devices: tuple[DeviceNode, ...] = ()
    hindrance: Hindrance | None = None  # why no start can succeed
    points: tuple[MountPoint, ...] = ()  # volumes and trees of the host, decided at create
    names_from: str = ""  # host: of the container whose files of /etc it shares
    link_variables: tuple[str, ...] = ()  # told by --link at the last start
    is_glass: bool = False  # its root is served by a process that tells of every lookup
    watch: str = ""  # who sees the use of its files: "fanotify", "seccomp" or nobody


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """A second process asked for in a running container; empty: as the container's."""

    command: tuple[str, ...]
    environment: tuple[str, ...] = ()
    user: str = ""
    working_directory: str = ""
    has_terminal: bool = False
    keeps_stdin: bool = False
    console_size: tuple[int, int] = (0, 0)
    is_privileged: bool = False
    shows_stdout: bool = True  # to the client that starts it
    shows_stderr: bool = True
    detach_keys: str = ""  # names of keys; empty: the usual ones


@dataclass(frozen=True, slots=True)
class ExecSpec:
    """The second process, decided."""

    id: str
    directory: str  # host: receives the shim's files
    argv: tuple[str, ...]
    environment: tuple[str, ...]
    working_directory: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    bounding: tuple[str, ...]
    capabilities: tuple[str, ...]
    has_terminal: bool = False
    keeps_stdin: bool = False
    console_size: tuple[int, int] = (0, 0)
    is_privileged: bool = False


class RecordDamaged(MinidockError):
    """A stored value does not fit the class it should become."""


Value = TypeVar("Value")


def to_json(value: Any) -> Any:
    """Turn a value of this module into what `json.dumps` takes; bytes become base64.

    >>> to_json(Ulimit("nofile", 1024, 2048))
    {'name': 'nofile', 'soft': 1024, 'hard': 2048}
    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is tuple:
        return [item if type(item) in _AS_THEY_ARE else to_json(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if fields := _fields_of(kind):
        each = zip(*fields(value), strict=True)
        return {n: v if type(v) in _AS_THEY_ARE else to_json(v) for n, v in each}
    return value


_AS_THEY_ARE = frozenset({str, int, bool, float, type(None)})


_Parts = tuple[tuple[str, ...], tuple[Any, ...]]


def _taking_apart(kind: Any) -> Callable[[Any], _Parts] | None:
    if not dataclasses.is_dataclass(kind):
        return None
    names = tuple(field.name for field in dataclasses.fields(kind))
    if len(names) == 1:  # for one name it gives no tuple
        return lambda value: (names, (getattr(value, names[0]),))
    values = operator.attrgetter(*names)
    return lambda value: (names, values(value))


_fields_of: Callable[[Any], Callable[[Any], _Parts] | None] = functools.cache(_taking_apart)
"""What takes a dataclass apart, into names and values; None for anything else."""


def from_json(kind: type[Value], data: object) -> Value:
    """Make a `kind` again; missing fields take their default, unknown ones are ignored.

    So an older record can be read by a newer version, and the other way round.
    Raises RecordDamaged.

    >>> from_json(Ulimit, {"name": "core", "soft": 0, "hard": 0, "since": "v9"})
    Ulimit(name='core', soft=0, hard=0)
    """
    try:
        return typing.cast("Value", _revive(kind, data))
    except (KeyError, TypeError, ValueError) as damage:
        raise RecordDamaged(
            f"the stored {kind.__name__} cannot be read: {damage}",
            why="a record must have the fields and types it was written with",
            try_next="minidock ps --all",
            lesson="state-on-disk",
        ) from damage


def _revive(kind: Any, data: Any) -> Any:
    """Read `data` as the annotation `kind` demands."""
    if dataclasses.is_dataclass(kind):
        if not isinstance(data, Mapping):
            raise TypeError(f"{data!r} is no object")
        hints = typing.get_type_hints(kind)
        given = {name: _revive(hints[name], data[name]) for name in hints if name in data}
        return typing.cast("Any", kind)(**given)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        if not isinstance(data, list | tuple):
            raise TypeError(f"{data!r} is no list")
        if inner[-1] is Ellipsis:
            return tuple(_revive(inner[0], item) for item in data)
        return tuple(_revive(part, item) for part, item in zip(inner, data, strict=True))
    if origin is types.UnionType:
        return None if data is None else _revive(inner[0], data)
    if kind is bytes:
        return base64.b64decode(data, validate=True)
    if type(data) is not kind:  # bool is an int to isinstance, but not to us
        raise TypeError(f"{data!r} is no {kind.__name__}")
    return data
