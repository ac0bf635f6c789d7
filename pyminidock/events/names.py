"""Who asked the name server for whom, and what came of it."""

from dataclasses import dataclass

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class NameAsked(Event):
    """A program in a container asked for a name.

    `outcome`: "known" the engine knows it; "empty" it knows it, but nothing of this kind;
    "home" a single word that is not asked of anybody else; "forwarded" `server` answered;
    "no answer" nobody did; "no way out" nobody could be asked.  The same question with the
    same outcome is told once in a while, with how often it was asked meanwhile.
    """

    container: str
    name: str  # at most 100 characters: what is longer is cut in its middle
    kind: str  # A, AAAA, PTR …
    outcome: str
    answers: tuple[str, ...] = ()  # at most eight of them
    server: str = ""
    times: int = 1
