"""How small files of a simulated root are read, as the container would see them."""

from collections.abc import Mapping, Sequence

from pyminidock.kernel.model.tree import Node, walk
from pyminidock.kernel.port import UnreadableFile

LARGEST_LOOK = 1 << 20  # bytes


def look(
    trees: Mapping[str, Mapping[str, Node]], upper: str, paths: Sequence[str]
) -> Mapping[str, bytes]:
    """Read the files at `paths` of the one tree here, or of what `upper` made of it.

    Raises UnreadableFile.
    """
    tree = f"overlay {upper}" if f"overlay {upper}" in trees else "image"
    found = {}
    for path in paths:
        node = _find(trees[tree], path)
        if node is None:
            continue
        if node.kind != "file" or len(node.content) > LARGEST_LOOK:
            raise UnreadableFile(
                f"{path} cannot be read as text",
                why="only regular files of up to 1 MiB are read",
                try_next=f"ls -l {path}",
                lesson="users",
            )
        found[path] = node.content
    return found


def _find(tree: Mapping[str, Node], path: str) -> Node | None:
    rows = (_WholeTree(),)
    try:
        return walk(rows, {"": tree}, "/", path).node
    except (FileNotFoundError, NotADirectoryError):
        return None


class _WholeTree:
    """One tree, mounted as the root."""

    target, root, tree = "/", "/", ""
