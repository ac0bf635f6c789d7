"""A root directory on a real machine: one engine at a time, and closed to everybody else.

H-53 and H-57 of the hardening contract, with engines of their own.
"""

import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.archives import config, old_docker, tar
from tests.layers.hostile.blocks import END
from tests.layers.hostile.cases import d, f
from tests.minidock_cli import Minidock, tmpfs
from tests.reference import wait_until

pytestmark = pytest.mark.edge

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
SETUID = (
    d(b"bin") + f(b"bin/become", b"#!/bin/sh\n", mode=b"0004755\0")
    + d(b"open", b"0001777\0") + f(b"open/secret", b"secret", mode=b"0000666\0") + END
)  # fmt: skip


@pytest.fixture
def engine() -> Iterator[Minidock]:
    """Give an engine that runs, on a root whose way in everybody may walk."""
    with tmpfs("minidock-roots-") as scratch:
        scratch.chmod(0o755)
        made = Minidock(scratch / "root", scratch / "minidock.sock")
        try:
            done = made.run("bootstrap", "busybox")
            assert done.returncode == 0, done.stderr
            yield made
        finally:
            made.run("system", "shutdown")
            wait_until(lambda: not made.remains(), 10, "the engine to be gone")


def test_a_second_engine_on_one_root_is_refused_by_name(engine: Minidock) -> None:
    """H-53: also with a socket of its own; the first goes on."""
    other = Minidock(engine.root, engine.host.with_name("other.sock"))
    second = subprocess.run(
        other.words("daemon"), capture_output=True, text=True, timeout=60, check=False,
        env=other.environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert second.returncode != 0
    assert str(engine.root) in second.stderr
    assert "belongs to an engine that is running" in second.stderr
    assert not other.host.exists()
    assert engine.run("images", "-q").stdout.strip()


def test_a_root_of_a_newer_release_is_refused_until_it_is_put_back(
    engine: Minidock,
) -> None:
    """H-53: through the command line."""
    engine.run("system", "shutdown")
    wait_until(lambda: not engine.host.exists(), 10, "the engine to be gone")
    with closing(sqlite3.connect(engine.root / "state.db")) as rows:
        version = rows.execute("PRAGMA user_version").fetchone()[0]
        rows.execute("PRAGMA user_version=99")
    refused = engine.run("images")
    assert refused.returncode != 0
    assert "newer release" in refused.stderr
    with closing(sqlite3.connect(engine.root / "state.db")) as rows:
        rows.execute(f"PRAGMA user_version={version}")
    assert "busybox" in engine.run("images").stdout


@pytest.fixture
def lived_in(engine: Minidock, tmp_path: Path) -> Iterator[Minidock]:
    """Fill the root: a set-uid program in a layer, a build, a container that runs."""
    archive = tmp_path / "setuid.tar"
    archive.write_bytes(tar(old_docker([SETUID], config(SETUID), "setuid:1")))
    assert engine.run("load", "-i", str(archive)).returncode == 0
    built = engine.run(
        "build", "-t", "b", "-", input="FROM busybox\nRUN umask 0; echo >/x\n"
    )
    assert built.returncode == 0, built.stderr
    started = engine.run("run", "-d", "--name", "lives", "b", "sleep", "60")
    assert started.returncode == 0, started.stderr
    yield engine
    engine.run("rm", "-f", "lives")


def as_nobody(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NOBODY, *words], capture_output=True, text=True, check=False, timeout=60
    )


def test_nobody_else_may_enter_anything_of_a_root(lived_in: Minidock) -> None:
    """H-57: a set-uid program of an image would be one of this machine."""
    (program,) = lived_in.root.glob("layers/*/diff/bin/become")
    assert program.stat().st_mode & 0o7777 == 0o4755
    assert as_nobody("ls", str(lived_in.root.parent)).returncode == 0
    seen = as_nobody("find", str(lived_in.root), "-mindepth", "1")
    assert seen.stdout == ""
    assert "Permission denied" in seen.stderr
    for path in (program, *lived_in.root.glob("layers/*/diff/open/secret")):
        assert as_nobody("cat", str(path)).returncode != 0
        assert as_nobody("sh", "-c", f"echo x >>{path}").returncode != 0
        assert as_nobody(str(path)).returncode != 0


def test_every_path_of_a_root_is_for_its_owner_or_behind_a_closed_door(
    lived_in: Minidock,
) -> None:
    """H-57: trees of images keep their own modes, behind a directory that is 0700."""
    doors = [lived_in.root, *(lived_in.root / name for name in ("layers", "containers"))]
    assert [stat.S_IMODE(door.stat().st_mode) & 0o077 for door in doors] == [0] * 3
    open_ = []
    for above, names, files in os.walk(lived_in.root):
        here = Path(above)
        if here.parent.name in ("layers", "containers"):
            names[:] = files[:] = []  # what images and containers hold is theirs
        for name in (*names, *files):
            status = (here / name).lstat()
            if not stat.S_ISLNK(status.st_mode) and status.st_mode & 0o077:
                open_.append(f"{here / name} {stat.S_IMODE(status.st_mode):o}")
    assert open_ == []
    assert stat.S_IMODE(lived_in.host.stat().st_mode) in (0o600, 0o660)
    for socket in lived_in.root.rglob("*.sock"):
        assert stat.S_IMODE(socket.stat().st_mode) in (0o600, 0o660), socket
