"""Who answers?  One name looked up in every branch, and the merged listing.

The rule of `lookup` (top down, until a file, a whiteout or an opaque directory ends it),
with the two things that an overlay mount may add to it:

* a directory that was renamed says where it comes from: `redirect=old` sends the question
  to another name of the same directory, `redirect=/a/b` to another path from the root;
* a file whose attributes were changed may be attributes only (`metacopy`): the search goes
  on until somebody has the bytes.

    find(stack, parent, name)   one step, as the kernel takes it, one event for each probe
    walk(stack, path)           step after step; symlinks are the VFS's business
    listing(stack, spot)        a merged directory: the topmost answer for each name

Source: Linux, fs/overlayfs/namei.c, ovl_lookup(), ovl_lookup_layer(), ovl_lookup_single(),
ovl_check_redirect(); readdir.c, ovl_dir_read_merged().
"""

import errno
from dataclasses import dataclass, field

from pyminidock.events import Emit, LayerProbed, PathResolved, ignore
from pyminidock.unionfs.branches import UPPER, Part, Seen, Spot, Stack, inside
from pyminidock.unionfs.lookup import Kind


@dataclass(frozen=True, slots=True)
class Listed:
    """One name of a merged directory: the branch that answers, and where it lies there."""

    name: str
    branch: int
    path: str


@dataclass(slots=True)
class _Question:
    """What is asked of the next branch, and what ended the asking.

    `wanted` is a name in the parent's own directories or, with a slash in front, a path
    from each branch's root.
    """

    stack: Stack
    wanted: str
    emit: Emit
    stopped: bool = False
    hidden_by: int | None = None
    parts: list[Part] = field(default_factory=list)


def find(stack: Stack, parent: Spot, name: str, *, emit: Emit = ignore) -> Spot:
    """Look one name up in the branches that make up its directory.

    An absent name is an answer.  Costs one probe for each branch of the directory, and
    after a redirect from the root one for each branch and name on the way.
    """
    path = inside(parent.path, name)
    asked = _Question(stack, name, emit)
    places = [(part.branch, part.path) for part in parent.parts]
    number = 0
    while number < len(places) and not asked.stopped:
        branch, directory = places[number]
        was_absolute = asked.wanted.startswith("/")
        _ask_branch(asked, branch, "/" if was_absolute else directory)
        if not was_absolute and asked.wanted.startswith("/"):  # now every branch below
            places = [(each, "/") for each in range(branch + 1, len(stack.branches))]
            number = 0
            continue
        number += 1
    emit(PathResolved(path, tuple(stack.branches[p.branch].name for p in asked.parts)))
    return _spot(stack, path, asked)


def _ask_branch(asked: _Question, branch: int, directory: str) -> None:
    """Go down inside one branch; one name, unless a redirect gave a path from the root."""
    place, words = directory, asked.wanted.removeprefix("/").split("/")
    seen: Seen | None = None
    for number, word in enumerate(words):
        place = inside(place, word)
        seen = asked.stack.branches[branch].look(place)
        answer = seen.kind.value if seen else "absent"
        asked.emit(LayerProbed(place, asked.stack.branches[branch].name, answer))
        is_last = number == len(words) - 1
        if seen is None:
            return
        if seen.kind is Kind.WHITEOUT:
            asked.stopped = True
            asked.hidden_by = branch if not asked.parts else None
            return
        if not seen.is_directory:
            if not is_last or (asked.parts and asked.parts[-1].seen.is_directory):
                asked.stopped = True  # a file below a directory ends the merge
                return
            asked.stopped = not seen.is_metacopy
        elif asked.parts and is_last and not asked.parts[-1].seen.is_directory:
            asked.stopped = True  # attributes of a file above a directory: no content
            return
        elif seen.kind is Kind.OPAQUE:
            asked.stopped = True
        if seen.redirect:
            _redirect(asked, words, number, seen.redirect)
    if seen is not None:
        asked.parts.append(Part(branch, place, seen))


def _redirect(asked: _Question, words: list[str], number: int, to: str) -> None:
    """Rewrite the question for the branches below."""
    rest = words[number + 1 :]
    if to.startswith("/"):
        asked.wanted = "/".join([to, *rest])
        asked.stopped = False  # what it redirects to is no longer below what was opaque
    elif asked.wanted.startswith("/"):
        asked.wanted = "/" + "/".join([*words[:number], to, *rest])
    else:
        asked.wanted = to


def _spot(stack: Stack, path: str, asked: _Question) -> Spot:
    is_covered = stack.has_upper and asked.hidden_by == UPPER
    if stack.has_upper and asked.parts and asked.parts[0].branch == UPPER:
        return Spot(path, asked.parts[0], tuple(asked.parts[1:]))
    return Spot(path, None, tuple(asked.parts), is_covered, asked.hidden_by)


def trail(stack: Stack, path: str, *, emit: Emit = ignore) -> tuple[Spot, ...]:
    """Walk from the root and give every spot on the way, the wanted one last.

    The last may be absent.  Raises OSError: ENOENT or ENOTDIR on the way.
    """
    spots = [stack.root()]
    for name in path.strip("/").split("/") if path != "/" else ():
        here = spots[-1]
        if not here.is_directory:
            raise OSError(errno.ENOTDIR if here.exists else errno.ENOENT, here.path)
        spots.append(find(stack, here, name, emit=emit))
    return tuple(spots)


def walk(stack: Stack, path: str, *, emit: Emit = ignore) -> Spot:
    """Give what the merged tree shows at `path`; raises as `trail` does."""
    return trail(stack, path, emit=emit)[-1]


def listing(stack: Stack, spot: Spot) -> tuple[Listed, ...]:
    """List a merged directory: of each name the topmost answer; whiteouts are no names.

    One difference to the kernel, which lists a directory of one single layer as it lies:
    a whiteout there is in its listing, though no one can look it up.
    """
    found: dict[str, Listed | None] = {}
    for part in spot.parts:
        branch = stack.branches[part.branch]
        for name in branch.names(part.path):
            if name in found:
                continue
            place = inside(part.path, name)
            seen = branch.look(place)
            is_shown = seen is not None and seen.kind is not Kind.WHITEOUT
            found[name] = Listed(name, part.branch, place) if is_shown else None
    return tuple(listed for listed in found.values() if listed)
