"""What the daemon does of a plan itself, before there is a shim: accounts, and the root.

Each deed pushes its undoing on a stack; whoever gives up unwinds it.
"""

import errno
import os
from contextlib import ExitStack

from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call
from pyminidock.kernel.glass import hearing
from pyminidock.kernel.linux import cgroups, devices, overlay
from pyminidock.kernel.watch import hearing as watched


def do(call: Call, undo: ExitStack) -> int:
    """Perform one call; give a handle on the root, if it made one, else -1.

    Raises OSError, with EINVAL for what only a shim or a child can do.
    """
    match call:
        case calls.MakeCgroup(path):
            if cgroups.make(path):
                undo.callback(cgroups.remove, path)
        case calls.LimitCgroup(path, file, value):
            cgroups.limit(path, file, value)
        case calls.FilterDevices(path, program):
            devices.filter_devices(path, program)
        case calls.RemoveCgroup(path):
            cgroups.remove(path)
        case calls.PrepareOverlay(lower, upper, work, flags, glass) if glass:
            handle = hearing.start(lower, upper, work, flags, glass)
            undo.callback(os.close, handle)
            return handle
        case calls.PrepareOverlay(_, _, _, _, _, watch) if watch:
            handle = watched.start(call)
            undo.callback(watched.end, watch)
            undo.callback(os.close, handle)
            return handle
        case calls.PrepareOverlay(lower, upper, work, flags):
            handle = overlay.prepare(lower, upper, work, flags)
            undo.callback(os.close, handle)
            return handle
        case _:
            raise OSError(errno.EINVAL, "only a shim or a child can do this")
    return -1
