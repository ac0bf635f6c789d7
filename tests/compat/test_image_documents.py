"""References and documents of images, compared with a real engine's."""

import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pyminidock.errors import MinidockError
from pyminidock.grammar.refs import parse
from pyminidock.image.chain import chain_ids
from pyminidock.image.digest import sha256_of
from pyminidock.image.docker_archive import read_door
from pyminidock.image.document import config_fields, read_image, write_image
from pyminidock.image.history import Ancestor, rows
from pyminidock.image.manifest import read_index, read_manifest, write_index, write_manifest
from tests.builder import extract
from tests.grammar.test_refs import INVALID
from tests.reference import Reference, program

pytestmark = pytest.mark.compat

DOCKERFILE = """\
FROM busybox
MAINTAINER Bob <b@x>
LABEL b="<&>" a=1
ENV A=1 B="x y"
EXPOSE 80 53/udp
VOLUME /data
WORKDIR /w
COPY a.txt /a.txt
RUN echo hi > /hi
USER nobody
SHELL ["/bin/sh","-xc"]
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --retries=2 CMD true
ONBUILD RUN echo x
ENTRYPOINT ["/bin/echo"]
CMD ["a","b c"]
"""
NAME = "documents/full:1"


@pytest.fixture(scope="module")
def saved(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An image that uses every instruction, built and saved by the real engine."""
    place = tmp_path_factory.mktemp("documents")
    (place / "context").mkdir()
    (place / "context/a.txt").write_text("hello\n")
    (place / "context/Dockerfile").write_text(DOCKERFILE)
    environment = os.environ | {
        "DOCKER_HOST": f"unix://{reference.socket}",
        "DOCKER_CONFIG": str(reference.state),
        "DOCKER_BUILDKIT": "0",
    }
    subprocess.run(
        [program("docker"), "build", "--tag", NAME, place / "context"],
        env=environment,
        check=True,
        capture_output=True,
    )
    assert reference.docker("save", "--output", f"{place}/saved.tar", NAME).returncode == 0
    with tarfile.open(place / "saved.tar") as archive:
        extract(archive, place / "saved")
    yield place / "saved"
    reference.docker("rmi", "--force", NAME)


def document(saved: Path) -> bytes:
    (entry,) = read_door((saved / "manifest.json").read_bytes())
    return (saved / entry.config).read_bytes()


def asked(reference: Reference, path: str) -> Any:
    answer = reference.api("GET", f"/v1.45/images/{NAME}/{path}")
    assert answer.status == 200
    return answer.body


def test_the_document_is_read_as_docker_inspects_it(
    reference: Reference, saved: Path
) -> None:
    data, told = document(saved), asked(reference, "json")
    image = read_image(data)
    assert sha256_of(data) == told["Id"]
    assert config_fields(image.config) == told["Config"]
    assert {
        "Architecture": image.architecture, "Os": image.os, "Author": image.author,
        "Comment": image.comment, "Created": image.created,
        "DockerVersion": image.docker_version,
    } == {key: told[key] for key in (
        "Architecture", "Os", "Author", "Comment", "Created", "DockerVersion",
    )}  # fmt: skip
    assert list(image.diff_ids) == told["RootFS"]["Layers"]


def test_a_document_written_again_is_the_same_bytes(saved: Path) -> None:
    data = document(saved)
    assert write_image(read_image(data)) == data


def test_the_story_is_the_one_that_docker_tells(reference: Reference, saved: Path) -> None:
    told = asked(reference, "history")
    image = read_image(document(saved))
    sizes = [row["Size"] for row in reversed(told)]
    made = [size for size, entry in zip(sizes, image.history, strict=True)
            if not entry.is_empty_layer]  # fmt: skip
    ancestors = [Ancestor(row["Id"], tuple(row["Tags"] or ())) for row in told]
    assert [
        {"Id": row.id, "Created": row.created, "CreatedBy": row.created_by,
         "Size": row.size_bytes, "Comment": row.comment, "Tags": list(row.tags) or None}
        for row in rows(image, made, ancestors)
    ] == told  # fmt: skip


def test_the_lists_of_an_archive_written_again_are_the_same_bytes(saved: Path) -> None:
    data = (saved / "index.json").read_bytes()
    index = read_index(data)
    assert write_index(index) == data
    (entry,) = index.manifests
    manifest = (saved / f"blobs/sha256/{entry.digest[7:]}").read_bytes()
    assert write_manifest(read_manifest(manifest)) == manifest
    assert sha256_of(manifest) == entry.digest


def test_the_layers_of_an_archive_are_named_by_their_diff_ids(saved: Path) -> None:
    (entry,) = read_door((saved / "manifest.json").read_bytes())
    image = read_image(document(saved))
    assert [f"sha256:{Path(name).name}" for name in entry.layers] == list(image.diff_ids)
    assert len(chain_ids(image.diff_ids)) == len(entry.layers)


@pytest.mark.parametrize(
    "text",
    [
        "nope", "nope:1", "me/nope", "me/nope:1", "localhost/nope", "localhost:5000/nope:1",
        "docker.io/nope", "index.docker.io/me/nope", "HOST/nope", "a--b__c.d_e",
        "[::1]:5000/x",
        "Nope", "me/Nope:1", "Host/Nope", "a:b:c", "a b", "-a", "a..b", "a___b",
        "a:-x", "a:" + "t" * 128, "a:" + "t" * 129, "x" * 255, "x" * 256, "-host.io/a",
        "a@sha256:abc", "a@sha256:" + "0" * 63, "a@sha256:" + "0" * 65, "a@md5:" + "0" * 32,
        "\N{LATIN SMALL LETTER E WITH ACUTE}", ":x", "localhost:5000",
    ],
)  # fmt: skip
def test_a_name_is_understood_and_refused_as_by_docker(
    reference: Reference, text: str
) -> None:
    answer = reference.api("GET", f"/v1.45/images/{quote(text)}/json")
    try:
        expected = 404, f"No such image: {parse(text).with_default_tag().familiar}"
    except MinidockError as refusal:
        expected = refusal.status, refusal.what
    assert (answer.status, answer.body["message"]) == expected


@pytest.mark.parametrize(
    "text", ["", ":tag", "/a", "a/", "a//b", "../x", "Bad", "a\n", "a@"]
)
def test_docker_s_command_line_refuses_a_new_name_in_the_same_words(
    reference: Reference, text: str
) -> None:
    answer = reference.docker("tag", reference.image, text)
    with pytest.raises(MinidockError) as refusal:
        parse(text)
    assert refusal.value.what.startswith(INVALID)
    assert answer.returncode == 1
    assert answer.stderr == (
        f"Error parsing reference: {json.dumps(text)} is not a valid repository/tag:"
        f" {refusal.value.what}\n"
    )
