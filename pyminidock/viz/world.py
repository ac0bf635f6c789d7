"""How a list of events becomes a picture of one moment.

`fold` takes a world and the next record and gives the next world.  It looks at nothing
else, so folding a story again gives the same worlds, in a terminal, a notebook or a test.

A world is bounded: every map has a ceiling, beyond which the oldest entry is forgotten.
Kinds that a newer engine invented become notes.  What one effect leaves behind is told in
`effects`, who the process being made is, in `processes`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from typing import assert_never, cast

from pyminidock import events as e
from pyminidock.events import AnyEvent
from pyminidock.events.journal import Record, event_of
from pyminidock.viz.buildsteps import BuildEvent, build_after
from pyminidock.viz.cabling import cabled_after
from pyminidock.viz.effects import trait_of, tree_after
from pyminidock.viz.lifecycle import LifecycleEvent, container_after
from pyminidock.viz.processes import (
    exited,
    process_after,
    running,
    with_trait,
    without_processes,
)
from pyminidock.viz.seeking import union_after
from pyminidock.viz.spending import Clock, clock_after
from pyminidock.viz.things import (
    CEILING,
    EMPTY,
    Container,
    Failure,
    Hold,
    Root,
    Step,
    World,
    Written,
    bounded,
)
from pyminidock.viz.wiring import wired_after


def fold_all(records: Iterable[Record], world: World = EMPTY) -> World:
    """Fold a whole story."""
    return reduce(fold, records, world)


def fold(world: World, record: Record) -> World:
    """Give the world after `record`.  Never fails: what is unknown becomes a note."""
    step = Step(record, _level(world, record), part_of(world, record))
    world = replace(
        world, story=record.story, backend=record.backend, steps=world.steps.add(step),
        clock=_clock(world, record, step.part),
    )  # fmt: skip
    event = cast("AnyEvent | None", event_of(record))
    if event is None:
        return replace(world, notes=world.notes.add(step))
    wires = wired_after(world.wires, record.seq, event)
    if wires is not world.wires:
        world = replace(world, wires=wires)
    union = union_after(world.union, record, event)
    if union is not world.union:
        world = replace(world, union=union)
    return _told(world, record, event)


def _clock(world: World, record: Record, part: str) -> Clock:
    """Let the clock go on by one event."""
    container = world.container
    text = record.data.get("text", "") if record.kind == "step.started" else ""
    return clock_after(
        world.clock, record, part, is_held=bool(world.holds),
        state=container.state if container else "",
        text=text if isinstance(text, str) else "",
    )  # fmt: skip


def _level(world: World, record: Record) -> int:
    """Say how deep a step lies: one deeper than the step that encloses it."""
    if not record.parent:
        return 0
    for step in reversed(world.steps.items):
        if step.record.seq == record.parent:
            return step.level + 1
        if step.record.parent == record.parent:
            return step.level
    return 1  # its parent was forgotten


def part_of(world: World, record: Record) -> str:
    """Name the part of the story that a step belongs to.

    That is an operation and its phase; in a build it is the instruction, with all that is
    done for it, and the image of a stage goes with the last instruction before it.
    """
    before = world.steps.items[-1].part if world.steps.items else ""
    is_within = record.parent or record.kind == "image.built"
    if is_within and before.startswith("step "):
        return before
    if record.kind in ("step.started", "step.skipped", "step.finished"):
        return f"step {record.data.get('step', '')}"
    return " · ".join(word for word in (record.operation, record.phase) if word)


def _told(  # noqa: PLR0911  (one line per part of the world)
    world: World, record: Record, event: AnyEvent
) -> World:
    """Hand each event to the part of the world it is about."""
    match event:
        case (
            e.PathIgnored() | e.ContextReceived() | e.InstructionParsed() | e.StepStarted()
            | e.StepSkipped() | e.CacheHit() | e.CacheMissed() | e.ConfigChanged()
            | e.FileCopied() | e.FileChanged() | e.FilesOmitted() | e.StepPrinted()
            | e.LayerFound() | e.LayerCommitted() | e.LayerUnpacked() | e.LayerReused()
            | e.StepFinished() | e.ImageBuilt() | e.ImageTagged() | e.ImageLoaded()
            | e.BuildFailed()
        ):  # fmt: skip
            return _built(world, record, event)
        case (
            e.RequestReceived() | e.RequestRefused() | e.GateHeld() | e.GateReleased()
            | e.EventsDropped() | e.JournalDropped() | e.OrphanRemoved()
            | e.ShortfallFound() | e.LayerProbed() | e.PathResolved()
            | e.CallAnswered() | e.PathCopiedUp() | e.WhiteoutMade()
            | e.OpaqueMade() | e.RedirectMade()
            | e.WatchBegan() | e.WatchEnded() | e.FilesMissed() | e.FileNoticed()
            | e.CallNoticed()
            | e.ArchiveWarned() | e.ImageSaved() | e.ImageUntagged() | e.ImageRemoved()
            | e.LayersRemoved() | e.StoreRepaired() | e.ImageImported()
            | e.ImagesPruned() | e.CachePruned() | e.ContainersPruned() | e.NameAsked()
            | e.TreeHeld() | e.VolumeCreated() | e.VolumePopulated() | e.VolumeMounted()
            | e.VolumeUnmounted() | e.VolumeRemoved() | e.VolumesPruned()
            | e.HostDirectoryMade()
            | e.NetworkCreated() | e.NetworkRemoved() | e.NetworksPruned()
            | e.NetworkJoined() | e.NetworkLeft() | e.EndpointMade()
            | e.EndpointReleased()
            | e.HopPassed() | e.RequestDied() | e.RequestArrived() | e.RequestProved()
        ):  # fmt: skip
            return _around(world, record, event)
        case (
            e.ImageFound() | e.SnapshotPrepared() | e.SnapshotRemoved()
            | e.ContainerCreated() | e.UserResolved() | e.SpecResolved() | e.PlanMade()
            | e.ContainerStarted() | e.ContainerStartFailed() | e.ContainerExited()
            | e.ContainerWrote() | e.ContainerSignalled() | e.ContainerRemoved()
        ):  # fmt: skip
            return _life(world, record, event)
        case (
            e.ContainerStopped() | e.ContainerPaused() | e.ContainerUnpaused()
            | e.ContainerRestarted() | e.RestartScheduled() | e.ContainerRenamed()
            | e.ContainerUpdated() | e.ContainerAttached() | e.ContainerDetached()
            | e.TerminalResized() | e.MemoryExhausted() | e.ExecDetached()
            | e.HealthProbed() | e.HealthChanged() | e.ContainerExported()
            | e.PathArchived() | e.PathExtracted() | e.ContainerCommitted()
            | e.ProcessesListed()
        ):  # fmt: skip
            return _later(world, record, event)
        case (
            e.ExecCreated() | e.ExecStarted() | e.ExecStartFailed() | e.ExecExited()
            | e.IsolationObserved() | e.IsolationUnobserved() | e.ShimForked()
            | e.InitForked() | e.NamespaceEntered() | e.ProgramExecuted()
            | e.ProgramNotExecuted() | e.CgroupJoined() | e.SandboxJoined()
        ):  # fmt: skip
            return process_after(world, record, event)
        case (
            e.CgroupCreated() | e.CgroupLimited() | e.DevicesFiltered() | e.CgroupRemoved()
            | e.OverlayPrepared() | e.RootAttached() | e.RootPivoted() | e.Mounted()
            | e.BindMounted() | e.RemountedReadonly() | e.PathMadeReadonly()
            | e.PathMasked() | e.DirectoryMade() | e.DeviceMade() | e.LinkMade()
            | e.ConsoleOpened() | e.HostnameSet() | e.SysctlWritten() | e.LoopbackRaised()
        ):  # fmt: skip
            return _changed(world, record, lambda c: tree_after(c, record.seq, event))
        case (
            e.BridgeMade()
            | e.InterfaceRemoved()
            | e.RulesMade()
            | e.RulesRemoved()
            | e.ElementsAdded()
            | e.ElementsDropped()
        ):  # fmt: skip  (they are nobody's own)
            return world
        case (
            e.SandboxMade() | e.SandboxFound() | e.EndpointPlugged()
            | e.EndpointUnplugged() | e.GatewayChosen() | e.PortBound()
            | e.PortReleased()
            | e.NamesOpened()
        ):  # fmt: skip
            return _changed(world, record, lambda c: cabled_after(c, event))
        case (
            e.TracersRefused() | e.ParentDeathBound() | e.KeyringJoined()
            | e.PropagationSet() | e.StreamsReopened() | e.UmaskSet()
            | e.ResourceLimited() | e.OomScoreAdjusted() | e.BirthReady()
            | e.DescriptorsClosed() | e.WorkingDirectoryEntered()
            | e.BoundingSetDropped() | e.UserTaken() | e.CapabilitiesSet()
            | e.NewPrivilegesForbidden() | e.SeccompInstalled()
        ):  # fmt: skip
            return with_trait(world, record, *trait_of(event))
        case _:
            assert_never(event)


_Around = (
    e.RequestReceived | e.RequestRefused | e.GateHeld | e.GateReleased | e.EventsDropped
    | e.JournalDropped | e.OrphanRemoved | e.ShortfallFound | e.LayerProbed
    | e.CallAnswered | e.PathCopiedUp | e.WhiteoutMade | e.OpaqueMade | e.RedirectMade
    | e.WatchBegan | e.WatchEnded | e.FileNoticed | e.CallNoticed | e.FilesMissed
    | e.PathResolved | e.ArchiveWarned | e.ImageSaved | e.ImageUntagged | e.ImageRemoved
    | e.LayersRemoved | e.StoreRepaired | e.ImageImported | e.ImagesPruned
    | e.CachePruned | e.ContainersPruned | e.NameAsked
    | e.TreeHeld | e.VolumeCreated
    | e.VolumePopulated | e.VolumeMounted | e.VolumeUnmounted | e.VolumeRemoved
    | e.VolumesPruned | e.HostDirectoryMade
    | e.CachePruned | e.ContainersPruned | e.NameAsked | e.NetworkCreated | e.NetworkRemoved
    | e.NetworksPruned | e.NetworkJoined | e.NetworkLeft | e.EndpointMade
    | e.EndpointReleased
    | e.HopPassed | e.RequestDied | e.RequestArrived | e.RequestProved
)  # fmt: skip


def _built(world: World, record: Record, event: BuildEvent) -> World:
    """What happened to the image that is being made."""
    world = replace(world, build=build_after(world.build, record, event))
    if isinstance(event, e.BuildFailed):
        failure = Failure(record.seq, event.text, f"at step {event.step}")
        return replace(world, failures=world.failures.add(failure))
    return world


def _around(world: World, record: Record, event: _Around) -> World:
    """What happened beside the container: requests, gates, lookups, losses."""
    match event:
        case e.RequestRefused(status, what):
            failure = Failure(record.seq, what, f"status {status}")
            return replace(world, failures=world.failures.add(failure))
        case e.GateHeld(gate, at, kind):
            hold = Hold(at, kind, record.seq)
            return replace(world, holds=bounded(world.holds, gate, hold))
        case e.GateReleased(gate, _):
            holds = {key: hold for key, hold in world.holds.items() if key != gate}
            return replace(world, holds=holds)
        case e.PathResolved(path, layers):
            # The only map without an order of its own: what is forgotten is a name.
            kept = dict(sorted(world.paths.items())[-CEILING + 1 :])
            return replace(world, paths=kept | {path: " + ".join(layers) or "absent"})
        case (
            e.EventsDropped() | e.JournalDropped() | e.OrphanRemoved()
            | e.ShortfallFound() | e.ArchiveWarned() | e.StoreRepaired()
            | e.WatchEnded() | e.FilesMissed()
        ):  # fmt: skip
            return replace(world, notes=world.notes.add(world.steps.items[-1]))
        case (
            e.RequestReceived() | e.LayerProbed() | e.ImageSaved() | e.ImageUntagged()
            | e.CallAnswered() | e.PathCopiedUp() | e.WhiteoutMade()
            | e.OpaqueMade() | e.RedirectMade()
            | e.WatchBegan() | e.FileNoticed() | e.CallNoticed()
            | e.ImageRemoved() | e.LayersRemoved() | e.ImageImported()
            | e.ImagesPruned() | e.CachePruned() | e.ContainersPruned() | e.NameAsked()
            | e.TreeHeld() | e.VolumeCreated() | e.VolumePopulated() | e.VolumeMounted()
            | e.VolumeUnmounted() | e.VolumeRemoved() | e.VolumesPruned()
            | e.HostDirectoryMade()
            | e.NetworkCreated() | e.NetworkRemoved() | e.NetworksPruned()
            | e.NetworkJoined() | e.NetworkLeft() | e.EndpointMade()
            | e.EndpointReleased()
            | e.HopPassed() | e.RequestDied() | e.RequestArrived() | e.RequestProved()
        ):  # fmt: skip
            return world
        case _:
            assert_never(event)


_Life = (
    e.ImageFound | e.SnapshotPrepared | e.SnapshotRemoved | e.ContainerCreated
    | e.UserResolved | e.SpecResolved | e.PlanMade | e.ContainerStarted
    | e.ContainerStartFailed | e.ContainerExited | e.ContainerWrote
    | e.ContainerSignalled | e.ContainerRemoved
)  # fmt: skip


def _life(world: World, record: Record, event: _Life) -> World:  # noqa: PLR0912  (a table)
    """The container as a record: created, decided, started, ended, removed."""
    seq = record.seq
    match event:
        case e.ImageFound(name, _, _, stand_in, _):
            kept = dict(sorted(world.images.items())[-CEILING + 1 :])
            return replace(world, images=kept | {name: stand_in})
        case e.UserResolved() | e.ContainerSignalled():
            return world
        case e.ContainerCreated(container, name, image, command):
            made = replace(
                _container(world, container, seq), name=name, image=image,
                command=command, stand_in=world.images.get(image, ""), state="created",
            )  # fmt: skip
        case e.SnapshotPrepared(container, lower, upper, work):
            root = Root("snapshot", lower, upper, work, "", seq)
            made = replace(_container(world, container, seq), root=root)
        case e.SnapshotRemoved(container):
            before = _container(world, container, seq)
            lower = before.root.lower  # what is shared stays
            made = replace(before, root=Root("removed", lower, changed=seq))
        case e.SpecResolved(container):
            made = replace(
                _container(world, container, seq),
                command=event.command,
                state="starting",
            )
        case e.PlanMade(container, calls, _):
            made = replace(_container(world, container, seq), planned_calls=calls)
        case e.ContainerStarted(container, pid):
            made = replace(_container(world, container, seq), state="running")
            world = running(world, record, container, pid)
        case e.ContainerStartFailed(container, verb, reason, exit_code):
            undone = _undone(_container(world, container, seq), "failed", exit_code)
            made = replace(undone, made={}, cgroups={}, settings={})
            failure = Failure(seq, f"start refused at {verb}", reason)
            world = replace(
                without_processes(world, container), failures=world.failures.add(failure)
            )
        case e.ContainerExited(container, exit_code, _, was_out_of_memory):
            ended = _undone(_container(world, container, seq), "exited", exit_code)
            made = replace(ended, was_out_of_memory=was_out_of_memory)
            world = exited(world, record, container)
        case e.ContainerWrote(container, upper, names, more, is_all):
            before = _container(world, container, seq)
            made = replace(
                before, root=replace(before.root, upper=upper),
                written=tuple(Written(*name) for name in names[:CEILING]),
                written_more=more, is_all_written=is_all,
            )  # fmt: skip
        case e.ContainerRemoved(container, _):
            made = replace(_container(world, container, seq), state="removed")
            world = without_processes(world, container)
        case _:
            assert_never(event)
    return _with_container(world, made, seq)


def _later(world: World, record: Record, event: LifecycleEvent) -> World:
    """The container as it lives on: paused, renamed, to be restarted."""
    before = _container(world, event.container, record.seq)
    after = container_after(before, event)
    return world if after == before else _with_container(world, after, record.seq)


def _container(world: World, container: str, seq: int) -> Container:
    return world.containers.get(container, Container(container, seq, seq))


def _with_container(world: World, container: Container, seq: int) -> World:
    container = replace(container, changed=seq)
    containers = bounded(world.containers, container.id, container)
    return replace(world, containers=containers, current=container.id)


def _changed(
    world: World, record: Record, change: Callable[[Container], Container]
) -> World:
    """Change the container that the story is about; a story cut at its head has none."""
    seq = record.seq
    container = _container(world, world.current or record.story, seq)
    return _with_container(world, change(container), seq)


def _undone(container: Container, state: str, exit_code: int) -> Container:
    """The mount namespace died with its last process, and all its mounts with it."""
    root = replace(container.root, state="gone")
    return replace(container, state=state, exit_code=exit_code, root=root, mounts={})
