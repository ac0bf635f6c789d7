"""The view that asks: what makes this process a container.

Three answers beside each other: whose child it is and behind which walls it lives
(namespaces), what its world consists of (mounts), and what it may do (powers).  Whatever
the current step touched carries a Δ, so a student's eye goes where something happened.
"""

from pyminidock.viz import english
from pyminidock.viz.buildwords import several
from pyminidock.viz.processes import account_of
from pyminidock.viz.remembering import remembered
from pyminidock.viz.scene import (
    Node,
    Scene,
    State,
    cell,
    group,
    row,
    stack,
    table,
    text,
    tree,
)
from pyminidock.viz.sentences import short_ids
from pyminidock.viz.things import (
    NAMESPACES,
    Container,
    MountPoint,
    Namespace,
    Process,
    Trait,
    World,
)

TITLE = "What makes this process a container?"
_OWNERS: dict[str, tuple[State, str]] = {
    "own": ("hit", "own"),
    "joined": ("net", "joined"),
    "host": ("idle", "host's"),
}
_MOUNTS: dict[str, State] = {
    "root": "hit", "new": "hit", "bind": "net", "console": "hit", "mask": "hide",
    "read-only path": "hide",
}  # fmt: skip
_ROOTS = {
    "": "no tree yet",
    "snapshot": "a writable layer is ready",
    "prepared": "stacked, not mounted yet",
    "attached": "attached, host's / in reach",
    "pivoted": "pivoted, it is / now",
    "gone": "gone with the last process",
    "removed": "removed, with all that was still in it",
}


def birth(world: World) -> Scene:
    """Answer the question of this view, all three parts."""
    return stack("birth", TITLE, processes(world), mounts(world), powers(world))


def suits(world: World) -> bool:
    """Say whether this story made a container, or a process of one."""
    return bool(world.containers or world.processes)


def reads(world: World) -> tuple[object, ...]:
    """Give what this view looks at."""
    return world.processes, world.container


def processes(world: World) -> Scene:
    """Say whose child it is, and behind which walls it lives."""
    known = sorted(world.processes.values(), key=lambda each: (each.order, each.id))
    if not known:
        return group(
            "processes",
            "Processes",
            text(
                "processes.none", "no process yet: minidock run busybox echo hi makes some"
            ),
        )
    seq = world.now.seq if world.now else 0
    tops = [each for each in known if each.parent not in world.processes]
    trees = (_process(each, known, seq) for each in tops)
    return group("processes", "Processes and namespaces", *trees)


def _process(process: Process, known: list[Process], seq: int) -> Node:
    """One process, its namespaces as one line of words, its children below."""
    children = (_process(each, known, seq) for each in known if each.parent == process.id)
    said, state = _named(process)
    walls = () if process.role in ("engine", "shim") else _walls(process, seq)
    is_parent = any(each.parent == process.id for each in known)
    prepared = () if is_parent else _prepared(process, seq)
    is_changed = process.changed == seq
    return tree(
        process.id, f"{said}, {process.state}", said, *walls, *prepared, *children,
        state=state, is_changed=is_changed,
    )  # fmt: skip


def _named(process: Process) -> tuple[str, State]:
    """Give the name that people know a process by, and how it is."""
    outside = f" (host {process.pid})" if process.pid else ""
    if process.role == "engine":
        return f"minidockd, the engine{outside}", ""
    if process.role == "shim":
        return f"shim{outside}", ""
    name = ("PID 1" if process.role == "init" else "exec") + outside
    if process.state == "being made":
        return f"{name} being made", "write"
    if process.state == "exited":
        return f"{name} ended", "idle"
    return f"{name} {' '.join(process.command) or 'running'}", "hit"


def _walls(process: Process, seq: int) -> tuple[Node, ...]:
    """One leaf per namespace, in the order of the course."""
    spaces = process.namespaces
    others = tuple(sorted(set(spaces) - set(NAMESPACES)))
    return tuple(
        _wall(process.id, kind, spaces[kind], spaces[kind].changed == seq)
        for kind in NAMESPACES + others
        if kind in spaces
    )


@remembered
def _wall(process: str, kind: str, space: Namespace, is_changed: bool) -> Node:
    state, word = _OWNERS[space.owner]
    said = f"{kind:<8}{word}" + (f"  {space.inode}" if space.inode else "")
    return tree(
        f"{process}.{kind}", f"{kind} namespace: {word}", said, state=state,
        is_changed=is_changed,
    )  # fmt: skip


def _prepared(process: Process, seq: int) -> tuple[Node, ...]:
    if not process.for_children:
        return ()
    kinds = " ".join(process.for_children)
    said = f"its next child: new {kinds}"
    changed = process.changed == seq
    return (tree(f"{process.id}.next", said, said, state="write", is_changed=changed),)


def mounts(world: World) -> Scene:
    """Say what its world consists of, the newest first."""
    container = world.container
    if container is None:
        return group(
            "mounts",
            "Mounts",
            text("mounts.none", "no container yet: minidock run busybox echo hi makes one"),
        )
    seq = world.now.seq if world.now else 0
    root = container.root
    said = f"Tree: {_ROOTS.get(root.state, root.state)}"
    parts = [text("root", said, is_changed=root.changed == seq)]
    ordered = sorted(container.mounts.values(), key=lambda each: (each.order, each.target))
    if ordered:
        head = ("at", "what", "")
        rows = (_mount(mount, mount.changed == seq) for mount in reversed(ordered))
        parts.append(table("mounts.table", "mounts, newest first", head, *rows))
    parts += _accounts(container, seq)
    return group("mounts", f"Mounts ({len(ordered)}), newest first", *parts)


@remembered
def _mount(mount: MountPoint, is_changed: bool) -> Node:
    id_ = f"mount.{mount.order}"
    source = short_ids(mount.source.rpartition("/")[2])
    what = {
        "root": "the stacked tree", "bind": f"host …/{source}",
        "console": "its own terminal",
        "mask": "by /dev/null" if mount.source == "null" else "shown empty",
        "read-only path": "itself",
    }.get(mount.what, mount.filesystem)  # fmt: skip
    return row(
        id_,
        cell(f"{id_}.at", mount.target, _MOUNTS[mount.what], is_changed=is_changed),
        cell(f"{id_}.what", what),
        cell(f"{id_}.ro", "ro" if mount.is_readonly else ""),
    )


def _accounts(container: Container, seq: int) -> list[Node]:
    """Limits are part of its world too: a line for each account that has some."""
    lines, unlimited = [], []
    for cgroup in sorted(container.cgroups.values(), key=lambda each: each.path):
        if not cgroup.limits:
            unlimited.append(cgroup)
            continue
        limits = ", ".join(_limit(*each) for each in sorted(cgroup.limits.items()))
        who = "" if cgroup.members else ", nobody in it yet"
        said = f"Account {account_of(cgroup.path)}: {limits}{who}"
        changed = cgroup.changed == seq
        lines.append(text(f"cgroup.{cgroup.path}", said, is_changed=changed))
    if unlimited:
        said = "No limit: " + " ".join(account_of(each.path) for each in unlimited)
        changed = any(each.changed == seq for each in unlimited)
        lines.append(text("cgroup.unlimited", said, is_changed=changed))
    return lines


def _limit(file: str, value: str) -> str:
    """Give a limit as it was written; of a list of rules only how many."""
    if ", " not in value:
        return f"{file} {value}"
    return f"{file} {several(value.count(', ') + 1, 'rule')}"


def powers(world: World) -> Scene:
    """Say what it may do, and how we know."""
    made = [each for each in world.processes.values() if each.traits]
    if not made:
        is_over = world.container is not None and world.container.state == "removed"
        none = "gone with its process" if is_over else "nothing given up yet"
        return group("powers", "Powers", text("powers.none", none))
    process = max(made, key=lambda each: (each.changed, each.id))
    seq = world.now.seq if world.now else 0
    ordered = sorted(process.traits.items(), key=lambda each: (each[1].order, each[0]))
    rows = (_power(name, trait, trait.changed == seq) for name, trait in reversed(ordered))
    head = ("power", "is", "")
    shown = table("powers.table", f"powers of {_named(process)[0]}", head, *rows)
    return group("powers", f"Powers ({len(ordered)}), newest first", shown)


@remembered
def _power(name: str, trait: Trait, is_changed: bool) -> Node:
    id_ = f"power.{name}"
    return row(
        id_,
        cell(f"{id_}.name", name, is_changed=is_changed),
        cell(f"{id_}.value", trait.value),
        cell(f"{id_}.known", english.EVIDENCE.get(trait.evidence, ("?", ""))[0]),
    )
