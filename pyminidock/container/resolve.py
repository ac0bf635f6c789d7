"""A wish becomes numbers: request, image, root and machine make one ContainerSpec.

Every question that Docker answers somewhere between its client, its daemon and runc is
answered here, once, before anything happens.  Nothing is touched: the files of the root
came in as bytes, the machine as facts; the same input gives the same spec anywhere.

    words       what to run, with which variables, where
    users       names become numbers
    security    capabilities, seccomp, no_new_privileges
    limits      memory, processors, processes

Source: moby, daemon/create.go, daemon/commit.go, daemon/oci_linux.go; measured with dockerd
26.1.5.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pyminidock.container.commandline import spell_run
from pyminidock.container.limits import cgroup_of, check_limits
from pyminidock.container.security import Powers, decide_powers, parse_security, program_of
from pyminidock.container.spec import (
    ContainerSpec,
    CreateRequest,
    ImageConfig,
    Ulimit,
)
from pyminidock.container.users import User, resolve_user
from pyminidock.container.words import (
    RequestUnsuitable,
    behind_init,
    directory_of,
    refuse_nul,
    variables_of,
    words_of,
)
from pyminidock.events import Emit, Event, ShortfallFound, SpecResolved, ignore
from pyminidock.grammar import ulimits
from pyminidock.grammar.envfile import parse_variable
from pyminidock.grammar.environment import fill_up
from pyminidock.grammar.names import short_id
from pyminidock.grammar.tmpfs import TmpfsMount, parse_tmpfs
from pyminidock.kernel.port import Machine

MASKED = ("/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
          "/sys/firmware", "/sys/devices/virtual/powercap")  # fmt: skip
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
UNGUARDED = "no cgroup here can keep a container from the host's devices"
LOOPBACK_ONLY = "the container has the loopback device only: networks are not built yet"


def resolve(  # noqa: PLR0913  (four inputs, three names, one listener)
    request: CreateRequest,
    image: ImageConfig,
    files: Mapping[str, bytes],
    machine: Machine,
    *,
    container_id: str,
    name: str,
    directory: str,
    emit: Emit = ignore,
) -> ContainerSpec:
    """Decide everything about a container.

    `files` are etc/passwd and etc/group of the root as far as they exist; `directory`
    (host) is ROOT/containers/<id>.  Raises a MinidockError that names the corrected
    command; then nothing has been told or done.
    """
    refuse_nul(_texts(request), "minidock run busybox true")
    check_limits(request, machine)
    argv = words_of(request, image)
    given = fill_up(
        (parse_variable(entry, {}) for entry in request.environment), image.environment
    )
    hostname = request.hostname or short_id(container_id)
    told: list[Event] = []  # until all is decided: a refused request tells nothing
    user = resolve_user(
        request.user or image.user, request.group_add, files,
        correct=lambda user: spell_run(replace(request, user=user, group_add=())),
        emit=told.append,
    )  # fmt: skip
    groups = _groups_here(user, machine, request)
    asked = request.security_options
    security = parse_security(
        asked, is_privileged=request.is_privileged,
        without=spell_run(replace(request, security_options=())) if asked else "",
    )  # fmt: skip
    powers = decide_powers(request, machine)
    bounding = powers.bounding
    spec = ContainerSpec(
        id=container_id, name=name, image=request.image, directory=directory,
        hostname=hostname, argv=behind_init(argv, request, machine),
        environment=variables_of(
            hostname, given, user.home, has_terminal=request.has_terminal
        ),
        given_environment=given, working_directory=directory_of(request, image),
        user=request.user or image.user, uid=user.uid, gid=user.gid, groups=groups,
        home=user.home, bounding=bounding, capabilities=bounding if user.uid == 0 else (),
        seccomp=security.seccomp, seccomp_program=program_of(security, bounding, machine),
        no_new_privileges=security.no_new_privileges or machine.is_single_user,
        masked_paths=() if request.is_privileged else MASKED,
        readonly_paths=() if request.is_privileged else READONLY,
        ulimits=_rlimits(request.ulimits), memory_bytes=request.memory_bytes,
        memory_swap_bytes=2 * request.memory_bytes, nano_cpus=request.nano_cpus,
        pids_limit=max(0, request.pids_limit), is_privileged=request.is_privileged,
        is_root_readonly=request.is_root_readonly, tmpfs=_trees_in_memory(request),
        init=machine.init if request.uses_init else "", network_mode=_network(request),
        has_terminal=request.has_terminal, keeps_stdin=request.keeps_stdin,
        stdin_once=request.stdin_once, console_size=request.console_size,
        auto_remove=request.auto_remove, warnings=tuple(_warnings(request, powers)),
        cgroup=cgroup_of(directory, container_id) if machine.cgroups else "",
    )  # fmt: skip
    for event in (*told, *_decided(spec, powers)):
        emit(event)
    return spec


def _texts(request: CreateRequest) -> tuple[str, ...]:
    """Give all that will reach the kernel as text."""
    return (
        request.user, request.hostname, request.working_directory, *request.command,
        *(request.entrypoint or ()), *request.environment, *request.group_add,
    )  # fmt: skip


def _rlimits(asked: Sequence[Ulimit]) -> tuple[Ulimit, ...]:
    """No core files unless asked for: by the host's pattern they could land on the host.

    All others stay as the engine has them, unless asked for.  Source: hardening H.4.
    """
    limits = {"core": Ulimit("core", 0, 0)}
    limits |= {limit.name: ulimits.check(limit) for limit in asked}
    return tuple(limits.values())


def _trees_in_memory(request: CreateRequest) -> tuple[TmpfsMount, ...]:
    """Parse each --tmpfs; the last one for a place wins; shallow places come first."""
    mounts = {m.target: m for m in (parse_tmpfs(*typed) for typed in request.tmpfs)}
    return tuple(sorted(mounts.values(), key=lambda mount: mount.target.count("/")))


def _groups_here(user: User, machine: Machine, request: CreateRequest) -> tuple[int, ...]:
    """Give the groups that can be taken here: one user has one group."""
    if not machine.is_single_user:
        return user.groups
    if (user.uid, user.gid) != (0, 0) or request.group_add:
        raise RequestUnsuitable(
            f"this engine knows one user only and cannot become {user.uid}:{user.gid} "
            f"with groups {', '.join(map(str, user.groups))}",
            why="without root and without subordinate ids (/etc/subuid) a user namespace "
            "has a single uid, 0, which is you",
            try_next=spell_run(replace(request, user="0:0", group_add=())),
            lesson="users",
        )
    return ()  # setgroups(2) is forbidden there, and there is no group to add


def _network(request: CreateRequest) -> str:
    if request.network_mode in ("", "default", "none"):
        return "none"
    raise RequestUnsuitable(
        f"network mode {request.network_mode!r} is not built yet: only none is, which has "
        "the loopback device",
        why="what is not built is refused, never replaced in silence",
        try_next=spell_run(replace(request, network_mode="none")),
        lesson="networks",
    )


# ── What is said about it ────────────────────────────────────────────────────────────────


def _warnings(request: CreateRequest, powers: Powers) -> Iterator[str]:
    if request.network_mode != "none":
        yield LOOPBACK_ONLY
    if powers.lacking:
        yield f"this machine cannot give {', '.join(powers.lacking)}"
    if powers.unguarded:
        yield f"{', '.join(powers.unguarded)} is not given: {UNGUARDED}"


def _decided(spec: ContainerSpec, powers: Powers) -> Iterator[Event]:
    for names, why in (
        (powers.lacking, "the engine does not have them itself"),
        (powers.unguarded, UNGUARDED),
    ):
        if names:
            yield ShortfallFound("capabilities", ", ".join(names), "none of them", why)
    yield SpecResolved(
        spec.id, spec.argv, spec.environment, spec.working_directory, spec.uid, spec.gid,
        spec.groups, spec.capabilities, spec.seccomp, spec.is_privileged,
        spec.is_root_readonly, spec.has_terminal,
    )  # fmt: skip
