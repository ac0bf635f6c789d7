"""Images travel between this engine, Docker and other tools, and stay the same images."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.minidock_cli import Minidock
from tests.reference import Reference, program

pytestmark = pytest.mark.compat

DOCKERFILE = """\
FROM busybox
RUN mkdir /srv && echo hi >/srv/hi && ln /srv/hi /srv/again && chmod 4755 /srv/hi
RUN rm /srv/again && mkdir -p /etc/gone && echo x >/etc/gone/x
RUN rm -r /etc/gone && mkdir /etc/gone && echo y >/etc/gone/y
ENV GREETING="<hi & bye>"
WORKDIR /srv
CMD ["sh", "-c", "cat hi; echo $GREETING; ls /etc/gone"]
"""
NAME = "travel/app:1"
PRINTED = "hi\n<hi & bye>\ny\n"


def said(engine: Reference | Minidock, *words: str) -> str:
    done = engine.docker(*words) if isinstance(engine, Reference) else engine.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def asked(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def seen(engine: Reference | Minidock, name: str) -> dict[str, Any]:
    """Give what has to be equal wherever the image is."""
    told = json.loads(said(engine, "image", "inspect", name))[0]
    return {key: told[key] for key in (
        "Id", "RepoTags", "Comment", "Created", "Author", "Config", "Architecture", "Os",
        "Size", "RootFS", "DockerVersion",
    )}  # fmt: skip


@pytest.fixture(scope="module")
def built(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An image that Docker built, saved by Docker."""
    place = tmp_path_factory.mktemp("travel")
    (place / "Dockerfile").write_text(DOCKERFILE)
    made = subprocess.run(
        [program("docker"), "build", "--tag", NAME, "."], cwd=place, capture_output=True,
        check=False, env={
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "DOCKER_BUILDKIT": "0",
            "DOCKER_HOST": f"unix://{reference.socket}",
            "DOCKER_CONFIG": str(reference.state),
        },
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    said(reference, "save", "--output", f"{place}/docker.tar", NAME)
    yield place / "docker.tar"
    reference.docker("rmi", NAME)


@pytest.fixture
def loaded(minidock: Minidock, built: Path) -> Iterator[Minidock]:
    """Our engine with that image in it."""
    assert said(minidock, "load", "-i", str(built)) == f"Loaded image: {NAME}\n"
    yield minidock
    minidock.run("rmi", "--force", NAME)


def test_what_docker_saved_is_the_same_image_here_and_runs(
    reference: Reference, loaded: Minidock
) -> None:
    assert seen(loaded, NAME) == seen(reference, NAME)
    assert (
        said(loaded, "run", "--rm", NAME) == PRINTED == said(reference, "run", "--rm", NAME)
    )


def test_the_stories_differ_only_in_who_made_them(
    reference: Reference, loaded: Minidock
) -> None:
    theirs, ours = (
        [line.split(" ", 1)[1] for line in said(
            engine, "history", "--no-trunc", "--format",
            "{{.ID}} {{.CreatedBy}} {{.Size}} {{.Comment}}", NAME).splitlines()]
        for engine in (reference, loaded)
    )  # fmt: skip
    assert ours == theirs


def test_what_we_save_docker_loads_as_the_same_image(
    reference: Reference, loaded: Minidock, tmp_path: Path
) -> None:
    expected = seen(reference, NAME)
    said(loaded, "save", "--output", f"{tmp_path}/ours.tar", NAME)
    said(reference, "tag", NAME, "travel/kept:1")
    said(reference, "rmi", NAME)
    told = said(reference, "load", "--input", f"{tmp_path}/ours.tar")
    said(reference, "rmi", "travel/kept:1")
    assert told == f"Loaded image: {NAME}\n"
    assert seen(reference, NAME) == expected
    assert said(reference, "run", "--rm", NAME) == PRINTED


def test_a_bootstrapped_image_is_the_same_in_docker(
    reference: Reference, minidock: Minidock, tmp_path: Path
) -> None:
    said(minidock, "bootstrap", "busybox")  # another test may have loaded Docker's
    said(minidock, "tag", "busybox", "travel/base:1")
    said(minidock, "save", "--output", f"{tmp_path}/base.tar", "travel/base:1")
    said(reference, "load", "--input", f"{tmp_path}/base.tar")
    try:
        assert seen(reference, "travel/base:1") == seen(minidock, "travel/base:1") | {
            "RepoTags": ["travel/base:1"]
        }
        assert said(reference, "run", "--rm", "travel/base:1", "echo", "hi") == "hi\n"
    finally:
        said(minidock, "rmi", "travel/base:1")
        said(reference, "rmi", "travel/base:1")


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_what_skopeo_writes_comes_in_as_the_same_image(
    minidock: Minidock, reference: Reference, built: Path, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "skopeo.tar"
    asked("skopeo", "--insecure-policy", "copy", f"docker-archive:{built}",
          f"{kind}:{target}:docker.io/{NAME}")  # fmt: skip
    try:
        assert said(minidock, "load", "-i", str(target)) == f"Loaded image: {NAME}\n"
        assert seen(minidock, NAME)["RootFS"] == seen(reference, NAME)["RootFS"]
        assert said(minidock, "run", "--rm", NAME) == PRINTED
        if kind == "docker-archive":
            assert seen(minidock, NAME) == seen(reference, NAME)
    finally:
        minidock.run("rmi", NAME)


def test_what_we_save_skopeo_reads(loaded: Minidock, tmp_path: Path) -> None:
    archive, told = tmp_path / "ours.tar", seen(loaded, NAME)
    said(loaded, "save", "--output", str(archive), NAME)
    for source in (f"docker-archive:{archive}", f"oci-archive:{archive}"):
        found = json.loads(asked("skopeo", "inspect", "--config", source))
        assert found["rootfs"]["diff_ids"] == told["RootFS"]["Layers"]


def test_the_store_is_an_image_layout_to_skopeo_and_umoci(
    loaded: Minidock, tmp_path: Path
) -> None:
    told = seen(loaded, NAME)
    layout = f"{loaded.root}/oci:docker.io/{NAME}"
    raw = subprocess.run(
        ["skopeo", "inspect", "--config", "--raw", f"oci:{layout}"],
        capture_output=True,
        check=True,
    ).stdout
    assert json.loads(raw)["rootfs"]["diff_ids"] == told["RootFS"]["Layers"]
    asked(
        "skopeo", "--insecure-policy", "copy", f"oci:{layout}", f"oci:{tmp_path}/copy:app"
    )
    asked("umoci", "unpack", "--image", f"{tmp_path}/copy:app", f"{tmp_path}/bundle")
    tree = tmp_path / "bundle/rootfs"
    assert (tree / "srv/hi").read_text() == "hi\n"
    assert (tree / "srv/hi").stat().st_mode & 0o7777 == 0o4755
    assert sorted(path.name for path in (tree / "etc/gone").iterdir()) == ["y"]
    assert not (tree / "srv/again").exists()
