"""One union, served until it is unmounted.

    layers, upper, work ──► stack of disks ──► tree ──► reading, writing ──► loop

Source: Documentation/filesystems/overlayfs.rst, "Upper and Lower".
"""

import gc
import os
import resource

from pyminidock.kernel.glass.disk import Disk
from pyminidock.kernel.glass.loop import Loop
from pyminidock.kernel.glass.options import Options
from pyminidock.kernel.glass.reading import Reading
from pyminidock.kernel.glass.readonly import refusing
from pyminidock.kernel.glass.tree import Tree
from pyminidock.kernel.glass.upper import Upper
from pyminidock.kernel.glass.writing import Writing
from pyminidock.kernel.linux import userns
from pyminidock.unionfs.branches import Stack
from pyminidock.unionfs.whiteout import TRUSTED, USER


class Union:
    """A union that answers at a descriptor of /dev/fuse."""

    def __init__(self, wanted: Options, device: int, names: tuple[str, ...] = ()) -> None:
        """Open the layers.  `names` are those of events, topmost first.  Raises OSError."""
        os.umask(0)  # the kernel has applied that of who asked
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        spelling = USER if wanted.userxattr or userns.is_single_user() else TRUSTED
        places = ((wanted.upper,) if wanted.upper else ()) + wanted.lower
        disks = [
            Disk(
                place, names[at] if names else _name(place, at, wanted), spelling,
                is_upper=bool(wanted.upper) and at == 0,
            )
            for at, place in enumerate(places)
        ]  # fmt: skip
        for disk in disks:
            disk.has_metacopies = wanted.metacopy
        stack = Stack(tuple(disks), bool(wanted.upper), wanted.redirects, wanted.metacopy)
        self.tree = Tree(stack, disks)
        self.loop = Loop(device)
        reading = Reading(self.tree, self.loop, has_lists=wanted.acl)
        self.loop.performs = reading.performs()
        self.writing: Writing | None = None
        if wanted.upper:
            upper = Upper(disks, wanted.work)
            self.writing = Writing(self.tree, reading, upper, self.loop)
            self.loop.performs |= self.writing.performs()
        else:
            self.loop.performs |= refusing(reading)

    def serve(self) -> None:
        """Answer until the filesystem is unmounted."""
        gc.collect()
        gc.freeze()
        try:
            self.loop.run()
        finally:
            if self.writing is not None:
                self.writing.ahead.close()


def _name(place: str, at: int, wanted: Options) -> str:
    """Name a layer in events: the upper one so, the others as their directories."""
    return "upper" if wanted.upper and at == 0 else place
