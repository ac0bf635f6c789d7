"""How fast a container starts and ends, side by side with everything else on this machine.

Every contender runs the same program in the same root file system, `sh -c 'echo hi'`, and
its output is checked.  Contenders take turns, so a machine that slows down slows all of
them; every round in another order and after a breath, so that nobody pays for what the
same one before it left to the kernel.  Figures are milliseconds from the call to the answer
of "it ended with 0", removal included where the contender keeps anything.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.ours import Ours
from tests.bench.peers import bwrap, docker, runc, unshare_chroot
from tests.bench.shims import LINES, memory_of_shims
from tests.bench.show import Verdict, write
from tests.reference import busybox_root, running_reference

COMMAND = ("sh", "-c", "echo hi")
BREATH_S = 0.01
GOALS = {"dockerd": 15.0, "runc run": 3.0}  # our engine is so many times faster


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that can run a program in a root; `once` gives seconds, or raises."""

    name: str
    once: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Births:
    """Milliseconds of each round by contender, and by phase of ours; memory of shims."""

    ms: dict[str, list[float]]
    phases: dict[str, list[float]]
    shims: dict[str, float]


def measure(runs: int) -> Births:
    """Let all of them run `runs` times, after two to warm up."""
    with ExitStack() as stack:
        # On a tmpfs, where the reference has its own data too.
        place = tempfile.TemporaryDirectory(prefix="bench-", dir="/dev/shm")
        state = Path(stack.enter_context(place))
        root = busybox_root(state / "root")
        reference = stack.enter_context(running_reference())
        ours = stack.enter_context(Ours.started(state / "engine"))
        silent = stack.enter_context(Ours.started(state / "silent", traced=False))
        contenders = [
            Contender("ours", lambda: ours.once(COMMAND)),
            Contender("ours, untraced", lambda: silent.once(COMMAND)),
            Contender("dockerd", lambda: docker(reference, COMMAND)),
            Contender("runc run", lambda: runc(state, root, COMMAND)),
            Contender("bwrap", lambda: bwrap(root, COMMAND)),
            Contender("unshare + chroot", lambda: unshare_chroot(root, COMMAND)),
        ]
        figures = race(contenders, runs)
        return Births(figures, ours.phases(COMMAND, runs), memory_of_shims(ours, 50))


def race(contenders: list[Contender], runs: int) -> dict[str, list[float]]:
    """Let the contenders take turns; milliseconds of each counted round."""
    figures: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    order, chance = list(contenders), random.Random(0)
    for number in range(runs + 2):
        chance.shuffle(order)
        for contender in order:
            time.sleep(BREATH_S)
            took = contender.once() * 1000
            if number >= 2:
                figures[contender.name].append(took)
    return figures


def show(found: Births) -> None:
    """Print the tables."""
    ours = statistics.median(found.ms["ours"])
    write(f"{'start to exit':24} {'min ms':>8} {'median':>8} {'x ours':>8}")
    for name, values in found.ms.items():
        median = statistics.median(values)
        write(f"{name:24} {min(values):8.2f} {median:8.2f} {median / ours:8.1f}")
    write(f"\n{'phase of ours':24} {'min ms':>8} {'median':>8}")
    for name, values in found.phases.items():
        write(f"{name:24} {min(values):8.2f} {statistics.median(values):8.2f}")
    shims = found.shims
    count = f"{shims['count']:.0f} shims at once"
    write(f"\n{count:24} {'KiB each (PSS)':>17}")
    write(f"{'idle':24} {shims['pss_kib']:17.0f}")
    write(f"{f'after {LINES:,} lines':24} {shims['busy_kib']:17.0f}")


def verdicts(found: Births) -> list[Verdict]:
    """Compare with the goals."""
    ours = statistics.median(found.ms["ours"])
    told = []
    for name, goal in GOALS.items():
        ratio = statistics.median(found.ms[name]) / ours
        text = f"{name}: {ratio:.1f} times ours (goal {goal:.0f})"
        told.append(Verdict(text, ratio >= goal))
    pairs = zip(found.ms["ours"], found.ms["ours, untraced"], strict=True)
    cost = statistics.median(traced / untraced for traced, untraced in pairs) - 1
    told.append(Verdict(f"tracing costs {cost:+.1%} (goal 5 %)", cost <= 0.05))
    for state, key, most in (("idle", "pss_kib", 1024), ("busy", "busy_kib", 1536)):
        text = f"a shim takes {found.shims[key]:.0f} KiB {state} (goal {most})"
        told.append(Verdict(text, found.shims[key] <= most))
    return told
