"""Taking images away: a name, an image, its parents, and what nobody needs any more.

    rmi NAME, others remain     the name goes
    rmi NAME, the last one      the image goes too, unless a container was made from it
    rmi ID                      all names and the image, if they are of one repository
    its parents                 go with it, from child to parent, until one has a name,
                                another child or a container
    layers                      go when no image and no container stands on them

Conflicts are hard (a running container, a child) or soft; force overrules the soft ones.

Source: moby, daemon/images/image_delete.go and image_prune.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyminidock.engine.filters import Filters, MomentRefused
from pyminidock.engine.house import House
from pyminidock.engine.images import familiar, names_of, read, row_of, telling
from pyminidock.engine.operations import NOBODY, Via
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import (
    CachePruned,
    ImageRemoved,
    ImagesPruned,
    ImageUntagged,
    LayersRemoved,
)
from pyminidock.grammar.names import short_id
from pyminidock.grammar.refs import parse
from pyminidock.image.digest import Digest
from pyminidock.image.history import seconds_of
from pyminidock.store import gc
from pyminidock.store.failpoints import reach
from pyminidock.store.images import ImageRow, NoSuchImage

Record = dict[str, str]
_HARD, _SOFT = "cannot be forced", "must be forced"
PRUNE_FILTERS = ("dangling", "label", "label!", "until")


class ImageInUse(MinidockError):
    """Something stands on the image; what does not yield to force is hard."""

    status = 409


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a prune took away, in Docker's records, and the bytes of the layers."""

    records: tuple[Record, ...]
    size_bytes: int


def remove(
    house: House, reference: str, *, force: bool = False, prune: bool = True,
    via: Via = NOBODY,
) -> list[Record]:  # fmt: skip
    """Remove what is meant; `prune` takes nameless parents along.  Gives Docker's records.

    Raises NoSuchImage, ReferenceMalformed, ImageInUse.
    """
    with telling(house, "rmi", f"rmi {reference}", via) as voice:
        deed = _Removal(house, voice)
        deed.remove(reference, force=force, prune=prune)
        return deed.sweep()


def prune(
    house: House, filters: Mapping[str, Any] | None = None, *, via: Via = NOBODY,
    told: type[ImagesPruned | CachePruned] = ImagesPruned,
) -> Pruned:  # fmt: skip
    """Remove images without a name, or with dangling=false all that no container uses.

    `told`: the event of what was asked for.  Raises FilterRefused.
    """
    wanted = Filters(filters or {}, PRUNE_FILTERS)
    if len(wanted.values("until")) > 1:
        raise wanted.refused("more than one until filter specified", MomentRefused)
    is_dangling_only = wanted.flag("dangling") is not False
    with telling(house, "prune", "image prune", via) as voice:
        deed = _Removal(house, voice)
        for row in house.store.images.all():
            if _is_wanted(house, row, wanted, is_dangling_only):
                deed.prune(row)
        records = deed.sweep()
        voice(told(deed.size_bytes))
        return Pruned(tuple(records), deed.size_bytes)


def _is_wanted(
    house: House, row: ImageRow, wanted: Filters, is_dangling_only: bool
) -> bool:
    names = house.store.images.names(row.id)
    if house.store.images.children(row.id) and (is_dangling_only or not names):
        return False
    if is_dangling_only and names:
        return False
    image = read(house, row).image
    created = seconds_of(image.created)
    return wanted.allows(image.config.labels, created, house.kernel.wall())


class _Removal:
    """One removal: what it has taken away so far."""

    def __init__(self, house: House, voice: Voice) -> None:
        self._house, self._voice = house, voice
        self._images = house.store.images
        self._records: list[Record] = []
        self._gone: list[ImageRow] = []
        self._sizes: dict[Digest, int] = {}
        self.size_bytes = 0

    def remove(self, reference: str, *, force: bool, prune: bool) -> None:
        """Do what `docker rmi` does.  Raises NoSuchImage, ImageInUse."""
        row = row_of(self._house, reference)
        names = self._images.names(row.id)
        if not _is_beginning(row.id, reference):
            if not force and len(names) <= 1:
                self._refuse_if_referenced(row, reference)
            self._untag(row, parse(reference).with_default_tag().canonical)
            if len(names) <= 1:
                self._delete(row, force=force, prune=prune, is_quiet=True)
            return
        if len(names) <= 1:
            self._refuse_conflicts(row, force=force, has_names=False)
            for name in names:
                self._untag(row, name)
        self._delete(row, force=force, prune=prune, is_quiet=False)

    def prune(self, row: ImageRow) -> None:
        """Remove one image if nothing stands on it; leave it without a word if so."""
        for name in self._images.names(row.id):
            try:
                self.remove(familiar(name), force=False, prune=True)
            except (ImageInUse, NoSuchImage):
                return
        try:
            self.remove(row.id, force=False, prune=True)
        except (ImageInUse, NoSuchImage):  # went with its last name, or is in use
            return

    def sweep(self) -> list[Record]:
        """Remove what nobody needs now; give the records, layers behind their images."""
        if not self._gone:
            return self._records
        house = self._house
        swept = gc.sweep(house.store, house.layers_in_use)
        self._voice(LayersRemoved(swept.layers, len(swept.blobs), swept.size_bytes))
        left = set(swept.layers)
        records: list[Record] = []
        rows = {row.id: row for row in self._gone}
        for place, record in enumerate(self._records):
            records.append(record)
            row = rows.get(record.get("Deleted", ""))
            later = self._records[place + 1 :]
            above = [rows[each["Deleted"]] for each in later if each.get("Deleted") in rows]
            if row is not None:
                shared = {chain for each in above for chain in each.layers}
                own = [
                    chain for chain in reversed(row.layers)
                    if chain in left and chain not in shared
                ]  # fmt: skip
                records += [{"Deleted": chain} for chain in own]
                self.size_bytes += sum(self._sizes.get(chain, 0) for chain in own)
                left -= set(own)
        return records

    # ── One image ────────────────────────────────────────────────────────────────────────

    def _untag(self, row: ImageRow, name: str) -> None:
        self._images.untag(name)
        reach("remove.untagged")
        shown = familiar(name)
        self._voice(ImageUntagged(row.id, shown))
        self._records.append({"Untagged": shown})

    def _delete(self, row: ImageRow, *, force: bool, prune: bool, is_quiet: bool) -> None:
        """Remove an image, and then its parents for as long as nobody needs them.

        Without a word where `is_quiet`: what was asked for, a name, is gone already.
        """
        while True:
            try:
                self._refuse_conflicts(row, force=force, has_names=True)
            except ImageInUse:
                if is_quiet:
                    return
                raise
            for name in self._images.names(row.id):
                self._untag(row, name)
            layers = map(self._house.store.layers.get, row.layers)
            self._sizes |= {each.chain_id: each.size_bytes for each in layers if each}
            self._images.remove(row.id)
            reach("remove.image")
            self._voice(ImageRemoved(row.id))
            self._records.append({"Deleted": row.id})
            self._gone.append(row)
            if not prune or not row.parent:
                return
            try:
                row, force, is_quiet = self._images.get(row.parent), False, True
            except NoSuchImage:
                return

    # ── Conflicts ────────────────────────────────────────────────────────────────────────

    def _refuse_if_referenced(self, row: ImageRow, reference: str) -> None:
        user = self._user(row, is_running=None)
        if user:
            raise ImageInUse(
                f'conflict: unable to remove repository reference "{reference}"'
                f" (must force) - container {short_id(user)} is using its referenced image"
                f" {_short(row.id)}",
                why="with its last name the image would go, and a container was made of it",
                try_next=f"minidock rm --force {short_id(user)}",
                lesson="images",
            )

    def _refuse_conflicts(self, row: ImageRow, *, force: bool, has_names: bool) -> None:
        if self._images.children(row.id):
            children = ", ".join(map(_short, self._images.children(row.id)[:4]))
            raise _conflict(
                row, _HARD, "image has dependent child images",
                f"a build made other images from it: {children}",
            )  # fmt: skip
        if user := self._user(row, is_running=True):
            problem = f"image is being used by running container {short_id(user)}"
            raise _conflict(row, _HARD, problem, "it runs", user)
        if force:
            return
        if has_names and (names := names_of(self._house, row.id)):
            raise _conflict(
                row, _SOFT, "image is referenced in multiple repositories",
                f"its names are {', '.join(names[:8])}",
            )  # fmt: skip
        if user := self._user(row, is_running=False):
            problem = f"image is being used by stopped container {short_id(user)}"
            raise _conflict(row, _SOFT, problem, "it could start again", user)

    def _user(self, row: ImageRow, *, is_running: bool | None) -> str:
        """Give a container made from an image: that runs, that does not, or either."""
        for life in self._house.lives():
            if self._house.kept(life.id).image == row.id and is_running in (
                None, life.is_running,
            ):  # fmt: skip
                return life.id
        return ""


def _conflict(
    row: ImageRow, how: str, problem: str, why: str, user: str = ""
) -> ImageInUse:
    force = f"minidock rmi --force {_short(row.id)}"
    return ImageInUse(
        f"conflict: unable to delete {_short(row.id)} ({how}) - {problem}",
        why=why,
        try_next=f"minidock rm --force {short_id(user)}" if user else
        force if how == _SOFT else "minidock images --all",
        lesson="images",
    )  # fmt: skip


def _short(image: Digest) -> str:
    return short_id(image.removeprefix("sha256:"))


def _is_beginning(image: Digest, reference: str) -> bool:
    """Whether an image was named by its id, or the beginning of it."""
    return image.startswith(reference) or image.removeprefix("sha256:").startswith(
        reference
    )
