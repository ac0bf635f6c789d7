"""A container of ours is born like one of Docker's: same flags, no difference.

The same probe runs as the first process of both.  Docker against a second Docker shows that
what is left over would be ours: the facts are the same on every run and need no rule.
"""

import functools
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.compat.allowlist import differences, standing
from tests.compat.observe import PROBE, Facts, host_namespaces, parse
from tests.minidock_cli import Minidock
from tests.reference import Reference, program, running_reference

pytestmark = pytest.mark.compat

FLAGS = {
    "plain root": "",
    "a user": "--user 1000:1000",
    "a user without a group": "--user 1000",
    "no capability": "--cap-drop ALL",
    "a few capabilities": "--cap-drop ALL --cap-add CHOWN --cap-add net_admin",
    "no new privileges": "--security-opt no-new-privileges",
    "no seccomp": "--security-opt seccomp=unconfined",
    "privileged": "--privileged",
    "privileged user": "--privileged --user 1000:1000",
    "read-only": "--read-only --tmpfs /run",
    "a tmpfs with options": "--tmpfs /run:size=1m,mode=700,exec",
    "a terminal": "-t",
    "a terminal for a user": "-t --user 1000:1000",
    "standard input": "-i",
    "a budget": "--memory 64m --pids-limit 50",
    "half a processor": "--cpus 0.5",
    "limits": "--ulimit nofile=100:200 --ulimit nproc=50 --ulimit core=0",
    "a hostname": "--hostname lesson",
    "an environment": "--env COLOR=red --env PATH=/bin:/sbin",
    "a directory": "--workdir /srv/deep",
    "groups": "--user 1000:1000 --group-add 50 --group-add tty",
    "an init": "--init",
}
# What only the stock command line knows is run by it on both engines.
STOCK = {
    "a domain": "--hostname box --domainname lesson.example",
    "the host's name": "--uts host",
    "no shared memory": "--ipc none",
    "shared memory to share": "--ipc shareable",
    "the host's memory": "--ipc host",
    "a little shared memory": "--shm-size 1m",
    "accounts of its own": "--cgroupns private",
    "settings": "--sysctl net.ipv4.ip_forward=1 --sysctl kernel.shmmax=100000",
    "badness": "--oom-score-adj 500",
    "a device": "--device /dev/kmsg:/dev/y:r",
    "a rule for devices": "--device-cgroup-rule 'c 42:* r'",
    "shares": "--cpu-shares 512",
    "a quota": "--cpu-period 50000 --cpu-quota 20000",
    "one processor": "--cpuset-cpus 0 --cpuset-mems 0",
    "a budget with swap": "--memory 64m --memory-swap 96m --memory-reservation 32m",
    "a budget without end": "--memory 64m --memory-swap -1 --memory-swappiness 10",
    "no killer": "--memory 64m --oom-kill-disable",
    "names": "--add-host one:192.0.2.1 --add-host six:2001:db8::1",
    "servers": "--dns 192.0.2.2 --dns-search a.example --dns-option ndots:3",
    "memory by mount": "--mount type=tmpfs,dst=/deep/x,tmpfs-size=1m,tmpfs-mode=700",
    "a group of groups": "--cgroup-parent /lesson/deep",
    "labels": "--label a=b --annotation c=d --stop-signal INT --stop-timeout 3",
}
every_flag = pytest.mark.parametrize("flags", [pytest.param(FLAGS[n], id=n) for n in FLAGS])

every_stock_flag = pytest.mark.parametrize(
    "flags", [pytest.param(STOCK[n], id=n) for n in STOCK]
)

Run = Callable[..., subprocess.CompletedProcess[str]]
Look = Callable[[str], Facts]


def look(run: Run, image: str) -> Look:
    """How an engine's container looks under some flags; each is started once."""

    @functools.cache
    def facts(flags: str) -> Facts:
        words = ["run", "--rm", "--network", "none", *shlex.split(flags)]
        done = run(*words, image, "sh", "-c", PROBE)
        assert (done.returncode, done.stderr) == (0, "")
        return parse(done.stdout).facts(host_namespaces())

    return facts


@pytest.fixture(scope="module")
def docker(reference: Reference) -> Look:
    return look(reference.docker, reference.image)


@pytest.fixture(scope="module")
def another_docker() -> Iterator[Look]:
    with running_reference() as engine:
        yield look(engine.docker, engine.image)


@pytest.fixture(scope="module")
def ours(minidock: Minidock) -> Look:
    return look(minidock.run, minidock.image)


@pytest.fixture(scope="module")
def by_stock(minidock: Minidock) -> Iterator[Look]:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        host = {"DOCKER_HOST": f"unix://{minidock.host}", "DOCKER_CONFIG": "/nonexistent"}
        return subprocess.run(
            [program("docker"), *words],
            capture_output=True, text=True, timeout=120, check=False,
            env={"PATH": os.environ["PATH"], **host},
        )  # fmt: skip

    yield look(run, minidock.image)
    for group in ("lesson/deep", "lesson"):  # both engines leave what is above their own
        top = Path("/sys/fs/cgroup")
        for place in (*top.glob(f"*/{group}"), *top.glob(group)):
            place.rmdir()


def report(found: Sequence[object]) -> str:
    return "\n".join(str(one) for one in found)


@every_flag
def test_two_dockers_agree_on_everything(
    docker: Look, another_docker: Look, flags: str
) -> None:
    assert report(differences(docker(flags), another_docker(flags))) == ""


@every_flag
def test_our_container_is_born_like_dockers(docker: Look, ours: Look, flags: str) -> None:
    found = differences(docker(flags), ours(flags))
    assert report(standing(about_builds=False).unexplained(found)) == ""


@every_stock_flag
def test_what_the_stock_client_asks_for_is_born_like_dockers(
    docker: Look, by_stock: Look, flags: str
) -> None:
    found = differences(docker(flags), by_stock(flags))
    # What lies in the host's shared memory is nobody's here, and changes.
    found = [each for each in found if not each.key.startswith("/dev/shm/")]  # noqa: S108
    assert report(standing(about_builds=False).unexplained(found)) == ""


def test_every_rule_of_the_allow_list_is_needed(
    docker: Look, ours: Look, by_stock: Look
) -> None:
    allowed = standing(about_builds=False)
    for looks, table in ((ours, FLAGS), (by_stock, STOCK)):
        for flags in table.values():
            allowed.unexplained(differences(docker(flags), looks(flags)))
    assert allowed.stale == []
