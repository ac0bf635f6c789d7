"""AUFS's rules beside overlayfs's: the same walks counted, and what the kernel makes of it.

Counting needs no machine: both rules are walked over the same stacks, and each name that a
branch is asked for is one probe.  Measuring needs one: the kernel's overlay is looked at by
a process of its own, in layers that it makes for that (see kernel.linux.firstlook).  AUFS
can only be counted, because no current kernel has it.
"""

import json
import subprocess
import sys
from typing import Any

from pyminidock.errors import MinidockError
from pyminidock.unionfs.aufs import DEPTHS, side_by_side

_PATIENCE_S = 120.0


class NotMeasured(MinidockError):
    """The kernel let nobody here stack layers, or not as many."""

    status = 500


def told(*, measured: bool = False, depths: tuple[int, ...] = DEPTHS) -> dict[str, Any]:
    """Count both rules for each depth; `measured`: look twice at the kernel's overlay, too.

    Raises NotMeasured.
    """
    counted = [
        {"depth": each.depth, "kind": each.path.rpartition("/")[2], "rules": each.rules,
         "probes": each.probes, "attributes": each.attributes}
        for each in side_by_side(depths)
    ]  # fmt: skip
    return {"counted": counted, "measured": _measured(depths) if measured else []}


def _measured(depths: tuple[int, ...]) -> list[dict[str, Any]]:
    done = subprocess.run(  # noqa: S603  (this interpreter, our own module)
        [sys.executable, "-I", "-X", "utf8", "-m", "pyminidock.kernel.linux.firstlook",
         *map(str, depths)],
        capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise NotMeasured(
            f"the kernel's overlay cannot be measured here: {last}",
            why="it takes a mount namespace, and overlays of up to 128 layers (Linux 6.7)",
            try_next="minidock explain union, which counts without a kernel",
        )
    return [json.loads(line) for line in done.stdout.splitlines()]
