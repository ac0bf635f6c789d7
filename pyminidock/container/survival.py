"""What is left of a container after an exit, a restart, an rm, a rebuild, a reboot.

    exit      its program ends
    restart   docker restart
    rm        docker rm, without -v
    rebuild   rm, a new image of the same name, and run with the same flags
    reboot    the machine stops and starts again

Nothing is guessed: where a fact lives decides what becomes of it.  What lies in a process
goes with it; in the container's directory, with the container; in a volume or on the host,
when somebody says so.

    kept      it is there, and the container (or the one after a rebuild) has it
    lost      it is nowhere any more
    left      it is there, but no container has it
    anew      there is another one in its place

Source: docker-runtime.md 3.5, 4.4; performed column by column in the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.grammar.logoptions import JSON_FILE
from pyminidock.volume.points import MountPoint

COLUMNS = ("exit", "restart", "rm", "rebuild", "reboot")
_AGAIN = ("always", "unless-stopped")
Fates = tuple[str, str, str, str, str]
_PROCESS: Fates = ("lost", "lost", "lost", "lost", "lost")
_HOST: Fates = ("kept", "kept", "kept", "kept", "kept")
_CONTAINER: Fates = ("kept", "kept", "lost", "lost", "kept")


@dataclass(frozen=True, slots=True)
class Fact:
    """One file or fact: `where` it lives, what becomes of it, and the way out."""

    kind: str
    what: str
    where: str
    fates: Fates
    way_out: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the engine knows of a container beside its spec."""

    upper: str  # host
    names: tuple[str, ...] = ()  # in its writable layer
    more: int = 0
    size_bytes: int = 0
    log: str = ""  # host
    in_memory: frozenset[str] = frozenset()  # volumes that are trees in memory


def survival(spec: ContainerSpec, request: CreateRequest, seen: Seen) -> tuple[Fact, ...]:
    """Tell of each fact what becomes of it."""
    return tuple(_removed_at_exit(spec, each) for each in _facts(spec, request, seen))


def _removed_at_exit(spec: ContainerSpec, fact: Fact) -> Fact:
    """With --rm the end of the program is that of the container, and of unnamed volumes."""
    at_rm = "lost" if fact.kind == "unnamed volume" else fact.fates[2]
    if not spec.auto_remove or fact.fates[0] == "lost":
        return fact
    _, restart, _, rebuild, reboot = fact.fates
    after = at_rm if at_rm == "lost" else reboot
    rebuilt = "anew" if fact.kind == "unnamed volume" else rebuild
    return Fact(
        fact.kind, fact.what, fact.where, (at_rm, restart, at_rm, rebuilt, after),
        fact.way_out and f"leave out --rm; {fact.way_out}",
    )  # fmt: skip


def _facts(spec: ContainerSpec, request: CreateRequest, seen: Seen) -> Iterator[Fact]:
    yield from _layer(seen)
    yield from (_point(point, seen) for point in spec.points)
    for tmpfs in spec.tmpfs:
        yield Fact(
            "tmpfs", tmpfs.target, "memory", _PROCESS,
            f"--volume NAME:{tmpfs.target} in place of --tmpfs",
        )  # fmt: skip
    if spec.worlds.ipc not in ("host", "none"):
        yield Fact("shared memory", "/dev/shm", "memory", _PROCESS)  # noqa: S108
    yield Fact(
        "image's files", f"all that {spec.image} brings", "layers/, shared and read only",
        ("kept", "kept", "kept", "anew", "kept"), "docker tag keeps the old image's name",
    )  # fmt: skip
    yield from _told(spec, seen)
    yield from _reach(request)
    is_again = spec.restart_policy in _AGAIN
    yield Fact(
        "its running", "the program and its memory", "processes",
        ("lost", "anew", "lost", "anew", "anew" if is_again else "lost"),
        "" if is_again else "--restart unless-stopped",
    )  # fmt: skip


def _layer(seen: Seen) -> Iterator[Fact]:
    way_out = "--volume NAME:PATH before, or docker cp and docker commit now"
    for name in seen.names:
        yield Fact("written file", name, f"{seen.upper}{name}", _CONTAINER, way_out)
    if seen.more or not seen.names:
        what = f"{seen.more} more names" if seen.more else "nothing written yet"
        yield Fact("writable layer", what, seen.upper, _CONTAINER, way_out)


def _point(point: MountPoint, seen: Seen) -> Fact:
    if point.kind == "bind":
        return Fact("tree of the host", point.target, point.source, _HOST)
    if point.name in seen.in_memory:
        return Fact(
            "volume in memory", f"{point.target} ({point.name})", "memory",
            ("lost", "lost", "lost", "lost", "lost"), "docker volume create without --opt",
        )  # fmt: skip
    if point.is_unnamed:
        return Fact(
            "unnamed volume", point.target, point.source,
            ("kept", "kept", "left", "anew", "kept"),
            f"--volume NAME:{point.target}; now: docker run --volume {point.name}:/old",
        )  # fmt: skip
    return Fact("named volume", f"{point.target} ({point.name})", point.source, _HOST)


def _told(spec: ContainerSpec, seen: Seen) -> Iterator[Fact]:
    """Give what is known of it: settings, output, how it ended."""
    directory = spec.directory
    yield Fact(
        "settings", "variables, labels, limits, flags", f"{directory}/config.json",
        ("kept", "kept", "lost", "anew", "kept"), "a script or Compose file has the flags",
    )  # fmt: skip
    yield Fact(
        "name and id", f"{spec.name} {spec.id[:12]}", f"{directory}/config.json",
        ("kept", "kept", "lost", "anew", "kept"),
    )  # fmt: skip
    if spec.log_driver == JSON_FILE:
        yield Fact("output", "docker logs", seen.log, _CONTAINER, "docker logs NAME > FILE")
    else:
        yield Fact("output", f"log driver {spec.log_driver}", "nowhere", _PROCESS,
                   "--log-driver json-file")  # fmt: skip
    yield Fact(
        "exit code", "docker inspect", f"{directory}/config.json",
        ("kept", "lost", "lost", "lost", "kept"), "docker wait NAME",
    )  # fmt: skip


def _reach(request: CreateRequest) -> Iterator[Fact]:
    if request.network_mode in ("none", "host") or request.network_mode.startswith("con"):
        return
    given = [each.address for each in request.reach.endpoints if each.address]
    for address in given:
        yield Fact("address", address, "a lease of the network",
                   ("kept", "kept", "lost", "kept", "kept"))  # fmt: skip
    if not given:
        yield Fact(
            "address", "chosen by the network", "a lease of the network",
            ("lost", "anew", "lost", "anew", "anew"),
            "its name, which a network of one's own resolves; or --ip",
        )  # fmt: skip
    for binding in request.reach.published:
        for _, port in binding.hosts or ():
            is_given = bool(port) and port != "0"
            yield Fact(
                "published port", f"{port or 'any'} → {binding.port}", "rules of the host",
                ("lost", "kept", "lost", "kept", "kept") if is_given
                else ("lost", "anew", "lost", "anew", "anew"),
                "" if is_given else f"--publish PORT:{binding.port.partition('/')[0]}",
            )  # fmt: skip
