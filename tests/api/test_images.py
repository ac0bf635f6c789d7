"""Images over the API: Docker's routes, statuses and sentences, names with slashes too."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyminidock.api.message import Request, Response
from pyminidock.api.routes import Router
from pyminidock.client.images import Images
from pyminidock.client.inprocess import RouterTransport
from pyminidock.client.transport import Refused
from tests.api.studio import studio
from tests.engine.archives import config, digest, layer, old_docker, tar

ONE = layer()
NAME = "localhost:5000/me/app:1"
ARCHIVE = tar(old_docker([ONE], config(ONE), NAME))


@pytest.fixture
def router(tmp_path: Path) -> Iterator[Router]:
    made = studio(tmp_path)
    yield Router(made.house)
    made.house.close()


@pytest.fixture
def images(router: Router) -> Images:
    return Images(RouterTransport(router))


def ask(
    router: Router, method: str, path: str, body: bytes = b"", **query: Any
) -> Response:
    return router.handle(Request(method, path, query, {}, body))


def told(response: Response) -> Any:
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


def test_an_image_comes_in_is_seen_by_its_name_and_goes(images: Images) -> None:
    assert [*images.load([ARCHIVE[:700], ARCHIVE[700:]])] == [f"Loaded image: {NAME}\n"]
    assert images.inspect(NAME)["Id"] == digest(config(ONE))
    assert images.history(NAME) == []
    images.tag(NAME, "short")
    assert sorted(images.inspect("short")["RepoTags"]) == [NAME, "short:latest"]
    assert [row["RepoTags"] for row in images.listed(filters={"reference": ["short"]})] == [
        ["short:latest"]
    ]
    assert images.remove(NAME) == [{"Untagged": NAME}]
    assert images.remove("short")[:2] == [
        {"Untagged": "short:latest"}, {"Deleted": digest(config(ONE))},
    ]  # fmt: skip


def test_images_go_out_as_one_archive(images: Images) -> None:
    list(images.load([ARCHIVE]))
    content = b"".join(images.save([NAME, "busybox"]))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        door = archive.extractfile("manifest.json")
        assert door is not None
        assert [entry["RepoTags"] for entry in json.load(door)] == [
            [NAME], ["busybox:latest"],
        ]  # fmt: skip


def test_layers_are_told_with_their_names_and_pages_of_one_layer(images: Images) -> None:
    list(images.load([ARCHIVE]))
    (only,) = images.layers(NAME)["layers"]
    assert (only["number"], only["added"], only["entries"][0]["path"]) == (1, 1, "/hello")
    assert images.layers(NAME, entries=0)["layers"][0]["more"] == 1
    page = images.diff(NAME, 1)
    assert (page["total"], page["entries"][0]["size_bytes"]) == (1, 3)
    assert images.diff(NAME, 1, start=1)["entries"] == []
    with pytest.raises(Refused, match="has no layer 2"):
        images.diff(NAME, 2)
    with pytest.raises(Refused, match="No such image"):
        images.layers("nobody")


def test_an_untagged_image_is_told_by_its_id_and_a_moved_name_too(images: Images) -> None:
    identifier = digest(config(ONE))
    assert [*images.load([tar(old_docker([ONE], config(ONE)))])] == [
        f"Loaded image ID: {identifier}\n"
    ]
    images.tag(identifier, "app:1")
    other = config(ONE, author="another")
    assert [*images.load([tar(old_docker([ONE], other, "app:1"))])] == [
        f"The image app:1 already exists, renaming the old one with ID {identifier}"
        " to empty string\n",
        "Loaded image: app:1\n",
    ]


def test_a_load_that_fails_is_told_in_the_stream(router: Router, images: Images) -> None:
    response = ask(router, "POST", "/images/load", ARCHIVE[:1500])
    assert response.status == 200
    assert not isinstance(response.body, bytes)  # in chunks: so the SDK reads lines
    (line,) = response.body
    assert json.loads(line)["errorDetail"]["message"].startswith("unexpected EOF")
    with pytest.raises(Refused, match=r"^unexpected EOF") as refusal:
        list(images.load([ARCHIVE[:1500]]))
    assert refusal.value.why


def test_a_tree_becomes_an_image(images: Images) -> None:
    made = images.make_of([ONE], "tree:1", "by hand")
    found = images.inspect("tree:1")
    assert (found["Id"], found["Comment"]) == (made, "by hand")
    assert images.make_of([ONE]) != made


def test_a_prune_tells_what_went(images: Images) -> None:
    list(images.load([tar(old_docker([ONE], config(ONE)))]))
    done = images.prune()
    assert done["ImagesDeleted"][0] == {"Deleted": digest(config(ONE))}
    assert done["SpaceReclaimed"] == 3
    assert images.prune() == {"ImagesDeleted": None, "SpaceReclaimed": 0}


@pytest.mark.parametrize(
    ("question", "query", "status", "message"),
    [
        ("GET /images/nope/json", {}, 404, "No such image: nope:latest"),
        ("GET /images/a/b/c/json", {}, 404, "No such image: a/b/c:latest"),
        ("GET /images/a/json/json", {}, 404, "No such image: a/json:latest"),
        ("GET /images/Bad/json", {}, 400,
         "invalid reference format: repository name (library/Bad) must be lowercase"),
        ("GET /images/nope/history", {}, 404, "No such image: nope:latest"),
        ("GET /images/nope/get", {}, 404, "No such image: nope"),
        ("GET /images/get", {"names": "nope"}, 404, "No such image: nope"),
        ("GET /images/get", {"names": "busybox:no"}, 404, "reference does not exist"),
        ("GET /images/nope:1/get", {}, 404, "reference does not exist"),
        ("POST /images/nope/tag", {"repo": "x"}, 404, "No such image: nope:latest"),
        ("POST /images/busybox/tag", {"repo": "X"}, 400,
         "invalid reference format: repository name (library/X) must be lowercase"),
        ("POST /images/busybox/tag", {"repo": "x", "tag": "-"}, 400,
         "invalid tag format"),
        ("POST /images/busybox/tag", {"repo": "sha256"}, 400,
         "refusing to create an ambiguous tag using digest algorithm as name"),
        ("DELETE /images/nope", {}, 404, "No such image: nope:latest"),
        ("DELETE /images/ ", {}, 400, "image name cannot be blank"),
        ("GET /images/json", {"filters": "x"}, 400, "invalid filter"),
        ("GET /images/json", {"filters": "[]"}, 400, "invalid filter"),
        ("GET /images/json", {"filters": '{"zz":["a"]}'}, 400, "invalid filter 'zz'"),
        ("POST /images/prune", {"filters": '{"zz":["a"]}'}, 400, "invalid filter 'zz'"),
        ("POST /images/create", {"fromImage": "alpine"}, 501,
         "pull access denied for alpine: images are not pulled yet"),
        ("POST /images/create", {"fromSrc": "-", "changes": "RUN x"}, 400,
         "RUN is not a valid change command"),
        ("GET /images/search", {"term": "x"}, 501,
         "docker search: registries are not supported yet"),
    ],
)  # fmt: skip
def test_a_refusal_has_docker_s_status_and_sentence(
    router: Router, question: str, query: dict[str, Any], status: int, message: str
) -> None:
    method, _, path = question.partition(" ")
    response = ask(router, method, path, **query)
    assert (response.status, told(response)["message"]) == (status, message)


def test_a_tag_beside_a_tag_counts(router: Router, images: Images) -> None:
    assert ask(router, "POST", "/images/busybox/tag", repo="x:5", tag="6").status == 201
    assert ask(router, "POST", "/images/busybox/tag").status == 200
    assert images.inspect("x:6")["RepoTags"] == ["busybox:latest", "x:6"]


def test_older_clients_get_the_fields_they_know(router: Router) -> None:
    response = ask(router, "GET", "/v1.43/images/busybox/json")
    assert told(response)["VirtualSize"] == told(response)["Size"]
    assert "VirtualSize" not in told(ask(router, "GET", "/v1.45/images/busybox/json"))
    for path in ("images/json", "system/df"):
        old, new = (told(ask(router, "GET", f"/v1.{n}/{path}")) for n in (43, 44))
        old, new = (each if path[0] == "i" else each["Images"] for each in (old, new))
        assert [each["VirtualSize"] for each in old] == [each["Size"] for each in new]
        assert all("VirtualSize" not in each for each in new)


def test_clients_before_1_45_are_told_the_origin_of_an_image(router: Router) -> None:
    old, new = (told(ask(router, "GET", f"/v1.{n}/images/busybox/json")) for n in (44, 45))
    assert old["ContainerConfig"]["Cmd"] is None
    assert "ContainerConfig" not in new
