"""Names: /etc/hosts, resolv.conf and the name server say on ours what they say on Docker's.

Each line is typed at both engines, each on a host of its own with a name server that knows
a few names of example.test.  What is meant to differ has a rule in allowlist.toml, topic
"names".
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyminidock.network.resolvconf import Way, resolv_conf
from tests.compat.allowlist import AllowList, Difference, about_documents
from tests.compat.wired import Pair, Wired, both_wired
from tests.reference import program

pytestmark = pytest.mark.compat

SETTING: Sequence[str] = (
    "docker network create --subnet 10.50.0.0/24 back",
    "docker network create --subnet 10.51.0.0/24 front",
    "docker network create --subnet 10.52.0.0/24 --internal inner",
)
SCENES: Mapping[str, Sequence[str]] = {
    "builds": (
        "docker run -d --name web --net back twin sleep 1000",
        "printf 'FROM twin\\nRUN ping -c1 -W2 web; cat /etc/resolv.conf' |"
        " docker build --no-cache --network back - | grep -E 'PING|nameserver|options'",
        "printf 'FROM twin\\nRUN ping -c1 web' |"
        " docker build --no-cache --network front - 2>&1 | grep 'bad address'",
        "docker run -d --name local --link-local-ip 169.254.8.8 twin sleep 1000",
        "docker inspect -f '{{json .NetworkSettings.Networks.bridge.IPAMConfig}}' local",
    ),
    "neighbours": (
        "docker run -d --name web --net back --network-alias www --network-alias WEB2"
        " -h shop twin sleep 1000",
        "docker run -d --name db --net back --network-alias sql --link web:shopfront"
        " --add-host extra:192.0.2.7 --add-host me:host-gateway twin sleep 1000",
        "docker exec web cat /etc/hosts",
        "docker exec db cat /etc/hosts",
        "docker exec web cat /etc/resolv.conf",
        "docker exec web hostname -f",
        "docker exec db nslookup -type=a web.",
        "docker exec db nslookup -type=a WEB.",
        "docker exec db nslookup -type=a www.",
        "docker exec db nslookup -type=a web2.",
        "docker exec db nslookup -type=a shop.",
        "docker exec db nslookup -type=a web.back.",
        "docker exec db nslookup -type=a www.back.",
        "docker exec db nslookup -type=a web.front.",
        "docker exec db nslookup -type=a shopfront.",
        "docker exec db nslookup -type=a shopfront.back.",
        "docker exec web nslookup -type=a shopfront.",
        "docker exec db nslookup -type=aaaa web.",
        "docker exec db nslookup -type=mx web.",
        "docker exec db nslookup -type=txt web.",
        "docker exec db nslookup -type=a db.",
        'docker exec db nslookup -type=a $(docker ps -qf name=web).',
        "docker exec db nslookup 10.50.0.2",
        "docker exec db nslookup 10.50.0.3",
        "docker exec db nslookup 10.50.0.77",
        "docker exec db ping -c1 -W2 web | head -n 2",
        "docker exec db ping -c1 -W2 sql | head -n 2",
        "docker exec db ping -c1 nobody",
        "docker exec db ping -c1 -W2 shopfront | head -n 2",
        "docker exec db nslookup -type=a nobody.",
        "docker exec db nslookup -type=a www.example.test.",
        "docker exec db nslookup -type=aaaa www.example.test.",
        "docker exec db nslookup -type=a big.example.test. | wc -l",
        "docker exec db nslookup -type=a nodata.example.test.",
        "docker exec db nslookup -type=a fail.example.test.",
        "docker exec db nslookup -type=a refused.example.test.",
        "docker inspect -f '{{json .NetworkSettings.Networks.back.DNSNames}}' web",
        "docker run --rm --net container:web twin sh -c"
        " 'cat /etc/hosts /etc/hostname; hostname; echo $HOSTNAME'",
        "docker run --rm --net container:web twin nslookup -type=a db.",
        "docker run -d --name guest --net container:web twin sleep 1000",
        "[ $(docker inspect -f '{{.HostsPath}}' guest)"
        " = $(docker inspect -f '{{.HostsPath}}' web) ] && echo the same file",
        "docker inspect -f '{{.Config.Hostname}}' guest",
        "docker rm -f guest",
        "docker run --rm --net back twin nslookup -type=a web.",
        "docker run --rm --net back -h a.b.c twin sh -c"
        " 'hostname -f; cat /etc/hostname; tail -n 1 /etc/hosts'",
        "docker run --rm --net back -h host --domainname dom.test twin sh -c"
        " 'hostname -f; tail -n 1 /etc/hosts'",
        "docker run --rm --net back twin sh -c"
        " 'nc -lup 53 & sleep 0.3; netstat -lnu | grep -c 0.0.0.0:53;"
        " nslookup -type=a web.'",
        "docker stop -t 0 web",
        "docker exec db nslookup -type=a web.",
        "docker start web",
        "docker exec db nslookup -type=a web.",
        "docker exec web cat /etc/hosts",
        "docker rename web shop1",
        "docker exec db nslookup -type=a web.",
        "docker exec db nslookup -type=a shop1.",
        "docker rm -f shop1",
        "docker exec db nslookup -type=a shop1.",
        "docker exec db nslookup -type=a www.",
    ),
    "moving": (
        "docker run -d --name web --net back -h shop twin sleep 1000",
        "docker run -d --name db --net front twin sleep 1000",
        "docker exec web nslookup -type=a db.",
        "docker network connect --alias wx front web",
        "docker exec web tail -n +7 /etc/hosts",
        "docker exec web nslookup -type=a db.",
        "docker exec db nslookup -type=a wx.",
        "docker exec db nslookup -type=a web.",
        "docker exec db nslookup -type=a web.back.",
        "docker exec db nslookup 10.51.0.3",
        "docker exec web nslookup 10.50.0.2",
        "docker network disconnect front web",
        "docker exec db nslookup -type=a web.",
        "docker exec web nslookup -type=a db.",
        "docker exec web tail -n +7 /etc/hosts",
        "docker network connect bridge web",
        "docker exec web tail -n +7 /etc/hosts",
        "docker exec web tail -n +5 /etc/resolv.conf",
        "docker restart -t 0 web",
        "docker exec web tail -n +7 /etc/hosts",
        "docker network connect --link web:lw back db",
        "docker exec db nslookup -type=a lw.",
        "docker run -d --name late twin sleep 1000",
        "docker exec late tail -n +5 /etc/resolv.conf",
        "docker network connect back late",
        "docker exec late tail -n +5 /etc/resolv.conf",
        "docker exec late nslookup -type=a web.",
        "docker exec late sh -c 'echo \"# mine\" >>/etc/resolv.conf;"
        " echo 192.0.2.9 mine >>/etc/hosts'",
        "docker network connect front late",
        "docker exec late sh -c 'tail -n +7 /etc/hosts; tail -n 2 /etc/resolv.conf'",
        "docker restart -t 0 late",
        "docker exec late sh -c 'tail -n +7 /etc/hosts; tail -n 2 /etc/resolv.conf'",
    ),
    "servers": (
        "docker run --rm twin tail -n +5 /etc/resolv.conf",
        "docker run --rm --net none twin cat /etc/hosts /etc/resolv.conf",
        "docker run --rm --net host twin tail -n +5 /etc/resolv.conf",
        "docker run --rm --net host twin cat /etc/hosts",
        "docker run --rm --net host --add-host a:192.0.2.1 twin cat /etc/hosts",
        "docker run --rm --dns 192.0.2.5 --dns-search a.test --dns-opt rotate twin"
        " tail -n +5 /etc/resolv.conf",
        "docker run --rm --net back --dns 192.0.2.5 --dns 192.0.2.6 --dns-search a.test"
        " --dns-opt ndots:2 twin tail -n +5 /etc/resolv.conf",
        "docker run --rm --net back --dns-search . --dns-opt timeout:3 twin"
        " tail -n +5 /etc/resolv.conf",
        "docker run --rm --net host --dns 192.0.2.5 twin tail -n +5 /etc/resolv.conf",
        "docker run --rm --net none --dns 192.0.2.5 twin tail -n +5 /etc/resolv.conf",
        "docker run --rm --dns foo twin true",
        "docker run --rm --add-host bad twin true",
        "docker run --rm --net back --dns-opt ndots:0 twin nslookup -type=a nobody.",
        "docker run --rm --net back --dns-opt ndots:0 twin nslookup -type=a"
        " www.example.test.",
        "docker run -d --name in --net inner twin sleep 1000",
        "docker exec in nslookup -type=a in.",
        "docker exec in nslookup -type=a www.example.test.",
        "docker exec in tail -n +5 /etc/resolv.conf",
    ),
    "links": (
        "docker run -d --name db --expose 5432 --expose 53/udp -e USER=me -e PATH=/bin twin"
        " sleep 1000",
        "docker run -d --name web --link db:my-store -e MY_STORE_ENV_USER=you twin"
        " sleep 1000",
        "docker run --rm --name w1 --link db twin sh -c 'env; tail -n +7 /etc/hosts'",
        "docker exec web tail -n +7 /etc/hosts",
        "docker exec web env",
        "docker exec web ping -c1 -W2 my-store | head -n 2",
        "docker exec db tail -n +7 /etc/hosts",
        "docker stop -t 0 db",
        "docker run --rm --name w2 --link db:x twin true",
        "docker create --name w3 --link nobody:x twin",
        "docker run --rm --net host --link db:x twin true",
        "docker inspect -f '{{json .HostConfig.Links}}' web",
        "docker run -d --name taker twin sleep 1000",
        "docker start db",
        "docker exec web tail -n +7 /etc/hosts",
        "docker restart -t 0 web",
        "docker exec web tail -n +7 /etc/hosts",
        "docker ps -a --no-trunc --format '{{.Names}}'",
        "docker inspect -f '{{.Name}}' web/my-store",
        "docker rename db store",
        "docker inspect -f '{{json .HostConfig.Links}}' web",
        "docker rm --link web",
        "docker rm --link web/nobody",
        "docker rm --link a/b/c",
        "docker rm --link web/my-store",
        "docker exec web tail -n +7 /etc/hosts",
        "docker inspect -f '{{json .HostConfig.Links}}' web",
        "docker logs web/my-store",
        "docker restart -t 0 web",
        "docker exec web env",
    ),
}  # fmt: skip
CASES = [
    pytest.param(scene, number, id=f"{scene}-{number:02}: {line[:60]}")
    for scene, lines in SCENES.items()
    for number, line in enumerate(lines)
]
_ID = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b")
_TIME = re.compile(r"time=[\d.]+ ms")


class Said:
    """What one engine says to the scenes, each said when its first line is asked for."""

    def __init__(self, side: Wired, folder: Path) -> None:
        self._side, self._folder = side, folder
        self._told: dict[str, list[tuple[int, str, str]]] = {}
        for line in SETTING:
            code, _, error = self._say(line)
            assert code == 0, (side.name, line, error)

    def to(self, scene: str, number: int) -> tuple[int, str, str]:
        """Give exit code, output and errors of one line."""
        if scene not in self._told:
            self._side.clear()
            self._told[scene] = [self._say(line) for line in SCENES[scene]]
        return self._told[scene][number]

    def _say(self, line: str) -> tuple[int, str, str]:
        done = subprocess.run(
            ["bash", "-c", line], cwd=self._folder, check=False, timeout=60,
            stdin=subprocess.DEVNULL, capture_output=True,
            env={
                "PATH": f"{Path(program('docker')).parent}:/usr/bin:/bin",
                "DOCKER_HOST": f"unix://{self._side.socket}", "LC_ALL": "C.UTF-8",
                "DOCKER_CONFIG": str(self._folder),
            },
        )  # fmt: skip
        return done.returncode, _plain(done.stdout), _plain(done.stderr)


def _plain(told: bytes) -> str:
    return _TIME.sub("time=SPAN", _ID.sub("ID", told.decode(errors="replace")))


@contextmanager
def asked_beyond(side: Wired) -> Iterator[None]:
    """Let the servers that the host names be on the engine's own host, and answer."""
    resolv = resolv_conf(Path("/etc/resolv.conf").read_text(), Way.NAMED)
    begun = []
    for server in resolv.servers:
        if ":" in server.address:
            continue
        side.host("busybox", "ip", "addr", "add", f"{server.address}/32", "dev", "lo")
        begun.append(
            side.begin(sys.executable, "-m", "tests.compat.upstream", server.address)
        )
    try:
        for each in begun:
            assert each.stdout is not None
            assert each.stdout.readline() == b"ready\n"
        yield
    finally:
        for each in begun:
            each.kill()
            each.communicate()


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Said, Said]]:
    """Both engines, with three networks, and somebody beyond them who knows names."""
    assert os.geteuid() == 0
    place = tmp_path_factory.mktemp("names")
    with both_wired(place) as pair, asked_beyond(pair[0]), asked_beyond(pair[1]):
        yield _heard(pair, place)


def _heard(pair: Pair, place: Path) -> tuple[Said, Said]:
    docker, ours = (Said(side, place) for side in pair)
    return docker, ours


@pytest.fixture(scope="module")
def allowed() -> AllowList:
    return about_documents("names")


@pytest.mark.parametrize(("scene", "number"), CASES)
def test_a_line_says_on_ours_what_it_says_on_dockers(
    said: tuple[Said, Said], allowed: AllowList, scene: str, number: int
) -> None:
    left = allowed.unexplained(differences(said, scene, number))
    assert not left, "\n".join(map(str, left))


def test_every_rule_about_names_is_needed(
    said: tuple[Said, Said], allowed: AllowList
) -> None:
    for scene, lines in SCENES.items():
        for number in range(len(lines)):
            allowed.unexplained(differences(said, scene, number))
    assert not allowed.stale


def test_there_are_many_lines_and_few_meant_differences() -> None:
    assert len(CASES) >= 100
    assert len(about_documents("names").rules) <= 4


def differences(said: tuple[Said, Said], scene: str, number: int) -> list[Difference]:
    """Give what two engines said differently."""
    docker, ours = (each.to(scene, number) for each in said)
    return [
        Difference("names", f"{SCENES[scene][number]} ({what})", str(theirs), str(mine))
        for what, theirs, mine in zip(
            ("exit", "stdout", "stderr"), docker, ours, strict=True
        )
        if theirs != mine
    ]
