"""What could change the result of a step, and what of it did.

Two steps are the same if they stand on the same image and all their inputs are equal: the
words that the history will hold, the build arguments that a RUN sees, and the files that a
COPY takes.  Of a file its name, mode, owner, kind, link and content count; its times do
not, or a fresh checkout would build everything anew.

    file:<sha256 of header and content>             one file
    dir:<sha256 of the sorted sums in it, joined>   a directory, itself included
    multi:<sha256 of the above, joined>             several sources

In a directory Docker counts a link as what it leads to, and as its own path if that is
nothing.  A link to nothing that comes to lead to another nothing is no change then, so
the key has the links besides.

A key is a digest and cannot say why it differs from another one.  So the inputs are kept,
and `differences` compares them: that is what `explain cache` tells.

Source: measured on Docker Engine 26.1; moby, pkg/tarsum/tarsum.go and builder/dockerfile/
copy.go; hardening C.8.
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyminidock.store.cache import FileRow

_spelled = json.JSONEncoder(sort_keys=True).encode
MOST_CAUSES = 20  # that are told of one miss

_KINDS = {
    "file": "0", "hard link": "1", "symlink": "2", "character": "3", "block": "4",
    "directory": "5", "fifo": "6",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """One name among the files of a step, as far as the cache looks at it.

    `sum` is Docker's checksum over all of it; `content` is a short checksum of the content
    alone, which tells a change of content from a change of mode, and nothing else.
    """

    kind: str  # file, directory, symlink, …
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    link: str = ""
    device: tuple[int, int] = (0, 0)
    sum: str = ""
    content: int = 0


Files = Callable[[], Iterator[tuple[str, Seen]]]


class Summing:
    """Sums one name up while its content passes: `feed` it, then ask for `seen`."""

    def __init__(
        self, name: bytes, seen: Seen, xattrs: Mapping[bytes, bytes] | None = None
    ) -> None:
        self._seen = seen
        self._sum, self._content = hashlib.sha256(header(name, seen, xattrs or {})), 0

    def feed(self, data: bytes) -> None:
        """Take the next piece of the content."""
        self._sum.update(data)
        self._content = zlib.crc32(data, self._content)

    def seen(self) -> Seen:
        """Give all that was seen."""
        of = self._seen
        return Seen(of.kind, of.mode, of.uid, of.gid, of.size, of.link, of.device,
                    self._sum.hexdigest(), self._content)  # fmt: skip


def header(name: bytes, seen: Seen, xattrs: Mapping[bytes, bytes]) -> bytes:
    r"""Give what is hashed before the content: keys and values without separators.

    >>> header(b"f1", Seen("file", 0o644, size=1), {})[:32]
    b'namef1mode420uid0gid0size1typefl'
    """
    shown = name + (b"/" if seen.kind == "directory" and not name.endswith(b"/") else b"")
    text = (
        f"mode{seen.mode}uid{seen.uid}gid{seen.gid}size{seen.size}"
        f"typeflag{_KINDS[seen.kind]}linkname{seen.link}unamegname"
        f"devmajor{seen.device[0]}devminor{seen.device[1]}"
    )
    security = sorted(item for item in xattrs.items() if item[0].startswith(b"security."))
    marks = b"".join(key + value for key, value in security)
    return b"name" + shown + text.encode("utf-8", "surrogateescape") + marks


def sum_of(paths: Iterable[tuple[str, Seen | None]], *, is_directory: bool) -> str:
    """Sum up one source: a file, or a directory with everything below it.

    A name that nobody sent an entry for counts as its path, one without a sum not at all.

    >>> sum_of([("d", None), ("d/x", Seen("file", sum="ab"))], is_directory=True)[:8]
    'dir:a58e'
    """
    sums = [seen.sum if seen else path for path, seen in paths if not seen or seen.sum]
    if not is_directory:
        return f"file:{sums[0]}"
    return "dir:" + _digest(sorted(sums))


def sum_of_all(sums: Sequence[str]) -> str:
    """Sum up the sources of one COPY.

    >>> sum_of_all(["file:12"])
    'file:12'
    """
    if len(sums) == 1:
        return sums[0]
    return "multi:" + _digest(sums)


def _digest(sums: Sequence[str]) -> str:
    """Give the digest of sums, joined by commas; there may be many."""
    digest, comma = hashlib.sha256(), ""
    for each in sums:
        digest.update((comma + each).encode("utf-8", "surrogateescape"))
        comma = ","
    return digest.hexdigest()


# ── The key ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that can change the result of one step, besides the image it stands on.

    `effect` is what the history will say, `text` the instruction as it is written: two
    spellings of one effect are the same step.  Values of arguments are kept as digests.
    `variables` are those that the text names: they explain an effect, and are in it.
    """

    text: str
    effect: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)  # platform, mode, mounts, …
    files: Mapping[str, Seen] = field(default_factory=dict)
    sources: str = ""  # the sum over the files
    variables: Mapping[str, str] = field(default_factory=dict)

    def key(self) -> str:
        """Give the digest under which the result of this step is found again."""
        links = _links(self.files.items())
        told = (self.effect, dict(self.arguments), dict(self.settings), self.sources)
        whole = (*told, links) if links else told
        return hashlib.sha256(_spelled(whole).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Give what is kept to be compared with later, besides `file_rows`."""
        return {
            "text": self.text, "effect": self.effect, "arguments": dict(self.arguments),
            "settings": dict(self.settings), "sources": self.sources,
            "variables": dict(self.variables),
        }  # fmt: skip

    def file_rows(self) -> Iterator[FileRow]:
        """Give each file as it is kept, one at a time: there may be many."""
        for path, seen in self.files.items():
            yield FileRow(
                _bytes(path), seen.kind, seen.mode, seen.uid, seen.gid, seen.size,
                _bytes(seen.link), seen.sum, seen.content,
            )  # fmt: skip


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _links(files: Iterable[tuple[str, Seen]]) -> list[tuple[str, str]]:
    return sorted((path, seen.link) for path, seen in files if seen.kind == "symlink")


def inputs_of(kept: Mapping[str, Any]) -> Inputs:
    """Read what `to_json` gave; steps of older engines have their files in it."""
    files = {
        path: Seen(kind, mode, uid, gid, size, link, (0, 0), sum_, content)
        for path, (kind, mode, uid, gid, size, link, sum_, content)
        in kept.get("files", {}).items()
    }  # fmt: skip
    return Inputs(kept["text"], kept["effect"], kept["arguments"], kept["settings"], files,
                  kept["sources"], kept.get("variables", {}))  # fmt: skip


def seen_of(row: FileRow) -> tuple[str, Seen]:
    """Read what `file_rows` gave: a path, and what was seen there."""
    path, link = (name.decode("utf-8", "surrogateescape") for name in (row.path, row.link))
    return path, Seen(row.kind, row.mode, row.uid, row.gid, row.size_bytes, link, (0, 0),
                      row.sum, row.content)  # fmt: skip


def fingerprint(value: str) -> str:
    """Give what is kept of a value that may be secret: enough to see that it changed."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:16]


# ── Why it differs ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that differs; see CacheMissed for the words."""

    cause: str
    detail: str = ""
    path: str = ""
    before: str = ""
    after: str = ""


def differences(
    old: Inputs, new: Inputs, old_files: Files | None = None
) -> tuple[Cause, ...]:
    """Say in what two steps differ, at most MOST_CAUSES times; () if in nothing.

    `old_files` gives the files of the old step, in the order of their names' bytes, each
    time it is called; without it they are in `old`.

    >>> old = Inputs("RUN a", "/bin/sh -c a", {"V": "1"})
    >>> differences(old, Inputs("RUN a", "/bin/sh -c a", {"V": "2"}))
    (Cause(cause='argument', detail='V', path='', before='1', after='2'),)
    """
    causes = _differences(old, new, old_files or (lambda: _in_order(old.files)))
    return tuple(cause for cause, _ in zip(causes, range(MOST_CAUSES), strict=False))


def _differences(old: Inputs, new: Inputs, old_files: Files) -> Iterator[Cause]:
    if old.effect != new.effect:
        yield from _other_words(old, new)
    for cause, before, after in (
        ("argument", old.arguments, new.arguments), ("setting", old.settings, new.settings)
    ):  # fmt: skip
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                yield Cause(cause, name, "", before.get(name, ""), after.get(name, ""))
    if old.sources != new.sources or _links(old_files()) != _links(new.files.items()):
        yield from _other_files(old_files, new.files)


def _other_files(old_files: Files, new: Mapping[str, Seen]) -> Iterator[Cause]:
    """Say which files differ; a link that only leads to another content, if none does."""
    is_told = False
    for path, before, after in _side_by_side(old_files(), new):
        if not _is_echo(before, after):
            for cause in _changes(path, before, after):
                is_told = True
                yield cause
    for path, before, after in () if is_told else _side_by_side(old_files(), new):
        yield from _changes(path, before, after)


def _in_order(files: Mapping[str, Seen]) -> Iterator[tuple[str, Seen]]:
    return ((path, files[path]) for path in sorted(files, key=_bytes))


def _side_by_side(
    old: Iterator[tuple[str, Seen]], new: Mapping[str, Seen]
) -> Iterator[tuple[str, Seen | None, Seen | None]]:
    """Merge two rows of names that are in order: what was seen then, and what now.

    >>> [*_side_by_side(iter([("a", 1), ("c", 2)]), {"b": 3, "c": 4})]
    [('a', 1, None), ('b', None, 3), ('c', 2, 4)]
    """
    before = next(old, None)
    for path, after in _in_order(new):
        while before and _bytes(before[0]) < _bytes(path):
            yield before[0], before[1], None
            before = next(old, None)
        if before and before[0] == path:
            yield path, before[1], after
            before = next(old, None)
        else:
            yield path, None, after
    while before:
        yield before[0], before[1], None
        before = next(old, None)


def _is_echo(old: Seen | None, new: Seen | None) -> bool:
    """Whether a link is what it was: then only what it leads to can have changed."""
    if old is None or new is None or old.kind != "symlink":
        return False
    return replace(old, sum=new.sum) == new


def _other_words(old: Inputs, new: Inputs) -> Iterator[Cause]:
    """Say why two effects differ: by the words, or by what is filled in."""
    if old.text != new.text:
        yield Cause("instruction", before=old.text, after=new.text)
        return
    shells = (_shell(old), _shell(new))
    if shells[0] != shells[1]:
        yield Cause("setting", "shell", "", *shells)
    before, after = old.variables, new.variables
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Cause("variable", name, "", before.get(name, ""), after.get(name, ""))
    if shells[0] == shells[1] and before == after:  # a name, and an id that it stands for
        yield Cause("instruction", "meaning", before=old.text, after=new.text)


def _shell(inputs: Inputs) -> str:
    """Give the shell in front of an effect.

    >>> _shell(Inputs("RUN  a b", "/bin/sh -c a b")), _shell(Inputs("CMD", "sh #(nop)  C"))
    ('/bin/sh -c', 'sh')
    """
    shell, mark, _ = inputs.effect.partition(" #(nop)")
    if mark:
        return shell
    _, _, command = inputs.text.partition(" ")
    return inputs.effect.removesuffix(command.strip()).rstrip()


def _changes(path: str, old: Seen | None, new: Seen | None) -> Iterator[Cause]:
    """Say what changed about one name; both its content and its mode may have."""
    if old is None or new is None:
        detail = "added" if old is None else "removed"
        before, after = old.sum if old else "", new.sum if new else ""
        yield Cause("file", detail, path, before, after)
        return
    if (old.sum, old.link) == (new.sum, new.link):
        return
    if old.kind != new.kind:
        yield Cause("file", "kind", path, old.kind, new.kind)
        return
    if old.mode != new.mode:
        yield Cause("file", "mode", path, f"{old.mode:04o}", f"{new.mode:04o}")
    if (old.uid, old.gid) != (new.uid, new.gid):
        owners = (f"{seen.uid}:{seen.gid}" for seen in (old, new))
        yield Cause("file", "owner", path, *owners)
    if old.link != new.link:
        yield Cause("file", "link", path, old.link, new.link)
    is_same = (old.mode, old.uid, old.gid, old.link) == (
        new.mode,
        new.uid,
        new.gid,
        new.link,
    )
    if is_same or (old.content, old.size) != (new.content, new.size):
        yield Cause("file", "content", path, old.sum, new.sum)
