"""Every effect has its plain Linux line, and the line says what the event says."""

import shlex

import pytest

from pyminidock import events
from pyminidock.events import Event
from pyminidock.events.journal import record_kinds
from pyminidock.viz.plain import plain_linux
from tests.viz.story import BIRTH, STORY

MODE = 0o1777


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (events.CgroupCreated("/sys/fs/cgroup/a b"), "mkdir -p '/sys/fs/cgroup/a b'"),
        (events.CgroupLimited("/c", "pids.max", "50"), "echo 50 > /c/pids.max"),
        (events.CgroupJoined("/c"), "echo $$ > /c/cgroup.procs"),
        (events.CgroupRemoved("/c"), "rmdir /c"),
        (events.NamespaceEntered("network"), "exec unshare --net sh"),
        (events.NamespaceEntered("pid"), "exec unshare --pid sh"),
        (
            events.NamespaceEntered("pid", was_joined=True, of=7),
            "exec nsenter --target 7 --pid --no-fork sh",
        ),
        (
            events.NamespaceEntered("network", was_joined=True, of=7),
            "exec nsenter --target 7 --net sh",
        ),
        (
            events.OverlayPrepared(("/b:1", "/a,2"), "/u", "/w"),
            r"export OVERLAY='lowerdir=/b\:1:/a\,2,upperdir=/u,workdir=/w'",
        ),
        (
            events.RootAttached("/r"),
            'mount -t overlay overlay -o "$OVERLAY" /r && cd /r',
        ),
        (
            events.Mounted("tmpfs", "tmpfs", "/run", ("nosuid",), "size=64k"),
            "mkdir -p ./run && mount -t tmpfs -o nosuid,size=64k tmpfs ./run",
        ),
        (events.DeviceMade("/dev/sda", 8, 0, 0o660, True, 0, 6),
         "mknod -m 0660 ./dev/sda b 8 0 && chown 0:6 ./dev/sda"),
        (events.DirectoryMade("/t", MODE), "mkdir -p -m 1777 ./t"),
        (events.PropagationSet("/", "slave", True), "mount --make-rslave /"),
        (events.PropagationSet("/r", "private", False), "mount --make-private /r"),
        (events.RemountedReadonly("/"), "mount -o remount,bind,ro ."),
        (events.PathMadeReadonly("/proc/bus", False), ""),
        (events.PathMasked("/proc/asound", "absent"), ""),
        (events.ResourceLimited("core", 0, -1), "prlimit --pid $$ --core=0:unlimited"),
        (events.CapabilitiesSet(()), "exec capsh --shell=/bin/sh --caps== --"),
        (events.BoundingSetDropped(()), "exec setpriv --bounding-set=-all sh"),
        (events.UserTaken(5, 6, ()), "exec setpriv --reuid=5 --regid=6 --clear-groups sh"),
        (
            events.OverlayPrepared(("/a",), "/u", "/w", ("nodev",)),
            "export OVERLAY=lowerdir=/a,upperdir=/u,workdir=/w,nodev",
        ),
        (events.ProgramNotExecuted(("/x",), 8, "exec format error"), "exec /x"),
        (events.ProgramExecuted(("echo", "it's")), """exec echo 'it'"'"'s'"""),
    ],
)  # fmt: skip
def test_the_line_of_an_effect(event: Event, line: str) -> None:
    assert plain_linux(event) == line


SANDBOX, MAC = "3f2a" * 16, "02:42:00:00:00:01"
CABLES: dict[Event, str] = {
    events.BridgeMade("br0", MAC, ("10.1.0.1/24", "fd00::1/64"), 1400, True):
        "ip link add br0 address 02:42:00:00:00:01 mtu 1400 type bridge"
        " && ip addr add 10.1.0.1/24 dev br0 && ip addr add fd00::1/64 dev br0"
        " && ip link set br0 up"
        " && sysctl -w net.ipv4.ip_forward=1 net.ipv4.conf.br0.route_localnet=1",
    events.InterfaceRemoved("br0"): "ip link del br0",
    events.SandboxMade(SANDBOX): "ip netns add 3f2a3f2a3f2a"
        " && ip -n 3f2a3f2a3f2a link set lo up",
    events.SandboxFound(SANDBOX, 77): "ip netns attach 3f2a3f2a3f2a 77",
    events.SandboxJoined(SANDBOX): "exec nsenter --net=/run/netns/3f2a3f2a3f2a sh",
    events.EndpointPlugged(
        SANDBOX, "br0", "mv1", "eth0", "02:42:0a:01:00:02", ("10.1.0.2/24",), "10.1.0.1",
        "", 1400, True, True,
    ): "ip link add mv1 mtu 1400 type veth peer name eth0 address 02:42:0a:01:00:02"
        " mtu 1400 netns 3f2a3f2a3f2a && ip link set mv1 master br0 up"
        " && bridge link set dev mv1 hairpin on && bridge link set dev mv1 isolated on"
        " && ip -n 3f2a3f2a3f2a addr add 10.1.0.2/24 dev eth0"
        " && ip -n 3f2a3f2a3f2a link set eth0 up"
        " && ip -n 3f2a3f2a3f2a route replace default via 10.1.0.1",
    events.EndpointUnplugged(SANDBOX, "eth0", "mv1"): "ip -n 3f2a3f2a3f2a link del eth0",
    events.GatewayChosen(SANDBOX, "10.1.0.1", ""):
        "ip -n 3f2a3f2a3f2a route replace default via 10.1.0.1",
    events.NamesOpened(SANDBOX):
        "ip netns exec 3f2a3f2a3f2a dnsmasq --listen-address=127.0.0.11",
    events.RulesMade("md_t", ("inet",), 1, 0): "nft -f md_t.nft",
    events.RulesRemoved("md_t"):
        "nft destroy table inet md_t; nft destroy table bridge md_t",
    events.ElementsAdded("md_t", ("inet names { a }",)):
        "nft 'add element inet md_t names { a }'",
    events.ElementsDropped("md_t", ("inet names { a }",)):
        "nft 'destroy element inet md_t names { a }'",
    events.GatewayChosen(SANDBOX, "", ""): "ip -n 3f2a3f2a3f2a route del default",
}  # fmt: skip


@pytest.mark.parametrize("event", CABLES)
def test_the_line_of_a_cable(event: Event) -> None:
    assert plain_linux(event) == CABLES[event]


SILENT = {  # what no shell can be asked for
    "ShimForked", "TracersRefused", "ConsoleOpened", "StreamsReopened", "BirthReady",
    "DescriptorsClosed", "SeccompInstalled", "DevicesFiltered", "TreeHeld", "PortBound",
    "PortReleased",
}  # fmt: skip


def test_every_effect_has_a_line_or_is_known_to_have_none() -> None:
    effects = {
        cls.__name__
        for cls in record_kinds().values()
        if issubclass(cls, events.Effect | events.PlannedEffect)
    }
    told = {type(event).__name__ for event in BIRTH if plain_linux(event)}
    told |= {"RemountedReadonly", "CgroupRemoved", "NewPrivilegesForbidden"}  # see above
    told |= {"ProgramNotExecuted"}
    told |= {type(event).__name__ for event in CABLES if plain_linux(event)}
    assert plain_linux(events.NewPrivilegesForbidden()) == "exec setpriv --no-new-privs sh"
    assert effects - SILENT == told
    assert not [event for event in BIRTH if type(event).__name__ in SILENT & told]


def test_a_decision_has_no_line() -> None:
    assert "/proc/4711/status" in "".join(plain_linux(event) for event in STORY)
    decided = [event for event in STORY if not event.evidence]
    assert decided
    assert {plain_linux(event) for event in decided} == {""}


@pytest.mark.parametrize("path", ["/a\nrm -rf /", "/a\x1b[2J", "/a\u202eb", "/\udcff"])
def test_a_name_that_cannot_be_pasted_has_no_line(path: str) -> None:
    assert plain_linux(events.DirectoryMade(path, 0o755)) == ""


@pytest.mark.parametrize("text", ["; reboot", "$(id)", "`id`", "a'b", '"', "*", "~", "-x"])
def test_no_text_of_an_event_reaches_the_shell_as_code(text: str) -> None:
    said = plain_linux(events.HostnameSet(text))
    assert shlex.split(said) == ["hostname", text]
    assert shlex.split(plain_linux(events.ProgramExecuted((text,)))) == ["exec", text]
