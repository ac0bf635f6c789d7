"""A container becomes an image with Docker's configuration, history, events and words."""

import io
import json
import tarfile
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.compat.archives import seen
from tests.compat.sides import Side, Sides
from tests.reference import wait_until

pytestmark = pytest.mark.compat

DOCKER_S = 5.0  # for a state that dockerd tells late

CONFIG = {
    "Cmd": ["sleep", "1000"], "Env": ["A=1", "C=3"], "Labels": {"k": "v"},
    "Hostname": "hosty", "WorkingDir": "/tmp", "ExposedPorts": {"80/tcp": {}},  # noqa: S108
    "Healthcheck": {"Test": ["CMD", "true"]}, "StopSignal": "SIGUSR1", "StopTimeout": 3,
}  # fmt: skip


@pytest.fixture
def scene(sides: Sides) -> Iterator[Sides]:
    """One container in each engine that has written something."""
    for side in sides:
        side.remove("co")
        side.make("co", starts=True, **CONFIG)
        side.inside("co", "echo hi > /tmp/f; rm /bin/ls; mkdir -m 1777 /new; ln /tmp/f /g")
    yield sides
    for side in sides:
        side.remove("co")


def committed(side: Side, body: dict[str, Any] | None = None, **query: object) -> Any:
    words = urlencode({"container": "co", **query}, doseq=True)
    answer = side.ask("POST", f"/commit?{words}", body)
    return answer.status, answer.json


def document(side: Side, image: str) -> tuple[Any, list[bytes]]:
    """Give the document of an image, less its moments, and its layers, topmost last."""
    saved = side.ask("GET", f"/images/{image}/get").body
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:

        def read(name: str) -> bytes:
            file = archive.extractfile(name)
            assert file is not None
            return file.read()

        (entry,) = json.loads(read("manifest.json"))
        told = json.loads(read(entry["Config"]), object_pairs_hook=_in_order)
        return told, [read(layer) for layer in entry["Layers"]]


def _in_order(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Keep the order of keys, and leave out what differs by nature."""
    changing = ("created", "docker_version", "container", "diff_ids")
    return [(key, "" if key in changing else value) for key, value in pairs]


WISHES: dict[str, tuple[dict[str, Any] | None, dict[str, object]]] = {
    "nothing": (None, {}),
    "an empty body": ({}, {}),
    "who and why": ({}, {"author": "Me <m@e>", "comment": "a <comment> & more"}),
    "another program": ({}, {"changes": 'CMD ["a"]'}),
    "more variables": ({}, {"changes": ["ENV Z=1 A=9", "LABEL q=w"]}),
    "two changes in one": ({}, {"changes": 'CMD ["a"]\nENV Z=1'}),
    "an entrypoint": ({}, {"changes": 'ENTRYPOINT ["e"]'}),
    "every change": ({}, {"changes": [
        "VOLUME /data", "USER 1:2", "STOPSIGNAL 9", "WORKDIR sub", "ONBUILD RUN x",
        "EXPOSE 81/udp", "HEALTHCHECK NONE",
    ]}),
    "a configuration": (
        {"Cmd": ["x"], "Env": ["A=2", "B=3"], "Labels": {"k2": "v2"}, "Hostname": "zz",
         "ExposedPorts": {"81/udp": {}}, "WorkingDir": "/w", "Entrypoint": ["e"]}, {},
    ),
    "a part of one": ({"Env": ["Q=1"]}, {"changes": "ENV Z=1"}),
    "words without their lists": ({"Cmd": "a b", "Entrypoint": "x", "Env": None}, {}),
    "half a health check": ({"Healthcheck": {"Interval": 5000000000}}, {}),
    "a field of no configuration": ({"HostConfig": {}}, {}),
    "without standing still": ({}, {"pause": "0"}),
}  # fmt: skip


@pytest.mark.parametrize("case", WISHES)
def test_an_image_is_the_one_that_docker_makes(scene: Sides, case: str) -> None:
    body, query = WISHES[case]
    found = []
    for side in scene:
        status, told = committed(side, body, repo="made", **query)
        inspected = side.ask("GET", "/images/made/json").json
        written, layers = document(side, "made")
        history = side.ask("GET", "/images/made/history").json
        parent = side.ask("GET", "/images/twin/json").json["Id"]
        found.append((
            status, list(told), inspected["Id"] == told["Id"],
            inspected["Parent"] == parent,
            inspected["Comment"], inspected["Author"], written, seen(layers[-1]),
            [(row["CreatedBy"], row["Comment"], row["Size"]) for row in history],
        ))  # fmt: skip
        side.docker("rmi", "made")
    assert found[1] == found[0]


REFUSALS: dict[str, dict[str, object]] = {
    "a run": {"changes": "RUN x"},
    "a from": {"changes": "FROM x"},
    "no instruction": {"changes": "foo"},
    "half an instruction": {"changes": "ENV"},
    "no port": {"changes": "EXPOSE x"},
    "nobody": {"container": "nobody"},
    "no container": {"container": ""},
    "a name in capitals": {"repo": "Bad"},
    "a tag with a blank": {"repo": "ok", "tag": "b d"},
    "a digest": {"repo": "ok@sha256:" + "0" * 64},
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_is_refused_in_docker_s_words(scene: Sides, case: str) -> None:
    found = []
    for side in scene:
        found.append(committed(side, {}, **REFUSALS[case]))
        wait_until(lambda: state_of(side) == "running", 60, "the container to go on")  # noqa: B023
    assert found[1] == found[0]


def state_of(side: Side) -> object:
    return side.ask("GET", "/containers/co/json").json["State"]["Status"]


@pytest.mark.parametrize(
    ("body", "kind"), [(b"", ""), (b"{}", "text/plain"), (b"{", "application/json")]
)
def test_a_body_is_read_as_docker_reads_it(scene: Sides, body: bytes, kind: str) -> None:
    found = []
    for side in scene:
        headers = {"Content_Type": kind} if kind else {}
        answer = side.ask("POST", "/commit?container=co", body, **headers)
        found.append((answer.status, answer.json if answer.status != 201 else ""))
    assert found[1] == found[0]


@pytest.mark.parametrize("state", ["running", "paused", "exited", "created"])
def test_a_container_is_afterwards_as_it_was(sides: Sides, state: str) -> None:
    for side in sides:
        side.remove("as")
        side.make("as", starts=state != "created")
        for verb in {"paused": ("pause",), "exited": ("kill", "wait")}.get(state, ()):
            side.ask("POST", f"/containers/as/{verb}")
        status, _ = committed(side, {}, container="as")
        assert (status, _state_soon(side, state)) == (201, state), side.name
        side.remove("as")


def _state_soon(side: Side, expected: str) -> object:
    """Read the state; dockerd hears late of its own pause, and takes it for a new one."""
    until = time.monotonic() + (DOCKER_S if side.name == "docker" else 0)
    while True:
        told = side.ask("GET", "/containers/as/json").json["State"]["Status"]
        if told == expected or time.monotonic() > until:
            return told
        time.sleep(0.05)


def test_what_nobody_changed_has_no_layer_of_its_own(sides: Sides) -> None:
    found = []
    for side in sides:
        side.remove("same")
        side.make("same")
        committed(side, {}, container="same", repo="unchanged")
        twin, made = (
            side.ask("GET", f"/images/{name}/json").json for name in ("twin", "unchanged")
        )
        history = side.ask("GET", "/images/unchanged/history").json
        found.append((
            made["RootFS"] == twin["RootFS"], made["Size"] == twin["Size"],
            history[0]["Size"], history[0]["CreatedBy"],
        ))  # fmt: skip
        side.docker("rmi", "unchanged")
        side.remove("same")
    assert found[1] == found[0]


@pytest.mark.parametrize("query", [{}, {"repo": "told", "tag": "1"}, {"pause": "false"}])
def test_a_commit_is_told_in_docker_s_order(scene: Sides, query: dict[str, str]) -> None:
    found = []
    for side in scene:
        since = time.time()
        _, told = committed(side, {}, comment="why", **query)
        until = time.time()
        lines = side.ask("GET", f"/events?since={since:.6f}&until={until:.6f}").body
        events = [json.loads(line) for line in lines.splitlines()]
        found.append([
            (each["Type"], each["Action"], {
                key: value.replace(told["Id"], "ID")
                for key, value in each["Actor"]["Attributes"].items()
            })
            for each in events
        ])  # fmt: skip
        side.docker("rmi", "told:1")
    # Docker hears from containerd of its own pause, and now and then tells it once more.
    theirs = [each for at, each in enumerate(found[0]) if each not in found[0][:at]]
    assert found[1] == theirs


def test_the_command_line_commits_and_what_came_of_it_runs(scene: Sides) -> None:
    found = []
    for side in scene:
        made = side.docker(
            "commit", "-a", "Me", "-m", "why", "-c", "CMD cat /tmp/f", "co", "cli:1"
        )
        ran = side.docker("run", "--rm", "--network", "none", "cli:1")
        history = side.docker("history", "--format", "{{.CreatedBy}} {{.Comment}}", "cli:1")
        refused = side.docker("commit", "nobody")
        found.append((
            made.returncode, len(made.stdout), made.stderr, ran.stdout, ran.stderr,
            history.stdout, refused.returncode, refused.stderr,
        ))  # fmt: skip
        side.docker("rmi", "cli:1")
    assert found[1] == found[0]


@pytest.mark.parametrize("version", ["v1.43", "v1.44", "v1.45"])
def test_older_clients_are_told_of_which_container_an_image_was_made(
    scene: Sides, version: str
) -> None:
    found = []
    for side in scene:
        committed(side, None, repo="origin")
        told = side.ask("GET", "/images/origin/json", version=version).json
        listed = side.ask("GET", "/images/json", version=version).json
        used = side.ask("GET", "/system/df?type=image", version=version).json["Images"]
        container = side.ask("GET", "/containers/co/json").json
        config = told.get("ContainerConfig", {})
        if config:
            own = {name: config[name] == container["Config"][name] for name in config}
            config = (list(config), own)
        found.append((
            {name for name in told if name not in ("Variant", "Container")},
            told.get("Container") == container["Id"], config,
            list(listed[0]), list(used[0]),
        ))  # fmt: skip
        side.ask("DELETE", "/images/origin")
    assert found[1] == found[0]


@pytest.mark.parametrize("version", ["v1.44", "v1.45"])
def test_an_image_of_no_container_has_an_empty_origin(sides: Sides, version: str) -> None:
    docker, ours = (
        side.ask("GET", "/images/twin/json", version=version).json for side in sides
    )
    for name in ("Container", "ContainerConfig"):
        assert ours.get(name) == docker.get(name)
