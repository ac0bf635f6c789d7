"""One birth being followed, from the first report of the shim to the program that runs.

    shim and child ── report ──► Labour ── answer ──► whoever wants to see each call
                     ◄── go ────          in lock-step only

A report names the call that was made.  Behind AnnounceReady nobody reports any more: the
end of the line says that the program took over, or that the child was killed.
"""

import errno
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyminidock.grammar.capabilities import BITS
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.linux import messages, streams, wire
from pyminidock.kernel.linux.nursery import Conversation, Nursery, Report, wait_until_gone
from pyminidock.kernel.linux.proc import has_executed
from pyminidock.kernel.port import KILLED, Answer, Process
from pyminidock.kernel.refusals import refused

_PATIENCE_S = 1.0  # for a process that has been told to end; then it is killed


@dataclass(frozen=True, slots=True)
class Order:
    """What is sent to a shim, and whether each of its calls waits for a go."""

    message: bytes
    lockstep: bool


def spell_order(
    plan: Plan, birth: int, *, lockstep: bool, last_capability: int,
    fail_at: tuple[int, int] | None,
) -> Order:  # fmt: skip
    """Spell what goes to the shim.  Raises CallFailed when it is too long."""
    try:
        message = wire.request(
            plan, birth, lockstep=lockstep, capabilities=BITS,
            last_capability=last_capability, fail_at=fail_at,
        )  # fmt: skip
    except ValueError as too_long:
        raise refused(birth, plan[birth], errno.E2BIG, str(too_long)) from too_long
    return Order(message, lockstep)


class Labour:
    """One birth being followed, report by report; made before anybody is asked for it."""

    conversation: Conversation
    is_called = False  # a shim was asked for, and its child has the order
    has_accounts = False  # … and may enter its accounts
    line: socket.socket
    watching: list[socket.socket]

    def __init__(self, plan: Plan, birth: int, answer: Answer, lockstep: bool) -> None:
        self.plan, self.next, self.answer = plan, birth, answer
        self.lockstep = lockstep
        self.pid = self.start_time = self.shim_pid = 0
        shim = plan[birth]
        assert isinstance(shim, calls.ForkShim)  # noqa: S101  (how `birth` was found)
        self.directory = shim.directory
        self.is_birth = any(isinstance(call, calls.PrepareOverlay) for call in plan[:birth])
        doors = plan[birth + 1 : birth + 2]  # the first one of a birth of its own
        self.is_adopted = self.is_birth and doors != (calls.EnterNamespace("pid"),)
        self.is_connected = calls.EnterNamespace("network") not in plan[birth:]
        records = ("shim.sock", "shim.json", "exit.json")
        self.files = (*records, *(f"{name}.tmp" for name in records))
        if shim.log and not Path(self.directory, shim.log.name).exists():
            self.files = (*self.files, shim.log.name)

    def call(self, nursery: Nursery, order: Order, watchers: int) -> None:
        """Ask for a shim, and give its child the order.

        Raises BrokenPipeError, ConnectionResetError when the spawner was killed.
        """
        self.conversation, self.line, self.watching = nursery.begin(
            watchers, is_birth=self.is_birth, is_connected=self.is_connected,
            is_adopted=self.is_adopted, order=order.message,
            question=messages.spell({"op": "wait"}),
        )  # fmt: skip
        self.is_called, self.has_accounts = True, False
        self.conversation.send_rest()

    def open_accounts(self) -> None:
        """Let the child enter its accounts, if it is there: all of them are open.

        Raises BrokenPipeError when the spawner was killed.
        """
        if self.is_called and not self.has_accounts:
            self.has_accounts = True
            self.conversation.go()

    def begin(self, tree: int, sandbox: int) -> None:
        """Let the child go all the way; what made an end of it is heard in `follow`."""
        with suppress(BrokenPipeError, ConnectionResetError):
            if self.is_birth:
                self.open_accounts()
                self.conversation.hand_over(tree, sandbox)

    def follow(self) -> None:
        """Answer each report; at the end, answer the calls whose silence means success."""
        for report in self.conversation.reports(one_by_one=self.lockstep):
            if report.errno:
                index = report.call if report.call >= 0 else self.next
                raise refused(
                    index, self.plan[index], report.errno, _text(report), report.value
                )
            if isinstance(self.plan[report.call], calls.Execute):
                outcome, at = report.value, report.seconds
                break
            self._note(report)
        else:
            at = time.monotonic()
            outcome = self._outcome()
        self._finish(outcome, at)

    def _note(self, report: Report) -> None:
        call = self.plan[report.call]
        if isinstance(call, calls.ForkShim):
            self.shim_pid = report.value
        elif isinstance(call, calls.ForkInit):
            self.pid, self.start_time = report.value, int(report.detail)
        self.next = report.call + 1
        self.answer(call, report.value, report.seconds)
        if self.lockstep:
            self.conversation.go()

    def _outcome(self) -> int:
        """End of file: a program took over, or the child was killed; what Execute gave."""
        rest = self.plan[self.next :]
        if not self.shim_pid:
            raise ConnectionResetError
        if any(isinstance(call, calls.AnnounceReady) for call in rest):
            raise refused(self.next, rest[0], errno.ECHILD)
        try:
            was_executed = has_executed(self.pid, self.start_time)
        except ProcessLookupError:  # it has ended, and was waited for
            was_executed = _was_executed(self.line)
        return 0 if was_executed else KILLED

    def _finish(self, value: int, at: float) -> None:
        """Answer the calls that were not reported one by one; `value` is Execute's.

        Silence means that they worked, unless the child was killed: then nobody knows.
        """
        for call in self.plan[self.next :]:
            self.next += 1
            if isinstance(call, calls.Execute):
                self.answer(call, value, at)
            elif value != KILLED:
                self.answer(call, 0, at)

    def process(self, boot: str) -> Process:
        """Give what came of it."""
        return Process(self.pid, self.start_time, boot, self.shim_pid, self.directory)

    def give_up(self) -> None:
        """End what was begun, wait until it is gone, and take its files away."""
        if not self.is_called:
            return
        self.is_called = False
        for connection in (self.line, *self.watching):
            connection.close()
        known = {self.pid, self.shim_pid}
        with suppress(OSError):
            known |= {
                told.value for told in self.conversation.hang_up() if self._names(told)
            }
        for pid in known - {0}:
            wait_until_gone(pid, _PATIENCE_S)
        # A shim is told of before anything is written.
        for name in self.files if known != {0} else ():
            Path(self.directory, name).unlink(missing_ok=True)

    def _names(self, report: Report) -> bool:
        """Say whether a report tells the number of a process."""
        call = self.plan[max(0, report.call)]
        return not report.errno and isinstance(call, calls.ForkShim | calls.ForkInit)


def _was_executed(line: socket.socket) -> bool:
    """Hear what the shim says of the end, which looked before it collected the dead.

    The line was bespoken for that.  The answer stays there for whoever waits.
    """
    line.settimeout(_PATIENCE_S)
    try:
        return streams.overhear(line).get("executed") != "0"
    except OSError:  # lost as well: whoever waits will hear of that
        return True
    finally:
        line.settimeout(None)


def _text(report: Report) -> str:
    return report.detail.decode("utf-8", "replace")
