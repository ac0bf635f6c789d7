"""Where layers cannot be stacked the engine says so, and does what can be done without."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge


@dataclass(frozen=True, slots=True)
class Ground:
    """An engine on an overlay, as in a container of Docker's."""

    engine: Minidock

    def run(self, *words: str, backend: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command with a backend that is asked for."""
        more = {"MINIDOCK_BACKEND": backend} if backend else {}
        return subprocess.run(
            self.engine.words(*words), env=self.engine.environment | more,
            capture_output=True, text=True, check=False, timeout=60,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """An overlay whose layers lie on two filesystems, so that its files have numbers."""
    place = tmp_path / "o"
    for name in ("lower", "upper", "merged"):
        (place / name).mkdir(parents=True)
    mounted = [place / "upper", place / "merged"]
    subprocess.run(["mount", "-t", "tmpfs", "upper", mounted[0]], check=True)
    for name in ("upper", "work"):
        (place / "upper" / name).mkdir()
    options = (
        f"lowerdir={place}/lower,upperdir={place}/upper/upper,workdir={place}/upper/work"
    )
    subprocess.run(["mount", "-t", "overlay", "o", "-o", options, mounted[1]], check=True)
    engine = Minidock(place / "merged" / "root", place / "sock")
    try:
        yield Ground(engine)
    finally:
        engine.run("system", "shutdown")
        wait_until(lambda: not engine.host.exists(), 10, "the engine to be gone")
        for point in reversed(mounted):
            subprocess.run(["umount", "--lazy", point], check=True)


def test_on_an_overlay_the_fallback_is_named_with_its_reason(ground: Ground) -> None:
    assert ground.run("bootstrap", "busybox").returncode == 0
    told = ground.run("doctor").stdout
    assert "simulated" in told
    assert "overlay" in told
    assert str(ground.engine.root) in told
    assert "MINIDOCK_ROOT=/a/directory/on/ext4" in told
    refused = ground.run("ps", backend="linux-root")
    assert refused.returncode == 0, "an engine runs, and goes on as it is"
    ground.run("system", "shutdown")
    wait_until(lambda: not ground.engine.host.exists(), 10, "the engine to be gone")
    refused = ground.run("ps", backend="linux-root")
    assert refused.returncode != 0
    assert "linux-root does not work here" in refused.stderr
    assert "overlay" in refused.stderr


def test_on_an_overlay_images_are_built_saved_and_loaded(
    ground: Ground, tmp_path: Path
) -> None:
    """Files of an overlay have device numbers of their own; hard links stay links."""
    context = tmp_path / "context"
    (context / "d").mkdir(parents=True)
    (context / "d" / "one").write_text("text")
    os.link(context / "d" / "one", context / "d" / "two")
    (context / "Dockerfile").write_text("FROM busybox\nCOPY d /d\nENV A=1\n")
    assert ground.run("bootstrap", "busybox").returncode == 0
    built = ground.run("build", "-t", "b:1", str(context))
    assert built.returncode == 0, built.stderr
    saved = tmp_path / "b.tar"
    assert ground.run("save", "-o", str(saved), "b:1").returncode == 0
    assert ground.run("rmi", "b:1").returncode == 0
    loaded = ground.run("load", "-i", str(saved))
    assert (loaded.stdout, loaded.stderr) == ("Loaded image: b:1\n", "")
    (tree,) = ground.engine.root.glob("layers/*/diff/d")
    assert (tree / "one").samefile(tree / "two")
