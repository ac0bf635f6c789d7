"""The instrument itself: what it reads, what it forgives, and that it misses nothing."""

import datetime

import pytest

from tests.compat.allowlist import Difference, RuleRefused, differences, read
from tests.compat.observe import PROBE, ProbeIncomplete, host_namespaces, parse
from tests.reference import Reference

DAY = datetime.date(2000, 1, 1)
CONTAINER = "0123456789abcdef" * 4
PRINTED = f"""\
@@ descriptors
'/proc/1/fd/0' -> '/dev/null'
'/proc/1/fd/1' -> 'pipe:[4711]'
@@ status
Uid:\t0\t0\t0\t0
CapEff:\t00000000a80425fb
@@ stat
1 (a (strange) name) S 0 1 1 0 -1 4194560
@@ mountinfo
73 48 0:39 / / rw,noatime shared:1 - overlay overlay rw,lowerdir=a:b,upperdir=/c,workdir=/d
75 73 0:43 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k
76 75 0:44 / /dev rw,nosuid - tmpfs second rw
83 73 0:33 /docker/{CONTAINER} /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids
92 73 254:0 /var/lib/{CONTAINER}/hosts /etc/hosts rw - ext4 /dev/vda rw,discard
@@ limits
Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 524288               files
Max nice priority         0                    0
@@ cgroup
8:pids:/docker/{CONTAINER}
0::/elsewhere
@@ environ
PATH=/bin
HOSTNAME={CONTAINER[:12]}
ODD=a=b
@@ namespaces
net net:[1]
user user:[2]
@@ process
hostname {CONTAINER[:12]}
@@ devices
777 0 0 0:0 symbolic link|'/dev/fd' -> '/proc/self/fd'
620 0 5 88:3 character special file|/dev/pts/3
@@ masks
/proc/keys 666 0 0 1:3 character special file, 0 inside, writable: yes
@@ paths
@@ sysctls
@@ budget
@@ network
@@ files
@@ end
"""
FACTS = parse(PRINTED).facts({"user": "user:[2]"})


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [
        ("capabilities", "CapEff", "00000000a80425fb"),
        ("capabilities", "CapAmb", "absent"),
        ("ids", "Uid", "0 0 0 0"),
        ("process", "parent", "0"),
        ("process", "foreground", "-1"),
        ("process", "hostname", "<short id>"),
        ("descriptors", "1", "pipe"),
        ("devices", "/dev/fd", "777 0 0 0:0 symbolic link -> /proc/self/fd"),
        ("devices", "/dev/pts/<n>", "620 0 5 88:3 character special file"),
        ("environment", "ODD", "a=b"),
        ("environment", "order", "PATH HOSTNAME ODD"),
        ("limits", "open files", "1024 524288 files"),
        ("limits", "nice priority", "0 0"),
        ("cgroup", "pids", "/<parent>/<id>"),
        ("cgroup", "v2", "/elsewhere"),
        ("namespaces", "net", "its own"),
        ("namespaces", "user", "the host's"),
        ("mounts", "/dev", "tmpfs tmpfs / rw,nosuid rw,size=65536k private on /"),
        ("mounts", "/dev #2", "tmpfs second / rw,nosuid rw private on /dev"),
        (
            "mounts",
            "/etc/hosts",
            "<stored> <stored> <state>/hosts rw <stored> private on /",
        ),
        (
            "mounts",
            "/sys/fs/cgroup/pids",
            "cgroup cgroup /<parent>/<id> ro rw,pids private on /",
        ),
        (
            "mounts",
            "/",
            "overlay overlay / rw,noatime "
            "rw,lowerdir=<layers>,upperdir=<layers>,workdir=<layers> shared on nothing",
        ),
    ],
)
def test_what_the_probe_prints_becomes_a_fact(topic: str, key: str, value: str) -> None:
    assert FACTS[topic, key] == value


def test_a_terminal_ends_its_lines_differently_and_means_the_same() -> None:
    assert parse(PRINTED.replace("\n", "\r\n")).facts({"user": "user:[2]"}) == FACTS


def test_a_probe_that_was_cut_short_is_no_observation() -> None:
    with pytest.raises(ProbeIncomplete):
        parse(PRINTED.removesuffix("@@ end\n"))


def test_another_container_of_the_same_engine_has_the_same_facts() -> None:
    other = PRINTED.replace(CONTAINER, "f" * 64).replace(CONTAINER[:12], "f" * 12)
    other = other.replace("4711", "4712").replace("a:b", "e").replace("/docker", "/ours")
    assert differences(FACTS, parse(other).facts({"user": "user:[2]"})) == []


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("a80425fb", "a80435fb", "capabilities: CapEff"),
        ("/dev rw,nosuid - tmpfs tmpfs", "/dev rw - tmpfs tmpfs", "mounts: /dev"),
        ("1:3 character", "1:8 character", "masks: /proc/keys"),
        ("ODD=a=b", "EVEN=a=b", "environment: EVEN environment: ODD environment: order"),
        ("524288", "1024", "limits: open files"),
        ("user:[2]", "user:[3]", "namespaces: user"),
        ("-> '/proc/self/fd'", "-> '/proc/1/fd'", "devices: /dev/fd"),
        ("0::/elsewhere", "0::/", "cgroup: v2"),
    ],
)
def test_a_change_of_one_word_is_found_and_named(
    before: str, after: str, found: str
) -> None:
    changed = parse(PRINTED.replace(before, after)).facts({"user": "user:[2]"})
    names = [f"{one.topic}: {one.key}" for one in differences(FACTS, changed)]
    assert " ".join(names) == found


def rules(*topics: str, expires: str = "never", pattern: str = ".*") -> str:
    return "\n".join(
        f"[[rule]]\nid='R{n}'\ntopic='{topic}'\npattern='{pattern}'\nreason='a test'\n"
        f"expires='{expires}'"
        for n, topic in enumerate(topics)
    )


def test_a_rule_explains_its_difference_and_no_other() -> None:
    meant = Difference("limits", "core file size", "1", "0")
    other = Difference("limits", "core file size", "1", "2")
    allowed = read(rules("limits", "ids", pattern=r"core file size: \d+ \| 0"), DAY)
    assert allowed.unexplained([meant, other]) == [other]
    assert allowed.stale == ["R1"]


@pytest.mark.parametrize(
    "topic", ["capabilities", "devices", "masks", "no new privileges", "seccomp"]
)
def test_no_difference_in_what_confines_can_be_meant(topic: str) -> None:
    with pytest.raises(RuleRefused, match=topic):
        read(rules(topic), DAY)


def test_a_rule_ends_on_its_day() -> None:
    assert read(rules("limits", expires="2000-01-01"), DAY).rules
    with pytest.raises(RuleRefused, match="expired"):
        read(rules("limits", expires="1999-12-31"), DAY)


def test_five_rules_for_mounts_are_enough() -> None:
    assert read(rules(*["mounts"] * 5), DAY).rules
    with pytest.raises(RuleRefused, match="more than 5"):
        read(rules(*["mounts"] * 6), DAY)


def test_a_rule_has_its_name_alone() -> None:
    with pytest.raises(RuleRefused, match="one id"):
        read(rules("limits") + "\n" + rules("ids"), DAY)


@pytest.mark.compat
@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("--cap-add NET_ADMIN", "capabilities"),
        ("--security-opt no-new-privileges", "no new privileges"),
        ("--security-opt seccomp=unconfined", "seccomp"),
        ("--security-opt systempaths=unconfined", "masks, mounts"),
        ("--device /dev/fuse", "budget, devices"),
        ("--pids-limit 50", "budget"),
        ("--shm-size 1m", "mounts"),
        ("--ulimit nproc=100", "limits"),
        ("--oom-score-adj 7", "process"),
        ("--workdir /tmp", "process"),
        ("--group-add 7", "ids"),
        ("--env A=1", "environment"),
        ("--ipc host", "mounts, namespaces"),
        ("--uts host", "namespaces, process"),
        ("--interactive", "descriptors"),
        ("--sysctl net.ipv4.ip_unprivileged_port_start=1000", "sysctls"),
        ("--add-host a:1.2.3.4", "files"),
        ("--tmpfs /tmp", "mounts"),
    ],
)
def test_each_flag_shows_in_its_own_topics_of_a_real_container(
    reference: Reference, flags: str, found: str
) -> None:
    first, second = (
        parse(
            reference.docker(
                *("run", "--rm", "--network", "none", *words),
                *(reference.image, "sh", "-c", PROBE),
            ).stdout
        ).facts(host_namespaces())
        for words in ([], flags.split())
    )
    topics = {
        difference.topic
        for difference in differences(first, second)
        if not difference.key.startswith("/dev/shm/")  # noqa: S108  (the machine's own files)
    }
    assert set(found.split(", ")) <= topics
    assert topics <= {*found.split(", "), "paths"}
