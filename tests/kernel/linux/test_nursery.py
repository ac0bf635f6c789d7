"""The fork server: sealed, small, alone, and replaced when somebody ends it."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.kernel import calls
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.linux.exhaustion import raise_descriptors
from pyminidock.kernel.linux.nursery import Nursery, seal
from pyminidock.kernel.port import CallFailed
from tests.reference import wait_until

pytestmark = pytest.mark.edge

# Every module that all shims share; one more costs each of them a little memory.
ALLOWED = {
    "abc", "array", "builtins", "codecs", "collections", "ctypes", "encodings", "errno",
    "fcntl", "functools", "gc", "genericpath", "io", "itertools", "keyword", "marshal",
    "operator", "os", "posix", "posixpath", "pyminidock", "reprlib", "resource", "select",
    "site", "stat", "struct", "sys", "time", "types", "zipimport",
    "linecache",  # Python 3.13 has it for `-c`
}  # fmt: skip


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """Start no spawner yet; end it afterwards."""
    nursery = Nursery()
    yield nursery
    nursery.close()


def start(nursery: Nursery) -> int:
    """Start the spawner by a conversation that says nothing."""
    conversation, line, _ = nursery.begin(is_birth=False)
    conversation.hang_up()
    line.close()
    return nursery.pid


def threads(pid: int) -> list[str]:
    """List the threads of a process."""
    return [path.name for path in Path(f"/proc/{pid}/task").iterdir()]


def test_the_interpreter_of_the_spawner_is_a_copy_that_nobody_can_write(
    nursery: Nursery,
) -> None:
    exe = Path(f"/proc/{start(nursery)}/exe")
    assert str(exe.readlink()).startswith("/memfd:minidock-python")
    with pytest.raises(OSError, match="busy"):
        os.close(os.open(exe, os.O_WRONLY))
    sealed = seal(os.path.realpath(sys.executable))
    with pytest.raises(PermissionError):
        os.write(sealed, b"x")
    with pytest.raises(PermissionError):
        os.ftruncate(sealed, 0)
    os.close(sealed)


def test_a_script_is_no_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "python3"
    script.write_text("#!/bin/sh\nexec real-python\n")
    with pytest.raises(OSError, match="no ELF"):
        seal(str(script))


def test_the_spawner_has_one_thread_and_no_variable_of_ours(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DAEMON", "canary")
    pid = start(nursery)
    assert threads(pid) == [str(pid)]
    assert Path(f"/proc/{pid}/environ").read_bytes() == b"LC_ALL=C.UTF-8\0"


def test_the_spawner_has_the_descriptors_that_the_engine_was_started_with() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = (before[1] // 2, before[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, low)
    nursery = Nursery()
    try:
        raise_descriptors()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
        pid = start(nursery)
        # It is fresh from exec: the limit is the first thing that it sets right.
        wait_until(
            lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE) == low, 10, "its limit"
        )
    finally:
        nursery.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_what_shims_share_is_small_and_pinned() -> None:
    listing = subprocess.run(
        [sys.executable, "-I", "-S", "-c",
         "import sys; sys.path.insert(0, sys.argv[1])\n"
         "import pyminidock.kernel.linux.spawner\n"
         "print(*sorted({name.partition('.')[0] for name in sys.modules}))",
         str(Path(__file__).parents[3])],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = {name for name in listing.stdout.split() if not name.startswith("_")}
    assert modules <= ALLOWED


def test_a_spawner_that_was_killed_is_replaced(nursery: Nursery) -> None:
    first = start(nursery)
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    second = start(nursery)
    assert second != first
    assert threads(second) == [str(second)]


def test_a_plan_over_one_mebibyte_is_refused_before_anything_is_forked(
    tmp_path: Path,
) -> None:
    body = LinuxBody(tmp_path)
    plan = (
        calls.ForkShim(str(tmp_path), has_terminal=False, keeps_stdin=False),
        calls.ForkInit(),
        calls.AnnounceReady(),
        calls.Execute(("/bin/true", "x" * (1 << 20)), ()),
    )
    with pytest.raises(CallFailed, match="1048576 are allowed"):
        body.perform(plan, answer=lambda call, value, at: None)
    assert list(tmp_path.iterdir()) == []
    body.close()
