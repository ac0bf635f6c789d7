"""Which places each verb passes, and the matrix of its deaths there.

    declared   what is written down here
    hit        what the verb passed when a test watched it
    recovered  where it was killed, and the next engine found everything in order

The three are one set for each verb, and all verbs together pass every place there is.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pyminidock.store.failpoints import POINTS
from tests.crash.harness import Crash, Scenario, crashes


def _of(*rooms: str) -> frozenset[str]:
    return frozenset(each for each in POINTS if each.partition(".")[0] in rooms)


_ROWS = _of("opening", "transaction", "index")
_COMING = _ROWS | _of("lease", "blob", "layer")
_GOING = _ROWS | _of("remove", "sweep")
DECLARED: Mapping[str, frozenset[str]] = {
    "load": _COMING | _of("unpack", "load"),
    "import": _COMING | _of("unpack", "import"),
    "build": _COMING | _of("diff", "build", "record"),
    "copy": _of("copy"),
    "commit": _COMING | _of("diff", "commit") | {"record.temporary", "record.renamed"},
    "tag": _ROWS,
    "remove": _GOING,
    "prune": _GOING,
    "volume": _ROWS | _of("volume"),
    "daemon": _of("daemon", "record"),
}


@contextmanager
def memory() -> Iterator[Path]:
    """Give a directory where syncing costs nothing: a process dies here, not a machine."""
    shared = Path("/dev/shm")  # noqa: S108  (a directory of our own in it)
    with TemporaryDirectory(
        prefix="minidock-crash-", dir=shared if shared.is_dir() else None
    ) as directory:
        yield Path(directory)


class Matrix:
    """The deaths of each scenario, died when first asked for."""

    def __init__(self, place: Path) -> None:
        self._place, self._known = place, dict[str, list[Crash]]()

    def of(self, scenario: Scenario) -> list[Crash]:
        """Give the deaths of one scenario."""
        if scenario.name not in self._known:
            place = self._place / scenario.name
            place.mkdir()
            self._known[scenario.name] = list(crashes(scenario, place))
        return self._known[scenario.name]

    def points(self, scenario: Scenario) -> frozenset[str]:
        """Name the places at which one scenario was killed, and recovered from."""
        return frozenset(crash.point for crash in self.of(scenario))

    def draw(self, scenarios: Iterable[Scenario]) -> str:
        """Draw all of it: how often each verb died at each place, and was recovered."""
        verbs = list(scenarios)
        lines = [" " * 24 + "".join(f"{verb.name:>8}" for verb in verbs)]
        for point in POINTS:
            times = [sum(crash.point == point for crash in self.of(verb)) for verb in verbs]
            if any(times):
                row = "".join(f"{number or '·':>8}" for number in times)
                lines.append(f"{point:24}{row}")
        return "\n".join(lines)
