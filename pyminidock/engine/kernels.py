"""The one place that chooses a kernel; everybody else knows the door only.

    linux-root       real containers, by root on Linux
    linux-rootless   the same, by anybody, in a user namespace with one uid
    simulated        every call of every plan is kept in books, no program runs

The best one that works here is taken, unless one is asked for by name; what cannot be had
is refused with the reason that `minidock doctor` gives, and never replaced in silence.
"""

import sys
from pathlib import Path

from pyminidock.errors import MinidockError
from pyminidock.kernel import detect
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import Kernel
from pyminidock.kernel.recording import Recording

BACKENDS = ("linux-root", "linux-rootless", "simulated")


class BackendRefused(MinidockError):
    """The machine cannot be the kernel that was asked for."""

    status = 400


def choose(backend: str | None, root: Path) -> Kernel:
    """Give the kernel `backend`, or the best that works for an engine over `root`.

    The linux kernel forks its helper: call it while the process has one thread.
    Raises BackendRefused.
    """
    if backend and backend not in BACKENDS:
        raise BackendRefused(
            f"no backend is called {backend!r}",
            why=f"there are {', '.join(BACKENDS)}",
            try_next="minidock doctor",
            lesson="backends",
        )
    if backend == "simulated":
        return Recording(ModelBody())
    facts = _facts(root)
    best, reason = detect.choose(facts)
    if backend and backend != best:
        raise BackendRefused(
            f"{backend} does not work here",
            why=reason,
            try_next="MINIDOCK_BACKEND=simulated minidock ps",
            lesson="backends",
        )
    if best == "simulated":
        rows = detect.judge(facts)
        return Recording(
            ModelBody(lacking=[row for row in rows if row.state != detect.YES])
        )
    from pyminidock.kernel.linux import userns  # noqa: PLC0415  (only on Linux)
    from pyminidock.kernel.linux.body import LinuxBody  # noqa: PLC0415

    if best == "linux-rootless" and not userns.is_single_user():
        userns.enter()
    return Recording(LinuxBody(root))


def _facts(root: Path) -> detect.Facts:
    """Read what this machine can do."""
    if sys.platform != "linux":
        return detect.Facts(system=sys.platform)
    from pyminidock.kernel.linux.facts import read_facts  # noqa: PLC0415  (only on Linux)

    return read_facts(root)
