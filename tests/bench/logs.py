"""How fast output becomes a log, and a log becomes output again, beside dockerd.

    written     a program prints 100 MB of lines; until its end is told
    read        all of it over the socket, in frames
    stamped     the same with timestamps
    followed    a program prints 100 MB, and somebody reads along

Lines have a hundred bytes.  What comes back is counted.
"""

import random
import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.engines import Engine, engines, until_quiet
from tests.bench.show import Verdict, write

MIB, ROUNDS, GOAL = 100, 3, 0.5
_LINE = "x" * 99
_PROGRAM = ("sh", "-c", f"yes {_LINE} | head -c {MIB * 1_000_000}")
_RECORD = len(_LINE) + 1
_RECORDS = MIB * 1_000_000 // _RECORD
_FRAME, _STAMP = 8, 31
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Deeds:
    """Megabytes of text in a second, by deed and engine."""

    rates: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def ratio(self, deed: str) -> float:
        """Say how many times as fast as dockerd ours is, at the medians."""
        ours, others = (statistics.median(rates) for rates in self.rates[deed].values())
        return ours / others


def measure(place: Path) -> Deeds:
    """Let the engines take turns, after one round to warm up."""
    found, chance = Deeds(), random.Random(0)
    with engines(place) as both:
        logs = {engine.name: _written(engine)[0] for engine in both}
        for number in range(ROUNDS + 1):
            for name, deed in DEEDS.items():
                rates = found.rates.setdefault(name, {each.name: [] for each in both})
                for engine in chance.sample(both, len(both)):
                    until_quiet()
                    took = deed(engine, logs[engine.name])
                    if number:
                        rates[engine.name].append(MIB / took)
    return found


def _written(engine: Engine) -> tuple[str, float]:
    """Run the program; give the container and the seconds."""
    with engine.line() as line:
        container = line.create(*_PROGRAM)
        began = time.perf_counter()
        line.ask("POST", f"/containers/{container}/start")
        ended = line.ask("POST", f"/containers/{container}/wait")
        took = time.perf_counter() - began
    assert ended["StatusCode"] == 0, ended
    return container, took


def _remove(engine: Engine, container: str) -> None:
    with engine.line() as line:
        line.ask("DELETE", f"/containers/{container}?force=1")


def _write(engine: Engine, _: str) -> float:
    container, took = _written(engine)
    _remove(engine, container)
    return took


def _read(engine: Engine, container: str, query: str = "", extra: int = 0) -> float:
    """Read a log; its length must be that of so many frames."""
    began = time.perf_counter()
    length = _fetch(engine, f"/containers/{container}/logs?stdout=1{query}")
    took = time.perf_counter() - began
    assert length >= _RECORDS * (_FRAME + _RECORD + extra), length
    return took


def _stamped(engine: Engine, container: str) -> float:
    return _read(engine, container, "&timestamps=1", _STAMP)


def _followed(engine: Engine, _: str) -> float:
    with engine.line() as line:
        container = line.create(*_PROGRAM)
        began = time.perf_counter()
        line.ask("POST", f"/containers/{container}/start")
        _read(engine, container, "&follow=1")
        took = time.perf_counter() - began
    _remove(engine, container)
    return took


def _fetch(engine: Engine, path: str) -> int:
    """Read an answer in chunks and count its bytes, chunk lines and all.

    Not through `http.client`: dockerd sends a chunk for each record, and it would be
    Python's time to take them apart that was measured.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(engine.socket))
        line.sendall(f"GET /v1.45{path} HTTP/1.1\r\nHost: docker\r\n\r\n".encode())
        length, last = 0, b""
        while not last.endswith(_LAST_CHUNK):
            piece = line.recv(1 << 18)
            assert piece, "the engine hung up"
            length += len(piece)
            last = (last + piece)[-len(_LAST_CHUNK) :]
    return length


DEEDS: dict[str, Callable[[Engine, str], float]] = {
    "written": _write, "read": _read, "stamped": _stamped, "followed": _followed,
}  # fmt: skip


def show(found: Deeds) -> None:
    """Print the table."""
    write(f"\n{f'{MIB} MB of log':24} {'':10} {'MB/s':>8} {'best':>8} {'ratio':>8}")
    for deed, engines_rates in found.rates.items():
        for name, rates in engines_rates.items():
            label, times = (deed, found.ratio(deed)) if name == "ours" else ("", 1.0)
            median, best = statistics.median(rates), max(rates)
            write(f"{label:24} {name:10} {median:8.1f} {best:8.1f} {times:8.2f}")


def verdicts(found: Deeds) -> list[Verdict]:
    """Compare with the goal."""
    return [
        Verdict(
            f"log {deed}: {found.ratio(deed):.2f} of dockerd's rate (goal {GOAL})",
            found.ratio(deed) >= GOAL,
        )
        for deed in found.rates
    ]
