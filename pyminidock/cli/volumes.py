"""`minidock volume`: create, ls, inspect, rm and prune.

Source: docker/cli, cli/command/volume.
"""

from typing import Any

import click

from pyminidock.cli.containers import each
from pyminidock.cli.failures import ERROR
from pyminidock.cli.filters import FILTER, LONG_FILTER, is_sure, read_filters
from pyminidock.cli.human import size
from pyminidock.cli.inspecting import FORMAT, looked_at
from pyminidock.cli.tables import show
from pyminidock.cli.words import Verb, switch, text, texts
from pyminidock.client.connect import connect

_TABLE = "table {{.Driver}}\t{{.Name}}"
_HEADINGS = {
    "Driver": "DRIVER", "Name": "VOLUME NAME", "Labels": "LABELS", "Links": "LINKS",
    "Mountpoint": "MOUNTPOINT", "Scope": "SCOPE", "Size": "SIZE",
}  # fmt: skip


def create(words: tuple[str, ...], **given: Any) -> int:
    """Make a volume."""
    body = {
        "Name": words[0] if words else "", "Driver": given["driver"] or "local",
        "DriverOpts": _pairs(given["opt"]), "Labels": _pairs(given["label"]),
    }  # fmt: skip
    with connect() as client:
        click.echo(client.volumes.create(body)["Name"])
    return 0


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    return dict(word.partition("=")[::2] for word in words)


def ls(words: tuple[str, ...], **given: Any) -> int:
    """List volumes."""
    filters = read_filters(given["filters"], "-f, --filter")
    with connect() as client:
        found = client.volumes.listed(filters)
    rows = [_row(told) for told in found]
    show(rows, given, _TABLE, of="*formatter.volumeContext", heads=_HEADINGS)
    return 0


def _row(told: dict[str, Any]) -> dict[str, str]:
    labels = told["Labels"] or {}
    return {
        "Availability": "N/A", "Driver": told["Driver"], "Group": "N/A",
        "ID": told["Name"], "Labels": ",".join(f"{k}={v}" for k, v in labels.items()),
        "Links": "N/A", "Mountpoint": told["Mountpoint"], "Name": told["Name"],
        "Scope": told["Scope"], "Size": "N/A", "Status": "N/A",
    }  # fmt: skip


def inspect(words: tuple[str, ...], *, format: str | None) -> int:
    """Tell everything about volumes."""
    return looked_at(words, format, lambda client, name: client.volumes.inspect(name))


def rm(words: tuple[str, ...], *, force: bool) -> int:
    """Remove volumes, with their data."""
    return each(words, lambda client, name: client.volumes.remove(name, force=force))


def prune(words: tuple[str, ...], **given: Any) -> int:
    """Remove what nobody has."""
    filters = read_filters(given["filters"], "--filter")
    is_all = given["all"]
    if is_all and "all" in filters:
        click.echo(
            "conflicting options: cannot specify both --all and --filter all=1", err=True
        )
        return ERROR
    which = "all" if is_all else "anonymous"
    warning = f"This will remove {which} local volumes not used by at least one container."
    if not given["force"] and not is_sure(warning):
        return 0
    if is_all:
        filters["all"] = ["true"]
    with connect() as client:
        told = client.volumes.prune(filters)
    if told["VolumesDeleted"]:
        click.echo("\n".join(("Deleted Volumes:", *told["VolumesDeleted"], "")))
    click.echo(f"Total reclaimed space: {size(told['SpaceReclaimed'], digits=4)}")
    return 0


CREATE = Verb(
    "create", create, help="Make a volume.",
    params=[
        text("--driver", "-d", help="who makes it", metavar="NAME"),
        texts("--label", help="say something about it", metavar="NAME=VALUE"),
        texts("--opt", "-o", help="what it is made of", metavar="NAME=VALUE"),
    ],
    usage="[VOLUME]", most=1,
)  # fmt: skip
LS = Verb(
    "ls", ls, help="List volumes.",
    params=[
        FILTER, switch("--quiet", "-q", help="names only"),
        text("--format", help="table, json, or a template", metavar="TEMPLATE"),
    ],
)  # fmt: skip
INSPECT = Verb(
    "inspect", inspect, help="Tell everything about volumes.", params=[FORMAT],
    usage="VOLUME…", least=1,
)  # fmt: skip
RM = Verb(
    "rm", rm, help="Remove volumes, with their data.",
    params=[switch("--force", "-f", help="one that is not there is no mistake")],
    usage="VOLUME…", least=1,
)  # fmt: skip
PRUNE = Verb(
    "prune", prune, help="Remove volumes that no container has.",
    params=[
        switch("--all", "-a", help="those with a name, too"), LONG_FILTER,
        switch("--force", "-f", help="do not ask"),
    ],
)  # fmt: skip
