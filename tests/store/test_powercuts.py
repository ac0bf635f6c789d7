"""The power goes at any moment: what was promised is there, nothing is half there."""

import io
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pyminidock.layers.apply import policy_here
from pyminidock.layers.publish import commit_tree, unpack
from pyminidock.store.admission import admit
from pyminidock.store.gc import sweep
from pyminidock.store.opening import Store, open_store
from tests.engine.archives import config, layer
from tests.store.invariants import check_invariants, check_swept
from tests.store.powercuts import ForgetfulFiles, Moment, Tree
from tests.store.stores import name

BELOW, ABOVE = layer("below", b"b" * 5000), layer("above", b"a" * 3000)


def begin(store: Store, files: ForgetfulFiles) -> None:
    """Note an image without layers, the first of all: nothing was synced before."""
    with store.leases.lease("build"):
        made = admit(store, config(), ())
        store.images.tag(name("empty"), made.id)


def load(store: Store, files: ForgetfulFiles) -> None:
    """Load an image of two layers."""
    with store.leases.lease("load"):
        lower = unpack(store, io.BytesIO(BELOW), policy=policy_here(), sync=files.sync_all)
        upper = unpack(
            store, io.BytesIO(ABOVE), lower.chain_id, policy=policy_here(),
            sync=files.sync_all,
        )  # fmt: skip
        made = admit(store, config(BELOW, ABOVE), (lower, upper))
        store.images.tag(name("web"), made.id)


def build(store: Store, files: ForgetfulFiles) -> None:
    """Make one more layer of a directory, upon what is there."""
    web = store.images.tagged(name("web"))
    assert web is not None
    with store.leases.lease("build"):
        place = store.layers.workshop()
        (place / "upper").mkdir()
        (place / "upper" / "new").write_bytes(b"new" * 1000)
        rows = [store.layers.get(chain) for chain in web.layers]
        row = commit_tree(
            store, place / "upper", web.layers[-1], policy=policy_here(),
            sync=files.sync_all,
        )  # fmt: skip
        document = config(BELOW, ABOVE, store.blobs.read(row.blob))
        made = admit(store, document, [*filter(None, rows), row], parent=web.id)
        store.images.tag(name("app"), made.id)
        store.remove_tree(place)


def move(store: Store, files: ForgetfulFiles) -> None:
    """Let a name mean something else."""
    web = store.images.tagged(name("web"))
    assert web is not None
    store.images.tag(name("alias"), web.id)
    store.images.untag(name("web"))


def remove(store: Store, files: ForgetfulFiles) -> None:
    """Remove all and sweep."""
    for image in store.images.all():
        store.images.remove(image.id)
    sweep(store)


DEEDS = (begin, load, build, move, remove)


@pytest.mark.soak
@pytest.mark.parametrize("last", DEEDS)
def test_whatever_the_disk_kept_what_was_promised_is_there(
    last: Callable[[Store, ForgetfulFiles], None],
    tmp_path: Path,
    at_length: Callable[[int], int],
) -> None:
    files = ForgetfulFiles(tmp_path / "root")
    store = open_store(tmp_path / "root", mounts="", files=files)
    began = 0
    for deed in DEEDS[: DEEDS.index(last) + 1]:
        began = len(files.moments) if deed is not begin else 0
        deed(store, files)
    store.close()
    found = list(_different(files.moments[began:]))
    step = max(1, len(found) // at_length(2000))
    print(f"{last.__name__}: {len(found)} disks, each {step}th looked at")  # noqa: T201
    for moment, tree in found[::step]:
        root = tmp_path / "after"
        moment.put(tree, root)
        promised = _rows(root)
        again = open_store(root, mounts="")
        lost = [each for each in again.repairs if each.deed in ("set aside", "lost")]
        again.close()
        assert lost == []
        assert _rows(root) == promised
        check_invariants(root)
        second = open_store(root, mounts="")
        assert second.repairs == ()
        sweep(second)
        second.close()
        check_swept(root)
        shutil.rmtree(root)


def _different(moments: list[Moment]) -> Iterator[tuple[Moment, Tree]]:
    """Yield each moment with each tree, those that look the same once."""
    seen = set[int]()
    for moment in moments:
        for tree in moment.trees():
            entries = frozenset(tree.entries.items())
            key = hash((entries, frozenset(tree.contents.items()), moment.database))
            if key not in seen:
                seen.add(key)
                yield moment, tree


def _rows(root: Path) -> dict[str, str]:
    """Give the names that the database promises; none if it is not made yet."""
    if not (root / "state.db").exists():
        return {}
    with closing(sqlite3.connect(root / "state.db")) as rows:
        if not rows.execute("PRAGMA user_version").fetchone()[0]:
            return {}
        return dict(rows.execute("SELECT name, image FROM tags"))
