"""`minidock exec`: a second process inside a container that runs.

It enters the namespaces of the first one, and has that one's limits, filter and view of
files.  Its exit code is ours; 126 if it could not be started.
Source: docker/cli, cli/command/container/exec.go.
"""

import os
import signal

from pyminidock.cli.containers import meant
from pyminidock.cli.detach import DEFAULT, left, parse_keys
from pyminidock.cli.failures import ERROR, NOT_EXECUTABLE, tell
from pyminidock.cli.flags import process_flags
from pyminidock.cli.readflags import Body, Given, environment
from pyminidock.cli.terminal import Courier, check_keyboard, converse, raw, size
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused


def exec_(words: tuple[str, ...], **given: object) -> int:
    """Run a program in a container that runs; give its exit code."""
    body = exec_body(given, words[1:])
    keys = parse_keys(str(given["detach_keys"]))
    if not given["detach"]:
        check_keyboard(reads=body["AttachStdin"], has_terminal=body["Tty"])
    with connect() as client:
        failed = ERROR
        try:
            identifier = client.exec_create(words[0], body)
            failed = NOT_EXECUTABLE
            if given["detach"]:
                client.exec_start_detached(identifier)
                return 0
            return _accompany(client, identifier, body, keys)
        except Refused as refusal:
            tell(meant(client, words[0], refusal))
            return failed


def exec_body(given: Given, command: tuple[str, ...]) -> Body:
    """Make the body of an exec call."""
    is_attached = not given["detach"]
    return {
        "Cmd": list(command),
        "Env": environment(given, os.environ),
        "User": given["user"] or "",
        "WorkingDir": given["workdir"] or "",
        "Privileged": given["privileged"],
        "Tty": given["tty"],
        "AttachStdin": given["interactive"] and is_attached,
        "AttachStdout": is_attached,
        "AttachStderr": is_attached,
        "ConsoleSize": list(size()) if given["tty"] else None,
    }


def _accompany(client: Client, identifier: str, body: Body, keys: bytes) -> int:
    """Start the process, be its terminal, and give its exit code.

    Raises WordsRefused when it was left.
    """
    has_terminal, reads = bool(body["Tty"]), bool(body["AttachStdin"])

    def deliver(_: signal.Signals) -> None:
        client.exec_resize(identifier, *size())

    courier = Courier(deliver, {signal.SIGWINCH} if has_terminal else set())
    with client.exec_start(identifier, tty=has_terminal, refuses=True) as attached:
        courier.begin()
        with raw(wanted=has_terminal and reads):
            stayed = converse(
                attached, reads=reads, keys=keys if has_terminal and reads else b""
            )
    if not stayed:
        raise left()
    code = client.exec_inspect(identifier)["ExitCode"]
    return ERROR if code is None else int(code)


EXEC = Verb(
    "exec",
    exec_,
    help="Run a program in a container that runs.",
    params=[
        switch("--detach", "-d", help="leave it alone"),
        text(
            "--detach-keys", help="what to type to leave", metavar="KEYS", default=DEFAULT
        ),
        switch("--privileged", help="all capabilities"),
        *process_flags(),
    ],
    usage="CONTAINER COMMAND…",
    least=2,
    is_open=False,
)
