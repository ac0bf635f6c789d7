"""What an image says of itself steers nothing: H-05 and T-62, through the command line."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.archives import digest, old_docker, tar
from tests.minidock_cli import Minidock, minidock

__all__ = ["minidock"]

pytestmark = pytest.mark.edge


def said(engine: Minidock, *words: str) -> str:
    done = engine.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def plain(
    minidock: Minidock, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, dict[str, Any]]:
    """Give the layer and the document of busybox."""
    saved = tmp_path_factory.mktemp("saved") / "busybox.tar"
    said(minidock, "save", "--output", str(saved), "busybox")
    with tarfile.open(saved) as archive:

        def member(name: str) -> bytes:
            file = archive.extractfile(name)
            assert file is not None
            return file.read()

        (door,) = json.loads(member("manifest.json"))
        return member(door["Layers"][0]), json.loads(member(door["Config"]))


@pytest.fixture
def brought(
    minidock: Minidock, plain: tuple[bytes, dict[str, Any]], tmp_path: Path
) -> Iterator[Any]:
    """Give a function that loads a busybox whose config says more."""

    def bring(layer: bytes = b"", **more: Any) -> None:
        busybox, document = plain
        layers = [busybox, layer] if layer else [busybox]
        document = document | {"config": document["config"] | more}
        if layer:
            diff_ids = [*document["rootfs"]["diff_ids"], digest(layer)]
            document |= {"rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": []}
        archive = tmp_path / "odd.tar"
        members = old_docker(layers, json.dumps(document).encode(), "odd:1")
        archive.write_bytes(tar(members))
        assert said(minidock, "load", "-i", str(archive)) == "Loaded image: odd:1\n"

    yield bring
    said(minidock, "rmi", "-f", "odd:1")


def isolation(engine: Minidock, image: str) -> str:
    """Say what a container of an image may do, and what it sees."""
    asked = "grep -E '^(Cap|Seccomp|NoNewPrivs)' /proc/self/status; ls -a /; env | sort"
    return said(engine, "run", "--rm", "--hostname", "same", image, "sh", "-c", asked)


LABELS = {
    "minidock.privileged": "true", "org.pyminidock.mounts": "/:/host", "minidock.id": "0",
    "com.docker.compose.project": "x", "com.docker.network": "host",
    "containerd.io/restart.status": "running", "io.containerd.runc.v2.group": "x",
    "io.podman.annotations.privileged": "TRUE", "": "no name", "a\x1b[31m": "red",
}  # fmt: skip


def test_labels_of_any_owner_are_labels_and_nothing_else(
    minidock: Minidock, brought: Any, tmp_path: Path
) -> None:
    """H-05: what they ask for is not done; they are shown where labels are."""
    brought(Labels=LABELS)
    (told,) = json.loads(said(minidock, "inspect", "odd:1"))
    assert told["Config"]["Labels"] == LABELS
    assert isolation(minidock, "odd:1") == isolation(minidock, "busybox")
    lines = said(minidock, "images", "--filter", "label=minidock.privileged=true")
    assert len(lines.splitlines()) == 2
    assert "\x1b" not in said(minidock, "history", "odd:1")


def test_what_an_image_would_run_is_not_run_by_the_engine(
    minidock: Minidock, brought: Any, tmp_path: Path
) -> None:
    """H-05: triggers and signals are text; a health check is asked, but inside alone."""
    mark = tmp_path / "mark"
    deed, check = f"touch {mark}; touch /mark", f"touch {mark}; touch /checked"
    brought(
        Labels={"minidock.hook": deed, "com.docker.lifecycle": deed},
        Healthcheck={"Test": ["CMD-SHELL", check], "Interval": 1_000_000},
        OnBuild=[f"RUN {deed}"], StopSignal=f"$({deed})", Shell=["/bin/sh", "-c", check],
        Domainname=deed, User="",
    )  # fmt: skip
    said(minidock, "run", "-d", "--name", "odd", "odd:1", "sleep", "60")
    try:
        seen = said(minidock, "exec", "odd", "sh", "-c", "sleep 0.3; ls /; echo $0")
        assert "mark" not in seen
    finally:
        said(minidock, "rm", "-f", "odd")
    assert not mark.exists()
    (told,) = json.loads(said(minidock, "inspect", "odd:1"))
    assert told["Config"]["OnBuild"] == [f"RUN {deed}"]


@pytest.mark.parametrize("place", ["/../../etc", "/l/x", "../../x", "/", "/proc/../.."])
def test_a_volume_of_an_image_leads_nowhere_outside(
    minidock: Minidock, brought: Any, place: str, tmp_path: Path
) -> None:
    """T-62: as a name that climbs, as a link that leads out, as the root."""
    outside = tmp_path / "outside"
    (outside / "x").mkdir(parents=True)
    (outside / "x" / "file").write_text("precious")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        link = tarfile.TarInfo("l")
        link.type, link.linkname = tarfile.SYMTYPE, str(outside)
        archive.addfile(link)
    brought(made.getvalue(), Volumes={place: {}})
    ran = minidock.run("run", "--rm", "odd:1", "sh", "-c", f"ls {place}; cat /l/x/file")
    assert "precious" not in ran.stdout
    assert (outside / "x" / "file").read_text() == "precious"
    assert [path.name for path in outside.rglob("*")] == ["x", "file"]


@pytest.mark.parametrize(
    ("place", "result"),
    [
        ("../../x", "the working directory '../../x' is invalid"),
        ("/../../x", "/x\n"),
        ("/proc/self/fd/3", "chdir"),
        ("/etc/passwd", "is not a directory"),
    ],
)
def test_a_working_directory_of_an_image_is_inside_or_refused(
    minidock: Minidock, brought: Any, place: str, result: str
) -> None:
    """T-62."""
    brought(WorkingDir=place)
    ran = minidock.run("run", "--rm", "odd:1", "pwd")
    assert result in ran.stdout + ran.stderr
    assert not Path("/x").exists()
