"""Links in the default network: a line in /etc/hosts, and variables that tell too much.

    --link db:store     192.0.2.2  store 51c4… db        as long as the container runs
                        STORE_PORT=tcp://…, STORE_ENV_…  as it was at the start

Whom web calls db has the name web/db, too, until that link is removed.

On networks that somebody made a link is one more word for the name server, and this is not
needed.  Who is linked has to run when the other one starts.

Source: moby, daemon/container_operations_unix.go, setupLinkedContainers().
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from pyminidock.container.netmode import network_of
from pyminidock.container.spec import ContainerSpec
from pyminidock.engine import etcfiles
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.errors import MinidockError
from pyminidock.network.hosts import Linked, relinked, unlinked
from pyminidock.network.linkvars import link_variables
from pyminidock.network.objects import BRIDGE, PREDEFINED

_GIVEN = ("PATH=", "HOSTNAME=", "TERM=")  # what stands in front of all variables


class LinkKept(MinidockError):
    """The name that a container was given goes with the container alone."""


class LinkedDoesNotRun(MinidockError):
    """A container is linked to one that does not run, so nobody knows where it is."""

    status = 500


def linked(house: House, kept: Kept) -> tuple[Linked, ...]:
    """Find those to whom a container is linked and who run."""
    found = []
    for name, alias in kept.request.reach.linked:
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
    wanted = kept.request.reach.linked if spec.network_mode == BRIDGE else ()
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
            for name, alias in kept.request.reach.linked] or None  # fmt: skip


def names(house: House) -> dict[str, tuple[str, ...]]:
    """Give those to whom somebody is linked, by id, each with the names that this makes."""
    found: dict[str, tuple[str, ...]] = {}
    for life in house.lives():
        with suppress(MinidockError):  # removed meanwhile
            kept = house.kept(life.id)
            for spelt in (kept.request.reach.links and shown(house, kept)) or ():
                other, _, name = spelt.partition(":")
                with suppress(MinidockError):
                    other = house.life(other).id
                    found[other] = (*found.get(other, ()), name)
    return found


def renamed(house: House, before: str, after: str) -> None:
    """Let the links of others lead to a container by its new name."""
    for life in house.lives():
        reach = house.kept(life.id).request.reach
        if any(name == before for name, _ in reach.linked):
            links = tuple(
                f"{after if name == before else name}:{alias}"
                for name, alias in reach.linked
            )
            _amend(house, life, links)


def _amend(house: House, life: Life, links: tuple[str, ...]) -> None:
    request = house.kept(life.id).request
    house.amend(life, request=replace(request, reach=replace(request.reach, links=links)))


def unlink(house: House, reference: str, *, via: Via = NOBODY) -> None:
    """Take the name `web/db` from whom it means; both containers stay.

    Who runs forgets the line in its hosts at once, and the variables at its next start.
    Raises NoSuchContainer, LinkKept.
    """
    life = house.life(reference)
    web, _, alias = reference.removeprefix("/").rpartition("/")
    if not web:
        raise LinkKept(
            "Conflict, cannot remove the default link name of the container",
            why="a link is a name besides the first one, which goes with the container",
            try_next=f"minidock rm {reference}",
            lesson="lifecycle",
        )
    asker = house.life(web)
    with operation(house, asker.story, "unlink", via) as voice, asker.only("unlink", voice):
        kept = house.kept(asker.id)
        spelt = (f"{name}:{called}" for name, called in kept.request.reach.linked)
        _amend(house, asker, tuple(each for each in spelt if _alias(each) != alias))
        if asker.is_running:
            directory = Path(kept.spec.directory)
            etcfiles.change(directory, "hosts", partial(_unlinked, alias, life.id))


def _unlinked(alias: str, container: str, text: str) -> str:
    return unlinked(text, alias, container)


def _alias(link: str) -> str:
    return link.partition(":")[2]


def _name(house: House, reference: str) -> str:
    with suppress(MinidockError):
        return house.life(reference).name
    return reference
