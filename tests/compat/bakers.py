"""One Dockerfile, two engines: build it with both over the same API, and compare.

    docker, ours = bakers(reference, minidock)      busybox:latest is the same image in both
    outcome = docker.build(context, target="x")     see tests.builder for contexts
    outcome.image  .text  .message  .code           as the client gets them
    docker.config(image)  .history(image)           what `docker inspect` and `history` tell
    docker.files(image)                             path to kind, mode, owner, size, content

`facts` gives everything that two images must have in common, ready for the allow-list.
With `version=2` the reference builds with BuildKit, which has the newer syntax; that needs
no session as long as the context is the body of the request.
"""

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import quote, urlencode

from tests.builder import Context, packed
from tests.compat.observe import Facts
from tests.minidock_cli import Minidock
from tests.rawapi import UnixConnection, ask
from tests.reference import Reference

COMPARED = (
    "Cmd", "Entrypoint", "Env", "User", "WorkingDir", "ExposedPorts", "Volumes", "Labels",
    "StopSignal", "Shell", "Healthcheck", "OnBuild",
)  # fmt: skip
BUILDKIT = {"version": "2", "networkmode": "none"}  # the reference has no bridge
_KINDS = {
    tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "link", tarfile.REGTYPE: "file",
    tarfile.FIFOTYPE: "fifo", tarfile.CHRTYPE: "character", tarfile.BLKTYPE: "block",
}  # fmt: skip
_PIECES = ("stream", "aux", "error", "message")  # a bar of progress is none
_XATTR = "SCHILY.xattr."


class Name(NamedTuple):
    """What an archive says of one name, but for its times."""

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    link: str
    device: tuple[int, int]
    digest: str
    xattrs: tuple[tuple[str, str], ...]
    twin: tuple[int, str]  # the same for all names of one file

    def __str__(self) -> str:
        owner = f"{self.mode:04o} {self.uid}:{self.gid}"
        rest = self.link or self.digest[:12] or f"{self.device}"
        marks = "".join(f" {name}={value!r}" for name, value in self.xattrs)
        return f"{self.kind} {owner} {self.size} {rest}{marks}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client got: the image or a message, and all text; `pieces` as they came."""

    image: str
    text: str
    message: str
    code: int
    status: int
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Baker:
    """One engine, Docker's or ours."""

    engine: Reference | Minidock
    socket: Path

    def build(self, context: Context | bytes, **query: Any) -> Outcome:
        """Send a context to POST /build; values of `query` may be lists or objects."""
        archive = context if isinstance(context, bytes) else packed(context)
        sent = {
            key: json.dumps(value) if isinstance(value, dict) else value
            for key, value in query.items()
        }
        target = f"/v1.45/build?{urlencode({'forcerm': '1', **sent}, doseq=True)}"
        status, body = self._ask("POST", target, archive)
        return _outcome(status, body.decode(errors="replace"))

    def run(self, *words: str) -> str:
        """Run the engine's command line, which must succeed."""
        ran = self.typed(*words)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def typed(
        self, *words: str, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the engine's command line with `given` as its input."""
        engine = self.engine
        if isinstance(engine, Reference):
            return engine.docker(*words, input=given)
        return engine.run(*words, input=given)

    def inspect(self, image: str) -> dict[str, Any]:
        """Give what `inspect` tells of an image."""
        return dict(json.loads(self._get(f"/images/{quote(image)}/json")))

    def config(self, image: str) -> dict[str, Any]:
        """Give the configuration; what is empty in any way is None."""
        told = self.inspect(image)["Config"]
        return {name: told.get(name) or None for name in COMPARED}

    def files(self, image: str) -> dict[str, Name]:
        """List everything in an image, as its archives say."""
        return flattened(io.BytesIO(self._get(f"/images/{quote(image)}/get")))

    def history(self, image: str) -> list[tuple[str, bool]]:
        """Give each step since the base: its words, and whether it has a layer."""
        saved = io.BytesIO(self._get(f"/images/{quote(image)}/get"))
        with tarfile.open(fileobj=saved) as archive:
            (manifest,) = json.load(_member(archive, "manifest.json"))
            document = json.load(_member(archive, manifest["Config"]))
        rows = document["history"]
        return [(row.get("created_by", ""), not row.get("empty_layer")) for row in rows]

    def facts(self, image: str) -> Facts:
        """Give all that two images must have in common; names of one file stay so."""
        config = {
            ("build config", key): json.dumps(value, sort_keys=True)
            for key, value in self.config(image).items()
        }
        listed = self.files(image)
        files = {("build files", path): str(name) for path, name in listed.items()}
        links = {
            ("build hard links", names[0]): " ".join(names) for names in _groups(listed)
        }
        return config | files | links

    def _get(self, path: str) -> bytes:
        status, body = self._ask("GET", f"/v1.45{path}")
        assert status == 200, body
        return body

    def upgrade(self, path: str, protocol: str) -> int:
        """Ask for another protocol; give the status of the answer."""
        line = UnixConnection(self.socket)
        try:
            head = {"Host": "localhost", "Connection": "Upgrade", "Upgrade": protocol}
            line.request("POST", f"/v1.45{path}", headers=head)
            return line.getresponse().status
        finally:
            line.close()

    def _ask(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        told = ask(self.socket, method, target, body or None)
        return told.status, told.body


def bakers(reference: Reference, minidock: Minidock) -> tuple[Baker, Baker]:
    """Give both engines, with Docker's busybox in ours, too."""
    docker = Baker(reference, reference.socket)
    ours = Baker(minidock, minidock.host)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "busybox.tar"
        docker.run("save", "-o", str(path), "busybox:latest")
        ours.run("load", "-i", str(path))
    return docker, ours


def _outcome(status: int, body: str) -> Outcome:
    image, text, message, code = "", "", "", 0
    pieces: list[str] = []
    for line in body.splitlines():
        told = json.loads(line)
        text += told.get("stream", "")
        pieces += [f"{key} {told[key]}" for key in _PIECES if key in told][:1]
        aux = told.get("aux", {})
        image = aux.get("ID", image) if isinstance(aux, dict) else image  # else a trace
        message = told.get("error", told.get("message", message))
        code = told.get("errorDetail", {}).get("code", code)
    return Outcome(image, text, message, code, status, tuple(pieces))


# ── What is in an image ──────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Laid:
    """The layers laid so far, with nothing but names and rules."""

    found: dict[str, Name] = field(default_factory=dict)
    count: int = 0

    def lay(self, layer: tarfile.TarFile) -> None:
        """Lay one more over the others."""
        found, names = self.found, dict[str, Name]()
        below = dict(found)
        for info in layer:
            name = info.name.removeprefix("./").strip("/")
            parent, _, last = name.rpartition("/")
            if name in ("", "."):
                continue
            if last == ".wh..wh..opq":
                _remove(found, below, f"{parent}/")
            elif last.startswith(".wh."):
                gone = f"{parent}/{last[4:]}".lstrip("/")
                found.pop(gone, None)
                _remove(found, below, f"{gone}/")
            elif info.islnk():
                names[name] = names[info.linkname.removeprefix("./")]
            else:
                names[name] = _named(layer, info, (self.count, name))
        for name, listed in names.items():
            if listed.kind != "directory":
                _remove(found, dict(found), f"{name}/")
        found.update(names)
        self.count += 1


def _remove(found: dict[str, Name], among: Mapping[str, Name], start: str) -> None:
    for each in among:
        if each.startswith(start):
            found.pop(each, None)


def flattened(saved: IO[bytes]) -> dict[str, Name]:
    """Lay the layers of a saved image over each other."""
    laid = _Laid()
    with tarfile.open(fileobj=saved) as archive:
        (manifest,) = json.load(_member(archive, "manifest.json"))
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=_member(archive, layer)) as inner:
                laid.lay(inner)
    return dict(sorted(laid.found.items()))


def _named(layer: tarfile.TarFile, info: tarfile.TarInfo, twin: tuple[int, str]) -> Name:
    body = layer.extractfile(info) if info.isreg() else None
    content = body.read() if body else b""
    marks = tuple(
        (key.removeprefix(_XATTR), value)
        for key, value in sorted(info.pax_headers.items())
        if key.startswith(_XATTR)
    )
    return Name(
        _KINDS[info.type], info.mode & 0o7777, info.uid, info.gid, len(content),
        info.linkname if info.issym() else "", (info.devmajor, info.devminor),
        hashlib.sha256(content).hexdigest() if info.isreg() else "", marks, twin,
    )  # fmt: skip


def _groups(listed: Mapping[str, Name]) -> Iterator[list[str]]:
    """Give the names of each file that has several, sorted."""
    groups: dict[tuple[int, str], list[str]] = {}
    for path, name in listed.items():
        groups.setdefault(name.twin, []).append(path)
    return (sorted(names) for names in groups.values() if len(names) > 1)


def _member(archive: tarfile.TarFile, name: str) -> Any:
    member = archive.extractfile(name)
    assert member is not None
    return member
