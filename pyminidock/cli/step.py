"""`minidock step run`: the birth of a container, held between its steps.

    create ─► gates ─► start (another thread) ─► held … held … ─► exit code
                         │                        │
                         blocks at each gate      step, continue or abort

A gate lives as long as our connection.  However we end, by a key, a mistake or kill -9,
the engine lets the container go on by itself; it is removed at its end in any case, for it
was made to be looked at.  What stays is its trace.

In a terminal the stepper shows the world; elsewhere, or with --no-tui, each hold is a line,
and one letter is read for each: n(ext step), c(ontinue), a(bort).

    held 57 root.pivoted pid=4242: The old root is out of sight
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Self

import click

from pyminidock.cli.failures import WordsRefused, advised, start_exit_code, tell
from pyminidock.cli.flags import container_flags, create_body
from pyminidock.cli.run import make
from pyminidock.cli.stepper_source import LiveSource, matches
from pyminidock.cli.terminal import write
from pyminidock.cli.words import Verb, switch, texts, verbs
from pyminidock.client.attach import Attached
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.client.watch import GateHandle
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record
from pyminidock.viz.sentences import say

ANY = "*"


class Gates:
    """Several gates of one story that look like one: what any of them holds is held."""

    def __init__(self, gates: Sequence[GateHandle]) -> None:
        self._gates = gates
        self._news: SimpleQueue[tuple[GateHandle, Record] | None] = SimpleQueue()
        self._holding = gates[0]
        self._last = (0, "")  # the event that was let go last, and how
        for gate in gates:
            Thread(target=self._listen, args=(gate,), daemon=True).start()

    def held(self) -> Iterator[Record]:
        """Wait for each event that is held; one that several gates hold comes once."""
        open_gates = len(self._gates)
        while open_gates:
            news = self._news.get()
            if news is None:
                open_gates -= 1
                continue
            self._holding, record = news
            if record.seq == self._last[0]:
                self._order(self._last[1])
                continue
            self._last = (record.seq, "")
            yield record

    def step(self) -> None:
        """Let go, to the next event."""
        self._order("step")

    def resume(self) -> None:
        """Let go, to the next event of any of the patterns."""
        self._order("continue")

    def abort(self) -> None:
        """Let go, backwards."""
        self._order("abort")

    def close(self) -> None:
        """Let go for good."""
        for gate in self._gates:
            gate.close()

    def _order(self, order: str) -> None:
        self._last = (self._last[0], order)
        match order:
            case "step":
                self._holding.step()
            case "abort":
                self._holding.abort()
            case _:
                self._holding.resume()

    def _listen(self, gate: GateHandle) -> None:
        with suppress(MinidockError, OSError):  # the engine ended: nothing is held
            for record in gate.held():
                self._news.put((gate, record))
        self._news.put(None)


class SteppedSource(LiveSource):
    """A story that is held wherever one of several patterns says."""

    def __init__(self, client: Client, story: str, patterns: Sequence[str], title: str):
        self._patterns = patterns
        super().__init__(
            lambda name, _: Gates([client.gate(name, each) for each in patterns]),
            client.events,
            story,
            " or ".join(patterns),
            title,
        )

    def stops_at(self, record: Record) -> bool:
        """Say whether one of the patterns means this event."""
        return any(matches(each, record) for each in self._patterns)


def step_run(words: tuple[str, ...], **given: Any) -> int:
    """Start a container step by step; give its exit code, 125 if it was aborted."""
    body = create_body(given, words, os.environ)
    body["HostConfig"]["AutoRemove"] = True
    if body["OpenStdin"]:
        raise WordsRefused(
            "-i cannot be used with step",
            why="standard input is for the steps: n, c and a, or the keys of the stepper",
            try_next="minidock step run busybox echo hi",
        )
    in_lines = given["no_tui"] or not (sys.stdout.isatty() and sys.stdin.isatty())
    try:
        with connect() as client:
            container = make(client, body, given["name"] or "")
            return _stepped(client, container, given["breaks"] or (ANY,), in_lines=in_lines)
    except MinidockError as refusal:
        tell(refusal)
        return start_exit_code(refusal.what)


def _stepped(
    client: Client, container: str, patterns: Sequence[str], *, in_lines: bool
) -> int:
    """Set the gates, start, step; whatever fails, leave no container behind."""
    story = f"run-{container[:12]}"
    with ExitStack() as undo:
        undo.callback(_remove, client, container)
        source = _gated(client, story, patterns)
        undo.callback(source.close)
        attached = undo.enter_context(client.attach(container))
        waiting = client.waiting(container, "removed")
        start = Deed(lambda: _start(client, container, source))
        output = Output(attached)
        listening = Deed(output.collect).begin()
        if in_lines:
            output.show()
            start.begin()
            _in_lines(client, story, source)
        else:
            _in_stepper(source, start)
        source.close()
        start.result()
        output.show()
        listening.result()
        return waiting.result()


def _start(client: Client, container: str, source: SteppedSource) -> None:
    """Start it; if that is refused, or aborted, nothing is to be held any more."""
    try:
        client.start(container)
    except BaseException:
        source.close()
        raise


def _gated(client: Client, story: str, patterns: Sequence[str]) -> SteppedSource:
    """Set the gates.  Raises Refused, with the whole command that is meant."""
    try:
        return SteppedSource(client, story, patterns, story)
    except Refused as refusal:
        if not refusal.try_next.startswith("--break"):
            raise
        line = f"minidock step run --no-tui {refusal.try_next} busybox true"
        raise advised(refusal, line) from refusal


def _remove(client: Client, container: str) -> None:
    """Remove it unless it removed itself, as it was told to."""
    with suppress(MinidockError, OSError):
        client.remove(container, force=True)


class Deed:
    """Something done on a thread of its own, which does not keep us from ending."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._done: Future[None] = Future()

    def begin(self) -> Self:
        """Begin, and do not wait."""
        Thread(target=self.do, daemon=True).start()
        return self

    def do(self) -> None:
        """Do it here and now, and keep the outcome."""
        self._done.set_running_or_notify_cancel()
        try:
            self._work()
        except (MinidockError, OSError) as refusal:
            self._done.set_exception(refusal)
        else:
            self._done.set_result(None)

    def result(self) -> None:
        """Wait for the end; raise what it raised.  One that never began is over too."""
        if not self._done.cancel():
            self._done.result()


class Output:
    """What the program says, kept while the screen belongs to the stepper."""

    def __init__(self, attached: Attached) -> None:
        self._attached, self._is_shown = attached, False
        self._kept: list[tuple[int, bytes]] = []
        self._lock = Lock()

    def collect(self) -> None:
        """Take everything, to the end."""
        while piece := self._attached.read():
            with self._lock:
                self._kept.append(piece)
                self._write()

    def show(self) -> None:
        """Write what was kept, and from now on everything at once."""
        with self._lock:
            self._is_shown = True
            self._write()

    def _write(self) -> None:
        while self._is_shown and self._kept:
            number, data = self._kept.pop(0)
            write(number, data)


def _in_stepper(source: SteppedSource, start: Deed) -> None:
    """Show the world at each step, until the person leaves."""
    from pyminidock.cli.stepper import StepperApp  # noqa: PLC0415  (Textual takes its time)

    StepperApp(source, work=start.do).run()


def _in_lines(client: Client, story: str, source: SteppedSource) -> None:
    """Print a line for each hold, and do what the letter says that is read for it."""
    for record in iter(source.next_held, None):
        pid = _host_pid(client, story) or "-"
        click.echo(f"held {record.seq} {record.kind} pid={pid}: {say(record)}")
        match _order():
            case "n":
                source.step()
            case "c" if source.pattern != ANY:
                source.resume()
            case "a":
                source.abort()
                return  # how it is undone is not held any more
            case _:
                source.close()


def _order() -> str:
    """Read n, c or a; nothing more to read means: let go."""
    while line := sys.stdin.readline():
        letter = line.strip()[:1].lower()
        if letter in ("n", "c", "a"):
            return letter
        click.echo("n: next step   c: continue   a: abort", err=True)
    return ""


def _host_pid(client: Client, story: str) -> int:
    """Give the number on the host of the process that is being born; 0 before its fork."""
    born = [
        record.data["pid"]
        for record in client.story(story).records
        if record.kind == "init.forked"
    ]
    return int(str(born[-1])) if born else 0


STEP = verbs(
    "step",
    [
        Verb(
            "run",
            step_run,
            help="Start a container step by step; it is removed at its end.",
            params=[
                texts(
                    *("--break", "breaks"),
                    help="hold at this kind of event, if its fields are so",
                    metavar="KIND [FIELD=VALUE]…",
                ),
                switch("--no-tui", help="one line for each step; n, c and a are read"),
                *container_flags(),
            ],
            usage="IMAGE [COMMAND]…",
            least=1,
            is_open=False,
            gathers="--break",
        )
    ],
    help="Hold a container between its steps.",
)
