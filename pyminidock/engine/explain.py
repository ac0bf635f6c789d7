"""What would happen, what one flag changes, and what the kernel says of a live container.

    plan        the calls of a start, in their order; nothing is done, nothing is left
    flag        two plans, less what they have in common; and, since a plan is a promise,
                the same two containers for a moment, looked at from outside
    isolation   one live container beside its host, everything read from the kernel

Whatever differs in every run (paths, ids, numbers of namespaces) is put under one name, so
that what is left is what the flag did.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from pyminidock.container.accounts import cgroup_of
from pyminidock.container.describe import describe, describe_plan
from pyminidock.container.plan import start_plan
from pyminidock.container.resolve import resolve
from pyminidock.container.seccomp import default_profile
from pyminidock.container.seccomp.explain import STRICTER, lesson
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.container.states import Verb
from pyminidock.engine import images, plugging, run
from pyminidock.engine.donors import by_id, donors
from pyminidock.engine.house import House
from pyminidock.grammar.capabilities import names_of
from pyminidock.kernel.calls import Call, InstallSeccomp, Plan
from pyminidock.kernel.port import Isolation, MountEntry
from pyminidock.kernel.recording import effect_of
from pyminidock.layers.snapshots import find as snapshot_in
from pyminidock.viz.plain import plain_linux

SLEEP = ("sleep", "600")
_ID = "0" * 64  # of containers that will never be

Document = dict[str, Any]
Rows = dict[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a flag changes: calls of the plan, and facts of the live process.

    `calls` are lines that begin with "- ", "+ " or, for values that are not shown, "~ ";
    `observed` is (fact, without, with).
    """

    calls: tuple[str, ...]
    observed: tuple[tuple[str, str, str], ...]


# ── Plans ────────────────────────────────────────────────────────────────────────────────


def plan(house: House, request: CreateRequest) -> Plan:
    """Plan the start of a container that is not made.  Raises what create raises."""
    found = images.find(house, request.image)
    directory = house.directory(_ID)
    trees = tuple(map(str, found.trees))
    files = house.kernel.look(trees, "", "", run.ACCOUNTS)
    spec = resolve(
        request, found.image.config, files, house.machine, container_id=_ID,
        name=request.name or "dry-run", directory=str(directory),
    )  # fmt: skip
    spec = replace(spec, worlds=by_id(house, spec.worlds))
    reach = plugging.preview(house, request, spec)
    return start_plan(
        spec, snapshot_in(directory, found.trees), house.machine, wiring=reach.calls,
        network=reach.entrance, donors=donors(house, spec),
    )  # fmt: skip


def document(calls: Plan) -> Document:
    """Give a plan as JSON: each call with its verb and fields, and the same as text."""
    return {"calls": [_call(call) for call in calls], "text": list(describe_plan(calls))}


def _call(call: Call) -> Document:
    fields = asdict(call)
    if isinstance(call, InstallSeccomp):
        fields = {"instructions": len(call.program) // 8}
    return {
        "verb": type(call).__name__, **fields, "linux": plain_linux(effect_of(call)),
    }  # fmt: skip


def compare(without: Plan, with_: Plan) -> tuple[str, ...]:
    """Give the lines in which two plans differ, in their order.

    >>> from pyminidock.kernel.calls import PivotRoot, SetUmask
    >>> compare((SetUmask(18), PivotRoot()), (SetUmask(63), PivotRoot()))
    ('- set umask           0022', '+ set umask           0077')
    """
    lines: list[str] = []
    matcher = SequenceMatcher(None, without, with_, autojunk=False)
    for what, begin, end, new_begin, new_end in matcher.get_opcodes():
        if what != "equal":
            old, new = (
                map(describe, without[begin:end]),
                map(describe, with_[new_begin:new_end]),
            )
            lines += _changed(tuple(old), tuple(new))
    return tuple(lines)


def _changed(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[str]:
    """Mark lines; one that reads the same differs in values that are not shown."""
    yield from (f"- {line}" for line in old if line not in new)
    yield from (f"~ {line}, with other values" for line in old if line in new)
    yield from (f"+ {line}" for line in new if line not in old)


# ── Flags ────────────────────────────────────────────────────────────────────────────────


def flag(house: House, with_: CreateRequest, without: CreateRequest) -> Difference:
    """Tell what differs between two requests, in plan and in fact.

    Both containers run a sleeping program for a moment and are removed, whatever happens.
    """
    lines = compare(plan(house, without), plan(house, with_))
    before, after = (observe(house, request) for request in (without, with_))
    names = list(dict.fromkeys((*before, *after)))
    rows = ((name, before.get(name, "–"), after.get(name, "–")) for name in names)
    return Difference(
        tuple(_common(house, line, _ID) for line in lines),
        tuple(row for row in rows if row[1] != row[2]),
    )


def observe(house: House, request: CreateRequest) -> Rows:
    """Run a sleeping program as `request` says and give the facts the kernel reports."""
    sleeping = replace(request, name="", command=SLEEP, entrypoint=("",), auto_remove=False)
    container = run.create(house, sleeping)
    try:
        run.start(house, container)
        process = house.life(container).running(Verb.EXEC)
        rows = facts(house.kernel.observe(process))
    finally:
        run.remove(house, container, force=True)
    return {name: _common(house, text, container) for name, text in rows.items()}


def facts(isolation: Isolation) -> Rows:
    """Flatten what was observed into named texts."""
    rows = {
        f"namespace {kind}": "host's" if _is_shared(isolation, kind) else "own"
        for kind in isolation.namespaces
    }
    for kind, mask in isolation.capabilities.items():
        rows[f"capabilities {kind}"] = _capabilities(mask)
    rows |= {
        "seccomp": f"mode {isolation.seccomp_mode}, {isolation.seccomp_filters} filters",
        "no new privileges": "yes" if isolation.no_new_privileges else "no",
        "uid": " ".join(map(str, isolation.uids)),
        "gid": " ".join(map(str, isolation.gids)),
        "groups": " ".join(map(str, isolation.groups)) or "none",
        "hostname": isolation.hostname,
        "oom score": str(isolation.oom_score_adjustment),
    }
    rows |= {f"limit {name}": _limit(*pair) for name, pair in isolation.limits.items()}
    rows |= {f"account {file}": text for file, text in isolation.cgroup_limits.items()}
    for entry in isolation.mounts:  # of several at one place the last one is seen
        rows[f"mount {entry.target}"] = _mount(entry)
    return rows


# ── One live container ───────────────────────────────────────────────────────────────────


def isolation(house: House, reference: str) -> Document:
    """Tell how a running container is isolated, as the kernel reports it now.

    Raises VerbRefused, ProcessGone.
    """
    life = house.life(reference)
    seen = house.kernel.observe(life.running(Verb.EXEC))
    spec = house.kept(life.id).spec
    return {
        "container": life.id,
        "name": life.name,
        "backend": house.machine.backend,
        "pid": seen.pid,
        "namespaces": [
            {
                "kind": kind,
                "number": number,
                "host": seen.host_namespaces.get(kind),
                "is_shared": _is_shared(seen, kind),
            }
            for kind, number in seen.namespaces.items()
        ],
        "capabilities": {
            kind: {"mask": f"{mask:016x}", "names": list(names_of(mask))}
            for kind, mask in seen.capabilities.items()
        },
        "seccomp": {
            "mode": seen.seccomp_mode,
            "filters": seen.seccomp_filters,
            "profile": spec.seccomp,
        },
        "denied": _denied(house, spec),
        "stricter": [asdict(row) for row in STRICTER] if spec.seccomp == "default" else [],
        "no_new_privileges": seen.no_new_privileges,
        "uids": list(seen.uids),
        "gids": list(seen.gids),
        "groups": list(seen.groups),
        "masked": [e.target for e in seen.mounts if _hides(e) == "masked"],
        "readonly": [e.target for e in seen.mounts if _hides(e) == "read-only"],
        "mounts": [asdict(entry) for entry in seen.mounts],
        "limits": {name: list(pair) for name, pair in seen.limits.items()},
        "cgroups": dict(seen.cgroups),
        "cgroup_limits": dict(seen.cgroup_limits),
        "oom_score_adjustment": seen.oom_score_adjustment,
        "hostname": seen.hostname,
    }


def _denied(house: House, spec: ContainerSpec) -> list[Document]:
    """Give the lesson table of the default filter, for this container's capabilities."""
    if spec.seccomp != "default":
        return []
    machine, powers = house.machine, frozenset(spec.bounding)
    told = lesson(default_profile(), powers, machine.arch, machine.kernel)
    return [asdict(each) for each in told]


def _is_shared(isolation: Isolation, kind: str) -> bool:
    return isolation.namespaces[kind] == isolation.host_namespaces.get(kind)


def _hides(entry: MountEntry) -> str:
    """Tell what a mount below /proc or /sys is for: "masked", "read-only" or nothing."""
    if not entry.target.startswith(("/proc/", "/sys/")) or "cgroup" in entry.target:
        return ""
    if entry.filesystem in ("tmpfs", "devtmpfs"):  # an empty one, or one with our /dev/null
        return "masked"
    return "read-only" if entry.root != "/" and "ro" in entry.flags else ""


def _mount(entry: MountEntry) -> str:
    if hidden := _hides(entry):
        return hidden
    options = () if entry.filesystem == "overlay" else entry.options  # host paths
    return f"{entry.filesystem} {','.join(entry.flags)} {','.join(options)}".rstrip()


def _capabilities(mask: int) -> str:
    return " ".join(name.removeprefix("CAP_") for name in names_of(mask)) or "none"


def _limit(soft: int, hard: int) -> str:
    words = ["unlimited" if number < 0 else str(number) for number in (soft, hard)]
    return words[0] if words[0] == words[1] else f"{words[0]}, at most {words[1]}"


def _common(house: House, text: str, container: str) -> str:
    """Give paths and ids of this engine and container one name in every run."""
    directory = str(house.directory(container))
    account = cgroup_of(directory, container)
    for ours, name in (
        (account, "ACCOUNT"), (directory, "CONTAINER"), (str(house.root), "ROOT"),
        (container, "ID"), (container[:12], "ID"),
    ):  # fmt: skip
        text = text.replace(ours, name)
    return text
