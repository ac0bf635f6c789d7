"""The union of one container: started for it, heard by the engine, gone with it.

    engine ── starts ─► forks ─► serves /dev/fuse, tells on a line of its own
                          └ ends, so the engine waits for nobody it could lose

It ends when its filesystem does: that lives as long as the container's mount namespace, and
ends with it.  So an engine may come and go, and the container sees nothing of it.

Descriptors come from the engine: the device, and a socket that listens; on standard input
the layers, as JSON.
"""

import json
import os
import socket
import sys

from pyminidock.kernel.glass.options import Options
from pyminidock.kernel.glass.serving import Union
from pyminidock.kernel.glass.telling import Telling
from pyminidock.kernel.linux.proc import name_process


def main() -> None:
    """Serve one container; the errno of what went wrong is the exit code."""
    order = json.load(sys.stdin)
    wanted = Options(tuple(order["lower"]), order["upper"], order["work"])
    try:
        union = Union(wanted, order["device"], tuple(order["names"]))
    except OSError as refusal:
        sys.exit(refusal.errno or 1)
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    name_process(b"minidock-glass")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    Telling(union.tree, union.loop, socket.socket(fileno=order["line"])).begin()
    union.serve()
    os._exit(0)


if __name__ == "__main__":
    main()
