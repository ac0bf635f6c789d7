"""What is in an image, layer by layer, who shares it, and which bytes nobody sees.

    layers     every layer with the instruction that made it, what it brought, changed and
               hid, and the other images that stand on it
    diff       all names of one layer, a page at a time

Only what a layer's tree really holds is told: its files are counted on disk, not taken from
the history, whose 0-byte lines need not be layers and whose WORKDIR may be one.

What an upper layer hides is told apart by whose it is.  Layers above the FROM image are the
image's own: another Dockerfile would not carry those bytes.  Those of the base are there
whatever this Dockerfile does.  Where FROM ended is known for images built here; for others
the layers say whether all layers of another image lie beneath.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyminidock.engine import images
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.events import redaction
from pyminidock.image.digest import Digest
from pyminidock.image.history import rows
from pyminidock.layers.apply import policy_here
from pyminidock.layers.contents import Comparing, contents
from pyminidock.store.images import ImageRow, NoSuchImage
from pyminidock.store.layers import LayerRow
from pyminidock.unionfs.weighing import Entry, Hidden, Item, Pile, Weighed

MOST_ENTRIES = 10_000  # of one answer
MOST_NAMES = 2_000_000  # of one image: what is shown of it is held in memory
_MOST_READ = 512 << 20  # bytes of files that are compared for one answer
_MOST_HIDDEN = 100  # that are named; all are counted
_MOST_SHARERS = 8
_MOST_PARENTS = 1024
_MOST_STAGES = 64
_NOTHING_DONE = "#(nop)"

Document = dict[str, Any]


class NoSuchPart(MinidockError):
    """The image has no layer of this number, or too many names to look at."""

    status = 400


@dataclass(frozen=True, slots=True)
class Base:
    """The lowest `layers` of an image come from another one; `known_by` says who knows."""

    layers: int = 0
    image: Digest = ""
    known_by: str = ""  # build, parent or layers; "" where nothing lies beneath


def layers(house: House, reference: str, *, most: int = 64) -> Document:
    """Tell every layer of an image, bottom up, each with its `most` biggest names.

    Reads names, and files only where two of one size have to be compared.
    Raises NoSuchImage, NoSuchPart.
    """
    with house.store.leases.lease("look at layers"):
        found = images.find(house, reference)
        base = base_of(house, found.row)
        told, hidden, shown = _told(house, found, base, most)
    own = [each for each in hidden if each.layer >= base.layers]
    below = [each for each in hidden if each.layer < base.layers]
    names = images.names_of(house, base.image) if base.image else []
    return {
        "image": found.row.id, "names": images.names_of(house, found.row.id),
        "stand_in": found.row.stand_in, "backend": house.machine.backend,
        "size_bytes": sum(each["size_bytes"] for each in told), "shown_bytes": shown,
        "base": {"layers": base.layers, "image": base.image, "names": names,
                 "known_by": base.known_by, **_waste(below)},
        "layers": told, "without_layer": _without_layer(house, found), **_waste(own),
    }  # fmt: skip


def diff(
    house: House, reference: str, number: int, *, start: int = 0, most: int = 1000
) -> Document:
    """Tell the names of layer `number`, from 1 at the bottom, as its archive lists them.

    Raises NoSuchImage, NoSuchPart.
    """
    with house.store.leases.lease("look at a layer"):
        found = images.find(house, reference)
        if not 1 <= number <= len(found.row.layers):
            raise NoSuchPart(
                f"image {reference[:80]} has no layer {number}",
                why=f"its layers are numbered from 1 to {len(found.row.layers)}, bottom up",
                try_next=f"minidock image layers {reference[:80]}",
                lesson="layers",
            )
        weighed = Weighed((), 0, 0)
        for _, grown, _ in _piled(house, found, number):
            weighed = grown
    entries = weighed.entries[start : start + most]
    return {
        "image": found.row.id, "layer": number, "items": weighed.items,
        "total": len(weighed.entries), "start": start,
        "entries": [entry_document(each) for each in entries],
    }  # fmt: skip


# ── Weighing ─────────────────────────────────────────────────────────────────────────────


def _told(
    house: House, found: images.Found, base: Base, most: int
) -> tuple[list[Document], list[Hidden], int]:
    """Tell each layer; also what is hidden, and the bytes that are shown."""
    told, pile = list[Document](), Pile()
    said = instructions(house, found)
    for number, (row, weighed, grown) in enumerate(_piled(house, found)):
        pile = grown
        is_here = row is not None and house.store.layers.directory(row.chain_id).is_dir()
        told.append({
            "number": number + 1, "diff_id": found.image.diff_ids[number],
            "chain_id": found.row.layers[number], "instruction": said[number],
            "is_base": number < base.layers, "is_missing": not is_here,
            "size_bytes": row.size_bytes if row else 0, "hidden_bytes": 0,
            "shared_by": _sharers(house, found.row.layers[number], found.row),
            **_counted(weighed, most),
        })  # fmt: skip
    for hidden in pile.hidden:
        told[hidden.layer]["hidden_bytes"] += hidden.size_bytes
    return told, pile.hidden, pile.shown_bytes


def _piled(
    house: House, found: images.Found, count: int | None = None
) -> Iterator[tuple[LayerRow | None, Weighed, Pile]]:
    """Lay the trees on each other, bottom up; one that the disk lost holds nothing."""
    spelling = policy_here(is_single_user=house.machine.is_single_user).spelling
    trees = dict(enumerate(reversed(found.trees)))
    pile = Pile(Comparing(trees, _MOST_READ, spelling))
    for number, chain in enumerate(found.row.layers[:count]):
        items = list[Item]()
        if trees[number].is_dir():
            for item in contents(trees[number], spelling):
                items.append(item)
                if len(items) + pile.shown_names > MOST_NAMES:
                    raise _too_many()
        yield house.store.layers.get(chain), pile.add(items), pile


def _too_many() -> NoSuchPart:
    return NoSuchPart(
        f"the image has more than {MOST_NAMES} names",
        why="what the layers show together is held in memory while it is worked out",
        try_next="minidock save IMAGE | tar -t, for each of its layers",
        lesson="layers",
    )


# ── Documents ────────────────────────────────────────────────────────────────────────────


def _counted(weighed: Weighed, most: int) -> Document:
    """Count what became of the names of a layer, and name `most` of them."""
    counts = dict.fromkeys(("added", "changed", "deleted", "same"), 0)
    again = dict.fromkeys(("metadata", "identical"), 0)  # files, their content as below
    for entry in weighed.entries:
        counts[entry.change] += 1
        if entry.detail in again and entry.item and entry.item.kind != "directory":
            again[entry.detail] += 1
    biggest = heapq.nsmallest(most, weighed.entries, key=_rank)
    return {
        "items": weighed.items, **counts,
        "metadata_only": again["metadata"], "identical": again["identical"],
        "entries": [entry_document(each) for each in biggest],
        "more": len(weighed.entries) - len(biggest),
    }  # fmt: skip


def _rank(entry: Entry) -> tuple[int, int, bytes]:
    """Order by what people look for: the most bytes, then what is not just on the way."""
    size = entry.item.size_bytes if entry.item and entry.change != "deleted" else 0
    return -max(size, entry.hides_bytes), entry.change == "same", entry.path


def entry_document(entry: Entry) -> Document:
    """Tell what became of one name."""
    told: Document = {"change": entry.change, "path": _path(entry.path)}
    if entry.detail:
        told["detail"] = entry.detail
    if entry.item is not None:
        told |= _item(entry.item)
    if entry.before is not None and entry.change == "changed":
        told["before"] = _item(entry.before)
    if entry.hides_names:
        told |= {"hides_names": entry.hides_names, "hides_bytes": entry.hides_bytes}
    return told


def _item(item: Item) -> Document:
    told: Document = {
        "kind": item.kind, "mode": f"{item.mode:04o}", "uid": item.uid, "gid": item.gid,
        "size_bytes": item.size_bytes,
    }  # fmt: skip
    if item.link:
        told["link"] = _path(item.link) if item.kind == "hard link" else text_of(item.link)
    return told


def _waste(hidden: Sequence[Hidden]) -> Document:
    biggest = heapq.nsmallest(
        _MOST_HIDDEN, hidden, key=lambda each: (-each.size_bytes, each.path, each.layer)
    )
    return {
        "reclaimable_bytes": sum(each.size_bytes for each in hidden),
        "reclaimable_files": len(hidden),
        "reclaimable": [
            {"path": _path(each.path), "size_bytes": each.size_bytes,
             "layer": each.layer + 1, "hidden_by": each.by + 1, "reason": each.reason}
            for each in biggest
        ],
    }  # fmt: skip


def _path(path: bytes) -> str:
    return "/" + text_of(path)


def text_of(name: bytes) -> str:
    """Give a name as text; bytes that are none are spelt out."""
    return name.decode("utf-8", "backslashreplace")


# ── Whose it is ──────────────────────────────────────────────────────────────────────────


def base_of(house: House, row: ImageRow) -> Base:
    """Find the image that the lowest layers come from."""
    for image, known_by in (
        (_built_from(house, row), "build"),
        (_parent(house, row), "parent"),
    ):
        if image is not None and row.layers[: len(image.layers)] == image.layers:
            return Base(len(image.layers), image.id, known_by)
    beneath = [
        each for each in house.store.images.all()
        if each.id != row.id and 0 < len(each.layers) < len(row.layers)
        and row.layers[: len(each.layers)] == each.layers
        and house.store.images.names(each.id)
    ]  # fmt: skip
    if row.is_local_build or not beneath:
        return Base()
    longest = max(beneath, key=lambda each: (len(each.layers), each.id))
    return Base(len(longest.layers), longest.id, "layers")


def _built_from(house: House, row: ImageRow) -> ImageRow | None:
    """Give the FROM image of the build that last led to this one, if it is still here.

    A stage that begins with an earlier stage of the same file goes on from there.
    """
    found: ImageRow | None = row
    for _ in range(_MOST_STAGES):
        steps = house.store.cache.build_of(found.id) if found else ()
        if not steps or found is None or found.id == steps[0].parent:
            break
        found = _row(house, steps[0].parent) if steps[0].parent else None
        if found is None or house.store.images.names(found.id):
            break
    return None if found is row else found


def _parent(house: House, row: ImageRow) -> ImageRow | None:
    """Give the nearest named image that this one was made from."""
    for _ in range(_MOST_PARENTS):
        above = _row(house, row.parent) if row.parent else None
        if above is None:
            return None
        row = above
        if house.store.images.names(row.id):
            return row
    return None


def _row(house: House, image: Digest) -> ImageRow | None:
    try:
        return house.store.images.get(image)
    except NoSuchImage:
        return None


def _sharers(house: House, chain: Digest, row: ImageRow) -> list[str]:
    """Name other images that stand on a layer."""
    own = house.store.images.names(row.id)
    found = house.store.images.names_on(chain, _MOST_SHARERS + len(own))
    return [images.familiar(name) for name in found if name not in own][:_MOST_SHARERS]


# ── Which instruction ────────────────────────────────────────────────────────────────────


def instructions(house: House, found: images.Found) -> list[str]:
    """Give the instruction of each layer, bottom up; "" where the history is too short."""
    said = [text for text, is_empty in _history(house, found) if not is_empty]
    missing = len(found.row.layers) - len(said)
    return ["" for _ in range(missing)] + said[: len(found.row.layers)]


def _without_layer(house: House, found: images.Found) -> list[str]:
    """Give the instructions that made no layer, oldest first."""
    return [text for text, is_empty in _history(house, found) if is_empty]


def _history(house: House, found: images.Found) -> list[tuple[str, bool]]:
    """Give each instruction, oldest first, and whether it made no layer."""
    told = [
        (readable(entry.created_by) or entry.comment, entry.is_empty_layer)
        for entry in found.image.history
    ]
    if not found.row.is_local_build:
        return [(redaction.instruction(text), is_empty) for text, is_empty in told]
    known = rows(found.image, [0] * len(told), images.ancestors(house, found.row))
    for place, row in enumerate(reversed(known)):
        step = house.store.cache.of_image(row.id) if row.id.startswith("sha256:") else None
        if step is not None:
            told[place] = (str(step.inputs["text"]), told[place][1])
    return [(redaction.instruction(text), is_empty) for text, is_empty in told]


def readable(created_by: str) -> str:
    """Turn the words of a history into the instruction that they stand for.

    >>> readable("/bin/sh -c #(nop)  ENV A=1"), readable("|1 V=7 /bin/sh -c make it")
    ('ENV A=1', 'RUN make it')
    >>> readable("COPY app /srv # buildkit"), readable("RUN /bin/sh -c make # buildkit")
    ('COPY app /srv', 'RUN make')
    """
    words = created_by.removesuffix(" # buildkit").strip()
    shell, mark, metadata = words.partition(_NOTHING_DONE)
    if mark and len(shell) < 80:
        return metadata.strip()
    if words.startswith("|"):  # how many build arguments it saw, and their values
        count, _, rest = words[1:].partition(" ")
        words = " ".join(rest.split(" ")[int(count) :] if count.isdigit() else [rest])
    run = words.removeprefix("RUN ")
    if "/bin/sh -c " in run[:40]:
        return "RUN " + run.partition("/bin/sh -c ")[2].strip()
    return words
