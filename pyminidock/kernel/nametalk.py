"""How the kernel's door and a name server talk: bytes come in, a clerk says what is to be.

    program in a container ── question ──► socket inside ──► clerk ──► reply
                                                              └──► errand: ask somebody else

The door knows how messages travel; what they say is the clerk's business.
"""

from collections.abc import Callable, Sequence
from typing import Protocol


class Errand(Protocol):
    """A question that somebody else may answer, asked from where the first one came."""

    @property
    def failure(self) -> bytes:
        """What to say if nobody knows."""

    @property
    def whom(self) -> Sequence[tuple[str, bool]]:
        """Addresses to ask one after the other; True: from the host's own network."""

    def question(self, number: int) -> bytes:
        """Spell the question under this number (16 bits), which nobody can foresee."""

    def reply(self, told: bytes, number: int) -> bytes:
        """Spell the answer for the asker; b"": this is none to the question."""

    def is_helpful(self, reply: bytes) -> bool:
        """Say whether the others need not be asked any more."""

    def ended(self, server: str) -> None:
        """Hear who has answered; "": nobody did."""


Clerk = Callable[[bytes, bool], "bytes | Errand | None"]
"""Told of a question, and whether it came as a datagram; None: it gets no answer.

It is called by the one thread that serves everybody: it must neither wait nor raise.
"""
