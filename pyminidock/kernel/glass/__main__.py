"""`minidock glass-mount NAME DIR -o …`: one union, mounted by itself.

    you ── fork ─► server ── mount, first question answered ── "ready" ─► you are back
                      │
                      └── serves until `umount DIR`, or until a SIGTERM, which unmounts it

Told with `--foreground` it stays, for debuggers and for those who watch their children.
"""

import errno
import itertools
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from pyminidock.errors import MinidockError
from pyminidock.kernel.glass import mounting, options
from pyminidock.kernel.glass.loop import Ended
from pyminidock.kernel.glass.serving import Union


def main(words: list[str]) -> NoReturn:
    """Mount what the words say: NAME, DIR, options, and perhaps --foreground."""
    name, place, given, *others = words
    try:
        wanted = options.read(given)
        if "--foreground" in others:
            _serve(wanted, name, place, lambda: None)
            sys.exit(0)
        _in_the_background(wanted, name, place)
    except MinidockError as refusal:
        sys.exit(f"glass-mount: {refusal.what}\n  why: {refusal.why}")
    except OSError as refusal:
        sys.exit(f"glass-mount: {name} on {place}: {refusal.strerror or refusal}")


def _in_the_background(wanted: options.Options, name: str, place: str) -> NoReturn:
    """Serve from a process of its own; this one ends when the mount is there."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    if os.fork():
        os.close(writing)
        with os.fdopen(reading) as answer:
            said = answer.read()
        sys.exit(0 if said == "ready" else said or "glass-mount: the server ended")
    os.close(reading)
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)

    def ready() -> None:
        for stream in range(3):
            os.dup2(nothing, stream)
        os.write(writing, b"ready")
        os.close(writing)

    try:
        _serve(wanted, name, place, ready)
    except OSError as refusal:
        text = f"glass-mount: {name} on {place}: {refusal.strerror or refusal}"
        with suppress(OSError):
            os.write(writing, text.encode())
        os._exit(1)
    os._exit(0)


def _serve(
    wanted: options.Options, name: str, place: str, ready: Callable[[], None]
) -> None:
    _refuse_overlap([*wanted.lower, *filter(None, (wanted.upper, wanted.work))])
    place = os.path.realpath(place)
    device = mounting.open_device()
    union = Union(wanted, device)
    mount = mounting.prepare(device, name, wanted.flags)
    mounting.attach(mount, place)
    os.close(mount)

    def leave(_number: int, _frame: object) -> None:
        with suppress(OSError):
            mounting.detach(place)
        union.loop.end()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    ready()
    with suppress(Ended):
        union.serve()


def _refuse_overlap(places: list[str]) -> None:
    """Refuse a directory that is another one of the same union, or lies in it.

    Raises OSError: ELOOP, as overlayfs does.
    """
    real = sorted(os.path.realpath(place) + "/" for place in places)
    for one, other in itertools.pairwise(real):
        if other.startswith(one):
            raise OSError(errno.ELOOP, f"{other} is in {one}: one would change the other")


if __name__ == "__main__":
    main(sys.argv[1:])
