"""What a container wrote, and where it is: in one directory of the host.

A program writes to one tree, which the kernel stacked of many.  What it writes lands in the
container's own writable layer, except below a mount: there it lands in what is mounted.

Two ask.  Whoever looks at a container gets every name, a page at a time, as it is now.  And
when a program ends, its story tells the first names, so that a recorded run has an answer,
too, when the container is long gone.  That has to cost next to nothing: an empty layer is
one look at a directory, and beyond a few hundred names nobody looks on.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from pyminidock.engine.house import House, Kept
from pyminidock.engine.imagelayers import entry_document, text_of
from pyminidock.engine.lives import Life
from pyminidock.events import ContainerWrote, Emit
from pyminidock.layers.apply import policy_here
from pyminidock.layers.merged import Merged
from pyminidock.layers.written import written
from pyminidock.unionfs.weighing import Entry

MOST_TOLD = 64  # names in the story
_MOST_SEEN = 256  # that are looked at for it

Document = dict[str, Any]


def told(house: House, reference: str, *, start: int = 0, most: int = 1000) -> Document:
    """Tell what a container's writable layer holds now, and where on the host it is.

    Looks at every name of it; reads no file.  Raises NoSuchContainer.
    """
    life = house.life(reference)
    kept = house.kept(life.id)
    counts = dict.fromkeys(("added", "changed", "deleted", "same"), 0)
    size_bytes, page = 0, list[Entry]()
    with _entries(house, kept) as entries:
        for number, entry in enumerate(entries):
            counts[entry.change] += 1
            if entry.item is not None and entry.change != "deleted":
                size_bytes += entry.item.size_bytes
            if start <= number < start + most:
                page.append(entry)
    return {
        "container": life.id, "name": life.name, "image": kept.request.image,
        "backend": house.machine.backend, "state": life.state.value,
        "is_removed_at_end": kept.spec.auto_remove, "upper": kept.snapshot.upper,
        "size_bytes": size_bytes, **counts, "total": sum(counts.values()), "start": start,
        "entries": [entry_document(each) for each in page],
        "in_memory": [mount.target for mount in kept.spec.tmpfs],
    }  # fmt: skip


def tell(house: House, life: Life, emit: Emit) -> None:
    """Tell what the program wrote that has just ended; nothing, if it wrote nothing.

    A layer that cannot be looked at is not told: the end of a program may not fail.
    """
    kept = house.kept(life.id)
    if kept.build:  # its layer tells it, name by name
        return
    seen = list[Entry]()
    with suppress(OSError), os.scandir(kept.snapshot.upper) as top:
        if next(top, None) is None:  # as most are: no need to look at what lies below
            return
    with suppress(OSError), _entries(house, kept) as entries:
        seen += islice(entries, _MOST_SEEN + 1)
    found = [each for each in seen if each.change != "same"]
    if found:
        names = tuple(map(_row, found[:MOST_TOLD]))
        more, is_all = len(found) - len(names), len(seen) <= _MOST_SEEN
        emit(ContainerWrote(life.id, kept.snapshot.upper, names, more, is_all))


@contextmanager
def _entries(house: House, kept: Kept) -> Iterator[Iterator[Entry]]:
    spelling = policy_here(is_single_user=house.machine.is_single_user).spelling
    lower, upper = map(Path, kept.snapshot.lower), Path(kept.snapshot.upper)
    with Merged(tuple(lower), spelling) as below:
        yield written(upper, below, spelling)


def _row(entry: Entry) -> tuple[str, str, str, str, int]:
    item, path = entry.item, "/" + text_of(entry.path)
    if item is None:
        return entry.change, path, "", "", 0
    return entry.change, path, item.kind, f"{item.mode:04o}", item.size_bytes
