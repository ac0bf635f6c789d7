"""The engine's own plans on both kernels: what Linux shows, the model foretells.

The model gets the facts of this machine (hierarchies, capabilities, limits, which paths
exist below /proc and /sys) and the same plan; afterwards every answer and everything that
can be observed is compared.  What differs by nature is made one word first: pids, inode
numbers, and the sources and options of mounts, which name the disk.
"""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pyminidock.container.plan import end_plan, start_plan
from pyminidock.container.spec import ContainerSpec, Ulimit
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.port import Body, Isolation, Machine, MountEntry
from pyminidock.layers.snapshots import Snapshot
from tests.container.wishes import decide, wish
from tests.contract.stands import LinuxStand, facts_of_host, model_stand

WISHES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a user": {"user": "1000:1000", "group_add": ("5",), "working_directory": "/srv/x"},
    "no capabilities": {"cap_drop": ("ALL",)},
    "one capability": {"cap_drop": ("ALL",), "cap_add": ("CHOWN",), "user": "1000"},
    "privileged": {"is_privileged": True},
    "a user with privileges": {"is_privileged": True, "user": "1000"},
    "read-only": {"is_root_readonly": True, "tmpfs": (("/run", ""), ("/var/x", "exec"))},
    "a terminal": {"has_terminal": True, "console_size": (24, 80)},
    "a budget": {"memory_bytes": 64 << 20, "pids_limit": 50, "nano_cpus": 500_000_000},
    "no new privileges": {"security_options": ("no-new-privileges",)},
    "unconfined": {"security_options": ("seccomp=unconfined",)},
    "limits": {"ulimits": (Ulimit("nofile", 64, 128), Ulimit("core", 0, 0))},
    "input": {"keeps_stdin": True, "hostname": "web"},
}


@dataclass(frozen=True, slots=True)
class Life:
    """What one kernel made of a plan."""

    answers: tuple[tuple[Call, int], ...]
    seen: Isolation


def spec_for(stand: LinuxStand, asked: Mapping[str, Any]) -> ContainerSpec:
    """Decide for this machine, and put the directory where there is one."""
    spec = decide(wish(command=("sleep", "1000"), **asked), stand.place.machine)
    return replace(spec, directory=stand.place.directory, cgroup=stand.place.cgroup)


def plan_for(stand: LinuxStand, spec: ContainerSpec) -> Plan:
    """The engine's plan, on the root of the contract; its files lie in the directory."""
    for name in ("resolv.conf", "hostname", "hosts"):
        Path(spec.directory, name).write_text(f"{name}\n", encoding="ascii")
    place = stand.place
    snapshot = Snapshot((place.lower,), place.upper, place.work, place.merged)
    return start_plan(spec, snapshot, place.machine)


def live(body: Body, plan: Plan, end: Plan) -> Life:
    """Perform, observe, end."""
    heard: list[tuple[Call, int]] = []
    process = body.perform(plan, answer=lambda call, value, at: heard.append((call, value)))
    assert process is not None
    try:
        seen = body.observe(process)
    finally:
        body.signal(process, signal.SIGKILL)
        body.wait(process, 20.0)
        body.dismiss(process)
        body.perform(end, answer=lambda call, value, at: None)
    return Life(tuple(heard), seen)


def comparable(life: Life, machine: Machine) -> dict[str, object]:
    """What must be equal, each under its name."""
    seen = life.seen
    forks = (calls.ForkShim, calls.ForkInit)
    hierarchies = (
        [names for names, _ in machine.cgroups.hierarchies] if machine.cgroups else []
    )
    return {
        "answers": [(c, v and 1 if isinstance(c, forks) else v) for c, v in life.answers],
        "own namespaces": {
            kind for kind, n in seen.namespaces.items() if n != seen.host_namespaces[kind]
        },
        "capabilities": dict(seen.capabilities),
        "seccomp": (seen.seccomp_mode, seen.seccomp_filters, seen.no_new_privileges),
        "identity": (seen.uids, seen.gids, seen.groups),
        "mounts": [row_of(entry) for entry in seen.mounts],
        "limits": {k: v for k, v in seen.limits.items() if k in machine.rlimits},
        "cgroups": {names: seen.cgroups[names].rpartition("/")[2] for names in hierarchies},
        "budget": dict(seen.cgroup_limits),
        "badness": seen.oom_score_adjustment,
    }


def row_of(entry: MountEntry) -> tuple[str, str, str, tuple[str, ...]]:
    """Target, filesystem, root and flags; a bind's filesystem and root are the disk's."""
    is_host_file = entry.target.startswith("/etc/") or entry.filesystem.startswith("cgroup")
    root = Path(entry.root).name if is_host_file else entry.root
    kind = "disk" if entry.target.startswith("/etc/") else entry.filesystem
    return entry.target, kind, root, entry.flags


@pytest.mark.edge
@pytest.mark.parametrize("name", WISHES)
def test_the_model_foretells_what_linux_shows(linux: LinuxStand, name: str) -> None:
    spec = spec_for(linux, WISHES[name])
    machine = linux.place.machine
    plan, end = plan_for(linux, spec), end_plan(spec, machine)
    foretold = live(model_stand(machine, facts_of_host()).body, plan, end)
    shown = live(linux.body, plan, end)
    told, real = comparable(foretold, machine), comparable(shown, machine)
    for topic, expected in real.items():
        assert told[topic] == expected, topic
