"""What dockerd has a route for, we have an answer for; and its documents have our keys."""

from typing import Any

import pytest

from tests.api.dockerroutes import DOCKER_ROUTES
from tests.compat.sides import Sides

pytestmark = pytest.mark.compat

# A stream without end, and two sessions that dockerd would begin; what has no version.
ENDLESS = {("GET", "/events"), ("POST", "/session"), ("POST", "/grpc")}
UNVERSIONED = {route for route in DOCKER_ROUTES if route[1].startswith("/debug")}


@pytest.mark.parametrize(
    ("method", "path"), sorted({*DOCKER_ROUTES} - ENDLESS - UNVERSIONED)
)
def test_each_route_of_the_list_is_one_of_dockerd_s(
    sides: Sides, method: str, path: str
) -> None:
    for side in sides:
        assert b"page not found" not in side.ask(method, path).body, side.name


def shape(value: Any, place: str = "") -> dict[str, str]:
    """Give the type of every member, by its place; what is empty has none."""
    if isinstance(value, dict):
        found: dict[str, str] = {place: "object"} if place else {}
        for key, each in value.items():
            found |= shape(each, f"{place}.{key}")
        return found
    return {place: {bool: "bool", int: "number", str: "string", list: "list"}.get(
        type(value), "null"
    )}  # fmt: skip


def test_info_has_docker_s_keys_with_docker_s_types(sides: Sides) -> None:
    theirs, ours = (shape(side.ask("GET", "/info").json) for side in sides)
    own = (".Runtimes.",)
    theirs, ours = (
        {place: kind for place, kind in each.items() if not place.startswith(own)}
        for each in (theirs, ours)
    )
    assert ours == theirs


def test_info_says_of_the_machine_what_docker_says(sides: Sides) -> None:
    theirs, ours = (side.ask("GET", "/info").json for side in sides)
    same = (
        "Driver", "MemoryLimit", "SwapLimit", "KernelMemoryTCP", "CpuCfsPeriod",
        "CpuCfsQuota", "CPUShares", "CPUSet", "PidsLimit", "OomKillDisable",
        "LoggingDriver", "CgroupDriver", "CgroupVersion", "KernelVersion",
        "OperatingSystem", "OSVersion", "OSType", "Architecture", "IndexServerAddress",
        "RegistryConfig", "NCPU", "MemTotal", "Name", "DefaultRuntime", "Swarm",
        "SecurityOptions", "Warnings", "DriverStatus",
    )  # fmt: skip
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}


def test_the_stock_client_prints_info_and_version_without_a_warning(sides: Sides) -> None:
    for words in (["info"], ["version"], ["system", "df"], ["system", "df", "-v"]):
        theirs, ours = (side.docker(*words) for side in sides)
        assert ours.returncode == 0, ours.stderr
        assert ours.stderr == theirs.stderr
        titles = [
            [line.split(":")[0] for line in each.stdout.decode().splitlines()
             if line.endswith(":")]
            for each in (theirs, ours)
        ]  # fmt: skip
        assert not {*titles[1]} - {*titles[0]}


def test_version_has_docker_s_keys(sides: Sides) -> None:
    theirs, ours = (side.ask("GET", "/version").json for side in sides)
    assert list(ours) == list(theirs)
    details = [{*each["Components"][0]["Details"]} for each in (theirs, ours)]
    assert details[1] - details[0] == {"Backend", "Root"}
    assert not details[0] - details[1]
    same = ("ApiVersion", "MinAPIVersion", "Os", "Arch", "KernelVersion")
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}


def test_df_tells_what_docker_tells_of_one_image_and_its_container(sides: Sides) -> None:
    told = []
    for side in sides:
        side.make("sized", starts=True)
        side.inside("sized", "head -c 5000 /dev/zero >/five; ln /five /again")
        df = side.ask("GET", "/system/df").json
        side.remove("sized")
        (image,) = (each for each in df["Images"] if "twin:latest" in each["RepoTags"])
        (container,) = (each for each in df["Containers"] if each["Names"] == ["/sized"])
        told.append({
            "keys": list(df), "image": sorted(image), "container": sorted(container),
            "users": image["Containers"], "digests": image["RepoDigests"],
            "size": image["Size"], "written": container["SizeRw"],
            "all": container["SizeRootFs"] - container["SizeRw"] - image["Size"],
            "volumes": df["Volumes"], "cache": type(df["BuildCache"]),  # BuildKit's there
        })  # fmt: skip
    assert told[1] == told[0]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/system/df?type=zz", None),
        ("GET", "/networks/nope", None),
        ("GET", '/networks?filters={"zz":["a"]}', None),
        ("GET", '/volumes?filters={"zz":["a"]}', None),
        ("GET", "/volumes", None),
        ("GET", "/volumes/nope", None),
        ("DELETE", "/volumes/nope", None),
        ("DELETE", "/volumes/nope?force=1", None),
        ("DELETE", "/networks/nope", None),
        ("DELETE", "/networks/none", None),
        ("POST", "/networks/create", {}),
        ("POST", "/networks/prune", None),
        ("POST", "/volumes/prune", None),
        ("PUT", "/volumes/x", {}),
        ("GET", "/plugins", None),
        ("GET", "/plugins/x/json", None),
        ("DELETE", "/plugins/x", None),
        ("POST", "/plugins/x/disable", None),
        ("GET", "/containers/x/checkpoints", None),
        ("POST", "/build/cancel", None),
        ("POST", "/build/cancel?id=x", None),
        ("POST", "/swarm/leave", None),
        ("POST", "/swarm/unlock", {}),
        *(("GET", f"/{kind}", None) for kind in
          ("swarm", "nodes", "services", "tasks", "secrets", "configs", "nodes/x")),
        *(("DELETE", f"/{kind}/x", None) for kind in
          ("nodes", "services", "secrets", "configs")),
        ("GET", "/events?since=2&until=1", None),
        ("GET", "/events?since=x", None),
        ("GET", "/events?since=1&until=1.x", None),
        ("GET", '/events?until=1&filters={"zz":["a"]}', None),
        ("GET", '/events?until=1&filters={"event":"a"}', None),
        ("GET", '/events?until=1&filters={"event":null}', None),
        ("GET", "/nope", None),
        ("PATCH", "/info", None),
    ],
)  # fmt: skip
def test_what_is_not_here_is_answered_as_docker_answers(
    sides: Sides, method: str, path: str, body: dict[str, Any] | None
) -> None:
    theirs, ours = (side.ask(method, path.replace('"', "%22"), body) for side in sides)
    assert ours.status == theirs.status
    assert (ours.json if ours.body else "") == (theirs.json if theirs.body else "")
    assert ours.headers.get("Content-Type") == theirs.headers.get("Content-Type")
