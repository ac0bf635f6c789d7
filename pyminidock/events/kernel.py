"""What happened to the machine: one event for each kernel call that was answered.

The order of this file is the order of a container's birth.  The classes from
`DescriptorsClosed` to `SeccompInstalled` are *planned*: they lie behind the point where
the newborn process may still report success, so their silence means they worked.
"""

from dataclasses import dataclass
from typing import ClassVar

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class Effect(Event):
    """Something was asked of the kernel, and this is what it answered."""

    evidence: ClassVar[str] = "acknowledged"


@dataclass(frozen=True, slots=True)
class CgroupCreated(Effect):
    """A directory was made in a cgroup hierarchy: an account for resources."""

    path: str


@dataclass(frozen=True, slots=True)
class CgroupLimited(Effect):
    """A number was written into a file of the cgroup: now it is a budget."""

    path: str
    file: str
    value: str


@dataclass(frozen=True, slots=True)
class DevicesFiltered(Effect):
    """A program judges each device node that is made or opened within the cgroup."""

    path: str
    instructions: int


@dataclass(frozen=True, slots=True)
class OverlayPrepared(Effect):
    """The layers were stacked into one tree that is mounted nowhere yet."""

    lower: tuple[str, ...]  # topmost first
    upper: str
    work: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShimForked(Effect):
    """The small process that will hold the container's streams exists."""

    pid: int


@dataclass(frozen=True, slots=True)
class NamespaceEntered(Effect):
    """The process left the host's `namespace`, for a new one or for another process's."""

    namespace: str  # pid, mount, network, uts, ipc, cgroup, user
    was_joined: bool = False
    of: int = 0  # the process whose namespace was joined, as the host numbers it


@dataclass(frozen=True, slots=True)
class InitForked(Effect):
    """The process that will become PID 1 exists; `pid` is its number on the host."""

    pid: int


@dataclass(frozen=True, slots=True)
class CgroupJoined(Effect):
    """The process lives within the budget of this cgroup from now on."""

    path: str


@dataclass(frozen=True, slots=True)
class TracersRefused(Effect):
    """The process became non-dumpable: nobody inside may trace it or open its files."""


@dataclass(frozen=True, slots=True)
class ParentDeathBound(Effect):
    """If the shim dies, the kernel kills the process."""


@dataclass(frozen=True, slots=True)
class KeyringJoined(Effect):
    """An empty session keyring took the place of the engine's, if the kernel has keys."""

    name: str
    has_keys: bool = True  # False: this kernel keeps none, so there is nothing to hide


@dataclass(frozen=True, slots=True)
class PropagationSet(Effect):
    """Mounts below `target` no longer travel to where they must not go."""

    target: str
    propagation: str  # slave, private
    is_recursive: bool


@dataclass(frozen=True, slots=True)
class RootAttached(Effect):
    """The stacked tree hangs at `target`, in the new mount namespace only."""

    target: str


@dataclass(frozen=True, slots=True)
class Mounted(Effect):
    """A filesystem was mounted inside the new root."""

    filesystem: str
    source: str
    target: str
    flags: tuple[str, ...] = ()
    options: str = ""


@dataclass(frozen=True, slots=True)
class BindMounted(Effect):
    """A file or directory of the host appeared inside the new root.

    `propagation` is how later mounts spread, where they do: slave or shared.
    """

    source: str
    target: str
    flags: tuple[str, ...] = ()
    propagation: str = ""


@dataclass(frozen=True, slots=True)
class TreeHeld(Effect):
    """A tree is held as the host or another container has it, before bonds are cut."""

    source: str


@dataclass(frozen=True, slots=True)
class DirectoryMade(Effect):
    """A directory exists inside the new root, made if it was missing."""

    path: str
    mode: int


@dataclass(frozen=True, slots=True)
class DeviceMade(Effect):
    """A device node was made inside the new root."""

    path: str
    major: int
    minor: int
    mode: int
    is_block: bool = False
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class LinkMade(Effect):
    """A symbolic link was made inside the new root."""

    path: str
    points_to: str


@dataclass(frozen=True, slots=True)
class ConsoleOpened(Effect):
    """A terminal of the container's own devpts became its console."""

    path: str


@dataclass(frozen=True, slots=True)
class RootPivoted(Effect):
    """The new root took the place of the host's, which is out of reach from here on."""

    root: str


@dataclass(frozen=True, slots=True)
class StreamsReopened(Effect):
    """/dev/null was opened again, inside: no descriptor leads to a host file any more."""


@dataclass(frozen=True, slots=True)
class RemountedReadonly(Effect):
    """A mount refuses writes from now on."""

    target: str


@dataclass(frozen=True, slots=True)
class PathMadeReadonly(Effect):
    """A path was bound on itself, read-only; absent paths are passed over."""

    path: str
    was_present: bool


@dataclass(frozen=True, slots=True)
class PathMasked(Effect):
    """A path shows nothing: /dev/null over a file, an empty tmpfs over a directory."""

    path: str
    by: str  # "null", "empty directory" or "absent"


@dataclass(frozen=True, slots=True)
class HostnameSet(Effect):
    """The container has a name of its own."""

    hostname: str


@dataclass(frozen=True, slots=True)
class SysctlWritten(Effect):
    """A kernel setting of the container's own namespaces was set."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class LoopbackRaised(Effect):
    """The only network device, lo, is up."""


@dataclass(frozen=True, slots=True)
class UmaskSet(Effect):
    """New files will lack these mode bits."""

    mask: int


@dataclass(frozen=True, slots=True)
class ResourceLimited(Effect):
    """An rlimit was set; `was_clamped`: the machine allowed less than was asked."""

    resource: str
    soft: int  # -1: unlimited
    hard: int
    was_clamped: bool = False


@dataclass(frozen=True, slots=True)
class OomScoreAdjusted(Effect):
    """The kernel knows how gladly to kill this process when memory runs out."""

    score: int
    was_refused: bool = False  # lowering it was not permitted: it is as it was


@dataclass(frozen=True, slots=True)
class BirthReady(Effect):
    """All that can be shown has been done; the last point where a gate may hold."""


@dataclass(frozen=True, slots=True)
class PlannedEffect(Event):
    """In the plan, after the last report: a failure would have been heard."""

    evidence: ClassVar[str] = "planned"


@dataclass(frozen=True, slots=True)
class DescriptorsClosed(PlannedEffect):
    """Everything above stderr was closed: no handle on the host survives."""


@dataclass(frozen=True, slots=True)
class WorkingDirectoryEntered(PlannedEffect):
    """The program will start in this directory."""

    path: str


@dataclass(frozen=True, slots=True)
class BoundingSetDropped(PlannedEffect):
    """No program, setuid ones included, can ever get more than these capabilities."""

    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserTaken(PlannedEffect):
    """Groups, then group, then user: the order in which the kernel allows it."""

    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CapabilitiesSet(PlannedEffect):
    """The process holds these capabilities, and passes none on by inheritance."""

    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewPrivilegesForbidden(PlannedEffect):
    """No program can gain privileges by being executed."""


@dataclass(frozen=True, slots=True)
class SeccompInstalled(PlannedEffect):
    """A filter of so many instructions judges every system call from here on."""

    instructions: int


@dataclass(frozen=True, slots=True)
class ProgramExecuted(Effect):
    """The close-on-exec socket ended, and the kernel says that a program took over."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProgramNotExecuted(Effect):
    """The program was found, but no program took over: the process ended instead.

    A missing interpreter is one cause, a filter that kills who executes is another.
    Docker calls such a container started, and so do we; it ends at once.
    """

    argv: tuple[str, ...]
    errno: int  # of execve(2); 0: the process was killed before it answered
    reason: str  # in the kernel's words


@dataclass(frozen=True, slots=True)
class CgroupRemoved(Effect):
    """The account was closed; its last process had left."""

    path: str
