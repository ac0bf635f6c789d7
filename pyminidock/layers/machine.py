"""Asking the machine's own programs, with fixed words and an environment of our own."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import BinaryIO

from pyminidock.errors import MinidockError

PATIENCE_S = 120.0
_HANDED_ON = ("PATH", "http_proxy", "https_proxy", "no_proxy")


class ProgramFailed(MinidockError):
    """A program of the machine is missing, or said no."""


def run(
    *argv: str, directory: Path = Path("/"), output: BinaryIO | None = None,
    patience_s: float = PATIENCE_S,
) -> str:  # fmt: skip
    """Run a program and give what it printed, or let it print into `output`.

    Raises ProgramFailed with the last words of the program.
    """
    program = shutil.which(argv[0])
    if program is None:
        raise _failed(f"{argv[0]} is not installed", argv[0])
    surroundings = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603  (no shell, no words from outside)
            [program, *argv[1:]], cwd=directory, env=surroundings | {"LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL, stdout=output or subprocess.PIPE,
            stderr=subprocess.PIPE, check=True, timeout=patience_s,
        )  # fmt: skip
    except subprocess.SubprocessError as failure:
        words = getattr(failure, "stderr", None) or str(failure).encode()
        said = words.decode(errors="replace").strip()[-200:]
        raise _failed(f"{argv[0]} failed: {said}", argv[0]) from failure
    return (done.stdout or b"").decode(errors="replace")


def _failed(what: str, program: str) -> ProgramFailed:
    return ProgramFailed(
        what,
        why=f"{program} belongs to the machine, and it does the work here",
        try_next=f"{program} --help",
        lesson="images",
    )
