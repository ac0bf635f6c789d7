"""All containers, a row each, narrowed down by filters: what `docker ps` shows.

    label, is-task           must fit in every value that was given
    all other filters        must fit in one of them
    status, limit            speak of all containers, not only of those that run
    before, since            stand relative to another container, by its moment of birth

Source: Docker Engine API v1.45, ContainerList; moby, daemon/list.go; measured with dockerd
26.1.5.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyminidock.container.netmode import network_of
from pyminidock.container.states import State
from pyminidock.engine import images, linking
from pyminidock.engine.document import Document
from pyminidock.engine.endpoints import networks
from pyminidock.engine.filters import FilterRefused, Filters
from pyminidock.engine.house import House, Kept
from pyminidock.engine.inspect import exit_code, health_status, labels, mounts, sizes
from pyminidock.engine.lives import Life
from pyminidock.errors import MinidockError
from pyminidock.network.ports import rows as port_rows
from pyminidock.network.ports import single
from pyminidock.store.images import NoSuchImage

FILTERS = ("ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation",
           "label", "name", "network", "publish", "since", "status", "volume")  # fmt: skip
_STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
_HEALTH_WORDS = {
    "starting": " (health: starting)", "healthy": " (healthy)",
    "unhealthy": " (unhealthy)", "none": "",
}  # fmt: skip


class ValueRefused(FilterRefused):
    """A value of a filter cannot be read; Docker counts this as a failure of its own."""

    status = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is narrowed down by, next to the filters."""

    everything: bool = False
    size: bool = False
    limit: int = 0  # at most so many, of all; 0 and less: no limit


def list_(
    house: House, asked: Asked | None = None, said: Mapping[str, Any] | None = None
) -> list[Document]:
    """List the containers that run, or all of them, youngest first.

    Raises FilterRefused, NoSuchContainer.
    """
    asked, filters = asked or Asked(), Filters(said or {}, FILTERS)
    fits = _tests(house, filters)
    shows_all = asked.everything or asked.limit > 0 or filters.values("status") != ()
    rows, called = [], linking.names(house)
    for life in reversed(house.lives()):
        try:
            kept = house.kept(life.id)
        except MinidockError:  # removed meanwhile
            continue
        if not (shows_all or life.is_running):
            continue
        if all(test(kept, life) for test in fits):
            row = _row(house, kept, life, has_size=asked.size)
            row["Names"] = sorted((f"/{kept.name}", *called.get(kept.id, ())))
            rows.append(row)
            if len(rows) == asked.limit:
                break
    return rows


def _row(house: House, kept: Kept, life: Life, *, has_size: bool) -> Document:
    path, *arguments = kept.spec.argv[2:] if kept.spec.init else kept.spec.argv
    size = sizes(house, kept) if has_size else {}
    if not size.get("SizeRw"):
        size.pop("SizeRw", None)
    return {
        "Id": kept.id,
        "Names": [],  # whoever lists it knows who else calls it what
        "Image": _image(house, kept),
        "ImageID": kept.image,
        "Command": " ".join((path, *map(_quoted, arguments))),
        "Created": int(kept.created),
        "Ports": _port_rows(kept, life),
        **size,
        "Labels": labels(kept),
        "State": life.state.value,
        "Status": _status(kept, life, house.kernel.wall()),
        "HostConfig": {"NetworkMode": network_of(kept.request)},
        "NetworkSettings": {"Networks": networks(kept, life)},
        "Mounts": mounts(kept),
    }


def _port_rows(kept: Kept, life: Life) -> list[dict[str, Any]]:
    """Tell the ports of a container that runs; it has none before and after."""
    return port_rows(kept.ports, kept.offers) if life.is_running else []


def _quoted(word: str) -> str:
    """Put a word with a blank into quotes, whatever else is in it, as Docker does."""
    return f"'{word}'" if " " in word else word


def _image(house: House, kept: Kept) -> str:
    """Name the image as it was asked for, while that name still means the same one."""
    try:
        found = images.row_of(house, kept.spec.image)
    except MinidockError:
        return kept.image
    return kept.spec.image if found.id == kept.image else kept.image


# ── Filters ──────────────────────────────────────────────────────────────────────────────

Test = Callable[[Kept, Life], bool]


def _tests(house: House, filters: Filters) -> list[Test]:
    """Make one test of each filter that was given.  Raises FilterRefused."""
    tests = []
    for name, make in _MAKERS.items():
        if values := filters.values(name):
            tests.append(make(house, filters, values))
    return tests


def _by_state(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    for value in values:
        if value not in _STATES:
            raise filters.refused(f"invalid filter 'status={value[:80]}'")
    return lambda kept, life: life.state.value in values


def _by_exit(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    for value in values:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            raise filters.refused(
                f"invalid filter 'exited={value[:80]}': strconv.Atoi: parsing "
                f'"{value[:80]}": invalid syntax'
            )
    codes = {int(value) for value in values}
    return lambda kept, life: (
        not life.is_running and bool(kept.started) and exit_code(kept, life) in codes
    )


def _by_health(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    for value in values:
        if value not in _HEALTH_WORDS:
            raise filters.refused(f"unrecognized filter value for health: {value[:80]}")
    return lambda kept, life: health_status(life) in values


def _by_name(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    """A name fits a pattern, with or without the slash that Docker puts before it."""
    patterns = []
    for value in values:
        try:
            patterns.append(re.compile(value[:256]))
        except re.error:
            continue
    return lambda kept, life: any(
        each.search(name) for each in patterns for name in (kept.name, f"/{kept.name}")
    )


def _by_id(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    return lambda kept, life: any(value and kept.id.startswith(value) for value in values)


def _by_label(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    return lambda kept, life: filters.allows(tuple(labels(kept).items()), 0, 0.0)


def _by_ancestor(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    """The image, or one that it was built upon, is one of these."""
    wanted = set()
    for value in values:
        try:
            wanted.add(images.row_of(house, value).id)
        except MinidockError:
            continue
    return lambda kept, life: not wanted.isdisjoint(_lineage(house, kept.image))


def _lineage(house: House, image: str) -> set[str]:
    """Name an image and those above which a build made it."""
    found: set[str] = set()
    while image and image not in found:
        found.add(image)
        try:
            image = house.store.images.get(image).parent
        except NoSuchImage:
            break
    return found


def _by_age(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    before = [_moment(house, value) for value in filters.values("before")]
    since = [_moment(house, value) for value in filters.values("since")]
    return lambda kept, life: (
        all((kept.created, kept.id) < each for each in before[:1])
        and all((kept.created, kept.id) > each for each in since[:1])
    )


def _moment(house: House, reference: str) -> tuple[float, str]:
    kept = house.kept(house.life(reference).id)
    return kept.created, kept.id


def _by_network(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    return lambda kept, life: any(
        value in (each["NetworkID"], name)
        for name, each in networks(kept).items()
        for value in values
    )


def _by_volume(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    return lambda kept, life: any(
        value in (row.get("Name"), row["Source"], row["Destination"])
        for row in mounts(kept)
        for value in values
    )


def _by_task(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    """Nothing here is a task of a swarm."""
    wanted = filters.flag("is-task")
    return lambda kept, life: not wanted


def _by_port(house: House, filters: Filters, values: tuple[str, ...]) -> Test:
    """Look at the ports of those who run: inside (expose), or on the host (publish)."""
    wanted = {
        name: {
            port for value in filters.values(name) for port in _ports_of(name, value)
        } for name in ("expose", "publish") if filters.values(name)
    }  # fmt: skip

    def fits(kept: Kept, life: Life) -> bool:
        told = _port_rows(kept, life)
        has = {
            "expose": {f"{row['PrivatePort']}/{row['Type']}" for row in told},
            "publish": {f"{row['PublicPort']}/{row['Type']}" for row in told
                        if "PublicPort" in row},
        }  # fmt: skip
        return all(ports & has[name] for name, ports in wanted.items())

    return fits


def _ports_of(name: str, value: str) -> list[str]:
    for number in value.partition("/")[0].split("-", 1):
        _check_port(name, value, number)
    return single(value)


def _check_port(name: str, value: str, number: str) -> None:
    if re.fullmatch(r"[0-9]{1,5}", number) and int(number) < 1 << 16:
        return
    raise ValueRefused(
        f"error while looking up for {name} {value[:80]}: strconv.ParseUint: parsing "
        f'"{number[:80]}": invalid syntax',
        why="a port is a number up to 65535, or two of them with a dash",
        try_next=f"docker ps --filter {name}=80/tcp",
        lesson="ports",
    )


_MAKERS: dict[str, Callable[[House, Filters, tuple[str, ...]], Test]] = {
    "status": _by_state, "exited": _by_exit, "health": _by_health, "is-task": _by_task,
    "name": _by_name, "id": _by_id, "label": _by_label, "ancestor": _by_ancestor,
    "before": _by_age, "since": _by_age, "network": _by_network, "volume": _by_volume,
    "expose": _by_port, "publish": _by_port,
}  # fmt: skip


# ── Words for people ─────────────────────────────────────────────────────────────────────


def _status(kept: Kept, life: Life, now: float) -> str:
    """Word a state for the table that people read."""
    up = f"Up {duration(now - kept.started)}"
    finished = (life.exit and life.exit.finished) or kept.finished
    ago = f"({exit_code(kept, life)}) {duration(now - finished)} ago"
    match life.state:
        case State.RUNNING:
            return up + _HEALTH_WORDS[health_status(life)]
        case State.PAUSED:
            return f"{up} (Paused)"
        case State.RESTARTING:
            return f"Restarting {ago}"
        case State.EXITED:
            return f"Exited {ago}"
        case State.REMOVING:
            return "Removal In Progress"
        case _:
            return str(life.state.value).capitalize()


def duration(seconds: float) -> str:
    """Word a time span as Docker's tables do.

    Source: docker/go-units, HumanDuration().

    >>> [duration(s) for s in (0.2, 1, 59, 61, 150, 3600, 9000, 200_000, 9e6)]
    ['Less than a second', '1 second', '59 seconds', 'About a minute', '2 minutes', \
'About an hour', '2 hours', '2 days', '3 months']
    """
    whole = int(seconds)
    if whole < 60:
        words = "1 second" if whole == 1 else f"{whole} seconds"
        return words if whole > 0 else "Less than a second"
    if whole < 3600:
        return "About a minute" if whole < 120 else f"{whole // 60} minutes"
    hours = round(whole / 3600 - 1e-9) if whole % 3600 >= 1800 else whole // 3600
    if hours < 48:
        return "About an hour" if hours == 1 else f"{whole // 3600} hours"
    days = whole // 86_400
    if days < 14:
        return f"{days} days"
    if days < 60:
        return f"{days // 7} weeks"
    return f"{days // 30} months" if days < 730 else f"{days // 365} years"
