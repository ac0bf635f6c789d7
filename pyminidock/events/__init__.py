"""Facts in the past tense, plain values: the words in which the engine tells its story.

One vocabulary file per room; `AnyEvent` is their union, so that mypy names every place
that has to learn a new word (`viz.world`, `viz.sentences`).
"""

from pyminidock.events.api import (
    EventsDropped,
    GateHeld,
    GateReleased,
    JournalDropped,
    OrphanRemoved,
    RequestReceived,
    RequestRefused,
    ShortfallFound,
)
from pyminidock.events.base import EVIDENCE, Emit, Event, ignore, kind_of
from pyminidock.events.build import (
    BuildFailed,
    CacheHit,
    CacheMissed,
    ConfigChanged,
    ContextReceived,
    FileCopied,
    FilesOmitted,
    ImageBuilt,
    ImageTagged,
    InstructionParsed,
    LayerCommitted,
    StepFinished,
    StepPrinted,
    StepSkipped,
    StepStarted,
)
from pyminidock.events.container import (
    ContainerCreated,
    ContainerExited,
    ContainerRemoved,
    ContainerSignalled,
    ContainerStarted,
    ContainerStartFailed,
    ExecCreated,
    ExecExited,
    ExecStarted,
    IsolationObserved,
    IsolationUnobserved,
    PlanMade,
    SpecResolved,
    UserResolved,
)
from pyminidock.events.kernel import (
    BindMounted,
    BirthReady,
    BoundingSetDropped,
    CapabilitiesSet,
    CgroupCreated,
    CgroupJoined,
    CgroupLimited,
    CgroupRemoved,
    ConsoleOpened,
    DescriptorsClosed,
    DeviceMade,
    DevicesFiltered,
    DirectoryMade,
    Effect,
    HostnameSet,
    InitForked,
    KeyringJoined,
    LinkMade,
    LoopbackRaised,
    Mounted,
    NamespaceEntered,
    NewPrivilegesForbidden,
    OomScoreAdjusted,
    OverlayPrepared,
    ParentDeathBound,
    PathMadeReadonly,
    PathMasked,
    PlannedEffect,
    ProgramExecuted,
    ProgramNotExecuted,
    PropagationSet,
    RemountedReadonly,
    ResourceLimited,
    RootAttached,
    RootPivoted,
    SeccompInstalled,
    ShimForked,
    StreamsReopened,
    SysctlWritten,
    TracersRefused,
    UmaskSet,
    UserTaken,
    WorkingDirectoryEntered,
)
from pyminidock.events.layers import (
    ArchiveWarned,
    RootFound,
    SnapshotPrepared,
    SnapshotRemoved,
)
from pyminidock.events.unionfs import LayerProbed, PathResolved

AnyEvent = (
    LayerProbed | PathResolved
    | RootFound | SnapshotPrepared | SnapshotRemoved | ArchiveWarned
    | ContextReceived | InstructionParsed | StepStarted | StepSkipped | CacheHit
    | CacheMissed | ConfigChanged | FileCopied | FilesOmitted | StepPrinted
    | LayerCommitted | StepFinished | ImageBuilt | ImageTagged | BuildFailed
    | ContainerCreated | UserResolved | SpecResolved | PlanMade | ContainerStarted
    | ContainerStartFailed | IsolationObserved | IsolationUnobserved | ContainerExited
    | ContainerSignalled | ContainerRemoved | ExecCreated | ExecStarted | ExecExited
    | RequestReceived | RequestRefused | GateHeld | GateReleased | EventsDropped
    | JournalDropped | OrphanRemoved | ShortfallFound
    | CgroupCreated | CgroupLimited | OverlayPrepared | ShimForked | NamespaceEntered
    | InitForked | CgroupJoined | TracersRefused | ParentDeathBound | KeyringJoined
    | PropagationSet | RootAttached | Mounted | BindMounted | DirectoryMade | DeviceMade
    | LinkMade | ConsoleOpened | RootPivoted | StreamsReopened | RemountedReadonly
    | PathMadeReadonly | PathMasked | HostnameSet | SysctlWritten | LoopbackRaised
    | UmaskSet | ResourceLimited | OomScoreAdjusted | BirthReady | DescriptorsClosed
    | WorkingDirectoryEntered | BoundingSetDropped | UserTaken | CapabilitiesSet
    | NewPrivilegesForbidden | SeccompInstalled | ProgramExecuted | CgroupRemoved
    | DevicesFiltered | ProgramNotExecuted
)  # fmt: skip

__all__ = [
    "EVIDENCE",
    "AnyEvent",
    "ArchiveWarned",
    "BindMounted",
    "BirthReady",
    "BoundingSetDropped",
    "BuildFailed",
    "CacheHit",
    "CacheMissed",
    "CapabilitiesSet",
    "CgroupCreated",
    "CgroupJoined",
    "CgroupLimited",
    "CgroupRemoved",
    "ConfigChanged",
    "ConsoleOpened",
    "ContainerCreated",
    "ContainerExited",
    "ContainerRemoved",
    "ContainerSignalled",
    "ContainerStartFailed",
    "ContainerStarted",
    "ContextReceived",
    "DescriptorsClosed",
    "DeviceMade",
    "DevicesFiltered",
    "DirectoryMade",
    "Effect",
    "Emit",
    "Event",
    "EventsDropped",
    "ExecCreated",
    "ExecExited",
    "ExecStarted",
    "FileCopied",
    "FilesOmitted",
    "GateHeld",
    "GateReleased",
    "HostnameSet",
    "ImageBuilt",
    "ImageTagged",
    "InitForked",
    "InstructionParsed",
    "IsolationObserved",
    "IsolationUnobserved",
    "JournalDropped",
    "KeyringJoined",
    "LayerCommitted",
    "LayerProbed",
    "LinkMade",
    "LoopbackRaised",
    "Mounted",
    "NamespaceEntered",
    "NewPrivilegesForbidden",
    "OomScoreAdjusted",
    "OrphanRemoved",
    "OverlayPrepared",
    "ParentDeathBound",
    "PathMadeReadonly",
    "PathMasked",
    "PathResolved",
    "PlanMade",
    "PlannedEffect",
    "ProgramExecuted",
    "ProgramNotExecuted",
    "PropagationSet",
    "RemountedReadonly",
    "RequestReceived",
    "RequestRefused",
    "ResourceLimited",
    "RootAttached",
    "RootFound",
    "RootPivoted",
    "SeccompInstalled",
    "ShimForked",
    "ShortfallFound",
    "SnapshotPrepared",
    "SnapshotRemoved",
    "SpecResolved",
    "StepFinished",
    "StepPrinted",
    "StepSkipped",
    "StepStarted",
    "StreamsReopened",
    "SysctlWritten",
    "TracersRefused",
    "UmaskSet",
    "UserResolved",
    "UserTaken",
    "WorkingDirectoryEntered",
    "ignore",
    "kind_of",
]
