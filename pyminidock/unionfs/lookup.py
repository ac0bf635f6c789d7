"""How a stack of layers looks like one directory tree.

An overlay mount copies nothing to build its merged view.  When a program names a path,
the kernel walks it one component at a time and, for each component, asks the layers from
the top down: "do you have this?"  A plain directory keeps the questions going, because
directories merge.  Three answers end them:

* a file hides everything of that name below it;
* a whiteout says "deleted here", so the layers below are never asked;
* an opaque directory says "mine alone": it joins, what lies below does not.

Only the layers that make up a directory are asked about its children.  That one rule is
the whole union filesystem.  Layers are mappings in memory and nothing here touches a disk,
so the same code explains a real mount, serves a simulated one and runs in a browser.

Source: Linux, fs/overlayfs/namei.c, ovl_lookup() and ovl_lookup_single().
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pyminidock.errors import MinidockError
from pyminidock.events import Emit, LayerProbed, PathResolved, ignore


class Kind(Enum):
    """What one layer holds under one path."""

    FILE = "file"  # or symlink, device, socket: whatever cannot merge
    DIRECTORY = "directory"
    OPAQUE = "opaque directory"  # OCI: holds .wh..wh..opq; overlayfs: xattr opaque=y
    WHITEOUT = "whiteout"  # OCI: .wh.NAME; overlayfs: character device 0:0


@dataclass(frozen=True, slots=True)
class Layer:
    """One read-only tree: absolute path to kind.  The root is implied."""

    name: str
    entries: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a path comes from: `layers` topmost first, none if it is absent."""

    path: str
    kind: Kind | None
    layers: tuple[Layer, ...] = ()
    deleted_by: Layer | None = None  # whose whiteout hid the path or a parent

    def __str__(self) -> str:
        if self.kind is not None:
            names = " + ".join(layer.name for layer in self.layers)
            return f"{self.path} is a {self.kind.value} from {names}"
        reason = (
            f"whiteout in {self.deleted_by.name}" if self.deleted_by else "no layer has it"
        )
        return f"{self.path} does not exist: {reason}"


class PathNotCanonical(MinidockError):
    """The path was relative, or held an empty, "." or ".." component."""

    status = 400


def lookup(stack: Sequence[Layer], path: str, *, emit: Emit = ignore) -> Resolution:
    """Find `path` in the merged view of `stack`, topmost layer first.

    A path that does not exist is an answer, not an error.  Symlinks are not followed: the
    VFS does that, one storey up.  Costs at most one probe per path component and layer.
    Raises PathNotCanonical before any event.

    >>> base = Layer("base", {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.FILE})
    >>> top = Layer("top", {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.WHITEOUT})
    >>> print(lookup([top, base], "/etc"))
    /etc is a directory from top + base
    >>> print(lookup([top, base], "/etc/motd", emit=print))
    LayerProbed(path='/etc', layer='top', answer='directory')
    LayerProbed(path='/etc', layer='base', answer='directory')
    LayerProbed(path='/etc/motd', layer='top', answer='whiteout')
    PathResolved(path='/etc/motd', layers=())
    /etc/motd does not exist: whiteout in top
    """
    found = Resolution("/", Kind.DIRECTORY, tuple(stack))
    for step in _steps(path):
        if found.kind is not Kind.DIRECTORY:  # a file has no children
            found = Resolution(path, None, deleted_by=found.deleted_by)
            break
        found = _ask(found.layers, step, emit)
    emit(PathResolved(path, tuple(layer.name for layer in found.layers)))
    return found


def _steps(path: str) -> Iterator[str]:
    """Check the whole path, then yield it one name longer each time: /a, then /a/b."""
    if path == "/":
        return
    root, *names = path.split("/")
    if root or not names or any(name in ("", ".", "..") for name in names):
        raise PathNotCanonical(
            f"cannot look up {path!r}",
            why="a lookup starts at the root and goes down one name at a time",
            try_next=f"posixpath.normpath('/' + {path!r})",
            lesson="union-filesystem",
        )
    for depth in range(1, len(names) + 1):
        yield "/" + "/".join(names[:depth])


def _ask(layers: Sequence[Layer], path: str, emit: Emit) -> Resolution:
    """Ask the layers of one directory, top down, for one of its children."""
    merged: list[Layer] = []
    for layer in layers:
        kind = layer.entries.get(path)
        emit(LayerProbed(path, layer.name, kind.value if kind else "absent"))
        match kind:
            case None:
                continue
            case Kind.DIRECTORY:
                merged.append(layer)
            case Kind.OPAQUE:
                merged.append(layer)
                break
            case Kind.FILE if not merged:
                return Resolution(path, Kind.FILE, (layer,))
            case Kind.WHITEOUT if not merged:
                return Resolution(path, None, deleted_by=layer)
            case _:  # a file or whiteout below a directory: the merge ends here
                break
    return Resolution(path, Kind.DIRECTORY if merged else None, tuple(merged))
