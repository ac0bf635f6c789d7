"""`minidock build`: pack a folder, send it, print what the engine says, end with its code.

    folder ─► find_context ─► packed (what is ignored stays) ─► engine ─► lines ─► exit code
                   │
                   a mistake in the Dockerfile is shown here, with a mark under it

Exit code: that of the RUN that failed, 1 for any other failure, 125 for words that cannot
be read.  Source: docker/cli, cli/command/image/build.go.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import click

from pyminidock.cli.failures import ERROR, WordsRefused, tell
from pyminidock.cli.words import Verb, switch, text, texts
from pyminidock.client.connect import connect
from pyminidock.client.context import (
    Context,
    find_context,
    is_archive,
    read_regular,
    refuse_two_readers,
)
from pyminidock.client.handles import Client
from pyminidock.client.packing import Sent, send, send_alone, total_line
from pyminidock.dockerfile.malformed import DockerfileMalformed
from pyminidock.dockerfile.parse import LARGEST_BYTES, parse
from pyminidock.errors import MinidockError
from pyminidock.events.base import Emit, Event, ignore

IN_MEMORY_BYTES = 32 << 20  # of a context; a larger one waits on the disk
_PIECE_BYTES = 256 << 10
Say = Callable[[str], object]
_ABSENT = re.compile(r"excluded by \.dockerignore: stat (.+): file does not exist")
_HEAD_BYTES = 512


class BuildFailed(MinidockError):
    """A build ended without an image; `exit_code` is what this command ends with."""

    def __init__(self, detail: Mapping[str, Any], why: str = "") -> None:
        super().__init__(
            str(detail.get("message", "")),
            why=why or str(detail.get("why", "")),
            try_next=str(detail.get("try_next", "")),
            lesson="dockerfile",
        )
        self.exit_code = int(detail.get("code") or ERROR)
        self.caret = str(detail.get("caret", ""))


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


def _pieces(archive: IO[bytes]) -> Iterator[bytes]:
    while piece := archive.read(_PIECE_BYTES):
        yield piece


# ── What comes back ──────────────────────────────────────────────────────────────────────


def follow(client: Client, query: Mapping[str, Any], archive: IO[bytes], say: Say) -> str:
    """Say what the engine says, as it comes; give the image.

    Raises BuildFailed, Refused.
    """
    image = ""
    for told in client.builds.build(query, _pieces(archive)):
        if "stream" in told:
            say(str(told["stream"]))
        elif "aux" in told:
            image = str(told["aux"]["ID"])
        elif "errorDetail" in told:
            raise BuildFailed(told["errorDetail"])
    if not image and not query.get("q"):
        raise _broken_off()
    return image


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
        raise _broken_off()
    click.echo(image)
    return image


def _broken_off() -> BuildFailed:
    return BuildFailed({
        "message": "the engine broke off in the middle of the build",
        "why": "it ended, or failed",
        "try_next": "read daemon.log in the engine's root directory, and build again",
    })  # fmt: skip


def explained(failure: BuildFailed, sent: Sent | None) -> BuildFailed:
    """Say which line of the ignore file left out what is missing, if one did."""
    missing = _ABSENT.search(failure.what)
    if not sent or not missing:
        return failure
    for each in sent.ignored:
        if each.path == missing[1] or missing[1].startswith(f"{each.path}/"):
            why = (
                f"line {each.verdict.line} of the ignore file left it out: "
                f"{each.verdict.pattern}"
            )
            detail = {
                "message": failure.what, "code": failure.exit_code,
                "try_next": f"a line !{missing[1]} below it takes it in again",
            }  # fmt: skip
            return BuildFailed(detail, why)
    return failure


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
