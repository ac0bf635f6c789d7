"""`--cache-from IMAGE`: steps of an image that came from elsewhere, taken as they are.

An image that was loaded has no steps here, only its history: the words of every step, in
order, and one layer for each that made one.  Where the history of a source begins like
that of the image a step stands on, and goes on with the words of the step, its result is
in the source, and is cut out of it:

    history of the source    a b c d      layers  1 2 3
    this step stands on      a b                  1
    and says                     c                2    ─►  an image of a b c, layers 1 2

Whoever names sources wants those and nothing else, so a step of this machine is then taken
only if it led to one of them.  After the first cut no other source is looked at.

Trust is the reason: words can be forged, and a step that is found by its words alone would
let any image that once was loaded slip its layers into a build (CVE-2024-24557).

Source: moby, image/cache/cache.go; measured on Docker Engine 26.1.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pyminidock.build.stage import Outcome, Standing
from pyminidock.errors import MinidockError
from pyminidock.image.digest import Digest
from pyminidock.image.document import Image
from pyminidock.store.images import ImageRow, Images, NoSuchImage

_LONGEST = 1024  # images from one to its oldest parent

Find = Callable[[str], tuple[ImageRow, Image]]


@dataclass(frozen=True, slots=True)
class Source:
    """One image whose steps may be taken; `name` is how it was asked for."""

    name: str
    row: ImageRow
    document: Image


@dataclass(frozen=True, slots=True)
class Cut:
    """What a step comes to by a source: the row is None if no image is this yet."""

    source: Source
    row: ImageRow | None
    document: Image
    layers: tuple[Digest, ...]


@dataclass(slots=True)
class Sources:
    """The sources of one build; those that are not here are passed over."""

    images: Images
    found: list[Source] = field(default_factory=list)

    @classmethod
    def of(cls, names: tuple[str, ...], images: Images, find: Find) -> "Sources":
        """Find the images that were named, as far as they are here."""
        sources = cls(images)
        for name in names:
            try:
                sources.found.append(Source(name, *find(name)))
            except MinidockError:  # Docker writes a line into its own log, and goes on
                continue
        return sources

    def lead_from(self, image: Digest) -> bool:
        """Whether a source was built on this image, or is it."""
        return any(self._stands_on(source.row.id, image) for source in self.found)

    def _stands_on(self, image: Digest, wanted: Digest) -> bool:
        for _ in range(_LONGEST):
            if image in ("", wanted):
                break
            try:
                image = self.images.get(image).parent
            except NoSuchImage:
                return False
        return image == wanted

    def cut(self, standing: Standing, outcome: Outcome) -> Cut | None:
        """Find what a step comes to in a source; what is found is the only source then."""
        for source in self.found:
            if not _goes_on(source.document, standing, outcome.created_by):
                continue
            self.found = [source]
            return _cut(source, standing, outcome)
        return None


def _goes_on(source: Image, standing: Standing, words: str) -> bool:
    """Whether a source begins like what a step stands on, and goes on with its words."""
    history, diff_ids = standing.document.history, standing.document.diff_ids
    return (
        len(source.history) > len(history)
        and source.history[: len(history)] == history
        and source.diff_ids[: len(diff_ids)] == diff_ids
        and source.history[len(history)].created_by == words
    )


def _cut(source: Source, standing: Standing, outcome: Outcome) -> Cut:
    number = len(standing.document.history)
    entry = source.document.history[number]
    count = len(standing.layers) + (not entry.is_empty_layer)
    layers = source.row.layers[:count]
    if number + 1 == len(source.document.history):
        return Cut(source, source.row, source.document, layers)
    document = replace(
        source.document,
        config=outcome.config, created=entry.created, comment="",
        history=source.document.history[: number + 1],
        diff_ids=source.document.diff_ids[:count],
        container="", container_config=None,
    )  # fmt: skip
    return Cut(source, None, document, layers)
