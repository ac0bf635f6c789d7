"""What `minidock build` sends: which folder, which Dockerfile, which ignore file.

    minidock build DIR                the Dockerfile in DIR, or else dockerfile
    minidock build -f FILE DIR        FILE may lie outside: then it travels under a name of
    minidock build -f - DIR           its own, `.dockerfile.<20 hex>`, which .dockerignore
                                      names, so that COPY . does not copy it
    minidock build -                  what is read is the archive, or the Dockerfile alone

`FILE.dockerignore` beside FILE takes the place of .dockerignore.  Ignore files and the
Dockerfile itself are always sent.  The messages are those of the docker command line.

Source: docker-build-and-api 2.3; docker/cli, cli/command/image/build.go and
build/context.go; docs.docker.com/build/concepts/context, "Filename and location".
"""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from pyminidock.dockerfile.gotext import quote
from pyminidock.dockerfile.parse import LARGEST_BYTES
from pyminidock.errors import MinidockError
from pyminidock.grammar.ignore import IgnoreMalformed, Rules, read

IGNORE_FILE = ".dockerignore"
_MAGICS = (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_USTAR = slice(257, 262)
_WHY = "a context is a folder whose files are sent to the daemon, which sees nothing else"


class ContextRefused(MinidockError):
    """There is no such folder or Dockerfile, or a file of it cannot be read."""

    status = 400


@dataclass(frozen=True, slots=True)
class Context:
    """A folder to send, and what is known about it before the first byte."""

    directory: Path  # absolute, without symlinks
    dockerfile: str  # the name that the daemon is told
    rules: Rules = field(default_factory=Rules)
    ignore_file: str = ""  # where the rules stand, for messages; empty if nowhere
    foreign: bytes | None = None  # the text of a Dockerfile that is not in the folder


def find_context(
    directory: str, dockerfile: str = "", given: bytes | None = None
) -> Context:
    """Look at the folder, its Dockerfile and its ignore file; nothing is sent yet.

    `dockerfile` is -f, relative to the working directory; with `-` its text is `given`.
    Raises ContextRefused.
    """
    folder = _folder(directory)
    if dockerfile == "-":
        return _foreign(folder, given or b"", "")
    path = _dockerfile(folder, dockerfile)
    if not path.is_relative_to(folder) and not dockerfile:
        # Nobody asked for that file: a folder must not choose what is read of the host.
        raise ContextRefused(
            "unable to open Dockerfile: open : no such file or directory",
            why=f"the Dockerfile in {folder} is a symlink to {path}, outside of it",
            try_next=f"minidock build -f {path} {directory}, if you trust it",
        )
    if not path.is_relative_to(folder):
        return _foreign(folder, read_regular(path, LARGEST_BYTES), f"{path}{IGNORE_FILE}")
    name = str(path.relative_to(folder))
    ignore_file, rules = _rules(folder, str(folder / f"{name}{IGNORE_FILE}"))
    kept = {IGNORE_FILE: None, name: None}
    if ignore_file:
        kept[ignore_file] = None
    return Context(folder, name, rules.keeping(*kept), ignore_file)


def is_archive(beginning: bytes) -> bool:
    """Whether what comes from `minidock build -` is an archive, by its first 512 bytes.

    >>> is_archive(b"FROM busybox"), is_archive(bytes(257) + b"ustar" + bytes(250))
    (False, True)
    """
    return beginning.startswith(_MAGICS) or beginning[_USTAR] == b"ustar"


def refuse_two_readers(directory: str, dockerfile: str) -> None:
    """Refuse to read context and Dockerfile from one stream.  Raises ContextRefused."""
    if directory == "-" and dockerfile == "-":
        raise ContextRefused(
            "invalid argument: can't use stdin for both build context and dockerfile",
            why="one stream has one beginning",
            try_next="minidock build -f - . <Dockerfile",
        )


# ── Looking ──────────────────────────────────────────────────────────────────────────────


def _folder(directory: str) -> Path:
    path = Path(directory)
    if not path.exists():
        what = f"unable to prepare context: path {quote(directory)} not found"
        raise ContextRefused(what, why=_WHY, try_next="minidock build .")
    folder = path.resolve()
    if not folder.is_dir():
        what = f"unable to prepare context: context must be a directory: {folder}"
        raise ContextRefused(
            what, why=_WHY, try_next=f"minidock build -f {directory} {path.parent}"
        )
    return folder


def _dockerfile(folder: Path, dockerfile: str) -> Path:
    """Find the file itself, through symlinks."""
    path = Path(dockerfile).absolute() if dockerfile else folder / "Dockerfile"
    other = folder / "dockerfile"
    if not dockerfile and not os.path.lexists(path) and os.path.lexists(other):
        path = other
    try:
        return Path(os.path.realpath(path, strict=True))
    except OSError as error:
        reason = (error.strerror or "").lower()
        what = (
            "unable to prepare context: unable to evaluate symlinks in Dockerfile path: "
            f"lstat {error.filename}: {reason}"
        )
        try_next = "say where it is: minidock build -f FILE ."
        raise ContextRefused(
            what, why="a build follows a Dockerfile", try_next=try_next
        ) from error


def _foreign(folder: Path, text: bytes, own_ignore_file: str) -> Context:
    """A context whose Dockerfile comes from elsewhere, under a name made of its text."""
    name = f".dockerfile.{hashlib.sha256(text).hexdigest()[:20]}"
    ignore_file, rules = _rules(folder, own_ignore_file)
    return Context(folder, name, rules.keeping(IGNORE_FILE), ignore_file, text)


def _rules(folder: Path, own: str) -> tuple[str, Rules]:
    """Read the ignore file of the Dockerfile, or else the folder's."""
    for path in (Path(own) if own else None, folder / IGNORE_FILE):
        if path is None or not path.exists():
            continue
        text = read_regular(path, LARGEST_BYTES).decode("utf-8", "surrogateescape")
        name = str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
        try:
            return name, read(text)
        except IgnoreMalformed as malformed:
            what = f"error checking context: {malformed.what}"
            raise ContextRefused(
                what, why=f"{name}, {malformed.why}", try_next=malformed.try_next
            ) from malformed
    return "", Rules()


def read_regular(path: Path, most: int) -> bytes:
    """Read a regular file of at most `most` bytes; raises ContextRefused.

    A pipe is not waited for.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        reason = (error.strerror or "").lower()
        what = f"unable to prepare context: open {path}: {reason}"
        raise ContextRefused(what, why=_WHY, try_next=f"ls -l {path}") from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            what = f"unable to prepare context: {path} is no regular file"
            raise ContextRefused(what, why="it is read whole", try_next=f"ls -l {path}")
        text = file.read(most + 1)
    if len(text) > most:
        what = f"unable to prepare context: {path} has more than {most} bytes"
        raise ContextRefused(what, why="it is read whole", try_next="shorten it")
    return text


def cannot_read(error: OSError, path: Path) -> ContextRefused:
    """Tell as docker does that a part of the folder cannot be read."""
    if error.errno in (errno.EACCES, errno.EPERM):
        what = f"error checking context: no permission to read from '{path}'"
    else:
        what = f"error checking context: {(error.strerror or '').lower()}: {path}"
    return ContextRefused(
        what,
        why="whatever is not ignored is sent, so it must be readable",
        try_next="chmod it, or name it in .dockerignore",
    )
