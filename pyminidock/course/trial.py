"""Trying an image out: in a container of our own, which is gone when the answer is there.

Such containers are called `course-check-…`, carry a label and have no network.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer

from pyminidock.client.attach import STDOUT, Attached, frames
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused

CHECK = "course-check-"
"""How the names of containers begin that a look makes for itself."""

LABEL = "org.pyminidock.course"
PATIENCE_S = 10.0  # for a program that a condition runs
_KILLED = 128 + 9
STOP_S = 3  # what `stops` waits until it kills: far above "at once", far below a yawn


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a program: what it printed, and how it ended."""

    output: str
    exit_code: int
    refusal: str = ""  # why it never began
    words: tuple[str, ...] = ()  # what was started, as inspect tells it
    story: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a container ended when it was asked to."""

    seconds: float
    exit_code: int
    output: str


def run(client: Client, image: str, words: Sequence[str], **more: object) -> Ran:
    """Run `image` with `words`, wait, and remove the container.

    What it prints is kept, both streams in the order in which they came.  A program that
    does not end is killed after PATIENCE_S.  `more` goes into the body of create.
    """
    body = {
        "Image": image, "Cmd": list(words) or None, "AttachStdout": True,
        "AttachStderr": True, "Labels": {LABEL: "check"},
        "HostConfig": {"NetworkMode": "none"}, **more,
    }  # fmt: skip
    try:
        id = client.create(body, _fresh_name())
    except Refused as refusal:
        if refusal.status == 404:
            raise
        return Ran("", 125, refusal.what)
    story = f"run-{id[:12]}"
    try:
        told = client.inspect(id)
        started = (str(told["Path"]), *map(str, told["Args"]))
        with client.attach(id) as streams:
            try:
                client.start(id)
            except Refused as refusal:
                return Ran("", 127, refusal.what, started, story)
            output = _read(client, id, streams)
        return Ran(output, client.wait(id), words=started, story=story)
    finally:
        client.remove(id, force=True, volumes=True)


def _read(client: Client, id: str, streams: Attached) -> str:
    """Read to the end of the output; a program that does not end is killed."""

    def end() -> None:
        with suppress(Refused):
            client.kill(id)

    timer = Timer(PATIENCE_S, end)
    timer.start()
    pieces: list[bytes] = []
    try:
        while piece := streams.read():
            if piece[0] >= STDOUT and sum(map(len, pieces)) < _MOST_BYTES:
                pieces.append(piece[1])
    finally:
        timer.cancel()
    return b"".join(pieces).decode("utf-8", errors="replace")


_MOST_BYTES = 1 << 16
_SETTLES_S = 1.0  # a program that wants to be stopped should still run then
_STILL_S = 0.2  # what has been said by then is all for now: most have set their traps


def stop_one(client: Client, image: str) -> Stopped | None:
    """Start a container, ask it to end, take the time; None if it ended before.

    A program may greet first and set its traps later, and as process 1 it never hears a
    signal that came before.  So one that had to be killed is tried again, more patiently.
    """
    stopped = _stopped(client, image, _STILL_S)
    if stopped is None or stopped.exit_code != _KILLED:
        return stopped
    return _stopped(client, image, _SETTLES_S)


def _stopped(client: Client, image: str, still_s: float) -> Stopped | None:
    body = {
        "Image": image, "Labels": {LABEL: "check"}, "HostConfig": {"NetworkMode": "none"},
    }  # fmt: skip
    id = client.create(body, _fresh_name())
    try:
        client.start(id)
        _settle(client, id, still_s)
        if not client.inspect(id)["State"]["Running"]:
            return None
        begun = time.monotonic()
        client.life.stop(id, seconds=STOP_S)
        seconds = time.monotonic() - begun
        output = b"".join(data for _, data in _logs(client, id))
        return Stopped(
            seconds, int(client.inspect(id)["State"]["ExitCode"]),
            output.decode("utf-8", errors="replace"),
        )  # fmt: skip
    finally:
        client.remove(id, force=True, volumes=True)


def _settle(client: Client, id: str, still_s: float) -> None:
    """Wait until it has printed something and then nothing more for `still_s` seconds.

    One that prints nothing is given _SETTLES_S in all, one that never stops printing twice.
    """
    begun, since, said = time.monotonic(), time.monotonic(), 0
    while (now := time.monotonic()) - begun < (2 if said else 1) * _SETTLES_S:
        if (heard := len(_logs(client, id))) > said:
            since, said = now, heard
        if said and now - since >= still_s:
            return
        time.sleep(0.02)


def _logs(client: Client, id: str) -> list[tuple[int, bytes]]:
    return list(frames(client.life.logs(id, {"stdout": "1", "stderr": "1"})))


def _fresh_name() -> str:
    return f"{CHECK}{time.time_ns():x}"
