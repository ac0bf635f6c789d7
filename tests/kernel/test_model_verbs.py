"""One sentence for every verb: what it changes in the world, and what it leaves alone."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import get_args

import pytest

from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.model.effects import apply
from pyminidock.kernel.model.hosts import MACHINE
from pyminidock.kernel.model.stage import Stage
from pyminidock.kernel.model.world import ENGINE, World
from pyminidock.kernel.netcalls import (
    FindSandbox,
    JoinSandbox,
    MakeBridge,
    MakeSandbox,
    NetCall,
    OpenNames,
    Plug,
    RemoveLink,
    Route,
    Unplug,
)
from pyminidock.kernel.port import CgroupTree
from pyminidock.kernel.portcalls import BindPort, ReleasePort, SiftCall
from pyminidock.kernel.rules import AddElements, DropElements, MakeTable, RemoveTable
from tests.contract.plans import (
    SANDBOX,
    birth,
    bridging,
    cabling,
    ending,
    filtering,
    joining,
    sharing,
    sifting,
    unwiring,
    wiring,
)
from tests.contract.stands import beside, model_stand, start

V2 = replace(MACHINE, cgroups=CgroupTree(2, (("", "/sys/fs/cgroup"),)))
Seen = Callable[[Stage, Stage], bool]


def around(verb: type[Call]) -> tuple[Stage, Stage]:
    """Give the stage before and after the first `verb` of a plan that has it."""
    stand = model_stand(V2 if verb is calls.FilterDevices else None)
    plan: Plan = birth(
        stand.place, has_terminal=True, is_readonly=True, no_new_privileges=True, uid=9,
        directory="/srv/app", oom_score=300,
    )  # fmt: skip
    if verb is calls.BorrowTree:
        plan = sharing(beside(stand), start(stand, birth(stand.place)))
    if verb in (calls.JoinNamespace, calls.RemoveCgroup):
        first = start(stand, birth(stand.place))
        plan = joining(stand.place, first, stand.second)
        plan = ending(stand.place) if verb is calls.RemoveCgroup else plan
    if verb is calls.FilterDevices:
        plan = filtering(stand.place)
    if verb in get_args(NetCall):
        wires = (bridging(stand.place), *wiring(stand.place), OpenNames(SANDBOX))
        plan = birth(stand.place, wires=wires)
        if verb in (FindSandbox, Unplug, Route, RemoveLink):
            plan = (*cabling(stand.place, start(stand, plan)), *unwiring(stand.place))
    if verb in get_args(SiftCall):
        plan = sifting(stand.place)
    if verb is calls.HoldTree:
        plan = birth(stand.place, holds=(calls.HoldTree("/srv"),))
    stage = Stage(stand.body.world, ENGINE)
    for call in plan:
        after = apply(stage, stand.place.machine, call)
        if isinstance(call, verb):
            return stage, after
        stage = after
    raise AssertionError(f"no plan has {verb.__name__}")


def gained(before: Stage, after: Stage) -> list[str]:
    """Name the mounts that the actor sees and did not see before."""
    return [row.target for row in after.rows[len(before.rows) :]]


def links(stage: Stage, sandbox: str = "") -> set[str]:
    """Name the devices of the host, or of a sandbox."""
    here = stage.world.tasks[ENGINE].namespaces["network"]
    space = stage.sandboxes[sandbox] if sandbox else here
    return {name for number, name in stage.world.links if number == space}


def members(stage: Stage) -> int:
    """Count what is in the sets of all tables."""
    return sum(len(elements) for _, elements in stage.world.rules.values())


def new_file(path: str) -> Seen:
    """A file is there that was not."""

    def seen(before: Stage, after: Stage) -> bool:
        trees = after.world.trees
        return any(path in trees[name] for name in trees) and not any(
            path in tree for tree in before.world.trees.values()
        )

    return seen


SENTENCES: dict[type[Call], tuple[str, Seen]] = {
    calls.MakeCgroup: (
        "an account exists that nobody lives in",
        lambda b, a: len(a.world.cgroups) == len(b.world.cgroups) + 1,
    ),
    calls.LimitCgroup: (
        "a number stands in one of its files",
        lambda b, a: a.world.cgroups != b.world.cgroups and a.world.tasks == b.world.tasks,
    ),
    calls.FilterDevices: (
        "the account holds one program more, and nobody is in it yet",
        lambda b, a: (
            [len(each.device_programs) for each in a.world.cgroups.values()] == [0, 1]
            and not any(each.device_programs for each in b.world.cgroups.values())
        ),
    ),
    calls.RemoveCgroup: (
        "the account is gone, and who lived in it has ended",
        lambda b, a: (
            len(a.world.cgroups) == len(b.world.cgroups) - 1
            and "program" not in {task.role for task in a.world.tasks.values()}
        ),
    ),
    calls.PrepareOverlay: (
        "a tree is held by its handle and hangs in no table",
        lambda b, a: a.prepared is not None and a.world.mounts == b.world.mounts,
    ),
    calls.ForkShim: (
        "a process more, child of the engine, serving a directory",
        lambda b, a: a.task.parent == ENGINE and a.task.serves.endswith("/shim"),
    ),
    calls.EnterNamespace: (
        "the shim stays where it is, but its children will not",
        lambda b, a: (
            a.task.namespaces == b.task.namespaces
            and a.task.pid_for_children not in b.task.namespaces.values()
        ),
    ),
    calls.JoinNamespace: (
        "an usher goes where somebody else lives, and the shim stays",
        lambda b, a: (
            a.task.role == "usher"
            and a.world.tasks[a.shim].namespaces == b.world.tasks[b.shim].namespaces
        ),
    ),
    calls.ForkInit: (
        "the first process of the new PID namespace",
        lambda b, a: (
            a.task.namespaces["pid"] == b.task.pid_for_children and a.value == a.task.pid
        ),
    ),
    calls.JoinCgroup: (
        "one hierarchy more says that the process lives in its account",
        lambda b, a: a.task.cgroups != b.task.cgroups,
    ),
    calls.RefuseTracers: (
        "nobody inside may trace it",
        lambda b, a: b.task.is_dumpable and not a.task.is_dumpable,
    ),
    calls.DieWithParent: (
        "it will not outlive its shim",
        lambda b, a: a.task.dies_with_parent and not b.task.dies_with_parent,
    ),
    calls.JoinKeyring: (
        "it has a keyring of its own",
        lambda b, a: a.task.keyring not in b.world.keyrings,
    ),
    calls.SetPropagation: (
        "no mount of its table is shared any more, all still hear from the host",
        lambda b, a: all(row.master and not row.peer for row in a.rows),
    ),
    calls.AttachRoot: (
        "the stacked tree hangs, here and not on the host",
        lambda b, a: gained(b, a) == [a.root] and host(a) == host(b),
    ),
    calls.Mount: (
        "a filesystem hangs below the root",
        lambda b, a: gained(b, a) == [f"{a.root}/proc"] and host(a) == host(b),
    ),
    calls.Bind: (
        "a file of the host shows inside, at a place made for it",
        lambda b, a: gained(b, a) == [f"{a.root}/etc/hosts"],
    ),
    calls.MakeDevice: ("a device exists", new_file("null")),
    calls.MakeLink: ("a link exists", new_file("fd")),
    calls.MakeDirectory: ("a directory exists, and its parent", new_file("srv/app")),
    calls.OpenConsole: (
        "a terminal is the three streams, and /dev/console shows it",
        lambda b, a: (
            a.task.streams == ("pts",) * 3 and gained(b, a) == [f"{a.root}/dev/console"]
        ),
    ),
    calls.RaiseLoopback: (
        "lo is up, in its own network only",
        lambda b, a: (
            a.world.links[a.task.namespaces["network"], "lo"].is_up
            and not b.world.links[b.task.namespaces["network"], "lo"].is_up
        ),
    ),
    calls.WriteSysctl: (
        "a setting holds in one namespace",
        lambda b, a: len(a.world.settings) == len(b.world.settings) + 1,
    ),
    calls.PivotRoot: (
        "paths begin at the container's root, and the host's mounts are out of reach",
        lambda b, a: (
            a.rows[0].filesystem == "overlay"
            and len(a.rows) < len(b.rows)
            and host(a) == host(b)
        ),
    ),
    calls.ReopenStreams: (
        "no stream is the host's null",
        lambda b, a: "null" not in a.task.streams,
    ),
    calls.RemountReadonly: (
        "the root refuses writes",
        lambda b, a: (b.rows[0].flags[0], a.rows[0].flags[0]) == ("rw", "ro"),
    ),
    calls.MakeReadonly: (
        "a path lies on itself, read-only",
        lambda b, a: gained(b, a) == ["/proc/bus"] and a.rows[-1].flags[0] == "ro",
    ),
    calls.Mask: (
        "an empty directory lies over it",
        lambda b, a: (
            gained(b, a) == ["/proc/acpi"] and a.world.trees[a.rows[-1].tree].keys() == {""}
        ),
    ),
    calls.SetHostname: (
        "its UTS namespace has a name, the host keeps its own",
        lambda b, a: sorted(a.world.hostnames.values()) == ["contract", "host"],
    ),
    calls.SetUmask: (
        "new files lack these bits",
        lambda b, a: (b.task.umask, a.task.umask) == (0, 0o022),
    ),
    calls.LimitResource: (
        "a limit is set for this process",
        lambda b, a: (
            a.task.limits["nofile"] == (256, 512) and b.task.limits["nofile"] != (256, 512)
        ),
    ),
    calls.AdjustOomScore: (
        "its badness is known",
        lambda b, a: (b.task.oom_score, a.task.oom_score) == (0, 300),
    ),
    calls.AnnounceReady: (
        "it is ready, and nothing else has changed",
        lambda b, a: a.task.is_ready and not b.task.is_ready,
    ),
    calls.CloseDescriptors: (
        "no handle on the host is left",
        lambda b, a: b.task.handles != () and a.task.handles == (),
    ),
    calls.ChangeDirectory: (
        "it works in a directory",
        lambda b, a: (b.task.directory, a.task.directory) == ("/", "/srv/app"),
    ),
    calls.DropBoundingSet: (
        "what is not kept can never come back, what is held is held still",
        lambda b, a: (
            a.task.powers.bounding == 0xA80425FB
            and a.task.powers.permitted == b.task.powers.permitted
        ),
    ),
    calls.BecomeUser: (
        "it is somebody else, powerless until it asks for what it may have",
        lambda b, a: (
            a.task.uids == (9,) * 4
            and a.task.powers.effective == 0 < a.task.powers.permitted
        ),
    ),
    calls.SetCapabilities: (
        "permitted and effective are what was left to it",
        lambda b, a: (a.task.powers.permitted, a.task.powers.effective) == (0, 0),
    ),
    calls.ForbidNewPrivileges: (
        "no program can gain anything",
        lambda b, a: a.task.no_new_privileges and not b.task.no_new_privileges,
    ),
    calls.InstallSeccomp: (
        "one filter of one instruction judges it",
        lambda b, a: (b.task.filters, a.task.filters) == ((), (1,)),
    ),
    MakeBridge: (
        "the host has a switch, and forwards",
        lambda b, a: (
            len(links(a) - links(b)) == 1
            and "1" in {v for (_, k), v in a.world.settings.items() if "ip_forward" in k}
        ),
    ),
    RemoveLink: ("the switch is gone", lambda b, a: len(links(b) - links(a)) == 1),
    MakeSandbox: (
        "a network waits with lo alone, held by the plan",
        lambda b, a: links(a, SANDBOX) == {"lo"} and len(a.world.held) == 1,
    ),
    FindSandbox: (
        "the plan holds the network in which the process lives",
        lambda b, a: a.sandboxes[SANDBOX] in a.world.held and b.world.held == {},
    ),
    Plug: (
        "a cable has one end here and one there",
        lambda b, a: (
            links(a, SANDBOX) - links(b, SANDBOX) == {"eth0"}
            and len(links(a) - links(b)) == 1
        ),
    ),
    Unplug: (
        "both ends of the cable are gone",
        lambda b, a: (
            links(b, SANDBOX) - links(a, SANDBOX) == {"eth1"}
            and len(links(b) - links(a)) == 1
        ),
    ),
    Route: (
        "the way out leads over the gateway",
        lambda b, a: (
            [row.ways for row in a.world.links.values() if row.ways] == [("100.64.64.1",)]
        ),
    ),
    OpenNames: (
        "the host and the sandbox are as before: a desk is the engine's own",
        lambda b, a: links(a, SANDBOX) == links(b, SANDBOX) and links(a) == links(b),
    ),
    MakeTable: (
        "there is a table",
        lambda b, a: len(a.world.rules) - len(b.world.rules) == 1,
    ),
    RemoveTable: (
        "there is none",
        lambda b, a: len(b.world.rules) - len(a.world.rules) == 1,
    ),
    AddElements: ("its set has one more", lambda b, a: members(a) - members(b) == 1),
    DropElements: ("its set has one less", lambda b, a: members(b) - members(a) == 1),
    BindPort: (
        "the port leads to the container",
        lambda b, a: (
            b.world.ports == {}
            and a.world.ports == {("tcp", "127.0.0.1", 18999): ("100.64.64.2", 80)}
        ),
    ),
    ReleasePort: (
        "the port is free",
        lambda b, a: len(b.world.ports) == 1 and not a.world.ports,
    ),
    calls.HoldTree: (
        "it has a handle on a tree of the host, and no mount more",
        lambda b, a: (
            set(a.task.handles) - set(b.task.handles) == {"tree"} and gained(b, a) == []
        ),
    ),
    calls.BorrowTree: (
        "it has a handle on a tree of somebody else, and no mount more",
        lambda b, a: (
            set(a.task.handles) - set(b.task.handles) == {"tree"} and gained(b, a) == []
        ),
    ),
    JoinSandbox: (
        "the process lives in the network that was wired",
        lambda b, a: a.task.namespaces["network"] == b.sandboxes[SANDBOX],
    ),
    calls.Execute: (
        "the process is a program with the argv and the environment of the plan",
        lambda b, a: a.task.role == "program" and a.task.argv == ("sleep", "1000"),
    ),
}


def host(stage: Stage) -> list[str]:
    """The mount table that the host sees."""
    world = stage.world
    rows = world.mounts[world.tasks[ENGINE].namespaces["mount"]]
    return [row.target for row in rows]


def test_every_verb_has_its_sentence() -> None:
    assert set(SENTENCES) == set(get_args(Call))


@pytest.mark.parametrize(
    "verb", [pytest.param(v, id=f"{v.__name__}: {s}") for v, (s, _) in SENTENCES.items()]
)
def test_what_a_verb_does(verb: type[Call]) -> None:
    before, after = around(verb)
    _, is_seen = SENTENCES[verb]
    assert is_seen(before, after)


@pytest.mark.parametrize("verb", SENTENCES)
def test_a_verb_changes_a_copy(verb: type[Call]) -> None:
    """The world before is untouched: it can be shown again, or gone back to."""
    before, _ = around(verb)
    again, _ = around(verb)
    for table in fields(World):
        assert getattr(before.world, table.name) == getattr(again.world, table.name)
