"""Links in the default network: a line in /etc/hosts, and variables that tell too much.

    --link db:store     192.0.2.2  store 51c4… db        as long as the container runs
                        STORE_PORT=tcp://…, STORE_ENV_…  as it was at the start

On networks that somebody made a link is one more word for the name server, and this is not
needed.  Who is linked has to run when the other one starts.

Source: moby, daemon/container_operations_unix.go, setupLinkedContainers().
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from pyminidock.container.netmode import network_of
from pyminidock.container.spec import ContainerSpec
from pyminidock.engine import etcfiles
from pyminidock.engine.house import House, Kept
from pyminidock.errors import MinidockError
from pyminidock.network.hosts import Linked, relinked
from pyminidock.network.linkvars import link_variables
from pyminidock.network.objects import BRIDGE, PREDEFINED

_GIVEN = ("PATH=", "HOSTNAME=", "TERM=")  # what stands in front of all variables


class LinkedDoesNotRun(MinidockError):
    """A container is linked to one that does not run, so nobody knows where it is."""

    status = 500


def links_of(kept: Kept) -> Iterator[tuple[str, str]]:
    """Give the links of a container: the other's name as it was typed, and the alias.

    >>> from types import SimpleNamespace as S
    >>> asked = S(request=S(reach=S(links=("db:store", "/cache"))))
    >>> list(links_of(asked))
    [('db', 'store'), ('cache', 'cache')]
    """
    for link in kept.request.reach.links:
        name, _, alias = link.lstrip("/").partition(":")
        yield name, alias or name


def linked(house: House, kept: Kept) -> tuple[Linked, ...]:
    """Find those to whom a container is linked and who run."""
    found = []
    for name, alias in links_of(kept):
        with suppress(MinidockError):
            other = house.life(name)
            for each in house.networks.of_container(other.id):
                if each.network == BRIDGE and each.address:
                    found.append(Linked(each.address, alias, other.id, other.name))
    return tuple(found)


def follow(house: House, container: str) -> None:
    """Tell those who run and are linked to a container where it is now."""
    for life in house.lives():
        kept = house.kept(life.id)
        if kept.request.reach.links and life.is_running and life.id != container:
            for one in linked(house, kept):
                if one.id == container:
                    directory = Path(kept.spec.directory)
                    etcfiles.change(directory, "hosts", partial(_relinked, one))


def _relinked(one: Linked, text: str) -> str:
    return relinked(text, one)


def told(house: House, kept: Kept, spec: ContainerSpec) -> ContainerSpec:
    """Tell a container that starts what its links know.  Raises LinkedDoesNotRun."""
    wanted = tuple(links_of(kept)) if spec.network_mode == BRIDGE else ()
    if not wanted:
        return replace(spec, link_variables=()) if spec.link_variables else spec
    found = {each.alias: each for each in linked(house, kept)}
    variables: list[str] = []
    for name, alias in wanted:
        if alias not in found:
            raise LinkedDoesNotRun(
                f"Cannot link to a non running container: /{name} AS /{kept.name}/{alias}",
                why="a link tells where the other container is, and it is nowhere yet",
                try_next=f"minidock start {name}", lesson="names",
            )  # fmt: skip
        other = house.kept(found[alias].id)
        reach = other.request.reach
        ports = {
            *reach.exposed, *other.defaults.exposed_ports,
            *(each.port for each in reach.published),
        }  # fmt: skip
        variables += link_variables(
            kept.name, alias, found[alias].address, ports, other.spec.given_environment
        )
    own = {each.partition("=")[0] for each in spec.environment}
    variables = [each for each in variables if each.partition("=")[0] not in own]
    first = sum(each.startswith(_GIVEN) for each in spec.environment[: len(_GIVEN)])
    environment = (*spec.environment[:first], *variables, *spec.environment[first:])
    return replace(spec, environment=environment, link_variables=tuple(variables))


def shown(house: House, kept: Kept) -> list[str] | None:
    """Spell the links of a container as inspect does; None where there are none."""
    if network_of(kept.request) not in PREDEFINED:
        return None  # its links belong to its place in the network
    return [f"/{_name(house, name)}:/{kept.name}/{alias}"
            for name, alias in links_of(kept)] or None  # fmt: skip


def _name(house: House, reference: str) -> str:
    with suppress(MinidockError):
        return house.life(reference).name
    return reference
