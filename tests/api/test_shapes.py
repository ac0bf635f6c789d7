"""Docker's bodies become requests; what we would have to ignore is refused by name."""

from typing import Any

import pytest

from pyminidock.api.body import Fields
from pyminidock.api.failures import BadRequest, NotYet
from pyminidock.api.shapes import create_request, exec_request
from pyminidock.container.spec import CreateRequest, ExecRequest, Ulimit

DEFAULTS_OF_THE_STOCK_CLIENT: dict[str, Any] = {
    "Hostname": "", "Domainname": "", "User": "", "AttachStdin": False,
    "AttachStdout": True, "AttachStderr": True, "Tty": False, "OpenStdin": False,
    "StdinOnce": False, "Env": None, "Cmd": ["true"], "Image": "busybox", "Volumes": {},
    "WorkingDir": "", "Entrypoint": None, "OnBuild": None, "Labels": {},
    "HostConfig": {
        "Binds": None, "ContainerIDFile": "", "LogConfig": {"Type": "", "Config": {}},
        "NetworkMode": "default", "PortBindings": {},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "AutoRemove": False,
        "VolumeDriver": "", "VolumesFrom": None, "ConsoleSize": [24, 80], "CapAdd": None,
        "CapDrop": None, "CgroupnsMode": "", "Dns": [], "DnsOptions": [], "DnsSearch": [],
        "ExtraHosts": None, "GroupAdd": None, "IpcMode": "", "Cgroup": "", "Links": None,
        "OomScoreAdj": 0, "PidMode": "", "Privileged": False, "PublishAllPorts": False,
        "ReadonlyRootfs": False, "SecurityOpt": None, "UTSMode": "", "UsernsMode": "",
        "ShmSize": 0, "Isolation": "", "CpuShares": 0, "Memory": 0, "NanoCpus": 0,
        "CgroupParent": "", "BlkioWeight": 0, "BlkioWeightDevice": [], "CpuPeriod": 0,
        "CpuQuota": 0, "CpusetCpus": "", "Devices": [], "DeviceCgroupRules": None,
        "DeviceRequests": None, "MemoryReservation": 0, "MemorySwap": 0,
        "MemorySwappiness": -1, "OomKillDisable": False, "PidsLimit": 0, "Ulimits": [],
        "CpuCount": 0, "IOMaximumIOps": 0, "MaskedPaths": None, "ReadonlyPaths": None,
    },
    "NetworkingConfig": {"EndpointsConfig": {"default": {"IPAMConfig": None}}},
}  # fmt: skip


def asked(**config: Any) -> CreateRequest:
    return create_request(Fields({"Image": "busybox", **config}), "")


def test_what_the_stock_client_sends_by_itself_asks_for_nothing() -> None:
    request = create_request(Fields(DEFAULTS_OF_THE_STOCK_CLIENT), "web")
    assert request == CreateRequest(
        image="busybox", name="web", command=("true",), console_size=(24, 80)
    )


def test_every_field_finds_its_place() -> None:
    request = asked(
        Cmd="one", Entrypoint=["/e", "f"], Env=["A=b"], User="u:g", WorkingDir="/w",
        Hostname="h", Tty=True, OpenStdin=True, StdinOnce=True,
        HostConfig={
            "GroupAdd": ["5"], "ConsoleSize": [1, 2], "AutoRemove": True, "Memory": 9,
            "NanoCpus": 8, "PidsLimit": -1, "ReadonlyRootfs": True,
            "Tmpfs": {"/run": "size=1m"}, "CapAdd": ["ALL"], "CapDrop": "CHOWN",
            "Privileged": True, "Init": True, "SecurityOpt": ["no-new-privileges"],
            "Ulimits": [{"Name": "nofile", "Soft": 3, "Hard": 4}], "NetworkMode": "none",
        },
    )  # fmt: skip
    assert request == CreateRequest(
        image="busybox", command=("one",), entrypoint=("/e", "f"), environment=("A=b",),
        user="u:g", group_add=("5",), working_directory="/w", hostname="h",
        has_terminal=True, keeps_stdin=True, stdin_once=True, console_size=(1, 2),
        auto_remove=True, memory_bytes=9, nano_cpus=8, pids_limit=-1,
        is_root_readonly=True, tmpfs=(("/run", "size=1m"),), cap_add=("ALL",),
        cap_drop=("CHOWN",), is_privileged=True, uses_init=True,
        ulimits=(Ulimit("nofile", 3, 4),), security_options=("no-new-privileges",),
        network_mode="none",
    )  # fmt: skip


def test_no_entrypoint_and_an_empty_one_differ() -> None:
    assert asked().entrypoint is None
    assert asked(Entrypoint=[]).entrypoint == ()
    assert asked(Entrypoint=[""]).entrypoint == ("",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Binds", ["/etc:/x"]), ("Mounts", [{}]), ("PortBindings", {"80/tcp": []}),
        ("PidMode", "host"), ("IpcMode", "host"), ("UTSMode", "host"),
        ("UsernsMode", "host"), ("CgroupnsMode", "private"), ("Devices", [{}]),
        ("Sysctls", {"a": "b"}), ("RestartPolicy", {"Name": "always"}),
        ("MemorySwap", -1), ("MemorySwappiness", 5), ("ShmSize", 1), ("Runtime", "kata"),
        ("MaskedPaths", []), ("ReadonlyPaths", []), ("LogConfig", {"Type": "none"}),
    ],
)  # fmt: skip
def test_what_would_have_to_be_ignored_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(NotYet) as refusal:
        asked(HostConfig={name: value})
    assert refusal.value.what == f"HostConfig.{name} is not supported yet"
    assert refusal.value.status == 501


@pytest.mark.parametrize("name", ["Healthcheck", "Labels", "StopSignal", "Volumes"])
def test_the_same_holds_for_the_config(name: str) -> None:
    with pytest.raises(NotYet, match=f"{name} is not supported yet"):
        asked(**{name: {"a": "b"}})


def test_fields_that_no_docker_knows_are_ignored() -> None:
    assert asked(Surprise=1, HostConfig={"Surprise": {}}) == asked()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({}, "config cannot be empty in order to create a container"),
        (
            {"HostConfig": {"AutoRemove": True, "RestartPolicy": {"Name": "always"}}},
            "can't create 'AutoRemove' container with restart policy",
        ),
        ({"HostConfig": {"ConsoleSize": [1]}}, "must hold two numbers"),
        ({"HostConfig": {"Memory": True}}, "field HostConfig.Memory of type int64"),
        ({"HostConfig": {"Ulimits": [{"Soft": "x"}]}}, "field HostConfig.Ulimits.Soft"),
        ({"Env": "A=b"}, "field Env of type []string"),
        ({"Image": 5}, "cannot unmarshal number into field Image of type string"),
    ],
)
def test_a_body_that_says_nonsense_is_400(body: dict[str, object], what: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        create_request(Fields(body), "")
    assert what in refusal.value.what


def test_a_second_process_is_asked_for() -> None:
    body = {
        "Cmd": ["sh"], "Env": ["A=b"], "User": "u", "WorkingDir": "/w", "Tty": True,
        "AttachStdin": True, "ConsoleSize": [1, 2], "Privileged": True,
    }  # fmt: skip
    assert exec_request(Fields(body)) == ExecRequest(
        command=("sh",), environment=("A=b",), user="u", working_directory="/w",
        has_terminal=True, keeps_stdin=True, console_size=(1, 2), is_privileged=True,
    )  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"Cmd": []}, {"Cmd": None}])
def test_a_second_process_needs_a_command(body: dict[str, object]) -> None:
    with pytest.raises(BadRequest, match="No exec command specified"):
        exec_request(Fields(body))
