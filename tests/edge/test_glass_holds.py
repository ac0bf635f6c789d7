"""A live program, held inside its own open(2): others go on, it can be killed or let go."""

import json
import os
import shlex
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from pyminidock.client.handles import Client
from pyminidock.client.http import SocketTransport
from pyminidock.client.watch import GateHandle
from pyminidock.events.journal import Record
from pyminidock.kernel.glass import wire
from tests.edge.glasshouse import glass, glass_command, is_mounted, options, wait_for
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge
WANTED = "layer.probed path=/etc/group answer=file"


@pytest.fixture
def client(minidock: Minidock) -> Client:
    return Client(SocketTransport(minidock.host))


@pytest.fixture
def container(minidock: Minidock) -> Iterator[str]:
    """A container on glass that does nothing; gives its id."""
    made = minidock.run("run", "-d", "--glass", minidock.image, "sleep", "1000")
    assert made.returncode == 0, made.stderr
    yield made.stdout.strip()
    minidock.run("rm", "-f", made.stdout.strip())


def holding(client: Client, container: str) -> GateHandle:
    return client.gate(f"run-{container[:12]}", WANTED)


def reading(minidock: Minidock, container: str) -> subprocess.Popen[str]:
    """Start a program in the container that opens /etc/group."""
    return subprocess.Popen(
        minidock.words("exec", container, "cat", "/etc/group"), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=minidock.environment,
    )  # fmt: skip


def asked_by_cat(gate: GateHandle) -> Record:
    """Wait until `cat` is held; whoever else comes by goes on."""
    for record in gate.held():
        if record.data["command"] == "cat":
            return record
        gate.resume()
    raise AssertionError("the gate was closed")


def test_held_in_open_while_others_go_on_and_then_let_go(
    minidock: Minidock, client: Client, container: str
) -> None:
    with closing(holding(client, container)) as gate:
        held = reading(minidock, container)
        event = asked_by_cat(gate)
        assert (event.data["path"], event.evidence) == ("/etc/group", "observed")
        other = minidock.run("exec", container, "cat", "/etc/hostname")
        assert (other.returncode, other.stdout.strip()) == (0, container[:12])
        assert held.poll() is None
    said, _ = held.communicate(timeout=60)
    assert held.returncode == 0
    assert said.startswith("root:")


def test_a_held_program_dies_of_its_signal(
    minidock: Minidock, client: Client, container: str
) -> None:
    with closing(holding(client, container)) as gate:
        held = reading(minidock, container)
        event = asked_by_cat(gate)
        os.kill(int(str(event.data["pid"])), signal.SIGKILL)
        held.communicate(timeout=60)
        assert held.returncode == 137


def test_what_a_program_changes_is_told_with_its_name(
    minidock: Minidock, container: str
) -> None:
    words = "echo one >> /etc/passwd; rm /etc/shells /etc/group; mkdir /etc/new"
    minidock.run("exec", container, "sh", "-c", words)
    told = minidock.run("trace", "show", f"run-{container[:12]}", "--json").stdout
    records = [json.loads(line) for line in told.splitlines()[1:]]
    seen = {
        (record["kind"], record["data"].get("path"), record["data"].get("command"))
        for record in records
        if record["kind"] in ("path.copied.up", "whiteout.made", "layer.probed")
    }
    assert ("path.copied.up", "/etc/passwd", "sh") in seen
    assert ("whiteout.made", "/etc/group", "rm") in seen
    assert ("layer.probed", "/etc/new", "mkdir") in seen
    changed = minidock.run("diff", container).stdout.splitlines()
    assert {"C /etc/passwd", "D /etc/group", "A /etc/new"} <= set(changed)


# ── The server by itself ──────────────────────────────────────────────────────────────────


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    for layer in ("lower", "base"):
        (tmp_path / layer).mkdir()
    (tmp_path / "base" / "motd").write_text("hello\n")
    return tmp_path


def test_a_server_that_is_killed_leaves_errors_and_no_sleeper(ground: Path) -> None:
    with glass(ground) as (place, server):
        with (place / "motd").open("rb") as file:
            os.kill(server, signal.SIGKILL)
            wait_for(lambda: not _answers(place))
            with pytest.raises(OSError, match="not connected"):
                os.fsync(file.fileno())
        with pytest.raises(OSError, match="not connected"):
            (place / "motd").stat()
    assert not is_mounted(place)


def _answers(place: Path) -> bool:
    with suppress(OSError):
        return bool((place / "motd").stat())
    return False


def test_the_kernel_asks_for_as_much_as_one_answer_takes(ground: Path) -> None:
    with glass(ground) as (place, _):
        device = place.stat().st_dev
        place_of_wish = f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}"
        wish = Path(place_of_wish, "read_ahead_kb").read_text(encoding="ascii")
        assert int(wish) << 10 == wire.MAX_WRITE


def test_glass_mount_goes_to_the_background_and_away_at_sigterm(ground: Path) -> None:
    words = options(ground, "alone", "rw", "nosuid")
    place = ground / "alone" / "merged"
    done = subprocess.run(
        glass_command("alone", place, words),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert is_mounted(place)
    assert (place / "motd").read_text() == "hello\n"
    (server,) = _servers(place)
    os.kill(server, signal.SIGTERM)
    wait_for(lambda: not is_mounted(place) and not _servers(place))


def _servers(place: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"pyminidock.kernel.glass" in words and os.fsencode(place) in words:
                found.append(int(process.name))
    return found


def test_a_union_that_cannot_be_says_why(ground: Path) -> None:
    done = subprocess.run(
        glass_command("none", ground, f"lowerdir={ground}/absent"),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr


def test_it_is_mounted_and_changed_in_a_user_namespace_of_its_own(ground: Path) -> None:
    words = options(ground, "rootless")
    place = ground / "rootless" / "merged"
    command = shlex.join(glass_command("rootless", place, words))
    changes = (
        'cd "$0"; echo more >> motd; mkdir d; mv motd d/motd; cat d/motd; umount -l "$0"'
    )
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc",
         f"{command}; {changes}", str(place)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "hello\nmore\n"), done.stderr
    upper = ground / "rootless" / "upper"
    assert stat.S_ISCHR((upper / "motd").stat().st_mode)  # a whiteout
    assert (upper / "d" / "motd").read_text() == "hello\nmore\n"
