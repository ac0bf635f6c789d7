"""Build, let builds fail in every way, abort some, and say what is left.

Run in namespaces of its own (`tests.edge.private`).  Arguments: how many builds, how many
failing ones.  Standard output is JSON: the names of what came and did not go, how the
memory of the engine and its helpers grew, and how the builds ended.

A failing build is one whose k-th kernel call of a RUN fails, k going over all of them; each
fifth is one of a mistake, a program that fails, and one whose client goes away.
"""

import errno
import io
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from pyminidock.build.options import Options
from pyminidock.build.output import Failed, Message, Text
from pyminidock.engine import build, images, removing
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.recording import Recording
from tests import leaks
from tests.builder import packed
from tests.edge.leak_runs import memory_kib

WARM_UP = 5
KEPT = 80  # builds after which nothing more is kept; every second one uses the cache
ROUND = 20  # builds, and then all images go
GOOD = (
    "FROM busybox AS first\nCOPY app /srv/app\nRUN cp /srv/app /srv/copy\n"
    "FROM busybox\nWORKDIR /srv\nCOPY --from=first /srv/copy .\nENV DONE=yes\n"
)
BAD = ("FROM busybox\nCOPY nothing /\n", "FROM busybox\nRUN exit 3\n",
       "FROM busybox\nRUN echo begun; sleep 1000\n")  # fmt: skip


def one(house: House, dockerfile: str, number: int) -> str:
    """Build once; give how it ended."""
    context = packed({"Dockerfile": dockerfile, "app": f"print({number})\n" * 99})
    options = Options(tags=("made:1",), uses_cache=number % 2 == 0, removes_always=True)
    building = build.start(house, options)
    said: list[Message] = []

    def hear(message: Message) -> None:
        said.append(message)
        if isinstance(message, Text) and "begun\n" in message.text:
            building.cancel()

    try:
        building.begin(io.BytesIO(context))
        building.run(hear)
    except MinidockError as refusal:
        return f"refused: {type(refusal).__name__}"
    messages = [each.message for each in said if isinstance(each, Failed)]
    return messages[0].partition(" ")[0] if messages else "built"


def plan_length(house: House, body: LinuxBody) -> int:
    """Count the calls of a RUN: the first index that no longer makes it fail."""
    low, high = 0, 1024
    while low < high:
        middle = (low + high) // 2
        body.fail_at = (middle, errno.EIO)
        if one(house, GOOD, 1) == "built":
            high = middle
        else:
            low = middle + 1
    body.fail_at = None
    return low


def clear(house: House) -> None:
    """Take all images away but busybox, with what the cache knows."""
    build.prune(house, everything=True)
    for name in house.store.images.names():
        if not name.startswith("docker.io/library/busybox:"):
            removing.remove(house, name, force=True)
    build.prune(house, everything=True)


def main(builds: int, failures: int) -> None:
    """Warm up, look, build, look again."""
    with tempfile.TemporaryDirectory(prefix="minidock-leaks-", dir="/dev/shm") as place:
        root = Path(place)
        body = LinuxBody(root)
        house = House(root, Recording(body))
        images.make(house, "busybox")
        for number in range(WARM_UP):
            for dockerfile in (GOOD, *BAD):
                one(house, dockerfile, number)
        # What repeated builds keep is bounded (32 of them): let it be full before.
        for number in range(KEPT if builds > KEPT else 0):
            one(house, GOOD, number)
        length = plan_length(house, body)
        clear(house)
        engine = (os.getpid(), *leaks.children())

        def take() -> leaks.Snapshot:
            house.recorder.flush()
            seen = leaks.snapshot(
                root, ignore=("journal",), pids=(os.getpid(),), helpers=engine[1:]
            )
            return Counter({
                name: count for name, count in seen.items()
                if not name.startswith("keyring ")
            })  # fmt: skip

        # The shim of the last build ends in its own time: it is nothing to be missed later.
        before, memory = leaks.at_rest(take), sum(map(memory_kib, engine))
        ends, failed = Counter[str](), Counter[str]()
        for number in range(builds):
            ends[one(house, GOOD, number)] += 1
            if number % ROUND == ROUND - 1:
                clear(house)
        for number in range(failures):
            if number % 5 == 4:
                failed[one(house, BAD[number // 5 % len(BAD)], number)] += 1
                continue
            index = number % length if failures >= length else number * length // failures
            body.fail_at = (index, errno.EIO)
            failed[one(house, GOOD, 2 * number + 1)] += 1
            body.fail_at = None
        clear(house)
        left = leaks.settled(before, take)
        lost = [  # what others had in places that all share may go
            name for name in leaks.compare(leaks.at_rest(take), before)
            if not name.startswith(("mount ", "cgroup unified/")) or place in name
        ]  # fmt: skip
        grown = sum(map(memory_kib, engine)) - memory
        house.close()
    json.dump(
        {"left": left, "lost": lost, "grown_kib": grown, "ends": ends, "failed": failed,
         "calls": length},
        sys.stdout,
    )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
