"""Who has this path, and what does changing it cost: one container's file, layer by layer.

The layers are read as they lie on disk, by the rules of `unionfs`; nothing is mounted and
no file is opened.  So the answer is *explained*: the kernel was not asked.
"""

import os
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.layers.apply import policy_here
from pyminidock.layers.branches import OnDisk
from pyminidock.layers.merged import Merged
from pyminidock.unionfs.accounts import account
from pyminidock.unionfs.branches import Stack

RULES = ("overlay", "aufs")


class PathNotAccounted(MinidockError):
    """The path leads through a file or in a circle, or the rules are none we know."""

    status = 400


def told(house: House, reference: str, path: str, rules: str = "overlay") -> dict[str, Any]:
    """Tell which layer answers for a path, which are hidden, and what a write copies.

    Links on the way are followed inside, a last one is told itself.  `shared_by` names the
    other containers that read the same bytes.  Raises NoSuchContainer, PathNotAccounted.
    """
    if rules not in RULES:
        raise _refused(
            f"no rules are called {rules!r}", "a union is searched by one of two"
        )
    life = house.life(reference)
    kept = house.kept(life.id)
    spelling = policy_here(is_single_user=house.machine.is_single_user).spelling
    trees = [Path(kept.snapshot.upper), *map(Path, kept.snapshot.lower)]
    names = ["upper", *_named(kept.snapshot.lower)]
    branches = (
        OnDisk(name, tree, spelling) for name, tree in zip(names, trees, strict=True)
    )
    with ExitStack() as cleanup:
        merged = cleanup.enter_context(Merged(trees, spelling))
        try:
            place = os.fsdecode(merged.resolve(path, follow_last=False))
            found = account(Stack(tuple(branches)), place, rules)
        except OSError as refusal:
            why = f"the walk ended: {os.strerror(refusal.errno or 0)}"
            raise _refused(f"nothing can lie at {path!r}", why) from refusal
        except ValueError as refusal:  # a NUL, half a character
            why = "no file can have such a name"
            raise _refused(f"nothing can lie at {path!r}", why) from refusal
    return {
        "container": life.id, "name": life.name, "image": kept.request.image,
        "backend": house.machine.backend, "evidence": "explained", "rules": rules,
        "path": found.path, "kind": found.kind,
        "holdings": [
            {**asdict(each), "tree": str(tree)}
            for each, tree in zip(found.holdings, trees, strict=True)
        ],
        "probes": [asdict(each) for each in found.probes],
        "copies": [
            {"path": each.path, "extent": each.extent.value, "size_bytes": each.size_bytes}
            for each in found.copies
        ],
        "copy_bytes": found.copy_bytes, "is_copied": found.is_copied,
        "letter": found.letter, "committed": found.committed,
        "shared_by": _sharers(house, life.id, found.kind, [
            str(tree) for each, tree in zip(found.holdings, trees, strict=True)
            if each.role in ("shown", "merged", "content") and each.layer != "upper"
        ]),
    }  # fmt: skip


def _named(lower: tuple[str, ...]) -> list[str]:
    """Name layers by their place: what is on top of what is the point."""
    return [f"layer {len(lower) - number}" for number in range(len(lower))]


def _sharers(house: House, container: str, kind: str, trees: list[str]) -> list[str]:
    """Name the other containers that stand on a tree which answers here."""
    if kind == "absent" or not trees:
        return []
    return [
        life.name
        for life in house.lives()
        if life.id != container and set(trees) & set(house.kept(life.id).snapshot.lower)
    ]


def _refused(what: str, why: str) -> PathNotAccounted:
    return PathNotAccounted(
        what, why=why, try_next="minidock explain path CONTAINER /etc/passwd",
        lesson="union-filesystem",
    )  # fmt: skip
