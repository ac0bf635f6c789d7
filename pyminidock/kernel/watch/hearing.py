"""The engine's end: starts the watcher of a container, and hears what it tells.

Source: kernel.watch.line has the words; man 7 unix.
"""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple
from typing import Any

from pyminidock.events import Event
from pyminidock.events.journal import record_kinds
from pyminidock.kernel.calls import PrepareOverlay
from pyminidock.kernel.glass.hearing import Hearing, connect_to, layer_name, listen
from pyminidock.kernel.linux import overlay
from pyminidock.kernel.linux.guard import SOCKET

LINE = "watch.sock"
PATIENCE_S = 30.0
_BUSY_S = 2.0  # the last run of the same container may just be letting go of its layers
_MOMENT_S = 0.02


def start(call: PrepareOverlay) -> int:
    """Stack these layers, with somebody who watches; give a handle on the detached tree.

    What happens is heard at a socket in the directory `call.watch`.  Raises OSError.
    """
    end(call.watch)
    lower, upper, work, flags, _, directory, is_told = astuple(call)
    if is_told:
        handle = overlay.prepare(lower, upper, work, flags)
    else:
        handle = _stacked(lower, upper, work, flags)
    try:
        _run(handle, lower, upper, directory, is_told=is_told)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _stacked(lower: Sequence[str], upper: str, work: str, flags: Sequence[str]) -> int:
    """Stack them so that the kernel can give handles on directories, if it lets us.

    An upper directory that was stacked over other layers before is refused (ESTALE).
    """
    late = time.monotonic() + _BUSY_S
    while True:
        try:
            return overlay.prepare(lower, upper, work, flags, has_handles=bool(upper))
        except OSError as refusal:
            if refusal.errno == errno.EBUSY and time.monotonic() < late:
                time.sleep(_MOMENT_S)
                continue
            return overlay.prepare(lower, upper, work, flags)


def _run(
    handle: int, lower: Sequence[str], upper: str, directory: str, *, is_told: bool
) -> None:
    line = listen(directory, LINE)
    guards = listen(directory, os.fsdecode(SOCKET)) if is_told else None
    tree = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=handle)
    order = {
        "lower": list(lower), "upper": upper, "tree": tree, "line": line.fileno(),
        "names": ["upper"] * bool(upper) + [*map(layer_name, lower)],
        "engine": os.getpid(), "guards": guards.fileno() if guards else -1,
    }  # fmt: skip
    watcher = [
        sys.executable,
        "-I",
        "-X",
        "utf8",
        "-m",
        "pyminidock.kernel.watch.container",
    ]
    try:
        ended = subprocess.run(  # noqa: S603  (this interpreter, our own module)
            watcher, input=json.dumps(order), text=True, check=False,
            pass_fds=(tree, line.fileno(), *([guards.fileno()] if guards else [])),
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        os.close(tree)
        line.close()
        if guards:
            guards.close()
    if ended.returncode:
        number = ended.returncode if ended.returncode > 0 else errno.EIO
        raise OSError(number, os.strerror(number))


def connect(directory: str, patience_s: float = PATIENCE_S) -> Hearing | None:
    """Find the watcher of a container, once it is there; None if it does not come."""
    return connect_to(directory, LINE, patience_s)


def end(directory: str) -> None:
    """Let the watcher of an earlier run go, and wait until it is gone."""
    heard = connect(directory, 0.0)
    if heard is None:
        return
    heard.say("end")
    late = time.monotonic() + _BUSY_S
    while not heard.is_over and time.monotonic() < late:
        heard.hear(_MOMENT_S)
    heard.close()


def events(record: dict[str, Any]) -> Iterator[Event]:
    """Read what a watcher told.

    >>> for event in events({"events": [["layer.probed", {
    ...     "path": "/motd", "layer": "upper", "answer": "absent"}]]}):
    ...     print(event.path, event.layer, event.answer)
    /motd upper absent
    """
    for kind, data in record["events"]:
        fields = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in data.items()
        }
        with suppress(TypeError):  # an older watcher that a newer engine has adopted
            yield record_kinds()[kind](**fields)
