"""Root without root: a user namespace in which one unprivileged person is uid 0.

H-09, and what single-uid runs can keep of H-10, H-22, H-28 and H-40: uid 12345 enters the
namespace in a process of its own, runs containers there, and tells as JSON what it saw.
"""

import json
import os
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import pyminidock
from tests import leaks
from tests.reference import busybox_root

pytestmark = pytest.mark.edge

SOMEBODY = 12345

# What the driver has: `enter`, then `ran(...)`, and `said` for what it tells.
DRIVER = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from pathlib import Path
from pyminidock.container.execs import resolve_exec
from pyminidock.container.logfile import log_path
from pyminidock.container.plan import end_plan, exec_plan, start_plan
from pyminidock.container.resolve import resolve
from pyminidock.container.spec import CreateRequest, ExecRequest, ImageConfig
from pyminidock.errors import MinidockError
from pyminidock.kernel.detect import choose
from pyminidock.kernel.linux import userns
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.linux.facts import read_facts
from pyminidock.layers import snapshots

place, said = Path(sys.argv[2]), {}

def spec_of(body, command, wishes):
    files = body.look([str(place / "root")], "", "", ["etc/passwd", "etc/group"])
    request = CreateRequest("busybox", command=tuple(command), **wishes)
    return resolve(request, ImageConfig(), files, body.machine(), container_id="c" * 64,
                   name="cell", directory=str(place / "containers" / "cell"))

def output(body, process):
    streams, parts = body.attach(process), {1: b"", 2: b""}
    while (frame := streams.read()) is not None:
        parts[frame[0]] += frame[1]
    streams.close()
    return parts[1].decode(), parts[2].decode()

def ran(body, *command, then=lambda spec, process: None, **wishes):
    directory = place / "containers" / "cell"
    snapshots.remove(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for log in directory.glob("*-json.log"):
        log.unlink()
    snapshot = snapshots.prepare(directory, [place / "root"])
    for name in ("resolv.conf", "hostname", "hosts"):
        (directory / name).write_text(f"{name} of the engine\\n")
    spec = spec_of(body, command, wishes)
    plan = start_plan(spec, snapshot, body.machine())
    process = body.perform(plan, answer=lambda call, value, at: None, watchers=0)
    then(spec, process)
    status = body.wait(process, 30)
    body.dismiss(process)
    body.perform(end_plan(spec, body.machine()), answer=lambda call, value, at: None)
    log = [json.loads(line) for line in Path(log_path(spec)).open()]
    return {"code": status.code, "lines": [row["log"].rstrip("\\n") for row in log]}
"""


@contextmanager
def home_of_somebody() -> Iterator[tuple[Path, Path]]:
    """Give a copy of the code that all can read, and a place that somebody may write to."""
    with tempfile.TemporaryDirectory(prefix="minidock-single-") as name:
        top = Path(name)
        top.chmod(0o755)
        code, place = top / "code", top / "place"
        shutil.copytree(
            Path(pyminidock.__file__).parent, code / "pyminidock",
            ignore=shutil.ignore_patterns("__pycache__"),
        )  # fmt: skip
        place.mkdir()
        busybox_root(place / "root")
        for path in (place, *place.rglob("*")):
            os.chown(path, SOMEBODY, SOMEBODY, follow_symlinks=False)
        yield code, place


@pytest.fixture(scope="module")
def home() -> Iterator[tuple[Path, Path]]:
    with home_of_somebody() as made:
        yield made


def by_somebody(home: tuple[Path, Path], program: str) -> dict[str, Any]:
    """Run a program as that person; answers what it put into `said`."""
    code, place = home
    source = DRIVER + textwrap.dedent(program) + "\nprint(json.dumps(said))\n"
    ended = subprocess.run(
        ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups",
         "--inh-caps=-all", "/usr/bin/python3", "-I", "-B", "-c", source, str(code),
         str(place)],
        capture_output=True, text=True, timeout=60, check=False, cwd="/",
        env={"PATH": "/usr/bin:/bin", "HOME": str(place)},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def test_before_and_after_entering_the_machine_is_called_rootless(
    home: tuple[Path, Path],
) -> None:
    """H-09: detect says so with a reason, on both sides of the door."""
    told = by_somebody(
        home,
        """
        said["outside"] = choose(read_facts(place)), userns.is_single_user()
        userns.enter()
        said["inside"] = choose(read_facts(place)), userns.is_single_user()
        body = LinuxBody(place)
        machine = body.machine()
        said["machine"] = machine.backend, machine.is_single_user, machine.cgroups
        body.close()
        """,
    )
    (backend, why), is_single = told["outside"]
    assert (backend, is_single) == ("linux-rootless", False)
    assert "12345" in why
    (backend, why), is_single = told["inside"]
    assert (backend, is_single) == ("linux-rootless", True), why
    assert told["machine"] == ["linux-rootless", True, None]


def test_the_map_is_one_line_and_can_be_written_once(home: tuple[Path, Path]) -> None:
    """H-09: setgroups is denied before, and what is written is final."""
    told = by_somebody(
        home,
        """
        userns.enter()
        for name in ("uid_map", "gid_map", "setgroups"):
            said[name] = Path("/proc/self", name).read_text().split()
            try:
                text = "0 0 1" if "map" in name else "allow"
                Path("/proc/self", name).write_text(text)
            except OSError as refusal:
                said[name] += [refusal.errno]
        said["ids"] = os.getresuid(), os.getresgid()
        for name, call in (("setgroups", lambda: os.setgroups([5])),
                           ("setuid", lambda: os.setuid(1000)),
                           ("setgid", lambda: os.setgid(1000))):
            try:
                call()
                said["call " + name] = 0
            except OSError as refusal:
                said["call " + name] = refusal.errno
        """,
    )
    assert told["uid_map"] == ["0", "12345", "1", 1]  # EPERM
    assert told["gid_map"] == ["0", "12345", "1", 1]
    assert told["setgroups"][0] == "deny"
    assert told["setgroups"][1:] in ([1], [22])
    assert told["ids"] == [[0, 0, 0], [0, 0, 0]]
    assert told["call setgroups"] == 1
    assert told["call setuid"] == 22  # EINVAL: there is no such uid here
    assert told["call setgid"] == 22


def test_a_process_with_threads_does_not_enter(home: tuple[Path, Path]) -> None:
    """H-09: the kernel would refuse, so it is refused before anything has changed."""
    told = by_somebody(
        home,
        """
        import threading
        end = threading.Event()
        thread = threading.Thread(target=end.wait)
        thread.start()
        try:
            userns.enter()
        except OSError as refusal:
            said["errno"] = refusal.errno
        said["ids"] = os.getresuid()
        end.set()
        thread.join()
        """,
    )
    assert told == {"errno": 22, "ids": [SOMEBODY] * 3}


def test_a_container_of_somebody_has_walls_of_its_own(home: tuple[Path, Path]) -> None:
    """H-09, H-10, H-28, H-40: maps, namespaces, capabilities, filter, and no new rights."""
    told = by_somebody(
        home,
        """
        userns.enter()
        body = LinuxBody(place)
        said["host"] = {path.name: os.readlink(path)
                        for path in Path("/proc/self/ns").iterdir()}
        said["run"] = ran(body, "sh", "-c", '''
            cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
            id -u; id -G; hostname | wc -c; ls /proc | grep -c '^[0-9]'
            echo 0 12345 1 > /proc/self/uid_map || echo map refused
            grep -E "^(Cap|Sec|NoNew)" /proc/self/status''')
        said["namespaces"] = ran(body, "sh", "-c", "for n in /proc/self/ns/*; do "
                                 "echo ${n##*/} $(readlink $n); done")
        said["fds"] = ran(body, "sh", "-c", "ls /proc/self/fd; echo x > /dev/null && "
                          "head -c 4 /dev/zero | wc -c; cat /etc/hosts")
        body.close()
        """,
    )
    lines = told["run"]["lines"]
    assert [line.split() for line in lines[:2]] == [["0", "12345", "1"]] * 2
    assert lines[2:5] == ["deny", "0", "0"], lines
    assert "map refused" in lines
    status = dict(line.split() for line in lines if line[:3] in ("Cap", "Sec", "NoN"))
    assert status["CapBnd:"] == status["CapEff:"] == status["CapPrm:"] == "00000000a80425fb"
    assert status["CapInh:"] == status["CapAmb:"] == "0" * 16
    assert (status["Seccomp:"], status["NoNewPrivs:"]) == ("2", "1")
    assert status["Seccomp_filters:"] == "1"
    inside = dict(line.split() for line in told["namespaces"]["lines"])
    private = {n for n, link in inside.items() if link != told["host"][n]}
    assert {"mnt", "net", "uts", "ipc", "pid"} <= private
    assert inside["user"] == told["host"]["user"]  # the engine's own, which nobody else has
    assert told["fds"]["lines"] == ["0", "1", "2", "3", "4", "hosts of the engine"]


def test_the_upper_layer_keeps_what_was_written_and_what_was_deleted(
    home: tuple[Path, Path],
) -> None:
    """H-09: an overlay without trusted attributes; files belong to the person outside."""
    told = by_somebody(
        home,
        """
        (place / "root" / "doomed").write_text("x")
        (place / "root" / "full").mkdir(exist_ok=True)
        (place / "root" / "full" / "file").write_text("x")
        userns.enter()
        body = LinuxBody(place)
        said["run"] = ran(body, "sh", "-c", "echo new > /made; rm /doomed; rm -r /full; "
                          "mkdir /full; ls -A /full | wc -l; ls /doomed 2>&1; cat /made")
        upper = place / "containers" / "cell" / "upper"
        said["made"] = (upper / "made").read_text()
        whiteout = os.stat(upper / "doomed")
        said["whiteout"] = whiteout.st_rdev, oct(whiteout.st_mode)
        said["opaque"] = os.getxattr(upper / "full", "user.overlay.opaque").decode()
        said["below"] = (place / "root" / "doomed").read_text()
        body.close()
        """,
    )
    assert told["run"]["lines"] == ["0", "ls: /doomed: No such file or directory", "new"]
    assert told["made"] == "new\n"
    assert told["whiteout"] == [0, "0o20000"]
    assert told["opaque"] == "y"
    assert told["below"] == "x"
    made = home[1] / "containers" / "cell" / "upper" / "made"
    assert (made.stat().st_uid, made.stat().st_gid) == (SOMEBODY, SOMEBODY)


def test_a_second_process_joins_and_sees_no_more(home: tuple[Path, Path]) -> None:
    """H-09, H-22: exec into the namespaces that the person's own namespace owns."""
    told = by_somebody(
        home,
        """
        userns.enter()
        body = LinuxBody(place)
        def beside(spec, process):
            directory = place / "containers" / "cell" / "second"
            directory.mkdir(exist_ok=True)
            asked = ExecRequest(("sh", "-c", "ls /proc/self/fd | wc -l; cat /marker; "
                                 "grep -E '^(CapEff|Seccomp:|NoNew)' /proc/self/status"))
            second = resolve_exec(asked, spec, {}, body.machine(), exec_id="s",
                                  directory=str(directory))
            plan = exec_plan(spec, process, second, body.machine())
            child = body.perform(plan, answer=lambda call, value, at: None, watchers=1)
            said["out"] = output(body, child)
            said["code"] = body.wait(child, 30).code
            body.dismiss(child)
            body.signal(process, 9)
        (place / "root" / "marker").write_text("inside\\n")
        said["run"] = ran(body, "sleep", "60", then=beside)
        body.close()
        """,
    )
    out, err = told["out"]
    assert (told["code"], err) == (0, "")
    assert out.split() == ["4", "inside", "CapEff:", "00000000a80425fb", "NoNewPrivs:", "1",
                           "Seccomp:", "2"]  # fmt: skip
    assert told["run"]["code"] == 137


def test_files_go_in_and_out_while_it_runs_and_when_it_has_ended(
    home: tuple[Path, Path],
) -> None:
    told = by_somebody(
        home,
        """
        import io
        from pyminidock.kernel.port import Hung, Tree
        from pyminidock.layers.archive import Entry, Kind, read_entries
        from pyminidock.layers.incoming import How, Incoming
        from pyminidock.layers.outgoing import Outgoing
        userns.enter()
        body = LinuxBody(place)
        cell = place / "containers" / "cell"

        def tree():
            found = snapshots.find(cell, [place / "root"])
            return Tree(found.lower, found.upper, found.work, found.target,
                        (Hung(str(cell / "hosts"), "/etc/hosts"),))

        def entries(name):
            yield Entry(name, Kind.FILE, 0o644, 1234, 1235, 3, body=io.BytesIO(b"new"))
            yield Entry(name + b".null", Kind.CHARACTER, device=(1, 3))

        def copied(view, name):
            how = How((0, 0), has_devices=False)
            Incoming(view, "/home", how).take(entries(name))
            out = b"".join(Outgoing(view).directory(b"/home", b"home"))
            hosts = b"".join(Outgoing(view).file(b"/etc/hosts", b"hosts"))
            view.close()
            found = [each.name.decode() for each in read_entries(io.BytesIO(out))]
            return found, b"hosts of the engine" in hosts

        def beside(spec, process):
            said["running"] = copied(body.view(tree(), process, is_writable=True), b"one")
            body.signal(process, 9)

        said["run"] = ran(body, "sleep", "60", then=beside)
        said["ended"] = copied(body.view(tree(), is_writable=True), b"two")
        said["below"] = sorted(os.listdir(cell / "upper" / "home"))
        body.close()
        """,
    )
    assert told["running"] == [["home", "home/one"], True]
    assert told["ended"] == [["home", "home/one", "home/two"], True]
    assert told["below"] == ["one", "two"]


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"user": "1000"}, "knows one user only"),
        ({"user": "0:5"}, "knows one user only"),
        ({"group_add": ["5"]}, "knows one user only"),
        ({"user": "nobody"}, "knows one user only"),
        ({"memory_bytes": 64 << 20}, "--memory needs the cgroup controller"),
        ({"nano_cpus": 500_000_000}, "--cpus needs the cgroup controller"),
        ({"pids_limit": 20}, "--pids-limit needs the cgroup controller"),
    ],
)
def test_what_one_user_without_accounts_cannot_have_is_refused_and_taught(
    home: tuple[Path, Path], wishes: dict[str, Any], words: str
) -> None:
    """H-09: never forgotten in silence; each sentence has a reason and a way on."""
    told = by_somebody(
        home,
        f"""
        userns.enter()
        body = LinuxBody(place)
        wishes = {wishes!r}
        wishes = {{n: tuple(v) if isinstance(v, list) else v for n, v in wishes.items()}}
        try:
            ran(body, "true", **wishes)
        except MinidockError as refusal:
            said.update(what=str(refusal.what), why=refusal.why, lesson=refusal.lesson,
                        try_next=refusal.try_next)
        body.close()
        """,
    )
    assert words in told["what"]
    assert told["why"]
    assert told["lesson"] in ("users", "limits")
    assert " run " in told["try_next"]


def test_somebodys_engine_leaves_nothing_behind(home: tuple[Path, Path]) -> None:
    """H-09: no process, mount, account or socket; the namespace ends with its last one."""
    marks = (str(home[1]),)
    before = leaks.snapshot(home[1], marks=marks, ignore=("containers",))
    by_somebody(
        home,
        """
        userns.enter()
        body = LinuxBody(place)
        for _ in range(3):
            assert ran(body, "true")["code"] == 0
        body.close()
        """,
    )

    def now() -> leaks.Snapshot:
        return leaks.snapshot(home[1], marks=marks, ignore=("containers",))

    assert leaks.settled(before, now) == ()
