"""What is at hand while a build goes on, and the two deeds that everything comes down to.

A bench has the store, the context, somebody who can run containers, and somebody to tell.
Each step that works on files gets an empty directory (`workplace`); what is in it in the
end becomes a layer (`layer_of`).  Each step, whatever it did, ends as an image (`commit`).

An image is written before its row, and the row of the image and the row of the cache come
in one transaction: after a crash a step is done, or not.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pyminidock.build.cachefrom import Sources
from pyminidock.build.cachekey import Inputs
from pyminidock.build.causes import StageDiary
from pyminidock.build.context import Context
from pyminidock.build.foresight import Foresight
from pyminidock.build.options import Options
from pyminidock.build.output import Tell
from pyminidock.build.running import Runner
from pyminidock.build.stage import Outcome, Standing, trees
from pyminidock.dockerfile.arguments import Arguments
from pyminidock.errors import MinidockError
from pyminidock.events import Emit, LayerFound
from pyminidock.image.digest import Digest, sha256_of
from pyminidock.image.document import (
    MAX_DOCUMENT_BYTES,
    HistoryEntry,
    Image,
    read_image,
    write_image,
)
from pyminidock.image.manifest import (
    OCI_CONFIG,
    OCI_LAYER,
    Descriptor,
    Manifest,
    Platform,
    write_manifest,
)
from pyminidock.layers.merged import Merged
from pyminidock.layers.publish import Sync, commit_tree, sync_everything
from pyminidock.layers.snapshots import remove_tree
from pyminidock.store.cache import CacheRow
from pyminidock.store.failpoints import reach
from pyminidock.store.images import ImageRow
from pyminidock.store.layers import LayerRow
from pyminidock.store.opening import Store

MOST_LAYERS = 125  # of an image; source: moby, layer/layer_store.go: maxLayerDepth
_MAGIC = ((b"\x1f\x8b", "+gzip"), (b"\x28\xb5\x2f\xfd", "+zstd"))

Find = Callable[[str], tuple[ImageRow, Image]]
"""Finds an image by its name or id.  Raises NoSuchImage."""


class TooManyLayers(MinidockError):
    """An image cannot have one more layer."""

    status = 400


@dataclass(slots=True)
class Bench:
    """What a build works with; `stages` are those that came to their end, by number."""

    store: Store
    context: Context
    options: Options
    runner: Runner
    emit: Emit
    tell: Tell
    wall: Callable[[], float]  # seconds since 1970
    clock: Callable[[], float]  # monotonic seconds
    find: Find
    platform: Platform
    downloads: Path  # host: for what ADD fetches; empty or absent
    sync: Sync = sync_everything
    nest: Callable[[str], AbstractContextManager[None]] = lambda _phase: nullcontext()
    foresight: Foresight = field(default_factory=Foresight)
    _described: dict[Digest, Descriptor] = field(default_factory=dict)
    _trees: dict[tuple[Digest, ...], Merged] = field(default_factory=dict)
    stages: dict[int, Standing] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)  # of the stage: --from → stage
    step: int = 0  # the number of the present one
    began: float = field(init=False)  # seconds since 1970
    diary: StageDiary = field(init=False)  # of the present stage
    sources_of_cache: Sources | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.began = self.wall()
        self.open_diary("", ())
        if (names := self.options.cache_from) is not None:
            self.sources_of_cache = Sources.of(names, self.store.images, self.find)

    def trees(self, standing: Standing) -> tuple[Path, ...]:
        """Give the trees of an image, topmost first."""
        return trees(self.store.layers.directory, standing.layers)

    def tree_of(self, standing: Standing) -> Merged:
        """Give the merged tree of an image; it stays open until `close`."""
        if standing.layers not in self._trees:
            self._trees[standing.layers] = Merged(self.trees(standing))
        return self._trees[standing.layers]

    def open_diary(self, stage: str, texts: Sequence[str]) -> None:
        """Begin the diary of a stage, whose instructions after FROM are `texts`."""
        names = self.options.tags or ("",)
        self.diary = StageDiary(self.store.cache, names, stage, texts, self.began)

    def close(self) -> None:
        """Give all handles back."""
        self.context.close()
        for tree in self._trees.values():
            tree.close()

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """Give an empty directory, on the filesystem of the layers, for the time being."""
        making = self.store.layers.workshop()
        try:
            yield making
        finally:
            remove_tree(making)
            reach("build.workplace.removed")

    def layer_of(self, standing: Standing, tree: Path) -> LayerRow | None:
        """Make a layer of what `tree` (host, ours) holds, and tell; None if nothing."""
        with os.scandir(tree) as entries:
            if next(entries, None) is None:
                return None
        if len(standing.layers) >= MOST_LAYERS:
            raise TooManyLayers(
                "max depth exceeded",
                why=f"an image has at most {MOST_LAYERS} layers: Docker takes no more",
                try_next="join some steps: RUN a && b, or COPY several names at once",
                lesson="layers",
            )
        reach("build.diff")
        parent = standing.layers[-1] if standing.layers else ""
        row = commit_tree(self.store, tree, parent, sync=self.sync, emit=self.emit)
        reach("build.layer")
        return row

    def tell_layers(self, layers: tuple[Digest, ...]) -> None:
        """Tell of layers that are here already, bottom first, and who stands on them."""
        for chain in layers:
            if (row := self.store.layers.get(chain)) is not None:
                facts = (row.chain_id, row.diff_id, row.size_bytes, row.files)
                self.emit(LayerFound(*facts, self.store.images.names_on(chain)))

    def standing_of(self, reference: str) -> Standing:
        """Stand on an image that is here, by its name or id.  Raises NoSuchImage."""
        row, document = self.find(reference)
        return Standing(row.id, document, row.layers, row.size_bytes, Arguments())

    def recall(self, image: Digest) -> Image:
        """Read the document of an image to go on from there, or past it."""
        return read_image(self.store.blobs.recall(image, MAX_DOCUMENT_BYTES))

    def check(self, image: Digest) -> None:
        """Look whether an image that something will stand on is on the disk.

        Raises BlobMissing.  "" is the empty image.
        """
        if image:
            self.store.blobs.read(image, MAX_DOCUMENT_BYTES)

    def _manifest(self, image: Digest, layers: tuple[Digest, ...]) -> bytes:
        """Write what an image consists of; whoever rebuilds the rows reads it."""
        for chain in layers:
            if chain not in self._described:
                self._described[chain] = self._describe(chain)
        config = Descriptor(OCI_CONFIG, image, self.store.blobs.size(image))
        return write_manifest(
            Manifest(config, tuple(self._described[chain] for chain in layers))
        )

    def _describe(self, chain: Digest) -> Descriptor:
        blob = row.blob if (row := self.store.layers.get(chain)) else ""
        with self.store.blobs.open(blob) as file:
            first = file.read(4)
        packed = next((name for magic, name in _MAGIC if first.startswith(magic)), "")
        return Descriptor(OCI_LAYER + packed, blob, self.store.blobs.size(blob))

    def cut_out(
        self, standing: Standing, document: Image, layers: tuple[Digest, ...]
    ) -> ImageRow:
        """Make the image of a step out of a source of --cache-from.

        It is not noted as built here: only who names a source again gets it.
        """
        data = write_image(document)
        image = sha256_of(data)
        self.store.blobs.put(data)
        manifest = self.store.blobs.put(self._manifest(image, layers))
        known = (self.store.layers.get(chain) for chain in layers)
        size_bytes = sum(layer.size_bytes for layer in known if layer)
        self.store.images.add(ImageRow(
            image, image, manifest, standing.image, self.wall(), size_bytes, False, "",
            layers,
        ))  # fmt: skip
        return self.store.images.get(image)

    def commit(
        self, standing: Standing, outcome: Outcome, layer: LayerRow | None,
        inputs: Inputs, began: float,
    ) -> Standing:  # fmt: skip
        """Make the image after a step, and note for the cache how it came about.

        `began` is when the step did, by the monotonic clock.
        """
        now = self.wall()
        after = _after(standing, outcome, layer, timestamp(now))
        data = write_image(after.document)
        image = sha256_of(data)
        self.store.blobs.put(data)
        manifest = self.store.blobs.put(self._manifest(image, after.layers))
        reach("build.config")
        row = CacheRow(
            standing.image, inputs.key(), inputs.to_json(), image, now,
            round((self.clock() - began) * 1000), layer.size_bytes if layer else 0,
            inputs.file_rows(),
        )  # fmt: skip
        with self.store.db.write():
            self.store.images.add(ImageRow(
                image, image, manifest, standing.image, now, after.size_bytes, True, "",
                after.layers,
            ))  # fmt: skip
            self.store.cache.add(row)
        reach("build.step")
        return replace(after, image=image)


def _after(
    standing: Standing, outcome: Outcome, layer: LayerRow | None, created: str
) -> Standing:
    """Say what is true after a step that was done."""
    later = outcome.after(standing)
    entry = HistoryEntry(
        created, outcome.created_by, later.author, "", is_empty_layer=layer is None
    )
    document = replace(
        standing.document,
        config=replace(outcome.config, image=standing.image),
        created=created, author=later.author,
        history=(*standing.document.history, entry),
        diff_ids=(*standing.document.diff_ids, *([layer.diff_id] if layer else ())),
    )  # fmt: skip
    return replace(
        later, document=document,
        layers=(*standing.layers, *([layer.chain_id] if layer else ())),
        size_bytes=standing.size_bytes + (layer.size_bytes if layer else 0),
    )  # fmt: skip


def timestamp(wall: float) -> str:
    """Write a time as Docker does: RFC 3339, as many digits as needed.

    >>> timestamp(0.0), timestamp(1.5)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.5Z')
    """
    text = datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.rstrip("0").rstrip(".") + "Z"
