"""The body of the door that has no operating system behind it.

It performs every verb of every plan on a `World`, so the engine, the lessons and a browser
can be shown the same birth, with the same refusals, without a kernel.  What it does not do
is run programs: a started one "runs" until it is signalled, or until a test says that it
ended (`finish`), and prints what a test makes it say (`say`).

Clock, identifiers, pids and namespace numbers are sequences, so every run is the same run.
"""

import errno as errors
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from pyminidock.grammar.signals import KILL
from pyminidock.kernel import calls
from pyminidock.kernel.attempts import Attempt, Attempted, Listening, Rehearsal, Rehearsed
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.model import cables, hosts, requests, sifting
from pyminidock.kernel.model.bells import Bells
from pyminidock.kernel.model.budgets import is_frozen
from pyminidock.kernel.model.effects import apply
from pyminidock.kernel.model.endings import KILLED, Change, changes, ended, undone
from pyminidock.kernel.model.hostmounts import mount_on_host, unmount_from_host
from pyminidock.kernel.model.logs import log_in
from pyminidock.kernel.model.looking import look
from pyminidock.kernel.model.observe import isolation_of, listing_of, members_of, usage_of
from pyminidock.kernel.model.refusals import call_refused, gone
from pyminidock.kernel.model.stage import Stage
from pyminidock.kernel.model.streams import Program
from pyminidock.kernel.model.tree import Node
from pyminidock.kernel.model.world import ENGINE, Task, swept, with_task
from pyminidock.kernel.nametalk import Clerk
from pyminidock.kernel.netanswers import NetFacts
from pyminidock.kernel.port import (
    Answer,
    Capability,
    ExitStatus,
    HostMount,
    Isolation,
    Listing,
    Machine,
    MountSpread,
    NotHere,
    Process,
    Streams,
    Tree,
    Usage,
    View,
)
from pyminidock.kernel.rules import FoundTable

BOOT_ID = "00000000-0000-4000-8000-000000000001"
BEGINNING = 1_700_000_000.0  # seconds since 1970, when every simulated story begins
TICK_S = 0.001
# Signals that end nobody by default: CHLD CONT STOP TSTP TTIN TTOU URG WINCH, and 0.
_HARMLESS = (0, 17, 18, 19, 20, 21, 22, 23, 28)


class ModelBody:
    """A Body of the port; `world` is what it has done so far.

    With `fail_at` every plan is refused at its call of that index, with `errno`.  `files`
    add to, replace or (None) take away what every root directory holds (see `hosts`).
    `lacking` is why no real kernel could be had.

    >>> body = ModelBody()
    >>> body.perform((calls.MakeCgroup("/sys/fs/cgroup/pids/demo"),), answer=print)
    MakeCgroup(path='/sys/fs/cgroup/pids/demo') 0 0.001
    """

    def __init__(
        self,
        machine: Machine | None = None,
        fail_at: int | None = None,
        errno: int = errors.EIO,
        files: Mapping[str, bytes | Node | None] | None = None,
        lacking: Sequence[Capability] = (),
    ) -> None:
        self._machine, self._lacking = machine or hosts.MACHINE, tuple(lacking)
        self._fail_at, self._errno = fail_at, errno
        self.world = hosts.ordinary(self._machine, hosts.files_with(files or {}))
        self._changed = threading.Condition()  # guards `world` and `_programs`
        self._programs: dict[str, Program] = {}  # by the directory of their shim
        self._bells = Bells()
        self._listening: dict[int, tuple[Listening, ...]] = {}  # by network namespace
        self._rule_bells: list[tuple[str, Callable[[], object]]] = []
        self.clerks: dict[str, Clerk] = {}  # who answers for names, by sandbox
        self._pending: dict[int, list[int]] = {}  # signals that wait, by pid
        self._ticks, self._ids = count(1), count(1)

    def perform(
        self, plan: Plan, *, answer: Answer, lockstep: bool = False, watchers: int = 0
    ) -> Process | None:
        """Carry out `plan`, one call after the other; this body is always in lockstep.

        Calls behind AnnounceReady are answered once the program runs, as on Linux.
        """
        stage, made = Stage(self.world, ENGINE), list[Change]()
        unanswered: list[tuple[Call, int, float]] = []
        is_silent = False
        try:
            for index, call in enumerate(plan):
                stage = self._step(stage, plan, index, made)
                unanswered.append((call, stage.value, self.clock()))
                if isinstance(call, calls.AnnounceReady):
                    answer(*unanswered.pop())
                    is_silent = True
                elif not is_silent or isinstance(call, calls.Execute):
                    while unanswered:
                        answer(*unanswered.pop(0))
        except BaseException:
            with self._changed:
                self.world = undone(self.world, made)
            raise
        log = next((call.log for call in plan if isinstance(call, calls.ForkShim)), None)
        return self._settle(stage, watchers, log)

    def _step(self, stage: Stage, plan: Plan, index: int, made: list[Change]) -> Stage:
        """Perform one call on the world as it is now.  Raises CallFailed."""
        call = plan[index]
        with self._changed:
            stage = replace(stage, world=self.world)
            try:
                if index == self._fail_at:
                    raise OSError(self._errno, "this call was told to fail")
                if stage.actor not in self.world.tasks:
                    raise OSError(errors.ESRCH, "the process that would do this is gone")
                if isinstance(call, calls.Execute) != (index == len(plan) - 1) and (
                    stage.shim or isinstance(call, calls.Execute | calls.ForkShim)
                ):
                    raise OSError(errors.EINVAL, "a plan with a process ends in Execute")
                done = apply(stage, self._machine, call)
            except OSError as refusal:
                raise call_refused(index, call, refusal) from refusal
            made += changes(self.world, done.world)
            self.world = done.world
            return done

    def _settle(
        self, stage: Stage, watchers: int, log: calls.LogFile | None
    ) -> Process | None:
        """Free what only the engine held on to, and name the program that runs."""
        with self._changed:
            self.world = swept(cables.let_go(self.world, stage))
            if not stage.shim:
                self._deliver()
                return None
            shim = self.world.tasks[stage.shim]
            program = self._programs[shim.serves] = Program(log_in(shim.serves, log))
            program.bespeak(watchers)
        process = _process(shim)
        if stage.value:  # found, but no program for this machine: it has ended already
            self.finish(process.pid, 1)
        return process

    # ── Programs that do not run ──────────────────────────────────────────────────────

    def finish(self, pid: int, code: int = 0) -> None:
        """Let the program `pid` end by itself with status `code`."""
        self._end(pid, ExitStatus(code, finished=self.wall()))

    def say(self, pid: int, data: bytes, stream: int = 1) -> None:
        """Let the program `pid` print `data` on stdout (1) or stderr (2)."""
        with self._changed:
            self._program_of(pid).say(stream, data)
            directory = self.world.tasks[self.world.tasks[pid].parent].serves
        self._bells.ring(directory)

    def typed(self, pid: int) -> bytes:
        """Give what was sent to the standard input of `pid` so far."""
        with self._changed:
            return self._program_of(pid).typed

    def _program_of(self, pid: int) -> Program:
        shim = self.world.tasks[self.world.tasks[pid].parent]
        return self._programs[shim.serves]

    def _end(self, pid: int, status: ExitStatus) -> None:
        with self._changed:
            self.world = ended(self.world, [pid], status)
            over = [place for place in self._programs if place in self.world.records]
            for place in over:
                self._programs[place].end()
            self._changed.notify_all()
        for place in over:
            self._bells.ring(place)

    # ── The other doors ───────────────────────────────────────────────────────────────

    def machine(self) -> Machine:
        """See port."""
        return self._machine

    def probe(self) -> tuple[Capability, ...]:
        """See port."""
        return (
            *self._lacking,
            Capability(
                "programs",
                "no",
                "this kernel is simulated: it keeps books and runs nothing",
                "a container starts and can be looked at, but prints nothing",
                "run minidock on Linux, as root",
            ),
        )

    def look(
        self, lower: Sequence[str], upper: str, work: str, paths: Sequence[str]
    ) -> Mapping[str, bytes]:
        """See port; every `lower` is the one tree that this machine has."""
        with self._changed:
            trees = self.world.trees
        return look(trees, upper, paths)

    def view(
        self, tree: Tree, process: Process | None = None, *, is_writable: bool = False
    ) -> View:
        """See port: there are books here about files, but nothing to open.

        Raises ProcessGone, NotHere.
        """
        if process is not None:
            with self._changed:
                self._task(process)
        raise NotHere(
            "this kernel is simulated: it has no files that could be copied",
            why="a copy that is made up would look like a real one",
            try_next="run minidock on Linux, as root",
            lesson="union-filesystem",
        )

    def spread(self, path: str) -> MountSpread:
        """See port: the host's root is one mount, and shared."""
        return MountSpread("/", is_shared=True)

    def mount(self, wanted: HostMount) -> None:
        """See port."""
        with self._changed:
            self.world = mount_on_host(self.world, wanted)

    def unmount(self, target: str) -> None:
        """See port."""
        with self._changed:
            self.world = unmount_from_host(self.world, target)

    def wait(self, process: Process, timeout_s: float | None = None) -> ExitStatus | None:
        """See port; where neither shim nor record is left, it was killed."""

        def is_known() -> bool:
            records, tasks = self.world.records, self.world.tasks
            return process.directory in records or process.shim_pid not in tasks

        with self._changed:
            if not self._changed.wait_for(is_known, timeout_s):
                return None
            return self.world.records.get(process.directory, KILLED)

    def signal(self, process: Process, number: int) -> None:
        """See port.  Every program takes every signal, as if it had no handler.

        Who is frozen takes it when it is thawed; in v2 KILL does not wait for that.
        """
        with self._changed:
            task = self._task(process)
            is_first = self._machine.cgroups and self._machine.cgroups.version == 1
            if is_frozen(self.world, task) and (number != KILL or is_first):
                self._pending.setdefault(process.pid, []).append(number)
                return
        if number not in _HARMLESS:
            status = ExitStatus(128 + number, signal=number, finished=self.wall())
            self._end(process.pid, status)

    def _deliver(self) -> None:
        """Let those who were thawed take the signals that waited for them."""
        with self._changed:
            tasks = [self.world.tasks.get(pid) for pid in self._pending]
            awake = [task for task in tasks if task and not is_frozen(self.world, task)]
            taken = [(task.pid, self._pending.pop(task.pid)) for task in awake]
        for pid, numbers in taken:
            deadly = [number for number in numbers if number not in _HARMLESS]
            if deadly:
                number = KILL if KILL in deadly else deadly[0]
                status = ExitStatus(128 + number, signal=number, finished=self.wall())
                self._end(pid, status)

    def resize(self, process: Process, rows: int, columns: int) -> None:
        """See port."""
        with self._changed:
            task = replace(self._task(process), window=(rows, columns))
            self.world = with_task(self.world, task)

    def attach(self, process: Process) -> Streams:
        """See port; what was said before the first attach is kept for it."""
        with self._changed:
            if process.shim_pid not in self.world.tasks:
                raise gone(process)
            return self._programs[process.directory].attach()

    def dismiss(self, process: Process) -> None:
        """See port."""
        with self._changed:
            if process.directory in self.world.records:
                self.world = ended(self.world, [process.shim_pid], ExitStatus(0))
                self._programs.pop(process.directory, None)

    def ring(self, directory: str, bell: Callable[[], object]) -> Callable[[], None]:
        """See port; nothing changes here but what programs print, and that they end."""
        return self._bells.hang(directory, bell)

    def find(self, directory: str) -> Process | None:
        """See port."""
        with self._changed:
            for task in self.world.tasks.values():
                if task.role == "shim" and task.serves == directory and task.child:
                    return _process(task)
        return None

    def observe(self, process: Process, *, briefly: bool = False) -> Isolation:
        """See port."""
        with self._changed:
            seen = isolation_of(self.world, self._machine, self._task(process))
        if not briefly:
            return seen
        return replace(
            seen, mounts=(), limits={}, cgroups={}, cgroup_limits={},
            oom_score_adjustment=0, hostname="",
        )  # fmt: skip

    def is_frozen(self, process: Process) -> bool:
        """See port."""
        with self._changed:
            return is_frozen(self.world, self._task(process))

    def _task(self, process: Process) -> Task:
        task = self.world.tasks.get(process.pid)
        if task is None or task.start_time != process.start_time:
            raise gone(process)
        return task

    def members(self, process: Process) -> tuple[int, ...]:
        """See port."""
        with self._changed:
            return members_of(self.world, self._task(process))

    def usage(self, process: Process) -> Usage:
        """See port."""
        with self._changed:
            task = self._task(process)
            return usage_of(self.world, self._machine, task, self.clock())

    def list_processes(self, arguments: Sequence[str]) -> Listing:
        """See port: whatever is asked for, the columns are those of -ef."""
        with self._changed:
            return listing_of(self.world)

    def netfacts(self, process: Process | None = None) -> NetFacts:
        """See port."""
        with self._changed:
            world = self.world
            space = self._task(process).namespaces["network"] if process else None
        return cables.facts_of(world, space or cables.host_of(world))

    def watch_links(self, bell: Callable[[str], object]) -> Callable[[], None]:
        """See port: nobody else works on this machine, so nothing goes unasked."""
        return lambda: None

    def rules(self, table: str) -> tuple[FoundTable, ...]:
        """See port."""
        with self._changed:
            return sifting.found(self.world, table)

    def watch_rules(self, table: str, bell: Callable[[], object]) -> Callable[[], None]:
        """See port; somebody else is who calls `flush`."""
        with self._changed:
            self._rule_bells.append((table, bell))
        return lambda: self._forget_bell(table, bell)

    def _forget_bell(self, table: str, bell: Callable[[], object]) -> None:
        with self._changed:
            self._rule_bells = [each for each in self._rule_bells if each != (table, bell)]

    def flush(self) -> None:
        """Let somebody else remove all rules of this machine."""
        with self._changed:
            names = {name for _, name in self.world.rules}
            self.world = replace(self.world, rules={})
            bells = [bell for table, bell in self._rule_bells if table in names]
        for bell in bells:
            bell()

    def listening(self, process: Process | None = None) -> tuple[Listening, ...]:
        """See port; who listens here is what a test says (`listen`)."""
        with self._changed:
            task = self._task(process) if process else self.world.tasks[ENGINE]
            return self._listening.get(task.namespaces["network"], ())

    def listen(self, *sockets: Listening, process: Process | None = None) -> None:
        """Let these sockets wait, on the host or where `process` stands."""
        with self._changed:
            task = self._task(process) if process else self.world.tasks[ENGINE]
            self._listening[task.namespaces["network"]] = sockets

    def rehearse(self, wanted: Rehearsal) -> Rehearsed:
        """See port."""
        raise NotHere(
            "no request can be rehearsed here",
            why="a proof is a packet that arrives, and this machine is a model of one",
            try_next="minidock explain port PORT, on Linux as root",
            lesson="networks",
        )

    def attempt(self, wanted: Attempt, process: Process | None = None) -> Attempted:
        """See port."""
        with self._changed:
            task = self._task(process) if process else self.world.tasks[ENGINE]
            space = task.namespaces["network"]
            return requests.attempted(self.world, self._listening, space, wanted)

    def serve_names(self, sandbox: str, clerk: Clerk) -> None:
        """See port."""
        with self._changed:
            self.clerks[sandbox] = clerk

    def leave_names(self, sandbox: str) -> None:
        """See port."""
        with self._changed:
            self.clerks.pop(sandbox, None)

    def clock(self) -> float:
        """See port; a millisecond passes whenever somebody asks."""
        return next(self._ticks) * TICK_S

    def wall(self) -> float:
        """See port."""
        return BEGINNING + self.clock()

    def new_id(self) -> str:
        """See port; the same sequence in every run."""
        return hashlib.sha256(f"id {next(self._ids)}".encode()).hexdigest()

    def sync(self, path: Path) -> None:
        """See port; what is written here is in the books already."""

    def close(self) -> None:
        """See port."""


def _process(shim: Task) -> Process:
    return Process(shim.child, shim.child_start, BOOT_ID, shim.pid, shim.serves)
