"""What this engine knows of a container beyond its record: does it live, who is busy.

Which verb leads from which state where is `container.states`; here are the process, the
threads that wait for it, and the rules that keep them apart:

    only      one operation at a time changes a container, the others queue behind it;
              one that is held at a gate may stay there for an hour: then they are refused
    ending    clearing up after a program, which every operation waits for in the same way
    speaking  who has sent a signal tells so before the end that it brings is told
    outcome   waiting for the end of the program or of the container takes what it takes

Nobody waits for anything to look at a container: to list it, or to read its log.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from typing import Protocol

from pyminidock.container.health import Health
from pyminidock.container.states import ALIVE, State, Verb, VerbRefused, after
from pyminidock.engine.outcomes import Outcome
from pyminidock.engine.samples import Samples
from pyminidock.errors import MinidockError
from pyminidock.kernel.port import ExitStatus, Process

_OF_FILES = ("start", "remove")  # verbs that wait for who writes into the files


class ContainerBusy(MinidockError):
    """Another operation is changing this container, and it is not known for how long."""

    status = 409


class Holdable(Protocol):
    """The voice of an operation: a gate may hold it."""

    is_held: bool
    on_hold: Callable[[], None]


class Life:
    """One container in this engine; whoever changes it holds and notifies `changed`."""

    def __init__(self, container: str, name: str, state: State = State.CREATED) -> None:
        self.id, self.name = container, name
        self.story = f"run-{container[:12]}"
        self.changed = Condition()
        self.writing = Lock()  # held while its record is read, changed and written
        self.state, self.is_gone = state, False
        self.samples = Samples()  # of what it uses, for those who watch
        self.runs = 0  # how often a start was tried
        self.process: Process | None = None  # of the last run, also after its end
        self.exit: ExitStatus | None = None  # of the last run, also if its start failed
        self.error = ""  # why the last start failed
        self.health: Health | None = None  # of a container that is asked for it
        self.watchers = 0  # who will attach as soon as there is a process
        self.bespoken = 0  # the connections that they will find, of this run
        self.killed = 0  # the last run of which the program was sent KILL
        self.ceased = 0  # the last run of which the program is known to have ended
        self.is_being_removed = False
        self.is_being_restarted = False  # by hand, so it does not remove itself between
        self.gave_up = False  # its policy was told not to start it again
        self.delay_s = 0.0  # that its policy waited before the last start
        self.guests = 0  # who writes into its files from outside, and holds their overlay
        self._verb = ""  # the operation that changes it now
        self._holder: Holdable | None = None  # the voice of that operation
        self._ending: Holdable | None = None  # the voice of the end, until it has settled
        self._speakers: set[Holdable] = set()
        self._senders: set[Holdable] = set()
        self._outcomes: set[Outcome] = set()

    @property
    def busy(self) -> str:
        """Name the operation that changes it now; "end": its program has ended."""
        return "end" if self._ending else self._verb

    @property
    def is_running(self) -> bool:
        """Say whether it is alive, as Docker has it: also paused, or between two runs."""
        return self.state in ALIVE

    # ── One at a time ─────────────────────────────────────────────────────────────────────

    @contextmanager
    def only(
        self, verb: str, voice: Holdable | None = None,
        unless: Callable[[], bool] = lambda: False,
    ) -> Iterator[bool]:  # fmt: skip
        """Be the one who changes this container; wait for whoever is doing so.

        Gives False, and the place to nobody, if `unless` became true first.  Without a
        voice it is not known how long it takes, and nobody waits for it.
        Raises ContainerBusy.
        """
        with self.changed:
            needs_files = verb in _OF_FILES
            self.changed.wait_for(
                lambda: (
                    unless()
                    or self._is_held()
                    or not (self.busy or (needs_files and self.guests))
                )
            )
            is_mine = not unless()
            if is_mine and self.busy:
                raise self._is_busy(verb)
            if is_mine:
                self._verb, self._holder = verb, voice
                if voice:
                    voice.on_hold = self.wake
        try:
            yield is_mine
        finally:
            if is_mine:
                self._let_go()

    @contextmanager
    def hosting(self) -> Iterator[None]:
        """Let somebody write into the files; no program gets them anew meanwhile.

        Waits as `only` does.  Raises ContainerBusy.
        """
        with self.changed:
            self.changed.wait_for(lambda: not self.busy or self._is_held())
            if self.busy:
                raise self._is_busy("copy")
            self.guests += 1
        try:
            yield
        finally:
            with self.changed:
                self.guests -= 1
                self.changed.notify_all()

    def _let_go(self) -> None:
        with self.changed:
            self._verb, self._holder = "", None
            self.changed.notify_all()

    def _is_held(self) -> bool:
        """Say whether it is not known when those who are busy will be done."""
        if self._verb and self._holder is None:
            return True
        return any(each and each.is_held for each in (self._holder, self._ending))

    def speaks(self, voice: Holdable) -> bool:
        """Have one's say before the end of the program is told; `only` has to be held.

        Until it `falls_silent`; False if it had begun before.
        """
        voice.on_hold = self.wake
        with self.changed:
            is_new = voice not in self._speakers
            self._speakers.add(voice)
            return is_new

    def falls_silent(self, voice: Holdable) -> None:
        """Say that one has had one's say."""
        with self.changed:
            self._speakers.discard(voice)
            self.changed.notify_all()

    @contextmanager
    def signalling(self, voice: Holdable) -> Iterator[None]:
        """Send a signal and tell it: a program may end of it before it was told."""
        with self.changed:
            self._senders.add(voice)
        try:
            yield
        finally:
            with self.changed:
                self._senders.discard(voice)
                self.changed.notify_all()

    @property
    def is_being_signalled(self) -> bool:
        """Whether a signal is on its way that nobody has told yet, nor holds at a gate."""
        return not all(each.is_held for each in self._senders)

    @contextmanager
    def removal(
        self, reference: str, voice: Holdable, check: Callable[[], None]
    ) -> Iterator[None]:
        """Be the one who removes this container, unless `check` refuses that.

        Nobody else removes it meanwhile, nor does it remove itself; and nobody starts it.
        Raises VerbRefused, ContainerBusy.
        """
        self._refuse_a_second_removal(reference)
        with self.only("remove", voice), self.changed:
            self._refuse_a_second_removal(reference)
            check()
            self.is_being_removed = True
        try:
            yield
        finally:
            with self.changed:
                self.is_being_removed = False

    def _refuse_a_second_removal(self, reference: str) -> None:
        with self.changed:
            if self.is_being_removed:
                after(State.REMOVING, Verb.REMOVE, name=reference, container_id=self.id)

    def until(self, is_so: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Wait until something is so; False when `timeout_s` passed first."""
        with self.changed:
            return self.changed.wait_for(is_so, timeout_s)

    def wake(self) -> None:
        """Let everybody who waits look again."""
        with self.changed:
            self.changed.notify_all()

    def allows(self, verb: Verb, reference: str = "") -> None:
        """Refuse what cannot be done in this state; `reference` is the client's word.

        Raises VerbRefused, NotPaused, NothingToDo.
        """
        is_going = self.is_being_removed and verb is Verb.START and not self.is_running
        state = State.REMOVING if is_going else self.state
        after(state, verb, name=reference or self.name, container_id=self.id)

    def running(self, verb: Verb, reference: str = "") -> Process:
        """Give the process to which `verb` shall be done.  Raises VerbRefused."""
        with self.changed:
            self.allows(verb, reference)
            if self.process is None:  # between two runs
                raise VerbRefused(
                    f"container {self.id} is not running",
                    why="its restart policy is going to start it again",
                    try_next=f"minidock stop {self.name}",
                    lesson="lifecycle",
                )
            return self.process

    def outcome(self, condition: str) -> Outcome:
        """Give the test for one of Docker's conditions, from now on.

        "not-running" is so before the first start, too; "next-exit" is the end of the run
        that is going on or of the next one; "removed" the container's own end.
        Raises KeyError.
        """
        with self.changed:
            made = Outcome(condition)
            if self.is_gone or (condition == "not-running" and not self.is_running):
                made.comes(self.exit, self.error)
            else:
                self._outcomes.add(made)
            return made

    def forget(self, outcome: Outcome) -> None:
        """Wait for it no longer."""
        with self.changed:
            self._outcomes.discard(outcome)
            self.changed.notify_all()

    def _come(self, *conditions: str, error: str = "") -> None:
        """Answer those who wait for one of these conditions."""
        for each in [each for each in self._outcomes if each.condition in conditions]:
            self._outcomes.discard(each)
            each.comes(self.exit, error)

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
            self.is_being_restarted = False
            self.changed.notify_all()
            return max(0, self.bespoken - self.watchers)

    def becomes(self, verb: Verb) -> None:
        """Be in the state to which `verb` leads.  Raises VerbRefused."""
        with self.changed:
            self.state = after(self.state, verb, name=self.name, container_id=self.id)
            self.changed.notify_all()

    def is_written(self) -> None:
        """The record says now that it runs."""
        with self.changed:
            self.changed.notify_all()

    def ceases(self, voice: Holdable) -> None:
        """The program ended, and nobody else is told before the speakers have told theirs.

        One that is held at a gate is not waited for.
        """
        voice.on_hold = self.wake
        with self.changed:
            self.ceased, self._ending = self.runs, voice
            self.changed.notify_all()
            self.changed.wait_for(lambda: all(each.is_held for each in self._speakers))

    def ends(self, status: ExitStatus, *, will_restart: bool = False) -> None:
        """The end of the program was told; clearing up begins."""
        with self.changed:
            self.state = State.RESTARTING if will_restart else State.EXITED
            self.exit, self.error = status, status.error
            self._come("not-running", "next-exit")
            self.changed.notify_all()

    def settles(self) -> None:
        """Everything of the last run is cleared up."""
        with self.changed:
            self._ending = None
            self.changed.notify_all()

    def stays_down(self) -> None:
        """It is not started again, after all."""
        with self.changed:
            self.state = State.EXITED
            self._come("not-running", "next-exit", error=self.error)
            self.changed.notify_all()

    def remains(self, error: str) -> None:
        """It could not be removed, and is dead; who waits for its removal is told why."""
        with self.changed:
            self.becomes(Verb.FAIL)
            self._come("removed", error=error)

    def goes(self) -> None:
        """The container is removed; who started it knows already if that had failed."""
        with self.changed:
            self.is_gone = True
            self._come("not-running", "next-exit", "removed")
            self.changed.notify_all()

    def finishes_removal(self, timeout_s: float) -> bool:
        """Wait for a removal that has begun, unless a gate holds it; False: it goes on."""
        return self.until(
            lambda: self.state is not State.REMOVING or self.is_gone or self._is_held(),
            timeout_s,
        )

    def _is_busy(self, verb: str) -> ContainerBusy:
        return ContainerBusy(
            f"container {self.id} is busy: {self.busy} is going on",
            why=f"{verb} would have to wait until somebody lets {self.busy} go on",
            try_next=f"minidock trace show {self.story}",
            lesson="lifecycle",
        )
