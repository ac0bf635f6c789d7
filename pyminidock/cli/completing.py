"""What a shell may offer for the next word: names of containers and images.

    minidock stop w<tab>     containers that run, for verbs that need them running
    minidock start w<tab>    those that do not
    minidock run b<tab>      images
    minidock network rm w<tab>

The usage of a verb says what its words are.  An engine is asked if one runs, and none is
started for a key that was pressed; whatever goes wrong, nothing is offered.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

# Loading a client costs time, and the verb that is completed may need none.
if TYPE_CHECKING:
    from pyminidock.client.handles import Client

_RUNNING = ("attach", "exec", "kill", "pause", "port", "restart", "stats", "stop", "top",
            "unpause")  # fmt: skip


_MANY = ("CONTAINER…", "IMAGE…", "NAME…", "[CONTAINER…", "NETWORK…")


def offered(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Give the names that the word which was begun may become."""
    from pyminidock.client.connect import connect  # noqa: PLC0415  (a shell waits)

    verb = context.command
    given: Sequence[str] = context.params.get("words") or ()
    usage = _usage(verb)
    if given and usage == "NETWORK CONTAINER":
        usage = "CONTAINER" if len(given) == 1 else ""
    elif given and not usage.startswith(_MANY):
        return []
    try:
        with connect(start=False) as client:
            names = list(_names(client, str(verb.name), usage))
    except Exception:
        return []
    return [name for name in names if name.startswith(begun)]


def _usage(verb: click.Command) -> str:
    return next((str(p.metavar or "") for p in verb.params if p.name == "words"), "")


def _names(client: "Client", verb: str, usage: str) -> Iterator[str]:
    """List what the first words of the usage stand for."""
    first = usage.split(" ", maxsplit=1)[0]
    if "CONTAINER" in first or first == "NAME…":
        filters = {"status": ["created", "exited"]} if verb == "start" else None
        is_all = verb not in _RUNNING
        ending = ":" if verb == "cp" else ""
        for told in client.containers(all=is_all, filters=filters):
            yield from (name.removeprefix("/") + ending for name in told["Names"])
    if first.startswith("NETWORK"):
        own = ("bridge", "host", "none")
        names = [str(told["Name"]) for told in client.networks.listed()]
        yield from (name for name in names if verb != "rm" or name not in own)
    if "IMAGE" in first or first in ("NAME…", "[NAME[:TAG]]"):
        for told in client.images.listed():
            for name in told["RepoTags"] or ():
                yield name.removesuffix(":latest")
                if name.endswith(":latest"):
                    yield name
