"""Where damaged things wait for a person: moved, with a reason, never deleted.

    quarantine/<time>-<name>/    the thing itself, and a file `reason`

One broken object must not keep an engine from starting, and the engine cannot know what it
was worth.

Source: hardening.md D.6.
"""

import datetime
import itertools
from contextlib import suppress
from pathlib import Path

from pyminidock.store.files import DISK, Files, write_whole


def set_aside(
    root: Path, name: str, why: str, wall: float, *paths: Path, files: Files = DISK
) -> Path:
    """Move `paths` (absent ones are fine) out of the way; give the directory.

    `wall` is seconds since 1970.
    """
    moment = datetime.datetime.fromtimestamp(wall, datetime.UTC)
    stem = root / "quarantine" / f"{moment:%Y%m%dT%H%M%S}-{name}"
    targets = itertools.chain(
        [stem], (stem.with_name(f"{stem.name}.{n}") for n in range(2, 10**6))
    )
    target = next(each for each in targets if not each.exists())
    files.make_directory(target)
    write_whole(target / "reason", f"{why}\n".encode(), files=files)
    for path in paths:
        with suppress(FileNotFoundError):
            files.rename(path, target / path.name)
            files.sync_directory(path.parent)
    files.sync_directory(target)
    files.sync_directory(target.parent)
    return target
