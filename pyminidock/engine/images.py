"""The stories of images: which one is meant, how it is called, what it is.

    busybox            a name; `latest` where no tag is said
    92678607f69e       the beginning of one id and of no other
    sha256:9267…       an id

A name wins over the beginning of an id.  What comes of each is Docker's: `list_`, `inspect`
and `history` give its documents, and refusals its sentences.

Source: moby, daemon/images/{image,images,image_tag,image_inspect,image_history}.go.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyminidock.engine.filters import Filters
from pyminidock.engine.house import House
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import Emit, ImageFound, ImageTagged, ignore
from pyminidock.grammar.refs import Reference, parse
from pyminidock.image.config import ImageConfig
from pyminidock.image.digest import Digest
from pyminidock.image.document import MAX_DOCUMENT_BYTES, Image, config_fields, read_image
from pyminidock.image.history import Ancestor, rows, seconds_of
from pyminidock.layers import bootstrap as recipes
from pyminidock.layers.bootstrap import RECIPES, Base, bootstrap
from pyminidock.store.images import ImageRow, NoSuchImage

Document = dict[str, Any]

KNOWN_FILTERS = ("dangling", "label", "label!", "before", "since", "reference", "until")
_HEX = frozenset("0123456789abcdef")
_PARENTS = 1024  # as many as one history tells of


class TagRefused(MinidockError):
    """The name cannot be given to an image."""

    status = 400


@dataclass(frozen=True, slots=True)
class Found:
    """One image: its row, its document, and its trees, topmost first (host paths)."""

    row: ImageRow
    image: Image
    trees: tuple[Path, ...]


# ── Which one ────────────────────────────────────────────────────────────────────────────


def find(house: House, reference: str, *, emit: Emit = ignore) -> Found:
    """Find the image that a name, an id or the beginning of an id means.

    Raises NoSuchImage, ReferenceMalformed, BlobMissing where the disk lost a part of it.
    """
    found = read(house, row_of(house, reference))
    tell(reference, found, emit=emit)
    return found


def tell(
    reference: str, found: Found, *, emit: Emit, instructions: tuple[str, ...] = ()
) -> None:
    """Tell that a name or id led to an image, and what made its layers, topmost first."""
    trees = tuple(map(str, found.trees))
    emit(ImageFound(reference, found.row.id, trees, found.row.stand_in, instructions))


def row_of(house: House, reference: str) -> ImageRow:
    """Find the row of an image.  Raises NoSuchImage, ReferenceMalformed."""
    images = house.store.images
    if _is_whole_id(digits := reference.removeprefix("sha256:")):
        found = images.beginning(digits)
        if not found:
            raise no_such_image(house, f"sha256:{digits}")
        return found[0]
    named = parse(reference).with_default_tag()
    by_name = None if named.digest else images.tagged(named.canonical)
    if by_name:
        return by_name
    meant = images.beginning(digits) if _HEX.issuperset(digits) else ()
    if len(meant) != 1:
        raise no_such_image(house, named.familiar)
    return meant[0]


def read(house: House, row: ImageRow) -> Found:
    """Read what belongs to a row.  Raises BlobMissing, ImageMalformed."""
    document = house.store.blobs.read(row.config_blob, MAX_DOCUMENT_BYTES)
    trees = tuple(house.store.layers.directory(chain) for chain in reversed(row.layers))
    return Found(row, _image_of(document), trees)


def recall(house: House, row: ImageRow) -> Image:
    """Give the document of a row, to tell of it; else as `read`."""
    return _image_of(house.store.blobs.recall(row.config_blob, MAX_DOCUMENT_BYTES))


_image_of = lru_cache(maxsize=64)(read_image)


def no_such_image(house: House, name: str) -> NoSuchImage:
    """Make the refusal for a name that leads nowhere, with what is here."""
    here = [familiar(each) for each in house.store.images.names()]
    shown = ", ".join(here[:8]) + (", …" if len(here) > 8 else "")
    repository = name.removesuffix(":latest")
    makes = f"minidock bootstrap {repository if repository in RECIPES else 'busybox'}"
    return NoSuchImage(
        f"No such image: {name[:200]}",
        why=f"the images here are {shown}" if here else "there is no image here yet",
        try_next="minidock images" if here and repository not in RECIPES else makes,
        lesson="images",
    )


def familiar(canonical: str) -> str:
    """Give a stored name as people know it."""
    return parse(canonical).familiar


def names_of(house: House, image: Digest) -> list[str]:
    """Give the names of an image as people know them, in order."""
    return sorted(familiar(name) for name in house.store.images.names(image))


def _is_whole_id(digits: str) -> bool:
    return len(digits) == 64 and _HEX.issuperset(digits)


# ── Names ────────────────────────────────────────────────────────────────────────────────


@contextmanager
def telling(house: House, verb: str, title: str, via: Via = NOBODY) -> Iterator[Voice]:
    """Give the voice of one deed on images, which is a story of its own."""
    story = f"{verb}-{house.kernel.new_id()[:12]}"
    house.recorder.story(story, title)
    try:
        with operation(house, story, verb, via) as voice:
            yield voice
    finally:
        house.recorder.end(story)


def tag(house: House, reference: str, name: str, *, via: Via = NOBODY) -> None:
    """Give an image one more name, and take it from the image that had it.

    Raises NoSuchImage, ReferenceMalformed, TagRefused.
    """
    with telling(house, "tag", f"tag {reference} {name}", via) as voice:
        wanted = new_name(name)
        give_name(house, row_of(house, reference).id, wanted, emit=voice)


def new_name(name: str) -> Reference:
    """Read a name that is to be given.  Raises ReferenceMalformed, TagRefused."""
    wanted = parse(name).with_default_tag()
    if wanted.digest:
        raise _tag_refused("refusing to create a tag with a digest reference", wanted)
    if wanted.familiar_name == "sha256":
        raise _tag_refused(
            "refusing to create an ambiguous tag using digest algorithm as name", wanted
        )
    return wanted


def give_name(
    house: House, image: Digest, name: Reference, *, emit: Emit = ignore
) -> Digest:
    """Let a name mean an image; give the id of another one that had it, or ""."""
    return tell_named(image, name, house.store.images.tag(name.canonical, image), emit)


def tell_named(image: Digest, name: Reference, before: Digest, emit: Emit) -> Digest:
    """Tell that a name means an image now; give the id of another that had it, or ""."""
    moved = before if before != image else ""
    emit(ImageTagged(image, name.familiar, moved))
    return moved


def _tag_refused(what: str, name: Reference) -> TagRefused:
    return TagRefused(
        what,
        why="a tag is a name that people choose; a digest is the name that content has",
        try_next=f"minidock tag IMAGE {name.path.rpartition('/')[2]}-copy:latest",
        lesson="references",
    )


def make(house: House, name: str, *, via: Via = NOBODY) -> Base:
    """Make an image from what the machine has, and give it its names.

    Raises NoRecipe, ProgramFailed, StoreFull.
    """
    with telling(house, "bootstrap", f"bootstrap {name}", via) as voice:
        recipes.find(name)  # first: whoever is refused has left no lease in the database
        with house.store.leases.lease(f"bootstrap {name}"):
            return bootstrap(house.store, name, sync=house.kernel.sync, emit=voice)


# ── What there is ────────────────────────────────────────────────────────────────────────


def list_(
    house: House, *, everything: bool = False, filters: Mapping[str, Any] | None = None
) -> list[Document]:
    """List the images that have a name or no children, or all; the newest first.

    Raises FilterRefused, NoSuchImage where `before` or `since` names none.
    """
    wanted = Filters(filters or {}, KNOWN_FILTERS)
    dangling = wanted.flag("dangling")
    before, since = (_moment(house, wanted.one(name)) for name in ("before", "since"))
    told = []
    for row in house.store.images.all():
        found = read(house, row)
        created = seconds_of(found.image.created)
        if (before is not None and created >= before) or (
            since is not None and created <= since
        ):
            continue
        if not wanted.allows(found.image.config.labels, created, house.kernel.wall()):
            continue
        names = [name for name in names_of(house, row.id) if wanted.names(name)]
        is_shown = names and dangling is not True
        if not names and not wanted.has("reference") and dangling is not False:
            is_shown = everything or not house.store.images.children(row.id)
        if is_shown:
            told.append((created, _line(found, names)))
    return [line for _, line in sorted(told, key=lambda each: -each[0])]


def _moment(house: House, reference: str) -> int | None:
    if not reference:
        return None
    return seconds_of(read(house, row_of(house, reference)).image.created)


def _line(found: Found, names: list[str]) -> Document:
    return {
        "Containers": -1,
        "Created": seconds_of(found.image.created),
        "Id": found.row.id,
        "Labels": dict(found.image.config.labels) or None,
        "ParentId": found.row.parent,
        "RepoDigests": [],
        "RepoTags": names,
        "SharedSize": -1,
        "Size": found.row.size_bytes,
    }


def inspect(house: House, reference: str) -> Document:
    """Tell everything about one image.  Raises NoSuchImage, ReferenceMalformed."""
    found = find(house, reference)
    row, image = found.row, found.image
    trees = list(map(str, found.trees))
    return {
        "Id": row.id,
        "RepoTags": names_of(house, row.id),
        "RepoDigests": [],
        "Parent": row.parent,
        "Comment": image.comment or (image.history[-1].comment if image.history else ""),
        "Created": image.created,
        "DockerVersion": image.docker_version,
        "Author": image.author,
        "Config": config_fields(image.config),
        "Architecture": image.architecture,
        **({"Variant": image.variant} if image.variant else {}),
        "Os": image.os,
        "Size": row.size_bytes,
        "GraphDriver": {
            "Data": {
                **({"LowerDir": ":".join(trees[1:])} if trees[1:] else {}),
                **({"UpperDir": trees[0]} if trees else {}),
            },
            "Name": "overlay2",
        },
        "RootFS": {
            "Type": "layers",
            **({"Layers": list(image.diff_ids)} if image.diff_ids else {}),
        },
        "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
        **({"StandIn": row.stand_in} if row.stand_in else {}),
    }


def origin(house: House, reference: str) -> Document:
    """Tell of which container an image was made; the API did so before version 1.45.

    Raises NoSuchImage, ReferenceMalformed.
    """
    image = find(house, reference).image
    said = dict(image.container_config or {})
    config = said | {
        name: value
        for name, value in config_fields(ImageConfig()).items()
        if name not in said
    }
    named = {"Container": image.container} if image.container else {}
    return {**named, "ContainerConfig": config}


def history(house: House, reference: str) -> list[Document]:
    """Tell how an image came about, newest first.  Raises NoSuchImage."""
    found = find(house, reference)
    layers = [house.store.layers.get(chain_id) for chain_id in found.row.layers]
    sizes = [layer.size_bytes if layer else 0 for layer in layers]
    return [
        {
            "Comment": row.comment,
            "Created": row.created,
            "CreatedBy": row.created_by,
            "Id": row.id,
            "Size": row.size_bytes,
            "Tags": list(row.tags) or None,
        }
        for row in rows(found.image, sizes, ancestors(house, found.row))
    ]


def ancestors(house: House, row: ImageRow) -> list[Ancestor]:
    """Give an image and those that a build made before it, as far as they are here."""
    found = [Ancestor(row.id, tuple(names_of(house, row.id)))]
    while row.parent and len(found) < _PARENTS:
        try:
            row = house.store.images.get(row.parent)
        except NoSuchImage:
            break
        found.append(Ancestor(row.id, tuple(names_of(house, row.id))))
    return found
