"""What a container looks like from inside, as facts that two engines can be held against.

`PROBE` is a shell script that prints sections; `parse` makes them an `Observation`, and
`Observation.facts` names every fact by topic and key.  What may differ between two
containers of one engine (ids, paths of the state directory, the cgroup's parent) becomes a
word in angle brackets:

    ("capabilities", "CapEff")  ->  "00000000a80425fb"
    ("mounts", "/dev/shm")      ->  "tmpfs shm / rw,nosuid,… on /dev"

Source: proc_pid_status(5), proc_pid_stat(5), proc_pid_mountinfo(5).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROBE = (Path(__file__).parent / "probe.sh").read_text()

STATUS = {  # topic: the lines of /proc/PID/status that belong to it
    "capabilities": ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"),
    "ids": ("Uid", "Gid", "Groups"),
    "no new privileges": ("NoNewPrivs",),
    "seccomp": ("Seccomp", "Seccomp_filters"),
    "signals": ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"),
}
STAT = {"parent": 3, "group": 4, "session": 5, "terminal": 6, "foreground": 7}

Facts = Mapping[tuple[str, str], str]


class ProbeIncomplete(AssertionError):
    """The script did not reach its end, so nothing it printed can be trusted."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo; `under` is the target of the mount below it."""

    target: str
    under: str
    root: str
    flags: str
    propagation: str
    kind: str
    source: str
    options: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One container from inside: words as the kernel printed them, nothing replaced."""

    status: Mapping[str, str]
    stat: tuple[str, ...]
    mounts: tuple[Mount, ...]
    environment: tuple[str, ...]
    sections: Mapping[str, tuple[str, ...]]

    @property
    def container_id(self) -> str:
        """The 64 hexadecimal digits in a mount's root, or nothing."""
        roots = " ".join(mount.root for mount in self.mounts)
        found = re.search(r"/([0-9a-f]{64})\b", roots)
        return found[1] if found else ""

    def facts(self, host: Mapping[str, str]) -> Facts:
        """Every fact by topic and key; `host` maps a kind of namespace to the host's."""
        topics: dict[str, Mapping[str, str]] = {
            topic: {
                line: " ".join(self.status.get(line, "absent").split()) for line in lines
            }
            for topic, lines in STATUS.items()
        }
        topics |= {
            "cgroup": dict(_cgroup_line(line) for line in self.sections["cgroup"]),
            "descriptors": dict(_descriptor(line) for line in self.sections["descriptors"]),
            "devices": dict(_device(line) for line in self.sections["devices"]),
            "environment": _environment(self.environment),
            "limits": dict(_limit(line) for line in self.sections["limits"]),
            "mounts": dict(_mount_facts(self.mounts)),
            "namespaces": {
                kind: "the host's" if host.get(kind) == link else "its own"
                for kind, link in _pairs(self.sections["namespaces"])
            },
            "process": self._process(),
        }
        for topic in ("budget", "files", "masks", "network", "paths", "sysctls"):
            topics[topic] = dict(_pairs(self.sections[topic]))
        return {
            (topic, key): self._anonymous(value)
            for topic, facts in topics.items()
            for key, value in facts.items()
        }

    def _process(self) -> Mapping[str, str]:
        """Parent, group, session and terminal of the process, and what it was born with."""
        family = {name: self.stat[place] for name, place in STAT.items()}
        own = self.stat[0]
        if own != "1":  # with --init; the number itself depends on the engine's threads
            family = {name: "<own>" if n == own else n for name, n in family.items()}
        return family | dict(_pairs(self.sections["process"]))

    def _anonymous(self, value: str) -> str:
        """Take the container's own id, long and short, out of a value."""
        whole = self.container_id
        if not whole:
            return value
        value = value.replace(whole, "<id>")
        return re.sub(rf"\b{whole[:12]}\b", "<short id>", value)


def parse(printed: str) -> Observation:
    """Make an observation of what PROBE printed.  Raises ProbeIncomplete."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in printed.replace("\r\n", "\n").splitlines():
        if line.startswith("@@ "):
            lines = sections.setdefault(line.removeprefix("@@ "), [])
        elif line:
            lines.append(line)
    if sections.get("end") != []:
        raise ProbeIncomplete(printed[-2000:])
    number, _, rest = sections["stat"][0].partition(" (")
    command, _, numbers = rest.rpartition(") ")
    return Observation(
        status=dict(_split(line, ":") for line in sections["status"]),
        stat=(number, command, *numbers.split()),
        mounts=_mounts(sections["mountinfo"]),
        environment=tuple(sections["environ"]),
        sections={name: tuple(lines) for name, lines in sections.items()},
    )


def host_namespaces() -> Mapping[str, str]:
    """The namespaces of this process, as the probe prints a container's."""
    return {link.name: str(link.readlink()) for link in Path("/proc/self/ns").iterdir()}


def _mounts(lines: Sequence[str]) -> tuple[Mount, ...]:
    """Read mountinfo; a mount whose parent is outside of the container is under nothing."""
    target_of = {line.split(" ")[0]: line.split(" ")[4] for line in lines}
    mounts = []
    for line in lines:
        left, right = line.split(" - ")
        _, parent, _, root, target, flags, *tags = left.split(" ")
        under = target_of.get(parent, "nothing")
        propagation = " ".join(tag.partition(":")[0] for tag in tags) or "private"
        mounts.append(Mount(target, under, root, flags, propagation, *right.split(" ")))
    return tuple(mounts)


def _mount_facts(mounts: Sequence[Mount]) -> Iterable[tuple[str, str]]:
    """One fact per mount by target, `TARGET #2` for a second one, and their order."""
    targets: list[str] = []
    for mount in mounts:
        targets.append(mount.target)
        times = targets.count(mount.target)
        root, kind, source, options = mount.root, mount.kind, mount.source, mount.options
        if kind in ("cgroup", "cgroup2"):
            root = _cgroup(root)
        elif kind == "overlay":
            options = re.sub(r"(lower|upper|work)dir=[^,]*", r"\1dir=<layers>", options)
        elif mount.target.startswith(("/etc/", "/sbin/docker-init")):
            # A file of the engine's: where that is stored is no affair of the container.
            root = f"<state>/{root.rpartition('/')[2]}"
            kind = source = options = "<stored>"
        yield (
            mount.target + (f" #{times}" if times > 1 else ""),
            f"{kind} {source} {root} {mount.flags} {options} "
            f"{mount.propagation} on {mount.under}",
        )
    yield "order", " ".join(targets)


def _environment(lines: Sequence[str]) -> Mapping[str, str]:
    variables = [_split(line, "=") for line in lines]
    return dict(variables) | {"order": " ".join(name for name, _ in variables)}


def _descriptor(line: str) -> tuple[str, str]:
    link, target = _split(line.replace("'", ""), " -> ")
    return link.rpartition("/")[2], re.sub(r":\[\d+\]$", "", target)  # a pipe, any pipe


def _device(line: str) -> tuple[str, str]:
    what, name = _split(line, "|")
    path, points_to = _split(name.replace("'", ""), " -> ")
    path = re.sub(r"^/dev/pts/\d+$", "/dev/pts/<n>", path)
    return path, f"{what} -> {points_to}" if points_to else what


def _limit(line: str) -> tuple[str, str]:
    """Name and value of a line in columns: `Max open files   1024   524288   files`."""
    name, *values = re.split(r"  +", line.strip())
    return name.removeprefix("Max "), " ".join(values)


def _cgroup_line(line: str) -> tuple[str, str]:
    _, controllers, path = line.split(":", 2)
    return controllers or "v2", _cgroup(path)


def _cgroup(path: str) -> str:
    """The parent differs by engine, the id by container: both present, or another path."""
    return re.sub(r"^/.+/[0-9a-f]{64}$", "/<parent>/<id>", path)


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    return (_split(line, " ") for line in lines)


def _split(line: str, at: str) -> tuple[str, str]:
    key, _, value = line.partition(at)
    return key, value
