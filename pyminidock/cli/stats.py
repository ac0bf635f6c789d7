"""`minidock stats`: what containers use, every second.

    processor   what it used since the look before, as a share of what all could have used
    memory      what it holds, without pages of files that nobody needs at the moment

Source: docker/cli, cli/command/container/stats.go and stats_helpers.go.
"""

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from pyminidock.cli.failures import exit_code, tell
from pyminidock.cli.human import binary_size, size
from pyminidock.cli.tables import show
from pyminidock.cli.terminal import only_listening
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.errors import MinidockError
from pyminidock.grammar.names import short_id

_TABLE = ("table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t"
          "{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}")  # fmt: skip
_HEADINGS = {
    "ID": "CONTAINER ID", "Container": "CONTAINER", "Name": "NAME", "CPUPerc": "CPU %",
    "MemUsage": "MEM USAGE / LIMIT", "MemPerc": "MEM %", "NetIO": "NET I/O",
    "BlockIO": "BLOCK I/O", "PIDs": "PIDS",
}  # fmt: skip
_CLEAR = "\033[2J\033[H"
_BETWEEN_S = 0.5
_UNKNOWN = {
    "CPUPerc": "--", "MemUsage": "-- / --", "MemPerc": "--", "NetIO": "--", "BlockIO": "--",
    "PIDs": "--", "ID": "--", "Name": "--",
}  # fmt: skip

Row = dict[str, str]


def stats(words: tuple[str, ...], **given: Any) -> int:
    """Show what containers use: those named, or all that run."""
    with connect() as client, only_listening():
        if given["no_stream"]:
            return _once(client, words, given)
        watched: dict[str, Row] = {}
        for name in words:
            client.inspect(name)  # refuses what is not there
        while True:
            names = words or _running(client, is_all=given["all"])
            for name in names:
                _watch(client, name, watched, given)
            click.echo(_CLEAR, nl=False)
            rows = [watched[name] for name in names if name in watched]
            show(rows, given, _TABLE, of="*container.statsContext", heads=_HEADINGS)
            sys.stdout.flush()
            time.sleep(_BETWEEN_S)


def _once(client: Client, words: Sequence[str], given: Mapping[str, Any]) -> int:
    """Look at each once; the engine takes a second for two samples, so at all together."""
    names = words or _running(client, is_all=given["all"])
    found: dict[str, Row] = {}
    refusals: list[MinidockError] = []

    def look(name: str) -> None:
        try:
            for told in client.life.stats(name, follows=False):
                found[name] = row(name, told, is_whole=given["no_trunc"])
        except MinidockError as refusal:
            refusals.append(refusal)

    looks = [threading.Thread(target=look, args=(name,)) for name in names]
    for each in looks:
        each.start()
    for each in looks:
        each.join()
    if not refusals:
        rows = [found[name] for name in names if name in found]
        show(rows, given, _TABLE, of="*container.statsContext", heads=_HEADINGS)
    for refusal in refusals:
        tell(refusal)
    return exit_code(refusals[0]) if refusals else 0


def _running(client: Client, *, is_all: bool) -> list[str]:
    return [short_id(told["Id"]) for told in client.containers(all=is_all)]


def _watch(
    client: Client, name: str, watched: dict[str, Row], given: Mapping[str, Any]
) -> None:
    """Follow one in a thread of its own, until it ends."""
    if name in watched:
        return
    watched[name] = _UNKNOWN | {"Container": name}

    def follow() -> None:
        try:
            for told in client.life.stats(name):
                watched[name] = row(name, told, is_whole=given["no_trunc"])
        except (MinidockError, OSError):
            watched[name] = _UNKNOWN | {"Container": name}

    threading.Thread(target=follow, daemon=True).start()


def row(name: str, told: Mapping[str, Any], *, is_whole: bool) -> Row:
    """Give what is shown of one sample."""
    memory = told["memory_stats"]
    limit = float(memory.get("limit") or 0)
    used = _memory(memory)
    networks = (told.get("networks") or {}).values()
    received, sent = (sum(n[key] for n in networks) for key in ("rx_bytes", "tx_bytes"))
    read, written = _blocks(told["blkio_stats"])
    identifier = told.get("id", "")
    return {
        "Container": name,
        "ID": identifier if is_whole else short_id(identifier),
        "Name": told.get("name", "").removeprefix("/"),
        "CPUPerc": f"{_processor(told):.2f}%",
        "MemUsage": f"{binary_size(used)} / {binary_size(limit)}",
        "MemPerc": f"{used / limit * 100 if limit else 0:.2f}%",
        "NetIO": f"{size(received)} / {size(sent)}",
        "BlockIO": f"{size(read)} / {size(written)}",
        "PIDs": str(told["pids_stats"].get("current") or 0),
    }


def _processor(told: Mapping[str, Any]) -> float:
    """Give the share of one processor that it used between two samples, in hundredths."""
    now, before = told["cpu_stats"], told["precpu_stats"]
    used = now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
    whole = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    processors = now.get("online_cpus") or len(now["cpu_usage"].get("percpu_usage") or ())
    return float(used / whole * processors * 100) if used > 0 and whole > 0 else 0.0


def _memory(memory: Mapping[str, Any]) -> float:
    usage, detail = memory.get("usage") or 0, memory.get("stats") or {}
    for name in ("total_inactive_file", "inactive_file"):
        if name in detail:
            return float(usage - detail[name] if detail[name] < usage else usage)
    return float(usage)


def _blocks(told: Mapping[str, Any]) -> tuple[int, int]:
    """Give the bytes read and written."""
    sums = {"r": 0, "w": 0}
    for each in told.get("io_service_bytes_recursive") or ():
        letter = each["op"][:1].lower()
        if letter in sums:
            sums[letter] += each["value"]
    return sums["r"], sums["w"]


STATS = Verb(
    "stats", stats, help="Show what containers use.",
    params=[
        switch("--all", "-a", help="those too that do not run"),
        text("--format", help="json, table …, or a template", metavar="TEMPLATE"),
        switch("--json", help="each row as JSON"),
        switch("--no-stream", help="once"),
        switch("--no-trunc", help="ids whole"),
    ],
    usage="[CONTAINER…]",
)  # fmt: skip
