"""`minidock run` asks of an engine what `docker run` asks, flag by flag.

The stock command line speaks to a daemon that keeps what it is told; our reader makes its
body of the same words.  What one refuses, the other refuses with the same sentence.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyminidock.cli.createbody import create_body
from pyminidock.cli.endpoints import UNASKED
from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.flags import container_flags
from pyminidock.cli.words import Verb, switch, text
from tests.compat.recording import Recorder, recorder

pytestmark = pytest.mark.compat

MAC = "92:d0:c6:0a:29:33"
FLAGS = rf"""
-d
-i
-i -d
-a stdin
-a stdout -a STDERR
-a nope
-a stdout -d
-t -u 1:2 -w /w -h h --domainname d
--add-host a:1.2.3.4 --add-host b=1.2.3.4 --add-host c:host-gateway --add-host d:[::1]
--add-host a
--add-host a:x
--annotation a=b --annotation c
--blkio-weight 300
--blkio-weight x
--blkio-weight 70000
--blkio-weight-device /dev/sda:300
--blkio-weight-device x
--blkio-weight-device /dev/sda:5
--blkio-weight-device sda:300
--cap-add chown --cap-drop ALL
--cgroup-parent /x --cgroupns private
--cgroupns nope
--cidfile identifier
--cpu-count 2
--io-maxbandwidth 1m
--cpu-period 1000 --cpu-quota 2000 --cpu-rt-period 1 --cpu-rt-runtime 2 -c 5
--cpuset-cpus 0 --cpuset-mems 0 --cpus 1.5
-c x
--cpus x
--cpus -1
--detach-keys a,b
--device /dev/null --device /dev/null:/dev/x --device /dev/null:/dev/y:r
--device /dev/null:rw
--device null
--device /dev/null:/dev/x:z
--device vendor.com/class=x
--device-cgroup-rule 'c 1:3 rwm'
--device-cgroup-rule nope
--device-read-bps /dev/sda
--device-read-bps sda:1
--device-read-bps /dev/sda:x
--device-read-iops /dev/sda:x
--dns 1.1.1.1 --dns-option a --dns-opt b --dns-search c.
--dns x
--dns-search 'x y'
--entrypoint ''
--entrypoint x
-e A=1 -e B -e C -e A=2
-e =x
--env-file variables -e A=3
--env-file nowhere
--expose 80 --expose 90-92/udp
--expose 80:90
--expose x
--gpus all
--gpus 2
--gpus '"device=0,1",capabilities=utility'
--gpus driver=nvidia,count=2,options=a=b
--gpus x=y
--group-add a
--health-cmd 'a b' --health-interval 5s --health-retries 2 --health-start-interval 1s
--health-start-period 1m --health-timeout 500ms
--health-interval 1.5s --health-timeout 1h2m3s4ms5us
--health-interval -1s
--health-interval 5
--health-interval 5x
--health-interval x
--health-retries -1
--health-retries x
--no-healthcheck
--no-healthcheck --health-cmd x
--init
--ip 1.2.3.4
--ip 1.2.3.4 --ip6 ::1 --network net
--ip 1.2.3.4 --network none
--ipc host --pid host --uts host --userns host
--ipc container:x --pid container:x
--ipc nope
--pid nope
--uts nope
--userns nope
--isolation default
--kernel-memory 5m
-l a=b -l c
-l =x
--label-file labels -l z=1
--label-file nowhere
--link a:b --link c
--link a:b --network net
--link-local-ip 1.2.3.4 --network net
--log-driver none --log-opt a=b
--log-driver json-file --log-opt max-size=1m
--log-opt x
--mac-address {MAC}
--mac-address x
-m 5m --memory-reservation 4m --memory-swap -1 --memory-swappiness 5
-m x
-m -5
--memory-swap x
--memory-swappiness 500
--mount type=bind,src=/a,dst=/b,ro
--mount type=bind,source=/a,target=/b,readonly=true,bind-propagation=rshared
--mount type=bind,src=/a,dst=/b,bind-nonrecursive
--mount type=volume,src=v,dst=/b,volume-nocopy,volume-label=a=b,volume-driver=local
--mount dst=/b,volume-opt=x=y,volume-subpath=s
--mount dst=/b
--mount type=tmpfs,dst=/b,tmpfs-size=5m,tmpfs-mode=1777
--mount type=bind,src=a,dst=/b
--mount type=bind,src=./a,dst=/b
--mount x
--mount type=bind,dst=/b
--mount type=bind,src=/a
--mount type=nope,dst=/b
--mount type=bind,src=/a,dst=/b,volume-nocopy
--mount type=tmpfs,dst=/b,bind-propagation=x
--mount type=bind,src=/a,dst=/b,ro=x
--mount type=bind,src=/a,dst=/b,zzz=1
--mount type=bind,src=/a,dst=/b,bind-recursive=disabled
--mount type=bind,src=/a,dst=/b,bind-recursive=nope
--mount type=bind,src=/a,dst=/b,bind-recursive=readonly
--mount type=bind,src=/a,dst=/b,consistency=cached
--mount ''
--mount type=tmpfs,dst=/b,tmpfs-mode=9
--mount type=tmpfs,dst=/b,tmpfs-size=x
--mount type=tmpfs,src=/a,dst=/b
--name n
--network a
--network a --network b
--network none --network a
--network name=a,alias=x,alias=y,driver-opt=k=v,ip=1.2.3.4,ip6=::1,mac-address={MAC}
--network name=a,link-local-ip=169.254.0.1
--network container:x
--network host
--net none
--network a --network-alias x --net-alias y
--network-alias x
--network name=a,alias=x --network-alias y
--network a --network a
--network alias=x
--network ''
--oom-kill-disable --oom-score-adj 5
--oom-score-adj x
--pids-limit 5
--pids-limit x
--privileged
-p 80 -p 8080:80/udp -p 127.0.0.1:9000:90 -p 127.0.0.1::91
-p 7000-7002:7000-7002 -p [::1]:1:2
-p x
-p 80:90:100:110
-p 99999
-p 1-3:1-2
-p 1-3:1
-p 80/nope
-p target=80,published=8080,protocol=udp,mode=host
-p 1.2.3:1:2
-P
--pull nope
--pull never -q
--read-only
--restart always
--restart on-failure:3
--restart on-failure:x
--restart always:3
--restart nope
--restart ''
--restart always --rm
--restart :3
--restart on-failure:-1
--rm
--runtime runc
--security-opt no-new-privileges
--security-opt no-new-privileges:true
--security-opt seccomp=unconfined --security-opt apparmor:x --security-opt label=disable
--security-opt systempaths=unconfined
--security-opt x
--security-opt seccomp=/nowhere
--shm-size 5m
--shm-size x
--stop-signal USR1 --stop-timeout 5
--stop-timeout 0
--stop-timeout x
--storage-opt size=5
--storage-opt x
--sysctl net.a=1
--sysctl b
--tmpfs /a --tmpfs /b:size=5m
--ulimit nofile=1:2 --ulimit core=5
--ulimit nofile=5 --ulimit nofile=1:2
--ulimit nofile=5:1
-v /a:/b -v /c -v name:/d:ro -v ./x:/y
-v ../x:/y -v .:/z
-v /a:/b:nope
-v :/b
-v /
-v a:b:c:d
-v ''
--volume-driver d --volumes-from x:ro
""".strip().splitlines()

# The stock client of 26.1 forgets these on their way.
FORGOTTEN = ("BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps",
             "BlkioDeviceWriteIOps")  # fmt: skip


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    folder = tmp_path_factory.mktemp("bodies")
    (folder / "variables").write_text("A=1\n# no\nB\nC\nD=x y\n")
    (folder / "labels").write_text("# no\na=1\nb\n")
    with recorder(folder) as listener:
        yield listener


@pytest.mark.parametrize("flags", FLAGS)
def test_a_flag_becomes_what_docker_makes_of_it(
    stock: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str
) -> None:
    words = [*shlex.split(flags), "image", "program", "-x"]
    asked, said = stock.docker("run", *words)
    monkeypatch.chdir(Path(stock.address.removeprefix("unix://")).parent)
    try:
        ours: Any = plain(body(*words))
    except WordsRefused as refusal:
        ours = refusal.what
    theirs: Any = first(said)
    for each in asked:
        theirs = plain(each.body)
    assert ours == theirs


def test_every_flag_of_docker_run_is_a_flag_of_ours(stock: Recorder) -> None:
    verb = Verb("run", lambda **_: 0, help="", params=container_flags())
    ours = {name for param in verb.params for name in param.opts}
    _, told = stock.docker("run", "--help")
    found = re.findall(r"(?m)^ {2,6}(?:(-\w), )?(--[a-z0-9-]+)", told)
    theirs = {name for names in found for name in names if name}
    assert theirs - ours == {"--help", "-d", "--detach", "--detach-keys", "--sig-proxy"}


def body(*words: str) -> dict[str, Any]:
    """Make the body of a command line, as `run` does."""
    made: list[dict[str, Any]] = []

    def take(words: tuple[str, ...], **given: Any) -> None:
        made.append(create_body(given, words, {"B": "there"}, is_detached=given["detach"]))

    params = [*container_flags(), switch("--detach", "-d", help="")]
    params += [text("--detach-keys", help="")]
    verb = Verb("run", take, help="", params=params, usage="IMAGE", is_open=False)
    verb.main(list(words), prog_name="minidock run", standalone_mode=False)
    return made[0]


def plain(told: dict[str, Any]) -> dict[str, Any]:
    """Take away what has no order, or is forgotten."""
    told = dict(told)
    host = {
        name: value for name, value in told["HostConfig"].items() if name not in FORGOTTEN
    }
    host["Binds"] = sorted(host["Binds"] or ()) or None
    wires = {
        name: each
        for name, each in told["NetworkingConfig"]["EndpointsConfig"].items()
        if name != "default" or any(each.values())
    }
    if host["NetworkMode"] == "default" and not wires:
        host["NetworkMode"] = UNASKED
    return told | {"HostConfig": host, "Env": sorted(told["Env"] or ()), "Wires": wires,
                   "NetworkingConfig": None}  # fmt: skip


def first(said: str) -> str:
    """Give the sentence of a refusal."""
    line = said.splitlines()[0].removeprefix("docker: ")
    return line.removesuffix(".") if said.startswith("docker: ") else line
