"""The verbs of images: what is there, what it is, how it is called, away with it.

Each is there twice, as Docker has it: `minidock rmi` and `minidock image rm`.

Source: docker/cli, cli/command/image.
"""

import re
import time
from collections.abc import Iterator
from typing import Any

import click

from pyminidock.cli.containers import each
from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.filters import FILTER, LONG_FILTER, is_sure, read_filters
from pyminidock.cli.human import ago, size
from pyminidock.cli.inspecting import FORMAT, looked_at
from pyminidock.cli.tables import show
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.grammar.names import short_id
from pyminidock.grammar.refs import ReferenceMalformed, parse

_TABLE = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
_DIGESTS = _TABLE.replace("{{.ID}}", "{{.Digest}}\t{{.ID}}")
_HISTORY = "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
_EXACT = _HISTORY.replace("Since", "At")
_HEADINGS = {
    "ID": "IMAGE ID", "Repository": "REPOSITORY", "Tag": "TAG", "Digest": "DIGEST",
    "CreatedSince": "CREATED", "CreatedAt": "CREATED AT", "Size": "SIZE",
    "Containers": "CONTAINERS", "VirtualSize": "SIZE", "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE",
}  # fmt: skip
_HISTORY_HEADINGS = {
    "ID": "IMAGE", "CreatedSince": "CREATED", "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY", "Size": "SIZE", "Comment": "COMMENT",
}  # fmt: skip
_STORY_WIDTH = 45


# ── What is there ─────────────────────────────────────────────────────────────────────────


def images(words: tuple[str, ...], **given: Any) -> int:
    """List images, or those that a name or pattern fits."""
    filters = read_filters(given["filters"], "-f, --filter")
    if words:
        filters["reference"] = [*filters.get("reference", []), words[0]]
    with connect() as client:
        found = client.images.listed(all=given["all"], filters=filters)
    rows = [row for image in found for row in _rows(image, is_whole=given["no_trunc"])]
    show(rows, given, _DIGESTS if given["digests"] else _TABLE,
         of="*formatter.imageContext", heads=_HEADINGS)  # fmt: skip
    return 0


def _rows(image: dict[str, Any], *, is_whole: bool) -> Iterator[dict[str, str]]:
    """Give one row for each name, or one for an image without."""
    stand_in = (image["Labels"] or {}).get("org.pyminidock.stand-in", "")
    for name in image["RepoTags"] or ["<none>:<none>"]:
        repository, _, tag = name.rpartition(":")
        yield {
            "Containers": "N/A",
            "CreatedAt": time.strftime("%F %T +0000 UTC", time.gmtime(image["Created"])),
            "CreatedSince": _since(image["Created"]),
            "Digest": "<none>",
            "ID": image["Id"] if is_whole else _short(image["Id"]),
            "Repository": repository,
            "SharedSize": "N/A",
            "Size": size(image["Size"]) + (f" (stand-in: {stand_in})" if stand_in else ""),
            **({"StandIn": stand_in} if stand_in else {}),
            "Tag": tag,
            "UniqueSize": "N/A",
            "VirtualSize": size(image["Size"], digits=4),
        }


def history(words: tuple[str, ...], **given: Any) -> int:
    """Tell how an image came about, newest first."""
    with connect() as client:
        told = client.images.history(words[0])
    rows = [_story(row, is_whole=given["no_trunc"], is_exact=not given["human"])
            for row in told]  # fmt: skip
    usual = _HISTORY if given["human"] else _EXACT
    show(rows, given, usual, of="*image.historyContext", heads=_HISTORY_HEADINGS)
    return 0


def _story(row: dict[str, Any], *, is_whole: bool, is_exact: bool) -> dict[str, str]:
    command = row["CreatedBy"].replace("\t", " ").replace("\n", " ")
    if not is_whole and len(command) > _STORY_WIDTH:
        command = command[: _STORY_WIDTH - 1] + "…"
    return {
        "Comment": row["Comment"],
        "CreatedAt": _at(row["Created"]),
        "CreatedBy": command,
        "CreatedSince": _at(row["Created"]) if is_exact else _since(row["Created"]),
        "ID": row["Id"] if is_whole else _short(row["Id"]),
        "Size": str(row["Size"]) if is_exact else size(row["Size"]),
    }


def inspect(words: tuple[str, ...], *, format: str | None) -> int:
    """Print everything about images, as one JSON list, or what a template says."""
    return looked_at(words, format, lambda client, name: client.images.inspect(name))


# ── Names, and away with it ───────────────────────────────────────────────────────────────


def tag(words: tuple[str, ...]) -> int:
    """Give an image one more name."""
    for word in words:
        try:
            parse(word)
        except ReferenceMalformed as refusal:
            if word is words[0] and re.fullmatch(r"[0-9a-f]{64}", word):
                continue  # an id
            raise WordsRefused(
                f'Error parsing reference: "{word}" is not a valid repository/tag:'
                f" {refusal.what}",
                why=refusal.why,
                try_next=f"minidock tag {words[0]} NAME:TAG",
                exit_code=1,
            ) from refusal
    with connect() as client:
        client.images.tag(*words)
    return 0


def rmi(words: tuple[str, ...], *, force: bool, no_prune: bool) -> int:
    """Remove names and images."""
    codes = []

    def act(client: Client, name: str) -> None:
        try:
            records = client.images.remove(name, force=force, prune=not no_prune)
        except Refused as refusal:
            codes.append(0 if force and refusal.status == 404 else 1)
            raise
        for record in records:
            for deed, what in record.items():
                click.echo(f"{deed}: {what}")

    worst = each(words, act, is_silent=True)
    return max(codes, default=worst)  # what is not there need not be forced


def prune(words: tuple[str, ...], **given: Any) -> int:
    """Remove images that have no name, or that no container uses."""
    kind = "all images without at least one container associated to them" if (
        given["all"]
    ) else "all dangling images"  # fmt: skip
    if not given["force"] and not is_sure(f"This will remove {kind}."):
        return 0
    filters = read_filters(given["filters"], "--filter") | {
        "dangling": [str(not given["all"]).lower()]
    }
    with connect() as client:
        done = client.images.prune(filters)
    if done["ImagesDeleted"]:
        click.echo("Deleted Images:")
        for record in done["ImagesDeleted"]:
            for deed, what in record.items():
                click.echo(f"{deed.lower()}: {what}")
        click.echo()
    click.echo(f"Total reclaimed space: {size(done['SpaceReclaimed'], digits=4)}")
    return 0


# ── Showing values ────────────────────────────────────────────────────────────────────────


def _short(image: str) -> str:
    return image if image == "<missing>" else short_id(image.removeprefix("sha256:"))


def _since(created: int) -> str:
    return f"{ago(time.time() - created)} ago"


def _at(created: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created))


# ── The verbs ─────────────────────────────────────────────────────────────────────────────

_JSON = switch("--json", help="each row as JSON")
_FORMAT = text("--format", help="json, table …, or a template", metavar="TEMPLATE")


def _images(name: str) -> Verb:
    return Verb(
        name, images, help="List images.",
        params=[
            switch("--all", "-a", help="and the steps of builds"),
            switch("--digests", help="with the digests of registries"), FILTER, _FORMAT,
            _JSON, switch("--quiet", "-q", help="ids only"),
            switch("--no-trunc", help="ids whole"),
        ],
        usage="[NAME[:TAG]]", most=1,
    )  # fmt: skip


def _rmi(name: str) -> Verb:
    return Verb(
        name, rmi, help="Remove images.",
        params=[switch("--force", "-f", help="although a container was made of it"),
                switch("--no-prune", help="leave nameless parents")],
        usage="IMAGE…", least=1,
    )  # fmt: skip


IMAGES, LS = _images("images"), _images("ls")
RMI, RM = _rmi("rmi"), _rmi("rm")
HISTORY = Verb(
    "history", history, help="Tell how an image came about.",
    params=[
        _FORMAT, _JSON, switch("--quiet", "-q", help="ids only"),
        switch("--no-trunc", help="everything whole"),
        switch("--human/--no-human", "-H", help="sizes and times for people", default=True),
    ],
    usage="IMAGE", least=1, most=1,
)  # fmt: skip
TAG = Verb("tag", tag, help="Give an image one more name.",
           usage="IMAGE[:TAG] NAME[:TAG]", least=2, most=2)  # fmt: skip
INSPECT = Verb(
    "inspect", inspect, help="Tell everything about images.", params=[FORMAT],
    usage="IMAGE…", least=1,
)  # fmt: skip
PRUNE = Verb(
    "prune", prune, help="Remove images that have no name.",
    params=[
        switch("--all", "-a", help="all that no container uses"), LONG_FILTER,
        switch("--force", "-f", help="do not ask"),
    ],
)  # fmt: skip
