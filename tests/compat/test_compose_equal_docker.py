"""Stock docker-compose brings nine topologies up, lets them talk, and takes them down.

The same files and the same lines on dockerd and on ours, each on a host of its own: what
is printed and each exit code have to be equal, and at the end nothing is left.  Compose
does several things at once, so lines of `up` and `down` are compared without their order.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.compat.sides import together
from tests.compat.wired import Pair, Wired, wired
from tests.reference import program, wait_until

__all__ = ["wired"]
pytestmark = pytest.mark.compat

SERVE = "sh -c 'while true; do echo I am $$SELF | nc -l -p 80; done'"
TALK = "docker-compose exec -T {} nc -w 2 {} 80"
UP = "docker-compose up -d --wait"


@dataclass(frozen=True)
class Topology:
    """A compose file, and what is said to it between `up` and `down`."""

    file: str
    lines: Sequence[str]
    up: str = UP
    after: Sequence[str] = ()  # what is said after `down`, before nothing may be left


def service(name: str, *lines: str) -> str:
    """Describe a service that says who it is, on port 80."""
    own = (
        "image: twin",
        f"command: {SERVE}",
        f"environment: {{SELF: {name}}}",
        "stop_grace_period: 0s",
        *lines,
    )
    return "".join([f"  {name}:\n", *(f"    {line}\n" for line in own)])


HEALTH = (
    'healthcheck: {test: ["CMD-SHELL", "netstat -ltn | grep -q :80"], interval: 1s,'
    " retries: 30}"
)
TOPOLOGIES: Mapping[str, Topology] = {
    "two tiers": Topology(
        "services:\n" + service("db") + service("web", "depends_on: [db]"),
        (
            "docker-compose ps --services | sort",
            TALK.format("web", "db"),
            TALK.format("db", "web"),
            TALK.format("web", "two-tiers-db-1"),
            "docker-compose exec -T web nslookup -type=a db.two-tiers_default.",
            "docker-compose exec -T web nslookup -type=a nobody.",
            "docker-compose exec -T web sh -c 'echo out; echo err >&2; exit 3'",
            "docker-compose run --rm -T web nc -w 2 db 80",
            "docker-compose stop -t 0 db",
            TALK.format("web", "db"),
            "docker-compose start db",
            "docker-compose ps -a --format '{{.Service}} {{.State}}' | sort",
        ),
    ),
    "three tiers": Topology(
        "services:\n"
        + service("db", "networks: [back]")
        + service("app", "networks: [back, front]", "depends_on: [db]")
        + service("web", "networks: [front]", "depends_on: [app]")
        + "networks:\n  back: {internal: true}\n  front: {}\n",
        (
            TALK.format("web", "app"),
            TALK.format("app", "db"),
            TALK.format("web", "db"),
            "docker-compose exec -T web nslookup -type=a db.",
            "docker-compose exec -T db nslookup -type=a web.",
            "docker-compose exec -T db ip route | grep -c default",
            "docker-compose exec -T app sh -c 'ip -o addr | grep -c eth'",
            "docker network ls --format '{{.Name}} {{.Driver}}' --filter"
            " label=com.docker.compose.project=three-tiers | sort",
        ),
    ),
    "aliases": Topology(
        "services:\n"
        + service("db", "networks: {back: {aliases: [store, sql]}}", "hostname: base")
        + service(
            "web",
            "networks: [back]",
            "links: ['db:linked']",
            "extra_hosts: ['far:192.0.2.9']",
        )
        + "networks:\n  back: {ipam: {config: [{subnet: 10.60.0.0/24}]}}\n",
        (
            TALK.format("web", "store"),
            TALK.format("web", "sql"),
            TALK.format("web", "base"),
            TALK.format("web", "linked"),
            TALK.format("web", "aliases-db-1"),
            "docker-compose exec -T db nslookup -type=a linked.",
            "docker-compose exec -T web sh -c 'tail -n +7 /etc/hosts | head -n 1'",
            "docker-compose exec -T db hostname -f",
            "docker inspect aliases-db-1 -f"
            " '{{len .NetworkSettings.Networks.aliases_back.DNSNames}}'",
        ),
    ),
    "volumes": Topology(
        "services:\n"
        + service("writer", "volumes: ['data:/data', './here:/here:ro']")
        + service("reader", "volumes: ['data:/data:ro']", "depends_on: [writer]")
        + "volumes:\n  data: {}\n",
        (
            "docker-compose exec -T writer sh -c 'echo kept >/data/file; cat /here/note'",
            "docker-compose exec -T reader cat /data/file",
            "docker-compose exec -T reader touch /data/other",
            "docker-compose exec -T writer touch /here/other",
            "docker-compose rm -sf writer",
            "docker-compose up -d writer",
            "docker-compose exec -T writer cat /data/file",
            "docker volume ls --format '{{.Name}}'",
        ),
    ),
    "health": Topology(
        "services:\n"
        + service("db", HEALTH)
        + "  once:\n    image: twin\n    command: nc -w 2 db 80\n"
        "    depends_on: {db: {condition: service_healthy}}\n"
        + service(
            "web",
            "depends_on: {db: {condition: service_healthy},"
            " once: {condition: service_completed_successfully}}",
        ),
        (
            "docker-compose ps -a --format '{{.Service}} {{.State}} {{.Health}}' | sort",
            "docker-compose logs --no-log-prefix once",
            TALK.format("web", "db"),
            "docker-compose top db | wc -l",
        ),
        up="docker-compose up -d",
    ),
    "scale": Topology(
        "services:\n"
        + service("web", "hostname: ''", "expose: ['80']")
        + "  asker:\n    image: twin\n    command: sleep 1000\n    stop_grace_period: 0s\n",
        (
            "docker-compose ps --format '{{.Name}}' | sort",
            "docker-compose exec -T asker nslookup -type=a web. | grep -c Address:",
            "docker-compose exec -T asker sh -c"
            " 'for n in 1 2 3; do nc -w 2 scale-web-$n 80; done'",
            "docker-compose up -d --scale web=1 --no-recreate",
            "docker-compose exec -T asker nslookup -type=a web. | grep -c Address:",
            "docker-compose up -d --scale web=2 --no-recreate",
            "docker-compose ps --format '{{.Name}}' | sort",
        ),
        up=f"{UP} --scale web=3",
    ),
    "a proxy before an app": Topology(
        "x-own: &own {image: twin, stop_grace_period: 0s, restart: unless-stopped}\n"
        "services:\n"
        "  proxy:\n    <<: *own\n    ports: ['18080-18085:80', '127.0.0.1:18099:81/udp']\n"
        "    depends_on: [app]\n    networks: [front]\n"
        "    command: sh -c 'while true; do nc -l -p 80 -e nc -w 2 app 80; done'\n"
        + service(
            "app",
            "networks: [front, back]",
            "restart: on-failure:3",
            "depends_on: {db: {condition: service_healthy}}",
        )
        + service("db", HEALTH, "networks: [back]", "volumes: ['kept:/var/lib/db']")
        + service("admin", "networks: [back]", "profiles: [tools]", "depends_on: [db]")
        + "networks:\n  front: {}\n  back: {internal: true, name: behind}\n"
        "volumes:\n  kept: {labels: {course: '7'}}\n",
        (
            "docker-compose config --services | sort",
            "docker-compose --profile tools config --services | sort",
            "docker-compose exec -T app nc -w 3 proxy 80",
            "docker-compose port proxy 80 | sed 's/.*://'",
            "docker-compose port --protocol udp proxy 81",
            # Which ports there are comes out of a Go map: in any order.
            "docker-compose port proxy 9 2>&1 | tr ' ' '\\n' | tr -d , | sort",
            "docker-compose port proxy 9 >/dev/null 2>&1; echo $?",
            "docker-compose exec -T proxy nc -w 2 db 80",
            "docker-compose --profile tools up -d --wait",
            TALK.format("admin", "db"),
            "docker-compose exec -T db ping -c 1 -W 1 192.0.2.1 | tail -n 2",
            "docker inspect -f '{{.HostConfig.RestartPolicy}}'"
            " a-proxy-before-an-app-app-1 a-proxy-before-an-app-proxy-1",
            "docker network inspect -f '{{.Internal}} {{len .Containers}}' behind",
            "docker volume ls -q --filter label=course=7",
            "docker-compose --profile tools rm -sf admin",
            "docker-compose pause app",
            "docker-compose ps --format '{{.Service}} {{.State}}' | sort",
            "docker-compose unpause app",
        ),
    ),
    "what is there already": Topology(
        "services:\n"
        + service("base", "networks: [town]", "volumes: ['data:/d']")
        + "  web:\n    extends: {service: base}\n    environment: {SELF: web}\n"
        "    networks: {town: {ipv4_address: 10.61.0.9, aliases: [shop]}}\n"
        "  job:\n    image: twin\n    volumes: ['data:/d']\n    networks: [town]\n"
        "    command: sh -c 'echo kept > /d/file'\n"
        "  reader:\n    extends: {service: base}\n    environment: {SELF: reader}\n"
        "    depends_on: {job: {condition: service_completed_successfully}}\n"
        "networks:\n  town: {external: true, name: outer}\n"
        "volumes:\n  data: {external: true, name: outside}\n",
        (
            "docker-compose ps -a --format '{{.Service}} {{.State}} {{.ExitCode}}' | sort",
            TALK.format("reader", "shop"),
            "docker-compose exec -T reader cat /d/file",
            "docker-compose exec -T reader nslookup -type=a shop.",
            "docker-compose up -d --force-recreate web",
            "docker-compose exec -T web ip -o -4 addr show eth0 | grep -o '10.61.0.9/24'",
            "docker network rm outer",
            "docker volume rm outside",
        ),
        up="docker volume create outside && docker network create --subnet 10.61.0.0/24"
        " outer >/dev/null && docker-compose up -d",
        after=(
            "docker volume ls -q",
            "docker volume rm outside",
            "docker network rm outer",
        ),
    ),
    "a job that fails": Topology(
        "services:\n"
        + service("db", HEALTH, "tmpfs: [/run]", "read_only: true", "init: true")
        + "  job:\n    image: twin\n    command: sh -c 'echo no schema >&2; exit 4'\n"
        "    depends_on: {db: {condition: service_healthy, restart: true}}\n"
        + service("web", "depends_on: {job: {condition: service_completed_successfully}}")
        + "  lone:\n    image: twin\n    network_mode: none\n    command: ip -o link\n"
        "  beside:\n    image: twin\n    network_mode: 'service:db'\n"
        "    depends_on: [db]\n    stop_grace_period: 0s\n"
        "    command: sh -c 'nc -w 2 127.0.0.1 80; sleep 1000'\n",
        (
            "docker-compose ps -a --format '{{.Service}} {{.State}} {{.ExitCode}}' | sort",
            "docker-compose logs --no-log-prefix job",
            "docker-compose logs --no-log-prefix lone | grep -c eth",
            "docker-compose exec -T beside nc -w 2 127.0.0.1 80",
            "docker-compose exec -T db sh -c 'touch /run/x && echo ok; touch /x'",
            "docker-compose up -d web",
            "docker-compose kill -s KILL db",
            "docker-compose ps -a --format '{{.Service}} {{.State}} {{.ExitCode}}' db",
        ),
        up="docker-compose up -d db beside lone job; docker-compose wait job;"
        " docker-compose up -d",
    ),
}
NOTHING = (
    "docker ps -aq", "docker network ls -q --filter type=custom", "docker volume ls -q",
)  # fmt: skip
_ID = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b")
_RUN = re.compile(r"-run-ID|(?<=\s)\d+(\.\d+)?s\b")


@pytest.fixture
def empty(wired: Pair) -> Iterator[Pair]:
    """Both engines, with nothing of an earlier test."""
    yield wired
    for side in wired:
        side.clear()


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_a_topology_comes_up_talks_and_goes_down(
    empty: Pair, name: str, tmp_path: Path
) -> None:
    topology = TOPOLOGIES[name]
    lines = (
        topology.up, *topology.lines, "docker-compose logs --no-color | wc -l",
        "docker-compose down -t 0 --volumes", *topology.after, *NOTHING,
    )  # fmt: skip
    place = tmp_path / name.replace(" ", "-")
    (place / "here").mkdir(parents=True)
    (place / "here/note").write_text("of the host\n")
    (place / "compose.yaml").write_text(topology.file)
    before = [devices(side) for side in empty]
    told = together(lambda side: [(line, *say(side, line, place)) for line in lines], empty)
    assert told[1] == told[0]
    spoken = [word for _, _, output, _ in told[1] for word in output]
    assert any(word.startswith(("I am", "kept")) for word in spoken), spoken
    for line, code, output, _ in told[1][-len(NOTHING) :]:
        assert (code, output) == (0, []), (line, told[1])
    assert told[1][0][1] == 0 or name == "a job that fails", told[1][0]
    for side, had in zip(empty, before, strict=True):
        wait_until(partial(is_wired_as, side, had), 20, "the last cable to go")


def devices(side: Wired) -> set[str]:
    """Name the network devices of an engine's host, but for the default bridge."""
    told = side.host("busybox", "ip", "-o", "link").stdout.decode()
    names = {line.split(":")[1].strip().partition("@")[0] for line in told.splitlines()}
    return {name for name in names if name != "docker0" and not name.endswith("-0")}


def is_wired_as(side: Wired, before: set[str]) -> bool:
    """Say whether a host has the devices that it had."""
    return devices(side) == before


def say(side: Wired, line: str, place: Path) -> tuple[int, list[str], list[str]]:
    """Run a line of docker-compose; give its exit code, and what it printed in order."""
    done = subprocess.run(
        ["bash", "-c", line], cwd=place, check=False, timeout=120,
        stdin=subprocess.DEVNULL, capture_output=True,
        env={
            "PATH": f"{Path(program('docker')).parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8",
            "DOCKER_HOST": f"unix://{side.socket}", "DOCKER_BUILDKIT": "0",
            "DOCKER_CONFIG": str(place), "COMPOSE_ANSI": "never", "HOME": str(place),
        },
    )  # fmt: skip
    return done.returncode, plain(done.stdout), plain(done.stderr)


def plain(told: bytes) -> list[str]:
    """Give the lines without order and without ids."""
    text = _RUN.sub("", _ID.sub("ID", told.decode(errors="replace")))
    return sorted(line.strip() for line in text.splitlines() if line.strip())


def test_compose_is_the_stock_one() -> None:
    assert os.access(program("docker-compose"), os.X_OK)
