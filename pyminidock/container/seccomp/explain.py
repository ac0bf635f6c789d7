"""What the filter denies, and why: the lesson table behind `minidock explain isolation`.

The themes are written here, in teaching order.  Whether a call is denied, with which
answer, and which capability would open it is not: that is asked of the profile itself, so
the table cannot say anything that the filter does not do.

Source: the man page of each call; Linux, Documentation/userspace-api/seccomp_filter.rst.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pyminidock.container.seccomp.profile import Action, Condition, Operator, Profile
from pyminidock.container.seccomp.syscalls import numbers
from pyminidock.container.seccomp.verdicts import PERMISSIVE, Clause, Verdicts, decide

ERRNO_NAMES = {1: "EPERM", 13: "EACCES", 38: "ENOSYS"}
SIGNS = {
    Operator.NE: "≠",
    Operator.LT: "<",
    Operator.LE: "≤",
    Operator.EQ: "=",
    Operator.GE: "≥",
    Operator.GT: ">",
}


@dataclass(frozen=True, slots=True)
class Theme:
    """Calls that are kept from containers for the same reason."""

    title: str
    why: str
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Denial:
    """One call that is denied, always or unless its arguments are harmless."""

    call: str
    answer: str  # EPERM, ENOSYS, killed …
    unless: str = ""  # the arguments that pass, in words; "" if none do
    opened_by: tuple[str, ...] = ()  # any one of these capabilities lets it pass


@dataclass(frozen=True, slots=True)
class Lesson:
    """A theme with what this very filter says about it."""

    title: str
    why: str
    denials: tuple[Denial, ...]


@dataclass(frozen=True, slots=True)
class Stricter:
    """A row in which our default filter denies what Docker's lets through."""

    name: str
    docker: str
    here: str
    why: str


THEMES = (
    Theme(
        "New namespaces",
        "who makes a user namespace is root inside it, and reaches kernel code that was "
        "written for the machine's root only",
        ("clone", "clone3", "setns", "unshare"),
    ),
    Theme(
        "Mounts",
        "a container's view of files is made of mounts; whoever may mount may take the "
        "masks off /proc and /sys too",
        (
            *("mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen"),
            *("fsconfig", "fsmount", "fspick", "mount_setattr", "statmount", "listmount"),
            *("chroot", "quotactl", "quotactl_fd"),
        ),
    ),
    Theme(
        "Sockets that no namespace confines",
        "AF_VSOCK reaches the hypervisor past every network namespace, AF_ALG a corner of "
        "the kernel with a long list of old faults",
        ("socket",),
    ),
    Theme(
        "Code for the kernel",
        "a module, a BPF program or another kernel has all rights, outside any container",
        (
            *("bpf", "create_module", "delete_module", "finit_module", "get_kernel_syms"),
            *("init_module", "kexec_file_load", "kexec_load", "query_module", "reboot"),
        ),
    ),
    Theme(
        "Wide and young interfaces",
        "each is a large piece of kernel code in which faults are still found; io_uring "
        "also does work that no filter of system calls can see",
        (
            *("io_uring_enter", "io_uring_register", "io_uring_setup", "lookup_dcookie"),
            *("perf_event_open", "uretprobe", "userfaultfd"),
        ),
    ),
    Theme(
        "Keyrings",
        "the kernel's key store has no namespace: keys of the same user number would be "
        "shared with the host and other containers",
        ("add_key", "keyctl", "request_key"),
    ),
    Theme(
        "Settings of the whole machine",
        "clock, swap, accounting, kernel log and consoles exist once for all",
        (
            *("acct", "clock_settime", "setdomainname", "sethostname", "settimeofday"),
            *("swapoff", "swapon", "syslog", "vhangup"),
        ),
    ),
    Theme(
        "Other processes",
        "reading or steering another process is safe only where the filter of the tracer "
        "cannot be used to slip past the filter of the traced",
        (
            *("kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv"),
            *("process_vm_writev", "ptrace"),
        ),
    ),
    Theme(
        "Files by another door",
        "a file handle opens a file by its number, past the permissions of every directory "
        "above it, on the host too",
        ("fanotify_init", "open_by_handle_at"),
    ),
    Theme(
        "Hardware and memory banks",
        "input and output ports and the place of pages concern everybody on the machine",
        (
            *("get_mempolicy", "ioperm", "iopl", "mbind", "migrate_pages", "move_pages"),
            *("set_mempolicy", "set_mempolicy_home_node"),
        ),
    ),
    Theme(
        "Old ways of executing",
        "flags of personality switch address randomisation off or make data executable",
        ("personality", "uselib"),
    ),
    Theme(
        "Old and empty",
        "nothing uses them today, so a call can only be a mistake or an attack",
        (
            *("_sysctl", "afs_syscall", "getpmsg", "nfsservctl", "putpmsg", "security"),
            *("sysfs", "tuxcall", "ustat", "vserver"),
        ),
    ),
)
REST = Theme(
    "Not on the list",
    "a profile is a list of what is allowed: what it does not name is denied, and what is "
    "newer than all it names looks as if the kernel did not have it",
    (),
)

STRICTER = (
    Stricter(
        "int-arguments",
        docker="compares 64 bits of an argument that the kernel takes as 32",
        here="compares the low word",
        why="the kernel drops the upper half: socket(2³²+40, …) opens a vsock",
    ),
    Stricter(
        "af-alg",
        docker="allows socket(AF_ALG, …)",
        here="EPERM",
        why="see “Sockets that no namespace confines”",
    ),
    Stricter(
        "i386-entry",
        docker="filters 32-bit x86 calls by a table of their own",
        here="the process is killed",
        why="the i386 table multiplexes sockets through memory, where no filter can look",
    ),
    Stricter(
        "x32-entry",
        docker="filters x32 calls by a table of their own",
        here="ENOSYS",
        why="a second set of numbers for every call, used by hardly any program",
    ),
)


def lesson(
    profile: Profile, capabilities: frozenset[str], arch: str, kernel: tuple[int, int]
) -> tuple[Lesson, ...]:
    """Say what `profile` denies a container with `capabilities`, theme by theme.

    Themes with nothing to say are left out.  Costs one reading of the profile for every
    capability that it mentions.  Raises ArchitectureUnknown.

    >>> from pyminidock.container.seccomp import default_profile
    >>> first, *_ = lesson(default_profile(), frozenset(), "x86_64", (6, 12))
    >>> print(first.title, first.denials[1].call, first.denials[1].answer)
    New namespaces clone3 ENOSYS
    >>> first.denials[0].unless
    'argument 0 & 0x7e020000 = 0x0'
    >>> first.denials[2]
    Denial(call='setns', answer='EPERM', unless='', opened_by=('CAP_SYS_ADMIN',))
    """
    here = decide(profile, capabilities, arch, kernel)
    mentioned = sorted({cap for rule in profile.rules for cap in rule.includes.caps})
    richer = {
        cap: decide(profile, capabilities | {cap}, arch, kernel)
        for cap in mentioned
        if cap not in capabilities
    }
    denials = {
        call: _denial(call, here.of(number), _openers(number, richer))
        for call, number in numbers(arch).items()
        if not _passes(here, number)
    }
    themed = {call for theme in THEMES for call in theme.calls}
    rest = tuple(call for call in sorted(denials) if call not in themed)
    return tuple(
        Lesson(theme.title, theme.why, tuple(denials[call] for call in calls))
        for theme, wanted in (*((theme, theme.calls) for theme in THEMES), (REST, rest))
        if (calls := [call for call in wanted if call in denials])
    )


def _passes(verdicts: Verdicts, number: int) -> bool:
    """Say whether the call passes whatever its arguments are."""
    return all(clause.action.name in PERMISSIVE for clause in verdicts.of(number))


def _openers(number: int, richer: dict[str, Verdicts]) -> tuple[str, ...]:
    return tuple(cap for cap, verdicts in richer.items() if _passes(verdicts, number))


def _denial(call: str, clauses: tuple[Clause, ...], opened_by: tuple[str, ...]) -> Denial:
    denied = next(c.action for c in reversed(clauses) if c.action.name not in PERMISSIVE)
    by_default = clauses[-1].action.name not in PERMISSIVE
    listed = (
        c for c in clauses if c.checks and (c.action.name in PERMISSIVE) is by_default
    )
    words = " or ".join(" and ".join(_words(clause)) for clause in listed)
    unless = words if by_default else f"anything but {words}"
    return Denial(call, _answer(denied), unless, opened_by)


def _answer(action: Action) -> str:
    if action.name == "SCMP_ACT_ERRNO":
        return ERRNO_NAMES.get(action.data, f"errno {action.data}")
    return "trapped" if action.name == "SCMP_ACT_TRAP" else "killed"


def _words(clause: Clause) -> Iterator[str]:
    for check in clause.checks:
        yield _comparison(check.condition)


def _comparison(condition: Condition) -> str:
    argument = f"argument {condition.index}"
    if condition.operator is Operator.MASKED_EQ:
        return f"{argument} & {condition.value:#x} = {condition.value_two:#x}"
    return f"{argument} {SIGNS[condition.operator]} {condition.value:#x}"
