"""A request is looked over before anything is made; what it could cost is never paid."""

import time
from dataclasses import replace
from typing import Any

import pytest

from pyminidock.container.asked import (
    DeviceMapping,
    DeviceRate,
    MountWish,
    Places,
    PortBinding,
    Reach,
    Resources,
    TmpfsOptions,
    Worlds,
)
from pyminidock.container.mountpoints import mount_rows, trees_in_memory
from pyminidock.container.netmode import (
    LOOPBACK_ONLY,
    has_to_wait,
    networks_of,
    warnings_of,
)
from pyminidock.container.spec import Hindrance, Ulimit
from pyminidock.container.verify import is_signal, verify
from pyminidock.errors import MinidockError
from pyminidock.grammar.tmpfs import TmpfsMount
from pyminidock.kernel.port import CgroupTree
from tests.container.wishes import MACHINE, V2, decide, wish

assert MACHINE.cgroups
MIB = 1 << 20
TREE = CgroupTree(1, (*MACHINE.cgroups.hierarchies, ("blkio", "/b"), ("cpuset", "/c")))
HERE = replace(MACHINE, cpu_list="0-1", node_list="0", cgroups=TREE)


def refusal_of(**fields: Any) -> MinidockError:
    with pytest.raises(MinidockError) as refusal:
        verify(wish(**fields), HERE)
    assert refusal.value.why
    assert refusal.value.try_next
    return refusal.value


def hindrance_of(**fields: Any) -> Hindrance:
    found = decide(wish(**fields), HERE).hindrance
    assert found
    return found


# ── H-07: what is huge is refused at once ────────────────────────────────────────────────

HUGE: dict[str, dict[str, Any]] = {
    "a range of processors": {"resources": Resources(cpuset_cpus="0-2147483647")},
    "a range beyond any number": {"resources": Resources(cpuset_cpus=f"0-{'9' * 5000}")},
    "a hundred thousand ranges": {
        "resources": Resources(cpuset_cpus=",".join(["0-8000"] * 100_000) + ",x")
    },
    "memory nodes": {"resources": Resources(cpuset_mems="0-4294967295")},
    "ports": {"reach": Reach(published=(PortBinding("80", (("", "1-99999999"),)),))},
    "a range of ports inside": {
        "reach": Reach(published=(PortBinding("1-99999999999/tcp", (("", ""),)),))
    },
    "places": {"places": Places(binds=("/etc:/x", *("/etc:/y",) * 50_000))},
    "processors": {"nano_cpus": (1 << 63) - 1},
    "badness": {"oom_score": 1 << 62},
}


@pytest.mark.parametrize("fields", [pytest.param(HUGE[n], id=n) for n in HUGE])
def test_huge_numbers_are_refused_before_they_cost_anything(fields: dict[str, Any]) -> None:
    """H-07: 400, in the time that a word takes, and without the memory of a list."""
    began = time.thread_time()
    assert refusal_of(**fields).status == 400
    assert time.thread_time() - began < 5  # of the processor; a list of them took minutes


@pytest.mark.parametrize("limit", [Ulimit("nofile", -2, 5), Ulimit("nofile", 5, 4)])
def test_limits_that_no_kernel_takes_are_refused(limit: Ulimit) -> None:
    """H-07: numbers of more than 63 bits do not even pass the reader of the body."""
    with pytest.raises(MinidockError) as refusal:
        decide(wish(ulimits=(limit,)))
    assert refusal.value.status == 400


# ── What is accepted by create, and refused at start ─────────────────────────────────────


@pytest.mark.parametrize("mode", ["host", "container:x", "mine"])
def test_who_cannot_lay_cables_is_told_so_at_start(mode: str) -> None:
    request = wish(network_mode=mode)
    rootless = replace(MACHINE, backend="linux-rootless")
    assert not has_to_wait(request, MACHINE)
    assert has_to_wait(request, rootless).startswith(f"network {mode} cannot be reached")
    assert list(warnings_of(wish(), rootless)) == [LOOPBACK_ONLY]
    assert not list(warnings_of(wish(), MACHINE))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sysctls": (("kernel.pid_max", "1"),)}, 'sysctl "kernel.pid_max" is not in a'),
        ({"sysctls": (("../../x", "1"),)}, 'sysctl "../../x" is not in a separate kernel'),
        ({"sysctls": (("net./x", "1"),)}, 'sysctl "net./x" is not in a separate kernel'),
        (
            {"sysctls": (("kernel.hostname", "x"),)},
            'sysctl "kernel.hostname" is not allowed',
        ),
        (
            {"sysctls": (("kernel.shmmax", "1"),), "worlds": Worlds(ipc="host")},
            'sysctl "kernel.shmmax" is not allowed in the hosts ipc namespace',
        ),
        (
            {"domainname": "d", "worlds": Worlds(uts="host")},
            'sysctl "kernel.domainname" is not in a separate kernel namespace',
        ),
        ({"resources": Resources(cpu_shares=-3)}, "shares: invalid argument"),
        ({"resources": Resources(cpu_shares=1)}, "the minimum allowed cpu-shares is 2"),
        ({"resources": Resources(device_rules=("foo",))}, "invalid device cgroup rule"),
        (
            {"resources": Resources(devices=(DeviceMapping("/dev/nope"),))},
            'error gathering device information while adding custom device "/dev/nope"',
        ),
        (
            {"resources": Resources(blkio_read_bps=(DeviceRate("/nosuch", 1),))},
            "stat /nosuch: no such file or directory",
        ),
        ({"reach": Reach(dns=("foo",))}, "bad nameserver address foo"),
        (
            {"network_mode": "host", "sysctls": (("net.ipv4.ip_forward", "0"),)},
            'sysctl "net.ipv4.ip_forward" not allowed in host network namespace',
        ),
        ({"tmpfs": (("/x", "foo"),)}, 'invalid tmpfs option "foo"'),
    ],
)
def test_what_no_kernel_takes_hinders_the_start(fields: dict[str, Any], words: str) -> None:
    found = hindrance_of(**fields)
    assert found.status == 500
    assert words in found.what


@pytest.mark.parametrize("mode", ["host", "container:x"])
def test_among_the_processes_of_others_nothing_needs_a_first_one(mode: str) -> None:
    spec = decide(wish(worlds=Worlds(pid=mode), uses_init=True))
    assert (spec.argv, spec.init) == (("echo", "hi"), "")


# ── Small decisions ──────────────────────────────────────────────────────────────────────


def test_a_container_is_in_the_networks_that_it_asked_for() -> None:
    assert networks_of(wish()) == ("bridge",)
    assert networks_of(wish(network_mode="none")) == ("none",)
    assert networks_of(wish(network_mode="container:x")) == ()
    assert networks_of(wish(reach=Reach(is_disabled=True))) == ()
    assert decide(wish(reach=Reach(is_disabled=True))).warnings == ()


def test_a_mount_in_memory_is_built_and_shown() -> None:
    asked = wish(
        places=Places(
            mounts=(
                MountWish("tmpfs", target="/m/", tmpfs=TmpfsOptions(1 << 20, 0o700)),
                MountWish("tmpfs", target="/r", is_readonly=True),
            )
        )
    )
    assert trees_in_memory(asked) == (
        TmpfsMount("/m", ("nosuid", "nodev", "noexec"), "mode=700,size=1m"),
        TmpfsMount("/r", ("nosuid", "nodev", "noexec", "ro"), ""),
    )
    assert [
        (row["Type"], row["Destination"], row["RW"]) for row in mount_rows(asked, ())
    ] == [
        ("tmpfs", "/m", True),
        ("tmpfs", "/r", False),
    ]


@pytest.mark.parametrize("text", ["TERM", "sigterm", "15", "99", "RTMIN", "SIGRTMAX-15"])
def test_signals_of_docker_are_known(text: str) -> None:
    assert is_signal(text)


@pytest.mark.parametrize("text", ["", "FOO", "RTMIN+16", "0", "SIGSIGTERM", "1.5"])
def test_other_words_are_no_signals(text: str) -> None:
    assert not is_signal(text)


def test_on_cgroup_v2_what_it_does_not_know_is_discarded_with_dockers_words() -> None:
    asked = Resources(memory_swappiness=5, disables_oom_killer=True)
    spec = decide(wish(network_mode="none", resources=asked), V2)
    assert spec.resources.memory_swappiness is None
    assert spec.resources.disables_oom_killer is None
    assert spec.warnings == (
        "Your kernel does not support memory swappiness capabilities or the cgroup is not "
        "mounted. Memory swappiness discarded.",
        "Your kernel does not support OomKillDisable. OomKillDisable discarded.",
    )


def test_the_line_that_would_work_keeps_what_else_was_asked_for() -> None:
    refusal = refusal_of(
        resources=Resources(cpuset_cpus="x", cpu_shares=5), oom_score=7, shm_bytes=MIB,
        worlds=Worlds(ipc="none"), sysctls=(("net.a", "1"),), domainname="d",
    )  # fmt: skip
    assert refusal.try_next == (
        "minidock run --shm-size 1m --cpu-shares 5 --oom-score-adj 7 --domainname d "
        "--ipc none --sysctl net.a=1 busybox echo hi"
    )
