"""The power of root, cut into 41 pieces.

A capability is one right that root has and others lack: to mount, to open raw sockets, to
change owners.  The kernel keeps them as bits of a mask, five masks per thread, and prints
them in /proc/PID/status.  A container's root gets fourteen of them; what it never gets back
is the bounding set.

                     CAP_AUDIT_WRITE 29   CAP_SYS_CHROOT 18   CAP_CHOWN 0
                                  │                  │                │
    0x00000000a80425fb   …  1010 1000 0000 0100 0010 0101 1111 1011

People ask for changes with --cap-add and --cap-drop.  `parse` reads what they typed,
`tweak` decides the result, and `grant` compares it with what this machine can give.

Source: Linux, include/uapi/linux/capability.h; capabilities(7); moby, oci/caps/utils.go and
oci/caps/defaults.go; masks read from /proc/1/status in containers of dockerd 26.1.5.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pyminidock.errors import MinidockError

# In the order of their bits: CAP_CHOWN is bit 0, CAP_CHECKPOINT_RESTORE bit 40.
NAMES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)
BITS = {name: bit for bit, name in enumerate(NAMES)}

# In Docker's order, which is also the order of the lesson.
DEFAULT = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
)
ALL = "ALL"
ALL_MASK = (1 << len(NAMES)) - 1


class CapabilityUnknown(MinidockError):
    """--cap-add or --cap-drop names something that is no capability."""

    status = 400


class CapabilityLacking(MinidockError):
    """The one who would start the container does not have this capability to give."""

    status = 400


@dataclass(frozen=True, slots=True)
class Grant:
    """What can be given here; `skipped` are names that this kernel has never heard of."""

    names: tuple[str, ...]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sets:
    """The five masks of a thread, in the order of /proc/PID/status."""

    inheritable: int
    permitted: int
    effective: int
    bounding: int
    ambient: int


def parse(names: Iterable[str], *, option: str = "CapAdd") -> tuple[str, ...]:
    """Read what was typed: any case, `CAP_` optional, `ALL` stays.

    `option` is Docker's name of the field, for the message.  Raises CapabilityUnknown.

    >>> parse(["net_admin", "CAP_CHOWN", "all"])
    ('CAP_NET_ADMIN', 'CAP_CHOWN', 'ALL')
    >>> parse(["nope"])
    Traceback (most recent call last):
    ...
    pyminidock.grammar.capabilities.CapabilityUnknown: invalid CapAdd: unknown \
capability: "CAP_NOPE"
    """
    read = []
    for typed in names:
        upper = typed.upper()
        name = upper if upper == ALL or upper.startswith("CAP_") else f"CAP_{upper}"
        if name not in BITS and name != ALL:
            raise CapabilityUnknown(
                f'invalid {option}: unknown capability: "{name}"',
                why=f"Linux has {len(NAMES)} capabilities, from CAP_CHOWN to {NAMES[-1]}",
                try_next=_suggestion(name),
                lesson="isolation",
            )
        read.append(name)
    return tuple(dict.fromkeys(read))


def _suggestion(name: str) -> str:
    """Offer the names that share most words with `name`."""
    words = set(name.split("_")) - {"CAP", ""}
    close = [known for known in NAMES if words & set(known.split("_"))]
    return "use one of " + ", ".join(close or DEFAULT)


def tweak(
    added: Iterable[str], dropped: Iterable[str], privileged: bool, available_mask: int
) -> tuple[str, ...]:
    """Decide which capabilities a container asks for.

    Privileged means all that `available_mask` has.  `ALL` added means the same minus what
    is dropped; `ALL` dropped leaves exactly what is added; otherwise the default set loses
    the dropped ones, then gains the added ones, so a name in both is present.
    Raises CapabilityUnknown.  Source: moby, oci/caps/utils.go, TweakCapabilities().

    >>> f"{mask_of(tweak([], [], False, ALL_MASK)):016x}"
    '00000000a80425fb'
    >>> tweak(["chown"], ["all"], False, ALL_MASK)
    ('CAP_CHOWN',)
    """
    add, drop = parse(added, option="CapAdd"), parse(dropped, option="CapDrop")
    if privileged:
        return names_of(available_mask)
    if ALL in add:
        return tuple(name for name in names_of(available_mask) if name not in drop)
    if ALL in drop:
        return add
    kept = (name for name in DEFAULT if name not in drop)
    return tuple(dict.fromkeys((*kept, *add)))


def grant(wanted: Iterable[str], available_mask: int, last_cap: int) -> Grant:
    """Keep what this machine can give of `wanted`.

    `available_mask` is the bounding set of the one who starts the container, `last_cap` the
    number in /proc/sys/kernel/cap_last_cap.  A capability above it does not exist in this
    kernel, so nothing is lost by skipping it; one that exists but is not ours is a refusal.
    Raises CapabilityLacking.

    >>> grant(["CAP_CHOWN", "CAP_BPF"], 0b1, last_cap=37)
    Grant(names=('CAP_CHOWN',), skipped=('CAP_BPF',))
    """
    asked = tuple(wanted)
    skipped = tuple(name for name in asked if BITS[name] > last_cap)
    names = tuple(name for name in asked if name not in skipped)
    lacking = [name for name in names if not available_mask >> BITS[name] & 1]
    if lacking:
        short = [name.removeprefix("CAP_") for name in lacking]
        raise CapabilityLacking(
            f"this machine's root lacks {', '.join(lacking)}",
            why="a process can only hand on capabilities of its own bounding set",
            try_next=" ".join(f"--cap-drop {name}" for name in short),
            lesson="isolation",
        )
    return Grant(names, skipped)


def mask_of(names: Iterable[str]) -> int:
    """Give the mask with the bits of `names` set.

    >>> mask_of(["CAP_CHOWN", "CAP_SYS_ADMIN"])
    2097153
    """
    return sum(1 << BITS[name] for name in set(names))


def names_of(mask: int) -> tuple[str, ...]:
    """Name the bits of `mask`, lowest first; bits without a name are left out.

    >>> names_of(0b1001)
    ('CAP_CHOWN', 'CAP_FOWNER')
    """
    return tuple(name for name, bit in BITS.items() if mask >> bit & 1)


def sets_after_exec(names: Iterable[str], uid: int) -> Sets:
    """Foretell the masks of a container's first program, run by `uid`.

    execve gives root everything in the bounding set and anyone else nothing, because files
    in images seldom carry capabilities and Docker leaves the ambient set empty.
    Source: capabilities(7), "Transformation of capabilities during execve()".

    >>> sets_after_exec(["CAP_CHOWN"], uid=1000)
    Sets(inheritable=0, permitted=0, effective=0, bounding=1, ambient=0)
    """
    mask = mask_of(names)
    held = mask if uid == 0 else 0
    return Sets(0, held, held, mask, 0)
