"""`minidock inspect`: everything about containers and images, as the API tells it.

One JSON list of all that was named, or what a template makes of each.

Source: docker/cli, cli/command/system/inspect.go and cli/command/inspect/inspector.go.
"""

import json
import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import click

from pyminidock.cli.containers import each
from pyminidock.cli.failures import ERROR, WordsRefused, tell
from pyminidock.cli.words import Verb, closest, switch, text, typed
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused

Look = Callable[[Client, str], dict[str, Any]]
_LATER = ("config", "node", "plugin", "secret", "service", "task")


def inspect(
    words: tuple[str, ...], *, format: str | None, type: str | None, size: bool
) -> int:
    """Tell everything about containers and images."""
    looks: dict[str | None, Look] = {
        None: lambda client, name: _either(client, name, size=size),
        "container": lambda client, name: client.inspect(name, size=size),
        "image": lambda client, name: client.images.inspect(name),
        "network": lambda client, name: client.networks.inspect(name),
        "volume": lambda client, name: client.volumes.inspect(name),
    }
    if type not in looks:
        is_known = type in _LATER
        raise WordsRefused(
            f"{type}s are not here yet" if is_known
            else f'"{type}" is not a valid value for --type',
            why="what can be looked at is a container, an image, a network or a volume",
            try_next=shlex.join(["minidock", "inspect", *words]),
            exit_code=ERROR,
        )  # fmt: skip
    return looked_at(words, format, looks[type])


def inspect_container(words: tuple[str, ...], *, format: str | None, size: bool) -> int:
    """Tell everything about containers."""
    return looked_at(words, format, lambda client, name: client.inspect(name, size=size))


def _either(client: Client, name: str, *, size: bool) -> dict[str, Any]:
    """Look at a container of this name, or else at an image."""
    try:
        return client.inspect(name, size=size)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        for look in (
            client.images.inspect,
            client.networks.inspect,
            client.volumes.inspect,
        ):
            with suppress(Refused):
                return look(name)
        raise _absent(client, name) from None


def _absent(client: Client, name: str) -> WordsRefused:
    """Say that nothing has this name, and which one was likely meant."""
    known = [each.removeprefix("/") for told in client.containers(all=True)
             for each in told["Names"]]  # fmt: skip
    known += [name for told in client.images.listed() for name in told["RepoTags"] or ()]
    better = closest(name, known)
    line = shlex.join(better if word == name else word for word in typed())
    return WordsRefused(
        f"Error: No such object: {name}",
        why="no container has this name or an id that begins so, and nothing else",
        try_next=line if better else "minidock ps --all",
        exit_code=ERROR,
    )


def looked_at(names: Sequence[str], template: str | None, look: Look) -> int:
    """Print what `look` gives for each name."""
    found: list[Any] = []
    is_json = template == "json"
    write = _shower(template) if template and not is_json else None
    code = each(
        names, lambda client, name: found.append(look(client, name)), is_silent=True
    )
    if write is None:
        form: dict[str, Any] = {"separators": (",", ":")} if is_json else {"indent": 4}
        click.echo(json.dumps(found, ensure_ascii=False, **form))
        return code
    shown, refusals = [], []
    for told in found:
        try:
            shown.append(write(told))
        except WordsRefused as refusal:
            refusals.append(refusal)
    click.echo("\n".join(shown))
    for fault in refusals:
        tell(fault)
    return ERROR if refusals else code


def _shower(template: str) -> Callable[[dict[str, Any]], str]:
    """Give what writes a document as the template says.  Raises WordsRefused."""
    from pyminidock.cli.documents import as_struct  # noqa: PLC0415  (see tables.show)
    from pyminidock.cli.format import document_shower  # noqa: PLC0415  (as above)

    write = document_shower(template)
    return lambda told: write(as_struct(told), told)


FORMAT = text("--format", "-f", help="json, or a template", metavar="TEMPLATE")
_SIZE = switch("--size", "-s", help="and how large a container is")
INSPECT = Verb(
    "inspect", inspect, help="Tell everything about containers or images.",
    params=[FORMAT, _SIZE, text("--type", help="container or image", metavar="TYPE")],
    usage="NAME…", least=1,
)  # fmt: skip
INSPECT_CONTAINER = Verb(
    "inspect", inspect_container, help="Tell everything about containers.",
    params=[FORMAT, _SIZE], usage="CONTAINER…", least=1,
)  # fmt: skip
