"""The verbs of a plan: each call is a value, performed later and by someone else.

A plan is a tuple of calls in the order in which they happen.  Three pairs of hands share
one plan, and the plan itself says where it changes hands:

    engine      from the start            cgroups, the stacked root, networks (`netcalls`),
                                          rules and ports (`portcalls`)
    shim        from ForkShim on          the PID namespace of the child to come; for exec,
                                          cgroup and namespaces of the running container;
                                          and what another container shares
    child       from ForkInit on          everything else, up to Execute

Numbers in comments are the steps of the birth order (`docs/birth.md`).  Targets are paths
of the container, resolved beneath a handle on its root and never as host paths.  Host
paths are named so.  Source: man 2 unshare, mount, pivot_root, prctl, capset, seccomp.
"""

from dataclasses import dataclass

from pyminidock.kernel.netcalls import NetCall
from pyminidock.kernel.portcalls import SiftCall


@dataclass(frozen=True, slots=True)
class MakeCgroup:
    """Make the host directory `path`; for cgroup v1 one call per hierarchy (2).

    Undone by RemoveCgroup.  Source: man 7 cgroups.
    """

    path: str


@dataclass(frozen=True, slots=True)
class LimitCgroup:
    """Write `value` into `file` of the cgroup `path`.  Undone with the cgroup (2).

    `freezer.state` and `cgroup.freeze` stop all processes in it, or let them go on: the
    call returns when they do.  Source: cgroup-v1/freezer-subsystem.rst, cgroup-v2.rst.
    """

    path: str
    file: str
    value: str


@dataclass(frozen=True, slots=True)
class FilterDevices:
    """Let `program` (extended BPF) judge every device node in the v2 cgroup `path` (2).

    What it refuses can be neither made nor opened.  Undone with the cgroup.  Source: man 2
    bpf, BPF_PROG_TYPE_CGROUP_DEVICE.
    """

    path: str
    program: bytes


@dataclass(frozen=True, slots=True)
class RemoveCgroup:
    """Remove the cgroup directory `path`; processes still in it are killed first."""

    path: str


@dataclass(frozen=True, slots=True)
class PrepareOverlay:
    """Stack `lower` (topmost first, host paths), `upper` and `work` into a detached mount.

    Without `upper` the tree is read-only.  Nothing appears in any mount table yet; undone
    by closing the handle.  `flags` as for Mount; none as a rule.  With `glass`, a directory
    (host), they are not stacked by the kernel but by a process that tells of every lookup
    at a socket in there; with `watch` the kernel stacks them, and a process beside it tells
    at a socket in there which files are used; `is_told`: as a filter tells it.
    Source: man 2 fsopen, Documentation/filesystems/overlayfs (10).
    """

    lower: tuple[str, ...]
    upper: str
    work: str
    flags: tuple[str, ...] = ()
    glass: str = ""
    watch: str = ""
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class LogFile:
    """How a shim keeps the output of its program.

    The json-file log is `name` in the shim's directory and up to `most_files` files with
    it, each up to `most_bytes` large (0: any size); full ones are compressed if wanted.
    `attributes` is a JSON object that goes into every record; empty: none.
    """

    name: str
    most_bytes: int = 0
    most_files: int = 1
    attributes: str = ""
    compresses: bool = False


@dataclass(frozen=True, slots=True)
class ForkShim:
    """Fork the process that holds the container's streams and outlives the daemon (3).

    `directory` (host) receives shim.sock, shim.json, exit.json and the `log`, if there is
    to be one.  Undone by killing it: PID 1 dies with its shim.
    """

    directory: str
    has_terminal: bool
    keeps_stdin: bool
    log: LogFile | None = None


@dataclass(frozen=True, slots=True)
class EnterNamespace:
    """Leave the host's namespace of this kind for a new one (4, 5).

    `namespace` is mount, network, uts, ipc, cgroup, user or pid; pid takes effect at the
    next fork, so the shim does it.  Source: man 2 unshare.
    """

    namespace: str


@dataclass(frozen=True, slots=True)
class JoinNamespace:
    """Enter the namespace in which process `pid` lives.  Source: man 2 setns.

    For exec the container's own, for a birth that of another container, to share it.
    `start_time` (clock ticks after boot, field 22 of /proc/PID/stat) proves that the
    number was not given to another process meanwhile.
    """

    namespace: str
    pid: int
    start_time: int


@dataclass(frozen=True, slots=True)
class ForkInit:
    """Fork the process that will execute the program: PID 1 of a new PID namespace."""


@dataclass(frozen=True, slots=True)
class JoinCgroup:
    """Move the process itself into the cgroup `path` (host) (2)."""

    path: str


@dataclass(frozen=True, slots=True)
class RefuseTracers:
    """Clear the dumpable flag.  Source: man 2 PR_SET_DUMPABLE (6)."""


@dataclass(frozen=True, slots=True)
class DieWithParent:
    """Wait until the shim is the parent, then ask to die with it; PR_SET_PDEATHSIG (7)."""


@dataclass(frozen=True, slots=True)
class JoinKeyring:
    """Start an empty session keyring; a kernel without keys is no error (8)."""

    name: str


@dataclass(frozen=True, slots=True)
class SetPropagation:
    """Change how mounts at host path `target` spread: "slave" or "private" (9, 19)."""

    target: str
    propagation: str
    is_recursive: bool


@dataclass(frozen=True, slots=True)
class AttachRoot:
    """Hang the tree of PrepareOverlay at the host directory `target` (11)."""

    target: str


@dataclass(frozen=True, slots=True)
class MakeDirectory:
    """Make `path` and its missing parents inside the root, mode as given, owned by root."""

    path: str
    mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Mount:
    """Mount a new filesystem at `target`; missing directories are made (12).

    `flags` are names of mount(8): nosuid, nodev, noexec, ro, relatime, strictatime.
    `must_be_plain`: `target` has to be a real directory directly below the root (13).
    """

    filesystem: str
    source: str
    target: str
    flags: tuple[str, ...] = ()
    options: str = ""
    must_be_plain: bool = False


@dataclass(frozen=True, slots=True)
class Bind:
    """Show the host's `source` at `target`; a missing target is made in its likeness.

    `flags` as for Mount; with "ro", what is mounted below is read-only too, unless
    `is_flat_readonly`.  `below` is a path in the source that no link can lead out of.
    `propagation` says how later mounts spread: for "shared" a HoldTree came before, while
    the tree was the host's own.  `is_flat`: without what is mounted below the source.
    Source: man 2 open_tree, move_mount, mount_setattr.
    """

    source: str
    target: str
    flags: tuple[str, ...] = ()
    propagation: str = "private"  # private, slave, shared, with r: and what lies below
    is_flat: bool = False
    is_flat_readonly: bool = False
    below: str = ""


@dataclass(frozen=True, slots=True)
class HoldTree:
    """Take a copy of the host's mount at `source`, before the bond to the host is cut (9).

    Bind hangs it up: what is mounted below it later, here or there, is seen on both sides.
    Source: man 7 mount_namespaces.
    """

    source: str
    is_flat: bool = False


@dataclass(frozen=True, slots=True)
class BorrowTree:
    """Take a copy of the mount at `path` as process `pid` has it, of another container.

    Bind hangs it up under its `source`.  No link in `path` is followed; `start_time` as
    for JoinNamespace.  The usher does it.  Source: man 2 setns, open_tree.
    """

    pid: int
    start_time: int
    path: str

    @property
    def source(self) -> str:
        """Where the host finds the tree."""
        return f"/proc/{self.pid}/root{self.path}"


@dataclass(frozen=True, slots=True)
class MakeDevice:
    """Make a character (or block) device below the tmpfs on /dev and verify it (15)."""

    path: str
    major: int
    minor: int
    mode: int = 0o666
    uid: int = 0
    gid: int = 0
    is_block: bool = False


@dataclass(frozen=True, slots=True)
class MakeLink:
    """Make the symbolic link `path`, leading to `points_to` (15)."""

    path: str
    points_to: str


@dataclass(frozen=True, slots=True)
class OpenConsole:
    """Take a terminal from the container's devpts, bind it on /dev/console (16).

    Its master end goes to the shim; its other end becomes the standard streams.
    """

    rows: int = 0
    columns: int = 0


@dataclass(frozen=True, slots=True)
class RaiseLoopback:
    """Bring the device lo of the new network namespace up.  Source: man 7 netdevice."""


@dataclass(frozen=True, slots=True)
class PivotRoot:
    """Make the attached tree the root, drop the host's; man 2 pivot_root (18)."""


@dataclass(frozen=True, slots=True)
class ReopenStreams:
    """Replace host /dev/null on descriptors 0-2 by the container's, verified 1:3 (20)."""


@dataclass(frozen=True, slots=True)
class RemountReadonly:
    """Make the mount at `target` read-only, keeping its other flags (21)."""

    target: str


@dataclass(frozen=True, slots=True)
class MakeReadonly:
    """Bind `path` on itself, read-only; absent paths are passed over (22)."""

    path: str


@dataclass(frozen=True, slots=True)
class Mask:
    """Hide `path`: /dev/null over a file, an empty tmpfs over a directory (23)."""

    path: str


@dataclass(frozen=True, slots=True)
class SetHostname:
    """Name the new UTS namespace.  Source: man 2 sethostname (24)."""

    hostname: str


@dataclass(frozen=True, slots=True)
class WriteSysctl:
    """Write a namespaced kernel setting through a private procfs (17, 24)."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class SetUmask:
    """Choose the mode bits that new files lack (25)."""

    mask: int


@dataclass(frozen=True, slots=True)
class LimitResource:
    """Set an rlimit, -1 meaning unlimited; clamped where raising is refused (25).

    `resource` is the lower-case name without RLIMIT_.  Source: man 2 prlimit.
    """

    resource: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True)
class AdjustOomScore:
    """Write /proc/self/oom_score_adj; clamped where lowering is refused (25)."""

    score: int


@dataclass(frozen=True, slots=True)
class AnnounceReady:
    """Report that all is prepared: the last point where a gate may hold (26)."""


@dataclass(frozen=True, slots=True)
class CloseDescriptors:
    """Close everything above stderr but the report pipe, which closes on exec (28)."""


@dataclass(frozen=True, slots=True)
class ChangeDirectory:
    """Enter the working directory, with full and then with dropped powers (29, 32).

    `exec` refuses where the directory is missing; a start has made it before.
    """

    path: str


@dataclass(frozen=True, slots=True)
class DropBoundingSet:
    """Drop every capability but `kept` from the bounding set (30)."""

    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BecomeUser:
    """Take groups, gid, uid, in this order; the streams go to the new owner (31).

    `groups` holds at least `gid`; empty leaves them alone (one-uid user namespace).
    """

    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SetCapabilities:
    """Permitted and effective become `capabilities`; the rest is emptied (33)."""

    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForbidNewPrivileges:
    """Source: man 2 PR_SET_NO_NEW_PRIVS (34)."""


@dataclass(frozen=True, slots=True)
class InstallSeccomp:
    """Load a classic BPF program.  Without no_new_privs it must come before 30 (35).

    `is_told`: it refuses nothing, and whoever watches is told of the calls that it names.
    """

    program: bytes
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Execute:
    """Search argv[0] on the environment's PATH, in this root, and become it (37)."""

    argv: tuple[str, ...]
    environment: tuple[str, ...]


Call = (
    MakeCgroup | LimitCgroup | FilterDevices | RemoveCgroup | PrepareOverlay | ForkShim
    | EnterNamespace | JoinNamespace | ForkInit | JoinCgroup | RefuseTracers
    | DieWithParent | JoinKeyring | SetPropagation | AttachRoot | MakeDirectory | Mount
    | Bind | HoldTree | BorrowTree | MakeDevice | MakeLink | OpenConsole
    | RaiseLoopback | PivotRoot | ReopenStreams | RemountReadonly | MakeReadonly | Mask
    | SetHostname | WriteSysctl | SetUmask | LimitResource | AdjustOomScore
    | AnnounceReady | CloseDescriptors | ChangeDirectory | DropBoundingSet | BecomeUser
    | SetCapabilities | ForbidNewPrivileges | InstallSeccomp | Execute | NetCall
    | SiftCall
)  # fmt: skip

Plan = tuple[Call, ...]
