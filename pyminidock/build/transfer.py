"""COPY and ADD: from the context, from a stage, from an address, into a new layer.

    1  which names are meant              `copying.select`
    2  what they are, as one sum          the cache is asked with it
    3  where they go                      `copying.place`, in the image so far
    4  the new tree                       `placing`
    5  tree → layer                       `Bench.layer_of`

Steps 3 to 5 are the work that a hit of the cache saves.  An address is fetched before the
cache is asked, for its content is what counts.
"""

import os
import posixpath
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pyminidock.build.bench import Bench
from pyminidock.build.cachekey import Seen, Summing, sum_of, sum_of_all
from pyminidock.build.context import Files, ImageFiles
from pyminidock.build.copying import (
    CopyRefused,
    Source,
    Wish,
    destination,
    no_place,
    oddity,
    place,
    refused,
    select,
)
from pyminidock.build.downloads import Downloaded, is_address
from pyminidock.build.fetching import check_sum_is_possible, fetch
from pyminidock.build.owners import owner
from pyminidock.build.placing import How, NewTree
from pyminidock.build.stage import Outcome, Standing
from pyminidock.build.unpacking import is_archive, unpack
from pyminidock.dockerfile import history
from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.heredocs import Heredoc
from pyminidock.errors import MinidockError
from pyminidock.layers.merged import Merged
from pyminidock.store.layers import LayerRow

_LARGEST_TEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything that goes to the image, and where it lies."""

    wish: Wish
    files: Files
    sources: tuple[Source, ...]
    downloads: tuple[Downloaded, ...] = ()
    step: said.Copy | said.Add | None = None

    @property
    def count(self) -> int:
        documents = len(self.step.heredocs) if self.step else 0
        return len(self.sources) + len(self.downloads) + documents


def transfer(bench: Bench, standing: Standing, step: said.Copy | said.Add) -> Outcome:
    """Say what a COPY or ADD comes to.  Raises CopyRefused, DownloadFailed."""
    found = _find(bench, standing, step)
    sums, seen = _summed(found, step)
    if found.count > 1 and not destination("/", step.destination).endswith("/"):
        place(found.wish, [Source("", "", False)] * 2, step.destination, Merged([]))
    fingerprint = sum_of_all(sums)
    shell = standing.shell
    words = history.transfer_words(step, fingerprint, step.destination, shell)
    effect = history.transfer_words(step, "", step.destination, shell)
    settings = {"mode": step.chmod} if step.chmod else {}
    if called := _called(found):
        settings["names"] = called
    return Outcome(
        " ".join(words), standing.config, lambda: _make(bench, standing, found, step),
        settings=settings, files=seen, sources=fingerprint, effect=" ".join(effect),
    )  # fmt: skip


def _called(found: _Found) -> str:
    """Give the names that files get in a directory, where no sum tells them."""
    links = [
        source.name
        for source in found.sources
        if not source.is_directory and source.name != posixpath.basename(source.real)
    ]
    return "/".join([*links, *(fetched.name for fetched in found.downloads)])


# ── What goes ────────────────────────────────────────────────────────────────────────────


def _find(bench: Bench, standing: Standing, step: said.Copy | said.Add) -> _Found:
    from_name = step.from_name if isinstance(step, said.Copy) else ""
    addresses = [source for source in step.sources if is_address(source)]
    paths = tuple(source for source in step.sources if not is_address(source))
    wish = Wish(step.keyword, paths, step.destination, not from_name)
    if addresses and isinstance(step, said.Copy):
        raise refused(wish, "source can't be a URL for COPY", "COPY reads files only",
                      try_next=f"ADD {addresses[0]} {step.destination}")  # fmt: skip
    check_sum_is_possible(step)
    files = files_of(bench, from_name)
    has_others = bool(addresses or step.heredocs)
    sources = select(wish, files.names) if paths or not has_others else ()
    downloads = tuple(fetch(bench, url, step, wish) for url in addresses)
    return _Found(wish, files, sources, downloads, step)


def files_of(bench: Bench, from_name: str) -> Files:
    """Give the files of the context, of a stage, or of an image."""
    if not from_name:
        return bench.context
    index = bench.sources.get(from_name)
    standing = _image(bench, from_name) if index is None else bench.stages[index]
    return ImageFiles(bench.tree_of(standing))


def _image(bench: Bench, name: str) -> Standing:
    try:
        return bench.standing_of(name)
    except MinidockError as fault:
        raise CopyRefused(
            f"invalid from flag value {name}: {fault.what}",
            why=f"no stage above is called so, and as an image: {fault.why}",
            try_next=fault.try_next,
            lesson="copy",
        ) from fault


def _summed(found: _Found, step: said.Copy | said.Add) -> tuple[list[str], dict[str, Seen]]:
    """Sum up all that goes; give the sums in order, and what was seen of each name."""
    sums: list[str] = []
    seen: dict[str, Seen] = {}
    for source in found.sources:
        below = found.files.below(source.real)
        sums.append(sum_of(below, is_directory=source.is_directory))
        seen |= {path: each for path, each in below if each is not None}
    for fetched in found.downloads:
        sums.append(fetched.sha256)
        seen[fetched.name] = Seen("file", 0o600, sum=fetched.sha256)
    for document in step.heredocs:
        content = document.text.encode("utf-8", "surrogateescape")
        facts = Seen("file", 0o644, size=len(content))
        summing = Summing(os.fsencode(document.name), facts)
        summing.feed(content)
        seen[f"<<{document.name}"] = summing.seen()
        sums.append(f"file:{summing.seen().sum}")
    return sums, seen


# ── Where it goes ────────────────────────────────────────────────────────────────────────


def _make(
    bench: Bench, standing: Standing, found: _Found, step: said.Copy | said.Add
) -> LayerRow | None:
    """Make the new layer."""
    with bench.workplace() as work, Merged(bench.trees(standing)) as image:
        below = Merged([]) if step.is_linked else image
        tree = work / "diff"
        tree.mkdir(0o755)
        tree.chmod(0o755)
        how = _how(found, step, image)
        with NewTree(tree, below, emit=bench.emit) as new:
            _place_all(bench, standing, found, _Placing(new, below, how, work))
        return bench.layer_of(standing, tree)


@dataclass(frozen=True, slots=True)
class _Placing:
    """A new tree, over what it stands on, and how names come into it."""

    new: NewTree
    below: Merged
    how: How
    work: Path  # host: for archives

    def make_above(self, target: bytes) -> None:
        """Let the directory of a file exist.

        Whoever owns the file owns what is new on the way to it; the way to a directory or
        an archive is root's.
        """
        owner = self.how.owner or (0, 0)
        self.new.directory(os.path.split(target)[0], owner, parents=owner)


def _how(found: _Found, step: said.Copy | said.Add, image: Merged) -> How:
    """Decide owner and mode.  Raises OwnerUnknown, CopyRefused."""

    def text(path: str) -> bytes | None:
        with suppress(OSError), image.open(path) as file:
            return file.read(_LARGEST_TEXT)
        return None

    given = owner(step.chown, text) if step.chown else None
    from_context = found.wish.is_from_context
    own = given or ((0, 0) if from_context else None)
    return How(own, _mode(found.wish, step.chmod), links=from_context)


def _mode(wish: Wish, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[0-7]{1,5}", text) or int(text, 8) > 0o7777:
        raise CopyRefused(
            f"invalid chmod parameter: '{text}'. it should be octal string and between 0 "
            "and 07777",
            why="a mode is written as for chmod, in octal digits",
            try_next=f"{wish.verb} --chmod=755 …",
            lesson="copy",
        )
    return int(text, 8)


def _place_all(bench: Bench, standing: Standing, found: _Found, to: _Placing) -> None:
    step = found.step
    assert step is not None  # noqa: S101  (made with it)
    wanted = destination(standing.config.working_directory, step.destination)
    shown = found.sources or (Source("", "", False),)
    where = place(found.wish, shown, wanted, to.below)
    target = os.fsencode(where.path)
    for source in found.sources:
        _place_source(bench, found, source, target if where.is_directory else None, to,
                      os.fsencode(where.path))  # fmt: skip
    for fetched in found.downloads:
        name = fetched.name
        path = _inside(target, name) if where.is_directory else target
        to.make_above(path)
        with Merged([fetched.path.parent]) as outside:
            to.new.put(outside, fetched.path.name, path, replace(to.how, links=False))
    for document in step.heredocs:
        name = _name_of(document, found.wish)
        path = _inside(target, name) if where.is_directory else target
        content = document.text.encode("utf-8", "surrogateescape")
        mode = 0o644 if to.how.mode is None else to.how.mode
        to.make_above(path)
        to.new.write(path, content, mode, to.how.owner or (0, 0))


def _name_of(document: Heredoc, wish: Wish) -> str:
    """Give the one name that a here-document has as a file, wherever its mark leads to.

    Raises CopyRefused.
    """
    name = posixpath.normpath(f"/{document.name}").lstrip("/")
    reason = ""
    if not name or "/" in name:
        reason = "no such file or directory" if name else "is a directory"
    elif number := oddity(name):
        reason = os.strerror(number).lower()
    if reason:
        raise refused(
            wish, f"open {name or document.name}: {reason}",
            "the mark of a here-document is the name of the file, and no path",
            try_next=f"{wish.verb} <<EOF /directory/name",
        )  # fmt: skip
    return name


def _place_source(  # noqa: PLR0913, PLR0917  (one thing, and everything around it)
    bench: Bench, found: _Found, source: Source, directory: bytes | None, to: _Placing,
    path: bytes,
) -> None:  # fmt: skip
    if source.is_directory:
        to.new.directory(path, to.how.owner or (0, 0))
        to.new.touch(path)
        to.new.pour(found.files.tree, source.real, path, to.how)
        return
    if isinstance(found.step, said.Add) and is_archive(found.files.tree, source.real):
        _extract(bench, found, source, path, to)
        return
    target = path if directory is None else _inside(directory, source.name)
    to.make_above(target)
    to.new.put(found.files.tree, source.real, target, to.how)


def _extract(
    bench: Bench, found: _Found, source: Source, path: bytes, to: _Placing
) -> None:
    """Unpack an archive into the directory `path`, which it does not replace."""
    place_ = to.work / f"archive-{len([*to.work.iterdir()])}"
    explicit = unpack(found.files.tree, source.real, place_, emit=bench.emit)
    status = to.below.lstat(path)
    if status is not None and not stat.S_ISDIR(status.st_mode):
        shown = os.fsdecode(path)
        raise no_place(f"failed to unpack: mkdir {shown}: not a directory")
    to.new.directory(path)
    how = How(None, None, links=True, explicit=explicit)
    with Merged([place_]) as unpacked:
        to.new.pour(unpacked, "", path, how)


def _inside(directory: bytes, name: str) -> bytes:
    return os.fsencode(posixpath.join(os.fsdecode(directory), name))
