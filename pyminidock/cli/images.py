"""The verbs of images: what is there, what it is, how it is called, in and out.

Each is there twice, as Docker has it: `minidock rmi` and `minidock image rm`.

Source: docker/cli, cli/command/image.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from pyminidock.cli.containers import ago, columns, each
from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.format import headings, is_table, shower
from pyminidock.cli.words import Verb, switch, text, texts, verbs
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.grammar.names import short_id

_PIECE = 256 << 10
_TABLE = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
_HISTORY = "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
_STORY_WIDTH = 45
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


# ── What is there ─────────────────────────────────────────────────────────────────────────


def images(words: tuple[str, ...], **given: Any) -> int:
    """List images, or those that a name or pattern fits."""
    filters = _filters(given["filters"])
    if words:
        filters["reference"] = [*filters.get("reference", []), words[0]]
    with connect() as client:
        found = client.images.listed(all=given["all"], filters=filters)
    if given["quiet"]:
        for image in dict.fromkeys(image["Id"] for image in found):
            click.echo(image if given["no_trunc"] else _short(image))
        return 0
    rows = [row for image in found for row in _rows(image, is_whole=given["no_trunc"])]
    _show(rows, "json" if given["json"] else given["format"] or _TABLE)
    return 0


def _rows(image: dict[str, Any], *, is_whole: bool) -> Iterator[dict[str, str]]:
    """Give one row for each name, or one for an image without."""
    stand_in = (image["Labels"] or {}).get("org.pyminidock.stand-in", "")
    for name in image["RepoTags"] or ["<none>:<none>"]:
        repository, _, tag = name.rpartition(":")
        yield {
            "Repository": repository,
            "Tag": tag,
            "ID": image["Id"] if is_whole else _short(image["Id"]),
            "Digest": "<none>",
            "CreatedSince": _since(image["Created"]),
            "CreatedAt": _at(image["Created"]),
            "Size": size(image["Size"]) + (f" (stand-in: {stand_in})" if stand_in else ""),
            "StandIn": stand_in,
        }


def history(words: tuple[str, ...], **given: Any) -> int:
    """Tell how an image came about, newest first."""
    with connect() as client:
        told = client.images.history(words[0])
    if given["quiet"]:
        for row in told:
            click.echo(row["Id"] if given["no_trunc"] else _short(row["Id"]))
        return 0
    rows = [_story(row, is_whole=given["no_trunc"], is_exact=not given["human"])
            for row in told]  # fmt: skip
    _show(rows, "json" if given["json"] else given["format"] or _HISTORY)
    return 0


def _story(row: dict[str, Any], *, is_whole: bool, is_exact: bool) -> dict[str, str]:
    command = row["CreatedBy"].replace("\t", " ").replace("\n", " ")
    if not is_whole and len(command) > _STORY_WIDTH:
        command = command[: _STORY_WIDTH - 1] + "…"
    return {
        "ID": row["Id"] if is_whole else _short(row["Id"]),
        "CreatedSince": _at(row["Created"]) if is_exact else _since(row["Created"]),
        "CreatedAt": _at(row["Created"]),
        "CreatedBy": command,
        "Size": str(row["Size"]) if is_exact else size(row["Size"]),
        "Comment": row["Comment"],
        "Tags": ",".join(row["Tags"] or []),
    }


def _show(rows: Sequence[dict[str, str]], template: str) -> None:
    write = shower(_TABLE if template == "table" else template)
    if not is_table(template):
        for row in rows:
            click.echo(write(row))
        return
    lines = [headings(_TABLE if template == "table" else template), *map(write, rows)]
    for line in columns([tuple(line.split("\t")) for line in lines]):
        click.echo(line)


def inspect(words: tuple[str, ...], *, format: str | None) -> int:
    """Print everything about images, as one JSON list, or what a template says."""
    return looked_at(words, format, lambda client, name: client.images.inspect(name))


def looked_at(names: Sequence[str], template: str | None, look: Any) -> int:
    """Print what `look` gives for each name."""
    found: list[Any] = []
    write = shower(template) if template else None
    code = each(
        names, lambda client, name: found.append(look(client, name)), is_silent=True
    )
    for told in found if write else ():
        click.echo(write(told))  # type: ignore[misc]  # it is there
    if write is None:
        click.echo(json.dumps(found, indent=4))
    return code


# ── Names, and away with it ───────────────────────────────────────────────────────────────


def tag(words: tuple[str, ...]) -> int:
    """Give an image one more name."""
    with connect() as client:
        client.images.tag(*words)
    return 0


def rmi(words: tuple[str, ...], *, force: bool, no_prune: bool) -> int:
    """Remove names and images."""

    def act(client: Client, name: str) -> None:
        for record in client.images.remove(name, force=force, prune=not no_prune):
            for deed, what in record.items():
                click.echo(f"{deed}: {what}")

    return each(words, act, is_silent=True)


def prune(words: tuple[str, ...], **given: Any) -> int:
    """Remove images that have no name, or that no container uses."""
    kind = "all images without at least one container associated to them" if (
        given["all"]
    ) else "all dangling images"  # fmt: skip
    if not given["force"]:
        click.echo(f"WARNING! This will remove {kind}.")
        if not click.confirm("Are you sure you want to continue?", default=False):
            return 0
    filters = _filters(given["filters"]) | {"dangling": [str(not given["all"]).lower()]}
    with connect() as client:
        done = client.images.prune(filters)
    if done["ImagesDeleted"]:
        click.echo("Deleted Images:")
        for record in done["ImagesDeleted"]:
            for deed, what in record.items():
                click.echo(f"{deed.lower()}: {what}")
        click.echo()
    click.echo(f"Total reclaimed space: {size(done['SpaceReclaimed'])}")
    return 0


# ── In and out ────────────────────────────────────────────────────────────────────────────


def load(words: tuple[str, ...], *, input: str | None, quiet: bool) -> int:
    """Take in images from an archive."""
    if not input and sys.stdin.isatty():
        raise WordsRefused(
            "requested load from stdin, but stdin is empty",
            why="a terminal sends no archive",
            try_next="minidock load --input ARCHIVE",
            exit_code=1,
        )
    with connect() as client, _opened(input) as file:
        for line in client.images.load(_pieces(file)):
            click.echo(line, nl=False)
    return 0


def save(words: tuple[str, ...], *, output: str | None) -> int:
    """Write images into an archive."""
    if not output and sys.stdout.isatty():
        raise WordsRefused(
            "cowardly refusing to save to a terminal. Use the -o flag or redirect",
            why="an archive is no text",
            try_next=f"minidock save --output {words[0].partition(':')[0]}.tar {words[0]}",
            exit_code=1,
        )
    with connect() as client:
        archive = client.images.save(words)
        try:
            if output:
                _write_whole(Path(output), archive)
            else:
                for piece in archive:
                    sys.stdout.buffer.write(piece)
        finally:
            archive.close()
    return 0


def import_(words: tuple[str, ...], *, message: str) -> int:
    """Make an image of an archive of files; print its id."""
    source, *names = words
    with connect() as client, _opened("" if source == "-" else source) as file:
        named = names[0] if names else ""
        click.echo(client.images.make_of(_pieces(file), named, message))
    return 0


def _opened(name: str | None) -> BinaryIO:
    if not name:
        return sys.stdin.buffer
    try:
        return Path(name).open("rb")
    except OSError as refusal:
        raise WordsRefused(
            f"open {name}: {(refusal.strerror or '').lower()}",
            why="the archive is read from a file of this machine, or from stdin",
            try_next="minidock load --help",
            exit_code=1,
        ) from refusal


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _write_whole(path: Path, pieces: Any) -> None:
    """Write a file that is there whole or not at all."""
    half = path.with_name(f".{path.name}.half")
    try:
        with half.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


# ── Reading flags, showing values ─────────────────────────────────────────────────────────


def _filters(words: Sequence[str]) -> dict[str, list[str]]:
    """Read name=value, several times."""
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise WordsRefused(
                f'invalid argument "{word}" for "-f, --filter" flag: invalid argument'
                f' "{word}" for filter: bad format of filter (expected name=value)',
                why="a filter is a name and what it has to be",
                try_next="--filter dangling=true",
            )
        found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def size(size_bytes: float) -> str:
    """Say how many bytes that are, in three digits, as Docker does.

    >>> size(0), size(999), size(2026559), size(123456789)
    ('0B', '999B', '2.03MB', '123MB')
    """
    value, unit = float(size_bytes), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.3g}{_UNITS[unit]}"


def _short(image: str) -> str:
    return image if image == "<missing>" else short_id(image.removeprefix("sha256:"))


def _since(created: int) -> str:
    return f"{ago(time.time() - created)} ago"


def _at(created: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created))


# ── The verbs ─────────────────────────────────────────────────────────────────────────────

_JSON = switch("--json", help="each row as JSON")
_FORMAT = text("--format", help="json, table …, or a template", metavar="TEMPLATE")
_FILTER = texts("--filter", "-f", "filters", help="narrow it down", metavar="NAME=VALUE")


def _images(name: str) -> Verb:
    return Verb(
        name, images, help="List images.",
        params=[
            switch("--all", "-a", help="and the steps of builds"), _FILTER, _FORMAT,
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


IMAGES, RMI = _images("images"), _rmi("rmi")
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
SAVE = Verb(
    "save", save, help="Write images into an archive.",
    params=[text("--output", "-o", help="a file in place of stdout", metavar="FILE")],
    usage="IMAGE…", least=1,
)  # fmt: skip
LOAD = Verb(
    "load", load, help="Take in images from an archive.",
    params=[text("--input", "-i", help="a file in place of stdin", metavar="FILE"),
            switch("--quiet", "-q", help="as Docker has it; there is no progress here")],
)  # fmt: skip
IMPORT = Verb(
    "import", import_, help="Make an image of an archive of files.",
    params=[text("--message", "-m", help="a comment", metavar="TEXT", default="")],
    usage="FILE|- [NAME[:TAG]]", least=1, most=2,
)  # fmt: skip
IMAGE = verbs(
    "image",
    [
        _images("ls"), HISTORY,
        Verb("inspect", inspect, help="Tell everything about images.", params=[_FORMAT],
             usage="IMAGE…", least=1),
        TAG, _rmi("rm"),
        Verb("prune", prune, help="Remove images that have no name.",
             params=[switch("--all", "-a", help="all that no container uses"),
                     texts("--filter", "filters", help="narrow it down",
                           metavar="NAME=VALUE"),
                     switch("--force", "-f", help="do not ask")]),
        SAVE, LOAD, IMPORT,
    ],
    help="Images: what is there, in and out.",
)  # fmt: skip
