"""The fold: one story, one world at every moment."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.events.journal import Record, record_kinds
from pyminidock.viz.painters.text import paint
from pyminidock.viz.things import CEILING, EMPTY, Process, World
from pyminidock.viz.views.birth import birth
from pyminidock.viz.world import fold, fold_all
from tests.viz.story import BIRTH, CREATE, DECIDE, HOST_PID, ID, KEPT, LIFE, STORY, recorded


def after(*heard: Event) -> World:
    return fold_all(recorded(heard))


def until(kind: type[Event]) -> World:
    """Give the world right after the last event of this class."""
    last = max(n for n, event in enumerate(STORY) if isinstance(event, kind))
    return after(*STORY[: last + 1])


def init_of(world: World) -> Process:
    return world.processes[f"{ID}/init"]


def test_the_family_is_engine_shim_and_init() -> None:
    world = until(e.InitForked)
    init, shim = init_of(world), world.processes[f"{ID}/shim"]
    assert (init.parent, shim.parent) == (shim.id, "engine")
    assert (init.pid, shim.pid) == (HOST_PID, 4700)
    assert init.state == "being made"


def test_a_process_that_became_no_program_has_ended_though_its_container_started() -> None:
    before = [event for event in BIRTH if not isinstance(event, e.ProgramExecuted)]
    refused = e.ProgramNotExecuted(("/notes",), 8, "exec format error")
    world = after(*CREATE, *DECIDE, *before, refused, e.ContainerStarted(ID, HOST_PID))
    assert (init_of(world).state, init_of(world).command) == ("exited", ("/notes",))
    assert world.containers[ID].state == "running"


def test_what_the_shim_enters_before_the_fork_its_child_owns() -> None:
    before = until(e.ShimForked)
    assert before.processes[f"{ID}/shim"].for_children == ()
    world = until(e.InitForked)
    assert world.processes[f"{ID}/shim"].for_children == ("pid",)
    assert world.processes[f"{ID}/shim"].namespaces["pid"].owner == "host"
    owners = {kind: each.owner for kind, each in init_of(world).namespaces.items()}
    assert [kind for kind, owner in owners.items() if owner == "own"] == ["pid"]


def test_a_born_container_shares_only_the_user_namespace() -> None:
    world = until(e.IsolationObserved)
    owners = {kind: each.owner for kind, each in init_of(world).namespaces.items()}
    assert [kind for kind, owner in owners.items() if owner == "host"] == ["user"]
    assert init_of(world).namespaces["mount"].inode == "4026532600"


@pytest.mark.parametrize("reader", ["an exec", "somebody later", "of the story"])
def test_what_is_seen_of_a_process_that_is_gone_makes_no_other(reader: str) -> None:
    asked = e.RequestReceived("POST", "/exec/77/start")
    assert isinstance(LIFE[0], e.IsolationObserved)
    seen = replace(LIFE[0], pid=91)  # it had ended, and was taken out, before this was told
    before = after(*CREATE, *DECIDE, *BIRTH, *LIFE[:2])
    gone = (asked, e.ShimForked(90), e.InitForked(91), e.ExecStarted(ID, "77", 91),
            e.ExecExited(ID, "77", 0))  # fmt: skip
    told = {"an exec": (*gone, seen), "somebody later": (asked, seen),
            "of the story": (seen,)}[reader]  # fmt: skip
    world = fold_all(recorded(told, start=500), before)
    assert world.processes == before.processes


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (e.SnapshotPrepared, "snapshot"), (e.OverlayPrepared, "prepared"),
        (e.RootAttached, "attached"), (e.RootPivoted, "pivoted"),
        (e.ContainerExited, "gone"), (e.SnapshotRemoved, "removed"),
    ],
)  # fmt: skip
def test_how_far_the_root_has_come(kind: type[Event], state: str) -> None:
    container = until(kind).container
    assert container
    assert container.root.state == state


def test_mounts_are_listed_in_order_with_what_was_done_to_them() -> None:
    container = until(e.HostnameSet).container
    assert container
    mounts = sorted(container.mounts.values(), key=lambda each: each.order)
    assert [m.target for m in mounts[:3]] == ["/", "/proc", "/dev"]
    assert container.mounts["/proc/keys"].what == "mask"
    assert container.mounts["/proc/sys"].is_readonly
    assert "/proc/bus" not in container.mounts, "it was absent"
    assert "/proc/asound" not in container.mounts, "it was absent"


def test_a_second_mount_on_a_path_hides_the_first_and_a_remount_closes_the_seen_one() -> (
    None
):
    one = e.Mounted("tmpfs", "first", "/run")
    two = e.Mounted("tmpfs", "second", "/run")
    container = after(*CREATE, one, two, e.RemountedReadonly("/run")).container
    assert container
    told = {m.source: m.is_readonly for m in container.mounts.values()}
    assert told == {"first": False, "second": True}


def test_powers_say_how_we_know() -> None:
    traits = init_of(until(e.ContainerStarted)).traits
    assert traits["capabilities"].evidence == "planned"
    assert traits["dies with shim"].evidence == "acknowledged"
    assert traits["CapEff"].evidence == "observed"
    assert (
        traits["capabilities"].value == f"{len(KEPT)}: chown kill net_bind_service setpcap"
    )
    assert traits["user"].value == "0:0 groups 0,10"


def test_what_execve_takes_back_is_a_power_no_longer() -> None:
    assert "tracers" in init_of(until(e.CapabilitiesSet)).traits
    assert "tracers" not in init_of(until(e.ProgramExecuted)).traits


def test_a_device_that_hides_a_file_is_mounted_as_it_is_and_an_empty_directory_not() -> (
    None
):
    masks = (
        e.PathMasked("/proc/keys", "null"),
        e.PathMasked("/proc/acpi", "empty directory"),
    )
    container = after(*CREATE, *masks).container
    assert container
    closed = {path: mount.is_readonly for path, mount in container.mounts.items()}
    assert closed == {"/proc/keys": False, "/proc/acpi": True}


def test_the_console_of_a_birth_is_a_mount_and_that_of_an_exec_is_not() -> None:
    console = e.ConsoleOpened("/dev/console")
    at_birth = after(*CREATE, console, e.ContainerStarted(ID, HOST_PID))
    assert at_birth.container
    assert list(at_birth.container.mounts) == ["/dev/console"]
    later = after(*CREATE, e.ContainerStarted(ID, HOST_PID), console)
    assert later.container
    assert not later.container.mounts


def test_rules_for_devices_add_up() -> None:
    path = "/sys/fs/cgroup/devices/minidock-ab/c1"
    rules = (("deny", "a"), ("allow", "c 1:3 rwm"), ("allow", "c 1:5 rwm"))
    limits = [e.CgroupLimited(path, f"devices.{file}", value) for file, value in rules]
    world = after(*CREATE, e.CgroupCreated(path), *limits)
    assert world.container
    (account,) = world.container.cgroups.values()
    assert account.limits["devices.allow"] == "c 1:3 rwm, c 1:5 rwm"
    shown = paint(birth(world), 100)
    assert "Account devices: devices.allow 2 rules, devices.deny a" in shown


def test_an_account_has_limits_and_members_until_it_is_closed() -> None:
    container = until(e.ContainerStarted).container
    assert container
    (cgroup,) = container.cgroups.values()
    assert cgroup.limits == {"memory.limit_in_bytes": "67108864"}
    assert cgroup.members == (f"{ID}/init",)
    closed = until(e.CgroupRemoved).container
    assert closed
    assert not closed.cgroups


def test_an_exec_joins_the_namespaces_of_the_first_process() -> None:
    joined = [e.NamespaceEntered(kind, True, HOST_PID) for kind in ("ipc", "pid")]
    asked = e.RequestReceived("POST", "/exec/77/start")
    world = after(
        *CREATE, *DECIDE, *BIRTH, *LIFE[:2], e.ExecCreated(ID, "77", ("ls",)), asked,
        e.ShimForked(90), *joined, e.InitForked(91),
        e.NamespaceEntered("mount", True, HOST_PID), e.UmaskSet(0o22),
        e.ExecStarted(ID, "77", 91),
    )  # fmt: skip
    (process,) = [each for each in world.processes.values() if each.role == "exec"]
    owners = {kind: each.owner for kind, each in process.namespaces.items()}
    assert owners["pid"] == owners["ipc"] == owners["mount"] == "joined"
    assert owners["network"] == "host", "it was not joined"
    assert (process.pid, process.exec, process.state) == (91, "77", "running")
    assert init_of(world).state == "running", "the first process is untouched"
    gone = fold_all(recorded([e.ExecExited(ID, "77", 0)], start=500), world)
    assert {each.role for each in gone.processes.values()} == {"engine", "shim", "init"}
    assert world.processes[f"{ID}/shim"] == gone.processes[f"{ID}/shim"]


def test_a_failed_start_leaves_nothing_but_the_failure() -> None:
    failed = e.ContainerStartFailed(ID, "Mount", "no such device", 127)
    world = after(*CREATE, *DECIDE, *BIRTH[:20], failed)
    container = world.container
    assert container
    assert (container.state, container.exit_code) == ("failed", 127)
    assert not container.mounts
    assert not container.cgroups
    assert set(world.processes) == {"engine"}
    assert world.failures.items[-1].why == "no such device"


def test_a_gate_is_held_until_it_is_released() -> None:
    held = e.GateHeld("g1", 3, "root.pivoted")
    assert after(held).holds["g1"].kind == "root.pivoted"
    assert not after(held, e.GateReleased("g1", "step")).holds


def test_the_story_ends_with_a_record_and_no_process() -> None:
    world = after(*STORY)
    assert world.container
    assert world.container.state == "removed"
    assert set(world.processes) == {"engine"}


def test_a_kind_of_a_newer_engine_becomes_a_note() -> None:
    (record,) = recorded([e.LoopbackRaised()])
    stranger = replace(record, kind="moon.landed", data={"crater": "Tycho"})
    world = fold(EMPTY, stranger)
    assert [step.record.kind for step in world.notes.items] == ["moon.landed"]
    assert world.now == stranger


def test_steps_know_how_deep_they_lie() -> None:
    one, two, three = recorded([e.LoopbackRaised()] * 3)
    nest = [replace(one, parent=0), replace(two, parent=1), replace(three, parent=2)]
    after_it = replace(three, seq=4, parent=1)
    lost = replace(three, seq=5, parent=77)
    levels = [step.level for step in fold_all([*nest, after_it, lost]).steps.items]
    assert levels == [0, 1, 2, 1, 1]


def test_a_container_that_lives_on_is_drawn_as_it_is_now() -> None:
    alive = until(e.ContainerStarted)
    told: list[tuple[Event, str, str]] = [
        (e.ContainerPaused(ID), "paused", "web"),
        (e.ContainerUnpaused(ID), "running", "web"),
        (e.ContainerRenamed(ID, "web", "shop"), "running", "shop"),
        (e.HealthChanged(ID, "healthy"), "running", "shop"),
        (e.RestartScheduled(ID, 1, 100), "restarting", "shop"),
    ]
    world = alive
    for seq, (event, state, name) in enumerate(told, 900):
        world = fold_all(recorded([event], start=seq), world)
        container = world.containers[ID]
        assert (container.state, container.name) == (state, name), event
        assert container.mounts == alive.containers[ID].mounts


def size(thing: object) -> int:
    """Count the leaves of a world."""
    if isinstance(thing, dict):
        return sum(size(each) for each in thing.values())
    if isinstance(thing, tuple):
        return sum(size(each) for each in thing)
    slots = getattr(type(thing), "__slots__", ())
    return sum(size(getattr(thing, name)) for name in slots) if slots else 1


def test_a_world_stays_bounded(at_length: Callable[[int], int]) -> None:
    count = at_length(100_000)
    heard: list[Event] = list(CREATE)
    for n in range(count // 8):
        heard += [
            e.RequestReceived("POST", f"/exec/{n}/start"),
            e.ShimForked(n), e.InitForked(n), e.Mounted("tmpfs", "t", f"/{n}"),
            e.SysctlWritten(f"k{n}", "v"), e.CgroupLimited(f"/c{n}", f"f{n}", "v"),
            e.PathResolved(f"/p{n}", ()), e.GateHeld(f"g{n}", n, "x"),
        ]  # fmt: skip
    world = fold_all(recorded(heard))
    assert size(world) < 60_000
    for held in (world.processes, world.holds, world.paths, world.births):
        assert len(held) <= CEILING


KINDS = st.sampled_from(sorted(record_kinds()))
JUNK = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8), max_size=3)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(recorded()),
            st.builds(lambda r, k, d: replace(r, kind=k, data=d),
                      st.sampled_from(recorded()), KINDS, JUNK),
        ),
        max_size=40,
    ),
    st.integers(0, 40),
)  # fmt: skip
def test_folding_in_two_goes_is_folding_in_one(records: list[Record], cut: int) -> None:
    """Any order, any damage: a world comes out, and only the sequence decides which."""
    first = fold_all(records[:cut])
    assert fold_all(records[cut:], first) == fold_all(records)


def test_every_kind_has_a_place_in_the_world() -> None:
    assert {type(event) for event in STORY} <= set(record_kinds().values())
    assert fold_all(recorded()) == fold_all(recorded())
