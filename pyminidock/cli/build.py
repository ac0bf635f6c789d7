"""`minidock build`: pack a folder, send it, print what the engine says, end with its code.

    folder ─► find_context ─► packed (what is ignored stays) ─► engine ─► lines ─► exit code
                   │
                   a mistake in the Dockerfile is shown here, with a mark under it

Exit code: that of the RUN that failed, 1 for any other failure, 125 for words that cannot
be read.  Source: docker/cli, cli/command/image/build.go.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import click

from pyminidock.cli.failures import WordsRefused, tell
from pyminidock.cli.words import Verb, switch, text, texts
from pyminidock.client.connect import connect
from pyminidock.client.context import (
    Context,
    find_context,
    is_archive,
    read_regular,
    refuse_two_readers,
)
from pyminidock.client.following import BuildFailed, broken_off, explained, follow
from pyminidock.client.handles import Client
from pyminidock.client.packing import Sent, send, send_alone, total_line
from pyminidock.dockerfile.malformed import DockerfileMalformed
from pyminidock.dockerfile.parse import LARGEST_BYTES, parse
from pyminidock.events.base import Emit, Event, ignore

IN_MEMORY_BYTES = 32 << 20  # of a context; a larger one waits on the disk
_PIECE_BYTES = 256 << 10
_HEAD_BYTES = 512


def build(words: tuple[str, ...], **given: Any) -> int:
    """Build an image; give the exit code."""
    directory, file = words[0], str(given["file"] or "")
    refuse_two_readers(directory, file)
    query = query_of(given, os.environ)
    if path := given["iidfile"]:
        Path(path).unlink(missing_ok=True)
    with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as archive:
        left_out: list[Event] = []
        sent, query["dockerfile"] = pack(directory, file, archive, left_out.append)
        if not given["quiet"]:
            click.echo(total_line(archive.tell()))
        archive.seek(0)
        with connect() as client:
            if left_out:  # the daemon never sees it, but its story tells it
                title = " ".join(["build", *(f"-t {tag}" for tag in query["t"])])
                query["buildid"] = client.builds.opened(title, left_out)
            try:
                image = _quietly(client, query, archive) if given["quiet"] else follow(
                    client, query, archive, lambda text: click.echo(text, nl=False)
                )  # fmt: skip
            except BuildFailed as failure:
                if failure.caret:
                    click.echo(failure.caret, err=True)
                tell(explained(failure, sent))
                return failure.exit_code
    if path:
        Path(path).write_text(image, encoding="ascii")
    return 0


def query_of(given: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Turn flags into the query of the API.  Raises WordsRefused.

    >>> query_of({"tag": ("a", "b"), "build_arg": ("X",), "label": ("k=v",), "rm": True},
    ...          {"X": "1"})["buildargs"]
    '{"X": "1"}'
    """
    arguments = {}
    for word in given["build_arg"]:
        name, equals, value = word.partition("=")
        if not name:
            raise _bad_argument(word)
        arguments[name] = value if equals else environment.get(name)
    labels = dict(_label(word) for word in given["label"])
    query: dict[str, Any] = {
        "t": list(given["tag"]), "buildargs": json.dumps(arguments),
        "labels": json.dumps(labels), "rm": str(int(given["rm"])), "version": "1",
    }  # fmt: skip
    switches = {"no_cache": "nocache", "force_rm": "forcerm", "pull": "pull", "quiet": "q"}
    query |= {field: "1" for flag, field in switches.items() if given.get(flag)}
    values = {"target": "target", "platform": "platform", "network": "networkmode"}
    query |= {field: given[flag] for flag, field in values.items() if given.get(flag)}
    if given.get("cache_from"):
        names = [name for word in given["cache_from"] for name in word.split(",")]
        query["cachefrom"] = json.dumps(names)
    if given.get("classic_stages"):
        query["stages"] = "all"
    return query


def _label(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def _bad_argument(word: str) -> WordsRefused:
    return WordsRefused(
        f'invalid argument "{word}" for "--build-arg" flag: invalid environment variable: '
        f"{word}",
        why="an argument is NAME=value, or NAME alone to take its value from here",
        try_next="minidock build --build-arg VERSION=1 .",
    )


# ── What is sent ─────────────────────────────────────────────────────────────────────────


def pack(
    directory: str, file: str, archive: IO[bytes], emit: Emit = ignore
) -> tuple[Sent | None, str]:
    """Write what is sent to `archive`; give what is known of it, and the Dockerfile's name.

    `emit` hears what is left out.

    Raises ContextRefused, DockerfileMalformed.
    """
    if directory == "-":
        _take(sys.stdin.buffer, archive)
        return None, file or "Dockerfile"
    given = sys.stdin.buffer.read(LARGEST_BYTES + 1) if file == "-" else None
    context = find_context(directory, file, given)
    _check(context)
    return send(context, archive.write, emit=emit), context.dockerfile


def _take(stream: IO[bytes], archive: IO[bytes]) -> None:
    """Take an archive as it comes; a text is a Dockerfile that needs no context."""
    head = stream.read(_HEAD_BYTES)
    if not is_archive(head):
        send_alone(head + stream.read(LARGEST_BYTES), archive.write)
        return
    archive.write(head)
    while piece := stream.read(_PIECE_BYTES):
        archive.write(piece)


def _check(context: Context) -> None:
    """Show a mistake in the Dockerfile before anything is sent.

    Raises DockerfileMalformed.
    """
    text = context.foreign
    if text is None:
        text = read_regular(context.directory / context.dockerfile, LARGEST_BYTES)
    try:
        parse(text.decode("utf-8", "surrogateescape"), context.dockerfile)
    except DockerfileMalformed as fault:
        if mark := fault.caret():
            click.echo(mark, err=True)
        raise


# ── What comes back ──────────────────────────────────────────────────────────────────────


def _quietly(client: Client, query: Mapping[str, Any], archive: IO[bytes]) -> str:
    """Print the image and nothing else; after a failure, everything."""
    said: list[str] = []
    try:
        follow(client, query, archive, said.append)
    except BuildFailed:
        click.echo("".join(said), nl=False, err=True)
        raise
    image = "".join(said).strip()
    if not image:
        raise broken_off()
    click.echo(image)
    return image


def flags() -> Sequence[click.Option]:
    """Declare the flags of a build, as docker's."""
    return (
        text("--file", "-f", help="the Dockerfile, or - to read it", metavar="PATH"),
        texts("--tag", "-t", help="a name for the image", metavar="NAME[:TAG]"),
        texts("--build-arg", help="a value for an ARG", metavar="NAME[=VALUE]"),
        texts("--label", help="one more LABEL", metavar="KEY=VALUE"),
        texts("--cache-from", help="an image whose steps may be taken", metavar="IMAGE"),
        text("--target", help="the stage to build", metavar="STAGE"),
        text("--platform", help="of the base images", metavar="OS/ARCH"),
        text("--network", help="of RUN: none, or default", metavar="NETWORK"),
        switch("--no-cache", help="do every step again"),
        switch("--pull", help="look for a newer base image"),
        switch("--rm/--no-rm", help="remove a RUN's container when it ends", default=True),
        switch("--force-rm", help="also when it fails"),
        switch("--quiet", "-q", help="print the id of the image only"),
        text("--iidfile", help="write the id of the image there", metavar="PATH"),
        switch("--classic-stages", help="build stages that the target does not need, too"),
    )


BUILD = Verb(
    "build", build, help="Build an image from a Dockerfile and a folder.",
    params=flags(), usage="PATH | -", least=1, most=1,
)  # fmt: skip
