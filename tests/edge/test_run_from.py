"""Run from here: build steps and held frames become containers; the rest stays."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.client.handles import Client
from pyminidock.client.http import SocketTransport
from pyminidock.client.watch import GateHandle
from pyminidock.events.journal import Record
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge
DOCKERFILE = """FROM {image}
RUN echo one > /one
RUN echo two > /two
RUN rm /one && mkdir /three
"""
PROGRAM = """
echo appended >> /two; cat /none/1
rm /two; cat /none/2
rm -r /three; mkdir /three; cat /none/3
echo made > /three/x; ln /three/x /three/y; cat /none/4
chmod 600 /three/x; cat /none/5
ln -s x /three/z; cat /none/6
sleep 1000
"""
HELD_AT = "path.resolved path=/none"


def told(path: Path) -> Iterator[str]:
    """Tell everything of a tree: names, kinds, owners, times, attributes and bytes."""
    for above, directories, files in os.walk(path):
        for name in sorted((*directories, *files)):
            here = Path(above, name)
            found = here.lstat()
            yield f"{here.relative_to(path)} {found.st_mode:o} {found.st_uid}"
            yield f"{found.st_gid} {found.st_rdev} {found.st_nlink} {found.st_size}"
            yield str(found.st_mtime_ns)
            for key in sorted(os.listxattr(here, follow_symlinks=False)):
                yield f"{key}={os.getxattr(here, key, follow_symlinks=False)!r}"
            if stat.S_ISREG(found.st_mode):
                yield hashlib.sha256(here.read_bytes()).hexdigest()


def tree(path: Path) -> str:
    return hashlib.sha256("\n".join(told(path)).encode()).hexdigest()


@pytest.fixture
def client(minidock: Minidock) -> Client:
    return Client(SocketTransport(minidock.host))


def built(minidock: Minidock, folder: Path) -> None:
    (folder / "Dockerfile").write_text(DOCKERFILE.format(image=minidock.image))
    made = minidock.run("build", "-t", "origin", str(folder))
    assert made.returncode == 0, made.stderr


def run_from(minidock: Minidock, moment: str, *words: str) -> str:
    ran = minidock.run("run", "--rm", "--from", moment, *words)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def number_of(client: Client, held: Record) -> int:
    """Count as players do: gates are no steps."""
    told = [each for each in client.story(held.story).records
            if not each.kind.startswith("gate.")]  # fmt: skip
    return next(n for n, each in enumerate(told, 1) if each.seq == held.seq)


def held_six_times(client: Client, container: str, gate: GateHandle) -> Iterator[int]:
    """Let a program change its files, held six times; at the last one it stays."""
    made = client.exec_create(container, {"Cmd": ["sh", "-c", PROGRAM]})
    client.exec_start_detached(made)
    for count, record in enumerate(gate.held(), 1):
        yield number_of(client, record)
        if count == 6:
            return
        gate.resume()


def test_ten_moments_are_run_from_and_the_originals_stay_byte_equal(
    minidock: Minidock, client: Client, tmp_path: Path
) -> None:
    built(minidock, tmp_path)
    build = client.story("last")
    ends = [n for n, r in enumerate(build.records, 1) if r.kind == "step.finished"]
    made = minidock.run("run", "-d", "--glass", "origin", "sleep", "1000")
    original = made.stdout.strip()
    story = f"run-{original[:12]}"
    gate = client.gate(story, HELD_AT)
    try:
        moments = [*held_six_times(client, original, gate)]
        places = client.inspect(original)["GraphDriver"]["Data"]
        trees = [Path(places["UpperDir"]), *map(Path, places["LowerDir"].split(":"))]
        images = minidock.run("images", "-a", "-q", "--no-trunc").stdout
        before = [*map(tree, trees)]
        look = "ls / | tr '\n' ' '; echo x > /more"
        steps = [
            run_from(minidock, f"{build.header.story}@{end}", "sh", "-c", look)
            for end in ends
        ]
        assert ["one" in said.split() for said in steps] == [False, True, True, False]
        assert ["two" in said.split() for said in steps] == [False, False, True, True]
        assert ["three" in said.split() for said in steps] == [False, False, False, True]
        look = "cat /two; ls /three; stat -c %a /three/x; echo more > /three/new"
        frames = [run_from(minidock, f"{story}@{n}", "sh", "-c", look) for n in moments]
        assert frames == [
            "two\nappended\n", "", "", "x\ny\n644\n", "x\ny\n600\n", "x\ny\nz\n600\n",
        ]  # fmt: skip
        assert run_from(minidock, f"{story}@last", "ls", "/three") == "x\ny\nz\n"
        assert [*map(tree, trees)] == before
        assert minidock.run("images", "-a", "-q", "--no-trunc").stdout == images
        assert client.inspect(original)["State"]["Running"]
    finally:
        gate.close()
        minidock.run("rm", "-f", original)


def test_a_moment_that_was_not_held_is_refused_and_says_which_were(
    minidock: Minidock, client: Client
) -> None:
    made = minidock.run("run", "-d", "--glass", minidock.image, "sleep", "1000")
    original = made.stdout.strip()
    try:
        ran = minidock.run("run", "--from", f"run-{original[:12]}@3", "true")
        assert ran.returncode == 125
        assert "steps to run from: none" in ran.stderr
        ran = minidock.run("run", "--from", "nonsense", "true")
        assert "a moment is STORY@STEP" in ran.stderr
    finally:
        minidock.run("rm", "-f", original)


def test_a_container_made_from_here_shows_and_keeps_what_it_began_with(
    minidock: Minidock, client: Client
) -> None:
    made = minidock.run(
        "run", "-d", "--glass", "-e", "A=1", minidock.image, "sh", "-c",
        "echo mine > /mine; sleep 1; cat /none; sleep 1000",
    )  # fmt: skip
    original = made.stdout.strip()
    gate = client.gate(f"run-{original[:12]}", HELD_AT)
    try:
        next(iter(gate.held()))
        moment = f"run-{original[:12]}@last"
        second = minidock.run("run", "--name", "second", "--from", moment, "sh", "-c",
                              "cat /mine; echo $A; echo b > /b")  # fmt: skip
        assert second.stdout == "mine\n1\n"
        assert minidock.run("diff", "second").stdout.splitlines() == ["A /b", "A /mine"]
        again = minidock.run("start", "-a", "second")
        assert again.stdout == "mine\n1\n"
    finally:
        gate.close()
        minidock.run("rm", "-f", original, "second")
