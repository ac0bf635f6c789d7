"""Plans written by hand, in the birth order: what the contract and the sweeps perform.

`Place` says where: directories of the host, and what this machine keeps its accounts in.
`birth` is a whole start with Docker's mounts; keyword arguments change one thing each, so
that a test can say which.  `joining` is an exec, `ending` what is removed afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pyminidock.grammar.capabilities import DEFAULT
from pyminidock.kernel.calls import (
    AdjustOomScore,
    AnnounceReady,
    AttachRoot,
    BecomeUser,
    Bind,
    BorrowTree,
    Call,
    ChangeDirectory,
    CloseDescriptors,
    DieWithParent,
    DropBoundingSet,
    EnterNamespace,
    Execute,
    FilterDevices,
    ForbidNewPrivileges,
    ForkInit,
    ForkShim,
    InstallSeccomp,
    JoinCgroup,
    JoinKeyring,
    JoinNamespace,
    LimitCgroup,
    LimitResource,
    LogFile,
    MakeCgroup,
    MakeDevice,
    MakeDirectory,
    MakeLink,
    MakeReadonly,
    Mask,
    Mount,
    OpenConsole,
    PivotRoot,
    Plan,
    PrepareOverlay,
    RaiseLoopback,
    RefuseTracers,
    RemountReadonly,
    RemoveCgroup,
    ReopenStreams,
    SetCapabilities,
    SetHostname,
    SetPropagation,
    SetUmask,
    WriteSysctl,
)
from pyminidock.kernel.netcalls import (
    FindSandbox,
    JoinSandbox,
    MakeBridge,
    MakeSandbox,
    OpenNames,
    Plug,
    RemoveLink,
    Route,
    Unplug,
)
from pyminidock.kernel.port import Machine, Process
from pyminidock.kernel.portcalls import BindPort, ReleasePort
from pyminidock.kernel.rules import (
    AddElements,
    Chain,
    Count,
    Decide,
    DropElements,
    Element,
    In,
    MakeTable,
    RemoveTable,
    Rule,
    Set,
    Table,
)

FOREVER = ("sleep", "1000")
SANDBOX = "c0ffee" * 10 + "abcd"
NETWORK = "100.64.64"  # of no provider: shared address space, RFC 6598
PATH = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",)
# One instruction, "return ALLOW": struct sock_filter {u16 code; u8 jt, jf; u32 k}.
ALLOW_ALL = bytes.fromhex("060000000000ff7f")
# "r0 = 1, exit": struct bpf_insn {u8 code; u8 dst:4, src:4; s16 off; s32 imm}.
ANY_DEVICE = bytes.fromhex("b400000001000000 9500000000000000")
DEVICES = {"null": 3, "random": 8, "full": 7, "zero": 5, "urandom": 9}
MASKED = ("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware")
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
SHM = "/dev/shm"  # noqa: S108  (a mount of the container's own)
_SHUT = ("nosuid", "nodev", "noexec")
MOUNTS: tuple[Call, ...] = (
    Mount("proc", "proc", "/proc", _SHUT, must_be_plain=True),
    Mount("tmpfs", "tmpfs", "/dev", ("nosuid", "strictatime"), "mode=755,size=65536k"),
    Mount("devpts", "devpts", "/dev/pts", ("nosuid", "noexec"),
          "newinstance,ptmxmode=0666,mode=0620,gid=5"),
    Mount("sysfs", "sysfs", "/sys", ("ro", *_SHUT), must_be_plain=True),
    Mount("mqueue", "mqueue", "/dev/mqueue", _SHUT),
    Mount("tmpfs", "shm", SHM, _SHUT, "mode=1777,size=67108864"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the host a container is born; the same words for every body."""

    machine: Machine
    lower: str
    upper: str
    work: str
    merged: str
    directory: str
    hosts: str  # a file to bind
    cgroup: str  # the name of its directory in each hierarchy

    @property
    def bridge(self) -> str:
        """A name for its bridge, which no other test has at the same time."""
        return f"mdc{self.cgroup.rpartition('-')[2]}"

    def cable(self, host: int) -> str:
        """The name of a cable's end on the host."""
        return f"mvc{self.cgroup.rpartition('-')[2][:7]}-{host}"

    def accounts(self, *controllers: str) -> tuple[str, ...]:
        """The cgroup's directories: in all hierarchies, or those of `controllers`."""
        tree = self.machine.cgroups
        return tuple(
            f"{top}/{self.cgroup}"
            for names, top in (tree.hierarchies if tree else ())
            if not controllers or {*names.split(",")} & {*controllers, ""}
        )

    def limits(self) -> Mapping[str, str]:
        """Limits that every machine with these controllers takes, by file."""
        if self.machine.cgroups and self.machine.cgroups.version == 1:
            return {"memory.limit_in_bytes": "67108864", "pids.max": "50"}
        return {"memory.max": "67108864", "pids.max": "50"}


def birth(  # noqa: PLR0913  (each parameter is one thing that a test may change)
    place: Place,
    *,
    argv: tuple[str, ...] = FOREVER,
    environment: tuple[str, ...] = PATH,
    kept: tuple[str, ...] = DEFAULT,
    uid: int = 0,
    gid: int = 0,
    groups: tuple[int, ...] = (0,),
    directory: str = "/",
    oom_score: int = 0,
    program: bytes = ALLOW_ALL,
    no_new_privileges: bool = False,
    has_terminal: bool = False,
    keeps_stdin: bool = False,
    is_readonly: bool = False,
    extra: tuple[Call, ...] = (),
    namespaces: tuple[str, ...] = ("mount", "network", "uts", "ipc"),
    wires: tuple[Call, ...] = (),
    holds: tuple[Call, ...] = (),
) -> Plan:
    """A start as Docker's default, with one thing or another changed.

    `extra` is performed after the pivot, before the report, and `wires` before the fork;
    with any, the child joins SANDBOX.  `holds` come while the host's tree is in reach.
    """
    filters = (InstallSeccomp(program),) if program else ()
    return (
        *accounts(place),
        PrepareOverlay((place.lower,), place.upper, place.work),
        *wires,
        ForkShim(place.directory, has_terminal, keeps_stdin, LogFile("container.log")),
        EnterNamespace("pid"),
        ForkInit(),
        *(JoinCgroup(path) for path in place.accounts()),
        *(
            JoinSandbox(SANDBOX) if wires and kind == "network" else EnterNamespace(kind)
            for kind in namespaces
        ),
        RefuseTracers(),
        DieWithParent(),
        JoinKeyring("_ses.contract"),
        *holds,
        *root(place, has_terminal=has_terminal),
        SetHostname("contract"),
        *((RemountReadonly("/"),) if is_readonly else ()),
        *(MakeReadonly(path) for path in READONLY),
        *(Mask(path) for path in MASKED),
        SetUmask(0o022),
        AdjustOomScore(oom_score),
        *extra,
        AnnounceReady(),
        CloseDescriptors(),
        ChangeDirectory(directory),
        *(() if no_new_privileges else filters),
        DropBoundingSet(kept),
        BecomeUser(uid, gid, groups),
        SetCapabilities(kept if uid == 0 else ()),
        *((ForbidNewPrivileges(), *filters) if no_new_privileges else ()),
        Execute(argv, environment),
    )


def bridging(place: Place) -> MakeBridge:
    """Make a bridge that bears the number of the test, on a network nobody else has."""
    return MakeBridge(place.bridge, "02:42:64:40:00:01", (f"{NETWORK}.1/24",), 1400, False)


def wiring(place: Place, host: int = 2, device: str = "eth0") -> Plan:
    """Make a sandbox and lay a cable into it."""
    return (
        MakeSandbox(SANDBOX),
        plug(place, host, device),
    )


def plug(place: Place, host: int = 2, device: str = "eth0") -> Plug:
    """A cable to the bridge of the test; `host` is the last number of its address."""
    return Plug(
        SANDBOX, place.bridge, place.cable(host), device, f"02:42:64:40:00:{host:02x}",
        (f"{NETWORK}.{host}/24",), f"{NETWORK}.1", "", 1400,
    )  # fmt: skip


def cabling(place: Place, process: Process) -> Plan:
    """Everything that can be done to the network of a container that runs."""
    return (
        FindSandbox(SANDBOX, process.pid, process.start_time),
        plug(place, 3, "eth1"),
        Route(SANDBOX, f"{NETWORK}.1", ""),
        Unplug(SANDBOX, "eth1", place.cable(3)),
    )


def sifting(place: Place) -> Plan:
    """Everything that can be done to rules and ports; nothing is left of it."""
    name, some = f"{place.bridge}_rules", (Element("names", ("mdtest0",)),)
    rule = Rule("for the test", (In(("iifname",), "names"), Count(), Decide("accept")))
    chain = Chain("chain", "filter", "input", 0, (rule,))
    return (
        MakeTable((Table("inet", name, (Set("names", ("ifname",)),), (chain,)),)),
        AddElements(name, some),
        BindPort("tcp", "127.0.0.1", 18999, f"{NETWORK}.2", 80),
        ReleasePort("tcp", "127.0.0.1", 18999),
        DropElements(name, some),
        RemoveTable(("inet",), name),
    )


def wiring_all(place: Place) -> Plan:
    """Everything that is laid before a birth: bridge, cable, names, rules, a port."""
    *moves, _, _, _ = sifting(place)
    return (bridging(place), *wiring(place), OpenNames(SANDBOX), *moves)


def unwiring(place: Place) -> Plan:
    """Take the bridge away, and all that is on it."""
    return (RemoveLink(place.bridge), RemoveLink(place.cable(2)))


def accounts(place: Place) -> Plan:
    """Make the cgroup in every hierarchy and write the limits."""
    return (
        *(MakeCgroup(path) for path in place.accounts()),
        *(
            LimitCgroup(path, file, value)
            for file, value in place.limits().items()
            for path in place.accounts(file.partition(".")[0])
        ),
    )


def filtering(place: Place, program: bytes = ANY_DEVICE) -> Plan:
    """Make the cgroup in every hierarchy and let a program judge the devices there."""
    return (
        *(MakeCgroup(path) for path in place.accounts()),
        *(FilterDevices(path, program) for path in place.accounts()),
    )


def root(place: Place, *, has_terminal: bool = False) -> Plan:
    """Build the container's tree and turn to it."""
    return (
        SetPropagation("/", "slave", is_recursive=True),
        AttachRoot(place.merged),
        *MOUNTS,
        Bind(place.hosts, "/etc/hosts"),
        *(MakeDevice(f"/dev/{name}", 1, minor) for name, minor in DEVICES.items()),
        MakeDevice("/dev/tty", 5, 0),
        MakeLink("/dev/fd", "/proc/self/fd"),
        MakeLink("/dev/ptmx", "pts/ptmx"),
        MakeDirectory("/srv/app", 0o755),
        *((OpenConsole(24, 80),) if has_terminal else ()),
        RaiseLoopback(),
        WriteSysctl("net.ipv4.ip_unprivileged_port_start", "0"),
        PivotRoot(),
        SetPropagation("/", "private", is_recursive=False),
        ReopenStreams(),
        LimitResource("nofile", 256, 512),
    )


def joining(
    place: Place, process: Process, directory: str, argv: tuple[str, ...] = FOREVER
) -> Plan:
    """An exec: the same tail, in the namespaces of a living process."""

    def join(kind: str) -> JoinNamespace:
        return JoinNamespace(kind, process.pid, process.start_time)

    return (
        ForkShim(directory, has_terminal=False, keeps_stdin=False),
        *(JoinCgroup(path) for path in place.accounts()),
        *(join(kind) for kind in ("ipc", "uts", "network", "mount", "pid")),
        ForkInit(),
        RefuseTracers(),
        DieWithParent(),
        ReopenStreams(),
        AnnounceReady(),
        CloseDescriptors(),
        ChangeDirectory("/"),
        InstallSeccomp(ALLOW_ALL),
        DropBoundingSet(DEFAULT),
        BecomeUser(0, 0, (0,)),
        SetCapabilities(DEFAULT),
        Execute(argv, PATH),
    )


def sharing(place: Place, donor: Process) -> Plan:
    """A birth among the processes of `donor`, with its queues and its shared memory.

    It lives in the accounts of the donor.
    """
    tree = BorrowTree(donor.pid, donor.start_time, SHM)
    doors = (
        JoinNamespace("ipc", donor.pid, donor.start_time), tree,
        JoinNamespace("pid", donor.pid, donor.start_time),
    )  # fmt: skip
    born: list[Call] = []
    for call in birth(place, namespaces=("mount", "network", "uts")):
        if call == EnterNamespace("pid"):
            born += doors
        elif isinstance(call, Mount) and call.target == SHM:
            born.append(Bind(tree.source, SHM))
        elif not isinstance(call, MakeCgroup | LimitCgroup):
            born.append(call)
    return tuple(born)


def ending(place: Place) -> Plan:
    """What is removed when a container has ended."""
    return tuple(RemoveCgroup(path) for path in place.accounts())
