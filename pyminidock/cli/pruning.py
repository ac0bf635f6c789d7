"""Away with what nobody needs: `container prune`, `builder prune`, `system prune`.

Source: docker/cli, cli/command/{container,builder,system}/prune.go.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from pyminidock.cli.filters import LONG_FILTER, is_sure, read_filters
from pyminidock.cli.human import size
from pyminidock.cli.readflags import checked
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.grammar.sizes import parse_memory

Filters = dict[str, list[str]]


def prune_containers(words: tuple[str, ...], **given: Any) -> int:
    """Remove the containers that do not run."""
    filters = read_filters(given["filters"], "--filter")
    if not given["force"] and not is_sure("This will remove all stopped containers."):
        return 0
    with connect() as client:
        freed = _containers(client, filters)
    _tell(freed)
    return 0


def prune_cache(words: tuple[str, ...], **given: Any) -> int:
    """Forget what earlier builds left for later ones."""
    kept = checked(given["keep_storage"] or "0", "--keep-storage", parse_memory)
    filters = read_filters(given["filters"], "--filter")
    warning = "This will remove all build cache." if given["all"] else (
        "This will remove all dangling build cache."
    )  # fmt: skip
    if not given["force"] and not is_sure(warning, end=" "):
        return 0
    with connect() as client:
        told = client.builds.prune(all=given["all"], keep_bytes=kept, filters=filters)
    if told.get("CachesDeleted"):
        _list("Deleted build cache objects:", told["CachesDeleted"])
    _tell(told["SpaceReclaimed"])
    return 0


def prune_system(words: tuple[str, ...], **given: Any) -> int:
    """Remove stopped containers, networks, images without a name, and the build cache."""
    filters = read_filters(given["filters"], "--filter")
    if not given["force"] and not is_sure(_warning(given)):
        return 0
    with connect() as client:
        freed = _containers(client, filters)
        dangling = {"dangling": [str(not given["all"]).lower()]}
        if networks := client.networks.prune(filters)["NetworksDeleted"]:
            _list("Deleted Networks:", networks)
        if given["volumes"]:
            freed += _volumes(client, filters)
        images = client.images.prune(filters | dangling)
        if images["ImagesDeleted"]:
            records = [f"{deed.lower()}: {what}" for record in images["ImagesDeleted"]
                       for deed, what in record.items()]  # fmt: skip
            _list("Deleted Images:", records)
        freed += images["SpaceReclaimed"]
        cache = client.builds.prune(all=given["all"], filters=filters)
        freed += cache["SpaceReclaimed"]
    _tell(freed)
    return 0


def _containers(client: Client, filters: Filters) -> int:
    told = client.life.prune(filters)
    if told["ContainersDeleted"]:
        _list("Deleted Containers:", told["ContainersDeleted"])
    return int(told["SpaceReclaimed"])


def _volumes(client: Client, filters: Filters) -> int:
    told = client.volumes.prune({k: v for k, v in filters.items() if k != "until"})
    if told["VolumesDeleted"]:
        _list("Deleted Volumes:", told["VolumesDeleted"])
    return int(told["SpaceReclaimed"])


def _list(title: str, rows: Sequence[str]) -> None:
    click.echo("\n".join((title, *rows, "")))


def _tell(freed: int) -> None:
    click.echo(f"Total reclaimed space: {size(freed, digits=4)}")


def _warning(given: Mapping[str, Any]) -> str:
    """Say what would go, and which filters spare some of it."""
    is_all = given["all"]
    images = (
        "all images without at least one container associated to them" if is_all
        else "all dangling images"
    )  # fmt: skip
    cache = "all build cache" if is_all else "unused build cache"
    volumes = ("all anonymous volumes not used by at least one container",)
    things = (
        "all stopped containers", "all networks not used by at least one container",
        *(volumes if given["volumes"] else ()), images, cache,
    )  # fmt: skip
    text = "This will remove:\n" + "".join(f"  - {each}\n" for each in things)
    if given["filters"]:
        spared = "".join(f"  - {each}\n" for each in given["filters"])
        text += f"\n  Items to be pruned will be filtered with:\n{spared}"
    return text


_FORCE = switch("--force", "-f", help="do not ask")
CONTAINERS = Verb(
    "prune", prune_containers, help="Remove containers that do not run.",
    params=[LONG_FILTER, _FORCE],
)  # fmt: skip
CACHE = Verb(
    "prune", prune_cache, help="Forget what builds left.",
    params=[
        switch("--all", "-a", help="all, not only what no image uses"), LONG_FILTER, _FORCE,
        text("--keep-storage", help="keep so much", metavar="SIZE"),
    ],
)  # fmt: skip
SYSTEM = Verb(
    "prune", prune_system, help="Remove what nobody needs.",
    params=[
        switch("--all", "-a", help="all images that no container uses"), LONG_FILTER,
        _FORCE, switch("--volumes", help="and volumes without a name that nobody has"),
    ],
)  # fmt: skip
