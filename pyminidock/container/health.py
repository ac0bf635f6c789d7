"""Is the program well?  It runs; whether it works, only a question can tell.

    starting ──── a good answer ────► healthy ◄──────┐
       │                                 │           │ one good answer
       └── `retries` bad ones in a row ──┴► unhealthy ┘

Bad answers within the start period do not count while there has been no good one.  Between
the end of one question and the next lies the interval, within the start period the start
interval.  The last five answers are kept, of each the first 4096 bytes.

Nothing here asks: it is the arithmetic of answers.  Times are seconds.
Source: moby, daemon/health.go; measured with dockerd 26.1.5.
"""

from dataclasses import dataclass, replace

from pyminidock.image.config import Healthcheck

STARTING, HEALTHY, UNHEALTHY = "starting", "healthy", "unhealthy"
MOST_RESULTS, MOST_BYTES = 5, 4096
_INTERVAL_NS = _TIMEOUT_NS = 30_000_000_000
_RETRIES = 3
_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Result:
    """One answer; start and end since 1970, exit code −1 if there was none in time."""

    start: float
    end: float
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a container's health."""

    status: str = STARTING
    failing_streak: int = 0
    log: tuple[Result, ...] = ()  # oldest first

    def __str__(self) -> str:
        """Word it as `ps` does."""
        return f"health: {self.status}" if self.status == STARTING else self.status


def command(check: Healthcheck | None, shell: tuple[str, ...]) -> tuple[str, ...] | None:
    """Give the words of the question; None: nobody asks.  `shell` is the image's own.

    >>> command(Healthcheck(("CMD-SHELL", "exit 0")), ())
    ('/bin/sh', '-c', 'exit 0')
    >>> command(Healthcheck(("NONE",)), ()) is None
    True
    """
    match check.test if check else ():
        case ("CMD", *words):
            return tuple(words)
        case ("CMD-SHELL", *words):
            return (*(shell or _SHELL), *words)
        case _:
            return None


def begun(before: Health | None) -> Health:
    """Give the health at the beginning of a run; earlier answers stay on record."""
    return replace(before or Health(), status=STARTING, failing_streak=0)


def unwatched(health: Health) -> Health:
    """Give the health of a container that is not asked any more, paused or ended."""
    return replace(health, status=UNHEALTHY)


def after(health: Health, result: Result, check: Healthcheck, began: float) -> Health:
    """Give the health after an answer; `began` is when the program did, since 1970.

    >>> bad = Result(10.0, 11.0, 1, "")
    >>> check = Healthcheck(("CMD", "false"), start_period_ns=5_000_000_000, retries=1)
    >>> after(Health(), bad, check, 8.0).status, after(Health(), bad, check, 2.0).status
    ('starting', 'unhealthy')
    """
    log = (*health.log, result)[-MOST_RESULTS:]
    if result.exit_code == 0:
        return Health(HEALTHY, 0, log)
    is_excused = (
        health.status == STARTING
        and result.start - began < check.start_period_ns / 1_000_000_000
    )
    if is_excused:
        return replace(health, log=log)
    streak = health.failing_streak + 1
    is_ill = streak >= (check.retries if check.retries > 0 else _RETRIES)
    return Health(UNHEALTHY if is_ill else health.status, streak, log)


def pause_s(check: Healthcheck, health: Health, since_start_s: float) -> float:
    """Give how long to wait until the next question."""
    interval_ns = check.interval_ns or _INTERVAL_NS
    is_early = since_start_s < check.start_period_ns / 1_000_000_000
    if is_early and health.status == STARTING:
        interval_ns = check.start_interval_ns or interval_ns
    return interval_ns / 1_000_000_000


def timeout_ns(check: Healthcheck) -> int:
    """Give how long an answer may take, in nanoseconds."""
    return check.timeout_ns or _TIMEOUT_NS


def text_of(output: bytes) -> str:
    r"""Read what was printed, as far as it is kept; each byte that is no UTF-8 is marked.

    >>> text_of(b"well\n"), text_of(b"\xff\xfe"), len(text_of(b"x" * 5000))
    ('well\n', '\ufffd\ufffd', 4099)
    """
    kept = output[:MOST_BYTES].decode("utf-8", "surrogateescape")
    text = "".join("\ufffd" if "\udc80" <= sign <= "\udcff" else sign for sign in kept)
    return text + ("..." if len(output) > MOST_BYTES else "")
