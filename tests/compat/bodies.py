"""What POST /containers/create is sent, for both engines: one thing that matters in each.

A body is (config, host config); where it says nothing about networks it asks for none, so
that both engines build the same.  The key of a case is its own text.
"""

import json
from typing import Any

from tests.compat.sides import IMAGE

Body = tuple[dict[str, Any], dict[str, Any]]

MIB = 1 << 20
NOWHERE = "/nosuch"

CONFIGS: list[dict[str, Any]] = [
    {"Domainname": "d"}, {"Hostname": "bad_host!"}, {"Hostname": "a.b"},
    {"ExposedPorts": {"80/tcp": {}}}, {"ExposedPorts": {"x": {}}}, {"ExposedPorts": {}},
    {"Volumes": {}}, {"Shell": ["a"]}, {"Shell": []}, {"OnBuild": ["RUN x"]},
    {"OnBuild": []}, {"ArgsEscaped": True}, {"Env": []}, {"Env": ["A"]},
    {"Env": ["=x"]}, {"Env": ["A=b", "A=c"]}, {"Env": [""]}, {"Labels": {"a": "b"}},
    {"Labels": {"": "b"}}, {"Cmd": []}, {"Cmd": None}, {"Cmd": "one"},
    {"Entrypoint": []}, {"Entrypoint": [""]}, {"Entrypoint": "x"},
    {"Entrypoint": ["a", "b"]}, {"Entrypoint": ["a"], "Cmd": None},
    {"WorkingDir": "rel"}, {"WorkingDir": "/a/../b/"}, {"User": "nosuch"},
    {"StopSignal": "FOO"}, {"StopSignal": "99"}, {"StopSignal": "SIGTERM"},
    {"StopSignal": "15"}, {"StopSignal": "rtmin+3"}, {"StopTimeout": -5},
    {"StopTimeout": 0}, {"Healthcheck": {}}, {"Healthcheck": {"Test": ["NONE"]}},
    {"Healthcheck": {"Test": ["FOO"]}}, {"Healthcheck": {"Test": []}},
    {"Healthcheck": {"Test": ["CMD"], "Interval": 5}}, {"Healthcheck": {"Interval": -1}},
    {"Healthcheck": {"Timeout": 1000}}, {"Healthcheck": {"Retries": -1}},
    {"Healthcheck": {"StartPeriod": 5}}, {"Healthcheck": {"StartInterval": 5}},
    {"Healthcheck": {"Test": ["CMD-SHELL", "x"], "Interval": 10**9, "Retries": 3}},
    {"AttachStdin": True}, {"Image": "nosuch:1"}, {"Image": "UPPER"}, {"Tty": 1},
    {"Cmd": 5}, {"Env": "x"}, {"ExposedPorts": []}, {"Labels": ["a"]},
    {"Healthcheck": "x"}, {"StopTimeout": "x"}, {"HostConfig": []},
    {"NetworkingConfig": []}, {"NetworkDisabled": True},
    {"MacAddress": "02:42:ac:11:00:09"}, {"MacAddress": "zz"},
    {"NetworkingConfig": {"EndpointsConfig": {"none": {"Aliases": ["x"]}}}},
    {"NetworkingConfig": {"EndpointsConfig": {"none": None}}},
    {"NetworkingConfig": {"EndpointsConfig": {
        "none": {"IPAMConfig": {"IPv4Address": "zz"}}}}},
    {"labels": {"a": "1", "A": "2"}, "CMD": ["x"], "tty": True, "stoptimeout": 5},
    {"tty": True, "TTY": False, "Tty": None}, {"wor\u212aingdir": "/k"}, {"env": "x"},
    {"hostconfig": {"memory": 64 * MIB}},
]  # fmt: skip

HOSTS: list[dict[str, Any]] = [
    {"memory": 64 * MIB, "shm\u017fize": MIB}, {"memory": "x"},
    {"logconfig": {"type": "none"}},
    {"mounts": [{"type": "tmpfs", "target": "/t", "tmpfsoptions": {"sizebytes": MIB}}]},
    {}, {"Binds": []}, {"Binds": ["/etc:/x:ro"]}, {"Binds": [f"{NOWHERE}:/x"]},
    {"Binds": ["v:/x"]}, {"Binds": ["a:b:c:d"]}, {"Binds": ["/etc:/x:bogus"]},
    {"Binds": ["/etc:/x:ro,rw"]}, {"Binds": ["/etc:rel"]}, {"Binds": ["/etc:/"]},
    {"Binds": ["vv:/x:rshared"]}, {"Binds": ["/etc:/x", "/usr:/x"]},
    {"Binds": ["rel/path:/x"]}, {"Binds": [""]}, {"Binds": [":/b"]},
    {"Mounts": []}, {"Mounts": [{}]}, {"Mounts": [{"Type": "foo", "Target": "/x"}]},
    {"Mounts": [{"Type": "bind", "Target": "/x"}]},
    {"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/x", "ReadOnly": True}]},
    {"Mounts": [{"Type": "bind", "Source": NOWHERE, "Target": "/x"}]},
    {"Mounts": [{"Type": "bind", "Source": "rel", "Target": "/x"}]},
    {"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "x"}]},
    {"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/x",
                 "BindOptions": {"Propagation": "foo"}}]},
    {"Mounts": [{"Type": "tmpfs", "Target": "/x"}]},
    {"Mounts": [{"Type": "tmpfs", "Source": "a", "Target": "/x"}]},
    {"Mounts": [{"Type": "tmpfs", "Target": "/x",
                 "TmpfsOptions": {"SizeBytes": MIB, "Mode": 448}}]},
    {"Mounts": [{"Type": "tmpfs", "Target": "/"}]},
    {"Mounts": [{"Type": "tmpfs", "Target": "/x", "BindOptions": {}}]},
    {"Mounts": [{"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"SizeBytes": -1}}]},
    {"Mounts": [{"Type": "volume", "Target": "/x", "ReadOnly": True}]},
    {"Mounts": [{"Type": "tmpfs", "Target": "/x"}, {"Type": "tmpfs", "Target": "/x"}]},
    {"Mounts": [{"Type": "npipe", "Target": "/x"}]},
    {"Tmpfs": {"/t": ""}}, {"Tmpfs": {"/t": "foo"}}, {"Tmpfs": {"rel": ""}},
    {"Tmpfs": {}}, {"Tmpfs": {"/": ""}}, {"VolumesFrom": ["nope"]},
    {"VolumesFrom": ["a:xx"]}, {"VolumesFrom": []}, {"VolumeDriver": "nope"},
    {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}},
    {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80-90"}]}},
    {"PortBindings": {"80": [{}]}}, {"PortBindings": {"x": [{}]}},
    {"PortBindings": {"80/tcp": [{"HostPort": "x"}]}}, {"PortBindings": {"80/tcp": None}},
    {"PortBindings": {"80/tcp": []}}, {"PortBindings": {"1-3/tcp": [{"HostPort": "5"}]}},
    {"PublishAllPorts": True}, {"NetworkMode": "host"}, {"NetworkMode": "container:nope"},
    {"NetworkMode": "container:"}, {"NetworkMode": "nosuchnet"},
    {"NetworkMode": "host", "PortBindings": {"80/tcp": [{"HostPort": "1"}]}},
    {"NetworkMode": "container:x", "Dns": ["1.1.1.1"]},
    {"NetworkMode": "container:x", "ExtraHosts": ["a:1.1.1.1"]},
    {"NetworkMode": "container:x", "PublishAllPorts": True},
    {"NetworkMode": "host", "Links": ["a:b"]},
    {"Memory": 5 * MIB}, {"Memory": -1}, {"Memory": 64 * MIB},
    {"Memory": 64 * MIB, "MemorySwap": 32 * MIB}, {"MemorySwap": 64 * MIB},
    {"MemorySwap": -1}, {"Memory": 64 * MIB, "MemorySwap": -1},
    {"Memory": 64 * MIB, "MemoryReservation": 128 * MIB}, {"MemoryReservation": MIB},
    {"MemoryReservation": 32 * MIB}, {"MemorySwappiness": -1}, {"MemorySwappiness": 0},
    {"MemorySwappiness": 101}, {"KernelMemory": 64 * MIB}, {"KernelMemoryTCP": 64 * MIB},
    {"OomKillDisable": True}, {"OomKillDisable": False},
    {"OomKillDisable": True, "Memory": 64 * MIB}, {"OomScoreAdj": 5000},
    {"OomScoreAdj": 500}, {"Memory": 1 << 62}, {"Memory": 1 << 63}, {"Memory": 1.5},
    {"Memory": "1"}, {"NanoCpus": 5_000_000}, {"NanoCpus": -5}, {"NanoCpus": 5 * 10**8},
    {"NanoCpus": 99 * 10**9}, {"NanoCpus": 5 * 10**8, "CpuQuota": 5000},
    {"NanoCpus": 5 * 10**8, "CpuPeriod": 5000}, {"CpuPeriod": 5}, {"CpuPeriod": 2 * 10**6},
    {"CpuPeriod": 50_000}, {"CpuQuota": 5}, {"CpuQuota": -1}, {"CpuQuota": 50_000},
    {"CpuShares": -3}, {"CpuShares": 512}, {"CpusetCpus": "0"}, {"CpusetCpus": "4095"},
    {"CpusetCpus": "x"}, {"CpusetCpus": "1-0"}, {"CpusetCpus": "0-2147483647"},
    {"CpusetCpus": "0-99999999999999999999"}, {"CpusetCpus": "0-8192"},
    {"CpusetCpus": " 0"}, {"CpusetCpus": "0,"}, {"CpusetCpus": "-1"}, {"CpusetMems": "0"},
    {"CpusetMems": "9"}, {"CpusetMems": "x"}, {"CpuRealtimePeriod": 1000},
    {"CpuRealtimePeriod": 1000, "CpuRealtimeRuntime": 2000}, {"CpuCount": 3},
    {"CpuPercent": 50}, {"IOMaximumIOps": 5}, {"IOMaximumBandwidth": 5},
    {"BlkioWeight": 300}, {"BlkioWeight": 70_000},
    {"BlkioWeightDevice": [{"Path": "/dev/null", "Weight": 300}]},
    {"BlkioDeviceReadBps": [{"Path": NOWHERE, "Rate": 300}]},
    {"BlkioDeviceWriteIOps": [{"Path": NOWHERE, "Rate": -300}]},
    {"PidsLimit": 0}, {"PidsLimit": -1}, {"PidsLimit": 20}, {"PidsLimit": None},
    {"ShmSize": 0}, {"ShmSize": -1}, {"ShmSize": 1}, {"ShmSize": MIB},
    {"Sysctls": {"net.ipv4.ip_forward": "1"}}, {"Sysctls": {"kernel.pid_max": "1"}},
    {"Sysctls": {}}, {"Devices": []},
    {"Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x",
                  "CgroupPermissions": "rwm"}]},
    {"Devices": [{"PathOnHost": "/dev/nope"}]}, {"DeviceCgroupRules": ["c 1:3 rwm"]},
    {"DeviceCgroupRules": ["foo"]}, {"DeviceCgroupRules": []}, {"DeviceRequests": []},
    {"DeviceRequests": [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}]},
    {"IpcMode": ""}, {"IpcMode": "none"}, {"IpcMode": "private"}, {"IpcMode": "shareable"},
    {"IpcMode": "host"}, {"IpcMode": "container:nope"}, {"IpcMode": "foo"},
    {"PidMode": "foo"}, {"PidMode": "container:nope"}, {"PidMode": "container:"},
    {"UTSMode": "host"}, {"UTSMode": "foo"}, {"CgroupnsMode": "host"},
    {"CgroupnsMode": "private"}, {"CgroupnsMode": "foo"}, {"UsernsMode": "host"},
    {"CgroupParent": "foo"}, {"Cgroup": "host"}, {"ContainerIDFile": "x"},
    {"MaskedPaths": []}, {"MaskedPaths": ["/x"]}, {"ReadonlyPaths": []},
    {"ReadonlyPaths": ["/x"]}, {"Privileged": True},
    {"Privileged": True, "MaskedPaths": ["/x"]},
    {"SecurityOpt": ["systempaths=unconfined"]}, {"SecurityOpt": ["label=disable"]},
    {"SecurityOpt": ["seccomp=unconfined"]}, {"SecurityOpt": []}, {"Dns": ["1.1.1.1"]},
    {"Dns": ["foo"]}, {"DnsSearch": ["a.b"]}, {"DnsOptions": ["ndots:2"]},
    {"ExtraHosts": ["a:1.1.1.1"]}, {"ExtraHosts": ["bad"]}, {"ExtraHosts": ["a:b"]},
    {"ExtraHosts": ["a:host-gateway"]}, {"ExtraHosts": ["a:::1"]},
    {"ExtraHosts": [":1.1.1.1"]}, {"ExtraHosts": ["a:"]}, {"Links": ["nope"]},
    {"Links": ["a:b:c"]}, {"Links": [""]}, {"StorageOpt": {"foo": "1g"}},
    {"StorageOpt": {"size": "1g"}}, {"StorageOpt": {}}, {"LogConfig": {"Type": "nope"}},
    {"LogConfig": {"Type": "json-file", "Config": {"foo": "1"}}},
    {"LogConfig": {"Type": "json-file", "Config": {"max-size": "0"}}},
    {"LogConfig": {"Type": "none"}}, {"LogConfig": {"Config": {"max-size": "1m"}}},
    {"LogConfig": {"Config": {"mode": "x"}}},
    {"LogConfig": {"Config": {"max-buffer-size": "1m"}}},
    {"Ulimits": [{"Name": "nofile", "Soft": 3, "Hard": 4}]},
    {"Ulimits": [{"Name": "nofile", "Soft": -1, "Hard": -1}]},
    {"Ulimits": [{"Name": "nofile", "Soft": 1 << 63, "Hard": 1 << 63}]},
    {"Init": True}, {"Init": False}, {"Isolation": "default"}, {"Isolation": "hyperv"},
    {"Runtime": "runc"}, {"Runtime": "nope"}, {"RestartPolicy": {"Name": "foo"}},
    {"RestartPolicy": {"Name": "always"}},
    {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 3}},
    {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": -3}},
    {"RestartPolicy": {"Name": "always", "MaximumRetryCount": -3}},
    {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}},
    {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 3}},
    {"RestartPolicy": {"Name": "always"}, "AutoRemove": True}, {"AutoRemove": True},
    {"CapAdd": ["NOPE"]}, {"CapDrop": ["NOPE"]}, {"CapAdd": "CHOWN"},
    {"CapAdd": ["net_admin"]}, {"CapAdd": []}, {"GroupAdd": ["5"]}, {"GroupAdd": []},
    {"ConsoleSize": [1, 2]}, {"ConsoleSize": [1]}, {"ConsoleSize": [1, 2, 3]},
    {"ConsoleSize": [-1, 2]}, {"Annotations": {"a": "b"}}, {"Annotations": {}},
    {"Annotations": {"": "b"}}, {"ReadonlyRootfs": True},
]  # fmt: skip

TOGETHER: list[Body] = [
    ({"Hostname": "h"}, {"NetworkMode": "container:x"}),
    ({"ExposedPorts": {"80/tcp": {}}}, {"NetworkMode": "container:x"}),
    ({"Hostname": "h"}, {"NetworkMode": "host"}),
    ({"Hostname": "h"}, {"UTSMode": "host"}),
    ({"Image": "nosuch:1"}, {"Memory": 5}),
]


def cases() -> dict[str, Body]:
    """Name every body by what it says."""
    bodies = [
        *((config, {}) for config in CONFIGS),
        *(({}, host) for host in HOSTS),
        *TOGETHER,
    ]
    return {f"{json.dumps(c)} {json.dumps(h)}": (c, h) for c, h in bodies}


def body_of(case: Body) -> dict[str, Any]:
    """Give the JSON of one case."""
    config, host = case
    whole = {"NetworkMode": "none", **host}
    return {"Image": IMAGE, "Cmd": ["true"], "HostConfig": whole} | config
