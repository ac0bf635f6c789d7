"""One story of a container, from request to removal, in the order of a real birth.

The events are the real classes in the real order; numbers, names and source lines are
made up, as a recorder would have stamped them.  Tests of the pictures walk through it.
"""

from collections.abc import Iterable, Iterator

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.events.journal import Header, Record, record_of
from pyminidock.viz.plain import plain_linux

ID = "3f2a" + "0" * 60
HOME = f"/var/lib/minidock/containers/{ID}"
CGROUP = f"/sys/fs/cgroup/memory/minidock-ab12cd/{ID}"
HOST_PID = 4711
SHM, NOT_EXECUTED = "/dev/shm", ("nosuid", "nodev", "noexec")  # noqa: S108
KEPT = ("CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETPCAP")
MASKED = ("/proc/asound", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware")
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

CREATE: tuple[Event, ...] = (
    e.RequestReceived("POST", "/containers/create?name=web"),
    e.ImageFound("busybox", "sha256:…", ("/var/lib/minidock/roots/busybox",), "busybox"),
    e.ContainerCreated(ID, "web", "busybox", ("echo", "hi")),
    e.SnapshotPrepared(
        ID, ("/var/lib/minidock/roots/busybox",), f"{HOME}/upper", f"{HOME}/work"
    ),
)
DECIDE: tuple[Event, ...] = (
    e.RequestReceived("POST", f"/containers/{ID}/start"),
    e.UserResolved("", 0, 0, (0, 10), "/root", "default"),
    e.SpecResolved(
        ID, ("echo", "hi"), ("PATH=‹redacted›",), "/", 0, 0, (0, 10), KEPT,
        "default", False, False, False,
    ),
    e.PlanMade(ID, 57, ("MakeCgroup", "LimitCgroup", "PrepareOverlay", "Execute")),
)  # fmt: skip
BIRTH: tuple[Event, ...] = (
    e.CgroupCreated(CGROUP),
    e.CgroupLimited(CGROUP, "memory.limit_in_bytes", "67108864"),
    e.OverlayPrepared(
        ("/var/lib/minidock/roots/busybox",), f"{HOME}/upper", f"{HOME}/work"
    ),
    e.ShimForked(4700),
    e.NamespaceEntered("pid"),
    e.InitForked(HOST_PID),
    e.CgroupJoined(CGROUP),
    *(e.NamespaceEntered(n) for n in ("mount", "uts", "ipc", "network", "cgroup")),
    e.TracersRefused(),
    e.ParentDeathBound(),
    e.KeyringJoined(ID),
    e.PropagationSet("/", "slave", True),
    e.RootAttached(f"{HOME}/root"),
    e.Mounted("proc", "proc", "/proc", NOT_EXECUTED),
    e.Mounted("tmpfs", "tmpfs", "/dev", ("nosuid", "strictatime"), "mode=755,size=65536k"),
    e.Mounted(
        "devpts", "devpts", "/dev/pts", ("nosuid", "noexec"),
        "newinstance,ptmxmode=0666,mode=0620,gid=5",
    ),
    e.Mounted("mqueue", "mqueue", "/dev/mqueue", NOT_EXECUTED),
    e.Mounted("tmpfs", "shm", SHM, NOT_EXECUTED, "mode=1777,size=65536k"),
    e.Mounted("sysfs", "sysfs", "/sys", ("ro", "nosuid", "nodev", "noexec")),
    e.BindMounted(f"{HOME}/hostname", "/etc/hostname"),
    e.DeviceMade("/dev/null", 1, 3, 0o666),
    e.DeviceMade("/dev/zero", 1, 5, 0o666),
    e.LinkMade("/dev/ptmx", "pts/ptmx"),
    e.DirectoryMade("/srv/data", 0o755),
    e.LoopbackRaised(),
    e.RootPivoted("/"),
    e.StreamsReopened(),
    *(e.PathMadeReadonly(path, path != "/proc/bus") for path in READONLY),
    *(
        e.PathMasked(path, "empty directory" if path == "/sys/firmware" else "null")
        for path in MASKED[1:]
    ),
    e.PathMasked(MASKED[0], "absent"),
    e.HostnameSet("3f2a00000000"),
    e.SysctlWritten("net.ipv4.ip_unprivileged_port_start", "0"),
    e.UmaskSet(0o022),
    e.ResourceLimited("nofile", 1024, 4096),
    e.OomScoreAdjusted(0),
    e.BirthReady(),
    e.DescriptorsClosed(),
    e.WorkingDirectoryEntered("/"),
    e.BoundingSetDropped(KEPT),
    e.UserTaken(0, 0, (0, 10)),
    e.CapabilitiesSet(KEPT),
    e.SeccompInstalled(211),
    e.ProgramExecuted(("echo", "hi")),
)  # fmt: skip
LIFE: tuple[Event, ...] = (
    e.IsolationObserved(
        ID, HOST_PID, (("mount", "4026532600"), ("user", "4026531837")), ("user",),
        "00000000000001a1", "00000000000001a1", 2, False, 0, 0,
    ),
    e.ContainerStarted(ID, HOST_PID),
    e.ContainerExited(ID, 0, 0, False),
    e.CgroupRemoved(CGROUP),
    e.SnapshotRemoved(ID),
    e.ContainerRemoved(ID, "web"),
)  # fmt: skip
STORY: tuple[Event, ...] = CREATE + DECIDE + BIRTH + LIFE

HEADER = Header(
    f"run-{ID[:12]}", "run busybox echo hi", "2026-01-01T00:00:00Z", "linux-root"
)
_TOLD_BY = {
    "api": "api/routes.py:40",
    "images": "engine/images.py:60",
    "layers": "layers/snapshots.py:60",
    "container": "engine/run.py:80",
    "lifecycle": "engine/ending.py:60",
    "kernel": "kernel/recording.py:133",
    "wiring": "kernel/recording.py:160",
    "sifting": "kernel/recording.py:180",
    "networks": "engine/plugging.py:80",
    "requests": "engine/tracing.py:80",
    "build": "build/carrying.py:70",
    "unionfs": "unionfs/lookup.py:117",
}


def recorded(heard: Iterable[Event] = STORY, start: int = 1) -> tuple[Record, ...]:
    """Stamp events as the recorder would: a number, an operation, a step, a line."""
    return tuple(_stamped(heard, start))


def _stamped(heard: Iterable[Event], start: int) -> Iterator[Record]:
    operation, opened = "", 0
    for seq, event in enumerate(heard, start):
        if isinstance(event, e.RequestReceived):
            operation, opened = event.path.rpartition("/")[2].partition("?")[0], seq
        room = type(event).__module__.rpartition(".")[2]
        phase = "birth" if room == "kernel" else ""
        yield record_of(
            event, seq=seq, story=HEADER.story, operation=f"{operation}-{opened}",
            parent=0 if seq == opened else opened, phase=phase,
            t=seq / 1000, wall=1.767e9 + seq / 1000, src=_TOLD_BY[room],
            backend=HEADER.backend, linux=plain_linux(event),
        )  # fmt: skip
