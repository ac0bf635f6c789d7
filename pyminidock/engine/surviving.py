"""What would be left of a container: asked of one that is there, and nothing is touched."""

from dataclasses import asdict
from typing import Any

from pyminidock.container.logfile import log_path
from pyminidock.container.survival import COLUMNS, Seen, survival
from pyminidock.engine import written
from pyminidock.engine.house import House
from pyminidock.engine.volumemounts import options_of

Document = dict[str, Any]
_MOST_NAMES = 20


def told(house: House, reference: str) -> Document:
    """Tell of each file and fact what becomes of it, and the way out.

    Raises NoSuchContainer.
    """
    life = house.life(reference)
    kept = house.kept(life.id)
    wrote = written.told(house, life.id)
    names = [each["path"] for each in wrote["entries"] if each["change"] != "same"]
    places = {point.target for point in kept.spec.points}
    places |= {mount.target for mount in kept.spec.tmpfs}
    names = [name for name in names if name not in places]
    in_memory = {
        point.name for point in kept.spec.points
        if point.kind == "volume" and options_of(house, point.name).is_memory
    }  # fmt: skip
    seen = Seen(
        kept.snapshot.upper, tuple(names[:_MOST_NAMES]), max(0, len(names) - _MOST_NAMES),
        wrote["size_bytes"], log_path(kept.spec), frozenset(in_memory),
    )  # fmt: skip
    facts = survival(kept.spec, kept.request, seen)
    return {
        "container": life.id, "name": life.name, "backend": house.machine.backend,
        "state": life.state.value, "is_removed_at_end": kept.spec.auto_remove,
        "columns": list(COLUMNS), "facts": [_document(asdict(each)) for each in facts],
    }  # fmt: skip


def _document(fact: Document) -> Document:
    return fact | {"fates": dict(zip(COLUMNS, fact["fates"], strict=True))}
