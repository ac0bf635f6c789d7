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

from pyminidock.container import netmode
from pyminidock.container.accounts import cgroup_of, check_accounts
from pyminidock.container.budget import discards, kept
from pyminidock.container.commandline import spell_run
from pyminidock.container.devices import DeviceNode, DeviceUnknown, named
from pyminidock.container.heritage import check_of, labels_of
from pyminidock.container.hindrances import hindrance_of
from pyminidock.container.limits import swap_of
from pyminidock.container.mountpoints import fault_in_memory, trees_in_memory
from pyminidock.container.security import Powers, decide_powers, parse_security, program_of
from pyminidock.container.spec import (
    ContainerSpec,
    CreateRequest,
    Hindrance,
    ImageConfig,
    Ulimit,
)
from pyminidock.container.users import (
    NOBODY,
    GroupUnknown,
    IdOutOfRange,
    User,
    UserUnknown,
    resolve_user,
)
from pyminidock.container.verify import verify
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
from pyminidock.grammar.binds import clean
from pyminidock.grammar.envfile import parse_variable
from pyminidock.grammar.environment import fill_up
from pyminidock.grammar.logoptions import JSON_FILE
from pyminidock.grammar.names import short_id
from pyminidock.grammar.tmpfs import TmpfsMount
from pyminidock.kernel.port import Machine

MASKED = ("/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
          "/sys/firmware", "/sys/devices/virtual/powercap")  # fmt: skip
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
SHM_BYTES = 64 << 20
UNGUARDED = "no cgroup here can keep a container from the host's devices"


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
    verify(request, machine)
    check_accounts(request, machine)
    argv = words_of(request, image)
    given = fill_up(
        (parse_variable(entry, {}) for entry in request.environment), image.environment
    )
    hostname = request.hostname or _hostname(request, machine, container_id)
    told: list[Event] = []  # until all is decided: a refused request tells nothing
    hindrance = hindrance_of(request, machine)
    try:
        user = resolve_user(
            request.user or image.user, request.group_add, files,
            correct=lambda user: spell_run(replace(request, user=user, group_add=())),
            emit=told.append,
        )  # fmt: skip
    except (UserUnknown, GroupUnknown, IdOutOfRange) as unknown:
        # Docker looks for users at the start, when somebody may have put them there.
        user = NOBODY
        hindrance = hindrance or Hindrance(
            unknown.what, unknown.status, unknown.why, unknown.try_next
        )
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
        masked_paths=_guarded(request, request.masked_paths, MASKED),
        readonly_paths=_guarded(request, request.readonly_paths, READONLY),
        ulimits=_rlimits(request.ulimits), memory_bytes=request.memory_bytes,
        memory_swap_bytes=swap_of(request), nano_cpus=request.nano_cpus,
        pids_limit=max(0, request.pids_limit), is_privileged=request.is_privileged,
        is_root_readonly=request.is_root_readonly, tmpfs=_trees(request),
        init=machine.init if request.is_behind_init else "",
        network_mode=_network_mode(request, machine),
        has_terminal=request.has_terminal, keeps_stdin=request.keeps_stdin,
        stdin_once=request.stdin_once, console_size=request.console_size,
        auto_remove=request.auto_remove,
        warnings=tuple(_warnings(request, powers, machine)),
        cgroup=_cgroup(request, directory, container_id) if machine.cgroups else "",
        labels=labels_of(request.labels, image.labels),
        restart_policy=request.restart_policy or "no",
        restart_retries=request.restart_retries,
        stop_signal=request.stop_signal or image.stop_signal,
        stop_timeout=request.stop_timeout,
        healthcheck=check_of(request.healthcheck, image.healthcheck),
        log_driver=request.log_driver or JSON_FILE,
        log_options=tuple(sorted(request.log_options)),
        domainname=request.domainname, oom_score=request.oom_score,
        shm_bytes=request.shm_bytes or SHM_BYTES, sysctls=tuple(sorted(request.sysctls)),
        resources=kept(request.resources, machine), worlds=request.worlds,
        devices=_devices(request, machine), hindrance=hindrance,
        is_glass=("glass", "on") in request.places.storage_options,
        watch=_watch(request, machine),
    )  # fmt: skip
    for event in (*told, *_decided(spec, powers)):
        emit(event)
    return spec


def _watch(request: CreateRequest, machine: Machine) -> str:
    """Name who sees the use of its files: fanotify, which is for real root alone."""
    asked = dict(request.places.storage_options).get("watch", "")
    best = "seccomp" if machine.is_single_user else "fanotify"
    return best if asked == "on" else asked


def _hostname(request: CreateRequest, machine: Machine, container_id: str) -> str:
    """Name it like the host if it shares the host's network, else by its own id."""
    is_shared = request.network_mode == "host" and machine.hostname
    return machine.hostname if is_shared else short_id(container_id)


def _network_mode(request: CreateRequest, machine: Machine) -> str:
    """Name its network; where nobody can lay a cable it is alone."""
    is_alone = request.reach.is_disabled or not netmode.is_wired(machine)
    return "none" if is_alone else netmode.network_of(request)


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


def _trees(request: CreateRequest) -> tuple[TmpfsMount, ...]:
    """Give the trees in memory; none if one of them hinders every start."""
    return () if fault_in_memory(request) else trees_in_memory(request)


def _guarded(
    request: CreateRequest, asked: tuple[str, ...] | None, default: tuple[str, ...]
) -> tuple[str, ...]:
    """Give the paths to be masked or made read-only; from the root, wherever it stands."""
    if asked is None:
        return () if request.is_privileged else default
    return tuple(clean(path) for path in asked)


def _cgroup(request: CreateRequest, directory: str, container_id: str) -> str:
    """Name its group: below the engine's, or below --cgroup-parent."""
    parent = request.resources.cgroup_parent
    if not parent:
        return cgroup_of(directory, container_id)
    return f"{clean(parent)}/{container_id}".lstrip("/")


def _devices(request: CreateRequest, machine: Machine) -> tuple[DeviceNode, ...]:
    """Find the devices; what is not there hinders the start and is told then."""
    try:
        return named(request.resources.devices, machine)
    except DeviceUnknown:
        return ()


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


# ── What is said about it ────────────────────────────────────────────────────────────────


def _warnings(request: CreateRequest, powers: Powers, machine: Machine) -> Iterator[str]:
    yield from netmode.warnings_of(request, machine)
    yield from discards(request, machine)
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
