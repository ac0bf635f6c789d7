r"""Builds for tests: a context written as a mapping, an engine of our own, what came out.

    with kitchen(tmp_path) as cook:
        built = cook.build({"Dockerfile": "FROM busybox\nCOPY a /\n", "a": "hello"})
        built.text          what the client saw
        built.image         the id, "" after a failure
        built.steps()       [(number, "hit" or cause of the miss), …]
        cook.files(image)   {path: Listed(kind, mode, uid, gid, size, link, digest)}
        cook.image(image)   its document

A file of a context is a text, bytes, or a `File` with a mode; None is a directory.
"""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from pyminidock.build.options import Options
from pyminidock.build.output import Failed, Message, StageDone, Text
from pyminidock.engine import build, images, kernels
from pyminidock.engine.house import House
from pyminidock.events.journal import Record
from pyminidock.image.document import Image
from pyminidock.layers.merged import Merged


@dataclass(frozen=True, slots=True)
class File:
    """A name of a context that is not just a text."""

    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 1_700_000_000
    link: str = ""
    kind: bytes = tarfile.REGTYPE
    capability: str = ""  # the value of security.capability


Context = Mapping[str, "str | bytes | File | None"]


class Listed(NamedTuple):
    """One name of an image, but for its times."""

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    link: str
    digest: str
    xattrs: tuple[tuple[str, bytes], ...] = ()


def packed(context: Context) -> bytes:
    """Pack a context as a client does: sorted, ustar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, given in sorted(context.items()):
            file = _file(given)
            info = tarfile.TarInfo(name)
            info.mode, info.mtime, info.type = file.mode, file.mtime, file.kind
            info.uid, info.gid, info.linkname = file.uid, file.gid, file.link
            info.size = len(file.content)
            if file.capability:
                info.pax_headers = {"SCHILY.xattr.security.capability": file.capability}
            archive.addfile(info, io.BytesIO(file.content))
    return out.getvalue()


def _file(given: "str | bytes | File | None") -> File:
    match given:
        case None:
            return File(mode=0o755, kind=tarfile.DIRTYPE)
        case str():
            return File(given.encode())
        case bytes():
            return File(given)
        case File(link=link) if link and given.kind == tarfile.REGTYPE:
            return replace(given, kind=tarfile.SYMTYPE, mode=0o777)
    return given


@dataclass(frozen=True, slots=True)
class Built:
    """What came of a build."""

    image: str
    messages: tuple[Message, ...]
    records: tuple[Record, ...]
    story: str

    @property
    def text(self) -> str:
        """What was printed."""
        return "".join(each.text for each in self.messages if isinstance(each, Text))

    @property
    def failure(self) -> Failed | None:
        """How it failed, if it did."""
        return next((each for each in self.messages if isinstance(each, Failed)), None)

    @property
    def stages(self) -> list[str]:
        """The images of the stages."""
        return [each.image for each in self.messages if isinstance(each, StageDone)]

    def kinds(self) -> list[str]:
        """The kinds of all events."""
        return [record.kind for record in self.records]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The data of all events of one kind."""
        return [dict(each.data) for each in self.records if each.kind == kind]

    def steps(self) -> list[tuple[int, str]]:
        """Of each step that was looked up: "hit", or the causes of the miss, joined."""
        found: dict[int, list[str]] = {}
        for record in self.records:
            step = int(str(record.data.get("step", 0)))
            if record.kind == "cache.hit":
                found.setdefault(step, []).append("hit")
            if record.kind == "cache.missed":
                facts = (record.data[name] for name in ("cause", "detail", "path"))
                said = " ".join(str(fact) for fact in facts if fact)
                found.setdefault(step, []).append(said)
        return [(step, ", ".join(causes)) for step, causes in found.items()]


@dataclass(slots=True)
class Kitchen:
    """An engine on private state, with busybox to build on."""

    house: House
    built: list[Built] = field(default_factory=list)

    def build(self, context: Context | bytes, **options: Any) -> Built:
        """Build; a refusal before the first step is raised."""
        asked = Options(**{"tags": ("app:latest",)} | options)
        building = build.start(self.house, asked)
        archive = context if isinstance(context, bytes) else packed(context)
        building.begin(io.BytesIO(archive))
        messages: list[Message] = []
        image = building.run(messages.append)
        self.house.recorder.flush()
        records = self.house.journals.read(building.story).records
        made = Built(image, tuple(messages), records, building.story)
        self.built.append(made)
        return made

    def image(self, reference: str) -> Image:
        """Read the document of an image."""
        return images.find(self.house, reference).image

    def files(self, reference: str) -> dict[str, Listed]:
        """List everything in an image."""
        found = images.find(self.house, reference)
        with Merged(found.trees) as tree:
            return listing(tree)

    def remains(self) -> list[str]:
        """Name what lies about in the root directory that no build should leave."""
        root = self.house.root
        left = [f"layers/{path.name}" for path in (root / "layers").glob("tmp-*")]
        left += [f"containers/{path.name}" for path in (root / "containers").iterdir()]
        left += [f"blob {path.name}" for path in root.glob("oci/blobs/sha256/tmp-*")]
        left += [f"lease {each}" for each in self.house.store.leases.held()]
        mounts = Path("/proc/self/mountinfo").read_text()
        left += [line for line in mounts.splitlines() if str(root) in line]
        return left


@contextmanager
def kitchen(root: Path, *bases: str) -> Iterator[Kitchen]:
    """Open an engine on the real kernel in `root`, with images to build on."""
    house = House(root, kernels.choose(None, root))
    try:
        for base in bases or ("busybox",):
            images.make(house, base)
        yield Kitchen(house)
    finally:
        house.close()


def listing(tree: Merged) -> dict[str, Listed]:
    """List a tree: path without a slash in front to what it is."""
    found: dict[str, Listed] = {}
    waiting = [b""]
    while waiting:
        here = waiting.pop()
        for name, handle, status in tree.scan(b"/" + here):
            path = here + b"/" + name if here else name
            found[os.fsdecode(path)] = _listed(tree, path, (name, handle, status))
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
    return dict(sorted(found.items()))


def _listed(tree: Merged, path: bytes, at: tuple[bytes, int, os.stat_result]) -> Listed:
    name, handle, status = at
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
    kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
    link = os.fsdecode(os.readlink(name, dir_fd=handle)) if kind == "link" else ""
    size, digest, marks = 0, "", dict[str, bytes]()
    if kind == "file":
        with tree.open(path) as file:
            content = file.read()
        size, digest = len(content), hashlib.sha256(content).hexdigest()
    if kind in ("file", "directory"):
        marks = tree.xattrs(path)
    mode = stat.S_IMODE(status.st_mode)
    return Listed(kind, mode, status.st_uid, status.st_gid, size, link, digest,
                  tuple(sorted(marks.items())))  # fmt: skip


def extract(archive: tarfile.TarFile, place: Path) -> None:
    """Write an archive of ours as files, as it says; the first 3.11 knew no filters yet."""
    archive.extraction_filter = lambda member, _place: member
    archive.extractall(place)  # noqa: S202
