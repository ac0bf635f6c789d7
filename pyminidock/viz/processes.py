"""Who is being made, and what becomes of it: the family of one container.

    engine ─► shim ─► init      forks PID 1 of a new PID namespace
                  └─► exec      a second program, in the namespaces of the first

Events of the kernel do not say which process they are about: they are told by the process
that is being made.  So the world remembers, for each operation, who that is.  Before the
fork it is the shim: what it enters, its next child will live in.  After the fork it is
the child.
"""

from dataclasses import replace
from typing import assert_never

from pyminidock import events as e
from pyminidock.events.journal import Record
from pyminidock.viz.things import (
    CEILING,
    NAMESPACES,
    Namespace,
    Process,
    Trait,
    World,
    bounded,
)

ENGINE = "engine"
_TRACERS = "tracers"  # execve takes this back: a program may be traced like any other
ProcessEvent = (
    e.ExecCreated | e.ExecStarted | e.ExecStartFailed | e.ExecExited
    | e.IsolationObserved | e.IsolationUnobserved | e.ShimForked | e.InitForked
    | e.NamespaceEntered | e.ProgramExecuted | e.ProgramNotExecuted | e.CgroupJoined
    | e.SandboxJoined
)  # fmt: skip


def process_after(  # noqa: PLR0911  (one line per fact)
    world: World, record: Record, event: ProcessEvent
) -> World:
    """Give the world after an event about a process."""
    match event:
        case e.ShimForked(pid):
            return _forked(world, record, "shim", pid)
        case e.InitForked(pid):
            return _forked(world, record, "init", pid)
        case e.NamespaceEntered(namespace, was_joined):
            return _entered(world, record, namespace, "joined" if was_joined else "own")
        case e.SandboxJoined():
            return _entered(world, record, "network", "own")
        case e.CgroupJoined(path):
            return _joined_account(world, record, path)
        case e.ProgramExecuted(argv):
            process = _newborn(world, record)
            traits = {key: each for key, each in process.traits.items() if key != _TRACERS}
            process = replace(process, command=argv, state="running", traits=traits)
            return _with(world, record, process)
        case e.ProgramNotExecuted(argv):
            process = replace(_newborn(world, record), command=argv, state="exited")
            return _with(world, record, process)
        case e.IsolationObserved() | e.IsolationUnobserved():
            return _observed(world, record, event)
        case e.ExecCreated() | e.ExecStartFailed():
            return world
        case e.ExecStarted(container, exec_id, pid):
            made = _newborn(world, record)
            made = replace(made, exec=exec_id, container=container, pid=pid or made.pid)
            return _with(world, record, replace(_started(made), role="exec"))
        case e.ExecExited(_, exec_id, _):
            ended = [key for key, p in world.processes.items() if p.exec == exec_id]
            shims = [world.processes[key].parent for key in ended]
            gone = {*ended, *(key for key in shims if key.endswith("/shim"))}
            gone = {key for key in gone if _is_of_exec(world, key)}
            return _without(world, gone)
        case _:
            assert_never(event)


def with_trait(world: World, record: Record, name: str, value: str) -> World:
    """Note what the newborn process gave up, took or was limited to."""
    return _with_trait(world, record, _newborn(world, record), (name, value))


def _with_trait(
    world: World, record: Record, process: Process, said: tuple[str, str]
) -> World:
    name, value = said
    old = process.traits.get(name)
    order = old.order if old else record.seq
    trait = Trait(value, record.evidence, order, record.seq)
    traits = bounded(process.traits, name, trait)
    return _with(world, record, replace(process, traits=traits))


def running(world: World, record: Record, container: str, pid: int) -> World:
    """The container started: its first process is number `pid` of the host."""
    first = world.processes.get(f"{container}/init")
    process = first or _newborn(world, record)
    return _with(world, record, _started(replace(process, pid=pid or process.pid)))


def _started(process: Process) -> Process:
    """A start is told even of a process that ended because nothing could be executed."""
    return process if process.state == "exited" else replace(process, state="running")


def exited(world: World, record: Record, container: str) -> World:
    """The first process ended, and the kernel took everyone else inside with it."""
    for process in world.processes_of(container):
        if process.role == "shim":
            continue  # it keeps the exit status until it is dismissed
        ended = replace(process, state="exited", changed=record.seq)
        world = replace(world, processes={**world.processes, process.id: ended})
    return world


def without_processes(world: World, container: str) -> World:
    """Nothing of this container lives any more."""
    return _without(world, {each.id for each in world.processes_of(container)})


def _is_of_exec(world: World, key: str) -> bool:
    process = world.processes.get(key)
    return process is not None and "/exec-" in process.id


def _without(world: World, gone: set[str]) -> World:
    processes = {key: p for key, p in world.processes.items() if key not in gone}
    births = {key: at for key, at in world.births.items() if at not in gone}
    return replace(world, processes=processes, births=births)


def _with(world: World, record: Record, process: Process) -> World:
    """Put a process into the world, touched by this record."""
    process = replace(process, changed=record.seq)
    births = dict(sorted(world.births.items())[-CEILING + 1 :])
    return replace(
        world,
        processes=bounded(world.processes, process.id, process),
        births=births | {record.operation: process.id},
    )


def _newborn(world: World, record: Record) -> Process:
    """Find the process that this operation makes; the first event about it creates it."""
    known = world.processes.get(world.births.get(record.operation, ""))
    return known or _child(world, record, "init", 0)


def _forked(world: World, record: Record, role: str, pid: int) -> World:
    """Add a process below the one that forked it."""
    if ENGINE not in world.processes:
        namespaces = {kind: Namespace("host") for kind in NAMESPACES}
        engine = Process(ENGINE, "engine", "", 0, 0, state="running", namespaces=namespaces)
        world = replace(world, processes={**world.processes, ENGINE: engine})
    return _with(world, record, _child(world, record, role, pid))


def _child(world: World, record: Record, role: str, pid: int) -> Process:
    """Make the child of this operation's process: it lives where its parent lives.

    A kind that the parent prepared for its children is the child's own from birth.
    """
    container = world.current or record.story
    first = world.processes.get(f"{container}/init")
    is_exec = first is not None and first.state == "running"
    place = f"{container}/exec-{record.operation}" if is_exec else container
    role = "exec" if is_exec and role == "init" else role
    parent = world.processes.get(world.births.get(record.operation, ENGINE))
    inherited = dict(parent.namespaces) if parent else {}
    prepared = parent.for_children if parent and role != "shim" else ()
    owner = "joined" if is_exec else "own"
    for kind in prepared:
        inherited[kind] = Namespace(owner, changed=record.seq)
    return Process(
        f"{place}/{role}", role, parent.id if parent else "", record.seq, record.seq,
        container, pid, "running" if role == "shim" else "being made",
        namespaces=inherited or {kind: Namespace("host") for kind in NAMESPACES},
    )  # fmt: skip


def _entered(world: World, record: Record, kind: str, owner: str) -> World:
    """The newborn left the host's namespace, or its shim prepared that for the child."""
    process = _newborn(world, record)
    if process.role == "shim":
        kinds = (*process.for_children, kind) if kind not in process.for_children else ()
        prepared = replace(process, for_children=kinds or process.for_children)
        return _with(world, record, prepared)
    entered = {**process.namespaces, kind: Namespace(owner, changed=record.seq)}
    return _with(world, record, replace(process, namespaces=entered))


def account_of(path: str) -> str:
    """Give the short name of a cgroup: its hierarchy, or "cgroup" where there is only one.

    >>> account_of("/sys/fs/cgroup/memory/minidock-ab12cd/3f2a")
    'memory'
    >>> account_of("/sys/fs/cgroup/minidock-ab12cd/3f2a")
    'cgroup'
    """
    hierarchy = path.removeprefix("/sys/fs/cgroup/").partition("/")[0]
    return "cgroup" if hierarchy.startswith("minidock") else hierarchy or "cgroup"


def _joined_account(world: World, record: Record, path: str) -> World:
    """The newborn lives within the budget of this cgroup."""
    process = _newborn(world, record)
    known = process.traits["accounts"].value.split() if "accounts" in process.traits else ()
    names = " ".join(dict.fromkeys((*known, account_of(path))))
    world = _with_trait(world, record, process, ("accounts", names))
    container = world.containers.get(world.current)
    if container is None or path not in container.cgroups:
        return world
    cgroup = container.cgroups[path]
    member = process.id
    members = tuple(sorted({*cgroup.members, member}))[:CEILING]
    cgroup = replace(cgroup, members=members, changed=record.seq)
    container = replace(container, cgroups={**container.cgroups, path: cgroup})
    return replace(world, containers={**world.containers, container.id: container})


def _observed(
    world: World, record: Record, event: e.IsolationObserved | e.IsolationUnobserved
) -> World:
    """Put what the kernel says of the live process beside what was planned."""
    if isinstance(event, e.IsolationUnobserved):
        born = world.processes.get(world.births.get(record.operation, ""))
        said = ("observed", f"no: {event.reason}")
        return _with_trait(world, record, born, said) if born else world
    known = [p for p in world.processes.values() if event.pid and p.pid == event.pid]
    born = world.processes.get(world.births.get(record.operation, ""))
    process = known[0] if known else born
    if process is None:  # it had ended before this was told, and is not born again
        return world
    spaces = dict(process.namespaces)
    for kind, inode in event.namespaces:
        planned = spaces[kind].owner if kind in spaces else "own"
        is_shared = kind in event.shared_with_host
        owner = "host" if is_shared else "own" if planned == "host" else planned
        spaces[kind] = Namespace(owner, inode, record.seq)
    spaces = dict(sorted(spaces.items())[:16])
    seen = replace(process, pid=event.pid or process.pid, namespaces=spaces)
    world = _with(world, record, seen)
    for said_now in (
        ("CapEff", event.capabilities_effective),
        ("CapBnd", event.capabilities_bounding),
        ("Seccomp", str(event.seccomp_mode)),
        ("NoNewPrivs", str(int(event.no_new_privileges))),
        ("Uid, Gid", f"{event.uid}, {event.gid}"),
    ):
        world = _with_trait(world, record, world.processes[seen.id], said_now)
    return world
