"""Playing a level as its solution does, without anybody at the keyboard.

    solution.sh LEVEL WAY        wrong.sh LEVEL WAY

Both say `docker`: they run with the stock command line, or with ours, which this puts under
the same name on the path.  They run in an empty directory.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pyminidock.course.lesson import Lesson

_PATIENCE_S = 60.0


def play(  # noqa: PLR0913  (a script has two arguments of its own)
    lesson: Lesson, script: str, level: str, way: str, *,
    environment: Mapping[str, str] | None = None, is_stock: bool = False,
    within: Path | None = None,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run one way of `script`; give how it ended.

    `is_stock` leaves `docker` to the machine.  What the way makes beside itself goes at its
    end, unless it plays `within` a directory of yours.  Raises subprocess.TimeoutExpired.
    """
    with tempfile.TemporaryDirectory(prefix="lesson-") as place:
        work = Path(within or place, "work")
        work.mkdir()
        path = os.environ.get("PATH", os.defpath)
        if not is_stock:
            _stand_in(Path(place))
            path = f"{place}{os.pathsep}{path}"
        return subprocess.run(  # noqa: S603  (a lesson's own script)
            ["/bin/sh", "-e", str(lesson.folder / script), level, way],
            cwd=work, env={**(environment or os.environ), "PATH": path}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=_PATIENCE_S, check=False,
        )  # fmt: skip


def _stand_in(place: Path) -> None:
    """Put our command line into `place` under the name docker."""
    command = place / "docker"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pyminidock "$@"\n')
    command.chmod(0o755)
