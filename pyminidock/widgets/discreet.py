"""What a notebook may show: it is saved with its outputs, and then it travels.

So a page is told what the journal would be told, although whoever typed a command knows
what is in it; and the output of a program, which the journal does not have, is searched
for the same.  `handle.logs()` is for programs, and gives it as it was.

    of_record    argv, instructions, plain Linux
    title        the command that was typed
    output       what looks like a credential; values that were given under a telling name

What a program prints under a name that tells nothing is its own words, and is shown.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from pyminidock.events import ConfigChanged
from pyminidock.events.journal import Record, event_of
from pyminidock.events.redaction import Given, instruction, of_record, text
from pyminidock.viz.painters.harmless import harmless

_STEP = re.compile(r"(Step \d+/\d+ : )(.*)")  # of a build, in what it prints


class Discreet:
    """What is known to be secret in one story."""

    def __init__(
        self,
        environment: Iterable[str] = (),
        build_args: Mapping[str, str | None] | None = None,
    ) -> None:
        self._given = Given(build_args)
        self._given.learn(environment)

    @classmethod
    def of_build(cls, query: Mapping[str, Any]) -> "Discreet":
        """Know the arguments of a build, as it was asked for."""
        return cls(build_args=json.loads(query.get("buildargs") or "{}"))

    def record(self, record: Record) -> Record:
        """Hide in a record; learn from what ENV sets."""
        event = event_of(record)
        if isinstance(event, ConfigChanged):
            self._given.hide(event)
        return of_record(record)

    def output(self, said: str) -> list[str]:
        """Give the lines of an output, harmless and without secrets."""
        return [harmless(self._line(line)) for line in said.splitlines()]

    def _line(self, line: str) -> str:
        step = _STEP.fullmatch(line)
        shown = text(line) if step is None else step[1] + instruction(step[2])
        return self._given.text(shown)


def typed(commands: Iterable[str]) -> tuple[Discreet, list[str]]:
    """Know what was typed on command lines; give the lines as they may be shown."""
    commands = list(commands)
    assignments = []
    for command in commands:
        try:
            assignments += [word for word in shlex.split(command) if "=" in word]
        except ValueError:  # a quote that does not end
            assignments += command.split()
    known = Discreet(assignments)
    return known, [line for command in commands for line in known.output(command)]
