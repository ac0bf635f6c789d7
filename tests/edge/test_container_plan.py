"""The plans of this engine, performed by a real kernel: each flag does what it says.

The program inside is the judge: a shell line that is true only where the flag works.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pyminidock.container.execs import resolve_exec
from pyminidock.container.plan import end_plan, exec_plan, leave_plan, start_plan
from pyminidock.container.refusals import start_refusal
from pyminidock.container.resolve import resolve
from pyminidock.container.spec import ContainerSpec, CreateRequest, ExecRequest, Ulimit
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.port import CallFailed, Process
from pyminidock.layers import snapshots
from pyminidock.layers.bootstrap import Base, bootstrap
from pyminidock.store.opening import open_store

WAIT_S = 20.0
KILL = 9


@dataclass(frozen=True)
class Engine:
    """A kernel, a root, and a place for one container after the other."""

    body: LinuxBody
    house: Path
    base: Base

    def decide(self, number: str, **fields: Any) -> tuple[ContainerSpec, Plan]:
        """Resolve a wish and plan it."""
        identifier = self.body.new_id()
        directory = self.house / "containers" / identifier
        request = replace(CreateRequest("busybox"), **fields)
        files = self.body.look(
            (str(self.base.trees[0]),), "", "", ["etc/passwd", "etc/group"]
        )
        machine = self.body.machine()
        spec = resolve(
            request, self.base.config, files, machine, container_id=identifier, name=number,
            directory=str(directory),
        )  # fmt: skip
        snapshot = snapshots.prepare(directory, self.base.trees)
        for name in ("resolv.conf", "hostname", "hosts"):
            (directory / name).write_text("engine\n", encoding="ascii")
        return spec, start_plan(spec, snapshot, machine)

    def perform(self, plan: Plan) -> Process:
        """Start a process."""
        process = self.body.perform(plan, answer=lambda call, value, at: None)
        assert process is not None
        return process

    def end(self, process: Process) -> int:
        """Wait for the end of a process and let its shim go."""
        status = self.body.wait(process, WAIT_S)
        assert status is not None
        self.body.dismiss(process)
        return status.code

    def clear(self, spec: ContainerSpec) -> None:
        """Close the accounts and remove the tree."""
        self.body.perform(
            end_plan(spec, self.body.machine()), answer=lambda call, value, at: None
        )
        snapshots.remove(Path(spec.directory))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    body = LinuxBody(tmp_path)
    try:
        store = open_store(tmp_path)
        base = bootstrap(store)
        store.close()
        yield Engine(body, tmp_path, base)
        left = leave_plan(str(tmp_path), body.machine())
        body.perform(left, answer=lambda call, value, at: None)
    finally:
        body.close()


TRUTHS: dict[str, tuple[dict[str, Any], str]] = {
    "the default": (
        {},
        "[ $$ = 1 ] && [ -c /dev/null ] && [ -f /.dockerenv ] && ! [ -e /dev/kmsg ] && "
        "[ $(hostname | wc -c) = 13 ] && [ $(ulimit -c) = 0 ] && [ $(umask) = 0022 ] && "
        "! echo 1 >/proc/sys/kernel/domainname 2>/dev/null && [ ! -s /proc/keys ] && "
        "[ $(cat /etc/hosts) = engine ] && [ $(cat /proc/1/oom_score_adj) = 0 ] && "
        "touch /here && ping -c 1 127.0.0.1 >/dev/null",
    ),
    "--user, --group-add, --workdir": (
        {"user": "nobody", "group_add": ("tty",), "working_directory": "/srv/new"},
        '[ "$(id -u):$(id -G)" = "65534:65534 5" ] && [ $PWD = /srv/new ] && '
        "! touch here 2>/dev/null && grep -q 'CapEff:.*0000000000000000' /proc/self/status",
    ),
    "--cap-drop ALL": (
        {"cap_drop": ("ALL",)},
        "grep -q 'CapBnd:.*0000000000000000' /proc/self/status && "
        "! chown 1 /tmp 2>/dev/null",
    ),
    "--read-only --tmpfs": (
        {"is_root_readonly": True, "tmpfs": (("/run", "size=1m"),)},
        "! touch /here 2>/dev/null && touch /run/here && ! touch /etc/hosts 2>/dev/null",
    ),
    "--memory --pids-limit": (
        {"memory_bytes": 64 << 20, "pids_limit": 50},
        "grep -qx 67108864 /sys/fs/cgroup/memory/memory.limit_in_bytes && "
        "grep -qx 50 /sys/fs/cgroup/pids/pids.max && "
        "! touch /sys/fs/cgroup/pids/x 2>/dev/null",
    ),
    "--privileged": (
        {"is_privileged": True},
        "grep -q 'Seccomp:.*0' /proc/self/status && [ -c /dev/kmsg ] && "
        "mount -t tmpfs t /tmp",
    ),
    "--security-opt no-new-privileges": (
        {"security_options": ("no-new-privileges",)},
        "grep -q 'NoNewPrivs:.*1' /proc/self/status && "
        "grep -q 'Seccomp:.*2' /proc/self/status && ! unshare -m true 2>/dev/null",
    ),
    "--ulimit": (
        {"ulimits": (Ulimit("nofile", 100, 200), Ulimit("core", 1024, 1024))},
        "[ $(ulimit -n) = 100 ] && [ $(ulimit -Hn) = 200 ] && [ $(ulimit -c) = 2 ]",
    ),
    "-t": (
        {"has_terminal": True, "console_size": (24, 80)},
        "[ -t 0 ] && [ $TERM = xterm ] && [ -c /dev/console ] && "
        '[ "$(stty size)" = "24 80" ]',
    ),
}


@pytest.mark.edge
@pytest.mark.parametrize("flag", TRUTHS)
def test_a_flag_does_what_it_says(engine: Engine, flag: str) -> None:
    fields, truth = TRUTHS[flag]
    spec, plan = engine.decide("truth", command=("sh", "-c", truth), **fields)
    process = engine.perform(plan)
    assert engine.end(process) == 0, truth
    engine.clear(spec)
    assert sorted(p.name for p in Path(spec.directory).iterdir() if p.is_dir()) == []


@pytest.mark.edge
def test_a_second_process_lives_with_the_first(engine: Engine) -> None:
    spec, plan = engine.decide("first", command=("sleep", "600"), cap_drop=("MKNOD",))
    first = engine.perform(plan)
    machine = engine.body.machine()
    truth = (
        f"[ $A = 1 ] && [ $(hostname) = {spec.hostname} ] && "
        "grep -q ^sleep /proc/1/cmdline && "
        "grep -q 'CapEff:.*00000000a00425fb' /proc/self/status && "
        f"grep -q 'Seccomp:.*2' /proc/self/status && grep -q {spec.id} /proc/self/cgroup"
    )
    other = resolve_exec(
        ExecRequest(("sh", "-c", truth), ("A=1",)), spec, {}, machine, exec_id="e" * 64,
        directory=str(engine.house / "second"),
    )  # fmt: skip
    (engine.house / "second").mkdir()
    second = engine.perform(exec_plan(spec, first, other, machine))
    assert engine.end(second) == 0, truth
    engine.body.signal(first, KILL)
    assert engine.end(first) == 128 + KILL
    engine.clear(spec)


@pytest.mark.edge
@pytest.mark.parametrize(
    ("fields", "words", "code"),
    [
        ({"command": ("nope",)}, 'exec: "nope": executable file not found in $PATH', 127),
        ({"command": ("/nope",)}, 'exec: "/nope": stat /nope: no such file', 127),
        ({"command": ("/etc/passwd",)}, 'exec: "/etc/passwd": permission denied', 126),
        ({"command": ("/etc",)}, 'exec: "/etc": is a directory', 126),
        ({"command": ("true",), "working_directory": "/etc/passwd"},
         "Cannot mkdir: /etc/passwd is not a directory", 128),
        ({"command": ("true",), "hostname": "x" * 70},
         "sethostname: invalid argument", 128),
    ],
)  # fmt: skip
def test_a_start_that_fails_says_so_in_docker_s_words(
    engine: Engine, fields: dict[str, Any], words: str, code: int
) -> None:
    spec, plan = engine.decide("failing", **fields)
    with pytest.raises(CallFailed) as failure:
        engine.perform(plan)
    message, exit_code, _ = start_refusal(failure.value, spec)
    assert words in message
    assert exit_code == code
    engine.clear(spec)
