"""The story of an image, newest first, as `docker history` tells it.

The document has one entry per instruction, oldest first, and marks those that made no
layer; the sizes come from the layers, one after the other.  Entries that this machine made
have images of their own, which the chain of parents names; the rest are <missing>.

Source: moby, daemon/images/image_history.go.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyminidock.image.document import Image, ImageMalformed
from pyminidock.image.jsontext import malformed

MISSING = "<missing>"


@dataclass(frozen=True, slots=True)
class Ancestor:
    """An image of this machine: the one in question, or a parent."""

    id: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the story."""

    id: str
    created: int  # seconds since 1970; 0: not said
    created_by: str
    size_bytes: int
    comment: str
    tags: tuple[str, ...] = ()


def rows(
    image: Image, sizes: Sequence[int], ancestors: Sequence[Ancestor]
) -> tuple[Row, ...]:
    """Tell the story.  `sizes` are bytes, bottom up; `ancestors` newest first, itself too.

    Raises ImageMalformed if the story makes more layers than there are.
    """
    told, left = [], iter(sizes)
    for entry in image.history:
        size = 0 if entry.is_empty_layer else next(left, None)
        if size is None:
            reason = "too many non-empty layers in History section"  # Docker's words
            raise malformed(ImageMalformed, "the image's configuration", reason)
        created = seconds_of(entry.created)
        told.append(Row(MISSING, created, entry.created_by, size, entry.comment))
    told.reverse()
    for place, (row, known) in enumerate(zip(told, ancestors, strict=False)):
        told[place] = replace(row, id=known.id, tags=known.tags)
    return tuple(told)


def seconds_of(moment: str) -> int:
    """Give the whole seconds since 1970 of an RFC 3339 time; 0 for what is none.

    >>> seconds_of("1970-01-01T00:01:00.999999999Z"), seconds_of("")
    (60, 0)
    """
    whole, _, fraction = moment.partition(".")
    zone = fraction.lstrip("0123456789")
    try:
        found = datetime.datetime.fromisoformat(f"{whole}{zone}".replace("Z", "+00:00"))
        if found.tzinfo is None:
            found = found.replace(tzinfo=datetime.UTC)
        return int(found.timestamp())
    except (ValueError, OverflowError):
        return 0
