"""Networks over the wire: statuses and sentences, and the SDK's own view, as with Docker.

What the stock client never sends is asked here: bodies with odd fields, statuses of
refusals, and the objects that the Docker SDK for Python makes of the answers.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.types
import pytest

from tests.compat.test_networks_equal_docker import networked
from tests.minidock_cli import Minidock
from tests.rawapi import ask
from tests.reference import Reference

__all__ = ["networked"]

pytestmark = pytest.mark.compat

Engines = tuple[Reference, Minidock]
SUBNET = {"Config": [{"Subnet": "10.1.9.0/24"}]}

QUESTIONS: tuple[tuple[str, str, Mapping[str, Any] | None], ...] = (
    ("POST", "/networks/create", {"Name": "n"}),
    ("POST", "/networks/create", {"Name": "n"}),
    ("POST", "/networks/create", {"Name": "n", "CheckDuplicate": True}),
    ("POST", "/networks/create", {}),
    ("POST", "/networks/create", {"Name": "host"}),
    ("POST", "/networks/create", {"Name": "m", "Driver": "nonsense"}),
    ("POST", "/networks/create", {"Name": "m", "Driver": "host"}),
    ("POST", "/networks/create", {"Name": "m", "Driver": "overlay"}),
    ("POST", "/networks/create", {"Name": "m", "IPAM": {"Driver": "nonsense"}}),
    ("POST", "/networks/create", {"Name": "m", "IPAM": {"Driver": "null"}}),
    ("POST", "/networks/create", {"Name": "m", "EnableIPv6": True}),
    ("POST", "/networks/create", {"Name": "m", "Ingress": True}),
    ("POST", "/networks/create", {"Name": "m", "Scope": "swarm"}),
    ("POST", "/networks/create", {"Name": "m", "ConfigFrom": {"Network": "n"}}),
    ("POST", "/networks/create",
     {"Name": "m", "Options": {"com.docker.network.driver.mtu": "x"}}),
    ("POST", "/networks/create",
     {"Name": "m", "IPAM": {"Config": [{"Subnet": "172.17.5.0/24"}]}}),
    ("POST", "/networks/create",
     {"Name": "m", "IPAM": {"Config": [{"Subnet": "10.1.9.1/24"}]}}),
    ("POST", "/networks/create",
     {"Name": "m", "IPAM": {"Config": [{"Subnet": "10.1.9.0/24", "IPRange": "10.1.8.0/25",
                                         "Gateway": "10.1.8.1"}]}}),
    ("POST", "/networks/create",
     {"Name": "m", "IPAM": {"Config": [{"Subnet": "10.1.9.0/24",
                                        "IPRange": "10.1.0.0/16"}]}}),
    ("POST", "/networks/create",
     {"Name": "m", "IPAM": {"Config": [{"Subnet": "10.1.9.0/24", "Gateway": "fd00::1"}]}}),
    ("POST", "/networks/create",
     {"Name": "m", "IPAM": {"Config": [{"Subnet": "10.1.9.0/24",
                                         "AuxiliaryAddresses": {"a": "10.1.9.1"}}]}}),
    ("POST", "/networks/create", {"Name": "own", "IPAM": SUBNET}),
    ("POST", "/networks/create", {"Name": 5}),
    ("GET", "/networks/nowhere", None),
    ("GET", "/networks/n?scope=swarm", None),
    ("GET", "/networks/n?scope=local&verbose=1", None),
    ("GET", '/networks?filters={"nonsense":["x"]}', None),
    ("GET", '/networks?filters={"type":["x"]}', None),
    ("GET", '/networks?filters={"dangling":["x"]}', None),
    ("GET", '/networks?filters={"driver":["null"]}', None),
    ("POST", "/networks/n/connect", {}),
    ("POST", "/networks/n/connect", {"Container": "nobody"}),
    ("POST", "/networks/nowhere/connect", {"Container": "nobody"}),
    ("POST", "/networks/n/disconnect", {"Container": "nobody"}),
    ("POST", "/networks/n/disconnect", {"Container": "nobody", "Force": True}),
    ("POST", "/containers/create?name=app",
     {"Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": "own"}}),
    ("POST", "/networks/n/connect",
     {"Container": "app", "EndpointConfig": {"IPAMConfig": {"IPv4Address": "10.1.9.9"}}}),
    ("POST", "/networks/own/connect",
     {"Container": "app", "EndpointConfig": {"IPAMConfig": {"IPv4Address": "10.1.8.9"}}}),
    ("POST", "/containers/app/start", None),
    ("POST", "/networks/own/connect", {"Container": "app"}),
    ("POST", "/networks/host/connect", {"Container": "app"}),
    ("POST", "/networks/none/connect", {"Container": "app"}),
    ("POST", "/networks/n/disconnect", {"Container": "app"}),
    ("DELETE", "/networks/own", None),
    ("DELETE", "/networks/bridge", None),
    ("DELETE", "/networks/nowhere", None),
    ("POST", "/containers/create?name=twin",
     {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": "own"},
      "NetworkingConfig": {"EndpointsConfig": {
          "own": {"IPAMConfig": {"IPv4Address": "10.1.9.2"}}}}}),
    ("POST", "/containers/twin/start", None),
    ("POST", "/containers/create?name=lost",
     {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": "nowhere"}}),
    ("POST", "/containers/lost/start", None),
    ("DELETE", "/containers/app?force=1", None),
    ("DELETE", "/containers/twin?force=1", None),
    ("DELETE", "/containers/lost?force=1", None),
    ("POST", '/networks/prune?filters={"nonsense":["x"]}', None),
    ("DELETE", "/networks/n", None),
    ("POST", "/networks/prune", None),
    ("POST", "/networks/prune", None),
)  # fmt: skip


def plain(text: str) -> str:
    """Let stand still what differs between two runs of one engine."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "ID", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)


def said(socket: Path, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
    told = ask(socket, method, f"/v1.45{path}", body)
    document = told.document() if told.body.strip() else None
    if isinstance(document, dict) and "message" in document:
        document = document["message"]
    return told.status, plain(repr(document))


@pytest.fixture(scope="module")
def clean(networked: Engines) -> Engines:
    return networked


def sockets(engines: Engines) -> tuple[Path, Path]:
    return engines[0].socket, engines[1].host


def test_every_question_about_networks_has_dockers_status_and_sentence(
    clean: Engines,
) -> None:
    docker_s, ours = sockets(clean)
    found = []
    for number, question in enumerate(QUESTIONS):
        theirs, mine = said(docker_s, *question), said(ours, *question)
        if theirs != mine:
            found.append(f"{number} {question}\n  docker {theirs}\n  ours   {mine}")
    assert not found, "\n".join(found)


def story(client: "docker.DockerClient") -> list[object]:
    """Use networks as a program does; give all that it sees."""
    seen: list[object] = []
    pool = docker.types.IPAMPool(subnet="10.3.0.0/24", gateway="10.3.0.9")
    network = client.networks.create(
        "sdk", driver="bridge", ipam=docker.types.IPAMConfig(pool_configs=[pool]),
        labels={"role": "test"}, internal=True, attachable=True,
    )  # fmt: skip
    network.reload()
    seen.append((network.name, network.attrs["IPAM"], network.attrs["Labels"]))
    seen.append([each.name for each in client.networks.list(names=["sdk"])])
    seen.append([each.name for each in client.networks.list(filters={"label": "role"})])
    container = client.containers.run(
        "busybox", ["sleep", "1000"], detach=True, network="sdk", name="inside"
    )
    network.reload()
    seen.append([each.name for each in network.containers])
    other = client.networks.create("other")
    other.connect(container, aliases=["db"])
    container.reload()
    settings = container.attrs["NetworkSettings"]["Networks"]
    seen.append({
        name: (each["IPAddress"], each["Aliases"], each["Gateway"])
        for name, each in settings.items()
    })  # fmt: skip
    seen.append([sorted(n.attrs["Containers"]) == [container.id]
                 for n in client.networks.list(names=["sdk"], greedy=True)])  # fmt: skip
    for deed in (network.remove, lambda: client.networks.get("nowhere"),
                 lambda: client.networks.create("sdk", check_duplicate=True)):  # fmt: skip
        with pytest.raises(docker.errors.APIError) as refusal:
            deed()
        seen.append((type(refusal.value).__name__, plain(refusal.value.explanation or "")))
    other.disconnect(container)
    container.reload()
    seen.append(list(container.attrs["NetworkSettings"]["Networks"]))
    container.remove(force=True)
    network.remove()
    seen.append(client.networks.prune())
    return seen


def test_a_program_sees_the_same_networks_by_the_sdk(clean: Engines) -> None:
    seen = []
    for socket in sockets(clean):
        client = docker.DockerClient(base_url=f"unix://{socket}", version="1.45")
        try:
            seen.append(story(client))
        finally:
            client.close()
    assert seen[1] == seen[0]
