"""Forks, namespaces, and what a process says about itself before it becomes a program.

    engine ──► shim ──────────────► newborn ──► program
       fork     │  unshare pid, fork    execve      ▲
                └────────► usher ───────────────────┘ for exec: the doors of a living one

Source: man 2 fork, unshare, setns, prctl, execve; man 7 pid_namespaces.
"""

import errno
import re
from dataclasses import replace

from pyminidock.grammar.capabilities import ALL_MASK
from pyminidock.kernel import calls
from pyminidock.kernel.model.mounts import NULL, device_at, own_table
from pyminidock.kernel.model.powers import after_exec
from pyminidock.kernel.model.stage import (
    Stage,
    act,
    demand,
    from_inside,
    hold,
    is_there,
    living,
)
from pyminidock.kernel.model.tree import EXECUTABLE, Node
from pyminidock.kernel.model.world import KINDS, Link, Task, number, with_task

LONGEST_HOSTNAME = 64  # Source: man 2 sethostname


def fork_shim(stage: Stage, call: calls.ForkShim) -> Stage:
    """Fork the process that will hold the streams."""
    if stage.shim:
        raise OSError(errno.EINVAL, "this plan has its shim already")
    stage, child = _fork(stage, "shim")
    terminal = ("pts", "pts", "pts")
    streams = ("pipe" if call.keeps_stdin else "null", "pipe", "pipe")
    shim = replace(
        child, serves=call.directory, streams=terminal if call.has_terminal else streams
    )
    world = with_task(stage.world, shim)
    records = {key: v for key, v in world.records.items() if key != call.directory}
    world = replace(world, records=records)  # of an earlier run
    return replace(stage, world=world, actor=shim.pid, shim=shim.pid, value=shim.pid)


def fork_init(stage: Stage) -> Stage:
    """Fork the process that will become the program; an usher has then done its duty."""
    stage, child = _fork(stage, "newborn")
    if stage.actor != stage.shim:
        tasks = {p: t for p, t in stage.world.tasks.items() if p != stage.actor}
        stage = replace(stage, world=replace(stage.world, tasks=tasks))
    child = replace(child, parent=stage.shim)
    shim = stage.world.tasks[stage.shim]
    shim = replace(shim, child=child.pid, child_start=child.start_time)
    streams = shim.streams if "pts" not in shim.streams else ("null", "null", "null")
    newborn = replace(
        child, serves="", streams=streams, handles=("report", *child.handles), umask=0
    )
    world = with_task(with_task(stage.world, shim), newborn)
    return replace(stage, world=world, actor=newborn.pid, value=newborn.pid)


def ushered(stage: Stage) -> Stage:
    """Let a shim that would leave the host send another process through the doors.

    The shim itself stays where it is; the usher forks the program's process inside.
    """
    if stage.task.role != "shim":
        return stage
    stage, usher = _fork(stage, "usher")
    usher = replace(usher, serves="", child=0)
    return replace(stage, world=with_task(stage.world, usher), actor=usher.pid)


def _fork(stage: Stage, role: str) -> tuple[Stage, Task]:
    """Copy the actor; the child lands in the PID namespace meant for children."""
    parent = stage.task
    world, pid = number(stage.world, "pid")
    world, start_time = number(world, "tick")
    namespaces = {**parent.namespaces, "pid": parent.pid_for_children}
    child = replace(
        parent, pid=pid, start_time=start_time, parent=parent.pid, role=role,
        namespaces=namespaces, dies_with_parent=False,
    )  # fmt: skip
    return replace(stage, world=with_task(world, child)), child


def enter_namespace(stage: Stage, kind: str) -> Stage:
    """Leave one shared namespace for a new one.

    Raises EINVAL for an unknown kind and for a second PID namespace before a fork.
    """
    if kind not in KINDS:
        raise OSError(errno.EINVAL, f"no namespace is called {kind}")
    if kind != "user":
        demand(stage, "CAP_SYS_ADMIN")
    task = stage.task
    if kind == "pid" and task.pid_for_children != task.namespaces["pid"]:
        raise OSError(errno.EINVAL, "children would land in a new PID namespace already")
    world, new = number(stage.world, "namespace")
    match kind:
        case "pid":
            return act(replace(stage, world=world), replace(task, pid_for_children=new))
        case "mount":
            world = own_table(world, stage.rows, new)
        case "uts":
            name = world.hostnames[task.namespaces["uts"]]
            world = replace(world, hostnames={**world.hostnames, new: name})
        case "network":
            world = replace(world, links={**world.links, (new, "lo"): Link("lo", index=1)})
        case "user":
            full = ALL_MASK
            task = replace(
                task,
                powers=replace(task.powers, effective=full, permitted=full, bounding=full),
            )
    entered = replace(task, namespaces={**task.namespaces, kind: new})
    return act(replace(stage, world=world), entered)


def join_namespace(stage: Stage, call: calls.JoinNamespace) -> Stage:
    """Enter the namespace of a living process.

    Raises ENOENT where its number is free, ESRCH where another process has it.
    """
    if call.namespace not in KINDS:
        raise OSError(errno.EINVAL, f"no namespace is called {call.namespace}")
    demand(stage, "CAP_SYS_ADMIN")
    stage = ushered(stage)
    there = living(stage, call.pid, call.start_time)
    joined, task = there.namespaces[call.namespace], stage.task
    if call.namespace == "pid":
        return act(stage, replace(task, pid_for_children=joined))
    task = replace(task, namespaces={**task.namespaces, call.namespace: joined})
    if call.namespace == "mount":
        handles = (*task.handles, "root")
        task = replace(task, root=there.root, directory=there.root, handles=handles)
        stage = replace(stage, root=there.root)
    return act(stage, task)


def join_keyring(stage: Stage, name: str) -> Stage:
    """Start a session keyring of one's own."""
    world, taken = number(stage.world, "keyring")
    world = replace(world, keyrings={**world.keyrings, taken: name})
    return act(replace(stage, world=world), replace(stage.task, keyring=taken))


def raise_loopback(stage: Stage) -> Stage:
    """Bring lo up in the actor's network namespace."""
    demand(stage, "CAP_NET_ADMIN")
    lo = (stage.task.namespaces["network"], "lo")
    links = {**stage.world.links, lo: replace(stage.world.links[lo], is_up=True)}
    return replace(stage, world=replace(stage.world, links=links))


def reopen_streams(stage: Stage) -> Stage:
    """Open /dev/null inside, in place of the host's."""
    if "null" in stage.task.streams:
        device_at(stage, "/dev/null", NULL)
    first, second, third = ("own null" if s == "null" else s for s in stage.task.streams)
    return act(stage, replace(stage.task, streams=(first, second, third)))


def set_hostname(stage: Stage, hostname: str) -> Stage:
    """Name the actor's UTS namespace."""
    if len(hostname.encode()) > LONGEST_HOSTNAME:
        raise OSError(errno.EINVAL, f"a host name has {LONGEST_HOSTNAME} bytes at most")
    demand(stage, "CAP_SYS_ADMIN")
    names = {**stage.world.hostnames, stage.task.namespaces["uts"]: hostname}
    return replace(stage, world=replace(stage.world, hostnames=names))


# Settings that belong to a namespace.  Source: man 7 namespaces, Documentation/admin-guide.
_SETTINGS = {
    r"net\.(core|ipv4|ipv6|mptcp|netfilter|unix)\..+": "network",
    r"fs\.mqueue\..+|kernel\.(sem|msg\w+|shm\w+)": "ipc",
    r"kernel\.(hostname|domainname)": "uts",
}


def write_sysctl(stage: Stage, call: calls.WriteSysctl) -> Stage:
    """Set what belongs to one namespace.  Raises ENOENT for a key we do not know."""
    hold(stage, "procfs")
    for keys, kind in _SETTINGS.items():
        if re.fullmatch(keys, call.key):
            key = (stage.task.namespaces[kind], call.key)
            settings = {**stage.world.settings, key: call.value}
            return replace(stage, world=replace(stage.world, settings=settings))
    raise OSError(errno.ENOENT, f"no setting of a namespace is called {call.key}")


def announce_ready(stage: Stage) -> Stage:
    """Report that all is prepared."""
    if stage.task.is_ready:
        raise OSError(errno.EINVAL, "this was announced already")
    return act(stage, replace(stage.task, is_ready=True))


def close_descriptors(stage: Stage) -> Stage:
    """Let go of every handle on the host."""
    return act(stage, replace(stage.task, handles=()))


def change_directory(stage: Stage, path: str) -> Stage:
    """Enter the working directory.  Raises ENOENT, ENOTDIR."""
    found = from_inside(stage, path)
    if found.node is None:
        raise OSError(errno.ENOENT, f"{path} does not exist")
    if found.node.kind != "directory":
        raise OSError(errno.ENOTDIR, f"{path} is no directory")
    return act(stage, replace(stage.task, directory=path))


def execute(stage: Stage, call: calls.Execute) -> Stage:
    """Find the program as a shell would and become it.

    A program that is found but cannot run has started all the same: `value` is the errno,
    and it ends at once.  Raises ENOENT, EACCES, EISDIR before that; the error carries 1
    (filename2) where PATH was searched.
    """
    if not call.argv:
        raise OSError(errno.EINVAL, "an argument list without a program")
    found = _find_program(stage, call.argv[0], call.environment)
    task = stage.task
    program = replace(
        task, role="program", argv=call.argv, environment=call.environment,
        powers=after_exec(task.powers, task.uids[1]), is_dumpable=True,
        handles=tuple(h for h in task.handles if h != "report"),
    )  # fmt: skip
    return act(stage, program, value=_why_not(stage, found))


def _find_program(stage: Stage, name: str, environment: tuple[str, ...]) -> Node:
    if "/" in name:
        return _program_at(stage, name)
    path = dict(word.partition("=")[::2] for word in environment).get("PATH", "")
    for folder in path.split(":") if name and path else ():
        try:
            return _program_at(stage, f"{folder or '.'}/{name}")
        except OSError:
            continue
    raise OSError(errno.ENOENT, f"{name or 'nothing'} is not on PATH", name, None, 1)


def _program_at(stage: Stage, path: str) -> Node:
    node = from_inside(stage, path).node
    if node is None:
        raise OSError(errno.ENOENT, f"{path} does not exist", path)
    if node.kind == "directory":
        raise OSError(errno.EISDIR, f"{path} is a directory", path)
    uid = stage.task.uids[1]
    bits = 0o111 if uid == 0 else 0o100 if uid == node.uid else 0o001
    if node.kind != "file" or not node.mode & bits:
        raise OSError(errno.EACCES, f"{path} may not be executed", path)
    return node


def _why_not(stage: Stage, program: Node) -> int:
    """Give the errno of execve(2) for a program that is found: 0, ENOENT, ENOEXEC."""
    if not program.content.startswith(EXECUTABLE):
        return errno.ENOEXEC
    words = program.content.split(b"\n", 1)[0].removeprefix(b"#!").split()
    if program.content.startswith(b"#!") and words:
        interpreter = words[0].decode()
        if is_there(lambda: from_inside(stage, interpreter)) is None:
            return errno.ENOENT
    return 0
