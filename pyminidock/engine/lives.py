"""What this engine knows of a container beyond its record: does it live, who is busy.

Which verb leads from which state where is `container.states`; here are the process, the
threads that wait for it, and the rule that keeps them apart.  One operation at a time
may change a container.  Nobody queues behind another one, for that may be held at a gate
for an hour: who comes second is refused.  Waiting for an outcome (the end of the program,
the removal) is another matter and takes what it takes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from pyminidock.container.states import State, Verb, after
from pyminidock.errors import MinidockError
from pyminidock.kernel.port import ExitStatus, Process


class ContainerBusy(MinidockError):
    """Another operation is changing this container at this moment."""

    status = 409


class Life:
    """One container in this engine; whoever changes it holds and notifies `changed`."""

    def __init__(self, container: str, name: str, state: State = State.CREATED) -> None:
        self.id, self.name = container, name
        self.story = f"run-{container[:12]}"
        self.changed = Condition()
        self.state, self.is_gone = state, False
        self.busy = ""  # the operation that changes it now; "end": its program has ended
        self.runs = 0  # how often a start was tried
        self.process: Process | None = None  # of the last run, also after its end
        self.exit: ExitStatus | None = None  # of the last run, also if its start failed
        self.error = ""  # why the last start failed
        self.watchers = 0  # who will attach as soon as there is a process
        self.bespoken = 0  # the connections that they will find, of this run

    # ── One at a time ─────────────────────────────────────────────────────────────────────

    @contextmanager
    def only(self, verb: str) -> Iterator[None]:
        """Be the one who changes this container.  Raises ContainerBusy."""
        with self.changed:
            if self.busy:
                raise self._is_busy(verb)
            self.busy = verb
        try:
            yield
        finally:
            with self.changed:
                if self.busy == verb:  # else its program has ended meanwhile
                    self.busy = ""
                self.changed.notify_all()

    def until(self, is_so: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Wait until something is so; False when `timeout_s` passed first."""
        with self.changed:
            return self.changed.wait_for(is_so, timeout_s)

    def allows(self, verb: Verb) -> None:
        """Refuse what cannot be done in this state.  Raises VerbRefused, NothingToDo."""
        after(self.state, verb, name=self.name, container_id=self.id)

    def running(self, verb: Verb) -> Process:
        """Give the process to which `verb` shall be done.  Raises VerbRefused."""
        with self.changed:
            self.allows(verb)
            assert self.process is not None  # noqa: S101  (it is running)
            return self.process

    def outcome(self, condition: str) -> Callable[[], bool]:
        """Give the test for one of Docker's conditions, from now on.

        "not-running" is so before the first start, too; "next-exit" is the end of the run
        that is going on or of the next one; "removed" the container's own end.
        Raises KeyError.
        """
        with self.changed:
            runs = self.runs - (self.state is State.RUNNING)
        conditions: dict[str, Callable[[], bool]] = {
            "not-running": lambda: self.state is not State.RUNNING,
            "next-exit": lambda: (
                self.is_gone or (self.exit is not None and self.runs > runs)
            ),
            "removed": lambda: self.is_gone,
        }
        return conditions[condition]

    # ── What can happen ───────────────────────────────────────────────────────────────────

    def begins(self) -> None:
        """A start is tried."""
        with self.changed:
            self.runs += 1
            self.process, self.exit, self.error = None, None, ""
            self.bespoken = 0
            self.changed.notify_all()

    def bespeaks(self) -> int:
        """So many connections to the program's streams are wanted before it runs."""
        with self.changed:
            self.bespoken = self.watchers
            return self.bespoken

    def fails(self, error: str, exit_code: int) -> None:
        """The start was refused and undone."""
        with self.changed:
            self.error, self.exit = error, ExitStatus(exit_code)
            self.changed.notify_all()

    def lives(self, process: Process) -> int:
        """The program runs; gives how many of those who wanted to attach went away."""
        with self.changed:
            self.state, self.process = State.RUNNING, process
            self.changed.notify_all()
            return max(0, self.bespoken - self.watchers)

    def is_written(self) -> None:
        """The record says now that it runs."""
        with self.changed:
            self.changed.notify_all()

    def ends(self, status: ExitStatus) -> None:
        """The program ended; clearing up begins."""
        with self.changed:
            self.state, self.exit, self.busy = State.EXITED, status, "end"
            self.changed.notify_all()

    def settles(self) -> None:
        """Everything of the last run is cleared up."""
        with self.changed:
            self.busy = ""
            self.changed.notify_all()

    def goes(self) -> None:
        """The container is removed."""
        with self.changed:
            self.is_gone = True
            self.changed.notify_all()

    def _is_busy(self, verb: str) -> ContainerBusy:
        if verb == self.busy == "remove":
            what = f"removal of container {self.id} is already in progress"
        else:
            what = f"container {self.id} is busy: {self.busy} is going on"
        return ContainerBusy(
            what,
            why="two operations at once could leave a container half in each state",
            try_next=f"minidock trace show {self.story}",
            lesson="lifecycle",
        )


class Attachment:
    """A place before a program's streams, taken before the program runs.

    Nothing that it prints is lost to whoever took a place in time: its connection is there
    before the program is, and clearing up after its end waits for the watchers.
    """

    def __init__(self, life: Life) -> None:
        self._life = life
        with life.changed:
            self._runs = life.runs - 1 if life.state is State.RUNNING else life.runs
            life.watchers += 1
        self._is_open = self._is_bespoken = True

    def take(self, timeout_s: float | None = None) -> Process | None:
        """Wait for the run that was meant; None: it failed, or is not there yet."""
        self._life.until(self._is_decided, timeout_s)
        with self._life.changed:
            process = self._process()
            self._is_bespoken = process is None
            return process

    @property
    def is_over(self) -> bool:
        """Say whether waiting longer makes no sense."""
        with self._life.changed:
            return self._is_decided()

    def leave(self) -> Process | None:
        """Leave; gives the process whose connection was bespoken here and not taken."""
        with self._life.changed:
            if not self._is_open:
                return None
            self._is_open = False
            self._life.watchers -= 1
            self._life.changed.notify_all()
            return self._process() if self._is_bespoken else None

    def _process(self) -> Process | None:
        return self._life.process if self._life.runs > self._runs else None

    def _is_decided(self) -> bool:
        life = self._life
        if life.is_gone:
            return True
        return life.runs > self._runs and (life.process is not None or life.error != "")
