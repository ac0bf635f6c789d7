"""What one path costs: who has its bytes, who else has bytes under it, what a write copies.

    layer    holds        bytes
    upper    file         20 MB   shown: 20 MB were copied up for one bit
    app      –
    base     file         20 MB   hidden, and in the image for ever

Copy-on-write is cheap until the first write: then the whole object is copied, and every
directory on the way to it.  What `diff` prints and `commit` packs is what the upper layer
holds, changed or only touched.

Source: Documentation/filesystems/overlayfs.rst; moby, pkg/archive/changes.go.
"""

from dataclasses import dataclass

from pyminidock.events import Event, LayerProbed
from pyminidock.unionfs import aufs, copyup, search
from pyminidock.unionfs.branches import Seen, Spot, Stack
from pyminidock.unionfs.effects import CopyUp, Extent
from pyminidock.unionfs.lookup import Kind


@dataclass(frozen=True, slots=True)
class Holding:
    """What one layer has at the path; `role` says what becomes of it.

    Roles: shown, merged (a directory), attributes (their content is below), content,
    hides (a whiteout), hidden, absent.
    """

    layer: str
    kind: str
    size_bytes: int
    role: str


@dataclass(frozen=True, slots=True)
class Account:
    """All about one path.  `copies` is what a first write does, or did, file by file.

    `letter` is what `diff` says: A, C, D, or nothing; `committed` what a commit would pack:
    content, directory, whiteout, or nothing.
    """

    path: str
    kind: str  # absent, directory, or file: whatever does not merge
    holdings: tuple[Holding, ...]
    probes: tuple[LayerProbed, ...]
    copies: tuple[CopyUp, ...]
    is_copied: bool
    letter: str
    committed: str

    @property
    def copy_bytes(self) -> int:
        """Count the bytes that a first write copies, or copied."""
        return sum(copy.size_bytes for copy in self.copies)


def account(stack: Stack, path: str, rules: str = "overlay") -> Account:
    """Account for a canonical path; `rules`, overlay or aufs, are those of the probes.

    Costs two walks, and one look in every branch.  Raises OSError: ENOENT or ENOTDIR on the
    way.
    """
    heard: list[Event] = []
    (aufs.walk if rules == "aufs" else search.walk)(stack, path, emit=heard.append)
    spot = search.walk(stack, path)
    below = Stack(stack.branches[1:], has_upper=False)
    before = _before(below, path)
    copies = _copies(stack, spot, before)
    return Account(
        path,
        _kind(spot),
        tuple(_holding(stack, spot, number) for number in range(len(stack.branches))),
        tuple(event for event in heard if isinstance(event, LayerProbed)),
        copies,
        spot.upper is not None and before.exists,
        _letter(spot, before),
        _committed(spot, before),
    )


def _before(below: Stack, path: str) -> Spot:
    """Give what the image shows there: the container has its own layer on top."""
    try:
        return search.walk(below, path)
    except OSError:
        return Spot(path)


def _kind(spot: Spot) -> str:
    if not spot.exists:
        return "absent"
    return "directory" if spot.is_directory else "file"


def _holding(stack: Stack, spot: Spot, number: int) -> Holding:
    branch = stack.branches[number]
    part = next((part for part in spot.parts if part.branch == number), None)
    seen: Seen | None = part.seen if part else branch.look(spot.path)
    if seen is None:
        return Holding(branch.name, "absent", 0, "absent")
    size = seen.size_bytes if seen.kind is Kind.FILE else 0
    if part is None:
        role = "hides" if spot.hidden_by == number else "hidden"
    elif spot.is_directory:
        role = "merged" if len(spot.parts) > 1 else "shown"
    elif seen.is_metacopy:
        role = "attributes"
    else:
        role = "shown" if len(spot.parts) == 1 else "content"
    return Holding(branch.name, seen.kind.value, size, role)


def _copies(stack: Stack, spot: Spot, before: Spot) -> tuple[CopyUp, ...]:
    """Say what a write copies, or what it copied: by the size that is still below."""
    if not spot.exists:
        return ()
    if spot.upper is None:
        effects = copyup.copy_up(stack, spot.path, Extent.CONTENT)
        return tuple(each for each in effects if isinstance(each, CopyUp))
    if before.exists and not before.is_directory and not spot.is_directory:
        source = before.content
        extent = Extent.METADATA if spot.top.is_metacopy else Extent.CONTENT
        size = source.seen.size_bytes if extent is Extent.CONTENT else 0
        return (CopyUp(spot.path, source.branch + 1, source.path, extent, size),)
    return ()


def _letter(spot: Spot, before: Spot) -> str:
    if spot.upper is not None:
        return "C" if before.exists else "A"
    return "D" if before.exists and not spot.exists else ""


def _committed(spot: Spot, before: Spot) -> str:
    if spot.upper is not None:
        return "directory" if spot.is_directory else "content"
    return "whiteout" if spot.is_covered and before.exists else ""
