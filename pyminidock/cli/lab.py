"""`minidock lab`: JupyterLab on the course, with an engine behind it.

    doctor's line ─► engine, images ─► notebooks in DIR ─► this process becomes Jupyter

Nothing is hidden behind it: the last step is an `exec` of `jupyter lab`, so Ctrl+C, the log
and the exit code are Jupyter's own.  The engine stays; started this way, it ends by itself
half an hour after the last client, story and container.

Where no engine can run, the lab opens all the same, on recorded stories.
"""

import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import click

import pyminidock
from pyminidock.cli.engine import diagnosis, in_short
from pyminidock.cli.failures import WordsRefused, tell
from pyminidock.cli.lab_files import bring, sources_in
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect, locate
from pyminidock.course.lesson import FOLDER as LESSONS
from pyminidock.errors import MinidockError

FOLDER = "minidock-lab"
NOTEBOOKS = LESSONS.parent / "notebooks"
IMAGES = ("busybox", "alpine")
RECORDED = "recorded.ipynb"
_TOUR = "00-tour/lesson.ipynb"
_ADDRESS = "127.0.0.1"
_PORTS = range(8888, 8988)
_EXTRA = ("jupyterlab", "anywidget", "ipywidgets")
_PACKAGE = Path(pyminidock.__file__).parent
_ROOT = (
    "You are root, and JupyterLab is told so (--allow-root): a cell can do what you can.",
)
_WITH = f"The engine runs, and has {' and '.join(IMAGES)}."
_WITHOUT = f"Without that, {RECORDED} shows recorded stories, labelled REPLAY."
_END = "Ctrl+C ends JupyterLab; the engine goes on, and ends when nothing needs it."


def lab(words: tuple[str, ...], **given: str | bool | None) -> NoReturn:
    """Open JupyterLab on the course; become it."""
    _need_the_extra()
    is_quiet = bool(given["print_url"])
    port = _port(given["port"])
    folder = Path(words[0] if words else FOLDER).absolute()
    lines = _notebooks(folder)
    _say(in_short(diagnosis()), is_quiet)
    has_engine = _raise_engine()
    _say(_WITH if has_engine else _WITHOUT, is_quiet)
    for line in lines:
        _say(line, is_quiet)
    token = secrets.token_hex(24)
    first = _TOUR if has_engine else RECORDED
    page = f"/lab/tree/{first}" if (folder / first).is_file() else "/lab"
    arguments = jupyter(folder, port, page, opens=not (given["no_browser"] or is_quiet))
    for line in _ROOT if "--allow-root" in arguments else ():
        _say(line, is_quiet)
    _say(_END, is_quiet)
    click.echo(f"http://{_ADDRESS}:{port}{page}?token={token}")
    sys.stdout.flush()
    os.chdir(folder)
    os.execve(sys.executable, arguments, _environment(os.environ, token))  # noqa: S606


def jupyter(folder: Path, port: int, page: str, *, opens: bool) -> list[str]:
    """Write the words that open JupyterLab on a page of a folder."""
    return [
        # -P: a `random.py` of somebody's, in that folder, is not the server's.
        sys.executable, "-P", "-m", "pyminidock.cli.lab_server",
        f"--ip={_ADDRESS}", f"--port={port}",
        "--ServerApp.port_retries=0",  # we chose one that is free, and printed it
        "--log-level=WARN",
        f"--ServerApp.root_dir={folder}", f"--LabApp.default_url={page}",
        # Nothing is asked of the network that the notebooks do not ask.
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--LabApp.app_settings_dir={_PACKAGE / 'cli' / 'lab_settings'}",
        *([] if opens else ["--no-browser"]),
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]  # fmt: skip


def _need_the_extra() -> None:
    """Jupyter is no part of the engine; whoever wants it takes it along."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise WordsRefused(
            f"JupyterLab is not installed here: no {', '.join(missing)}",
            why="the engine and its command line need none of it, so it comes on request",
            try_next="pip install 'pyminidock[lab]'    (in a clone: make lab)",
        )


def _port(typed: object) -> int:
    """Give the port that was asked for, or the first one that is free."""
    if not typed:
        free = next(filter(_is_free, _PORTS), 0)
        return free or _some_port()
    if not (str(typed).isdecimal() and 0 < int(str(typed)) < 65536):
        raise WordsRefused(
            f'invalid argument "{typed}" for "--port" flag: a port is 1 to 65535',
            why="JupyterLab listens on one TCP port of this machine",
            try_next="minidock lab --port 8890",
        )
    if not _is_free(int(str(typed))):
        raise WordsRefused(
            f"port {typed} cannot be used: another program has it, or only root may",
            why="JupyterLab listens on one TCP port of this machine",
            try_next="minidock lab    (which takes the first free one)",
        )
    return int(str(typed))


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((_ADDRESS, port))
        except OSError:
            return False
    return True


def _some_port() -> int:
    with socket.socket() as one:
        one.bind((_ADDRESS, 0))
        return int(one.getsockname()[1])


def _raise_engine() -> bool:
    """See that an engine runs and has the course's images; say why if it cannot."""
    try:
        with connect() as client:
            names = {
                name for each in client.images.listed() for name in each["RepoTags"] or ()
            }
            for image in IMAGES:
                if f"{image}:latest" not in names:
                    client.bootstrap(image)
    except MinidockError as refusal:
        tell(refusal)
        return False
    return True


def _notebooks(folder: Path) -> Sequence[str]:
    """Bring the course's notebooks to the folder; say what was left alone."""
    if folder.resolve() == NOTEBOOKS.resolve():
        return (f"{folder} is the course itself: what you change there, you change in it.",)
    sources = dict(sources_in(NOTEBOOKS, LESSONS))
    recorded = NOTEBOOKS.parent / "binder" / RECORDED
    if recorded.is_file():
        sources[RECORDED] = recorded
    try:
        copied = bring(sources, folder)
    except OSError as fault:
        raise WordsRefused(
            f"the notebooks cannot be put into {folder}: {fault.strerror}",
            why="DIR is a folder of yours, made where there is none",
            try_next=f"minidock lab ~/{FOLDER}",
        ) from fault
    kept = (
        f"  {name} is as you changed it; move it away, and the course's comes again"
        for name in copied.kept
    )
    said = "The notebooks are in" if sources else "No notebooks came with this; open"
    return (f"{said} {folder}", *kept)


def _environment(present: Mapping[str, str], token: str) -> dict[str, str]:
    """Let cells and terminals find our commands, and docker find this engine.

    The token goes this way because anybody may read the words of a command.
    """
    place = locate()
    docker = {"DOCKER_HOST": f"unix://{place.socket}", "DOCKER_BUILDKIT": "0"}
    here = str(Path(sys.executable).parent)
    found = present.get("PATH", os.defpath)
    path = found if here in found.split(os.pathsep) else f"{here}{os.pathsep}{found}"
    return {**present, **docker, "PATH": path, "JUPYTER_TOKEN": token}


def _say(line: str, is_quiet: bool) -> None:
    """Tell people; with --print-url standard output has the address alone."""
    click.echo(line, err=is_quiet)


LAB = Verb(
    "lab", lab, help="Open JupyterLab on the course.", usage="[DIR]", most=1,
    params=[
        switch("--no-browser", help="open no browser: for a server"),
        text("--port", help="where to listen, else the first free port", metavar="N"),
        switch("--print-url", help="open no browser; print the address and nothing else"),
    ],
)  # fmt: skip
