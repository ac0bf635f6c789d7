"""Calls as they travel to the child: a verb and plain numbers, nothing left to decide.

The child knows no dataclass and no name of a flag: both are turned into numbers here, by
the daemon.  `marshal` carries them, because it is built into the interpreter, knows bytes,
and both ends are the same interpreter on the same machine.

    request   4 bytes length, then marshal of {"calls": ((verb, arguments), ...), ...}
    report    28 bytes (index, errno, value, monotonic ns, detail length), then the detail
    go        1 byte for each call, in lockstep only
"""

import marshal
import struct
from collections.abc import Mapping
from functools import lru_cache

from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.linux.syscalls import CLONE_FLAGS, MOUNT_ATTR, MS_PRIVATE, MS_SLAVE

LONGEST_PLAN = 1 << 20  # bytes; `sh -c` lines and environments are far below

_PROPAGATION = {"slave": MS_SLAVE, "private": MS_PRIVATE}
_Word = int | bytes | str | bool | tuple[object, ...]


def request(
    plan: Plan, first: int, *, lockstep: bool, capabilities: Mapping[str, int],
    last_capability: int, fail_at: tuple[int, int] | None = None,
) -> bytes:  # fmt: skip
    """Spell the calls of `plan` from `first` (ForkShim) on as one message.

    `capabilities` maps names to bit numbers.  `fail_at` (index, errno) makes one call fail
    without being made: the fault sweep of the tests.  Raises ValueError over 1 MiB.
    """
    spelled = tuple(_spelled(call, capabilities) for call in plan[first:])
    body = marshal.dumps(
        {
            "calls": spelled,
            "first": first,
            "lockstep": lockstep,
            "last_capability": last_capability,
            "fail_at": fail_at or (-1, 0),
        }
    )
    if len(body) > LONGEST_PLAN:
        raise ValueError(f"a plan of {len(body)} bytes; {LONGEST_PLAN} are allowed")
    return struct.pack(">I", len(body)) + body


def _spelled(call: Call, capabilities: Mapping[str, int]) -> tuple[str, tuple[_Word, ...]]:
    """Spell a call, or remember: most are the same for every container.

    What a person typed is not kept, and what hangs on `capabilities` is not the call's.
    """
    if type(call) in _SPELT_ANEW:
        return spell(call, capabilities)
    return _remembered(call)


_SPELT_ANEW = {
    calls.Execute, calls.DropBoundingSet, calls.SetCapabilities,
    # Never the same for two containers, and soon spelled:
    calls.ForkShim, calls.JoinCgroup, calls.JoinKeyring, calls.AttachRoot,
}  # fmt: skip


@lru_cache(maxsize=512)
def _remembered(call: Call) -> tuple[str, tuple[_Word, ...]]:
    return spell(call, {})


def spell(call: Call, capabilities: Mapping[str, int]) -> tuple[str, tuple[_Word, ...]]:
    """Turn one call into its verb and its arguments, in the order the child takes them."""
    verb = type(call).__name__
    match call:
        case calls.ForkShim(directory, has_terminal, keeps_stdin, log):
            wish = log and (
                _path(log.name), log.most_bytes, log.most_files, log.attributes.encode(),
                log.compresses,
            )  # fmt: skip
            return verb, (_path(directory), has_terminal, keeps_stdin, wish or ())
        case calls.EnterNamespace(namespace):
            return verb, (namespace, CLONE_FLAGS[namespace])
        case calls.JoinNamespace(namespace, pid, start_time):
            return verb, (namespace, CLONE_FLAGS[namespace], pid, start_time)
        case calls.SetPropagation(target, propagation, is_recursive):
            return verb, (_path(target), _PROPAGATION[propagation], is_recursive)
        case calls.Mount(filesystem, source, target, flags, options, must_be_plain):
            return verb, (
                filesystem.encode(), _path(source), _path(target), _attributes(flags),
                "ro" in flags, _options(options), must_be_plain,
            )  # fmt: skip
        case calls.Bind():
            return verb, (
                _path(call.source), _path(call.target), _attributes(call.flags),
                call.propagation.removeprefix("r").encode(), not call.is_flat,
                not call.is_flat_readonly, _path(call.below),
            )  # fmt: skip
        case calls.DropBoundingSet(names):
            return verb, (_mask(names, capabilities),)
        case calls.SetCapabilities(names):
            return verb, (_mask(names, capabilities),)
        case calls.Execute(argv, environment):
            return verb, (
                tuple(_path(word) for word in argv),
                tuple(_path(word) for word in environment),
            )
        case _:
            words = (getattr(call, name) for name in type(call).__dataclass_fields__)
            return verb, tuple(_path(w) if isinstance(w, str) else w for w in words)


def _path(text: str) -> bytes:
    """Names of files are bytes; Python keeps odd ones as surrogate escapes."""
    return text.encode("utf-8", "surrogateescape")


def _attributes(flags: tuple[str, ...]) -> int:
    mask = 0
    for flag in flags:
        mask |= MOUNT_ATTR.get(flag, 0)
    return mask


def _options(options: str) -> tuple[tuple[bytes, bytes], ...]:
    """Split "size=65536k,newinstance" into pairs; a flag has an empty value."""
    pairs = (option.partition("=") for option in options.split(",") if option)
    return tuple((_path(key), _path(value)) for key, _, value in pairs)


def _mask(names: tuple[str, ...], capabilities: Mapping[str, int]) -> int:
    return sum(1 << capabilities[name] for name in set(names))
