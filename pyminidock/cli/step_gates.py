"""A live story behind a terminal stepper, held wherever one of several patterns says."""

from collections.abc import Sequence

from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.stepper_source import LiveSource, matches
from pyminidock.client.gates import Gates
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.events.journal import Record

ANY = "*"


class SteppedSource(LiveSource):
    """A story that is held wherever one of several patterns says."""

    def __init__(self, client: Client, story: str, patterns: Sequence[str], title: str):
        self._patterns = patterns
        self._gates = Gates([client.gate(story, each) for each in patterns])
        super().__init__(
            lambda _name, _pattern: self._gates, client.events, story,
            " or ".join(patterns), title,
        )  # fmt: skip

    @property
    def was_aborted(self) -> bool:
        """Whether what was held was told to go back."""
        return self._gates.was_aborted

    def stops_at(self, record: Record) -> bool:
        """Say whether one of the patterns means this event."""
        return any(matches(each, record) for each in self._patterns)


def gated(
    client: Client, story: str, patterns: Sequence[str], *, title: str, line: str
) -> SteppedSource:
    """Set the gates.  Raises WordsRefused, with the whole command that is meant.

    `line` is that command, with {} where the pattern stands.
    """
    try:
        return SteppedSource(client, story, patterns, title)
    except Refused as refusal:
        if not refusal.try_next.startswith("--break"):
            raise
        raise WordsRefused(
            refusal.what, why=refusal.why, try_next=line.format(refusal.try_next)
        ) from refusal
