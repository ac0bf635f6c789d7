"""Images in and out: as an archive that Docker reads, too, or of an archive of files.

A file that is written is there whole or not at all; a terminal neither sends an archive nor
is sent one.

Source: docker/cli, cli/command/image/{load,save,import}.go.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click

from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.progress import watched
from pyminidock.cli.words import Verb, switch, text, texts
from pyminidock.client.connect import connect

_PIECE = 256 << 10


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
        total = os.fstat(file.fileno()).st_size if input else None
        for line in client.images.load(watched(_pieces(file), "loading", total)):
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
    if output:
        check_place(Path(output), "failed to save image")
    with connect() as client:
        archive = client.images.save(words)
        try:
            if output:
                pieces = watched(archive, "saving")
                write_whole(Path(output), pieces, "failed to save image")
            else:
                for piece in archive:
                    sys.stdout.buffer.write(piece)
        finally:
            archive.close()
    return 0


def import_(words: tuple[str, ...], *, message: str, change: tuple[str, ...]) -> int:
    """Make an image of an archive of files; print its id."""
    source, *names = words[:2]
    with connect() as client, _opened("" if source == "-" else source) as file:
        named = names[0] if names else ""
        pieces = watched(_pieces(file), "importing")
        click.echo(client.images.make_of(pieces, named, message, change))
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


def check_place(path: Path, failure: str) -> None:
    """Look before anything is asked for.  Raises WordsRefused."""
    what = ""
    if not path.parent.is_dir():
        what = f'directory "{path.parent}" does not exist'
    elif path.is_block_device() or path.is_char_device():
        what = "got a device"
    if what:
        raise WordsRefused(
            f"{failure}: invalid output path: {what}",
            why="the archive becomes a file in a directory that is there",
            try_next=f"mkdir --parents {path.parent}",
            exit_code=1,
        )


def write_whole(path: Path, pieces: Iterable[bytes], failure: str) -> None:
    """Write a file that is there whole or not at all."""
    half = path.with_name(f".{path.name}.half")
    try:
        with half.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        half.replace(path)
    except OSError as refusal:
        raise WordsRefused(
            f"{failure}: {path}: {(refusal.strerror or '').lower()}",
            why="the archive has to be written whole; nothing of it is left",
            try_next="minidock save IMAGE | ssh HOST docker load",
            exit_code=1,
        ) from refusal
    finally:
        half.unlink(missing_ok=True)


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
    params=[
        text("--message", "-m", help="a comment", metavar="TEXT", default=""),
        texts("--change", "-c", help="CMD, ENV, …: a default", metavar="INSTRUCTION"),
    ],
    usage="FILE|- [NAME[:TAG]]", least=1,
)  # fmt: skip
