"""The Docker SDK for Python gets from our engine what it gets from Docker's.

Every public method of the client, of containers, images and second programs, and of the
lower floor beneath them is called by some scene, which is counted; what needs a network, a
registry, volumes, a swarm or plug-ins stands aside.
"""

import gc
import inspect
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import docker
import pytest
from docker.api.client import APIClient
from docker.models.containers import Container, ContainerCollection
from docker.models.images import Image, ImageCollection

from tests.compat.sdk_scenes import ASIDE, SCENES
from tests.minidock_cli import Minidock
from tests.reference import Reference

pytestmark = [
    pytest.mark.compat,
    # The SDK leaves the sockets of attached streams to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Let the SDK's sockets go here, where nobody minds, and not in another test."""
    yield
    gc.collect()


_CLASSES = (docker.DockerClient, ContainerCollection, Container, ImageCollection, Image)
_OF_OTHERS = re.compile(
    r".*(network|volume|swarm|node|service|secret|config|plugin|task|registry|distribution).*"
    r"|login|pull|push|search|get_unlock_key|import_image_from_(file|url|image)"
)
_OF_HTTP = set(dir(__import__("requests").Session))


@pytest.fixture(scope="module")
def called() -> Iterator[set[str]]:
    """Note each public method that is called."""
    names: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        for each in (*_CLASSES, APIClient):
            for name in methods(each):
                noted = _noting(names, f"{each.__name__}.{name}", getattr(each, name))
                patch.setattr(each, name, noted)
        yield names


def _noting(names: set[str], name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def noting(*words: Any, **fields: Any) -> Any:
        names.add(name)
        return method(*words, **fields)

    return noting


def methods(kind: type) -> list[str]:
    """The public methods of a class that ask something of the engine."""
    return [
        name
        for name, member in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
        and name not in ASIDE.get(kind.__name__, ())
        and not (kind is APIClient and (name in _OF_HTTP - {"close"} or _is_others(name)))
    ]


def _is_others(name: str) -> bool:
    kept = {"create_container_config", "create_host_config", "create_container_from_config"}
    return name not in kept and bool(_OF_OTHERS.fullmatch(name))


@pytest.fixture(scope="module")
def clients(
    reference: Reference, minidock: Minidock, called: set[str]
) -> Iterator[tuple[Any, Any]]:
    """A client for each engine."""
    made = [
        docker.DockerClient(f"unix://{socket}", version="1.45")
        for socket in (reference.socket, minidock.host)
    ]
    made[0].images.get("busybox").tag("root")
    made[1].images.load(b"".join(made[0].images.get("root").save(named="root:latest")))
    yield made[0], made[1]
    for client in made:
        client.close()


@pytest.mark.parametrize("name", list(SCENES))
def test_a_scene_ends_alike_on_both(clients: tuple[Any, Any], name: str) -> None:
    docker_says, ours = (plain(SCENES[name](client)) for client in clients)
    assert ours == docker_says


def test_every_public_method_is_called_by_some_scene(
    clients: tuple[Any, Any], called: set[str]
) -> None:
    for play in SCENES.values():
        play(clients[1])
    wanted = {
        f"{each.__name__}.{name}"
        for each in (*_CLASSES, APIClient)
        for name in methods(each)
    }
    assert not wanted - called


_MOVING = {
    "Pid",
    "StartedAt",
    "FinishedAt",
    "Created",
    "read",
    "preread",
    "Config.Hostname",
}


def plain(value: Any, name: str = "") -> Any:
    """Let ids, times and numbers of processes stand still."""
    if isinstance(value, dict):
        return {key: plain(each, key) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, name) for each in value]
    if name in _MOVING or (name.endswith("Path") and name != "Path"):
        return type(value).__name__
    if isinstance(value, str):
        return re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "ID", value)
    if isinstance(value, bytes):
        return re.sub(rb"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", b"ID", value)
    return value
