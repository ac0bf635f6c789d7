"""What a RUN sees while it runs, and the image does not keep: its `--mount`s.

    type=bind     files of the context, a stage or an image; what is written there is lost
    type=cache    a directory of this machine that outlives the build
    type=tmpfs    memory
    type=secret   what whoever builds has given
    type=ssh      the same, an agent's socket

The protocol of the classic builder has no way to give a secret or an agent.  So there is
none: where one is required the step fails in BuildKit's words, else it is not there, which
is what BuildKit does with one that nobody gave.

A place to hang something up is made where the image has none, and is taken away again: it
is no file of the step.

Source: buildkit 0.13, frontend/dockerfile/dockerfile2llb/convert_runmount.go and
executor/stubs.go; docs.docker.com/reference/dockerfile, RUN --mount.
"""

import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pyminidock.build.bench import Bench
from pyminidock.build.cachekey import Seen, sum_of, sum_of_all
from pyminidock.build.context import Context, Files
from pyminidock.build.placing import How, NewTree
from pyminidock.build.running import Lent
from pyminidock.build.stage import Standing
from pyminidock.build.transfer import files_of
from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.expand import expand
from pyminidock.dockerfile.malformed import DockerfileMalformed, Fault
from pyminidock.dockerfile.mounts import Mount, parse_mount
from pyminidock.errors import MinidockError
from pyminidock.layers.merged import Merged

_OWN = How(None, None)  # as it is at its source


class MountRefused(MinidockError):
    """A `RUN --mount` cannot be had; `what` is BuildKit's sentence."""

    status = 400


@dataclass(frozen=True, slots=True)
class Wanted:
    """One mount as a RUN wants it: `target` is absolute, `files` are those it shows."""

    mount: Mount
    target: str
    text: str  # with variables filled in
    files: Files | None = None
    real: str = ""  # of the source, in `files`


# ── What is wanted ───────────────────────────────────────────────────────────────────────


def wanted(bench: Bench, standing: Standing, step: said.Run) -> tuple[Wanted, ...]:
    """Read the mounts of a RUN.  Raises DockerfileMalformed, MountRefused."""
    found = (_wanted(bench, standing, text) for text in step.mounts)
    return tuple(each for each in found if each is not None)


def _wanted(bench: Bench, standing: Standing, text: str) -> Wanted | None:
    values = standing.arguments.for_words(standing.environment)

    def fill(word: str) -> str:
        return expand(word, values, standing.escape)

    try:
        mount = parse_mount(text, fill)
    except Fault as fault:
        raise DockerfileMalformed(fault.message, why=fault.why) from fault
    if mount.type in ("secret", "ssh"):
        _refuse_required(mount)
        return None
    joined = posixpath.join("/", standing.config.working_directory, mount.target)
    target = "/" + posixpath.normpath(joined).lstrip("/")
    if not mount.target or target == "/":
        raise _refused(f'invalid mount target "{mount.target or target}"',
                       "a mount hangs at a place of its own, and never covers the image",
                       "RUN --mount=type=cache,target=/cache …")  # fmt: skip
    if mount.type == "tmpfs" or (mount.type == "cache" and not mount.from_name):
        return Wanted(mount, target, fill(text))
    files = files_of(bench, mount.from_name)
    return Wanted(mount, target, fill(text), files, _real(files, mount.source))


def _refuse_required(mount: Mount) -> None:
    if not mount.is_required:
        return
    if mount.type == "ssh":
        what = f'no SSH key "{mount.id or "default"}" forwarded from the client'
    else:
        name = mount.id or mount.source or posixpath.basename(mount.target)
        what = f"secret {name}: not found"
    raise _refused(
        what, "what `docker build` of the classic builder sends has no place for one",
        "leave `required` out, or fetch it in a RUN from where it is kept",
    )  # fmt: skip


def _real(files: Files, source: str) -> str:
    """Find a source; "" is the whole tree.  Raises MountRefused."""
    try:
        real = files.names.resolve("/" + source)
        status = files.names.lstat(real)
    except OSError:
        status = None
    if status is None:
        raise _refused(
            f'failed to calculate checksum: "/{source.lstrip("/")}": not found',
            "no file of this name was sent, or is in the image",
            "see with COPY what is there",
        )  # fmt: skip
    return os.fsdecode(real).lstrip("/")


def _refused(what: str, why: str, try_next: str) -> MountRefused:
    return MountRefused(what, why=why, try_next=try_next, lesson="dockerfile")


def summed(mounts: Sequence[Wanted]) -> tuple[str, dict[str, Seen]]:
    """Sum up all files that binds show: the cache is asked with them, as for a COPY."""
    sums: list[str] = []
    seen: dict[str, Seen] = {}
    for each in mounts:
        if each.files is None or each.mount.type != "bind":
            continue
        below = each.files.below(each.real)
        is_directory = not below or below[0][0] != each.real or len(below) > 1
        sums.append(sum_of(below, is_directory=is_directory))
        origin = f"{each.mount.from_name}:" if each.mount.from_name else ""
        seen |= {f"{origin}{path}": at for path, at in below if at is not None}
    return (sum_of_all(sums) if sums else ""), seen


# ── While it runs ────────────────────────────────────────────────────────────────────────


@contextmanager
def lending(bench: Bench, mounts: Sequence[Wanted]) -> Iterator[tuple[Lent, ...]]:
    """Have everything at hand that is to be hung up, for as long as the command runs."""
    with ExitStack() as until_the_end:
        yield tuple(_lent(bench, each, until_the_end) for each in mounts)


def _lent(bench: Bench, wish: Wanted, until_the_end: ExitStack) -> Lent:
    mount, target = wish.mount, wish.target
    if mount.type == "tmpfs":
        size = f",size={mount.size_bytes}" if mount.size_bytes else ""
        return Lent(target, memory=f"exec,mode=1777{size}")
    if mount.type == "cache":
        name = f"{mount.id or target} {mount.from_name} {mount.source}"
        lent = bench.store.caches.lent(
            name, mount.sharing or "shared", lambda place: _fill(wish, place)
        )
        path = until_the_end.enter_context(lent)
        return Lent(target, path, is_writable=not mount.is_readonly)
    assert wish.files is not None  # noqa: S101  (a bind shows files)
    if mount.is_readonly and isinstance(wish.files, Context):
        wish.files.tree  # noqa: B018  (unpacked now, if it was not)
        return Lent(target, wish.files.directory / wish.real)
    work = until_the_end.enter_context(bench.workplace())
    return Lent(target, _copied(wish, work), is_writable=not mount.is_readonly)


def _fill(wish: Wanted, place: Path) -> None:
    """Make what a cache begins with."""
    mount = wish.mount
    if wish.files is not None:
        with NewTree(place, Merged([])) as new:
            new.pour(wish.files.tree, wish.real, b"/", _OWN)
    place.chmod(0o755 if mount.mode is None else mount.mode & 0o7777)
    if mount.uid or mount.gid:
        os.chown(place, mount.uid or 0, mount.gid or 0)


def _copied(wish: Wanted, work: Path) -> Path:
    """Copy what a bind shows to where it may be written to, and is thrown away."""
    assert wish.files is not None  # noqa: S101  (a bind shows files)
    tree, place = wish.files.tree, work / "lent"
    place.mkdir(0o755)
    place.chmod(0o755)
    status = tree.lstat("/" + wish.real)
    with NewTree(place, Merged([])) as new:
        if status is None or stat.S_ISDIR(status.st_mode):
            new.pour(tree, wish.real, b"/", _OWN)
            return place
        new.put(tree, wish.real, b"/file", _OWN)
    return place / "file"


# ── Places made for it ───────────────────────────────────────────────────────────────────


def _places(mounts: Sequence[Wanted]) -> tuple[str, ...]:
    """Name the places on the way to each target, the deepest first."""
    found = set()
    for each in mounts:
        path = each.target
        while path != "/":
            found.add(path)
            path = posixpath.dirname(path)
    return tuple(sorted(found, key=lambda path: (-path.count("/"), path)))


def clear(upper: Path, below: Merged, mounts: Sequence[Wanted]) -> None:
    """Take away what only led to a mount: empty, and new or as it was."""
    for path in _places(mounts):
        here = upper / path.lstrip("/")
        with suppress(OSError):  # nothing is there, or something is in it
            status = here.lstat()
            if _is_as_it_was(status, below, path):
                here.rmdir() if stat.S_ISDIR(status.st_mode) else here.unlink()


def _is_as_it_was(status: os.stat_result, below: Merged, path: str) -> bool:
    before = None
    with suppress(OSError):
        before = below.lstat(path)
    if before is None:
        return stat.S_ISDIR(status.st_mode) or (
            stat.S_ISREG(status.st_mode) and not status.st_size
        )
    facts = (status.st_mode, status.st_uid, status.st_gid)
    is_same = facts == (before.st_mode, before.st_uid, before.st_gid)
    return is_same and stat.S_ISDIR(status.st_mode)
