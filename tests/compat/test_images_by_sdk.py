"""The Docker SDK for Python finds our engine's images as it finds Docker's."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import docker
import docker.errors
import pytest

from tests.engine.archives import config, layer, old_docker, tar
from tests.minidock_cli import Minidock
from tests.reference import Reference

pytestmark = pytest.mark.compat

CREATED = "2019-03-01T10:00:00Z"
TREES = [layer(), layer("again", b"x" * 4000)]
SETTINGS = {"Labels": {"scene": "sdk"}, "Cmd": ["sh"], "Env": ["A=1"]}
ARCHIVE = tar(old_docker(
    TREES, config(*TREES, created=CREATED, config=SETTINGS,
                  history=[{"created": CREATED, "created_by": "ADD a"},
                           {"created": CREATED, "created_by": "ADD b"}]),
    "sdk/app:1", "sdk/other:1",
))  # fmt: skip


@pytest.fixture(scope="module")
def clients(reference: Reference, minidock: Minidock) -> Iterator[tuple[Any, Any]]:
    """Docker's client for both engines, with one image in each."""
    made = [docker.DockerClient(f"unix://{each}", version="1.45")
            for each in (reference.socket, minidock.host)]  # fmt: skip
    for client in made:
        client.images.load(ARCHIVE)
    yield made[0], made[1]
    for client in made:
        for image in client.images.list(filters={"label": "scene=sdk"}):
            client.images.remove(image.id, force=True)
        client.close()


def listed(client: Any) -> list[tuple[str, list[str]]]:
    found = client.images.list(filters={"label": "scene=sdk"})
    return sorted((image.id, sorted(image.tags)) for image in found)


def attributes(client: Any) -> dict[str, Any]:
    told = dict(client.images.get("sdk/app:1").attrs)
    return {name: told[name] for name in told.keys() - {"GraphDriver", "Metadata"}}


def registry_of_names(client: Any) -> list[Any]:
    image = client.images.get("sdk/app:1")
    given = [image.tag("sdk/new", "2"), image.tag("sdk/new"), image.tag("localhost:5000/n")]
    names = sorted(client.images.get("sdk/new:2").tags)
    for name in ("sdk/new:2", "sdk/new", "localhost:5000/n"):
        client.images.remove(name)
    return [given, names, sorted(client.images.get("sdk/app:1").tags)]


def saved_and_loaded(client: Any) -> list[Any]:
    image = client.images.get("sdk/app:1")
    archive = b"".join(image.save(named=True))
    client.images.remove("sdk/app:1")
    came = client.images.load(archive)
    return [[each.id for each in came], [sorted(each.tags) for each in came]]


def imported(client: Any) -> list[Any]:
    client.api.import_image_from_data(
        layer("tree"), repository="sdk/tree", tag="9", changes=["CMD a", "LABEL scene=sdk"]
    )
    image = client.images.get("sdk/tree:9")
    client.images.remove("sdk/tree:9")
    return [image.attrs["Config"]["Cmd"], image.labels, image.attrs["RootFS"]]


def built(client: Any) -> list[Any]:
    files = tar({"Dockerfile": b'FROM busybox\nLABEL scene=sdk\nCMD ["true"]\n'})
    image, lines = client.images.build(
        fileobj=io.BytesIO(files), custom_context=True, tag="sdk/built:1", rm=True
    )
    said = [each["stream"].strip() for each in lines if "stream" in each]
    client.images.remove("sdk/built:1")
    return [image.tags, image.labels, image.attrs["Config"]["Cmd"], said[0], said[-1]]


def pruned(client: Any) -> Any:
    client.images.get("sdk/other:1").tag("sdk/kept")
    filters = {"dangling": True, "label": ["scene=nothing"]}
    done = client.images.prune(filters=filters)
    client.images.remove("sdk/kept")
    return done


def failures(client: Any) -> list[tuple[str, int, str]]:
    asked: list[Callable[[], Any]] = [
        lambda: client.images.get("sdk/nobody"),
        lambda: client.images.get("sdk/UPPER"),
        lambda: client.images.remove("sdk/nobody"),
        lambda: client.images.list(filters={"nonsense": "1"}),
        lambda: client.images.prune(filters={"until": "nonsense"}),
        lambda: client.images.get("sdk/app:1").tag("sdk/x", tag="!"),
        lambda: client.images.load(b"no archive"),
        lambda: client.api.history("sdk/nobody"),
        lambda: list(client.api.get_image("sdk/nobody")),
    ]
    told = []
    for ask in asked:
        try:
            ask()
        except docker.errors.APIError as refusal:
            status, said = refusal.response.status_code, str(refusal.explanation)
            told.append((type(refusal).__name__, status, said.partition(": the ")[0]))
        except docker.errors.ImageLoadError as refusal:
            told.append(("ImageLoadError", 200, str(refusal).partition(": the ")[0]))
        else:
            told.append(("nothing", 0, ""))
    return told


@pytest.mark.parametrize(
    "deed",
    [listed, attributes, registry_of_names, saved_and_loaded, imported, built, pruned,
     failures, lambda client: client.images.get("sdk/app:1").history(),
     lambda client: client.api.images(name="sdk/app"),
     lambda client: client.images.get("sdk/app:1").short_id],
    ids=["list", "inspect", "tag", "save and load", "import", "build", "prune", "failures",
         "history", "old list", "short id"],
)  # fmt: skip
def test_a_deed_has_the_same_outcome(
    clients: tuple[Any, Any], deed: Callable[[Any], Any]
) -> None:
    theirs, ours = (deed(client) for client in clients)
    assert ours == theirs
    assert ours is not None
