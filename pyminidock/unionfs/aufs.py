"""The same stack under AUFS's rules: branches searched from the top.

AUFS, which Docker used before overlayfs was in the kernel, keeps its marks as *names*
beside the files, so it has to look for them.  For each branch and each name it asks three
times where overlayfs asks once and reads an attribute:

    AUFS                               overlayfs
    is there  .wh.motd ?               is there  motd ?     a whiteout is motd itself: a
    is there  motd ?                                        device 0:0
    of a directory: is there           of a directory: an attribute of what was found
       .wh..wh..opq in it ?

One rule differs: a file *below* a directory ends overlayfs's merge, AUFS passes over it.
What both share is the dcache above them: a name that was looked up is not looked up again,
under either rules, until memory is short.  So "faster" is about first looks and depth.

Source: aufs4 manual, "Whiteout" and "Branch"; its fs/aufs/dentry.c, au_lkup_dentry().
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pyminidock.events import Emit, Event, LayerProbed, PathResolved, ignore
from pyminidock.unionfs import search
from pyminidock.unionfs.branches import Part, Seen, Spot, Stack, above, inside
from pyminidock.unionfs.lookup import Kind
from pyminidock.unionfs.whiteout import OPAQUE, PREFIX

_WHITEOUT, _OPAQUE = PREFIX.decode(), OPAQUE.decode()


def find(stack: Stack, parent: Spot, name: str, *, emit: Emit = ignore) -> Spot:
    """Look one name up in the branches that make up its directory.

    Costs two probes for each branch asked, and one more for each directory found.
    """
    path = inside(parent.path, name)
    parts: list[Part] = []
    hidden_by: int | None = None
    for directory in parent.parts:
        branch = stack.branches[directory.branch]
        place = inside(directory.path, name)
        seen = branch.look(place)
        is_deleted = seen is not None and seen.kind is Kind.WHITEOUT
        mark = inside(directory.path, _WHITEOUT + name)
        emit(LayerProbed(mark, branch.name, "whiteout" if is_deleted else "absent"))
        if is_deleted:
            hidden_by = None if parts else directory.branch
            break
        emit(LayerProbed(place, branch.name, seen.kind.value if seen else "absent"))
        if seen is None or (parts and not seen.is_directory):
            continue
        parts.append(Part(directory.branch, place, seen))
        if not seen.is_directory:
            break
        is_opaque = seen.kind is Kind.OPAQUE
        mark = inside(place, _OPAQUE)
        emit(LayerProbed(mark, branch.name, "opaque directory" if is_opaque else "absent"))
        if is_opaque:
            break
    emit(PathResolved(path, tuple(stack.branches[part.branch].name for part in parts)))
    return Spot(path, None, tuple(parts), hidden_by is not None, hidden_by)


def walk(stack: Stack, path: str, *, emit: Emit = ignore) -> Spot:
    """Give what the stack shows at `path`; below what is absent, or a file, nothing."""
    if path == "/":
        return stack.root()
    parent = walk(stack, above(path), emit=emit)
    if not parent.is_directory:
        return Spot(path, hidden_by=parent.hidden_by)
    return find(stack, parent, path.rpartition("/")[2], emit=emit)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one walk costs while nobody remembers anything: names asked, attributes read."""

    rules: str
    depth: int
    path: str
    probes: int
    attributes: int
    answered_by: tuple[str, ...]


def cost(stack: Stack, path: str, rules: str) -> Cost:
    """Count one walk under the rules of `aufs` or `overlay`.

    Overlayfs reads an attribute of each directory that it finds (is it opaque?), but not
    in the lowest layer: below it there is nothing to hide.
    """
    heard: list[Event] = []
    try:
        spot = (walk if rules == "aufs" else search.walk)(stack, path, emit=heard.append)
        answered = tuple(stack.branches[part.branch].name for part in spot.parts)
    except OSError:
        answered = ()
    probed = [event for event in heard if isinstance(event, LayerProbed)]
    lowest = stack.branches[-1].name
    read = [each for each in probed if "directory" in each.answer and each.layer != lowest]
    attributes = 0 if rules == "aufs" else len(read)
    return Cost(rules, len(stack.branches), path, len(probed), attributes, answered)


DEPTHS = (2, 4, 8, 16, 32, 64, 128)


def side_by_side(depths: tuple[int, ...] = DEPTHS) -> tuple[Cost, ...]:
    """Count the same three walks under both rules, in stacks of each depth.

    Every layer has /etc; only the top one has /etc/top, only the bottom /etc/bottom, and
    nobody has /etc/none.

    >>> for each in side_by_side((3,)):
    ...     print(each.rules, each.path, each.probes, each.attributes)
    aufs /etc/top 11 0
    overlay /etc/top 4 2
    aufs /etc/bottom 15 0
    overlay /etc/bottom 6 2
    aufs /etc/none 15 0
    overlay /etc/none 6 2
    """
    return tuple(
        cost(_example(depth), f"/etc/{name}", rules)
        for depth in depths
        for name in ("top", "bottom", "none")
        for rules in ("aufs", "overlay")
    )


@dataclass(frozen=True, slots=True)
class _Shelf:
    """A branch with one directory and at most one file."""

    name: str
    file: str

    def look(self, path: str) -> Seen | None:
        if path in ("/", "/etc"):
            return Seen(Kind.DIRECTORY)
        return Seen(Kind.FILE, is_regular=True) if path == self.file else None

    def names(self, path: str) -> Iterator[str]:
        return iter(("etc",) if path == "/" else ())


def _example(depth: int) -> Stack:
    files = ["/etc/top", *[""] * (depth - 2), "/etc/bottom"]
    shelves = (_Shelf(f"layer {depth - n}", file) for n, file in enumerate(files))
    return Stack(tuple(shelves), has_upper=False)
