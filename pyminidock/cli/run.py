"""`minidock run`: a new container that has our streams and ends with our exit code.

    create ─► attach ─► wait ─► start ─► converse ─► exit code
       │         │        │
       │         │        asked before the start, or a short program is over too soon
       │         before the start, or its first words are lost
       errors before this line leave nothing behind

Our output is the program's output and nothing else: bytes, its two streams apart.
Source: docker/cli, cli/command/container/run.go.
"""

import os
import signal
from collections.abc import Collection
from typing import Any

import click

from pyminidock.cli.cidfile import cid_file
from pyminidock.cli.containers import each, meant
from pyminidock.cli.createbody import create_body
from pyminidock.cli.detach import DEFAULT, parse_keys
from pyminidock.cli.failures import ERROR, WordsRefused, start_exit_code, tell
from pyminidock.cli.flags import container_flags
from pyminidock.cli.readflags import Body, Given
from pyminidock.cli.terminal import (
    Courier,
    check_keyboard,
    converse,
    proxied,
    raw,
    size,
)
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client, Waiting
from pyminidock.client.transport import Refused
from pyminidock.errors import MinidockError

STREAMS = ("stdin", "stdout", "stderr")


def run(words: tuple[str, ...], **given: Any) -> int:
    """Run a program in a new container; give its exit code, or Docker's 125, 126, 127."""
    is_detached = bool(given["detach"])
    body = create_body(given, words, os.environ, is_detached=is_detached)
    keys = parse_keys(str(given["detach_keys"]))
    if not is_detached:
        check_keyboard(reads=body["OpenStdin"], has_terminal=body["Tty"])
    try:
        with connect() as client:
            container = make(client, body, given)
            streams = {name for name in STREAMS if body[f"Attach{name.capitalize()}"]}
            if is_detached or not streams:
                client.start(container)
                click.echo(container)
                return 0
            return accompany(
                client, container, body, keys, proxies=given["sig_proxy"],
                streams=streams, typed_keys=given["detach_keys"],
            )  # fmt: skip
    except MinidockError as refusal:
        tell(refusal)
        return start_exit_code(refusal.what)


def create(words: tuple[str, ...], **given: Any) -> int:
    """Make a container without starting it; print its id."""
    body = create_body(given, words, os.environ)
    with connect() as client:
        click.echo(make(client, body, given))
    return 0


def make(client: Client, body: Body, given: Given) -> str:
    """Create a container, say what the engine warns of, and give its id."""
    if given["pull"] == "always":
        client.system.pull(body["Image"], given["platform"] or "")
    with cid_file(given["cidfile"]) as keep:
        made = client.created(body, given["name"] or "", given["platform"] or "")
        keep(str(made["Id"]))
    for warning in made.get("Warnings") or ():
        click.echo(f"WARNING: {warning}", err=True)
    return str(made["Id"])


def accompany(  # noqa: PLR0913  (whose streams, which, and how to leave)
    client: Client, container: str, body: Body, keys: bytes, *, proxies: bool = True,
    streams: Collection[str] = STREAMS, typed_keys: str = "",
) -> int:  # fmt: skip
    """Start a container, be its terminal, and give its exit code; 0 if we detached."""
    has_terminal = bool(body["Tty"])
    reads = bool(body["OpenStdin"]) and "stdin" in streams
    courier = carrier(client, container, has_terminal=has_terminal, proxies=proxies)
    asked = stream_query(streams, reads=reads, keys=typed_keys)
    with client.life.attach(container, asked) as attached:
        removes = body["HostConfig"]["AutoRemove"]
        waiting = client.waiting(container, "removed" if removes else "next-exit")
        client.start(container)
        courier.begin()
        with raw(wanted=has_terminal and reads):
            stayed = converse(
                attached, reads=reads, keys=keys if has_terminal and reads else b""
            )
    return waiting.result() if stayed else _left(waiting)


def _left(waiting: Waiting) -> int:
    waiting.close()
    return 0


def stream_query(
    streams: Collection[str], *, reads: bool, keys: str = ""
) -> dict[str, str]:
    """Say which streams are wanted."""
    wanted = {name: str(int(name in streams)) for name in ("stdout", "stderr")}
    query = {"stream": "1", "stdin": str(int(reads)), **wanted}
    return query | ({"detachKeys": keys} if keys else {})


def carrier(
    client: Client, container: str, *, has_terminal: bool, proxies: bool
) -> Courier:
    """Carry our signals to the program, or the changes of our window to its terminal."""

    def deliver(number: signal.Signals) -> None:
        if number == signal.SIGWINCH:
            client.resize(container, *size())
        else:
            client.kill(container, number.name.removeprefix("SIG"))

    if has_terminal:
        return Courier(deliver, {signal.SIGWINCH})
    return Courier(deliver, proxied() if proxies else set())


def start(words: tuple[str, ...], **given: Any) -> int:
    """Start containers that exist; with -a or -i, one, with our streams."""
    if given["checkpoint"]:
        raise WordsRefused(
            "checkpoints are not kept here", why="what a process is, only it knows",
            try_next=f"minidock start {words[0]}", exit_code=ERROR,
        )  # fmt: skip
    if given["attach"] or given["interactive"]:
        if len(words) > 1:
            raise WordsRefused(
                "you cannot start and attach multiple containers at once",
                why="there is one terminal", try_next=f"minidock start -a {words[0]}",
                exit_code=ERROR,
            )  # fmt: skip
        return _start_attached(words[0], given)
    return each(words, lambda client, name: client.start(name))


def _start_attached(name: str, given: Given) -> int:
    keys = parse_keys(str(given["detach_keys"]))
    with connect() as client:
        try:
            told = client.inspect(name)
            reads = bool(given["interactive"] and told["Config"].get("OpenStdin"))
            body: Body = {
                "Tty": told["Config"].get("Tty"),
                "OpenStdin": reads,
                "HostConfig": {"AutoRemove": told["HostConfig"].get("AutoRemove")},
            }
            check_keyboard(reads=reads, has_terminal=body["Tty"])
            return accompany(
                client, told["Id"], body, keys, typed_keys=given["detach_keys"]
            )
        except Refused as refusal:
            tell(meant(client, name, refusal))
            return start_exit_code(refusal.what) if refusal.status != 404 else ERROR


STREAM_FLAGS = (
    text("--detach-keys", help="what to type to leave", metavar="KEYS", default=DEFAULT),
    switch(
        "--sig-proxy/--no-sig-proxy", help="signals to us are the program's", default=True
    ),
)

RUN = Verb(
    "run",
    run,
    help="Run a program in a new container.",
    params=[
        switch("--detach", "-d", help="leave it alone; print its id"),
        *STREAM_FLAGS,
        *container_flags(),
    ],
    usage="IMAGE [COMMAND]…",
    least=1,
    is_open=False,
    instead="--from",
)
CREATE = Verb(
    "create",
    create,
    help="Make a container without starting it.",
    params=container_flags(),
    usage="IMAGE [COMMAND]…",
    least=1,
    is_open=False,
    instead="--from",
)
START = Verb(
    "start",
    start,
    help="Start containers that exist.",
    params=[
        switch("--attach", "-a", help="with our output"),
        switch("--interactive", "-i", help="with our input"),
        text("--checkpoint", help="as Docker has it; none are kept here", metavar="NAME"),
        text("--checkpoint-dir", help="as Docker has it", metavar="DIR"),
        *STREAM_FLAGS,
    ],
    usage="CONTAINER…",
    least=1,
)
