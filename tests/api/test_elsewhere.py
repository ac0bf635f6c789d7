"""What Docker has and we do not is answered honestly, and nothing is "page not found".

Every test asks twice: the router itself, as a notebook does, and through a socket.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyminidock.api.failures import Answers
from pyminidock.api.message import Request, Response
from pyminidock.api.routes import Router
from pyminidock.engine import images
from tests.api.dockerroutes import DOCKER_ROUTES
from tests.api.doors import over_socket
from tests.api.studio import Studio, studio

NO_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to'
    " connect this node to swarm and try again."
)
NO_EXPERIMENT = (
    "This experimental feature is disabled by default. Start the Docker daemon in"
    " experimental mode in order to enable it."
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Studio]:
    engine = studio(tmp_path / "root")
    yield engine
    engine.house.close()


@pytest.fixture(params=["in process", "over a socket"])
def router(
    engine: Studio, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Answers]:
    made = Router(engine.house)
    if request.param == "in process":
        yield made
        return
    with over_socket(made, tmp_path / "s") as door:
        yield door


def ask(
    router: Answers, method: str, path: str, body: object = None, **query: str
) -> Response:
    headers = {"content-type": "application/json"}
    sent = json.dumps(body if body is not None else {}).encode()
    return router.handle(Request(method, path, query, headers, sent))


def told(response: Response) -> Any:
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


@pytest.mark.parametrize(("method", "path"), DOCKER_ROUTES)
def test_no_route_of_docker_s_is_page_not_found(
    router: Answers, method: str, path: str
) -> None:
    query = {"until": "1"} if path == "/events" else {}
    response = ask(router, method, path, **query)
    if isinstance(response.body, bytes):
        assert b"page not found" not in response.body
        assert b"the engine failed" not in response.body
    else:
        response.body.close()


@pytest.mark.parametrize(
    ("question", "status", "message"),
    [
        ("GET /nodes", 503, NO_MANAGER),
        ("GET /services/x", 503, NO_MANAGER),
        ("POST /swarm/unlock", 503, NO_MANAGER),
        ("DELETE /secrets/x", 503, NO_MANAGER),
        ("POST /swarm/leave", 503, "This node is not part of a swarm"),
        ("POST /swarm/init", 501, "swarm mode is not supported"),
        ("GET /plugins/x/json", 404, 'plugin "x" not found'),
        ("POST /plugins/pull", 501, "plugins are not supported"),
        ("GET /containers/x/checkpoints", 501, NO_EXPERIMENT),
        ("POST /build/cancel", 400, "build ID not provided"),
        ("POST /auth", 501, "docker login: registries are not supported yet"),
        ("POST /images/a/b/push", 501, "docker push: registries are not supported yet"),
        ("GET /images/search", 501, "docker search: registries are not supported yet"),
        ("GET /distribution/a/json", 501,
         "docker manifest: registries are not supported yet"),
        ("GET /networks/nope", 404, "network nope not found"),
        ("POST /networks/create", 400, "invalid name: "),
        ("POST /networks/none/connect", 400, 'invalid name or ID supplied: ""'),
        ("DELETE /networks/none", 403,
         "none is a pre-defined network and cannot be removed"),
        ("DELETE /networks/nope", 404, "network nope not found"),
        ("GET /volumes/nope", 404, "get nope: no such volume"),
        ("DELETE /volumes/nope", 404, "get nope: no such volume"),
        ("PUT /volumes/x", 503,
         "volume update only valid for cluster volumes, but swarm is unavailable"),
        ("GET /containers/buildx_buildkit_default0/json", 501,
         "BuildKit is not spoken here: set DOCKER_BUILDKIT=0"),
    ],
)  # fmt: skip
def test_what_is_not_here_is_refused_in_one_sentence(
    router: Answers, question: str, status: int, message: str
) -> None:
    method, _, path = question.partition(" ")
    response = ask(router, method, path)
    assert (response.status, told(response)["message"]) == (status, message)
    assert told(response)["why"]
    assert told(response)["try_next"]


def test_buildx_finds_no_builder_to_pull(router: Answers) -> None:
    response = ask(
        router, "POST", "/images/create", fromImage="moby/buildkit:buildx-stable-1"
    )
    assert response.status == 501
    assert "DOCKER_BUILDKIT=0" in told(response)["message"]


def test_lists_tell_the_truth_which_is_short(router: Answers) -> None:
    bridge, host, none = told(ask(router, "GET", "/networks"))
    assert [each["Driver"] for each in (bridge, host)] == ["bridge", "host"]
    assert (none["Name"], none["Driver"], none["Scope"]) == ("none", "null", "local")
    assert told(ask(router, "GET", "/networks/none")) == none
    assert told(ask(router, "GET", f"/networks/{none['Id'][:12]}")) == none
    assert told(ask(router, "GET", "/volumes")) == {"Volumes": [], "Warnings": None}
    assert told(ask(router, "GET", "/plugins")) == []
    assert told(ask(router, "POST", "/networks/prune")) == {"NetworksDeleted": None}
    assert ask(router, "DELETE", "/volumes/nope", force="1").status == 204


@pytest.mark.parametrize(
    ("filters", "count"),
    [({"name": ["no"]}, 1), ({"name": ["x"]}, 0), ({"driver": ["null"]}, 1),
     ({"driver": ["bridge"]}, 1), ({"type": ["custom"]}, 0), ({"dangling": ["true"]}, 0),
     ({"label": ["a"]}, 0), ({"name": ["x", "none"]}, 1)],
)  # fmt: skip
def test_networks_are_filtered(
    router: Answers, filters: dict[str, list[str]], count: int
) -> None:
    found = told(ask(router, "GET", "/networks", filters=json.dumps(filters)))
    assert len(found) == count
    assert ask(router, "GET", "/networks", filters='{"zz":["a"]}').status == 400
    assert ask(router, "GET", "/volumes", filters='{"zz":["a"]}').status == 400


# ── Info and df ──────────────────────────────────────────────────────────────────────────


def test_info_counts_what_there_is(router: Answers, engine: Studio) -> None:
    assert ask(
        router, "POST", "/containers/create", {"Image": "busybox"}, name="web"
    ).status == 201  # fmt: skip
    before = told(ask(router, "GET", "/info"))
    assert (before["Containers"], before["ContainersStopped"]) == (1, 1)
    ask(router, "POST", "/containers/web/start")
    listener = engine.house.bulletin.listen()
    info = told(ask(router, "GET", "/info"))
    listener.close()
    assert (info["ContainersRunning"], info["ContainersStopped"]) == (1, 0)
    assert (info["Images"], info["NEventsListener"]) == (1, 1)
    assert info["ID"] == before["ID"]
    assert info["DockerRootDir"] == str(engine.house.root)
    assert info["Swarm"]["LocalNodeState"] == "inactive"
    assert info["DefaultRuntime"] in info["Runtimes"]


def test_info_of_an_old_api_has_what_old_clients_read(router: Answers) -> None:
    assert "KernelMemory" not in told(ask(router, "GET", "/info"))
    assert told(ask(router, "GET", "/v1.41/info"))["KernelMemory"] is True
    oldest = told(ask(router, "GET", "/v1.24/info"))
    assert oldest["ExecutionDriver"] == "<not supported>"
    assert oldest["SecurityOptions"] == ["seccomp"]


def test_df_counts_images_containers_and_what_they_share(
    router: Answers, engine: Studio
) -> None:
    ask(router, "POST", "/containers/create", {"Image": "busybox"}, name="web")
    (upper,) = (
        Path(engine.house.kept(life.id).snapshot.upper) for life in engine.house.lives()
    )
    upper.mkdir(exist_ok=True)
    (upper / "written").write_bytes(b"x" * 1000)
    images.tag(engine.house, "busybox", "other:1")
    df = told(ask(router, "GET", "/system/df"))
    (image,) = df["Images"]
    assert sorted(image["RepoTags"]) == ["busybox:latest", "other:1"]
    assert (image["Containers"], image["SharedSize"]) == (1, 0)
    assert df["LayersSize"] == image["Size"]
    (container,) = df["Containers"]
    assert container["SizeRw"] == 1000
    assert container["SizeRootFs"] == 1000 + image["Size"]
    assert df["Volumes"] == df["BuildCache"] == []


def test_df_counts_only_what_was_asked_for(router: Answers) -> None:
    df = told(ask(router, "GET", "/system/df", type="volume"))
    assert df == {
        "LayersSize": 0, "Images": None, "Containers": None, "Volumes": [],
        "BuildCache": None,
    }  # fmt: skip
    refused = ask(router, "GET", "/system/df", type="zz")
    assert (refused.status, told(refused)["message"]) == (400, "unknown object type: zz")
