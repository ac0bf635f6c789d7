"""A wrapper around any body of the door: each answer becomes one effect event.

Effects are told here and nowhere else, so an event cannot exist without its call, and a
call that is taken out of a body takes its event with it.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import assert_never

from pyminidock import events
from pyminidock.events import Emit, Witness, ignore
from pyminidock.kernel import calls
from pyminidock.kernel.attempts import Attempt, Attempted, Listening, Rehearsal, Rehearsed
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.nametalk import Clerk
from pyminidock.kernel.netanswers import NetFacts
from pyminidock.kernel.netcalls import NetCall
from pyminidock.kernel.neteffects import net_effect_of
from pyminidock.kernel.port import (
    Body,
    Capability,
    ExitStatus,
    HostMount,
    Isolation,
    Listing,
    Machine,
    MountSpread,
    Process,
    Streams,
    Tree,
    Usage,
    View,
)
from pyminidock.kernel.portcalls import SiftCall
from pyminidock.kernel.rules import FoundTable
from pyminidock.kernel.sifteffects import sift_effect_of

_MASKED_BY = {0: "absent", 1: "null", 2: "empty directory"}


def effect_of(call: Call, value: int = 0) -> events.AnyEvent:  # noqa: PLR0911, PLR0912
    """Say what an answered call did.  One line per verb; `value` as in port.Answer."""
    if isinstance(call, NetCall):
        return net_effect_of(call)
    if isinstance(call, SiftCall):
        return sift_effect_of(call)
    match call:
        case calls.MakeCgroup(path):
            return events.CgroupCreated(path)
        case calls.LimitCgroup(path, file, text):
            return events.CgroupLimited(path, file, text)
        case calls.FilterDevices(path, program):
            return events.DevicesFiltered(path, len(program) // 8)
        case calls.RemoveCgroup(path):
            return events.CgroupRemoved(path)
        case calls.PrepareOverlay(lower, upper, work, flags):
            return events.OverlayPrepared(lower, upper, work, flags)
        case calls.ForkShim():
            return events.ShimForked(value)
        case calls.EnterNamespace(namespace):
            return events.NamespaceEntered(namespace)
        case calls.JoinNamespace(namespace, pid, _):
            return events.NamespaceEntered(namespace, was_joined=True, of=pid)
        case calls.ForkInit():
            return events.InitForked(value)
        case calls.JoinCgroup(path):
            return events.CgroupJoined(path)
        case calls.RefuseTracers():
            return events.TracersRefused()
        case calls.DieWithParent():
            return events.ParentDeathBound()
        case calls.JoinKeyring(name):
            return events.KeyringJoined(name, has_keys=value == 0)
        case calls.SetPropagation(target, propagation, is_recursive):
            return events.PropagationSet(target, propagation, is_recursive)
        case calls.AttachRoot(target):
            return events.RootAttached(target)
        case calls.MakeDirectory(path, mode):
            return events.DirectoryMade(path, mode)
        case calls.Mount(filesystem, source, target, flags, options, _):
            return events.Mounted(filesystem, source, target, flags, options)
        case calls.Bind(source, target, flags, propagation, _, _, below):
            return events.BindMounted(
                f"{source}/{below}" if below else source,
                target,
                flags,
                _spread(propagation),
            )
        case calls.HoldTree(source):
            return events.TreeHeld(source)
        case calls.BorrowTree():
            return events.TreeHeld(call.source)
        case calls.MakeDevice(path, major, minor, mode, uid, gid, is_block):
            return events.DeviceMade(path, major, minor, mode, is_block, uid, gid)
        case calls.MakeLink(path, points_to):
            return events.LinkMade(path, points_to)
        case calls.OpenConsole():
            return events.ConsoleOpened("/dev/console")
        case calls.RaiseLoopback():
            return events.LoopbackRaised()
        case calls.PivotRoot():
            return events.RootPivoted("/")
        case calls.ReopenStreams():
            return events.StreamsReopened()
        case calls.RemountReadonly(target):
            return events.RemountedReadonly(target)
        case calls.MakeReadonly(path):
            return events.PathMadeReadonly(path, was_present=value > 0)
        case calls.Mask(path):
            return events.PathMasked(path, _MASKED_BY[value])
        case calls.SetHostname(hostname):
            return events.HostnameSet(hostname)
        case calls.WriteSysctl(key, text):
            return events.SysctlWritten(key, text)
        case calls.SetUmask(mask):
            return events.UmaskSet(mask)
        case calls.LimitResource(resource, soft, hard):
            return events.ResourceLimited(resource, soft, hard, was_clamped=value > 0)
        case calls.AdjustOomScore(score):
            return events.OomScoreAdjusted(score, was_refused=value > 0)
        case calls.AnnounceReady():
            return events.BirthReady()
        case calls.CloseDescriptors():
            return events.DescriptorsClosed()
        case calls.ChangeDirectory(path):
            return events.WorkingDirectoryEntered(path)
        case calls.DropBoundingSet(kept):
            return events.BoundingSetDropped(kept)
        case calls.BecomeUser(uid, gid, groups):
            return events.UserTaken(uid, gid, groups)
        case calls.SetCapabilities(capabilities):
            return events.CapabilitiesSet(capabilities)
        case calls.ForbidNewPrivileges():
            return events.NewPrivilegesForbidden()
        case calls.InstallSeccomp(program):
            return events.SeccompInstalled(len(program) // 8)
        case calls.Execute(argv, _) if value:
            return events.ProgramNotExecuted(argv, max(value, 0), _why_not(value))
        case calls.Execute(argv, _):
            return events.ProgramExecuted(argv)
        case _:
            assert_never(call)


def _spread(propagation: str) -> str:
    """Give how later mounts spread, where they do."""
    return "" if propagation in ("private", "rprivate") else propagation


_remembered = lru_cache(maxsize=512)(effect_of)


def _effect(call: Call, value: int) -> events.AnyEvent:
    """Say what an answered call did, or remember: most are the same for every container.

    What a person typed is not kept a moment longer than needed.
    """
    return effect_of(call, value) if type(call) in _MADE_ANEW else _remembered(call, value)


_MADE_ANEW = {
    calls.Execute,
    # Never the same for two containers, and soon made:
    calls.MakeCgroup, calls.LimitCgroup, calls.RemoveCgroup, calls.JoinCgroup,
    calls.PrepareOverlay, calls.ForkShim, calls.ForkInit, calls.JoinKeyring,
}  # fmt: skip


def _why_not(value: int) -> str:
    return os.strerror(value).lower() if value > 0 else "killed before it was executed"


class Recording:
    """A Kernel made of a Body: same doors, but plans are told as events."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.clock, self.wall = body.clock, body.wall  # asked at every event

    def perform(
        self, plan: Plan, *, emit: Emit = ignore, lockstep: bool = False, watchers: int = 0
    ) -> Process | None:
        """Carry out `plan`, one effect event per call that was answered."""
        witness = emit if isinstance(emit, Witness) else None

        def answer(call: Call, value: int, at: float) -> None:
            if witness:
                witness.happened(_effect(call, value), at)
            else:
                emit(_effect(call, value))

        return self.body.perform(plan, answer=answer, lockstep=lockstep, watchers=watchers)

    def machine(self) -> Machine:
        """See port."""
        return self.body.machine()

    def probe(self) -> tuple[Capability, ...]:
        """See port."""
        return self.body.probe()

    def look(
        self, lower: Sequence[str], upper: str, work: str, paths: Sequence[str]
    ) -> Mapping[str, bytes]:
        """See port."""
        return self.body.look(lower, upper, work, paths)

    def view(
        self, tree: Tree, process: Process | None = None, *, is_writable: bool = False
    ) -> View:
        """See port."""
        return self.body.view(tree, process, is_writable=is_writable)

    def spread(self, path: str) -> MountSpread:
        """See port."""
        return self.body.spread(path)

    def mount(self, wanted: HostMount) -> None:
        """See port."""
        self.body.mount(wanted)

    def unmount(self, target: str) -> None:
        """See port."""
        self.body.unmount(target)

    def wait(self, process: Process, timeout_s: float | None = None) -> ExitStatus | None:
        """See port."""
        return self.body.wait(process, timeout_s)

    def signal(self, process: Process, number: int) -> None:
        """See port."""
        self.body.signal(process, number)

    def resize(self, process: Process, rows: int, columns: int) -> None:
        """See port."""
        self.body.resize(process, rows, columns)

    def attach(self, process: Process) -> Streams:
        """See port."""
        return self.body.attach(process)

    def dismiss(self, process: Process) -> None:
        """See port."""
        self.body.dismiss(process)

    def ring(self, directory: str, bell: Callable[[], object]) -> Callable[[], None]:
        """See port."""
        return self.body.ring(directory, bell)

    def find(self, directory: str) -> Process | None:
        """See port."""
        return self.body.find(directory)

    def observe(self, process: Process, *, briefly: bool = False) -> Isolation:
        """See port."""
        return self.body.observe(process, briefly=briefly)

    def members(self, process: Process) -> tuple[int, ...]:
        """See port."""
        return self.body.members(process)

    def usage(self, process: Process) -> Usage:
        """See port."""
        return self.body.usage(process)

    def list_processes(self, arguments: Sequence[str]) -> Listing:
        """See port."""
        return self.body.list_processes(arguments)

    def is_frozen(self, process: Process) -> bool:
        """See port."""
        return self.body.is_frozen(process)

    def netfacts(self, process: Process | None = None) -> NetFacts:
        """See port."""
        return self.body.netfacts(process)

    def watch_links(self, bell: Callable[[str], object]) -> Callable[[], None]:
        """See port."""
        return self.body.watch_links(bell)

    def rules(self, table: str) -> tuple[FoundTable, ...]:
        """See port."""
        return self.body.rules(table)

    def watch_rules(self, table: str, bell: Callable[[], object]) -> Callable[[], None]:
        """See port."""
        return self.body.watch_rules(table, bell)

    def listening(self, process: Process | None = None) -> tuple[Listening, ...]:
        """See port."""
        return self.body.listening(process)

    def attempt(self, wanted: Attempt, process: Process | None = None) -> Attempted:
        """See port."""
        return self.body.attempt(wanted, process)

    def rehearse(self, wanted: Rehearsal) -> Rehearsed:
        """See port."""
        return self.body.rehearse(wanted)

    def serve_names(self, sandbox: str, clerk: Clerk) -> None:
        """See port."""
        self.body.serve_names(sandbox, clerk)

    def leave_names(self, sandbox: str) -> None:
        """See port."""
        self.body.leave_names(sandbox)

    def new_id(self) -> str:
        """See port."""
        return self.body.new_id()

    def sync(self, path: Path) -> None:
        """See port."""
        self.body.sync(path)

    def close(self) -> None:
        """See port."""
        self.body.close()
