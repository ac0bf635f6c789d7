"""Union filesystems side by side: the kernel's, somebody else's in C, and glass.

    overlay          the kernel's own, at native speed
    watch            the same one, with somebody beside it who tells what is used
    fuse-overlayfs   C, asked through the same door as glass; it may keep no name either
    glass            ours, with everything told to a reader that understands each line

All stand on the same layers and are measured by turns; a rate is the best of its rounds.
What a kernel of its own does (`overlay`) tells how much of the work was the program's.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pyminidock.kernel.calls import PrepareOverlay
from pyminidock.kernel.glass import hearing, mounting
from pyminidock.kernel.watch import hearing as watch
from tests.bench import unionworks as works
from tests.bench.show import Verdict, write
from tests.edge.overlay_stacks import mount

WORKS: tuple[tuple[str, Callable[[Path], float], int], ...] = (
    ("stat/s", works.stats, 5),
    ("absent stat/s", works.absent_stats, 3),
    ("open+read+close/s", works.opens, 5),
    ("listing of 10,000/s", works.readdir, 3),
    ("MB/s", works.read, 3),
    ("ten imports/s", works.imports, 7),
    ("tar of 5,000/s", works.tar, 7),
    ("copy-up of 64 MB/s", works.copy_up, 1),
)
FULL = 3  # layers under which everything is measured, not only stat
DEPTHS = (1, 2, 3, 16, 64, 128)
SIDES = ("overlay", "watch", "fuse-overlayfs", "glass")
PROGRAMS = ("ten imports/s", "tar of 5,000/s")  # who may feel that they are watched
STAT_GOAL, OPEN_GOAL, DEEP_GOAL = 20_000, 12_000, 10_000  # a second; 3 layers, 3, 16
STAT_RATIO, OPEN_RATIO, READ_RATIO = 3.5, 2.4, 1.0  # of fuse-overlayfs, elsewhere
WATCH_GOAL = 1.25  # times as long as on plain overlay


@dataclass(slots=True)
class Union:
    """Rates of each side: by work at three layers, and of stat by depth."""

    works: dict[str, dict[str, float]] = field(default_factory=dict)
    depths: dict[int, dict[str, float]] = field(default_factory=dict)


def measure(ground: Path) -> Union:
    """Measure every work at three layers, and stat at every depth."""
    found = Union()
    for depth in DEPTHS:
        place = ground / str(depth)
        layers = [place / f"l{number}" for number in range(depth)]
        works.furnish(layers, is_whole=depth == FULL)
        with ExitStack() as mounted:
            roots = {name: mounted.enter_context(_mounted(name, layers, place))
                     for name in SIDES}  # fmt: skip
            found.depths[depth] = _race(roots, works.stats, 5)
            for name, work, rounds in WORKS if depth == FULL else ():
                found.works[name] = _race(roots, work, rounds)
    return found


def _race(
    roots: dict[str, Path], work: Callable[[Path], float], rounds: int
) -> dict[str, float]:
    rates: dict[str, list[float]] = {name: [] for name in roots}
    for _ in range(rounds):
        for name, root in roots.items():
            rates[name].append(work(root))
    return {name: max(each) for name, each in rates.items()}


@contextmanager
def _mounted(name: str, layers: list[Path], place: Path) -> Iterator[Path]:
    """Mount the layers by one side, with an upper directory of its own."""
    root = place / name
    for each in ("upper", "work", "merged"):
        (root / each).mkdir(parents=True)
    if name == "watch":
        with _watched(layers, root) as tree:
            yield tree
        return
    merged = root / "merged"
    words = (f"lowerdir={':'.join(map(str, layers))},"
             f"upperdir={root}/upper,workdir={root}/work")  # fmt: skip
    with ExitStack() as left:
        if name == "overlay":
            mount("overlay", merged, "overlay", words)  # the command takes 256 bytes
        elif name == "fuse-overlayfs":
            _run("fuse-overlayfs", "-o", f"{words},timeout=0", str(merged))
        else:
            left.enter_context(_heard(layers, root))
        try:
            yield merged
        finally:
            _run("umount", "--lazy", str(merged))


@contextmanager
def _heard(layers: list[Path], root: Path) -> Iterator[None]:
    """Mount glass as for a container; a process of its own hears what it tells."""
    handle = hearing.start(
        [str(each) for each in layers], f"{root}/upper", f"{root}/work", (), str(root)
    )
    mounting.attach(handle, f"{root}/merged")
    os.close(handle)
    hearer = os.fork()
    if not hearer:
        try:
            line = hearing.connect(str(root))
            assert line is not None
            line.say("flow")
            is_flowing = False  # the first to ask may have to wait for a word
            while not line.is_over:
                for record in line.hear(1.0)[: 0 if is_flowing else 1]:
                    line.say(f"go {record['unique']}")
                    is_flowing = True
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(hearer, signal.SIGKILL)
        os.waitpid(hearer, 0)


@contextmanager
def _watched(layers: list[Path], root: Path) -> Iterator[Path]:
    """Stack the kernel's overlay as for a watched container; somebody hears what is told.

    As there it is mounted nowhere that the watcher sees: paths begin at its own root.
    The watcher goes with the container's first process; here that one only sleeps.
    """
    below = tuple(str(each) for each in layers)
    call = PrepareOverlay(below, f"{root}/upper", f"{root}/work", watch=str(root))
    handle = watch.start(call)
    with subprocess.Popen(["sleep", "infinity"]) as first:
        hearer = os.fork()
        if not hearer:
            try:
                line = watch.connect(str(root))
                assert line is not None
                line.say("flow")
                line.say(f"born {first.pid}")
                while not line.is_over:
                    line.hear(1.0)
            finally:
                os._exit(0)
        try:
            yield Path(f"/proc/{os.getpid()}/fd/{handle}")
        finally:
            first.kill()
            os.waitpid(hearer, 0)
            os.close(handle)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def show(union: Union) -> None:
    """Print the rates, a side each column."""
    write(f"\n{'union, 3 layers':20}" + "".join(f"{name:>16}" for name in SIDES))
    for work, rates in union.works.items():
        write(f"{work:20}" + "".join(f"{rates[name]:16,.1f}" for name in SIDES))
    for depth, rates in union.depths.items():
        line = "".join(f"{rates[name]:16,.0f}" for name in SIDES)
        write(f"{f'stat/s, {depth} layers':20}" + line)


def verdicts(union: Union) -> list[Verdict]:
    """Judge glass by its own goals or, on a slower machine, beside fuse-overlayfs."""
    found = [_watch_verdict(work, union.works[work]) for work in PROGRAMS]
    for text, rates, goal, ratio in (
        ("stat", union.works["stat/s"], STAT_GOAL, STAT_RATIO),
        ("open, read, close", union.works["open+read+close/s"], OPEN_GOAL, OPEN_RATIO),
        ("stat at 16 layers", union.depths[16], DEEP_GOAL, STAT_RATIO),
        ("reading", union.works["MB/s"], float("inf"), READ_RATIO),
    ):
        ours, theirs = rates["glass"], rates["fuse-overlayfs"]
        said = f"glass, {text}: {ours:,.0f}/s, {ours / theirs:.1f} times fuse-overlayfs"
        goals = (
            f"goal {ratio} times" if goal == float("inf") else f"goal {goal:,}, or {ratio}"
        )
        holds = ours >= goal or ours >= ratio * theirs
        found.append(Verdict(f"{said} ({goals})", holds))
    return found


def _watch_verdict(work: str, rates: dict[str, float]) -> Verdict:
    times = rates["overlay"] / rates["watch"]
    said = f"watch, {work.removesuffix('/s')}: {times:.2f} times as long as on overlay"
    return Verdict(f"{said} (goal {WATCH_GOAL})", times <= WATCH_GOAL)
