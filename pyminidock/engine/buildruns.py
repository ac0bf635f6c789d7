"""The containers in which a build runs its commands.

They are born like any other, through the same plan and the same kernel, and have the same
walls.  What is different: their story is the build's, nobody attaches to them but the
build, and what they wrote is taken away as a layer before they are removed.  While one runs
it has a record like any container, so that an engine after a crash finds and ends it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGKILL
from threading import Lock

from pyminidock.build.running import Lent, Output, RunWish
from pyminidock.container.asked import Reach, Resources
from pyminidock.container.faults import RequestRefused
from pyminidock.container.plan import end_plan, start_plan
from pyminidock.container.refusals import advice, start_refusal
from pyminidock.container.resolve import resolve
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.container.users import GROUP, PASSWD
from pyminidock.engine import etcfiles, introducing, naming, plugging
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.memberships import members
from pyminidock.engine.starting import StartRefused
from pyminidock.engine.voice import Voice
from pyminidock.events import (
    ContainerAttached,
    ContainerCreated,
    ContainerExited,
    ContainerRemoved,
    ContainerStarted,
    Emit,
    Event,
    PlanMade,
)
from pyminidock.kernel.port import (
    BirthAborted,
    CallFailed,
    ExitStatus,
    Process,
    ProcessGone,
)
from pyminidock.layers import snapshots
from pyminidock.store.failpoints import reach
from pyminidock.store.records import NameTaken
from pyminidock.volume.points import MountPoint


@dataclass(slots=True)
class BuildRunner:
    """Runs the commands of one build; `emit` may raise to abort, `tell` never does."""

    house: House
    story: str
    voice: Voice
    emit: Emit
    _process: Process | None = None
    _is_aborted: bool = False
    _abort: BirthAborted | None = None  # that a gate told us while something was undone
    _lock: Lock = field(default_factory=Lock)

    def abort(self) -> None:
        """Kill what runs now, and whatever would run next."""
        with self._lock:
            self._is_aborted = True
            process = self._process
        if process is not None:
            with suppress(ProcessGone):
                self.house.kernel.signal(process, SIGKILL)

    @contextmanager
    def prepared(self, wish: RunWish) -> Iterator["BuildContainer"]:
        """See Runner."""
        house, container = self.house, self.house.kernel.new_id()
        with ExitStack() as undo:
            undo.callback(house.records.release, container)
            name = _claim(house, container)
            kept = self._made(wish, container, name, undo)
            life = Life(container, name)
            life.story = self.story
            house.admit(kept, life)
            undo.callback(house.forget, container)
            made = BuildContainer(self, kept, life)
            try:
                with life.only("build"):
                    argv = kept.spec.argv
                    self.emit(ContainerCreated(container, name, wish.image, argv))
                    yield made
            finally:
                if made.is_kept:
                    made.leave_behind()
                    undo.pop_all()
            if made.is_kept:
                return
        self.tell(ContainerRemoved(container, name))

    def _made(self, wish: RunWish, container: str, name: str, undo: ExitStack) -> Kept:
        """Decide everything and make the places on disk, each with its undoing."""
        house, directory = self.house, self.house.directory(container)
        request = _request(wish)
        lower = tuple(map(str, wish.lower))
        files = dict(house.kernel.look(lower, "", "", (PASSWD, GROUP)))
        spec = resolve(
            request, wish.config, files, house.machine, container_id=container, name=name,
            directory=str(directory), emit=self.emit,
        )  # fmt: skip
        spec = replace(spec, points=tuple(map(_point, filter(_is_tree, wish.lent))))
        if spec.hindrance:
            raise RequestRefused(
                spec.hindrance.what, why=spec.hindrance.why,
                try_next=spec.hindrance.try_next, lesson="build",
                status=spec.hindrance.status,
            )  # fmt: skip
        undo.callback(house.records.remove, container)
        undo.callback(snapshots.remove, directory, emit=self.tell)
        snapshot = snapshots.prepare(directory, wish.lower, emit=self.emit)
        etcfiles.write(directory, spec.hostname, request.reach)
        if wish.script:
            place = directory / "init" / wish.argv[0].lstrip("/")
            place.write_text(wish.script, encoding="utf-8", errors="surrogateescape")
            place.chmod(0o755)
        kept = Kept(
            container, name, house.kernel.wall(), request, spec, snapshot, lower,
            image=wish.image, defaults=wish.config, build=self.story,
        )  # fmt: skip
        house.keep(kept, is_durable=False)
        return kept

    def tell(self, event: Event) -> None:
        """Tell what is over or being undone; an abort at it counts from then on."""
        try:
            self.voice.relay(event)
        except BirthAborted as abort:
            self._abort = abort

    def refuse_if_aborted(self) -> None:
        """Raise BirthAborted after `abort`: what was killed has not failed."""
        if self._abort is not None:
            raise self._abort
        if self._is_aborted:  # a look needs no lock
            raise BirthAborted(
                "Build cancelled",
                why="the client went away, or asked for the end",
                try_next="build again: the steps that were finished are in the cache",
                lesson="build-cache",
            )

    def runs(self, process: Process | None) -> None:
        """Note what runs now; if the build was aborted meanwhile, kill it."""
        with self._lock:
            self._process = process
            is_aborted = self._is_aborted
        if is_aborted:
            self.abort()


def _request(wish: RunWish) -> CreateRequest:
    """Ask for what Docker's builder asks.

    Source: moby, builder/dockerfile/internals.go, hostConfigFromOptions.
    """
    limits = wish.limits
    return CreateRequest(
        wish.image, environment=wish.arguments, network_mode=wish.network,
        auto_remove=True, memory_bytes=limits.memory_bytes, ulimits=limits.ulimits,
        shm_bytes=limits.shm_bytes, reach=Reach(extra_hosts=wish.added_hosts),
        tmpfs=tuple((each.target, each.memory) for each in wish.lent if each.memory),
        resources=Resources(
            cpu_shares=limits.cpu_shares, cpu_period_us=limits.cpu_period_us,
            cpu_quota_us=limits.cpu_quota_us, cpuset_cpus=limits.cpuset_cpus,
            cpuset_mems=limits.cpuset_mems, cgroup_parent=limits.cgroup_parent,
            memory_swap_bytes=limits.memory_swap_bytes,
        ),
    )  # fmt: skip


def _is_tree(lent: Lent) -> bool:
    return lent.source is not None


def _point(lent: Lent) -> MountPoint:
    return MountPoint(
        "bind", lent.target, str(lent.source), is_writable=lent.is_writable, is_flat=True
    )


class BuildContainer:
    """One container of a build."""

    def __init__(self, runner: BuildRunner, kept: Kept, life: Life) -> None:
        self._runner, self._kept, self._life = runner, kept, life
        self._status, self._reach = ExitStatus(0), plugging.Reach(kept.id)
        self.is_kept = False

    @property
    def id(self) -> str:
        """See RunningContainer."""
        return self._kept.id

    @property
    def upper(self) -> Path:
        """See RunningContainer."""
        return Path(self._kept.snapshot.upper)

    def keep(self) -> None:
        """See RunningContainer."""
        self.is_kept = True

    def run(self, output: Output) -> int:
        """See RunningContainer.  Raises StartRefused, BirthAborted."""
        runner, house = self._runner, self._runner.house
        runner.emit(ContainerAttached(self.id))  # before anything can be printed
        process = self._start()
        runner.runs(process)
        try:
            reach("build.program.started")
            runner.emit(ContainerStarted(self.id, process.pid))
            self._listen(process, output)
        except BaseException:
            with suppress(ProcessGone):
                house.kernel.signal(process, SIGKILL)
            raise
        finally:
            self._end(process)
            runner.runs(None)
        runner.refuse_if_aborted()
        return self._status.code

    def _start(self) -> Process:
        runner, house, kept = self._runner, self._runner.house, self._kept
        self._life.begins()
        self._reach = self._plugged()
        plan = start_plan(
            kept.spec, kept.snapshot, house.machine, wiring=self._reach.calls,
            network=self._reach.entrance,
        )  # fmt: skip
        runner.emit(PlanMade(self.id, len(plan), tuple(type(c).__name__ for c in plan)))
        house.keep(replace(kept, state="starting"), is_durable=False)
        try:
            with runner.voice.step("birth"):
                process = house.kernel.perform(
                    plan, emit=runner.emit, watchers=1,
                    lockstep=house.recorder.is_gated(runner.story),
                )  # fmt: skip
        except BaseException as failure:
            self._unplug()
            if isinstance(failure, CallFailed):
                raise _refused(failure, kept.spec) from failure
            raise
        assert process is not None  # noqa: S101  (a plan that ends in Execute)
        introducing.serve(house, self.id)
        self._life.lives(process)
        running = replace(kept, state="running", pid=process.pid)
        house.keep(running, is_durable=False)
        return process

    def _plugged(self) -> plugging.Reach:
        """Give it the network that was asked for, with the names of those who live there.

        Unasked it is alone, as builds are.
        """
        kept, house = self._kept, self._runner.house
        if kept.request.network_mode in ("", "default"):
            return plugging.Reach(kept.id)
        wanted = members(house, kept.request)
        reach = self._reach = plugging.plug(house, kept.spec, wanted, self._runner.emit)
        try:
            names = introducing.start(house, kept, kept.spec, reach.after)
        except BaseException:
            self._unplug()
            raise
        return replace(reach, calls=(*reach.calls, *names))

    def _unplug(self) -> None:
        plugging.undo(self._runner.house, self._reach)
        if self._reach.after:
            introducing.gone(self._runner.house, self.id)

    def _listen(self, process: Process, output: Output) -> None:
        """Pass on what the program writes, to its end."""
        with suppress(ProcessGone):
            streams = self._runner.house.kernel.attach(process)
            try:
                while (piece := streams.read()) is not None:
                    output(*piece)
            finally:
                streams.close()

    def _end(self, process: Process) -> None:
        """Wait for the end, and close the accounts."""
        runner, house = self._runner, self._runner.house
        status = house.kernel.wait(process)
        self._unplug()
        self._status = status or ExitStatus(137, SIGKILL)
        runner.tell(ContainerExited(
            self.id, self._status.code, self._status.signal,
            self._status.was_out_of_memory,
        ))  # fmt: skip
        with runner.voice.step("clear up"), suppress(CallFailed):
            house.kernel.perform(end_plan(self._kept.spec, house.machine),
                                 emit=runner.tell)  # fmt: skip
        house.kernel.dismiss(process)

    def leave_behind(self) -> None:
        """Stay as an ordinary container that has ended."""
        house, kept, life = self._runner.house, self._kept, self._life
        for part in ("upper", "work"):
            (Path(kept.spec.directory) / part).mkdir(mode=0o755, exist_ok=True)
        spec = replace(kept.spec, auto_remove=False, points=())  # those went with the step
        request = replace(kept.request, auto_remove=False)
        status = self._status
        house.keep(replace(
            kept, spec=spec, request=request, state="exited", pid=0, build="",
            exit_code=status.code, finished=status.finished or house.kernel.wall(),
        ))  # fmt: skip
        life.story = f"run-{kept.id[:12]}"
        house.recorder.story(life.story, f"run {kept.request.image}")
        life.ends(status)
        life.settles()


def _claim(house: House, container: str) -> str:
    """Take the first free name of ours."""
    for name in naming.names(container):
        with suppress(NameTaken):
            house.records.claim(name, container)
            return name
    raise AssertionError("an id begins like another one")


def _refused(failure: CallFailed, spec: ContainerSpec) -> StartRefused:
    message, exit_code, status = start_refusal(failure, spec)
    why, try_next = advice(failure, spec)
    return StartRefused(
        message, why=why, try_next=try_next, lesson=failure.lesson, status=status,
        exit_code=exit_code,
    )  # fmt: skip
