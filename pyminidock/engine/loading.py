"""How an image comes in with an archive: `docker load`, and `docker import`.

    archived ──► config ──► layer by layer ──► image ──► names

Every layer is hashed while it is unpacked, and an image is noted only when all of it is in
place.  What fails leaves nothing behind: layers that no image came to stand on are swept.

Source: moby, image/tarexport/load.go and daemon/images/image_import.go.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pyminidock.engine.archived import LIMITS, Coming, Members, Part, images_in
from pyminidock.engine.house import House
from pyminidock.engine.images import give_name, tell_named, telling
from pyminidock.engine.operations import NOBODY, Via
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import ImageImported, ImageLoaded, LayerReused
from pyminidock.grammar.refs import Reference
from pyminidock.image.chain import extend
from pyminidock.image.config import ImageConfig
from pyminidock.image.digest import Digest
from pyminidock.image.document import HistoryEntry, Image, read_image, write_image
from pyminidock.image.manifest import Platform
from pyminidock.image.platform import normal
from pyminidock.layers.apply import policy_here
from pyminidock.layers.archive import Limits, Stream
from pyminidock.layers.publish import LayerMismatch, unpack
from pyminidock.store import gc
from pyminidock.store.admission import admit
from pyminidock.store.failpoints import reach
from pyminidock.store.files import telling_full
from pyminidock.store.layers import LayerRow


class LoadRefused(MinidockError):
    """An image contradicts itself, or is made for another system."""

    status = 400


@dataclass(frozen=True, slots=True)
class Loaded:
    """One image that came in; `renamed` are names, and the images that lost them to it."""

    id: Digest
    names: tuple[Reference, ...] = ()
    renamed: tuple[tuple[Reference, Digest], ...] = ()


def load(
    house: House, stream: Stream, heard: Callable[[Loaded], object], *,
    limits: Limits = LIMITS, via: Via = NOBODY,
) -> None:  # fmt: skip
    """Take in every image of an archive; `heard` is called when one is whole and durable.

    Raises ArchiveRefused, ArchiveMalformed, ManifestMalformed, ImageMalformed,
    ArchiveHoldsNoImage, LoadRefused, StoreFull; images that were heard of before stay.
    """
    with telling(house, "load", "load", via) as voice, _taking_in(house, "load"):
        house.store.check_reserve()
        with tempfile.TemporaryFile(dir=house.root) as spool:
            members = Members(spool, stream, limits=limits, emit=voice)
            reach("load.spooled")
            machine = _machine(house)
            intake = _Intake(house, members, voice)
            for coming in images_in(members, machine):
                heard(intake.take(coming))


def import_tree(  # noqa: PLR0913  (what Docker's query says of the image)
    house: House, stream: Stream, *, name: Reference | None = None, message: str = "",
    change: Callable[[ImageConfig], ImageConfig] = lambda config: config,
    via: Via = NOBODY,
) -> Digest:  # fmt: skip
    """Make an image of one archive of files; `change` gives it its defaults.

    Raises ArchiveRefused, StoreFull, and what `change` raises.
    """
    config = change(ImageConfig())
    title = f"import {name.familiar}" if name else "import"
    with telling(house, "import", title, via) as voice, _taking_in(house, title):
        house.store.check_reserve()
        row = unpack(
            house.store, stream, policy=policy_here(), sync=house.kernel.sync, emit=voice
        )
        reach("import.unpacked")
        moment = _moment(house.kernel.wall())
        machine = _machine(house)
        image = Image(
            config, machine.architecture, "linux", machine.variant, moment,
            comment=message, history=(HistoryEntry(moment, comment=message),),
            diff_ids=(row.diff_id,),
        )  # fmt: skip
        made = admit(house.store, write_image(image), (row,), is_local_build=True)
        if name:
            give_name(house, made.id, name, emit=voice)
        voice(ImageImported(made.id))
        return made.id


@contextmanager
def _taking_in(house: House, what: str) -> Iterator[None]:
    """Hold a lease; if the work fails, sweep away what it had brought."""
    try:
        with house.store.leases.lease(what), telling_full(house.root):
            yield
    except BaseException:
        gc.sweep(house.store, house.layers_in_use)
        raise
    house.store.empty_trash()  # a tree without a row, which a crash left, gave place


@dataclass(frozen=True, slots=True)
class _Intake:
    """One archive on its way in."""

    house: House
    members: Members
    voice: Voice

    def take(self, coming: Coming) -> Loaded:
        """Unpack what is not here yet, note the image, give it its names."""
        image = read_image(coming.document)
        _check(image, coming)
        rows: list[LayerRow] = []
        for place, part in enumerate(coming.parts):
            below = rows[-1].chain_id if rows else ""
            try:
                rows.append(self._layer(part, below, image.diff_ids[place]))
            except LayerMismatch as cause:
                raise _refused(
                    f'invalid diffID for layer {place}: expected "{image.diff_ids[place]}",'
                    f' got "{cause.found}"',
                    "the config names its layers by what they unpack to; this is another",
                ) from cause
            reach("load.layer")
        house, names = self.house, coming.names
        manifest = _manifest(coming, rows)
        with house.store.db.guard:  # who removes the last name would take the image along
            row = admit(house.store, coming.document, rows, manifest=manifest)
            reach("load.admitted")
            had = [house.store.images.tag(each.canonical, row.id) for each in names]
        self.voice(ImageLoaded(row.id, tuple(each.familiar for each in names), len(rows)))
        moved = [(each, tell_named(row.id, each, before, self.voice))
                 for each, before in zip(names, had, strict=True)]  # fmt: skip
        return Loaded(row.id, names, tuple(pair for pair in moved if pair[1]))

    def _layer(self, part: Part, below: Digest, expected: Digest) -> LayerRow:
        """Unpack one layer, unless it is here."""
        known = self.house.store.layers.get(extend(below, expected))
        if known is not None and known.blob:
            self.voice(LayerReused(known.chain_id))
            return known
        promised = part.descriptor
        return unpack(
            self.house.store, self.members.open(part.member), below,
            size_bytes=promised.size_bytes if promised else 0,
            expected_blob=promised.digest if promised else None, expected_diff=expected,
            policy=policy_here(), sync=self.house.kernel.sync, emit=self.voice,
        )  # fmt: skip


def _manifest(coming: Coming, rows: Sequence[LayerRow]) -> bytes:
    """Keep the manifest that came, unless a layer was here already in another packing."""
    kept = {row.blob for row in rows}
    named = (part.descriptor.digest for part in coming.parts if part.descriptor)
    return coming.manifest if kept.issuperset(named) else b""


def _check(image: Image, coming: Coming) -> None:
    if image.os not in ("", "linux"):
        raise _refused(
            f"cannot load {image.os[:80]} image on linux",
            "containers share the kernel of the machine, and this one is Linux",
        )
    if len(coming.parts) != len(image.diff_ids):
        raise _refused(
            f"invalid manifest, layers length mismatch: expected {len(coming.parts)},"
            f" got {len(image.diff_ids)}",
            "the manifest and the config of the image name different layers",
        )


def _refused(what: str, why: str) -> LoadRefused:
    return LoadRefused(
        what, why=why, try_next="save the image again, where it came from", lesson="images"
    )


def _machine(house: House) -> Platform:
    return normal(Platform("linux", house.machine.arch))


def _moment(wall: float) -> str:
    return f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
