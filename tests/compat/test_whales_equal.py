"""python-on-whales, which drives the stock command line, finds the same on both engines."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException, NoSuchContainer, NoSuchImage

from tests.minidock_cli import Minidock
from tests.reference import Reference, program

pytestmark = pytest.mark.compat

NONE = ["none"]


@pytest.fixture(scope="module")
def clients(
    reference: Reference, minidock: Minidock
) -> Iterator[tuple[DockerClient, DockerClient]]:
    """A client for each engine; the classic builder is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_BUILDKIT", "0")
        made = [
            DockerClient(client_call=[program("docker")], host=f"unix://{socket}")
            for socket in (reference.socket, minidock.host)
        ]
        yield made[0], made[1]


def said(act: Callable[[], Any]) -> Any:
    """Give what an act gave, or how it was refused."""
    try:
        return act()
    except (NoSuchContainer, NoSuchImage, DockerException) as refusal:
        return (type(refusal).__name__, refusal.return_code)


def a_life(docker: DockerClient, place: Path) -> list[Any]:
    made = docker.run("busybox", ["sleep", "300"], name="whale", detach=True, networks=NONE,
                      labels={"a": "1"}, envs={"A": "1"})  # fmt: skip
    try:
        seen: list[Any] = [
            made.state.status,
            made.state.running,
            made.name,
            made.config.labels,
        ]
        seen += [
            (made.config.env or [])[0],
            made.host_config.network_mode,
            made.restart_count,
        ]
        docker.pause(made)
        made.reload()  # type: ignore[no-untyped-call]
        seen += [made.state.paused, made.state.status, docker.unpause(made)]
        seen += [
            docker.execute(made, ["echo", "hi"]),
            said(lambda: docker.execute(made, ["false"])),
        ]
        seen += [[each.name for each in docker.ps(filters=[("label", "a=1")])]]
        docker.rename(made, "whaler")
        made.reload()  # type: ignore[no-untyped-call]
        seen += [made.name, made.exists(), docker.container.exists("nobody")]
        docker.restart(made, time=0)
        docker.update(made, memory="64m", memory_swap="64m")
        made.reload()  # type: ignore[no-untyped-call]
        seen += [made.host_config.memory]
        docker.kill(made)
        seen += [docker.wait(made)]
        made.reload()  # type: ignore[no-untyped-call]
        seen += [
            made.state.exit_code,
            made.state.status,
            docker.container.inspect("whaler").id == made.id,
        ]
        docker.start(made)
        docker.stop(made, time=0)
        docker.remove(made)
        return [*seen, made.exists(), said(lambda: docker.container.inspect("whaler"))]
    finally:
        docker.remove(["whale", "whaler"], force=True)


def what_is_printed(docker: DockerClient, place: Path) -> list[Any]:
    seen: list[Any] = [docker.run("busybox", ["echo", "hi"], remove=True, networks=NONE)]
    seen += [said(lambda: docker.run("busybox", ["false"], remove=True, networks=NONE))]
    seen += [list(docker.run("busybox", ["sh", "-c", "echo 1; echo 2 >&2"], remove=True,
                             networks=NONE, stream=True)) and "streamed"]  # fmt: skip
    made = docker.create("busybox", ["sh", "-c", "echo one; echo two"], name="whale",
                         networks=NONE)  # fmt: skip
    try:
        docker.start(made, attach=True)
        seen += [docker.logs(made), docker.logs(made, tail=1)]
        return [*seen, list(docker.logs(made, stream=True, follow=True))]
    finally:
        docker.remove(made, force=True)


def files_and_images(docker: DockerClient, place: Path) -> list[Any]:
    made = docker.create("busybox", ["sh", "-c", "echo new > /new"], name="whale",
                         networks=NONE)  # fmt: skip
    try:
        docker.start(made, attach=True)
        (place / "in").write_text("in\n")
        docker.copy(place / "in", (made, "/in"))
        docker.copy((made, "/new"), place / "new")
        seen: list[Any] = [(place / "new").read_text(), sorted(docker.diff(made).items())]
        docker.export(made, place / "out.tar")
        image = docker.commit(made, "whale:1", message="a note")
        seen += [image.repo_tags, image.comment, image.config.cmd]
        docker.tag(image, "whale:2")
        seen += [sorted(tag for each in docker.images("whale") for tag in each.repo_tags)]
        docker.save("whale:1", output=place / "saved.tar")
        seen += [docker.image.exists("whale:1")]
        docker.image.remove(["whale:1", "whale:2"], force=True)
        seen += [docker.image.exists("whale:1"), docker.load(place / "saved.tar")]
        docker.image.remove("whale:1", force=True)
        return seen
    finally:
        docker.remove(made, force=True)


def a_build(docker: DockerClient, place: Path) -> list[Any]:
    (place / "Dockerfile").write_text("FROM busybox\nCOPY Dockerfile /x\nCMD cat /x\n")
    image = docker.legacy_build(place, tags="whale:built")
    try:
        return [image.repo_tags, docker.run("whale:built", remove=True, networks=NONE)]
    finally:
        docker.image.remove("whale:built", force=True)


def the_engine(docker: DockerClient, place: Path) -> list[Any]:
    info, df = docker.system.info(), docker.system.disk_free()
    server = docker.version().server
    assert server is not None
    return [info.driver, info.n_cpu, info.os_type, info.cgroup_driver, type(df).__name__,
            server.api_version, said(docker.container.prune)]  # fmt: skip


SCENES = (a_life, what_is_printed, files_and_images, a_build, the_engine)


@pytest.mark.parametrize("play", SCENES)
def test_a_scene_ends_alike_on_both(
    clients: tuple[DockerClient, DockerClient],
    tmp_path: Path,
    play: Callable[[DockerClient, Path], list[Any]],
) -> None:
    told = []
    for name, docker in zip(("docker", "ours"), clients, strict=True):
        (tmp_path / name).mkdir()
        told.append(
            re.sub(r"\b[0-9a-f]{12,64}\b", "ID", repr(play(docker, tmp_path / name)))
        )
    assert told[1] == told[0]
