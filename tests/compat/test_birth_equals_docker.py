"""A container of ours is born like one of Docker's: same flags, no difference.

The same probe runs as the first process of both.  Docker against a second Docker shows that
what is left over would be ours: the facts are the same on every run and need no rule.
"""

import functools
import subprocess
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.compat.allowlist import differences, standing
from tests.compat.observe import PROBE, Facts, host_namespaces, parse
from tests.minidock_cli import Minidock
from tests.reference import Reference, running_reference

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
every_flag = pytest.mark.parametrize("flags", [pytest.param(FLAGS[n], id=n) for n in FLAGS])

Run = Callable[..., subprocess.CompletedProcess[str]]
Look = Callable[[str], Facts]


def look(run: Run, image: str) -> Look:
    """How an engine's container looks under some flags; each is started once."""

    @functools.cache
    def facts(flags: str) -> Facts:
        words: Sequence[str] = ["run", "--rm", "--network", "none", *flags.split()]
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


def test_every_rule_of_the_allow_list_is_needed(docker: Look, ours: Look) -> None:
    allowed = standing(about_builds=False)
    for flags in FLAGS.values():
        allowed.unexplained(differences(docker(flags), ours(flags)))
    assert allowed.stale == []
