"""How fast the engine is, and how small, side by side with everything else on this machine.

    python -m tests.bench [--only births|images|memory|wire|bridge|logs|films|union]
                          [--race WORD] [--runs 40] [--ground tmpfs|ext4] [--json FILE]

    births    a container from start to exit, and what stays of it meanwhile
    images    builds, loads and commits, beside Docker's classic builder and BuildKit
    memory    what the engine takes for large files, and for many
    wire      the same through the socket: raw API, SDK, stock CLI, exec, many at once
    bridge    the same on the default bridge, and how fast packets travel there
    logs      output that becomes a log, and a log that is read
    films     long stories as frames for a player
    union     glass, beside the kernel's overlayfs and fuse-overlayfs

Quote ratios of medians, not milliseconds.  The end status says whether all goals hold.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import births, bridge, films, images, logs, memory, unions, wire
from tests.bench.ground import KINDS, enter_own_mounts, ground
from tests.bench.show import Verdict, judge, write

PARTS = ("births", "images", "memory", "wire", "bridge", "logs", "films", "union")


def main() -> int:  # noqa: PLR0915  (one paragraph for each part)
    """Measure, print the tables, and say whether the goals hold."""
    asked = _asked()
    enter_own_mounts()
    verdicts: list[Verdict] = []
    told: dict[str, Any] = {}
    if "births" in asked.only:
        born = births.measure(asked.runs)
        births.show(born)
        verdicts += births.verdicts(born)
        told |= asdict(born)
    if "images" in asked.only:
        with ground(asked.ground) as place:
            results = images.measure(place, asked.race)
        images.show(results)
        verdicts += images.verdicts(results)
        told["images"] = [
            (each.race, each.contender.name, each.ms) for race in results for each in race
        ]
    if "memory" in asked.only:
        with ground(asked.ground) as place:
            points = memory.curves(place)
        memory.show(points)
        verdicts += memory.verdicts(points)
        told["memory"] = [asdict(point) for point in points]
    if "wire" in asked.only:
        with ground(asked.ground) as place:
            over = wire.measure(place, asked.race)
        wire.show(over)
        verdicts += wire.verdicts(over)
        told["wire"] = [(each.race.name, each.ms) for each in over.results]
    if "bridge" in asked.only:
        with ground(asked.ground) as place:
            bridged = bridge.measure(place, asked.race)
        bridge.show(bridged)
        verdicts += bridge.verdicts(bridged)
        told["bridge"] = [(each.race.name, each.ms) for each in bridged]
    if "logs" in asked.only:
        with ground(asked.ground) as place:
            rates = logs.measure(place)
        logs.show(rates)
        verdicts += logs.verdicts(rates)
        told["logs"] = rates.rates
    if "films" in asked.only:
        filmed = films.measure()
        films.show(filmed)
        verdicts += films.verdicts(filmed)
        told["films"] = [asdict(point) for point in filmed]
    if "union" in asked.only:
        with ground(asked.ground) as place:
            union = unions.measure(place)
        unions.show(union)
        verdicts += unions.verdicts(union)
        told["union"] = asdict(union)
    write("")
    if asked.json:
        asked.json.write_text(json.dumps(told))
    return 0 if judge(verdicts) else 1


def _asked() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument(
        "--runs", type=int, default=40, help="births: rounds, after two to warm up"
    )
    options.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options.add_argument(
        "--race", default="", help="images, wire, bridge: only races with this word"
    )
    options.add_argument("--ground", choices=KINDS, default=KINDS[0])
    options.add_argument("--json", type=Path, help="write the figures there too")
    return options.parse_args()


if __name__ == "__main__":
    sys.exit(main())
