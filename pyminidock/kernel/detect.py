"""Which kernel is here, what it can do, and why not the better one.

`read_facts` looks at the machine and changes nothing but one throw-away mount that is
never attached; `judge` is pure: facts in, one row per capability out, each with its state,
the reason, what a user loses and how to unlock it.  `minidock doctor` prints the rows and
the engine refuses by the same sentences, so both always agree.
"""

from dataclasses import dataclass

from pyminidock.grammar.capabilities import NAMES
from pyminidock.kernel import lookingthrough
from pyminidock.kernel.port import Capability

YES, LIMITED, NO = "yes", "limited", "no"
OLDEST_KERNEL = (5, 12)  # mount_setattr; openat2, pidfd and close_range are older

_NAMESPACES = ("mount", "network", "uts", "ipc", "pid", "cgroup", "user")
_CONTROLLERS = ("memory", "cpu", "pids")
_SYS_ADMIN, _SYS_RESOURCE, _MKNOD = 21, 24, 27


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of the machine; every field is one look at one place."""

    system: str = "Linux"  # of uname
    kernel: tuple[int, int] = (0, 0)
    arch: str = ""
    uid: int = -1
    is_single_user: bool = False  # in a user namespace where only this uid exists
    capabilities: int = 0  # bounding and permitted mask of the engine itself
    last_capability: int = -1
    missing_calls: tuple[str, ...] = ()  # system calls that answer ENOSYS
    overlay_error: str = ""  # why a test overlay in the root directory failed; empty: fine
    root_directory: str = ""
    root_filesystem: str = ""
    namespaces: tuple[str, ...] = ()  # kinds this kernel offers
    user_namespaces: int = 0  # how many may exist
    user_namespace_bar: str = ""  # the setting that forbids unprivileged ones; empty: none
    cgroup_version: int = 0
    controllers: tuple[str, ...] = ()
    device_filter_error: str = ""  # v2: why a test program was refused; empty: it was not
    seccomp_actions: tuple[str, ...] = ()
    busybox: str = ""
    init: str = ""
    keyrings: bool = False
    rules_error: str = ""  # why nf_tables did not answer; empty: it did
    foreign_drops: tuple[str, ...] = ()  # others' chains that drop what passes through
    fanotify_error: str = ""  # why it would tell us nothing; empty: it would
    fuse_error: str = ""  # why /dev/fuse was not opened; empty: it was
    fuse_patience_s: int = 0  # how long the kernel waits for an answer; 0: for ever


def judge(facts: Facts) -> tuple[Capability, ...]:
    """Turn facts into the rows of `minidock doctor`; the first row is the backend."""
    return (
        _backend(facts),
        _kernel(facts),
        _powers(facts),
        _overlay(facts),
        _namespaces(facts),
        _user_namespaces(facts),
        _limits(facts),
        _raising_limits(facts),
        _seccomp(facts),
        _rules(facts),
        _devices(facts),
        lookingthrough.watch(facts.fanotify_error, facts.seccomp_actions),
        lookingthrough.glass(facts.fuse_error, facts.fuse_patience_s),
        _init(facts),
        _images(facts),
    )


def choose(facts: Facts) -> tuple[str, str]:  # noqa: PLR0911  (one line per reason)
    """Name the best backend for these facts and say why it is not a better one.

    >>> choose(Facts(system="Darwin"))
    ('simulated', 'containers are a feature of Linux, and this is Darwin')
    """
    if facts.system != "Linux":
        return "simulated", f"containers are a feature of Linux, and this is {facts.system}"
    if facts.kernel < OLDEST_KERNEL or facts.missing_calls:
        return "simulated", _kernel(facts).reason
    if facts.uid != 0:
        if facts.user_namespaces > 0 and not facts.user_namespace_bar:
            return "linux-rootless", f"uid {facts.uid}, made root of a user namespace"
        return (
            "simulated",
            f"namespaces take root, and uid {facts.uid} may not make its own",
        )
    if not facts.capabilities >> _SYS_ADMIN & 1:
        return "simulated", "this root lacks CAP_SYS_ADMIN: it lives in a container itself"
    if facts.overlay_error:
        return "simulated", f"overlay in {facts.root_directory}: {facts.overlay_error}"
    if facts.is_single_user:
        return "linux-rootless", "root of a user namespace with one uid"
    return "linux-root", "root on Linux, with every system call the engine needs"


def _backend(facts: Facts) -> Capability:
    name, why = choose(facts)
    if name == "linux-root":
        return Capability("backend", YES, f"{name}: {why}", "", "")
    if name == "linux-rootless":
        return Capability(
            "backend", LIMITED, f"{name}: {why}",
            "one uid in every container, no limits, no device nodes of their own",
            "sudo minidock doctor",
        )  # fmt: skip
    fix = "sudo minidock doctor" if facts.system == "Linux" and facts.uid else ""
    return Capability(
        "backend", LIMITED, f"{name}: {why}",
        "programs do not run, their effects are shown",
        fix or "use a Linux machine, or a virtual one, of version 5.12 or newer",
    )  # fmt: skip


def _kernel(facts: Facts) -> Capability:
    version = ".".join(map(str, facts.kernel))
    if facts.missing_calls or facts.kernel < OLDEST_KERNEL:
        lacking = ", ".join(facts.missing_calls) or "mount_setattr"
        return Capability(
            "kernel", NO, f"Linux {version} lacks {lacking}",
            "no container can be made safely", "boot Linux 5.12 or newer",
        )  # fmt: skip
    return Capability("kernel", YES, f"Linux {version} on {facts.arch}", "", "")


def _powers(facts: Facts) -> Capability:
    known = NAMES[: facts.last_capability + 1]
    lacking = [name for bit, name in enumerate(known) if not facts.capabilities >> bit & 1]
    if not facts.capabilities:
        return Capability(
            "capabilities", NO, f"uid {facts.uid} has none", "nothing can be isolated",
            "sudo minidock doctor",
        )  # fmt: skip
    if lacking:
        return Capability(
            "capabilities", LIMITED, "this machine's root lacks " + ", ".join(lacking),
            "--cap-add of these is refused; --privileged gives all the others",
            "start the virtual machine or outer container with these capabilities",
        )  # fmt: skip
    return Capability("capabilities", YES, "root has all that this kernel knows", "", "")


def _overlay(facts: Facts) -> Capability:
    place = f"{facts.root_directory} ({facts.root_filesystem})"
    if facts.overlay_error:
        return Capability(
            "overlay", NO, f"{place}: {facts.overlay_error}",
            "layers cannot be stacked here",
            "MINIDOCK_ROOT=/a/directory/on/ext4 minidock doctor",
        )  # fmt: skip
    return Capability("overlay", YES, f"layers are stacked in {place}", "", "")


def _namespaces(facts: Facts) -> Capability:
    lacking = [kind for kind in _NAMESPACES if kind not in facts.namespaces]
    if lacking:
        return Capability(
            "namespaces", NO, "this kernel has no " + ", ".join(lacking) + " namespace",
            "a container without one of them is refused", "boot a kernel built with them",
        )  # fmt: skip
    return Capability("namespaces", YES, ", ".join(_NAMESPACES), "", "")


def _user_namespaces(facts: Facts) -> Capability:
    if facts.user_namespaces <= 0:
        return Capability(
            "user namespaces", NO, "user.max_user_namespaces is 0",
            "nobody but root can have containers",
            "sudo sysctl user.max_user_namespaces=15000",
        )  # fmt: skip
    if facts.user_namespace_bar:
        key = facts.user_namespace_bar.partition("=")[0]
        wanted = "1" if key.endswith("_clone") else "0"
        return Capability(
            "user namespaces", LIMITED, f"{facts.user_namespace_bar} keeps them for root",
            "nobody but root can have containers", f"sudo sysctl {key}={wanted}",
        )  # fmt: skip
    return Capability("user namespaces", YES, "anybody may make one", "", "")


def _limits(facts: Facts) -> Capability:
    lacking = [name for name in _CONTROLLERS if name not in facts.controllers]
    version = f"cgroup v{facts.cgroup_version}"
    if not facts.cgroup_version or len(lacking) == len(_CONTROLLERS):
        return Capability(
            "limits", NO, "no cgroup tree can be written to",
            "--memory, --cpus and --pids-limit are refused",
            "mount -t cgroup2 none /sys/fs/cgroup, as root",
        )  # fmt: skip
    if lacking:
        return Capability(
            "limits", LIMITED, f"{version} without " + ", ".join(lacking),
            "flags that need them are refused",
            "boot with cgroup_no_v1=all, or enable the controllers",
        )  # fmt: skip
    return Capability("limits", YES, f"{version}: " + ", ".join(facts.controllers), "", "")


def _raising_limits(facts: Facts) -> Capability:
    if facts.capabilities >> _SYS_RESOURCE & 1:
        return Capability("raising rlimits", YES, "CAP_SYS_RESOURCE is here", "", "")
    return Capability(
        "raising rlimits", LIMITED, "this root lacks CAP_SYS_RESOURCE",
        "--ulimit above the engine's own hard limit is clamped, and the event says so",
        "raise the hard limit of the shell that starts the engine",
    )  # fmt: skip


def _seccomp(facts: Facts) -> Capability:
    lacking = [
        a for a in ("allow", "errno", "kill_process") if a not in facts.seccomp_actions
    ]
    if lacking:
        return Capability(
            "seccomp", NO, "this kernel cannot filter system calls",
            "containers are refused unless --security-opt seccomp=unconfined is given",
            "boot a kernel built with CONFIG_SECCOMP_FILTER",
        )  # fmt: skip
    return Capability("seccomp", YES, ", ".join(facts.seccomp_actions), "", "")


def _rules(facts: Facts) -> Capability:
    if facts.rules_error:
        return Capability(
            "packet rules", NO, f"nf_tables: {facts.rules_error}",
            "containers are refused unless --network none or host is given",
            "sudo modprobe nf_tables, or boot a kernel built with CONFIG_NF_TABLES_INET",
        )  # fmt: skip
    if facts.foreign_drops:
        chains = ", ".join(facts.foreign_drops)
        is_older = any("-legacy " in chain for chain in facts.foreign_drops)
        program = "iptables-legacy" if is_older else "iptables"
        return Capability(
            "packet rules", LIMITED,
            f"another program drops what passes through and it does not know: {chains}",
            "containers may not reach the world, nor other hosts their ports",
            f"sudo {program} -I FORWARD -i md+ -j ACCEPT; "
            f"sudo {program} -I FORWARD -o md+ -j ACCEPT",
        )  # fmt: skip
    return Capability("packet rules", YES, "nf_tables, in a table of our own", "", "")


def _devices(facts: Facts) -> Capability:
    reason, fix = _why_unguarded(facts)
    if reason and _needs_guard(facts):
        return Capability(
            "device nodes", LIMITED, reason,
            "no container but --privileged ones gets CAP_MKNOD, which could open the "
            "host's disks", fix,
        )  # fmt: skip
    if facts.capabilities >> _MKNOD & 1:
        return Capability("device nodes", YES, "made new for each container", "", "")
    return Capability(
        "device nodes", LIMITED, "this engine lacks CAP_MKNOD",
        "the host's own nodes are bound in", "run the engine as root",
    )  # fmt: skip


def _why_unguarded(facts: Facts) -> tuple[str, str]:
    """Say why no cgroup here can guard devices, and what helps; empty: one can."""
    mount = "mount -t cgroup -o devices none /sys/fs/cgroup/devices, as root"
    if facts.cgroup_version == 0:
        return "no cgroup tree can be written to, so none guards devices", mount
    if facts.cgroup_version == 1 and "devices" not in facts.controllers:
        return "cgroup v1 without devices: nothing guards those of the host", mount
    if facts.cgroup_version == 2 and facts.device_filter_error:
        return (
            f"the program that guards the host's devices: {facts.device_filter_error}",
            "give the engine CAP_SYS_ADMIN, on a kernel built with CONFIG_CGROUP_BPF",
        )
    return "", ""


def _needs_guard(facts: Facts) -> bool:
    """Tell whether containers could open a node that they make: not without real root."""
    return facts.uid == 0 and not facts.is_single_user


def _init(facts: Facts) -> Capability:
    if facts.init:
        return Capability("init for --init", YES, facts.init, "", "")
    return Capability(
        "init for --init", NO, "no static init (tini) was found on PATH",
        "--init is refused", "sudo apt-get install tini",
    )  # fmt: skip


def _images(facts: Facts) -> Capability:
    if facts.busybox:
        return Capability("busybox", YES, f"static, {facts.busybox}", "", "")
    return Capability(
        "busybox", LIMITED, "no static BusyBox on PATH",
        "minidock bootstrap busybox downloads the distribution's package",
        "sudo apt-get install busybox-static",
    )  # fmt: skip
