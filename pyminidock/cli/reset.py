"""`minidock system shutdown` and `reset`: an engine ends, or nothing of it is left.

    shutdown    the engine ends; containers go on, and the next engine adopts them
    reset       every container ends, with its mounts and cgroups; then the engine; then its
                files, those it made and no others; then its socket

A reset asks first.  It starts an engine if none runs: only an engine knows what an earlier
one left.
"""

import os
import select
import shutil
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.filters import is_sure
from pyminidock.cli.words import Verb, switch
from pyminidock.client.connect import EngineAbsent, Place, connect, locate
from pyminidock.client.handles import Client
from pyminidock.errors import MinidockError
from pyminidock.grammar.names import short_id

_GONE_S = 20.0
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_OURS = (
    "containers", "journal", "layers", "oci", "quarantine", "roots", "trash", "volumes",
    "ballast", "daemon.log", "lock", "start.lock", "state.db", "state.db-shm",
    "state.db-wal", "networks.json", "minidock.sock",
)  # fmt: skip
"""What an engine makes in its root directory; `reset` removes nothing else."""
_ENDS_WITH_IT = ("state.db-shm", "state.db-wal")  # part of state.db while it is open


def shutdown(words: tuple[str, ...]) -> int:
    """End the engine; containers go on."""
    _end(locate())
    return 0


def reset(words: tuple[str, ...], *, dry_run: bool, force: bool) -> int:
    """End and remove everything that belongs to this engine, and say what."""
    place = locate()
    if not place.root.exists():
        return 0
    if not (dry_run or force) and not is_sure(
        f"This ends all containers of {place.root} and removes its images and records."
    ):
        return 0
    with connect() as client:  # a new one too: it finds what an earlier one left
        for told in client.containers(all=True):
            name = told["Names"][0].removeprefix("/")
            click.echo(f"container {short_id(told['Id'])} ({name})")
            if not dry_run:
                client.remove(told["Id"], force=True)
    if not dry_run:
        _end(place)
    for path in _ours(place):
        if path.name not in _ENDS_WITH_IT:
            click.echo(path)
        if not dry_run:
            _remove(path)
    if not dry_run:
        with suppress(OSError):  # somebody keeps other files there
            place.root.rmdir()
    return 0


def _end(place: Place) -> None:
    """Stop the engine and wait until it is gone; none is just as well.

    Its socket goes first, and its rules and devices last: so its process is waited for.
    """
    with ExitStack() as held, suppress(EngineAbsent):
        client = held.enter_context(
            connect(place.root, f"unix://{place.socket}", start=False)
        )
        engine = _process_of(place.socket, held)
        client.shutdown()
        if engine < 0:
            _wait_until_gone(client, place)
        elif not select.select([engine], [], [], _GONE_S)[0]:
            raise _lives_on(place, "its process is still there")


def _process_of(path: Path, held: ExitStack) -> int:
    """Give a handle on whoever listens at a socket; -1 where nobody can be known so.

    A handle is readable as soon as the process has ended, whatever becomes of its number.
    Source: man 7 unix, SO_PEERCRED; man 2 pidfd_open.
    """
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(path))
            told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        handle = os.pidfd_open(_CREDENTIALS.unpack(told)[0])
    except (OSError, AttributeError):  # of another PID namespace; not Linux
        return -1
    held.callback(os.close, handle)
    return handle


def _wait_until_gone(client: Client, place: Place) -> None:
    deadline = time.monotonic() + _GONE_S
    while place.socket.exists():
        try:
            client.ping()
        except (OSError, MinidockError):
            break
        if time.monotonic() > deadline:
            raise _lives_on(place, "it still answers")
        time.sleep(0.01)


def _lives_on(place: Place, why: str) -> WordsRefused:
    return WordsRefused(
        f"the engine at {place.socket} did not end within {_GONE_S:g} s",
        why=why,
        try_next="minidock system shutdown",
        exit_code=1,
    )


def _ours(place: Place) -> Iterator[Path]:
    """Give the paths that an engine made."""
    yield from (path for name in _OURS if (path := place.root / name).exists())


def _remove(path: Path) -> None:
    """Remove a tree or a file; links are removed, not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


SHUTDOWN = Verb("shutdown", shutdown, help="End the engine; containers go on.")
RESET = Verb(
    "reset", reset, help="Leave nothing of this engine behind.",
    params=[switch("--dry-run", help="only say what would go"),
            switch("--force", "-f", help="do not ask")],
)  # fmt: skip
