"""WORKDIR: the directory exists afterwards, and where it did before there is no new layer.

Source: moby, builder/dockerfile/dispatchers.go: dispatchWorkdir.
"""

import stat

from pyminidock.build.bench import Bench
from pyminidock.build.copying import CopyRefused, no_way, refuse_another, way_to
from pyminidock.build.placing import NewTree
from pyminidock.build.stage import Standing
from pyminidock.layers.merged import Merged
from pyminidock.store.layers import LayerRow


def make_directory(bench: Bench, standing: Standing, path: str) -> LayerRow | None:
    """Let a directory exist, root's and 0755; None if the image has it.

    Raises CopyRefused where something else is in the way.
    """
    with bench.workplace() as work, Merged(bench.trees(standing)) as below:
        tree = work / "diff"
        tree.mkdir(0o755)
        tree.chmod(0o755)
        try:
            target = way_to(path, below)
            status = below.lstat(target)
        except OSError as fault:
            refuse_another(fault)
            raise _refused(no_way(path, below, fault)) from fault
        if status is not None and not stat.S_ISDIR(status.st_mode):
            raise _refused(f"Cannot mkdir: {path} is not a directory")
        with NewTree(tree, below, emit=bench.emit) as new:
            new.directory(target)
        return bench.layer_of(standing, tree)


def _refused(what: str) -> CopyRefused:
    return CopyRefused(
        what,
        why="WORKDIR makes the directory, and something else is in its way",
        try_next="choose another directory",
        lesson="dockerfile",
    )
