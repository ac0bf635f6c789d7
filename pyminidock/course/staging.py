"""What a level begins with: making it, and taking away what belongs to the level.

Whatever a level makes carries a label that names the level and the thing.  What is made
during the level under a name that the level asks for belongs to it as well.  Nothing else
is touched: where a name is taken by something else, the start is refused and says by what.
"""

import io
import json
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pyminidock.client.handles import Client
from pyminidock.client.packing import send_alone
from pyminidock.client.runbody import run_body
from pyminidock.client.transport import Refused
from pyminidock.course.lesson import Container, Image, Level, Network, Tag, Volume
from pyminidock.errors import MinidockError

LABEL = "org.pyminidock.level"


class LevelBlocked(MinidockError):
    """A name that the level needs belongs to something else."""

    status = 409


class StartFailed(MinidockError):
    """What a level begins with could not be made."""

    status = 500


def make(client: Client, level: Level) -> dict[str, str]:
    """Make everything that the level begins with; give the ids of its images by name.

    Raises StartFailed.
    """
    made: dict[str, str] = {}
    for step in level.start:
        match step:
            case Image():
                made[step.name] = _build(client, level, step)
            case Tag():
                client.images.tag(step.of, step.name)
            case Volume():
                _post(client, level, step.name, "/volumes/create", {"Name": step.name})
            case Network():
                _post(client, level, step.name, "/networks/create",
                      {"Name": step.name, "CheckDuplicate": True,
                       "Internal": step.is_internal})  # fmt: skip
            case Container():
                _run(client, level, step)
    return made


def _post(client: Client, level: Level, name: str, path: str, body: dict[str, Any]) -> None:
    labels = {LABEL: f"{level.id} {name}".rstrip()}
    reply = client.request("POST", path, body=body | {"Labels": labels})
    if reply.status >= 400:
        raise _failed(level, name, str(reply.json().get("message", "")))


def _build(client: Client, level: Level, image: Image) -> str:
    archive = io.BytesIO()
    send_alone(image.dockerfile.encode(), archive.write)
    labels = json.dumps({LABEL: f"{level.id} {image.name}"})
    query = {
        "t": [image.name],
        "labels": labels,
        "dockerfile": "Dockerfile",
        "version": "1",
    }
    id = ""
    for told in client.builds.build(query, [archive.getvalue()]):
        if "errorDetail" in told:
            raise _failed(level, image.name, str(told["errorDetail"].get("message", "")))
        if "aux" in told:
            id = str(told["aux"]["ID"])
    return id


def _run(client: Client, level: Level, container: Container) -> None:
    image, *words = container.words
    flags = {"network": "none", **container.flags}
    body = run_body(image, words or None, flags)
    body["Labels"] = {LABEL: f"{level.id} {container.name}"}
    body["OpenStdin"] = body["StdinOnce"] = False
    try:
        made = client.create(body, container.name)
        if container.is_started:
            client.start(made)
    except Refused as refusal:
        raise _failed(level, container.name, refusal.what) from refusal


def _failed(level: Level, name: str, what: str) -> StartFailed:
    return StartFailed(
        f"level {level.id} cannot begin: {name}: {what}",
        why="it begins with images and containers that the engine makes",
        try_next="minidock bootstrap busybox, then start the level again",
    )


# ── Taking away ──────────────────────────────────────────────────────────────────────────


def clear(  # noqa: PLR0912  (one loop per kind of thing)
    client: Client, level: Level, began: float, made: Mapping[str, str],
    named_since: Callable[[], Set[str]],
) -> None:  # fmt: skip
    """Remove what belongs to the level.  Raises LevelBlocked before anything is removed.

    `began` is when an earlier try began, in seconds since 1970, `made` are the ids of the
    images it started with, `named_since` asks which names images were given since then.
    """
    containers = _known_as(level, Container, level.containers)
    images = _known_as(level, (Image, Tag), level.images)
    places = (
        ("volume", _known_as(level, Volume, level.volumes), "/volumes/"),
        ("network", _known_as(level, Network, level.networks), "/networks/"),
    )
    doomed, untagged, paths = [], [], []
    for name in sorted(containers):
        told = _found(partial(client.inspect, name))
        if told and told["Name"] == f"/{name}":  # and not one whose id begins so
            its_own = _is_labelled(level, name, told["Config"])
            if not its_own and _moment(told["Created"]) < began:
                raise _blocked(
                    level, "container", name, f"minidock rename {name} my-{name}"
                )
            doomed.append(str(told["Id"]))
    ours = named_since() if images else set()
    for name in sorted(images):
        told = _found(partial(client.images.inspect, name))
        if told and _tagged(name) in (told["RepoTags"] or ()):
            if not _is_labelled(level, name, told["Config"]) and name not in ours:
                way = f"minidock tag {name} my-{name}; minidock rmi {name}"
                raise _blocked(level, "image", name, way)
            untagged.append(name)
    for kind, names, place in places:
        for name in sorted(names):
            told = _told(client, place + name)
            if told and told["Name"] == name:
                created = _moment(told.get("CreatedAt") or told["Created"])
                # Moments of volumes are whole seconds.
                if not _is_labelled(level, name, told) and created < began - 1:
                    raise _blocked(level, kind, name, f"minidock {kind} rm {name}")
                paths.append(place + name)
    for id in doomed:
        client.remove(id, force=True, volumes=True)
    for path in [*paths, *_nameless(client, level)]:
        with suppress(Refused):  # somebody's container has it: it is not only ours
            client.request("DELETE", path)
    for name in [*untagged, *made.values()]:
        with suppress(Refused):  # gone already, or somebody's container stands on it
            client.images.remove(name)


def _known_as(
    level: Level, kind: type | tuple[type, ...], given: tuple[str, ...]
) -> set[str]:
    """Give the names of a level's things of one kind: it makes some, others are made."""
    return {*given, *(step.name for step in level.start if isinstance(step, kind))} - {""}


def _tagged(name: str) -> str:
    """Give the whole name of an image.

    >>> _tagged("web"), _tagged("web:2")
    ('web:latest', 'web:2')
    """
    return name if ":" in name else f"{name}:latest"


def _nameless(client: Client, level: Level) -> list[str]:
    """Find the volumes without a name that the level made."""
    if not any(isinstance(step, Volume) and not step.name for step in level.start):
        return []
    told = client.request("GET", "/volumes").json()
    return [f"/volumes/{each['Name']}" for each in told["Volumes"] or ()
            if _is_labelled(level, "", each)]  # fmt: skip


def _told(client: Client, path: str) -> dict[str, Any]:
    """Give what the engine tells of a thing; nothing where there is no such thing."""
    reply = client.request("GET", path)
    return dict(reply.json()) if reply.status == 200 else {}


def _is_labelled(level: Level, name: str, config: Mapping[str, Any]) -> bool:
    """Whether a thing says that the level made it; what inherits the label does not."""
    return (config.get("Labels") or {}).get(LABEL) == f"{level.id} {name}".rstrip()


def _found(ask: Any) -> dict[str, Any]:
    """Give what inspect tells; nothing where there is no such thing."""
    with suppress(Refused):
        return dict(ask())
    return {}


def _moment(text: str) -> float:
    """Read a moment as Docker writes it, in seconds since 1970.

    >>> _moment("1970-01-01T00:00:01.500000001Z")
    1.5
    """
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _blocked(level: Level, kind: str, name: str, way: str) -> LevelBlocked:
    return LevelBlocked(
        f"level {level.id} needs the name {name}, and {kind} {name} is yours",
        why="a level removes only what it made, or what was made for it",
        try_next=f"{way}, then start the level again",
    )
