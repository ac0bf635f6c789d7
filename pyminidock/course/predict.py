"""Foretell, then see: which option is right is what the engine has just done.

    %%predict 10.both                      the question of the lesson
    minidock run --rm hello Greetings!     what is done, here and now, by whoever asks

The commands of the cell are carried out, their output is kept, and each option's condition
is judged.  No answer is written anywhere, so none can be wrong: exactly one option must
hold, and where none does, the cells above were not run.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyminidock.client.handles import Client
from pyminidock.course import progress
from pyminidock.course.goal import Fact, judge
from pyminidock.course.lesson import Option, Prediction
from pyminidock.course.sight import Look
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record
from pyminidock.viz.sentences import say

_PATIENCE_S = 60.0
_MOST_CHARACTERS = 4000  # of output that is shown


class CommandUnknown(MinidockError):
    """A prediction does what minidock does, and nothing else."""

    status = 400


@dataclass(frozen=True, slots=True)
class Evidence:
    """The event that decides: its number in the story, and what it says."""

    story: str
    step: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Revealed:
    """What happened: the commands, what they printed, and the options that hold."""

    prediction: Prediction
    commands: tuple[str, ...]
    output: str
    exit_code: int
    right: tuple[Option, ...]
    evidence: Evidence | None = None

    @property
    def answer(self) -> Option | None:
        """The one option that holds; None if the world is not as the lesson has it."""
        return self.right[0] if len(self.right) == 1 else None


def reveal(client: Client, prediction: Prediction, body: str, *,
           environment: Mapping[str, str] | None = None) -> Revealed:  # fmt: skip
    """Do what the cell says and see which option holds.

    Raises CommandUnknown, subprocess.TimeoutExpired, NoSuchLesson.
    """
    commands = tuple(line.strip() for line in body.splitlines() if line.strip())
    output, exit_code = "", 0
    for command in commands:
        done = _perform(command, environment or os.environ)
        output, exit_code = output + done.stdout, done.returncode
    story = _newest(client)
    given = {
        "output": Fact("what it prints", output.removesuffix("\n")),
        "output.exit": Fact("its exit code", exit_code),
    }
    look = Look(client, given=given)
    right = tuple(
        option
        for option in prediction.options
        if option.when is not None and judge(option.when, look).ok
    )
    return Revealed(
        prediction, commands, output[:_MOST_CHARACTERS], exit_code, right,
        _evidence(client, story, prediction.look_at),
    )  # fmt: skip


def _perform(
    command: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run one line; its first word is minidock, whatever mark of a notebook precedes it."""
    words = shlex.split(command.lstrip("%! "))
    if not words or words[0] != "minidock":
        raise CommandUnknown(
            f"a prediction cannot do: {command}",
            why="each line of its cell is a command of minidock",
            try_next="minidock run --rm busybox echo hi",
        )
    return subprocess.run(  # noqa: S603  (our own command line, typed by whoever asks)
        [sys.executable, "-m", "pyminidock", *words[1:]], env=dict(environment),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", timeout=_PATIENCE_S, check=False,
    )  # fmt: skip


def _newest(client: Client) -> str:
    told = client.stories()
    return str(told[-1]["story"]) if told else ""


def _evidence(client: Client, story: str, kind: str) -> Evidence | None:
    """Find the event that decides, the last one of its kind in the story."""
    if not story or not kind:
        return None
    shown = [each for each in client.story(story).records if not _is_unseen(each)]
    for step, record in reversed(list(enumerate(shown, start=1))):
        if record.kind == kind:
            return Evidence(story, step, say(record))
    return None


def _is_unseen(record: Record) -> bool:
    """Gates are no steps of a story: they tell about whoever watches."""
    return record.kind in ("gate.held", "gate.released")


def answered(
    revealed: Revealed, option: str, confidence: str = "", path: Path | None = None
) -> bool:
    """Write down an answer, and tell whether it is right.

    What is kept: how often, the first and the last answer, and whether they were right.
    """
    is_right = option in [each.id for each in revealed.right]
    with progress.changing(path) as told:
        entry = told["predictions"].setdefault(revealed.prediction.id, {"tries": 0})
        entry["tries"] += 1
        entry.setdefault("first", option)
        entry.setdefault("first_is_right", is_right)
        entry |= {"last": option, "is_right": is_right}
        entry |= {"confidence": confidence} if confidence else {}
    return is_right
