"""`minidock attach`: our streams become those of a container that runs.

Without a terminal inside, signals sent to us are the program's; with one, keys travel, and
those that detach leave it running.  The exit code is that of the container.

Source: docker/cli, cli/command/container/attach.go.
"""

from typing import Any

from pyminidock.cli.containers import meant
from pyminidock.cli.detach import left, parse_keys
from pyminidock.cli.failures import ERROR, WordsRefused, tell
from pyminidock.cli.run import STREAM_FLAGS, STREAMS, carrier, stream_query
from pyminidock.cli.terminal import check_keyboard, converse, raw, size
from pyminidock.cli.words import Verb, switch
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused

_STATES = (
    ("Paused", "a paused container, unpause it first", "unpause"),
    ("Restarting", "a restarting container, wait until it is running", "wait"),
)


def attach(words: tuple[str, ...], **given: Any) -> int:
    """Be the terminal of a container that runs; give its exit code, or 1 if we detached."""
    keys = parse_keys(given["detach_keys"])
    with connect() as client:
        try:
            told = client.inspect(words[0])
        except Refused as refusal:
            tell(meant(client, words[0], refusal))
            return ERROR
        _check(told["State"], words[0])
        has_terminal = bool(told["Config"]["Tty"])
        reads = bool(not given["no_stdin"] and told["Config"]["OpenStdin"])
        check_keyboard(reads=reads, has_terminal=has_terminal)
        waiting = client.waiting(told["Id"], "next-exit")
        courier = carrier(
            client, told["Id"], has_terminal=has_terminal, proxies=given["sig_proxy"]
        )
        query = stream_query(STREAMS, reads=reads, keys=given["detach_keys"])
        with client.life.attach(told["Id"], query) as attached:
            courier.begin()
            if has_terminal:
                _redraw(client, told["Id"])
            with raw(wanted=has_terminal and reads):
                stayed = converse(
                    attached, reads=reads, keys=keys if has_terminal and reads else b""
                )
        if not stayed:
            waiting.close()
            raise left()
        return waiting.result()


def _check(state: dict[str, Any], name: str) -> None:
    """Refuse what has no streams now."""
    what, verb = "", ""
    if not state["Running"]:
        what, verb = "a stopped container, start it first", "start"
    for field, words, way in _STATES:
        if state.get(field):
            what, verb = words, way
    if what:
        raise WordsRefused(
            f"You cannot attach to {what}", why="nothing would come from it",
            try_next=f"minidock {verb} {name}", exit_code=ERROR,
        )  # fmt: skip


def _redraw(client: Client, container: str) -> None:
    """Make a program with a screen draw it: change its size, and change it back."""
    rows, columns = size()
    if rows:
        client.resize(container, rows + 1, columns + 1)
        client.resize(container, rows, columns)


ATTACH = Verb(
    "attach", attach, help="Be the terminal of a container that runs.",
    params=[switch("--no-stdin", help="without our input"), *STREAM_FLAGS],
    usage="CONTAINER", least=1, most=1,
)  # fmt: skip
