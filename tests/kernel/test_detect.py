"""What a machine can do, judged from facts alone; every shortage has a way out."""

from dataclasses import replace

import pytest

from pyminidock.grammar.capabilities import ALL_MASK, BITS
from pyminidock.kernel.detect import Facts, choose, judge
from pyminidock.kernel.port import Capability

WHOLE = Facts(
    kernel=(6, 12), arch="x86_64", uid=0, capabilities=ALL_MASK, last_capability=40,
    root_directory="/var/lib/minidock", root_filesystem="ext4",
    namespaces=("mount", "network", "uts", "ipc", "pid", "cgroup", "user", "time"),
    user_namespaces=1000, cgroup_version=2, controllers=("memory", "cpu", "pids"),
    seccomp_actions=("kill_process", "errno", "allow"), busybox="/bin/busybox",
    init="/usr/bin/tini", keyrings=True,
)  # fmt: skip


def row(facts: Facts, name: str) -> Capability:
    """Give one row of the doctor's answer."""
    (found,) = [each for each in judge(facts) if each.name == name]
    return found


def without(*names: str) -> int:
    """Give all capabilities but these."""
    return ALL_MASK & ~sum(1 << BITS[name] for name in names)


def test_a_machine_that_has_everything_is_told_so_without_advice() -> None:
    rows = judge(WHOLE)
    assert {each.state for each in rows} == {"yes"}
    assert {(each.costs, each.fix) for each in rows} == {("", "")}
    assert choose(WHOLE)[0] == "linux-root"


@pytest.mark.parametrize(
    ("facts", "name", "state", "reason"),
    [
        (replace(WHOLE, system="Darwin"), "backend", "limited", "this is Darwin"),
        (replace(WHOLE, kernel=(5, 4)), "kernel", "no", "Linux 5.4 lacks mount_setattr"),
        (replace(WHOLE, missing_calls=("openat2",)), "kernel", "no", "openat2"),
        (replace(WHOLE, capabilities=without("CAP_SYS_TIME")), "capabilities", "limited",
         "lacks CAP_SYS_TIME"),
        (replace(WHOLE, uid=1000, capabilities=0), "capabilities", "no", "uid 1000"),
        (replace(WHOLE, overlay_error="no such device"), "overlay", "no", "no such device"),
        (replace(WHOLE, namespaces=("mount", "pid")), "namespaces", "no", "network"),
        (replace(WHOLE, user_namespaces=0), "user namespaces", "no", "max_user_"),
        (replace(WHOLE, user_namespace_bar="kernel.unprivileged_userns_clone=0"),
         "user namespaces", "limited", "unprivileged_userns_clone=0"),
        (replace(WHOLE, cgroup_version=0, controllers=()), "limits", "no",
         "no cgroup tree"),
        (replace(WHOLE, controllers=("cpu", "pids")), "limits", "limited", "memory"),
        (replace(WHOLE, capabilities=without("CAP_SYS_RESOURCE")), "raising rlimits",
         "limited", "CAP_SYS_RESOURCE"),
        (replace(WHOLE, seccomp_actions=()), "seccomp", "no", "cannot filter"),
        (replace(WHOLE, capabilities=without("CAP_MKNOD")), "device nodes", "limited",
         "CAP_MKNOD"),
        (replace(WHOLE, device_filter_error="operation not permitted"), "device nodes",
         "limited", "operation not permitted"),
        (replace(WHOLE, cgroup_version=0, controllers=()), "device nodes", "limited",
         "no cgroup tree"),
        (replace(WHOLE, cgroup_version=1), "device nodes", "limited",
         "v1 without devices"),
        (replace(WHOLE, rules_error="protocol not supported"), "packet rules", "no",
         "protocol not supported"),
        (replace(WHOLE, foreign_drops=("ip filter FORWARD",)), "packet rules", "limited",
         "ip filter FORWARD"),
        (replace(WHOLE, fanotify_error="not permitted"), "watch", "no", "not permitted"),
        (replace(WHOLE, fanotify_error="not permitted", seccomp_actions=("user_notif",)),
         "watch", "limited", "seccomp's notification"),
        (replace(WHOLE, fuse_error="no such device"), "glass", "no", "no such device"),
        (replace(WHOLE, fuse_patience_s=60), "glass", "limited", "60 s"),
        (replace(WHOLE, init=""), "init for --init", "no", "tini"),
        (replace(WHOLE, busybox=""), "busybox", "limited", "BusyBox"),
    ],
)  # fmt: skip
def test_what_is_short_has_a_reason_a_price_and_a_way_out(
    facts: Facts, name: str, state: str, reason: str
) -> None:
    found = row(facts, name)
    assert found.state == state
    assert reason in found.reason
    assert found.costs
    assert found.fix


@pytest.mark.parametrize(
    ("facts", "backend", "why"),
    [
        (replace(WHOLE, is_single_user=True), "linux-rootless", "one uid"),
        (replace(WHOLE, uid=7), "linux-rootless", "uid 7"),
        (replace(WHOLE, uid=7, user_namespaces=0), "simulated", "uid 7 may not"),
        (replace(WHOLE, uid=7, user_namespace_bar="a.b_clone=0"), "simulated", "uid 7"),
        (
            replace(WHOLE, capabilities=without("CAP_SYS_ADMIN")),
            "simulated",
            "CAP_SYS_ADMIN",
        ),
        (replace(WHOLE, overlay_error="invalid argument"), "simulated", "invalid argument"),
        (replace(WHOLE, missing_calls=("fsopen",)), "simulated", "fsopen"),
    ],
)
def test_the_best_backend_is_chosen_and_the_reason_told(
    facts: Facts, backend: str, why: str
) -> None:
    chosen, reason = choose(facts)
    assert chosen == backend
    assert why in reason
    assert row(facts, "backend").reason == f"{chosen}: {reason}"


@pytest.mark.parametrize(
    ("bar", "command"),
    [
        ("kernel.unprivileged_userns_clone=0", "kernel.unprivileged_userns_clone=1"),
        ("kernel.apparmor_restrict_unprivileged_userns=1",
         "kernel.apparmor_restrict_unprivileged_userns=0"),
    ],
)  # fmt: skip
def test_the_setting_in_the_way_is_named_with_the_value_that_opens(
    bar: str, command: str
) -> None:
    assert row(replace(WHOLE, user_namespace_bar=bar), "user namespaces").fix.endswith(
        command
    )


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(
            replace(WHOLE, cgroup_version=1, controllers=(*WHOLE.controllers, "devices")),
            id="version 1 has a file for it",
        ),
        pytest.param(replace(WHOLE, is_single_user=True), id="no node opens there anyway"),
        pytest.param(replace(WHOLE, uid=1000), id="the engine will enter such a namespace"),
    ],
)
def test_who_needs_no_device_program_is_not_told_that_one_was_refused(facts: Facts) -> None:
    refused = replace(facts, device_filter_error="operation not permitted")
    assert row(refused, "device nodes").state == "yes"
