"""Looking at this machine without an engine, with the engine's own eyes.

`minidock doctor` has to work exactly where an engine does not: without root, on a kernel
that is too old, on another system.  So the client looks itself; the rows are those that
`GET /minidock/doctor` answers, made by the same function from the same facts.
"""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pyminidock.kernel.detect import Facts, choose, judge


def survey(root: Path) -> dict[str, Any]:
    """Tell what an engine with the root directory `root` could do; nothing is started."""
    facts = Facts(system=sys.platform.capitalize())
    if sys.platform == "linux":
        from pyminidock.kernel.linux.facts import read_facts  # noqa: PLC0415  (Linux only)

        facts = read_facts(root)
    return {
        "backend": choose(facts)[0],
        "capabilities": [asdict(row) for row in judge(facts)],
    }
