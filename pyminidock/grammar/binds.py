"""A tree from elsewhere, as `-v` spells it: `[SOURCE:]TARGET[:MODE]`.

    /x               a volume without a name, at /x
    data:/x:ro       the volume `data`, for reading
    /srv:/x:rshared  the host's tree /srv

The messages are Docker's, and so is the order in which faults are found.

Source: moby, volume/mounts/linux_parser.go, ParseMountRaw(), and volume/service/store.go.
"""

import posixpath
import re
from dataclasses import dataclass

from pyminidock.errors import MinidockError

_PROPAGATIONS = ("private", "rprivate", "slave", "rslave", "shared", "rshared")
_CLASSES = (
    ("rw", "ro"), ("z", "Z"), ("consistent", "cached", "delegated", "default"),
    _PROPAGATIONS, ("nocopy",),
)  # fmt: skip
_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Bind:
    """One `-v`, decided."""

    source: str  # a host path or a volume's name; empty: a volume without a name
    target: str  # cleaned
    mode: str = ""

    @property
    def is_of_host(self) -> bool:
        """Say whether a tree of the host is shown, and no volume."""
        return self.source.startswith("/")

    @property
    def is_writable(self) -> bool:
        """Say whether it can be written to."""
        return "ro" not in self.mode.split(",")

    @property
    def propagation(self) -> str:
        """Give how mounts spread; empty for volumes."""
        words = [word for word in self.mode.split(",") if word in _PROPAGATIONS]
        return words[0] if words else ("rprivate" if self.is_of_host else "")


class BindMalformed(MinidockError):
    """The words are no `-v`."""

    status = 500  # Docker's own answer


class VolumeNameRefused(MinidockError):
    """No volume can have this name."""

    status = 400


def parse_bind(text: str) -> Bind:
    """Read one `-v`.  Raises BindMalformed, VolumeNameRefused.

    >>> parse_bind("/srv:/x/:ro")
    Bind(source='/srv', target='/x', mode='ro')
    >>> parse_bind("a:b:c:d")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.binds.BindMalformed: invalid volume specification: 'a:b:c:d'
    """
    parts = text.split(":")
    if len(parts) > 3 or parts[0] == "":
        raise _malformed(f"invalid volume specification: '{text}'")
    if len(parts) == 1:
        bind = Bind("", parts[0])
    elif len(parts) == 2 and not parts[1].startswith("/") and _is_mode(parts[1]):
        bind = Bind("", parts[0], parts[1])
    else:
        bind = Bind(*parts)
        if bind.mode and not _is_mode(bind.mode):
            raise _malformed(f"invalid mode: {bind.mode}")
    return _checked(bind, text)


def _checked(bind: Bind, text: str) -> Bind:
    kind = "bind" if bind.is_of_host else "volume"
    fault = ""
    if not bind.target.startswith("/"):
        fault = f"invalid mount path: '{bind.target}' mount path must be absolute"
    elif posixpath.normpath(bind.target).strip("/") == "":
        fault = "invalid specification: destination can't be '/'"
    elif kind == "volume" and any(w in _PROPAGATIONS for w in bind.mode.split(",")):
        fault = "field BindOptions must not be specified"
    if fault:
        raise _malformed(
            f"invalid volume specification: '{text}': "
            f'invalid mount config for type "{kind}": {fault}'
        )
    if kind == "volume" and bind.source:
        check_volume_name(bind.source)
    return Bind(bind.source, clean(bind.target), bind.mode)


def clean(path: str) -> str:
    """Give a path without dots and double slashes.

    >>> clean("//a/../b/")
    '/b'
    """
    return posixpath.normpath("/" + path.lstrip("/"))


def check_volume_name(name: str) -> None:
    """Refuse a name that no volume can have.  Raises VolumeNameRefused."""
    if len(name) < 2:
        what = (
            f"create {name}: volume name is too short, names should be at least two "
            "alphanumeric characters"
        )
    elif not _VOLUME_NAME.fullmatch(name):
        what = (
            f'create {name}: "{name}" includes invalid characters for a local volume '
            'name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass '
            "a host directory, use absolute path"
        )
    else:
        return
    raise VolumeNameRefused(
        what,
        why="what does not begin with a slash is the name of a volume",
        try_next="docker run --tmpfs /data busybox true",
        lesson="volumes",
    )


def _is_mode(text: str) -> bool:
    """Say whether each word is a known one, and no two decide the same."""
    words = text.split(",")
    known = all(any(word in group for group in _CLASSES) for word in words)
    return known and all(sum(w in group for w in words) <= 1 for group in _CLASSES)


def _malformed(what: str) -> BindMalformed:
    return BindMalformed(
        what,
        why="a tree is [SOURCE:]TARGET[:MODE], the source a path of the host or the name "
        "of a volume, the target an absolute path inside",
        try_next="docker run --volume data:/data busybox true",
        lesson="volumes",
    )
