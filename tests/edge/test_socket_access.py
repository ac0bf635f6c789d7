"""Who may use root's engine: root, and whoever is in its group, where there is one."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.edge

GROUP = 4242
DAEMON = [sys.executable, "-m", "pyminidock.api.daemon", "--backend", "simulated"]

# In a mount namespace of its own: /etc/group is ours there, and goes with the last process.
SETUP = """
set -eu
mount --bind "$PLACE/group" /etc/group
"$@" & daemon=$!
trap 'kill $daemon; wait $daemon' EXIT
for _ in $(seq 3000); do [ -S "$PLACE/run/s.sock" ] && break; sleep 0.02; done
stat -c '%a %u %g' "$PLACE/run/s.sock"
stat -c '%a' "$PLACE/run"
ask() { curl -s --unix-socket "$PLACE/run/s.sock" http://docker/_ping || echo "curl $?"; }
ask; echo
setpriv --reuid 65534 --regid 65534 --groups $GROUP -- sh -c "$ASK"; echo
setpriv --reuid 65534 --regid $GROUP --clear-groups -- sh -c "$ASK"; echo
setpriv --reuid 65534 --regid 65534 --clear-groups -- sh -c "$ASK"
chmod 666 "$PLACE/run/s.sock"
setpriv --reuid 65534 --regid 65534 --clear-groups -- sh -c "$ASK"
"""
ASK = 'curl -s --unix-socket "$PLACE/run/s.sock" http://docker/_ping || echo "curl $?"'


def play(place: Path, groups: str) -> list[str]:
    """Start an engine where /etc/group says `groups`; give what was seen, line by line."""
    place.chmod(0o755)
    for above in place.parents:
        if above.is_relative_to("/tmp/pytest-of-root"):  # noqa: S108  (where tests live)
            above.chmod(above.stat().st_mode | 0o055)
    (place / "group").write_text(groups)
    daemon = [*DAEMON, "--root", str(place / "root"), "--socket", f"{place}/run/s.sock"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", SETUP, "sh", *daemon],
        capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"PLACE": str(place), "GROUP": str(GROUP), "ASK": ASK},
    )  # fmt: skip
    assert done.returncode == 0, f"{shlex.join(daemon)}: {done.stderr}"
    return [line for line in done.stdout.splitlines() if line]


def test_members_of_the_group_are_served_and_others_are_not(tmp_path: Path) -> None:
    """E.1: 0660, and the kernel says in which groups somebody is."""
    seen = play(tmp_path, f"root:x:0:\nminidock:x:{GROUP}:\nnogroup:x:65534:\n")
    assert seen[:2] == [f"660 0 {GROUP}", "755"]
    assert seen[2:5] == ["OK", "OK", "OK"], "root; by a group beside; by the first group"
    assert seen[5] == "curl 7", "the mode of the file keeps others out"
    assert "user 65534 may not use this engine" in seen[6], "and so does the engine"


def test_without_the_group_root_is_alone(tmp_path: Path) -> None:
    seen = play(tmp_path, "root:x:0:\nnogroup:x:65534:\n")
    assert seen[:2] == ["600 0 0", "700"]
    assert seen[2:5] == ["OK", "curl 7", "curl 7"]
