"""Event → words, at three depths: what happened, how or why, which kernel call.

The words themselves are a catalogue of templates (`english`); here is how each event
fills them.  A template may be short of room, so long facts give way in their middle; a
name from inside a container may try to redraw the screen, so whatever is not printable
is spelt out.

>>> from pyminidock.events import HostnameSet
>>> say(HostnameSet("web"), 1)
'The container calls itself web'
>>> say(HostnameSet("web"), 3)
"sethostname(2) 'web'"
"""

import re
from collections.abc import Mapping
from typing import Any, assert_never, cast

from pyminidock import events as e
from pyminidock.events import AnyEvent, Event
from pyminidock.events.base import kind_of
from pyminidock.events.journal import Record, data_of, event_of
from pyminidock.viz import english
from pyminidock.viz.buildwords import several, words_of_build
from pyminidock.viz.processes import account_of
from pyminidock.viz.watchwords import words_of_watch

_ID = re.compile(
    r"(?:\bsha256:)?\b([0-9a-f]{12})[0-9a-f]{52}\b"
)  # ids are shown as 12 digits
_OUTCOMES = {
    "empty": "/empty", "home": "/home", "forwarded": "/forwarded",
    "no answer": "/unheard", "no way out": "/enclosed",
}  # fmt: skip
WIDTHS = {1: 120, 2: 240, 3: 400}  # characters at each depth


_NAMED = 3  # names in one sentence
_NO_SIGNS: Mapping[str, str] = {}
_LIMITS_OF = {"devices": "/device", "freezer": "/freezer"}  # file names that begin so


def say(told: Record | Event, depth: int = 1, signs: Mapping[str, str] = _NO_SIGNS) -> str:
    """Put one event into words: 1 what, 2 how or why, 3 which kernel call.

    `signs` are shorter names of layers (see `captions`).  Never empty, one line, at most
    WIDTHS[depth] characters, no control characters.
    """
    event = event_of(told) if isinstance(told, Record) else told
    if event is None:
        template, facts = english.UNKNOWN[depth - 1], _unknown(cast(Record, told))
    else:
        key, facts = words_of(cast("AnyEvent", event))
        facts = _signed(facts, signs) if signs else facts
        template = english.CATALOGUE[key][depth - 1]
    said = _filled(template, facts, WIDTHS[depth])
    if said.strip():
        return said
    kind = told.kind if isinstance(told, Record) else kind_of(told)
    return middle(visible(kind), WIDTHS[depth]) or "?"  # all its facts are empty


def visible(text: str) -> str:
    r"""Spell out what is not printable: control characters, bidi marks, lone surrogates.

    >>> print(visible("a\x1b[2Jb\u202ec"))
    a\x1b[2Jb\u202ec
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def short_ids(text: str) -> str:
    """Show ids and digests within a text as 12 digits.

    >>> short_ids("sha256:" + "0123456789abcdef" * 4 + " is new")
    '0123456789ab is new'
    """
    return _ID.sub(r"\1", text)


def middle(text: str, width: int) -> str:
    """Cut a long text in its middle: both ends of a path tell more than its waist.

    >>> middle("/var/lib/minidock/containers/upper", 15)
    '/var/li…s/upper'
    """
    if len(text) <= width:
        return text
    head = max(width - 1, 0) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}" if width > 1 else "…"


def words_of(  # noqa: PLR0911, PLR0912  (one line per fact)
    event: AnyEvent,
) -> tuple[str, Mapping[str, Any]]:
    """Give the catalogue key of an event, and the facts that fill its template."""
    kind, facts = kind_of(event), data_of(event)
    match event:
        case e.NamespaceEntered(namespace, was_joined):
            gain, why, flag = english.GAINS.get(namespace, english.ANY_NAMESPACE)
            variant = "/joined" if was_joined else "/pid" if namespace == "pid" else ""
            return f"{kind}{variant}", {**facts, "gain": gain, "why": why, "flag": flag}
        case e.Mounted(filesystem, _, _, flags, options):
            what, why = english.FILESYSTEMS.get(filesystem, english.ANY_FILESYSTEM)
            listed = ",".join((*flags, options) if options else flags) or "no flags"
            return kind, {**facts, "what": what, "why": why, "options": listed}
        case e.BindMounted(_, _, flags, propagation):
            key = f"{kind}/spreading" if propagation else kind
            return key, {**facts, "options": ",".join(flags) or "no flags"}
        case e.PropagationSet(_, propagation, is_recursive):
            flag = f"MS_{propagation.upper()}" + (", AT_RECURSIVE" if is_recursive else "")
            key = f"{kind}/private" if propagation == "private" else kind
            return key, {**facts, "flag": flag}
        case e.CgroupCreated() | e.CgroupJoined() | e.CgroupRemoved():
            account = account_of(event.path)
            door = "cgroup.procs" if account == "cgroup" else "tasks"  # v2, v1
            return kind, {**facts, "account": account, "door": door}
        case e.CgroupLimited(_, file, _):
            variant = _LIMITS_OF.get(file.partition(".")[0], "")
            variant = "/freezer" if file == "cgroup.freeze" else variant
            return f"{kind}{variant}", facts
        case e.DeviceMade(_, _, _, _, is_block):
            return kind, {**facts, "letter": "b" if is_block else "c"}
        case e.SysctlWritten(name, _):
            return kind, {**facts, "path": name.replace(".", "/")}
        case e.ResourceLimited() | e.CapabilitiesSet() | e.BoundingSetDropped():
            return _limits(event, kind, facts)
        case (
            e.ContextReceived() | e.InstructionParsed() | e.StepStarted() | e.StepSkipped()
            | e.CacheMissed() | e.ConfigChanged() | e.FileCopied()
            | e.FileChanged() | e.LayerFound() | e.LayerCommitted() | e.LayerUnpacked()
            | e.LayersRemoved() | e.StepPrinted() | e.StepFinished() | e.ImageTagged()
            | e.BuildFailed()
        ):  # fmt: skip
            return words_of_build(event, kind, facts)
        case e.SpecResolved():
            return kind, {**facts, "capabilities_count": len(event.capabilities)}
        case e.ContainerWrote():
            return kind, {**facts, **_written(event)}
        case e.IsolationObserved():
            return kind, {**facts, "shared": event.shared_with_host or ("nothing",)}
        case (
            e.ImageFound() | e.ContainerExited()
            | e.PathMadeReadonly() | e.PathMasked() | e.KeyringJoined()
            | e.OomScoreAdjusted()
        ):  # fmt: skip
            return _two_faces(event, kind, facts)
        case (
            e.PathIgnored() | e.CacheHit() | e.FilesOmitted() | e.ImageBuilt()
            | e.WatchBegan()
        ):  # fmt: skip
            return kind, facts
        case (
            e.LayerProbed() | e.PathResolved() | e.CallAnswered() | e.PathCopiedUp()
            | e.WhiteoutMade() | e.OpaqueMade() | e.RedirectMade()
        ):  # fmt: skip
            return _of_union(event, kind), facts
        case (
            e.SnapshotPrepared() | e.SnapshotRemoved()
            | e.ContainerCreated() | e.UserResolved() | e.PlanMade() | e.ContainerStarted()
            | e.ContainerStartFailed() | e.IsolationUnobserved() | e.ContainerSignalled()
            | e.ContainerRemoved() | e.ExecCreated() | e.ExecStarted() | e.ExecExited()
            | e.ExecStartFailed()
            | e.RequestReceived() | e.RequestRefused() | e.GateHeld() | e.GateReleased()
            | e.EventsDropped() | e.JournalDropped() | e.OrphanRemoved()
            | e.ShortfallFound() | e.OverlayPrepared() | e.ShimForked() | e.InitForked()
            | e.TracersRefused() | e.ParentDeathBound()
            | e.RootAttached() | e.DirectoryMade() | e.LinkMade() | e.ConsoleOpened()
            | e.RootPivoted() | e.StreamsReopened() | e.RemountedReadonly()
            | e.HostnameSet() | e.LoopbackRaised() | e.UmaskSet()
            | e.BirthReady() | e.DescriptorsClosed() | e.WorkingDirectoryEntered()
            | e.UserTaken() | e.NewPrivilegesForbidden() | e.SeccompInstalled()
            | e.ProgramExecuted() | e.ProgramNotExecuted() | e.DevicesFiltered()
            | e.ArchiveWarned() | e.LayerReused() | e.ImageLoaded() | e.ImageSaved()
            | e.ImageUntagged() | e.ImageRemoved() | e.StoreRepaired()
            | e.ContainerStopped() | e.ContainerPaused() | e.ContainerUnpaused()
            | e.ContainerRestarted() | e.RestartScheduled() | e.ContainerRenamed()
            | e.ContainerUpdated() | e.ContainerAttached() | e.ContainerDetached()
            | e.TerminalResized() | e.MemoryExhausted() | e.ExecDetached()
            | e.HealthProbed() | e.HealthChanged() | e.ContainerExported()
            | e.PathArchived() | e.PathExtracted() | e.ContainerCommitted()
            | e.ProcessesListed() | e.ContainersPruned() | e.ImageImported()
            | e.ImagesPruned() | e.CachePruned()
            | e.BridgeMade() | e.InterfaceRemoved() | e.SandboxMade() | e.SandboxFound()
            | e.SandboxJoined() | e.EndpointPlugged() | e.EndpointUnplugged()
            | e.GatewayChosen() | e.RulesMade() | e.RulesRemoved() | e.ElementsAdded()
            | e.ElementsDropped() | e.PortBound() | e.PortReleased()
            | e.NamesOpened()
            | e.TreeHeld() | e.VolumeCreated()
            | e.VolumePopulated() | e.VolumeMounted() | e.VolumeUnmounted()
            | e.VolumeRemoved() | e.VolumesPruned() | e.HostDirectoryMade()
            | e.NetworkCreated() | e.NetworkRemoved() | e.NetworkJoined()
            | e.NetworkLeft() | e.EndpointMade() | e.EndpointReleased()
            | e.NetworksPruned()
            | e.HopPassed() | e.RequestDied() | e.RequestArrived() | e.RequestProved()
        ):  # fmt: skip
            return kind, facts
        case e.WatchEnded() | e.FilesMissed() | e.FileNoticed() | e.CallNoticed():
            return words_of_watch(event, kind, facts)
        case e.NameAsked(_, _, _, outcome):
            return f"{kind}{_OUTCOMES.get(outcome, '')}", facts
        case _:
            assert_never(event)


def _limits(
    event: e.ResourceLimited | e.CapabilitiesSet | e.BoundingSetDropped,
    kind: str,
    facts: Mapping[str, Any],
) -> tuple[str, Mapping[str, Any]]:
    """Numbers that stand for something else: -1 is no limit, a list is first a count."""
    match event:
        case e.ResourceLimited(resource, soft, hard, was_clamped):
            limits = {
                name: "unlimited" if number < 0 else number
                for name, number in (("soft", soft), ("hard", hard))
            }
            key = f"{kind}/clamped" if was_clamped else kind
            return key, {**facts, **limits, "RESOURCE": resource.upper()}
        case e.CapabilitiesSet(capabilities):
            key = kind if capabilities else f"{kind}/none"
            return key, {**facts, "capabilities_count": len(capabilities)}
        case e.BoundingSetDropped(kept):
            return kind, {**facts, "kept_count": len(kept)}
        case _:
            assert_never(event)


def _written(event: e.ContainerWrote) -> dict[str, Any]:
    """Count what was written, and name the first of it."""
    count = several(len(event.names) + event.more, "name")
    listed = [f"{path} ({change})" for change, path, *_ in event.names[:_NAMED]]
    left = len(event.names) + event.more - len(listed)
    more = f" and {left} more" if left > 0 else ""
    said = count if event.is_all else f"{count} or more"
    return {"count": said, "listed": ", ".join(listed) + more}


def _of_union(
    event: e.LayerProbed
    | e.PathResolved
    | e.CallAnswered
    | e.PathCopiedUp
    | e.WhiteoutMade
    | e.OpaqueMade
    | e.RedirectMade,
    kind: str,
) -> str:
    """Say who did it, where it was a program; that something is absent is no news."""
    match event:
        case e.PathResolved(_, layers):
            kind = kind if layers else f"{kind}/absent"
        case e.CallAnswered():
            kind = f"{kind}/refused" if event.error else kind
            return f"{kind}/named" if event.old else kind
    return f"{kind}/program" if event.command else kind


def _signed(facts: Mapping[str, Any], signs: Mapping[str, str]) -> Mapping[str, Any]:
    """Call layers by their signs, as far as they have one."""
    signed = dict(facts)
    layer = facts.get("layer", "")
    if layer in signs:
        signed["layer"] = signs[layer]
    if layers := facts.get("layers"):
        signed["layers"] = tuple(signs.get(each, each) for each in layers)
    return signed


def _two_faces(
    event: e.ImageFound
    | e.ContainerExited
    | e.PathMadeReadonly
    | e.PathMasked
    | e.KeyringJoined
    | e.OomScoreAdjusted,
    kind: str,
    facts: Mapping[str, Any],
) -> tuple[str, Mapping[str, Any]]:
    """One fact, two faces: the same event can be good news or no news."""
    match event:
        case e.ImageFound(_, _, _, stand_in, _):
            return (f"{kind}/stand-in" if stand_in else kind), facts
        case e.ContainerExited():
            return (f"{kind}/memory" if event.was_out_of_memory else kind), facts
        case e.PathMadeReadonly(_, was_present):
            return (kind if was_present else f"{kind}/absent"), facts
        case e.PathMasked(_, by):
            variant = {"absent": "/absent", "empty directory": "/directory"}.get(by, "")
            return f"{kind}{variant}", facts
        case e.KeyringJoined(_, has_keys):
            return (kind if has_keys else f"{kind}/none"), facts
        case e.OomScoreAdjusted(_, was_refused):
            return (f"{kind}/refused" if was_refused else kind), facts
        case _:
            assert_never(event)


def _unknown(record: Record) -> Mapping[str, Any]:
    told = ", ".join(f"{name} {_fact(value)}" for name, value in record.data.items())
    return {"kind": record.kind, "facts": told or "none"}


def _fact(value: Any) -> Any:
    """Make a value fit for a line: lists are joined, everything is visible."""
    if isinstance(value, list | tuple):
        return " ".join(str(_fact(each)) for each in value) or "none"
    return visible(short_ids(value)) if isinstance(value, str) else value


def _filled(template: str, facts: Mapping[str, Any], width: int) -> str:
    """Fill a template; the longest facts give way until the sentence fits."""
    known = {name: _fact(value) for name, value in facts.items()}
    for room in (width, 80, 48, 32, 20, 12):
        short = {
            name: middle(value, room) if isinstance(value, str) else value
            for name, value in known.items()
        }
        sentence = template.format_map(short)
        if len(sentence) <= width:
            return sentence
    return middle(sentence, width)
