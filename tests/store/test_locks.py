"""One engine for each root directory, also after the first one was killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyminidock.kernel.linux.locks import RootInUse, lock_file

HOLDER = """
import sys
from pathlib import Path
from pyminidock.kernel.linux.locks import lock_file
lock_file(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_engine_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = lock_file(path)
    with pytest.raises(RootInUse) as refusal:
        lock_file(path)
    assert str(tmp_path) in refusal.value.what
    os.close(held)
    os.close(lock_file(path))


def test_a_killed_engine_holds_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RootInUse):
            lock_file(path)
        holder.kill()
        holder.wait()
        os.close(lock_file(path))


def test_the_lock_file_is_private_and_no_link_is_followed(tmp_path: Path) -> None:
    os.close(lock_file(tmp_path / "lock"))
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "lock")
    with pytest.raises(OSError, match="symbolic links"):
        lock_file(tmp_path / "link")
