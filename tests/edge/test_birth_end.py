"""The last steps before a program takes over, and what it finds itself to be.

H-27, H-28, H-29, H-32 and H-33 of the hardening contract, each on the real kernel.  The
exit codes of H-27 are those of dockerd 26.1.5, asked with the same root.
"""

import errno
import json
import os
import re
import shutil
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pyminidock.container.refusals import start_refusal
from pyminidock.container.spec import Ulimit
from pyminidock.events import ProgramExecuted, ProgramNotExecuted
from pyminidock.grammar.capabilities import BITS
from pyminidock.kernel.calls import AnnounceReady
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.port import CallFailed
from pyminidock.kernel.recording import effect_of
from tests.edge.cell import Cell, Ran

pytestmark = pytest.mark.edge

PYTHON = ("/usr/bin/python3", "-I", "-S", "-c")
DEFAULT = "00000000a80425fb"
NOTHING = "0" * 16


# ── H-27: where it stands, and what it is ────────────────────────────────────────────────


def test_a_working_directory_that_is_missing_is_made_for_root(cell: Cell) -> None:
    """H-27: 0755 and of root, every part of it, whoever the user is."""
    for user in ("", "1000:1000"):
        ran = cell.run(
            "sh", "-c", "pwd; stat -c '%a %u:%g' /a /a/b /a/b/c",
            working_directory="/a/b/c", user=user,
        )  # fmt: skip
        assert ran.lines == ["/a/b/c", *["755 0:0"] * 3], ran


@pytest.mark.parametrize("user", ["0", "1000:1000", "2000:2000"])
@pytest.mark.parametrize("owner", [0, 1000])
@pytest.mark.parametrize("dropped", [(), ("ALL",)])
def test_a_private_working_directory_is_entered_whoever_runs(
    cell: Cell, user: str, owner: int, dropped: tuple[str, ...]
) -> None:
    """H-27: it is entered before power is given up, as dockerd 26.1.5 does."""
    private = cell.root / "private"
    private.mkdir()
    os.chown(private, owner, owner)
    private.chmod(0o700)
    ran = cell.run("pwd", working_directory="/private", user=user, cap_drop=dropped)
    assert (ran.out, ran.code) == ("/private\n", 0), ran


def test_a_working_directory_that_is_a_file_is_refused(cell: Cell) -> None:
    """H-27: in Docker's words."""
    with pytest.raises(CallFailed) as refusal:
        cell.run("pwd", working_directory="/etc/passwd")
    spec = cell.spec("pwd", working_directory="/etc/passwd")
    message, *_ = start_refusal(refusal.value, spec)
    assert message == "Cannot mkdir: /etc/passwd is not a directory"


def put(root: Path, name: str, content: bytes, mode: int) -> None:
    (root / name).write_bytes(content)
    (root / name).chmod(mode)


@pytest.fixture
def shelf(cell: Cell) -> Cell:
    """Give a cell whose root holds all kinds of things that are no program."""
    put(cell.root, "notexec", b"hi\n", 0o644)
    put(cell.root, "private", b"#!/bin/sh\n", 0o700)
    put(cell.root, "noshebang", b"echo hi\n", 0o755)
    put(cell.root, "badinterp", b"#!/missing\n", 0o755)
    put(cell.root, "short", b"\x7fELF", 0o755)
    put(cell.root, "empty", b"", 0o755)
    (cell.root / "dirx").mkdir()
    (cell.root / "gone").symlink_to("/nowhere")
    return cell


@pytest.mark.parametrize(
    ("command", "user", "said", "code"),
    [
        ("/nope", "0", 'exec: "/nope": stat /nope: no such file or directory', 127),
        ("nope", "0", 'exec: "nope": executable file not found in $PATH', 127),
        ("", "0", 'exec: "": executable file not found in $PATH', 127),
        ("/gone", "0", 'exec: "/gone": stat /gone: no such file or directory', 127),
        ("/empty/x", "0", 'exec: "/empty/x": stat /empty/x: not a directory', 127),
        ("/notexec", "0", 'exec: "/notexec": permission denied', 126),
        ("/private", "1000", 'exec: "/private": permission denied', 126),
        ("/dirx", "0", 'exec: "/dirx": is a directory', 126),
    ],
)  # fmt: skip
def test_what_cannot_start_has_the_exit_code_and_the_words_of_docker(
    shelf: Cell, command: str, user: str, said: str, code: int
) -> None:
    """H-27: nothing has started, so nothing is in a log."""
    with pytest.raises(CallFailed) as refusal:
        shelf.run(command, user=user)
    message, exit_code, status = start_refusal(refusal.value, shelf.spec(command))
    assert f"unable to start container process: {said}: unknown" in message
    assert (exit_code, status) == (code, 400)
    assert not (shelf.log).exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/noshebang", "exec /noshebang: exec format error\n"),
        ("/badinterp", "exec /badinterp: no such file or directory\n"),
        ("/short", "exec /short: exec format error\n"),
        ("/empty", "exec /empty: exec format error\n"),
    ],
)
def test_what_starts_and_cannot_run_says_so_itself_and_ends_with_one(
    shelf: Cell, command: str, said: str
) -> None:
    """H-27: as runc's last process does, after the start was already a success."""
    assert shelf.run(command) == Ran("", said, 1)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("/noshebang", errno.ENOEXEC), ("/badinterp", errno.ENOENT),
        ("/short", errno.ENOEXEC), ("/empty", errno.ENOEXEC),
    ],
)  # fmt: skip
def test_no_program_is_told_to_have_taken_over_where_none_did(
    shelf: Cell, command: str, error: int
) -> None:
    """H-27: the evidence is execve's own answer."""
    shelf.run(command)
    assert effect_of(*shelf.answers[-1]) == ProgramNotExecuted(
        (command,), error, os.strerror(error).lower()
    )
    shelf.run("true")
    assert effect_of(*shelf.answers[-1]) == ProgramExecuted(("true",))


def test_a_filter_that_kills_who_executes_lets_no_program_take_over(cell: Cell) -> None:
    """The close-on-exec socket ends in both cases; the kernel's flag tells them apart."""
    rule = {"names": ["execve"], "action": "SCMP_ACT_KILL_PROCESS"}
    profile = json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]})
    for options in ((f"seccomp={profile}",), (f"seccomp={profile}", "no-new-privileges")):
        ran = cell.run("true", security_options=options)
        assert ran.code == 128 + signal.SIGSYS
        assert effect_of(*cell.answers[-1]) == ProgramNotExecuted(
            ("true",), 0, "killed before it was executed"
        )
        # What nobody reported may have happened, or not: it is not told.
        assert cell.answers[-2][0] == AnnounceReady()


def test_the_shim_remembers_that_a_dead_process_was_never_a_program(cell: Cell) -> None:
    """For a daemon that came too late to look itself."""
    rule = {"names": ["execve"], "action": "SCMP_ACT_KILL_PROCESS"}
    profile = json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]})
    for options, executed in (((), 1), ((f"seccomp={profile}",), 0)):
        with cell.started("true", security_options=options) as process:
            cell.body.wait(process, 10)
            record = json.loads(Path(process.directory, "exit.json").read_text())
            assert record["executed"] == executed


# ── H-28: five masks ─────────────────────────────────────────────────────────────────────


def masks(ran: Ran) -> dict[str, str]:
    words = (line.split() for line in ran.lines)
    return {word[0][3:-1]: word[1] for word in words if word and word[0].startswith("Cap")}


def five(held: str, bounding: str) -> dict[str, str]:
    return {"Inh": NOTHING, "Prm": held, "Eff": held, "Bnd": bounding, "Amb": NOTHING}


STATUS = ("cat", "/proc/self/status")


def test_the_five_masks_of_every_kind_of_container_and_of_what_is_run_beside(
    cell: Cell,
) -> None:
    """H-28: inheritable and ambient are empty always."""
    everything = f"{cell.body.machine().capabilities:016x}"
    net_admin = f"{int(DEFAULT, 16) | 1 << 12:016x}"
    table: list[tuple[dict[str, Any], str, str]] = [
        ({}, DEFAULT, DEFAULT),
        ({"user": "1000"}, NOTHING, DEFAULT),
        ({"user": "1000", "cap_add": ("NET_ADMIN",)}, NOTHING, net_admin),
        ({"cap_drop": ("ALL",)}, NOTHING, NOTHING),
        ({"cap_drop": ("ALL",), "cap_add": ("CHOWN",)}, f"{1:016x}", f"{1:016x}"),
        ({"cap_add": ("ALL",)}, everything, everything),
        ({"is_privileged": True}, everything, everything),
        ({"is_privileged": True, "user": "1000"}, NOTHING, everything),
    ]
    for wishes, held, bounding in table:
        ran = cell.run(*STATUS, **wishes)
        assert masks(ran) == five(held, bounding), wishes


def test_the_five_masks_of_a_second_process(cell: Cell) -> None:
    """H-28: never more than the first one's bounding set, unless it is privileged."""
    everything = f"{cell.body.machine().capabilities:016x}"
    with cell.started("sleep", "60") as process:
        assert masks(cell.exec(process, *STATUS)) == five(DEFAULT, DEFAULT)
        assert masks(cell.exec(process, *STATUS, user="1000")) == five(NOTHING, DEFAULT)
        privileged = cell.exec(process, *STATUS, is_privileged=True)
        assert masks(privileged) == five(everything, everything)
        assert "Seccomp:\t2" in privileged.out


def endowed_cat(root: Path) -> Path:
    """Give a program that shows its own status, to be given capabilities as a file."""
    (root / "opt").mkdir()
    return Path(shutil.copy(root / "bin" / "busybox", root / "opt" / "cat"))


@pytest.mark.parametrize(
    ("effective", "permitted", "inheritable", "held"),
    [
        pytest.param(1, 0, 1 << 10, NOTHING, id="ei gives nothing"),
        pytest.param(1, 0, (1 << 41) - 1, NOTHING, id="all of them by ei neither"),
        pytest.param(1, 1 << 10, 0, f"{1 << 10:016x}", id="ep gives what is in the bounds"),
    ],
)
def test_capabilities_of_a_file_give_a_user_nothing_by_inheritance(
    cell: Cell, effective: int, permitted: int, inheritable: int, held: str
) -> None:
    """H-28: because no process of a container has an inheritable set (CVE-2022-24769)."""
    program = endowed_cat(cell.root)
    words = struct.pack(
        "<5I", 0x02000000 | effective, permitted & 0xFFFFFFFF, inheritable & 0xFFFFFFFF,
        permitted >> 32, inheritable >> 32,
    )  # fmt: skip
    os.setxattr(program, "security.capability", words)
    for dropped in ((), ("SETUID",)):
        ran = cell.run("/opt/cat", "/proc/self/status", user="1000", cap_drop=dropped)
        assert masks(ran)["Prm"] == masks(ran)["Eff"] == held, ran
        assert masks(ran)["Inh"] == NOTHING


def test_a_file_gives_no_capability_that_was_dropped(cell: Cell) -> None:
    """H-28: the bounding set is a wall also for capabilities of files."""
    program = endowed_cat(cell.root)
    os.setxattr(
        program, "security.capability", struct.pack("<5I", 0x02000000, 1 << 21, 0, 0, 0)
    )
    ran = cell.run("/opt/cat", "/proc/self/status", user="1000")
    assert masks(ran) == five(NOTHING, DEFAULT)


# ── H-29: growth by execution, and the filter ────────────────────────────────────────────

BECOME = '''
import os, shutil
shutil.copy("/usr/bin/python3", "/tmp/raised")
os.chmod("/tmp/raised", 0o4755)
os.setgid(1000)
os.setuid(1000)
os.execv("/tmp/raised", ["/tmp/raised", "-I", "-S", "-c", """
import os
import re
print(os.getresuid())
print([line for line in open("/proc/self/status") if line[:3] in ("Sec", "NoN")])
"""])
'''


@pytest.mark.parametrize(
    ("options", "uids", "is_forbidden"),
    [
        ((), "(1000, 0, 0)", 0),
        (("no-new-privileges",), "(1000, 1000, 1000)", 1),
        (("no-new-privileges=false",), "(1000, 0, 0)", 0),
    ],
)
def test_a_setuid_program_raises_its_user_unless_that_is_forbidden(
    laboratory: Cell, options: tuple[str, ...], uids: str, is_forbidden: int
) -> None:
    """H-29: and one filter judges it in both orders of the last steps."""
    ran = laboratory.run(*PYTHON, BECOME, security_options=options)
    first, second = ran.lines
    assert first == uids, ran
    assert f"NoNewPrivs:\\t{is_forbidden}\\n" in second
    assert "Seccomp:\\t2\\n" in second
    assert "Seccomp_filters:\\t1\\n" in second


def test_a_second_process_has_the_same_filter_in_both_orders(cell: Cell) -> None:
    """H-29: exec takes over what the container was given."""
    for options, forbidden in (((), 0), (("no-new-privileges",), 1)):
        with cell.started("sleep", "60", security_options=options) as process:
            seen = cell.body.observe(process)
        assert (seen.seccomp_mode, seen.seccomp_filters) == (2, 1)
        assert seen.no_new_privileges is bool(forbidden)


# ── H-32: signals ────────────────────────────────────────────────────────────────────────


@contextmanager
def engine_with_odd_signals() -> Iterator[None]:
    """Be an engine started by nohup, or by a shell that has it ignore more."""
    odd = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM,
           signal.SIGUSR1,
           signal.SIGTSTP, signal.SIGTTOU, signal.SIGCHLD, signal.SIGRTMIN + 3)  # fmt: skip
    before = {number: signal.signal(number, signal.SIG_IGN) for number in odd}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGWINCH})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in before.items():
            signal.signal(number, handler)


def dispositions(text: str) -> dict[str, int]:
    words = (line.split() for line in text.splitlines())
    return {word[0]: int(word[1], 16) for word in words
            if word[0] in ("SigIgn:", "SigBlk:", "SigCgt:")}  # fmt: skip


def test_a_program_begins_with_no_signal_ignored_blocked_or_caught(cell: Cell) -> None:
    """H-32: Python ignores two, and a shell may have the engine ignore more."""
    silent = {"SigIgn:": 0, "SigBlk:": 0, "SigCgt:": 0}
    assert dispositions(cell.run(*STATUS).out) == silent
    with engine_with_odd_signals():
        body = LinuxBody(cell.place)
        other = Cell(cell.place, body)
        try:
            assert dispositions(other.run(*STATUS).out) == silent
            with other.started("sleep", "60") as process:
                assert dispositions(other.exec(process, *STATUS).out) == silent
        finally:
            body.close()


def test_a_writer_without_a_reader_dies_of_sigpipe(cell: Cell) -> None:
    """H-32: 141 is 128 and SIGPIPE; were it ignored, `yes` would complain, or never end."""
    ran = cell.run("sh", "-c", "set -o pipefail; yes | head -n 1; echo $?")
    assert ran == Ran("y\n141\n", "", 0)


def test_a_first_process_without_a_handler_ends_by_sigkill_only(cell: Cell) -> None:
    """H-32: the kernel protects every PID 1, so `stop` has to wait and kill."""
    with cell.started("sleep", "60") as process:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            cell.body.signal(process, number)
        assert cell.body.wait(process, 0.2) is None
        cell.body.signal(process, signal.SIGKILL)
        status = cell.body.wait(process, 10)
    assert status is not None
    assert (status.code, status.signal) == (137, 9)


def test_a_first_process_with_a_handler_hears_sigterm(cell: Cell) -> None:
    """H-32: and ends as it likes."""
    with cell.started(
        "sh", "-c", "trap 'exit 7' TERM; echo up; sleep 60 & wait"
    ) as process:
        streams = cell.body.attach(process)
        assert streams.read() == (1, b"up\n")
        streams.close()
        cell.body.signal(process, signal.SIGTERM)
        status = cell.body.wait(process, 10)
    assert status is not None
    assert (status.code, status.signal) == (7, 0)


# ── H-33: what it does not inherit ───────────────────────────────────────────────────────

LOOK = """
import os, resource
print(os.getpriority(os.PRIO_PROCESS, 0), sorted(os.sched_getaffinity(0)))
badness = open("/proc/self/oom_score_adj").read().strip()
print(os.sched_getscheduler(0), oct(os.umask(0)), badness)
for kind in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE):
    print(*resource.getrlimit(kind))
"""


def test_a_program_begins_without_the_engines_own_oddities(laboratory: Cell) -> None:
    """H-33: nice, processors, scheduler, umask, badness and cores are as on a new machine.

    Forked, because lowering one's own nice value again takes a power.
    """
    hands = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            os.nice(7)
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
            os.umask(0o077)
            Path("/proc/self/oom_score_adj").write_text("321", encoding="ascii")
            body = LinuxBody(laboratory.place)
            ran = Cell(laboratory.place, body).run(*PYTHON, LOOK)
            body.close()
            os.write(hands[1], (ran.out or ran.err).encode())
        except BaseException as failure:
            os.write(hands[1], repr(failure).encode())
        os._exit(0)
    os.close(hands[1])
    with open(hands[0], encoding="utf-8") as answer:  # noqa: PTH123  (a descriptor)
        lines = answer.read().splitlines()
    os.waitpid(pid, 0)
    soft, hard = laboratory.body.machine().rlimits["nofile"]
    assert lines == [
        f"0 {sorted(os.sched_getaffinity(0))}",
        f"{os.SCHED_OTHER} 0o22 0",
        "0 0",
        f"{soft} {hard}",
    ]


def badness(pid: int | str) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii"))


def test_a_shim_is_ended_after_its_container_and_nothing_inside_inherits_that(
    cell: Cell,
) -> None:
    """H-33, D.7: 0 inside for both; outside what this machine permits."""
    own = badness("self")
    may_lower = cell.body.machine().capabilities >> BITS["CAP_SYS_RESOURCE"] & 1
    with cell.started("sleep", "60") as process:
        assert badness(process.pid) == 0
        second = cell.exec(process, "cat", "/proc/self/oom_score_adj")
        assert second.out == "0\n", second
        assert badness(process.shim_pid) == (-250 if may_lower or own < -250 else own)
        spawner = cell.body._nursery.pid
        assert badness(spawner) == (min(own, -500) if may_lower else own)


def test_a_second_process_does_not_inherit_the_badness_of_the_engine(cell: Cell) -> None:
    """H-33: forked, because going back may take a power."""
    hands = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            Path("/proc/self/oom_score_adj").write_text("321", encoding="ascii")
            other = Cell(cell.place, LinuxBody(cell.place))
            with other.started("sleep", "60") as process:
                ran = other.exec(process, "cat", "/proc/self/oom_score_adj")
            other.body.close()
            os.write(hands[1], (ran.out or ran.err).encode())
        except BaseException as failure:
            os.write(hands[1], repr(failure).encode())
        os._exit(0)
    os.close(hands[1])
    with open(hands[0], encoding="utf-8") as said:  # noqa: PTH123  (a descriptor)
        assert said.read() == "0\n"
    os.waitpid(pid, 0)


def test_limits_are_handed_on_but_for_cores_and_what_is_asked_for(laboratory: Cell) -> None:
    """H-33: a core could land on the host by the host's own pattern."""
    asked = (
        Ulimit("nofile", 123, 456),
        Ulimit("nproc", 77, 77),
        Ulimit("core", 4096, 8192),
    )
    program = """
import resource
for name in ("nofile", "nproc", "core", "stack", "memlock", "as", "data", "fsize", "cpu"):
    print(name, *resource.getrlimit(getattr(resource, "RLIMIT_" + name.upper())))
"""
    ours = {n: f"{s} {h}" for n, (s, h) in laboratory.body.machine().rlimits.items()}
    plain = laboratory.run(*PYTHON, program)
    given = laboratory.run(*PYTHON, program, ulimits=asked)
    core_hard = laboratory.body.machine().rlimits["core"][1]
    core = (
        "4096 8192" if core_hard == -1 or core_hard >= 8192 else f"{core_hard} {core_hard}"
    )
    changed = {"nofile": "123 456", "nproc": "77 77", "core": core}
    assert dict(line.split(" ", 1) for line in plain.lines) == {
        name: {"core": "0 0"}.get(name, ours[name])
        for name in (line.split()[0] for line in plain.lines)
    }
    assert dict(line.split(" ", 1) for line in given.lines) == {
        name: changed.get(name, ours[name])
        for name in (line.split()[0] for line in given.lines)
    }


# ── What it printed, as it lies in the log ───────────────────────────────────────────────


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        ("one\\ntwo\\n", ["one\n", "two\n"]),
        ("no end", ["no end"]),
        ("\\n\\n", ["\n", "\n"]),
        ('say "hi" \\\\ there\\n', ['say "hi" \\ there\n']),
        ("a\\fb\\vc\\rd\\n", ["a\fb\vc\rd\n"]),
        ("gr\\303\\274n \\342\\200\\250 \\377\\n", ["grün \u2028 \ufffd\n"]),
        ("\\033[1mbold\\n", ["\x1b[1mbold\n"]),
    ],
)
def test_a_line_of_the_log_ends_at_a_line_feed_and_nowhere_else(
    cell: Cell, printed: str, lines: list[str]
) -> None:
    """As Docker's json-file has it, whatever else some would call the end of a line."""
    with cell.started("printf", printed) as process:
        cell.body.wait(process, 10)
        text = (cell.log).read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.split("\n")[:-1]]
    assert [record["log"] for record in records] == lines
    assert {record["stream"] for record in records} == {"stdout"}
    assert all(re.fullmatch(r"[-\d]{10}T[:\d]{8}(\.\d{1,9})?Z", r["time"]) for r in records)


def test_both_streams_are_in_the_log_by_name(cell: Cell) -> None:
    with cell.started("sh", "-c", "echo out; echo err >&2") as process:
        cell.body.wait(process, 10)
        text = (cell.log).read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    assert {(r["stream"], r["log"]) for r in records} == {
        ("stdout", "out\n"), ("stderr", "err\n"),
    }  # fmt: skip
