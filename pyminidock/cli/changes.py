"""What became of the files of a container: `diff`, `export`, `commit`.

Source: docker/cli, cli/command/container/{diff,export,commit}.go.
"""

import sys
from pathlib import Path
from typing import Any

import click

from pyminidock.cli.archives import check_place, write_whole
from pyminidock.cli.containers import meant
from pyminidock.cli.failures import ERROR, WordsRefused, tell
from pyminidock.cli.progress import watched
from pyminidock.cli.words import Verb, switch, text, texts
from pyminidock.client.connect import connect
from pyminidock.client.transport import Refused
from pyminidock.errors import MinidockError
from pyminidock.grammar.refs import parse

_KINDS = "CAD"  # changed, added, deleted


def diff(words: tuple[str, ...]) -> int:
    """List the files that differ from the image."""
    if not words[0]:
        raise WordsRefused(
            "Container name cannot be empty", why="a name has two characters at least",
            try_next="minidock ps --all", exit_code=ERROR,
        )  # fmt: skip
    with connect() as client:
        try:
            for change in client.files.changes(words[0]):
                click.echo(f"{_KINDS[change['Kind']]} {change['Path']}")
        except Refused as refusal:
            tell(meant(client, words[0], refusal))
            return ERROR
    return 0


def export(words: tuple[str, ...], *, output: str | None) -> int:
    """Write all files of a container into an archive."""
    if not output and sys.stdout.isatty():
        raise WordsRefused(
            "cowardly refusing to save to a terminal. Use the -o flag or redirect",
            why="an archive is no text",
            try_next=f"minidock export --output {words[0]}.tar {words[0]}",
            exit_code=ERROR,
        )
    if output:
        check_place(Path(output), "failed to export container")
    with connect() as client:
        try:
            archive = client.files.export(words[0])
        except Refused as refusal:
            tell(meant(client, words[0], refusal))
            return ERROR
        try:
            if output:
                pieces = watched(archive, "exporting")
                write_whole(Path(output), pieces, "failed to export container")
            else:
                for piece in archive:
                    sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
        finally:
            archive.close()
    return 0


def commit(words: tuple[str, ...], **given: Any) -> int:
    """Make an image of a container; print its id."""
    container, name = words[0], words[1] if len(words) > 1 else ""
    repository, tag = _name(name)
    query = {
        "container": container, "repo": repository, "tag": tag,
        "comment": given["message"] or "", "author": given["author"] or "",
        **({"changes": given["change"]} if given["change"] else {}),
        **({} if given["pause"] else {"pause": "0"}),
    }  # fmt: skip
    with connect() as client:
        try:
            click.echo(client.files.commit(query, {}))
        except Refused as refusal:
            tell(meant(client, container, refusal))
            return ERROR
    return 0


def _name(typed: str) -> tuple[str, str]:
    """Cut a name into repository and tag.  Raises WordsRefused."""
    if not typed:
        return "", ""
    try:
        parse(typed)
    except MinidockError as refusal:
        raise WordsRefused(
            refusal.what, why=refusal.why, try_next="minidock commit CONTAINER NAME:TAG",
            exit_code=ERROR,
        ) from refusal  # fmt: skip
    front, colon, tag = typed.rpartition(":")
    return (front, tag) if colon and "/" not in tag else (typed, "latest")


DIFF = Verb("diff", diff, help="List the files that differ from the image.",
            usage="CONTAINER", least=1, most=1)  # fmt: skip
EXPORT = Verb(
    "export", export, help="Write all files of a container into an archive.",
    params=[text("--output", "-o", help="a file in place of stdout", metavar="FILE")],
    usage="CONTAINER", least=1, most=1,
)  # fmt: skip
COMMIT = Verb(
    "commit", commit, help="Make an image of a container.",
    params=[
        text("--author", "-a", help="who made it", metavar="NAME"),
        texts("--change", "-c", help="CMD, ENV, …: a default", metavar="INSTRUCTION"),
        text("--message", "-m", help="a comment", metavar="TEXT"),
        switch("--pause/--no-pause", "-p", help="hold the container meanwhile",
               default=True),
    ],
    usage="CONTAINER [NAME[:TAG]]", least=1, most=2,
)  # fmt: skip
