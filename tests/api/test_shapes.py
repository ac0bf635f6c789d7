"""Docker's bodies become requests, and requests Docker's words again."""

import json
from typing import Any

import pytest

from pyminidock.api.body import Fields
from pyminidock.api.failures import BadRequest
from pyminidock.api.shapes import create_request, exec_request
from pyminidock.container import fields
from pyminidock.container.asked import Endpoint, Reach, Resources
from pyminidock.container.spec import (
    CreateRequest,
    ExecRequest,
    Healthcheck,
    Ulimit,
    from_json,
    to_json,
)
from pyminidock.container.structs import written

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
        image="busybox", name="web", command=("true",), console_size=(24, 80),
        attaches=("stdout", "stderr"), restart_policy="no",
        resources=Resources(memory_swappiness=-1, disables_oom_killer=False),
        reach=Reach(endpoints=(Endpoint("default"),)),
        given_empty=(
            "Volumes", "Labels", "PortBindings", "Dns", "DnsOptions", "DnsSearch",
            "BlkioWeightDevice", "Devices", "Ulimits",
        ),
    )  # fmt: skip


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


def test_how_it_ends_and_what_is_written_finds_its_place() -> None:
    request = asked(
        Labels={"b": "2"}, AttachStdin=True, StopSignal="INT", StopTimeout=0,
        Healthcheck={"Test": ["CMD", "true"], "Interval": 10**6, "Timeout": 2 * 10**6,
                     "StartPeriod": 3 * 10**6, "StartInterval": 4 * 10**6, "Retries": 5},
        HostConfig={
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        },
    )  # fmt: skip
    assert request == CreateRequest(
        image="busybox", labels=(("b", "2"),), attaches=("stdin",), stop_signal="INT",
        stop_timeout=0, healthcheck=Healthcheck(
            ("CMD", "true"), 10**6, 2 * 10**6, 3 * 10**6, 4 * 10**6, 5
        ),
        restart_policy="on-failure", restart_retries=3, log_driver="json-file",
        log_options=(("max-size", "1m"),),
    )  # fmt: skip


def test_no_entrypoint_and_an_empty_one_differ() -> None:
    assert asked().entrypoint is None
    assert asked(Entrypoint=[]).entrypoint == ()
    assert asked(Entrypoint=[""]).entrypoint == ("",)


# One value for each field that Docker honours, as `docker inspect` would give it back.
OF_HOST: dict[str, Any] = {
    "Binds": ["/etc:/x"], "ContainerIDFile": "f", "NetworkMode": "none",
    "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "81/udp": None},
    "AutoRemove": True, "VolumeDriver": "local", "VolumesFrom": ["a"],
    "ConsoleSize": [1, 2], "Annotations": {"a": "b"}, "CapAdd": ["CHOWN"],
    "CapDrop": ["ALL"], "CgroupnsMode": "private", "Dns": ["1.1.1.1"],
    "DnsOptions": ["ndots:1"], "DnsSearch": ["a.b"], "ExtraHosts": ["a:1.1.1.1"],
    "GroupAdd": ["5"], "IpcMode": "host", "Cgroup": "c", "Links": ["a:b"],
    "OomScoreAdj": 5, "PidMode": "host", "Privileged": True, "PublishAllPorts": True,
    "ReadonlyRootfs": True, "SecurityOpt": ["no-new-privileges"],
    "StorageOpt": {"size": "1g"}, "Tmpfs": {"/t": "size=1m"}, "UTSMode": "host",
    "UsernsMode": "host", "ShmSize": 7, "Sysctls": {"net.a": "1"}, "Runtime": "runc",
    "Isolation": "default", "CpuShares": 1, "Memory": 2, "NanoCpus": 3,
    "CgroupParent": "p", "BlkioWeight": 4,
    "BlkioWeightDevice": [{"Path": "/d", "Weight": 5}],
    "BlkioDeviceReadBps": [{"Path": "/d", "Rate": 6}],
    "BlkioDeviceWriteBps": [{"Path": "/d", "Rate": 7}],
    "BlkioDeviceReadIOps": [{"Path": "/d", "Rate": 8}],
    "BlkioDeviceWriteIOps": [{"Path": "/d", "Rate": 9}],
    "CpuPeriod": 10, "CpuQuota": 11, "CpuRealtimePeriod": 12, "CpuRealtimeRuntime": 13,
    "CpusetCpus": "0", "CpusetMems": "0",
    "Devices": [
        {"PathOnHost": "/h", "PathInContainer": "/c", "CgroupPermissions": "rwm"}
    ],
    "DeviceCgroupRules": ["c 1:3 r"],
    "DeviceRequests": [
        {"Driver": "d", "Count": -1, "DeviceIDs": ["0"], "Capabilities": [["gpu"]],
         "Options": {"a": "b"}}
    ],
    "KernelMemory": 14, "KernelMemoryTCP": 15, "MemoryReservation": 16, "MemorySwap": 17,
    "MemorySwappiness": 18, "OomKillDisable": True, "PidsLimit": 19,
    "Ulimits": [{"Name": "nofile", "Hard": 21, "Soft": 20}], "CpuCount": 22,
    "CpuPercent": 23, "IOMaximumIOps": 24, "IOMaximumBandwidth": 25,
    "Mounts": [
        {"Type": "bind", "Source": "/s", "Target": "/t", "ReadOnly": True,
         "Consistency": "cached", "BindOptions": {
             "Propagation": "rslave", "NonRecursive": True, "CreateMountpoint": True,
             "ReadOnlyNonRecursive": True, "ReadOnlyForceRecursive": True}},
        {"Type": "volume", "Source": "v", "Target": "/v", "VolumeOptions": {
            "NoCopy": True, "Labels": {"a": "b"}, "Subpath": "s",
            "DriverConfig": {"Name": "local", "Options": {"o": "p"}}}},
        {"Type": "tmpfs", "Target": "/m", "TmpfsOptions": {"SizeBytes": 1, "Mode": 448}},
    ],
    "MaskedPaths": ["/m"], "ReadonlyPaths": ["/r"], "Init": True,
}  # fmt: skip
OF_CONFIG: dict[str, Any] = {
    "Hostname": "h", "Domainname": "d", "User": "u", "ExposedPorts": {"80/tcp": {}},
    "Tty": True, "OpenStdin": True, "StdinOnce": True, "Env": ["A=b"], "Cmd": ["c"],
    "Healthcheck": {"Test": ["CMD", "x"], "Interval": 1, "Timeout": 2, "StartPeriod": 3,
                    "StartInterval": 4, "Retries": 5},
    "ArgsEscaped": True, "Image": "i", "Volumes": {"/v": {}}, "WorkingDir": "/w",
    "Entrypoint": ["e"], "NetworkDisabled": True, "MacAddress": "m", "OnBuild": ["RUN x"],
    "Labels": {"l": "m"}, "StopSignal": "INT", "StopTimeout": 0, "Shell": ["sh"],
}  # fmt: skip


def test_the_tables_name_every_field_of_docker() -> None:
    assert [row.name for row in fields.HOST.rows] == list(OF_HOST)
    assert [row.name for row in fields.CONFIG.rows] == list(OF_CONFIG)


def test_every_field_comes_back_as_it_went_in() -> None:
    request = create_request(Fields({**OF_CONFIG, "HostConfig": OF_HOST}), "")
    assert written(fields.HOST, request) == OF_HOST
    assert written(fields.CONFIG, request) == OF_CONFIG


def test_what_was_sent_empty_is_told_from_what_was_not_sent() -> None:
    lists = ("Dns", "Devices", "Ulimits", "BlkioDeviceReadBps", "CapAdd", "Binds")
    request = asked(HostConfig={name: [] for name in lists} | {"PortBindings": {}})
    told = written(fields.HOST, request, request.given_empty)
    assert [told[name] for name in lists] == [[]] * len(lists)
    assert told["PortBindings"] == {}
    silent = written(fields.HOST, asked(HostConfig={"Dns": None}))
    assert [silent[name] for name in (*lists, "PortBindings")] == [None] * 7


def test_a_request_with_everything_survives_its_record() -> None:
    request = create_request(Fields({**OF_CONFIG, "HostConfig": OF_HOST}), "")
    assert from_json(CreateRequest, json.loads(json.dumps(to_json(request)))) == request


def test_endpoints_are_read() -> None:
    request = asked(NetworkingConfig={"EndpointsConfig": {
        "n": {"IPAMConfig": {"IPv4Address": "10.0.0.2"}, "Aliases": ["a"]}, "z": None,
    }})  # fmt: skip
    assert request.reach.endpoints == (
        Endpoint("n", "10.0.0.2", aliases=("a",)),
        Endpoint("z", is_null=True),
    )


def test_fields_that_no_docker_knows_are_ignored() -> None:
    assert asked(Surprise=1, HostConfig={"Surprise": {}}) == asked()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({}, "config cannot be empty in order to create a container"),
        (
            {"HostConfig": {"ConsoleSize": [-1, 2]}},
            "cannot unmarshal number -1 into Go struct field "
            "HostConfig.HostConfig.ConsoleSize of type uint",
        ),
        (
            {"HostConfig": {"Memory": 1 << 63}},
            "cannot unmarshal number 9223372036854775808 into Go struct field "
            "HostConfig.HostConfig.Resources.Memory of type int64",
        ),
        (
            {"HostConfig": {"Memory": 1.5}},
            "cannot unmarshal number 1.5 into Go struct field "
            "HostConfig.HostConfig.Resources.Memory of type int64",
        ),
        (
            {"HostConfig": {"BlkioWeight": 70000}},
            "cannot unmarshal number 70000 into Go struct field "
            "HostConfig.HostConfig.Resources.BlkioWeight of type uint16",
        ),
        (
            {"HostConfig": {"Ulimits": [{"Soft": 1 << 63}]}},
            "cannot unmarshal number 9223372036854775808 into Go struct field "
            "Ulimit.HostConfig.Resources.Ulimits.Soft of type int64",
        ),
        (
            {"Env": "A=b"},
            "cannot unmarshal string into Go struct field "
            "ContainerConfigWrapper.Config.Env of type []string",
        ),
        (
            {"ExposedPorts": []},
            "cannot unmarshal array into Go struct field "
            "ContainerConfigWrapper.Config.ExposedPorts of type nat.PortSet",
        ),
        (
            {"HostConfig": []},
            "cannot unmarshal array into Go struct field "
            "ContainerConfigWrapper.HostConfig of type container.HostConfig",
        ),
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
        "AttachStdout": True, "DetachKeys": "a",
    }  # fmt: skip
    assert exec_request(Fields(body)) == ExecRequest(
        command=("sh",), environment=("A=b",), user="u", working_directory="/w",
        has_terminal=True, keeps_stdin=True, console_size=(1, 2), is_privileged=True,
        shows_stdout=True, shows_stderr=False, detach_keys="a",
    )  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"Cmd": []}, {"Cmd": None}])
def test_a_second_process_needs_a_command(body: dict[str, object]) -> None:
    with pytest.raises(BadRequest, match="No exec command specified"):
        exec_request(Fields(body))


def test_upper_and_lower_case_of_a_field_are_one_but_not_of_data() -> None:
    body = {
        "image": "busybox", "CMD": ["true"], "labels": {"A": "1", "a": "2"},
        "hostconfig": {
            "networkmode": "none", "MEMORY": 1, "memory": 2, "Memory": None,
            "mounts": [{"type": "tmpfs", "target": "/t"}],
            "portbindings": {"80/tcp": [{"hostport": "1"}], "80/TCP": None},
        },
        "networkingconfig": {"endpointsconfig": {"N": {"aliases": ["x"]}, "n": None}},
    }  # fmt: skip
    made = create_request(Fields(body), "n")
    assert (made.image, made.command, made.network_mode) == ("busybox", ("true",), "none")
    assert (made.memory_bytes, dict(made.labels)) == (2, {"A": "1", "a": "2"})
    assert [(each.kind, each.target) for each in made.places.mounts] == [("tmpfs", "/t")]
    assert [(each.port, each.hosts) for each in made.reach.published] == [
        ("80/tcp", (("", "1"),)), ("80/TCP", None),
    ]  # fmt: skip
    assert made.reach.endpoints == (
        Endpoint("N", aliases=("x",)), Endpoint("n", is_null=True),
    )  # fmt: skip
    assert exec_request(Fields({"cmd": ["x"], "detachKeys": "q"})).detach_keys == "q"
