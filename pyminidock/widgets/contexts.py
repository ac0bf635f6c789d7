"""Build contexts that are written in cells: a folder for each tag, gone with the kernel.

    %%dockerfile hello --build      the Dockerfile of `hello`
    %%minidock context hello/a.py   a file beside it: COPY a.py finds it

Nothing is written outside these folders, unless --file says where; then the folder of that
file is the context.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NoReturn

import click

from pyminidock.cli.failures import WordsRefused
from pyminidock.dockerfile.malformed import DockerfileMalformed
from pyminidock.dockerfile.parse import parse

_USAGE = "%%dockerfile TAG [--file PATH] [--build] [--no-cache]"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WordsRefused(
            message, why=f"it is used so: {_USAGE}", try_next="%%dockerfile hello --build"
        )


class Contexts:
    """The folders of one notebook."""

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="minidock-cells-")
        self._folders: dict[str, Path] = {}

    def dockerfile(self, words: Sequence[str], cell: str) -> list[str] | None:
        """Keep a Dockerfile; give the words of the build that was asked for, if one was.

        Raises WordsRefused, and DockerfileMalformed with its mark shown.
        """
        parser = _Parser(prog="%%dockerfile", add_help=False)
        parser.add_argument("tag")
        parser.add_argument("--file", "-f", type=Path)
        parser.add_argument("--build", action="store_true")
        parser.add_argument("--no-cache", action="store_true")
        asked = parser.parse_args(list(words))
        path = asked.file or self.folder(asked.tag) / "Dockerfile"
        _check(cell)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(cell, encoding="utf-8")
        if not asked.build:
            return None
        no_cache = ["--no-cache"] if asked.no_cache else []
        return ["-t", asked.tag, "-f", str(path), *no_cache, str(path.parent)]

    def put(self, words: Sequence[str], cell: str) -> None:
        """Keep a file of a context: TAG/PATH.  Raises WordsRefused."""
        name = words[0] if len(words) == 1 else ""
        tag, _, inside = name.partition("/")
        parts = PurePosixPath(inside).parts
        if not tag or not parts or ".." in parts or inside.startswith("/"):
            raise WordsRefused(
                f"{name!r} is no file of a context",
                why="it is TAG/PATH: the image's name, and a path inside its context",
                try_next="%%minidock context hello/app.py",
            )
        path = self.folder(tag).joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(cell, encoding="utf-8")

    def folder(self, tag: str) -> Path:
        """Give the folder of a tag."""
        if tag not in self._folders:
            self._folders[tag] = Path(self._home.name) / str(len(self._folders))
            self._folders[tag].mkdir()
        return self._folders[tag]

    def close(self) -> None:
        """Remove them all."""
        self._home.cleanup()


def _check(cell: str) -> None:
    """Show a mistake where it was made."""
    try:
        parse(cell, "Dockerfile")
    except DockerfileMalformed as fault:
        if mark := fault.caret():
            click.echo(mark, err=True)
        raise
