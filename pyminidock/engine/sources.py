"""The line of the engine that made an effect: where the source lens looks.

A decision is told where it is taken, so its line is the one that told it.  An effect is
told by the recording kernel, for every verb at the same line; what a reader wants to see is
the code that performed the call.  Each body has one place for each verb; where that is is
read from the code itself, once, and never written down.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from pyminidock import events
from pyminidock.events import Event
from pyminidock.kernel.model import cables, effects, sifting

Place = tuple[str, int]  # file, line

VERBS: Mapping[type[Event], str] = {
    events.CgroupCreated: "MakeCgroup",
    events.CgroupLimited: "LimitCgroup",
    events.DevicesFiltered: "FilterDevices",
    events.CgroupRemoved: "RemoveCgroup",
    events.OverlayPrepared: "PrepareOverlay",
    events.ShimForked: "ForkShim",
    events.NamespaceEntered: "EnterNamespace",
    events.InitForked: "ForkInit",
    events.CgroupJoined: "JoinCgroup",
    events.TracersRefused: "RefuseTracers",
    events.ParentDeathBound: "DieWithParent",
    events.KeyringJoined: "JoinKeyring",
    events.PropagationSet: "SetPropagation",
    events.RootAttached: "AttachRoot",
    events.DirectoryMade: "MakeDirectory",
    events.Mounted: "Mount",
    events.BindMounted: "Bind",
    events.TreeHeld: "HoldTree",
    events.DeviceMade: "MakeDevice",
    events.LinkMade: "MakeLink",
    events.ConsoleOpened: "OpenConsole",
    events.LoopbackRaised: "RaiseLoopback",
    events.RootPivoted: "PivotRoot",
    events.StreamsReopened: "ReopenStreams",
    events.RemountedReadonly: "RemountReadonly",
    events.PathMadeReadonly: "MakeReadonly",
    events.PathMasked: "Mask",
    events.HostnameSet: "SetHostname",
    events.SysctlWritten: "WriteSysctl",
    events.UmaskSet: "SetUmask",
    events.ResourceLimited: "LimitResource",
    events.OomScoreAdjusted: "AdjustOomScore",
    events.BirthReady: "AnnounceReady",
    events.DescriptorsClosed: "CloseDescriptors",
    events.WorkingDirectoryEntered: "ChangeDirectory",
    events.BoundingSetDropped: "DropBoundingSet",
    events.UserTaken: "BecomeUser",
    events.CapabilitiesSet: "SetCapabilities",
    events.NewPrivilegesForbidden: "ForbidNewPrivileges",
    events.SeccompInstalled: "InstallSeccomp",
    events.ProgramExecuted: "Execute",
    events.ProgramNotExecuted: "Execute",
    events.BridgeMade: "MakeBridge",
    events.InterfaceRemoved: "RemoveLink",
    events.SandboxMade: "MakeSandbox",
    events.SandboxFound: "FindSandbox",
    events.SandboxJoined: "JoinSandbox",
    events.EndpointPlugged: "Plug",
    events.EndpointUnplugged: "Unplug",
    events.GatewayChosen: "Route",
    events.RulesMade: "MakeTable",
    events.RulesRemoved: "RemoveTable",
    events.ElementsAdded: "AddElements",
    events.ElementsDropped: "DropElements",
    events.PortBound: "BindPort",
    events.PortReleased: "ReleasePort",
    events.NamesOpened: "OpenNames",
}
"""Which verb each effect comes from; the other way round is `recording.effect_of`."""


def performers(backend: str) -> Mapping[type[Event], Place]:
    """Give, for each effect, its place in the code of this backend's body."""
    found = _of_linux() if backend.startswith("linux") else _of_model()
    return {effect: found[verb] for effect, verb in VERBS.items()}


def _of_model() -> dict[str, Place]:
    """The model has one `case` for each verb."""
    found: dict[str, Place] = {}
    for module in (effects, cables, sifting):
        for number, line in enumerate(inspect.getsource(module).splitlines(), start=1):
            if verb := re.match(r" +case (?:net|port)?(?:calls|rules)\.(\w+)\(", line):
                found.setdefault(verb[1], (str(module.__file__), number))
    return found


def _of_linux() -> dict[str, Place]:
    """The child has a table of its verbs; what engine and shim do is named here."""
    from pyminidock.kernel.linux import (  # noqa: PLC0415
        cgroups,
        child,
        devices,
        namedesks,
        newborn,
        nftables,
        overlay,
        pair,
        ports,
        sandboxes,
        wiring,
    )

    performers: dict[str, Callable[..., Any]] = {
        **child.VERBS,
        "MakeCgroup": cgroups.make,
        "LimitCgroup": cgroups.limit,
        "FilterDevices": devices.filter_devices,
        "RemoveCgroup": cgroups.remove,
        "PrepareOverlay": overlay.prepare,
        "MakeTable": nftables.making,
        "AddElements": nftables.Nftables.move,
        "DropElements": nftables.Nftables.drop,
        "RemoveTable": nftables.removing,
        "BindPort": ports.Ports.bind,
        "ReleasePort": ports.Ports.release,
        "MakeBridge": wiring.make_bridge,
        "RemoveLink": wiring.remove_link,
        "MakeSandbox": sandboxes.make,
        "FindSandbox": sandboxes.find,
        "Plug": wiring.plug,
        "Unplug": wiring.unplug,
        "Route": wiring.route,
        "OpenNames": namedesks.NameDesks.open,
        "ForkShim": pair.wait_together,
        "ForkInit": newborn.Birthplace.prepare,
    }
    return {
        verb: (performer.__code__.co_filename, performer.__code__.co_firstlineno)
        for verb, performer in performers.items()
    }
