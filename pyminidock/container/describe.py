"""A plan in lines that people read: one for each call, aligned, with nothing left out.

    engine  make cgroup         /sys/fs/cgroup/memory/minidock-3f2a1c/0123456789ab
    child   mount               proc on /proc (nosuid,nodev,noexec)
    child   become user         1000:1000 groups 1000

`minidock explain plan` prints it and `explain flag` compares two of them, line by line, so
a line says all that a call holds, but the values of variables: they may be secrets.
"""

import hashlib
import re
from collections.abc import Iterator

from pyminidock.grammar.environment import name_of
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call, Plan


def describe(call: Call) -> str:
    """Give one call as one line, without the hand that does it.

    >>> describe(calls.Mount("proc", "proc", "/proc", ("nosuid",)))
    'mount               proc on /proc (nosuid)'
    >>> describe(calls.PivotRoot())
    'pivot root'
    """
    verb = " ".join(re.findall(r"[A-Z][a-z]*", type(call).__name__)).lower()
    return f"{verb:<18}  {_facts(call)}".rstrip()


def describe_plan(plan: Plan) -> Iterator[str]:
    """Give every call with the hand that does it: the plan says where it changes.

    >>> for line in describe_plan((calls.ForkShim("/c", False, False), calls.ForkInit())):
    ...     print(line)
    engine  fork shim           for /c (no log)
    shim    fork init
    """
    hand = "engine"
    for call in plan:
        yield f"{hand:<6}  {describe(call)}"
        match call:
            case calls.ForkShim():
                hand = "shim"
            case calls.ForkInit():
                hand = "child"


def _facts(call: Call) -> str:  # noqa: PLR0911, PLR0912  (one line for each verb)
    """Word what the call holds; verbs that hold one text say just that."""
    match call:
        case calls.LimitCgroup(path, file, value):
            return f"{path}/{file} = {value}"
        case calls.PrepareOverlay(lower, upper, work, flags):
            words = (f"work {work or 'none'}", *flags)
            return f"{' > '.join(filter(None, (upper, *lower)))}{_flags(words)}"
        case calls.ForkShim():
            said = {
                "terminal": call.has_terminal, "stdin": call.keeps_stdin,
                "no log": call.log is None,
            }  # fmt: skip
            words = tuple(word for word, holds in said.items() if holds)
            return f"for {call.directory}{_flags(words)}"
        case calls.JoinNamespace(namespace, pid, start_time):
            return f"{namespace} of {pid} (started at {start_time})"
        case calls.SetPropagation(target, propagation, is_recursive):
            return f"{target} {propagation}{_flags(('recursive',) if is_recursive else ())}"
        case calls.MakeDirectory(path, mode):
            return f"{path} {mode:04o}"
        case calls.Mount(filesystem, source, target, flags, options, must_be_plain):
            what = filesystem if source == filesystem else f"{filesystem} {source}"
            words = (*flags, *filter(None, options.split(",")))
            plain = ", a plain directory" if must_be_plain else ""
            return f"{what} on {target}{_flags(words)}{plain}"
        case calls.Bind():
            return _bind(call)
        case calls.BorrowTree(pid, start_time, path):
            return f"{path} of {pid} (started at {start_time})"
        case calls.HoldTree(source, is_flat):
            return f"{source}{_flags(('flat',) if is_flat else ())}"
        case calls.MakeDevice(path, major, minor, mode, uid, gid, is_block):
            kind = "block" if is_block else "char"
            return f"{path} {kind} {major}:{minor} {mode:04o} {uid}:{gid}"
        case calls.MakeLink(path, points_to):
            return f"{path} -> {points_to}"
        case calls.OpenConsole(rows, columns):
            return f"{rows}x{columns}" if rows or columns else ""
        case calls.WriteSysctl(key, value):
            return f"{key} = {value}"
        case calls.SetUmask(mask):
            return f"{mask:04o}"
        case calls.LimitResource(resource, soft, hard):
            return f"{resource} {_limit(soft)}:{_limit(hard)}"
        case calls.AdjustOomScore(score):
            return str(score)
        case calls.DropBoundingSet(names):
            return f"all but {_names(names)}"
        case calls.SetCapabilities(names):
            return _names(names)
        case calls.BecomeUser(uid, gid, groups):
            return f"{uid}:{gid} groups {','.join(map(str, groups)) or 'none'}"
        case calls.FilterDevices(path, program):
            return f"{path} by {_program(program)}"
        case calls.InstallSeccomp(program):
            return _program(program)
        case calls.Execute(argv, environment):
            return (
                f"{' '.join(map(_word, argv))} with {' '.join(map(name_of, environment))}"
            )
    return " ".join(str(getattr(call, name)) for name in type(call).__dataclass_fields__)


def _program(program: bytes) -> str:
    """Say how long a BPF program is, and a word that changes with each of its bits."""
    fingerprint = hashlib.sha256(program).hexdigest()[:8]
    return f"{len(program) // 8} instructions ({fingerprint})"


def _flags(words: tuple[str, ...]) -> str:
    return f" ({','.join(words)})" if words else ""


def _limit(number: int) -> str:
    return "unlimited" if number < 0 else str(number)


def _names(capabilities: tuple[str, ...]) -> str:
    return " ".join(name.removeprefix("CAP_") for name in capabilities) or "none"


def _word(text: str) -> str:
    """Quote a word that would not stand alone, and keep it on one line."""
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII) else repr(text)


def _bind(call: calls.Bind) -> str:
    said = {
        call.propagation: call.propagation not in ("private", "rprivate"),
        "flat": call.is_flat, "flat ro": call.is_flat_readonly,
    }  # fmt: skip
    words = (*call.flags, *(word for word, holds in said.items() if holds))
    source = f"{call.source}/{call.below}" if call.below else call.source
    return f"{source} on {call.target}{_flags(words)}"
