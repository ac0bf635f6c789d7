"""What somebody waits for, and with which words it came.

A container may be started again a moment after its program ended, so "how did it end" has
to be noted in the moment of the end, for each who waits.

Source: moby, container/state.go: Wait().
"""

from pyminidock.kernel.port import ExitStatus

CONDITIONS = ("not-running", "next-exit", "removed")


class Outcome:
    """One of Docker's conditions, and the status that its coming had; call it to ask.

    >>> outcome = Outcome("next-exit")
    >>> outcome()
    False
    >>> outcome.comes(ExitStatus(3), "")
    >>> outcome(), outcome.status.code
    (True, 3)
    """

    def __init__(self, condition: str) -> None:
        if condition not in CONDITIONS:
            raise KeyError(condition)
        self.condition = condition
        self.status, self.error = ExitStatus(0), ""
        self._is_so = False

    def __call__(self) -> bool:
        """Say whether it has become so."""
        return self._is_so

    def comes(self, status: ExitStatus | None, error: str) -> None:
        """It has become so; once."""
        self.status, self.error, self._is_so = status or ExitStatus(0), error, True
