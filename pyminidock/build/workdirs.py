"""WORKDIR: the directory exists afterwards, and where it did before there is no new layer.

Source: moby, builder/dockerfile/dispatchers.go: dispatchWorkdir.
"""

import errno
import stat

from pyminidock.build.bench import Bench
from pyminidock.build.copying import CopyRefused, first_below_a_file, no_way
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
            target = below.resolve(path)
            status = below.lstat(target)
            if status is not None and not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError
            with NewTree(tree, below, emit=bench.emit) as new:
                new.directory(target)
        except OSError as fault:
            if fault.errno not in (errno.ELOOP, errno.ENOTDIR, None):
                raise
            is_there = (
                fault.errno != errno.ELOOP and first_below_a_file(path, below) == path
            )
            raise CopyRefused(
                f"Cannot mkdir: {path} is not a directory"
                if is_there
                else no_way(path, below, fault),
                why="WORKDIR makes the directory, and something else has its name",
                try_next="choose another directory",
                lesson="dockerfile",
            ) from fault
        return bench.layer_of(standing, tree)
