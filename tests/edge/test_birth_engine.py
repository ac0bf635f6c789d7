"""The engine around a birth: what it opens, leaves, repeats, inherits and gives away.

H-01, H-30, H-35, H-37, H-39 and H-45 of the hardening contract, each on the real kernel.
"""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

import pyminidock
from pyminidock.container.accounts import cgroup_of, directory_of
from pyminidock.container.spec import CreateRequest, ExecRequest, ImageConfig
from pyminidock.engine import execs, run
from pyminidock.engine.house import House
from pyminidock.engine.run import StartRefused
from pyminidock.events import CgroupCreated
from pyminidock.events.redaction import for_journal
from pyminidock.kernel.calls import Call, ForkInit, Plan, RaiseLoopback, WriteSysctl
from pyminidock.kernel.linux import wire
from pyminidock.kernel.linux.nursery import Nursery
from pyminidock.kernel.port import Answer, CallFailed, Process
from pyminidock.kernel.recording import Recording
from pyminidock.layers.snapshots import remove_tree
from tests import leaks
from tests.edge.cell import ID, Cell
from tests.edge.test_birth_odd_roots import evil_library
from tests.engine.pictures import furnish
from tests.reference import busybox_root, wait_until

pytestmark = pytest.mark.edge

# ── H-01: a birth opens what its plan names, and imports nothing ─────────────────────────

# What shim and child open or execute, in a birth that was watched and then read line by
# line.  "/x" is a path of the host, "x" one below a handle, which is a root or a procfs of
# ours; names in braces differ per container.  "?" marks what not every machine has.
GOLDEN = """
/proc ?                                 a handle on the host's procfs
/proc/sys/kernel/random/boot_id
/proc/self/comm ?
/proc/self/oom_score_adj ?              the next shim's own, and back for its child
{pid}/stat ?
/proc/{pid}/stat ?
/proc/{pid}/ns/mnt ?                     held by the shim until the exit is told
/proc/self/stat ?                       before a fork, Python 3.12 counts threads
/proc/self/fd ?                         the next newborn plays its birth, and closes all
log ?                                   … with a log,
/proc/self/fd/{n} ?                     … on a tree of its own that is mounted nowhere
{place}
shim.json.tmp
{container}-json.log
exit.json.tmp
{cgroup}/tasks ?
{cgroup}/cgroup.procs ?
{cgroup}/memory.oom_control ?
{cgroup}/memory.events ?
{place}/rootfs
/                                       the old root, before it is let go
dev
dev/mqueue ?
dev/null
dev/pts ?
dev/shm ?
etc/hostname
etc/hosts
etc/resolv.conf
{hierarchy} ?
mqueue
proc
pts
shm
sys
proc/acpi
proc/asound
proc/bus
proc/fs
proc/irq
proc/kcore
proc/keys
proc/latency_stats
proc/sched_debug
proc/scsi
proc/sys
proc/sysrq-trigger
proc/timer_list
proc/timer_stats
sys/devices/virtual/powercap
sys/firmware
sys/fs/cgroup ?
sys/net/ipv4/ip_unprivileged_port_start
sys/net/ipv4/ping_group_range
self/oom_score_adj
exec /bin/true
"""

_CALL = re.compile(r"^\d+ +(openat2?|open|execve(?:at)?)\((?:(\w+), )?\"([^\"]*)\"")
_UNFINISHED = re.compile(r"<unfinished \.\.\.>$")


def golden() -> tuple[set[str], set[str]]:
    """Give what a birth may open, and what every birth does open."""
    lines = [line.split("  ")[0] for line in GOLDEN.strip().splitlines()]
    may = {line.removesuffix(" ?") for line in lines}
    return may, {line for line in lines if not line.endswith(" ?")}


def family(pid: int) -> list[int]:
    """Give a process and all that descend from it; who ends meanwhile has no children."""
    try:
        texts = [
            (task / "children").read_text() for task in Path(f"/proc/{pid}/task").iterdir()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return [pid]
    return [pid, *(each for text in texts for c in text.split() for each in family(int(c)))]


def family_at_rest(pid: int) -> list[int]:
    """Wait until the last shim has gone and the next ones sleep; give the family."""
    seen: list[list[int]] = [[]]

    def is_at_rest() -> bool:
        seen.append(family(pid))
        return len(seen[-1]) > 1 and seen[-1] == seen[-2]

    wait_until(is_at_rest, 10, "the spawner to be ready")
    return seen[-1]


@contextmanager
def watched(pids: list[int], trace: Path) -> Iterator[None]:
    """Note what processes and their future children open and execute."""
    command = ["strace", "-f", "-qq", "-s", "400", "-e",
               "trace=open,openat,openat2,execve,execveat", "-o", str(trace)]  # fmt: skip
    watcher = subprocess.Popen([*command, *(f"-p{pid}" for pid in pids)])
    try:
        for pid in pids:
            wait_until(lambda pid=pid: is_traced(pid), 10, "strace")  # type: ignore[misc]
        yield
    finally:
        watcher.send_signal(signal.SIGINT)  # lets go of all of them
        watcher.wait(10)


def is_traced(pid: int) -> bool:
    """Whether somebody watches; who has ended meanwhile needs no watching."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True
    return re.search(r"TracerPid:\s*[1-9]", status) is not None


def normal(cell: Cell, path: str) -> str:
    """Put the name of a thing in place of its number."""
    tree = cell.body.machine().cgroups
    group = cgroup_of(str(cell.directory), ID)
    hierarchies = dict(tree.hierarchies).values() if tree else ()
    for directory in hierarchies:
        path = path.replace(f"{directory}/{group}", "{cgroup}")
        if path == Path(directory).name:
            return "{hierarchy}"
    path = path.replace(str(cell.directory), "{place}").replace(ID, "{container}")
    path = re.sub(r"^/proc/self/fd/\d+$", "/proc/self/fd/{n}", path)
    return re.sub(r"^(/proc/)?\d+/", r"\1{pid}/", path)


def opened(cell: Cell, trace: Path) -> set[str]:
    """Read what strace noted."""
    found = set()
    for line in trace.read_text().splitlines():
        if match := _CALL.match(line):
            verb, _, path = match.groups()
            found.add(("exec " if verb.startswith("exec") else "") + normal(cell, path))
    return found


def test_a_birth_opens_what_is_on_the_list_and_nothing_else(cell: Cell) -> None:
    """H-01: every path by every process from the request to the end of the program."""
    cell.run("true")  # the spawner is there, and has its next children
    trace = cell.place / "trace"
    with watched(family_at_rest(cell.body._nursery.pid), trace):
        assert cell.run("true").code == 0
    seen, (may, must) = opened(cell, trace), golden()
    assert (seen - may, must - seen) == (set(), set())


# ── What waits ready made is not seen before its step ────────────────────────────────────


def network_of(pid: int) -> int:
    return Path(f"/proc/{pid}/ns/net").stat().st_ino


def test_who_walks_step_by_step_sees_the_network_namespace_come_at_its_step(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newborn that waits is in one already; it goes back before it is looked at."""
    perform, seen = cell.body.perform, dict[str, int]()

    def walked(plan: Plan, *, answer: Answer, watchers: int = 0) -> Process | None:
        pids: list[int] = []

        def look(call: Call, value: int, at: float) -> None:
            if isinstance(call, ForkInit):
                pids.append(value)
            if pids:
                name = getattr(call, "namespace", type(call).__name__)
                seen[name] = network_of(pids[0])
            answer(call, value, at)

        return perform(plan, answer=look, lockstep=True, watchers=watchers)

    monkeypatch.setattr(cell.body, "perform", walked)
    with cell.started("sleep", "60") as process:
        own = network_of(process.pid)
    ours = network_of(os.getpid())
    assert own != ours
    assert (seen["ForkInit"], seen["mount"]) == (ours, ours)
    assert (seen["network"], seen["AnnounceReady"]) == (own, own)


def test_a_birth_that_asks_for_no_network_namespace_stays_in_the_hosts(cell: Cell) -> None:
    """Otherwise the one that waits ready made would isolate whoever did not ask for it."""

    def without(plan: Plan) -> Plan:
        return tuple(
            call for call in plan
            if getattr(call, "namespace", "") != "network"
            and not isinstance(call, RaiseLoopback | WriteSysctl)
        )  # fmt: skip

    with cell.started("sleep", "60", change=without) as process:
        assert network_of(process.pid) == network_of(os.getpid())
    with cell.started("sleep", "60") as process:
        assert network_of(process.pid) != network_of(os.getpid())


class AuditedNursery(Nursery):
    """A nursery whose spawner tells every audit event to a file."""

    def __init__(self, told: Path) -> None:
        super().__init__()
        self.told = told

    def _start(self) -> socket.socket:
        start = """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        from pyminidock.kernel.linux.spawner import main
        def tell(event, words):
            try:
                first = words[0] if words and isinstance(words[0], (str, bytes)) else b""
                os.write(200, repr((event, first)).encode() + b"\\n")
            except OSError:
                pass  # step 28 closes it
        sys.addaudithook(tell)
        main()
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        package = str(Path(pyminidock.__file__).parents[1])
        with theirs, self.told.open("ab") as told:
            self.pid = os.posix_spawn(
                sys.executable,
                [
                    sys.executable,
                    "-I",
                    "-S",
                    "-c",
                    textwrap.dedent(start),
                    package,
                    *map(str, self._descriptors),
                ],
                {"LC_ALL": "C.UTF-8"},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 3),
                    (os.POSIX_SPAWN_DUP2, told.fileno(), 200),
                ],
            )
        self._control = ours
        return ours


NEVER = {"import", "exec", "compile", "ctypes.dlopen", "subprocess.Popen", "os.system",
         "os.spawn", "os.posix_spawn", "socket.getaddrinfo", "socket.gethostbyname",
         "socket.getnameinfo", "code.__new__", "tempfile.mkstemp", "os.putenv", "pdb.Pdb",
         "sys._getframe", "shutil.rmtree"}  # fmt: skip


def test_no_process_of_a_birth_imports_or_looks_anything_up(cell: Cell) -> None:
    """H-01: Python's own audit, from the spawner's loop up to step 28."""
    told = cell.place / "audit"
    cell.body._nursery.close()
    cell.body._nursery = AuditedNursery(told)
    for wishes in ({}, {"has_terminal": True, "user": "1000", "working_directory": "/new"}):
        assert cell.run("true", **wishes).code == 0  # type: ignore[arg-type]
    with cell.started("sleep", "60") as process:
        assert cell.exec(process, "true", user="1000").code == 0
    cell.body._nursery.close()
    events = [line.split("'")[1] for line in told.read_text().splitlines()]
    assert {"os.fork", "open", "os.mkdir", "fcntl.ioctl", "marshal.loads"} <= set(events)
    assert NEVER & set(events) == set()


def test_a_plan_travels_as_numbers_and_bytes_only(cell: Cell) -> None:
    """H-01: what the child gets cannot be a class, a function or a text to interpret."""
    plans: list[Plan] = []

    def keep(plan: Plan) -> Plan:
        plans.append(plan)
        return plan

    cell.run("true", change=keep, has_terminal=True)
    (plan,) = plans
    at = next(n for n, call in enumerate(plan) if type(call).__name__ == "ForkShim")
    spelled = [wire.spell(call, wire_bits()) for call in plan[at:]]

    def plain(value: object) -> bool:
        if isinstance(value, tuple):
            return all(map(plain, value))
        return type(value) in (int, bytes, bool, str)

    assert all(plain(words) for words in spelled)
    assert len(wire.request(plan, at, lockstep=False, capabilities=wire_bits(),
                            last_capability=40)) < 1 << 16  # fmt: skip


def wire_bits() -> dict[str, int]:
    from pyminidock.grammar.capabilities import BITS  # noqa: PLC0415

    return dict(BITS)


# ── H-30: limits hold before there is anyone to limit ────────────────────────────────────


def pids_of(cell: Cell, file: str) -> str:
    directory = directory_of(cell.body.machine().cgroups, "pids")
    return Path(directory, cgroup_of(str(cell.directory), ID), file).read_text()


BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""


def test_a_fork_bomb_is_bounded_and_the_engine_goes_on(
    laboratory: Cell, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """H-30: as PID 1's first act; meanwhile others are observed and started."""
    place = tmp_path_factory.mktemp("beside")
    busybox_root(place / "root")
    beside, cell = Cell(place, laboratory.body), laboratory
    bomb = ("/usr/bin/python3", "-I", "-S", "-c", BOMB)
    with cell.started(*bomb, pids_limit=48) as process:
        wait_until(lambda: pids_of(cell, "pids.events") != "max 0\n", 20, "the limit")
        began = time.monotonic()
        seen = cell.body.observe(process)
        observed_s = time.monotonic() - began
        assert beside.run("echo", "still here").lines == ["still here"]
        answered_s = time.monotonic() - began
        assert int(pids_of(cell, "pids.current")) <= 48
        assert seen.cgroup_limits["pids.max"] == "48"
    assert observed_s < 0.5
    assert answered_s < 5


def test_a_program_that_takes_more_memory_than_it_may_is_killed_and_it_is_said(
    cell: Cell,
) -> None:
    """H-30: 137, out of memory; and 137 alone is not out of memory."""
    with cell.started("tail", "/dev/zero", memory_bytes=16 << 20) as process:
        status = cell.body.wait(process, 30)
    assert status is not None
    assert (status.code, status.signal, status.was_out_of_memory) == (137, 9, True)
    with cell.started("sleep", "60", memory_bytes=16 << 20) as process:
        cell.body.signal(process, 9)
        status = cell.body.wait(process, 30)
    assert status is not None
    assert (status.code, status.signal, status.was_out_of_memory) == (137, 9, False)


# ── H-35: every call fails once ──────────────────────────────────────────────────────────

ERRORS = (errno.EIO, errno.ENOMEM, errno.EPERM, errno.ENOSPC, errno.EINTR, errno.EAGAIN)


def length_of(attempt: Callable[[Callable[[Plan], Plan]], object]) -> int:
    """Count the calls of a plan by performing it."""
    lengths: list[int] = []

    def count(plan: Plan) -> Plan:
        lengths.append(len(plan))
        return plan

    attempt(count)
    return lengths[0]


def refusal_at(body: Any, index: int, number: int, attempt: Callable[[], object]) -> None:
    """Fail one call, and judge what is said about it."""
    body.fail_at = (index, number)
    try:
        with pytest.raises(CallFailed) as refusal:
            attempt()
    finally:
        body.fail_at = None
    failure = refusal.value
    assert (failure.index, failure.errno) == (index, number)
    assert failure.what.startswith(type(failure.call).__name__)
    assert failure.what.endswith(os.strerror(number).lower())
    assert failure.why
    assert failure.try_next


def notes(directory: Path) -> list[str]:
    """Name the files in which something could have been said."""
    return [
        path.name for path in directory.rglob("*.log")
        if "upper" not in path.parts and path.read_bytes()
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wishes",
    [
        pytest.param({}, id="plain"),
        pytest.param(
            {"has_terminal": True, "user": "1000:1000", "working_directory": "/new",
             "tmpfs": (("/run", ""),), "is_root_readonly": True,
             "security_options": ("no-new-privileges",)},
            id="with everything",
        ),
    ],
)  # fmt: skip
def test_every_call_of_a_birth_can_fail_and_nothing_is_left(
    cell: Cell, wishes: dict[str, Any]
) -> None:
    """H-35: error, step and number arrive; no traceback is anywhere; the next one runs."""
    length = length_of(lambda count: cell.run("true", change=count, **wishes))
    marks = (str(cell.place), cgroup_of(str(cell.directory), ID))

    def picture() -> leaks.Snapshot:
        """Without numbers: the spawner's next children are others after each birth."""
        seen = leaks.snapshot(cell.place, marks=marks, ignore=("containers",))
        return Counter(re.sub(r"\d+", "N", name) for name in seen.elements())

    family_at_rest(cell.body._nursery.pid)
    before = picture()
    for index, number in zip(range(length), cycle(ERRORS), strict=False):
        refusal_at(cell.body, index, number, lambda: cell.run("true", **wishes))
        assert notes(cell.directory) == [], index
        left = {path.name for path in cell.directory.iterdir()}
        assert left <= {"rootfs", "work", "upper", "init", "hosts", "hostname",
                        "resolv.conf"}, index  # fmt: skip
    assert leaks.settled(before, picture) == ()
    assert length > 60
    assert cell.run("echo", "and on").lines == ["and on"]


def test_every_call_of_an_exec_can_fail_and_the_container_lives_on(cell: Cell) -> None:
    """H-35: as often as there are calls, one container."""
    from pyminidock.container.execs import resolve_exec  # noqa: PLC0415
    from pyminidock.container.plan import exec_plan  # noqa: PLC0415

    with cell.started("sleep", "60") as process:
        spec, machine = cell.spec("true"), cell.body.machine()
        directory = cell.directory / "second"
        directory.mkdir()
        asked = ExecRequest(("true",), has_terminal=True, user="1000")
        second = resolve_exec(
            asked, spec, {}, machine, exec_id="s", directory=str(directory)
        )
        plan = exec_plan(spec, process, second, machine)
        for index, number in zip(range(len(plan)), cycle(ERRORS), strict=False):
            refusal_at(
                cell.body, index, number,
                lambda: cell.body.perform(plan, answer=lambda call, value, at: None),
            )  # fmt: skip
            assert list(directory.iterdir()) == [], index
        assert cell.body.wait(process, 0.01) is None
        assert cell.exec(process, "echo", "and on").lines == ["and on"]
        wait_until(lambda: len(family(process.shim_pid)) == 2, 5, "the last failed child")


# ── H-37, H-39: engines in odd circumstances ─────────────────────────────────────────────

REPOSITORY = Path(pyminidock.__file__).parents[1]


def engine_elsewhere(
    place: Path, program: str, *, environment: dict[str, str] | None = None,
    directory: Path | None = None,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run a program that has a `cell`, in a process of its own."""
    prelude = f"""
    import os, sys
    sys.path[:] = {[str(REPOSITORY), *filter(None, sys.path)]!r}
    from pathlib import Path
    from pyminidock.kernel.linux.body import LinuxBody
    from tests.edge.cell import Cell
    body = LinuxBody(Path({str(place)!r}))
    cell = Cell(Path({str(place)!r}), body)
    """
    source = textwrap.dedent(prelude) + textwrap.dedent(program) + "\nbody.close()\n"
    return subprocess.run(
        [sys.executable, "-I", "-c", source], capture_output=True, text=True, timeout=60,
        check=False, cwd=directory, env={"PATH": os.environ["PATH"], **(environment or {})},
    )  # fmt: skip


def test_what_was_printed_and_not_flushed_is_printed_once(cell: Cell) -> None:
    """H-37: by the engine alone; a child that fails takes no directory of its parent."""
    program = """
    import tempfile
    from pyminidock.kernel.port import Answer, CallFailed, Process
    print("printed before the first birth", end=" ")
    sys.stderr.reconfigure(line_buffering=False)
    print("and an error", end=" ", file=sys.stderr)
    kept = tempfile.TemporaryDirectory()
    Path(kept.name, "file").write_text("x")
    ran = cell.run("sh", "-c", "echo inside; echo wrong >&2")
    assert (ran.out, ran.err) == ("inside\\n", "wrong\\n"), ran
    for index in (5, 20, 40, 60):
        body.fail_at = (index, 5)
        try:
            cell.run("true")
        except CallFailed:
            print("failed", end=" ")
    body.fail_at = None
    try:
        cell.run("/no/such/program")
    except CallFailed:
        print("missing", end=" ")
    print(os.listdir(kept.name))
    kept.cleanup()
    """
    ended = engine_elsewhere(cell.place, program)
    assert ended.stdout == (
        "printed before the first birth " + "failed " * 4 + "missing ['file']\n"
    ), ended
    assert ended.stderr == "and an error "
    assert ended.returncode == 0


def test_an_engine_in_a_hostile_environment_hands_none_of_it_on(
    cell: Cell, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """H-39: variables of Python, loader and locale; no place to stand, none to write."""
    trap = tmp_path_factory.mktemp("trap")
    marker = trap / "marker"
    for name in ("json", "socket", "marshal", "encodings", "sitecustomize", "struct",
                 "usercustomize", "signal", "pyminidock"):  # fmt: skip
        (trap / f"{name}.py").write_text(f"open({str(marker)!r}, 'w')")
    (trap / "evil.so").write_bytes(evil_library(marker))
    gone = tmp_path_factory.mktemp("gone")
    program = f"""
    os.rmdir(os.getcwd())
    os.environ.update(
        LD_PRELOAD={str(trap / "evil.so")!r}, LD_AUDIT={str(trap / "evil.so")!r},
        LD_LIBRARY_PATH={str(trap)!r}, GCONV_PATH={str(trap)!r},
    )
    ran = cell.run("env")
    print(sorted(line.partition("=")[0] for line in ran.lines))
    print(cell.run("pwd").lines)
    with cell.started("sleep", "60") as process:
        for pid in (body._nursery.pid, process.shim_pid):
            print(Path(f"/proc/{{pid}}/environ").read_bytes())
            print(Path(f"/proc/{{pid}}/cmdline").read_bytes().split(b"\\0")[1:3])
        print(Path(f"/proc/{{process.pid}}/environ").read_bytes().count(b"=") )
        second = cell.exec(process, "env").lines
        print(sorted(line.partition("=")[0] for line in second))
    """
    hostile = {
        "PYTHONPATH": str(trap), "PYTHONHOME": "/nonexistent", "PYTHONSTARTUP": str(trap),
        "PYTHONWARNINGS": "error", "PYTHONINSPECT": "1", "PYTHONDEBUG": "3",
        "LC_ALL": "xx", "LANG": "yy.ZZ", "LANGUAGE": "q", "TMPDIR": "/proc/none",
        "TZ": ":/nonexistent", "HOME": "/nonexistent", "MALLOC_PERTURB_": "85",
        "IFS": "/", "ENV": str(marker), "BASH_ENV": str(marker), "SHELLOPTS": "xtrace",
    }  # fmt: skip
    ended = engine_elsewhere(cell.place, program, environment=hostile, directory=gone)
    assert ended.returncode == 0, ended
    assert not marker.exists()
    names = "['HOME', 'HOSTNAME', 'PATH']"
    clean = ["b'LC_ALL=C.UTF-8\\x00'", "[b'-I', b'-S']"]
    assert ended.stdout.splitlines() == [
        names, "['/']", *clean, *clean, "3", names,
    ], ended  # fmt: skip


# ── H-45: what must never leave ──────────────────────────────────────────────────────────

CANARIES = {
    name: f"canary-{name}-{number:x}xyzzy"
    for number, name in enumerate(
        ("env", "header", "userinfo", "option", "stdin", "proxy", "daemon", "image",
         "exec-env", "exec-argv", "assignment", "printed", "failed"), 0xA11CE
    )
}  # fmt: skip


@contextmanager
def house_at(cell: Cell, config: ImageConfig) -> Iterator[House]:
    """Give a whole engine over the cell's kernel, with the cell's root as `busybox`."""
    tree = furnish(cell.place, config)
    remove_tree(tree)
    cell.root.rename(tree)
    house = House(cell.place, Recording(cell.body))
    try:
        yield house
    finally:
        for life in house.lives():
            run.remove(house, life.id, force=True)
        house.close()


def test_no_canary_of_a_whole_life_is_in_a_journal_an_export_or_an_error(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H-45: variables and arguments, as a real kernel was given them."""
    c = CANARIES
    monkeypatch.setenv("DAEMON_TOKEN", c["daemon"])
    command = (
        "sh", "-c",
        f"cat >/dev/null; echo $PRINTED; : curl -H "
        f"'Authorization: Bearer {c['header']}' --password {c['option']} "
        f"https://user:{c['userinfo']}@example.invalid/ API_TOKEN={c['assignment']}",
    )  # fmt: skip
    wish = CreateRequest(
        "busybox", command=command, keeps_stdin=True,
        environment=(
            f"PLAIN={c['env']}", f"HTTPS_PROXY=http://u:{c['proxy']}@proxy/",
            f"PRINTED={c['printed']}",
        ),
    )  # fmt: skip
    config = ImageConfig(environment=(f"FROM_IMAGE={c['image']}",))
    said: list[str] = []
    with house_at(cell, config) as house:
        container = run.create(house, wish)
        heard = house.recorder.listen()
        run.start(house, container)
        second = execs.create(
            house, container,
            ExecRequest(("env", f"SECRET_KEY={c['exec-argv']}"),
                        environment=(f"MORE={c['exec-env']}",)),
        )  # fmt: skip
        beside = execs.start(house, second)
        assert beside is not None
        beside.close()
        assert execs.wait(house, second, 20) is not None
        place = run.attach(house, container)
        streams = place.streams(10)
        assert streams is not None
        streams.write(f"{c['stdin']}\n".encode())
        streams.close_stdin()
        streams.close()
        place.close()
        life = house.life(container)
        assert life.until(lambda: life.exit is not None, 20)
        failing = replace(
            wish, command=("/no/such",), environment=(f"PASSWORD={c['failed']}",)
        )
        other = run.create(house, failing)
        with pytest.raises(StartRefused) as refusal:
            run.start(house, other)
        said += [str(refusal.value), refusal.value.why, refusal.value.try_next]
        house.recorder.flush()
        stories = [entry.header.story for entry in house.journals.entries()]
        for story in stories:
            said += house.journals.export(story)
            said += [repr(record) for record in house.journals.read(story).records]
        said += [
            p.read_text("utf-8", "replace") for p in (cell.place / "journal").iterdir()
        ]
        said += [
            path.read_text("utf-8", "replace")
            for pid in family(cell.body._nursery.pid)
            for path in (Path(f"/proc/{pid}/environ"), Path(f"/proc/{pid}/cmdline"))
        ]
        assert heard is not None
    text = "\n".join(said)
    assert len(stories) == 2
    assert "program.executed" in text
    assert "HTTPS_PROXY" in text
    assert [name for name, canary in CANARIES.items() if canary in text] == []


def test_an_option_within_one_text_is_hidden_as_within_many() -> None:
    """H-45: also in a field that holds one text only."""
    event = CgroupCreated(f"psql --password {CANARIES['option']} db")
    assert CANARIES["option"] not in repr(for_journal(event))
