"""The same layers mounted twice: by the kernel's overlayfs, and by glass.

ground/   lower/ base/      written once, for both
          overlay/ upper work merged
          glass/   upper work merged
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.edge.overlay_stacks import LIBC, MNT_DETACH, mount

PATIENCE_S = 30.0


def glass_command(name: str, place: Path, options: str) -> list[str]:
    """Spell the command that mounts a union and goes to the background."""
    return [
        sys.executable, "-m", "pyminidock", "glass-mount", name, str(place), "-o", options
    ]  # fmt: skip


def options(ground: Path, side: str, *others: str) -> str:
    """Spell overlayfs's options; makes the directories of one side."""
    for name in ("upper", "work", "merged"):
        (ground / side / name).mkdir(parents=True, exist_ok=True)
    lower = f"lowerdir={ground}/lower:{ground}/base"
    where = f"upperdir={ground}/{side}/upper,workdir={ground}/{side}/work"
    return ",".join([lower, where, *others])


@contextmanager
def overlay(ground: Path, side: str = "overlay") -> Iterator[Path]:
    """Mount them by the kernel."""
    place = ground / side / "merged"
    # What a stack does by default may be changed for a whole machine.
    words = options(ground, side, "redirect_dir=off", "metacopy=off", "index=off")
    mount("overlay", place, "overlay", words)
    try:
        yield place
    finally:
        LIBC.umount2(str(place).encode(), MNT_DETACH)


@contextmanager
def glass(ground: Path, side: str = "glass") -> Iterator[tuple[Path, int]]:
    """Mount them by glass; gives the place, and the server's pid."""
    place = ground / side / "merged"
    words = [*glass_command("glass", place, options(ground, side)), "--foreground"]
    server = subprocess.Popen(words)
    try:
        wait_for(lambda: is_mounted(place) or server.poll() is not None)
        assert server.poll() is None, "the server ended"
        yield place, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        LIBC.umount2(str(place).encode(), MNT_DETACH)


def is_mounted(place: Path) -> bool:
    """Read the table of mounts: asking the place itself would ask the server."""
    with Path("/proc/self/mountinfo").open(encoding="utf-8") as table:
        return any(line.split()[4] == str(place) for line in table)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; fail after half a minute."""
    import time  # noqa: PLC0415

    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, "it never came"
        os.sched_yield()
        time.sleep(0.005)
