"""Pasted line by line into a root shell, the lines of a birth make a container.

A terminal is used, as a student would: a shell that executes itself again must find the
lines that were not read yet, and only a terminal hands them out one at a time.
"""

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.viz.plain import plain_linux

pytestmark = pytest.mark.edge

DEADLINE_S = 20.0


class Shell:
    """A root shell on a terminal of its own."""

    def __init__(self, directory: Path) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "sh"], stdin=slave, stdout=slave, stderr=slave,
            cwd=directory, env={"PATH": os.environ["PATH"], "PS1": "", "TERM": "dumb"},
        )  # fmt: skip
        os.close(slave)
        self.count = 0
        self.say("stty -echo")

    def say(self, line: str) -> str:
        """Paste one line, wait until the shell asks for the next, give what it printed."""
        self.count += 1
        marker = f"line-{1000 + self.count}-done".encode()
        # The sum keeps the echo of what was typed from looking like the answer.
        os.write(self.master, f"{line}\necho line-$((1000+{self.count}))-done\n".encode())
        heard, deadline = b"", time.monotonic() + DEADLINE_S
        while marker not in heard:
            left = deadline - time.monotonic()
            assert left > 0, f"{line!r} hangs after {heard!r}"
            if select.select([self.master], [], [], left)[0]:
                heard += os.read(self.master, 65536)
        return heard.partition(marker)[0].decode()

    def close(self) -> None:
        """End the shell, and with it whatever it became."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def test_the_lines_of_a_birth_make_a_container(tmp_path: Path, shell: Shell) -> None:
    lower, upper = tmp_path / "lower, with a comma", tmp_path / "upper"
    for directory in (lower / "bin", upper, tmp_path / "work", tmp_path / "root"):
        directory.mkdir(parents=True)
    busybox = shutil.which("busybox")
    assert busybox, "apt-get install busybox-static"
    shutil.copy(busybox, lower / "bin/busybox")
    for applet in ("sh", "cat", "ls", "mount", "umount", "mkdir", "hostname", "echo", "id"):
        (lower / "bin" / applet).symlink_to("busybox")
    (tmp_path / "hostname").write_text("pasted\n")
    story: tuple[Event, ...] = (
        e.OverlayPrepared((str(lower),), str(upper), str(tmp_path / "work")),
        e.NamespaceEntered("pid"),
        e.InitForked(1),
        *(e.NamespaceEntered(n) for n in ("mount", "uts", "ipc", "network", "cgroup")),
        e.ParentDeathBound(),
        e.PropagationSet("/", "slave", True),
        e.RootAttached(str(tmp_path / "root")),
        e.Mounted("proc", "proc", "/proc", ("nosuid", "nodev", "noexec")),
        e.Mounted("tmpfs", "tmpfs", "/dev", ("nosuid",), "mode=755,size=65536k"),
        e.Mounted("mqueue", "mqueue", "/dev/mqueue", ("nosuid", "nodev", "noexec")),
        e.BindMounted(str(tmp_path / "hostname"), "/etc/hostname", ("ro",)),
        e.DeviceMade("/dev/null", 1, 3, 0o666),
        e.LinkMade("/dev/fd", "/proc/self/fd"),
        e.DirectoryMade("/srv/data", 0o700),
        e.LoopbackRaised(),
        e.RootPivoted("/"),
        e.PathMadeReadonly("/proc/sys", True),
        e.PathMasked("/proc/version", "null"),
        e.HostnameSet("pasted"),
        e.UmaskSet(0o027),
        e.OomScoreAdjusted(7),
        e.WorkingDirectoryEntered("/srv"),
    )
    for event in story:
        line = plain_linux(event)
        assert line, event
        printed = shell.say(line).replace("\r", "").strip()
        assert printed in ("", "# "), f"{line} said {printed!r}"
    shell.say(plain_linux(e.ProgramExecuted(("sh",))))
    inside = shell.say("export PS1=; hostname; echo $$; pwd; umask; cat /proc/mounts")
    words = inside.split()
    assert {"pasted", "1", "/srv", "0027"} <= set(words), inside
    assert "overlay / overlay" in inside
    assert f"{tmp_path}/root" not in inside, "the host's tree is still mounted"
    assert "/etc/hostname" in inside
    assert "read-only" in shell.say("echo 1 > /proc/sys/kernel/panic").lower()
    assert shell.say("cat /proc/version").strip() == ""
    assert "7" in shell.say("cat /proc/self/oom_score_adj")
    assert (upper / "srv/data").stat().st_mode & 0o777 == 0o700, "copy-on-write below us"


def powers_after(shell: Shell, *story: Event) -> dict[str, str]:
    for event in story:
        shell.say(plain_linux(event))
    status = shell.say("cat /proc/$$/status").splitlines()
    return {name: value.strip() for name, _, value in (x.partition(":") for x in status)}


def test_the_lines_about_powers_do_what_they_say(shell: Shell) -> None:
    seen = powers_after(
        shell,
        e.ResourceLimited("nofile", 99, 100),
        e.BoundingSetDropped(("CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")),
        e.NewPrivilegesForbidden(),
        e.UserTaken(1000, 1001, (7, 1001)),
    )
    assert seen["CapBnd"] == "00000000000001c1"
    assert seen["CapEff"] == "0" * 16, "a user who is not root holds nothing"
    assert seen["NoNewPrivs"] == "1"
    assert seen["Uid"].split() == ["1000"] * 4
    assert seen["Gid"].split() == ["1001"] * 4
    assert seen["Groups"].split() == ["7", "1001"]
    assert "99" in shell.say("ulimit -Sn").split()
    assert "100" in shell.say("ulimit -Hn").split()


def test_root_keeps_what_the_line_says_and_no_more(shell: Shell) -> None:
    kept = ("CAP_CHOWN", "CAP_SETPCAP")
    seen = powers_after(shell, e.BoundingSetDropped(kept), e.CapabilitiesSet(kept))
    assert seen["CapEff"] == seen["CapPrm"] == "0000000000000101"


def test_the_lines_about_an_account_open_use_and_close_it(
    tmp_path: Path, shell: Shell
) -> None:
    account = str(tmp_path / "account")  # any directory: the lines are mkdir, echo, rmdir
    shell.say(plain_linux(e.CgroupCreated(account)))
    shell.say(plain_linux(e.CgroupLimited(account, "pids.max", "50")))
    shell.say(plain_linux(e.CgroupJoined(account)))
    assert (tmp_path / "account/pids.max").read_text() == "50\n"
    assert int((tmp_path / "account/cgroup.procs").read_text()) > 1
    for file in (tmp_path / "account").iterdir():
        file.unlink()
    shell.say(plain_linux(e.CgroupRemoved(account)))
    assert not (tmp_path / "account").exists()
