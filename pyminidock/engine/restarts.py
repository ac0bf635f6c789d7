"""Whether a container is started again by itself, and after how long.

    policy           its program ended    … somebody had stopped it   a new engine begins
    no               stays                stays                       stays
    always           again                again, unless cancelled     again
    unless-stopped   again                stays                       … unless stopped
    on-failure[:n]   again, if not 0      again, unless cancelled     again, if not 0

A stop or a kill cancels the loop, unless its signal is another one than the container's own
stop signal (`cancels`).  Each start waits twice as long as the one before it, from a tenth
of a second to a minute; a run of ten seconds makes good for all of them.

Source: moby, restartmanager/restartmanager.go: ShouldRestart(); daemon/kill.go.
"""

from pyminidock.container.spec import ContainerSpec
from pyminidock.grammar.signals import KILL, TERM, parse_signal

FIRST_DELAY_S, LONGEST_DELAY_S = 0.1, 60.0
GOOD_LIFE_S = 10.0


def wants_again(
    policy: str, retries: int, *, exit_code: int, restarts: int, was_stopped: bool
) -> bool:
    """Say whether the policy starts it again; `restarts` is how often it has done so.

    >>> words = {"exit_code": 1, "was_stopped": False}
    >>> [wants_again("on-failure", 2, restarts=n, **words) for n in (0, 1, 2)]
    [True, True, False]
    """
    match policy:
        case "always":
            return True
        case "unless-stopped":
            return not was_stopped
        case "on-failure":
            return exit_code != 0 and (not retries or restarts < retries)
        case _:
            return False


def next_delay_s(before_s: float, lived_s: float) -> float:
    """Give how long to wait; `before_s` is how long it was last time, 0 at first.

    >>> [next_delay_s(0, 1), next_delay_s(0.1, 1), next_delay_s(51.2, 1)]
    [0.1, 0.2, 60.0]
    >>> next_delay_s(51.2, 10)
    0.1
    """
    if before_s == 0 or lived_s >= GOOD_LIFE_S:
        return FIRST_DELAY_S
    return min(2 * before_s, LONGEST_DELAY_S)


def stop_signal(spec: ContainerSpec) -> int:
    """Give the signal that asks this container to end."""
    return parse_signal(spec.stop_signal) if spec.stop_signal else TERM


def cancels(spec: ContainerSpec, signal: int) -> bool:
    """Say whether this signal means that the container shall stay down."""
    return signal == KILL or not spec.stop_signal or stop_signal(spec) == signal
