"""How much power a container has: capabilities, the filter of system calls, their growth.

`--cap-add` and `--cap-drop` choose the bounding set.  `--security-opt` says

    no-new-privileges[=BOOL]    no program inside gains rights by being executed
    seccomp=unconfined          no filter
    seccomp=builtin             the default filter, as if nothing was said
    seccomp={"defaultAction"…   a profile; clients send its text, not its name

Docker also knows apparmor= and label=.  They ask for walls that we do not build, so they
are refused instead of accepted in silence, unless they ask for no wall.

Source: moby, daemon/daemon_unix.go, parseSecurityOpt().
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pyminidock.container.accounts import guards_devices
from pyminidock.container.commandline import spell_run
from pyminidock.container.seccomp import (
    Profile,
    ProfileRefused,
    compile_profile,
    default_profile,
    parse_profile,
)
from pyminidock.container.spec import CreateRequest
from pyminidock.errors import MinidockError
from pyminidock.grammar import capabilities
from pyminidock.kernel.port import Machine

_TRUE = ("1", "t", "T", "TRUE", "true", "True")  # as Go's strconv.ParseBool
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


@dataclass(frozen=True, slots=True)
class Security:
    """The decided walls; `seccomp` is "default", "unconfined" or "custom"."""

    no_new_privileges: bool
    seccomp: str
    profile: Profile | None  # none: no filter


class SecurityOptionRefused(MinidockError):
    """The option is unknown, or asks for a wall that this engine does not build."""

    status = 500  # Docker's own answer, odd as it is


def parse_security(
    options: Sequence[str], *, is_privileged: bool, without: str
) -> Security:
    """Decide the walls; `without` is the command line that works without these options.

    Raises SecurityOptionRefused, ProfileRefused.

    >>> parse_security(["no-new-privileges"], is_privileged=True, without="").seccomp
    'unconfined'
    >>> parse_security(["foo"], is_privileged=False, without="")
    Traceback (most recent call last):
    ...
    pyminidock.container.security.SecurityOptionRefused: invalid --security-opt 1: "foo"
    """
    no_new_privileges, asked = False, ""
    for option in options:
        separator = "=" if "=" in option else ":"
        key, given, value = option.partition(separator)
        if option == "no-new-privileges":
            no_new_privileges = True
        elif not given:
            raise _refusal(f'invalid --security-opt 1: "{option}"', without)
        elif key == "no-new-privileges" and value in (*_TRUE, *_FALSE):
            no_new_privileges = value in _TRUE
        elif key == "seccomp":
            asked = value
        elif (key, value) not in (("apparmor", "unconfined"), ("label", "disable")):
            shown = option if len(option) < 80 else f"{option[:79]}…"
            raise _refusal(f'invalid --security-opt 2: "{shown}"', without)
    name, profile = _filter(asked or ("unconfined" if is_privileged else ""), without)
    return Security(no_new_privileges, name, profile)


def _filter(asked: str, without: str) -> tuple[str, Profile | None]:
    match asked:
        case "unconfined":
            return "unconfined", None
        case "" | "builtin":
            return "default", default_profile()
        case _:
            try:
                return "custom", parse_profile(asked)
            except ProfileRefused as refusal:
                raise ProfileRefused(
                    refusal.what, why=refusal.why, try_next=without, lesson=refusal.lesson
                ) from refusal


def _refusal(what: str, without: str) -> SecurityOptionRefused:
    return SecurityOptionRefused(
        what,
        why="this engine knows no-new-privileges and seccomp; a wall that it cannot build "
        "is refused, so that nobody believes in it",
        try_next=without,
        lesson="isolation",
    )


@dataclass(frozen=True, slots=True)
class Powers:
    """The bounding set, and what is not in it although it would be elsewhere."""

    bounding: tuple[str, ...]
    lacking: tuple[str, ...] = ()  # the engine does not have them itself
    unguarded: tuple[str, ...] = ()  # nothing here would guard the host against them


def decide_powers(request: CreateRequest, machine: Machine) -> Powers:
    """Decide the bounding set.

    What was asked for by name is given or refused; of the rest, Docker's default set and
    ALL, whatever the engine itself lacks is left out and told, and so is CAP_MKNOD where
    nothing keeps a container from opening what it makes.  Raises CapabilityUnknown,
    CapabilityLacking.
    """
    try:
        wanted = capabilities.tweak(
            request.cap_add, request.cap_drop, request.is_privileged, machine.capabilities
        )
        named = capabilities.parse(request.cap_add)
        ours = capabilities.names_of(machine.capabilities)
        lacking = tuple(n for n in wanted if n not in ours and n not in named)
        granted = capabilities.grant(
            (name for name in wanted if name not in lacking),
            machine.capabilities,
            machine.last_capability,
        )
    except (capabilities.CapabilityUnknown, capabilities.CapabilityLacking) as refusal:
        raise type(refusal)(
            refusal.what,
            why=f"{refusal.why}; {refusal.try_next}",
            try_next=_without_powers(request),
            lesson=refusal.lesson,
        ) from refusal
    kept = without_unguarded(granted.names, request.is_privileged, machine)
    unguarded = tuple(name for name in granted.names if name not in kept)
    if refused := [name for name in unguarded if name in named]:
        raise capabilities.CapabilityLacking(
            f"{', '.join(refused)} is not given on this machine",
            why="a container could make a node of the host's disk and open it: no cgroup "
            "here keeps it from devices",
            try_next=_without_powers(request),
            lesson="isolation",
        )
    return Powers(kept, (*lacking, *granted.skipped), unguarded)


def _without_powers(request: CreateRequest) -> str:
    return spell_run(replace(request, cap_add=(), cap_drop=()))


def without_unguarded(
    names: Sequence[str], is_privileged: bool, machine: Machine
) -> tuple[str, ...]:
    """Leave CAP_MKNOD out where no cgroup guards devices; who is privileged keeps it."""
    if is_privileged or guards_devices(machine):
        return tuple(names)
    return tuple(name for name in names if name != "CAP_MKNOD")


def program_of(security: Security, bounding: Sequence[str], machine: Machine) -> bytes:
    """Compile the filter; empty where there is none."""
    if security.profile is None:
        return b""
    place = (frozenset(bounding), machine.arch, machine.kernel)
    if security.seccomp == "default":
        return _compiled_default(*place)
    return compile_profile(security.profile, *place)


@lru_cache(maxsize=64)
def _compiled_default(
    bounding: frozenset[str], arch: str, kernel: tuple[int, int]
) -> bytes:
    """Compile the filter that most containers get, once: it takes milliseconds."""
    return compile_profile(default_profile(), bounding, arch, kernel)
