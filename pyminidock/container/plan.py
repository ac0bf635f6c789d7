"""A decided container becomes a plan: every call of its birth, in the one right order.

The order is the safety.  Limits are written before there is anyone to limit; the host's
tree is cut off before anything is hung up; paths are masked when nothing can be mounted
over them any more; power is given up last, and in the sequence the kernel demands.

    engine   accounts and limits · the stacked root
    shim     a PID namespace for the child to come
    child    namespaces · mounts · devices · pivot · read-only and masked paths · rlimits
             ─── ready: the last point where a gate may hold ───
             descriptors · directory · bounding set · user · capabilities · filter · program

`exec` is the same tail behind doors that are already open.

Source: hardening B.2, whose step numbers stand on the right; runc,
libcontainer/standard_init_linux.go, for the order that can be seen from inside.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pyminidock.container.accounts import (
    account_calls,
    cgroup_of_engine,
    cgroup_paths,
    directory_of,
    root_flags,
)
from pyminidock.container.limits import changed_rows
from pyminidock.container.logfile import log_file
from pyminidock.container.mounts import (
    borrow_calls,
    device_calls,
    hold_calls,
    mount_calls,
)
from pyminidock.container.seccomp.watching import watching_program
from pyminidock.container.spec import ContainerSpec, ExecSpec
from pyminidock.errors import MinidockError
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.port import Machine, Process
from pyminidock.layers.snapshots import Snapshot

UMASK = 0o022


class FreezerMissing(MinidockError):
    """No switch of this machine stops all processes of a container at once."""


SYSCTLS = (
    # Both give what CAP_NET_RAW and CAP_NET_BIND_SERVICE were needed for.
    ("net.ipv4.ping_group_range", "0 2147483647"),
    ("net.ipv4.ip_unprivileged_port_start", "0"),
)


OWN_NETWORK: Plan = (calls.EnterNamespace("network"), calls.RaiseLoopback())
HOST_NETWORK: Plan = ()


def start_plan(  # noqa: PLR0913  (the last two say what leads to the world outside)
    spec: ContainerSpec, snapshot: Snapshot, machine: Machine, *, image_id: str = "",
    wiring: Plan = (), network: Plan = OWN_NETWORK,
    donors: Mapping[str, Process] = MappingProxyType({}),
) -> Plan:  # fmt: skip
    """Plan the birth of a container's first process.  Raises LoggingRefused.

    `wiring` is what the engine lays before anybody is born, `network` how the child enters
    it: JoinSandbox of what was wired, HOST_NETWORK, or OWN_NETWORK with nothing in it.
    `donors` are the processes of other containers whose namespaces it shares, by kind.
    """
    is_own = network != HOST_NETWORK and ":" not in spec.network_mode
    return (
        *account_calls(spec, machine),  # 2
        calls.PrepareOverlay(
            snapshot.lower,
            snapshot.upper,
            snapshot.work,
            root_flags(spec, machine),
            spec.directory if spec.is_glass else "",
            spec.directory if spec.watch else "",
            spec.watch == "seccomp",
        ),  # 10
        *wiring,
        calls.ForkShim(
            spec.directory, spec.has_terminal, spec.keeps_stdin, log_file(spec, image_id)
        ),  # 3
        *_door(spec, donors),  # 5
        calls.ForkInit(),
        *_enter(spec, machine, network),
        *_build_root(spec, snapshot, machine, donors.get("ipc")),
        *_close_root(spec, machine, has_network=is_own),
        *(calls.LimitResource(u.name, u.soft, u.hard) for u in spec.ulimits),  # 25
        calls.AdjustOomScore(spec.oom_score),
        calls.AnnounceReady(),  # 26
        *_tail(spec, spec, machine),
    )


def exec_plan(
    spec: ContainerSpec, process: Process, exec_spec: ExecSpec, machine: Machine
) -> Plan:
    """Plan a second process beside `process`, the first one of the container `spec`."""

    def join(namespace: str) -> Call:
        return calls.JoinNamespace(namespace, process.pid, process.start_time)

    terminal = (calls.OpenConsole(*exec_spec.console_size),)
    return (
        calls.ForkShim(
            exec_spec.directory, exec_spec.has_terminal, exec_spec.keeps_stdin
        ),
        # The account and every other door before the PID namespace: once the container's
        # processes can see this one, it has nothing of the host left to be taken.
        *(calls.JoinCgroup(path) for path in cgroup_paths(spec, machine.cgroups)),
        *(join(namespace) for namespace in _exec_namespaces(spec, machine)),
        calls.ForkInit(),
        calls.RefuseTracers(),
        calls.DieWithParent(),
        calls.JoinKeyring(f"_ses.{spec.id}"),
        *(terminal if exec_spec.has_terminal else ()),
        calls.ReopenStreams(),
        calls.SetUmask(UMASK),
        *(calls.LimitResource(u.name, u.soft, u.hard) for u in spec.ulimits),
        calls.AnnounceReady(),
        *_tail(exec_spec, spec, machine),
    )  # fmt: skip


def end_plan(spec: ContainerSpec, machine: Machine) -> Plan:
    """Plan what is left to do when the last process has gone: to close its accounts."""
    paths = cgroup_paths(spec, machine.cgroups)
    return tuple(calls.RemoveCgroup(path) for path in reversed(paths))


def freeze_plan(spec: ContainerSpec, machine: Machine) -> Plan:
    """Plan that all processes of a container stand still.  Raises FreezerMissing."""
    return (_freezer(spec, machine, "FROZEN", "1"),)


def thaw_plan(spec: ContainerSpec, machine: Machine) -> Plan:
    """Plan that they go on.  Raises FreezerMissing."""
    return (_freezer(spec, machine, "THAWED", "0"),)


def update_plan(before: ContainerSpec, after: ContainerSpec, machine: Machine) -> Plan:
    """Plan to change the limits of a container that runs."""
    tree = machine.cgroups
    if tree is None or not after.cgroup:
        return ()
    rows = (
        (directory_of(tree, controller), file, value)
        for controller, file, value in changed_rows(before, after, tree.version)
    )
    return tuple(
        calls.LimitCgroup(f"{directory}/{after.cgroup}", file, value)
        for directory, file, value in rows
        if directory
    )


def leave_plan(root: str, machine: Machine) -> Plan:
    """Plan the last deed of an engine whose `root` (host) holds no container any more.

    The group above its containers' was made with the first of them.
    """
    hierarchies = machine.cgroups.hierarchies if machine.cgroups else ()
    group = cgroup_of_engine(root)
    return tuple(
        calls.RemoveCgroup(f"{place}/{group}") for _, place in reversed(hierarchies)
    )


def _freezer(spec: ContainerSpec, machine: Machine, first: str, second: str) -> Call:
    """Find the switch; the two versions of cgroups have different words for its places."""
    tree = machine.cgroups
    if tree and spec.cgroup:
        for names, place in tree.hierarchies:
            if tree.version == 2:
                return calls.LimitCgroup(f"{place}/{spec.cgroup}", "cgroup.freeze", second)
            if "freezer" in names.split(","):
                return calls.LimitCgroup(f"{place}/{spec.cgroup}", "freezer.state", first)
    raise FreezerMissing(
        f"container {spec.id} cannot be paused here",
        why="processes are frozen by the cgroup controller freezer, which is missing",
        try_next="minidock doctor",
        lesson="limits",
    )


# ── From the fork to the ready report ────────────────────────────────────────────────────


def _door(spec: ContainerSpec, donors: Mapping[str, Process]) -> Iterator[Call]:
    """Say among whose processes the child is to be born: its own, as a rule."""
    if donor := donors.get("ipc"):
        yield calls.JoinNamespace("ipc", donor.pid, donor.start_time)
        yield from borrow_calls(donor)
    if donor := donors.get("pid"):
        yield calls.JoinNamespace("pid", donor.pid, donor.start_time)
    elif spec.worlds.pid != "host":
        yield calls.EnterNamespace("pid")


def _enter(spec: ContainerSpec, machine: Machine, network: Plan) -> Iterator[Call]:
    """Into the accounts first: a cgroup namespace shows the place where it was made."""
    for path in cgroup_paths(spec, machine.cgroups):
        yield calls.JoinCgroup(path)  # 2
    shared = [
        kind
        for kind in ("uts", "ipc")
        if getattr(spec.worlds, kind).startswith(("host", "container:"))
    ]
    yield calls.EnterNamespace("mount")  # 5
    yield from network[:1]
    for namespace in ("uts", "ipc"):
        if namespace not in shared:
            yield calls.EnterNamespace(namespace)
    if has_own_cgroups(spec, machine):
        yield calls.EnterNamespace("cgroup")
    yield calls.RefuseTracers()  # 6
    yield calls.DieWithParent()  # 7
    yield calls.JoinKeyring(f"_ses.{spec.id}")  # 8
    yield from network[1:]


def _build_root(
    spec: ContainerSpec, snapshot: Snapshot, machine: Machine, donor: Process | None
) -> Iterator[Call]:
    """Cut the host's tree off, hang up the container's, and change over."""
    yield from hold_calls(spec)
    yield calls.SetPropagation("/", "slave", is_recursive=True)  # 9
    yield calls.AttachRoot(snapshot.target)  # 11
    yield calls.SetPropagation(snapshot.target, "private", is_recursive=False)
    yield from mount_calls(spec, machine, donor)  # 12, 13
    yield from device_calls(spec, machine)  # 15
    if spec.has_terminal:
        yield calls.OpenConsole(*spec.console_size)  # 16
    yield calls.PivotRoot()  # 18


def _close_root(
    spec: ContainerSpec, machine: Machine, *, has_network: bool
) -> Iterator[Call]:
    """Make what must not change unchangeable, and hide what must not be seen.

    Settings are written before /proc/sys turns read-only.
    """
    if spec.working_directory != "/":
        yield calls.MakeDirectory(spec.working_directory)
    yield calls.ReopenStreams()  # 20
    if spec.is_root_readonly:
        yield calls.RemountReadonly("/")  # 21
    if spec.worlds.uts != "host":
        yield calls.SetHostname(spec.hostname)  # 24
    # Group 2147483647 means nothing where there is one group; the host's stay its own.
    settings = dict(SYSCTLS) if has_network and not machine.is_single_user else {}
    if spec.domainname:
        settings["kernel.domainname"] = spec.domainname
    for key, value in (settings | dict(spec.sysctls)).items():
        yield calls.WriteSysctl(key, value)
    for path in spec.readonly_paths:
        yield calls.MakeReadonly(path)  # 22
    for path in spec.masked_paths:
        yield calls.Mask(path)  # 23
    yield calls.SetUmask(UMASK)  # 25


def has_own_cgroups(spec: ContainerSpec, machine: Machine) -> bool:
    """Say whether it sees its own accounts as the top: on v1 only if it was asked for."""
    if machine.cgroups is None:
        return False
    asked = spec.worlds.cgroup or ("private" if machine.cgroups.version == 2 else "host")
    return asked == "private"


def _exec_namespaces(spec: ContainerSpec, machine: Machine) -> tuple[str, ...]:
    """Name the doors in the order of passing; the mounts late, they change all paths."""
    cgroup = ("cgroup",) if has_own_cgroups(spec, machine) else ()
    return (*cgroup, "ipc", "uts", "network", "mount", "pid")


# ── After the last report ────────────────────────────────────────────────────────────────


def _tail(
    who: ContainerSpec | ExecSpec, spec: ContainerSpec, machine: Machine
) -> Iterator[Call]:
    """Give up everything that the program of `who` shall not have, then become it.

    Loading a filter takes CAP_SYS_ADMIN or no_new_privs.  With the latter it goes last,
    where it judges the fewest of our own calls; without, it must go before the powers go.
    """
    program = spec.seccomp_program
    install = (calls.InstallSeccomp(program),) if program else ()  # 35
    if spec.watch == "seccomp":  # first: the profile may refuse a second filter
        told = calls.InstallSeccomp(watching_program(machine.arch), is_told=True)
        install = (told, *install)
    yield calls.CloseDescriptors()  # 28
    yield calls.ChangeDirectory(who.working_directory)  # 29, 32
    if not spec.no_new_privileges:
        yield from install
    yield calls.DropBoundingSet(who.bounding)  # 30
    yield calls.BecomeUser(who.uid, who.gid, who.groups)  # 31
    yield calls.SetCapabilities(who.capabilities)  # 33
    if spec.no_new_privileges:
        yield calls.ForbidNewPrivileges()  # 34
        yield from install
    yield calls.Execute(who.argv, who.environment)  # 37
