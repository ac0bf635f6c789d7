"""`minidock system df`: what takes which space, and how much of it could be had back.

Source: docker/cli, cli/command/formatter/disk_usage.go.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from pyminidock.cli.human import ago, size
from pyminidock.cli.ps import container_row
from pyminidock.cli.tables import aligned, show
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect
from pyminidock.grammar.names import short_id

_TABLE = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
_HEADINGS = {"Type": "TYPE", "TotalCount": "TOTAL", "Active": "ACTIVE", "Size": "SIZE",
             "Reclaimable": "RECLAIMABLE"}  # fmt: skip
_CACHE = "Build Cache"
_BUSY = ("running", "paused", "restarting")

Told = Mapping[str, Any]
Row = dict[str, str]


def df(words: tuple[str, ...], **given: Any) -> int:
    """Tell what takes which space."""
    with connect() as client:
        told = client.system.disk_usage()
    if given["verbose"]:
        for line in _at_length(told):
            click.echo(line)
        return 0
    rows = [_images(told), _containers(told), _volumes(told), _cache(told)]
    show(rows, given, _TABLE, of="*formatter.diskUsageImagesContext", heads=_HEADINGS)
    return 0


def _row(kind: str, counts: tuple[int, int], whole: float, free: float) -> Row:
    """Show one kind of thing; `counts` are all of them, and those in use."""
    share = f" ({int(free * 100 / whole)}%)" if whole > 0 and kind != _CACHE else ""
    return {
        "Type": kind, "TotalCount": str(counts[0]), "Active": str(counts[1]),
        "Size": size(whole, digits=4), "Reclaimable": size(free, digits=4) + share,
    }  # fmt: skip


def _images(told: Told) -> Row:
    images = told["Images"] or ()
    whole = told.get("LayersSize") or 0
    used = sum(each["Size"] - each["SharedSize"] for each in images
               if each["Containers"] > 0 and each["Size"] != -1
               and each["SharedSize"] != -1)  # fmt: skip
    active = sum(each["Containers"] > 0 for each in images)
    return _row("Images", (len(images), active), whole, whole - used)


def _containers(told: Told) -> Row:
    containers = told["Containers"] or ()
    sizes = [each.get("SizeRw") or 0 for each in containers]
    is_busy = [any(word in each["State"] for word in _BUSY) for each in containers]
    free = sum(taken for taken, busy in zip(sizes, is_busy, strict=True) if not busy)
    return _row("Containers", (len(containers), sum(is_busy)), sum(sizes), free)


def _volumes(told: Told) -> Row:
    volumes = told["Volumes"] or ()
    usage = [each.get("UsageData") or {"RefCount": 0, "Size": 0} for each in volumes]
    whole = sum(each["Size"] for each in usage if each["Size"] != -1)
    free = sum(each["Size"] for each in usage if not each["RefCount"])
    used = sum(each["RefCount"] > 0 for each in usage)
    return _row("Local Volumes", (len(volumes), used), whole, free)


def _cache(told: Told) -> Row:
    kept = told["BuildCache"] or ()
    whole = told.get("BuilderSize") or sum(each["Size"] for each in kept)
    used = sum(each["Size"] for each in kept if each["InUse"] and not each["Shared"])
    in_use = sum(bool(each["InUse"]) for each in kept)
    return _row(_CACHE, (len(kept), in_use), whole, whole - used)


# ── At length ─────────────────────────────────────────────────────────────────────────────


def _at_length(told: Told) -> list[str]:
    now = time.time()
    tables = [
        ("Images space usage:", _image_rows(told, now)),
        ("Containers space usage:", _container_rows(told, now)),
        ("Local Volumes space usage:", _volume_rows(told)),
    ]
    lines: list[str] = []
    for title, rows in tables:
        lines += [title, "", *aligned(["\t".join(row) for row in rows]), ""]
    cache = size(sum(each["Size"] for each in told["BuildCache"] or ()))
    rows = _cache_rows(told, now)
    return [*lines, f"Build cache usage: {cache}", "",
            *aligned(["\t".join(row) for row in rows])]  # fmt: skip


def _image_rows(told: Told, now: float) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE",
                                  "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS")]  # fmt: skip
    for each in told["Images"] or ():
        for name in each["RepoTags"] or ["<none>:<none>"]:
            repository, _, tag = name.rpartition(":")
            rows.append((
                repository, tag, short_id(each["Id"].removeprefix("sha256:")),
                f"{ago(now - each['Created'])} ago", size(each["Size"]),
                size(each["SharedSize"], digits=4),
                size(each["Size"] - each["SharedSize"], digits=4), str(each["Containers"]),
            ))  # fmt: skip
    return rows


def _container_rows(told: Told, now: float) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES",
                                  "SIZE", "CREATED", "STATUS", "NAMES")]  # fmt: skip
    for each in told["Containers"] or ():
        row = container_row(each, now, is_whole=False)
        rows.append((
            row["ID"], row["Image"], row["Command"], row["LocalVolumes"],
            size(each.get("SizeRw") or 0), row["RunningFor"], row["Status"], row["Names"],
        ))  # fmt: skip
    return rows


def _volume_rows(told: Told) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("VOLUME NAME", "LINKS", "SIZE")]
    for each in told["Volumes"] or ():
        usage = each.get("UsageData") or {"RefCount": 0, "Size": 0}
        rows.append((each["Name"], str(usage["RefCount"]), size(usage["Size"])))
    return rows


def _cache_rows(told: Told, now: float) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED",
                                  "USAGE", "SHARED")]  # fmt: skip
    for each in told["BuildCache"] or ():
        rows.append((
            each["ID"][:12], each["Type"], size(each["Size"]), "", "",
            str(each["UsageCount"]), str(each["Shared"]).lower(),
        ))  # fmt: skip
    return rows


DF = Verb(
    "df", df, help="Tell what takes which space.",
    params=[
        text("--format", help="json, table …, or a template", metavar="TEMPLATE"),
        switch("--json", help="each row as JSON"),
        switch("--verbose", "-v", help="each thing, not only kinds"),
    ],
)  # fmt: skip
