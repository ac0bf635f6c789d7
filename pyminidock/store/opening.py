"""One root directory, opened: everything the store has, after a look at what was left.

    state.db            moved aside if it cannot be read, and made anew from the blobs
    tmp-*  trash/*      unfinished, or on the way out: removed
    leases              operations that were cut off: told, ended
    volumes/*           without a row: an empty one is removed, one with data gets its row
    rows                whose blob or tree is not there: moved aside, with what they said
    index.json          drawn anew

Doing it twice does nothing the second time.  What was done is handed back as values, for
the engine to tell.

Source: hardening.md D.5, D.6.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyminidock.image.digest import Digest
from pyminidock.store import layout
from pyminidock.store.blobs import Blobs
from pyminidock.store.cache import BuildCache
from pyminidock.store.caches import Caches
from pyminidock.store.database import NAME, Database, DatabaseUnreadable
from pyminidock.store.examine import Parts, Repair, examine
from pyminidock.store.failpoints import reach
from pyminidock.store.files import DISK, PREFIX, Files, StoreFull
from pyminidock.store.images import Images
from pyminidock.store.layers import LayerRows
from pyminidock.store.leases import Leases
from pyminidock.store.networks import NetworkRows
from pyminidock.store.quarantine import set_aside
from pyminidock.store.rebuild import rebuild, rebuild_networks
from pyminidock.store.records import discard_tree
from pyminidock.store.volumes import Volumes

RESERVE_BYTES = 1 << 30
ROOTLESS_RESERVE_BYTES = 256 << 20
RESERVE_SHARE = 0.02  # of bytes, and of files


@dataclass(slots=True)
class Store:
    """What has to survive, of one root directory, which its caller has locked."""

    root: Path
    db: Database
    blobs: Blobs
    images: Images
    layers: LayerRows
    cache: BuildCache
    volumes: Volumes
    networks: NetworkRows
    leases: Leases
    files: Files
    wall: Callable[[], float]
    remove_tree: Callable[[Path], None]
    caches: Caches
    repairs: tuple[Repair, ...] = field(default=())
    _descriptors: dict[Digest, dict[str, Any]] = field(default_factory=dict)

    def project(self) -> bool:
        """Draw `oci/index.json` from the rows; False if nothing was to be changed."""
        with self.db.guard:
            text = layout.draw(
                self.images.all(), self.images.tags(), self.blobs, self._descriptors
            )
            return layout.project(self.root, text, files=self.files)

    def examine(self) -> list[Repair]:
        """Compare all rows with all files; set aside what lost a part."""
        return examine(
            Parts(self.db, self.blobs, self.images, self.layers, self.files, self.wall())
        )

    def empty_trash(self) -> int:
        """Remove what waits in the trash; give how many things that were."""
        waiting = sorted((self.root / "trash").glob(f"{PREFIX}*"))
        for path in waiting:
            self.remove_tree(path)
            reach("sweep.layer.removed")
        return len(waiting)

    def check_reserve(
        self, wanted_bytes: int = 0, *, reserve_bytes: int | None = None
    ) -> None:
        """Refuse early what would leave less than the reserve free.  Raises StoreFull.

        Called before a build, a load and a commit, with the bytes they will surely need.
        """
        check_reserve(self.root, wanted_bytes, reserve_bytes=reserve_bytes)

    def close(self) -> None:
        """Let go of everything; the store is not used again."""
        self.db.close()


def open_store(  # noqa: PLR0913  (all but the root are for tests, or the engine)
    root: Path,
    *,
    wall: Callable[[], float] = lambda: 0.0,
    remove_tree: Callable[[Path], None] = discard_tree,
    files: Files = DISK,
    mounts: str | None = None,
    guard: AbstractContextManager[Any] | None = None,
) -> Store:
    """Open the store of `root`, made if missing, and repair what a crash left of it.

    `wall` gives seconds since 1970; `remove_tree` removes any tree, however deep.  What
    was repaired is `repairs` of the answer.  Raises DatabaseTooNew, NetworkFilesystem,
    StoreFull.
    """
    _make_places(root, files)
    repairs: list[Repair] = []

    def furnish(db: Database) -> Store:
        leases = Leases(db)
        blobs = Blobs(root, leases, wall=wall, files=files)
        return Store(
            root, db, blobs, Images(db, blobs, leases),
            LayerRows(root, db, blobs, leases, files), BuildCache(db),
            Volumes(root, db, remove_tree, files), NetworkRows(root, db, files), leases,
            files, wall, remove_tree, Caches(root, remove_tree),
        )  # fmt: skip

    def fill(db: Database) -> None:
        new = furnish(db)
        repairs.extend(rebuild(root, new.blobs, new.images, new.layers))
        repairs.extend(new.volumes.rebuild())
        repairs.extend(rebuild_networks(new.networks))

    try:
        db = Database(root, mounts=mounts, fill=fill, guard=guard)
    except DatabaseUnreadable as damage:
        repairs += _set_database_aside(root, damage, wall(), files)
        db = Database(root, mounts=mounts, fill=fill, guard=guard)
    reach("opening.database")
    if db.was_reindexed:
        why = "its indices were not what the rows say"
        repairs.append(Repair("rebuilt", "database", NAME, why))
    store = furnish(db)
    try:
        repairs += _look_after(store)
    except BaseException:
        store.close()
        raise
    store.repairs = tuple(repairs)
    return store


def _make_places(root: Path, files: Files) -> None:
    """Make the directories of a root; those that were missing survive a power cut."""
    places = (root, root / "layers", root / "trash", root / "oci", root / "oci" / "blobs",
              root / "oci" / "blobs" / "sha256", root / "volumes")  # fmt: skip
    missing = [path for path in places if not path.exists()]
    for path in places:
        files.make_directory(path)
        path.chmod(0o700)  # whatever the umask, or somebody, made of it
    for above in dict.fromkeys(path.parent for path in missing):
        files.sync_directory(above)


def _set_database_aside(
    root: Path, damage: DatabaseUnreadable, wall: float, files: Files
) -> list[Repair]:
    # The database last: a new one beside the old -wal would take that for its own.
    parts = [root / f"{NAME}{end}" for end in ("-wal", "-shm", "")]
    place = set_aside(root, NAME, f"{damage.what}: {damage.why}", wall, *parts, files=files)
    return [
        Repair("set aside", "database", NAME, damage.why, str(place)),
        Repair("lost", "cache", "builds", "no other file holds it"),
    ]


def _look_after(store: Store) -> list[Repair]:
    """Repair what a crash, or a bad disk, left."""
    found = [
        Repair("ended", "operation", each, "its engine was killed")
        for each in store.leases.end_all()
    ]
    found += _remove_rubbish(store)
    reach("opening.rubbish")
    found += store.examine()
    found += store.volumes.look_after()
    had_index = (store.root / "oci" / "index.json").exists()
    if store.project() and had_index:
        found.append(
            Repair("rebuilt", "index", "index.json", "it was not what the rows say")
        )
    store.networks.project()
    store.images.when_changed(store.project)
    reach("opening.checked")
    store.db.keep_ballast()
    return found


def _remove_rubbish(store: Store) -> list[Repair]:
    """Remove what is named as unfinished."""
    found: list[Repair] = []
    places = (store.root, store.root / "oci", store.blobs.directory, store.root / "layers")
    for place in places:
        for path in sorted(place.glob(f"{PREFIX}*")):
            store.remove_tree(path)
            found.append(Repair("removed", "file", path.name, "it was never finished"))
    for path in sorted((store.root / "trash").glob(f"{PREFIX}*")):
        found.append(Repair("removed", "file", path.name, "it was on its way out"))
    store.empty_trash()
    return found


def check_reserve(
    root: Path,
    wanted_bytes: int = 0,
    *,
    is_rootless: bool = False,
    reserve_bytes: int | None = None,
) -> None:
    """Refuse early what would leave less than the reserve free.  Raises StoreFull.

    The reserve is the larger of 1 GiB (rootless 256 MiB) and 2 % of the filesystem, and 2 %
    of its files; `reserve_bytes` overrules the bytes.  Source: hardening.md C.6.
    """
    facts = os.statvfs(root)
    free = facts.f_bavail * facts.f_frsize
    floor = ROOTLESS_RESERVE_BYTES if is_rootless else RESERVE_BYTES
    reserve = max(floor, int(facts.f_blocks * facts.f_frsize * RESERVE_SHARE))
    if reserve_bytes is not None:
        reserve = reserve_bytes
    few_files = facts.f_files > 0 and facts.f_favail < facts.f_files * RESERVE_SHARE
    if free - wanted_bytes >= reserve and not few_files:
        return
    raise StoreFull(
        f"{root}: no space left on device",
        why=f"{free:,} bytes and {facts.f_favail:,} files are free, {wanted_bytes:,} bytes"
        f" are wanted, and {reserve:,} bytes and 2 % of the files are kept free, so that"
        " containers and removals still work",
        try_next="docker system prune, or give the engine a --root on a larger disk",
        lesson="state-on-disk",
    )
