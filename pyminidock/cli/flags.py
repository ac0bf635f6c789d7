"""From the flags of `docker run` to the body of a create call.

Most of what people type is read here and not in the engine, as with Docker: sizes, limits,
variables, the files behind --env-file and --security-opt seccomp=FILE.  So these mistakes
are found before anything is asked of an engine, and nothing had to be undone.

    --memory 64m -e A=1 busybox env  ──►  {"Image": "busybox", "Cmd": ["env"],
                                           "Env": ["A=1"], "HostConfig": {"Memory": …}}

Source: docker/cli, cli/command/container/opts.go; Docker Engine API v1.45, ContainerCreate.
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.words import invalid, switch, text, texts
from pyminidock.errors import MinidockError
from pyminidock.grammar.envfile import parse_env_file, parse_variable
from pyminidock.grammar.numbers import parse_integer
from pyminidock.grammar.sizes import parse_cpus, parse_memory
from pyminidock.grammar.tmpfs import split_tmpfs
from pyminidock.grammar.ulimits import parse_ulimit

Value = TypeVar("Value")
Given = Mapping[str, Any]  # what click collected, by the names of the flags
Body = dict[str, Any]


def container_flags() -> list[click.Parameter]:
    """Declare the flags that make a container what it is."""
    return [
        *process_flags(),
        texts("--group-add", help="one more group", metavar="GROUP"),
        text("--entrypoint", help="the program instead of the image's", metavar="PROGRAM"),
        text("--name", help="what the container is called", metavar="NAME"),
        text("--hostname", "-h", help="what it calls itself", metavar="NAME"),
        switch("--rm", help="remove it at its end"),
        text("--memory", "-m", help="the most memory: 64m", metavar="SIZE"),
        text("--cpus", help="the most processors: 0.5", metavar="NUMBER"),
        text("--pids-limit", help="the most processes; -1 for any number", metavar="N"),
        switch("--read-only", help="nothing in its root can be written"),
        texts("--tmpfs", help="a tree in memory", metavar="PATH[:OPTIONS]"),
        texts("--cap-add", help="one more capability", metavar="NAME"),
        texts("--cap-drop", help="one capability less, or ALL", metavar="NAME"),
        switch("--privileged", help="all capabilities and devices, no filter, no masks"),
        switch("--init", help="a small init as PID 1: forwards signals, reaps"),
        texts("--ulimit", help="a limit of one process", metavar="NAME=SOFT[:HARD]"),
        texts("--security-opt", help="no-new-privileges, seccomp=FILE", metavar="OPTION"),
        text("--network", "--net", help="none, the default so far", metavar="NAME"),
    ]


def process_flags() -> list[click.Parameter]:
    """Declare the flags of any process, the first of a container or a second one."""
    return [
        text("--user", "-u", help="who it is", metavar="USER[:GROUP]"),
        texts("--env", "-e", help="a variable", metavar="NAME=VALUE"),
        texts("--env-file", help="a file of variables", metavar="FILE"),
        text("--workdir", "-w", help="where it stands at first", metavar="PATH"),
        switch("--interactive", "-i", help="it reads what you type"),
        switch("--tty", "-t", help="it has a terminal"),
    ]


def create_body(
    given: Given, words: Sequence[str], surroundings: Mapping[str, str], *,
    is_detached: bool = False,
) -> Body:  # fmt: skip
    """Make the body for IMAGE [COMMAND…] with these flags.

    `surroundings` are the variables of the shell, for a bare `-e NAME`.
    Raises WordsRefused.
    """
    is_attached = not is_detached
    body: Body = {
        "Image": words[0],
        "Cmd": list(words[1:]) or None,
        "User": given["user"] or "",
        "WorkingDir": given["workdir"] or "",
        "Hostname": given["hostname"] or "",
        "Env": environment(given, surroundings),
        "Tty": given["tty"],
        "OpenStdin": given["interactive"],
        "StdinOnce": given["interactive"] and is_attached,
        "AttachStdin": given["interactive"] and is_attached,
        "AttachStdout": is_attached,
        "AttachStderr": is_attached,
        "HostConfig": _host_config(given),
    }
    if given["entrypoint"] is not None:
        body["Entrypoint"] = [given["entrypoint"]]
    return body


def _host_config(given: Given) -> Body:
    return {
        "AutoRemove": given["rm"],
        "GroupAdd": list(given["group_add"]),
        "Memory": _read(given["memory"], "-m, --memory", parse_memory),
        "NanoCpus": _read(given["cpus"], "--cpus", parse_cpus),
        "PidsLimit": _read(given["pids_limit"], "--pids-limit", _pids),
        "ReadonlyRootfs": given["read_only"],
        "Tmpfs": dict(split_tmpfs(each) for each in given["tmpfs"]),
        "CapAdd": list(given["cap_add"]),
        "CapDrop": list(given["cap_drop"]),
        "Privileged": given["privileged"],
        "Init": given["init"],
        "Ulimits": [_ulimit(each) for each in given["ulimit"]],
        "SecurityOpt": [_security(each) for each in given["security_opt"]],
        "NetworkMode": given["network"] or "none",
    }


def environment(given: Given, surroundings: Mapping[str, str]) -> list[str]:
    """List the variables: first those of files, then those of --env, in their order."""
    found: list[str] = []
    for name in given["env_file"]:
        found += _variables(name, surroundings)
    for each in given["env"]:
        found.append(_checked(each, "-e, --env", lambda t: parse_variable(t, surroundings)))
    return found


def _variables(name: str, surroundings: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return parse_env_file(Path(name).read_bytes(), name, surroundings)
    except MinidockError as refusal:
        raise WordsRefused(
            refusal.what, why=refusal.why, try_next=refusal.try_next
        ) from refusal
    except OSError as refusal:
        quoted = shlex.quote(name)
        is_absent = isinstance(refusal, FileNotFoundError)
        raise WordsRefused(
            f"open {name}: {(refusal.strerror or 'input/output error').lower()}",
            why="--env-file is read here, by the client, relative to where you stand",
            try_next=f"echo NAME=value > {quoted}" if is_absent else f"ls -ld {quoted}",
        ) from refusal


def _pids(typed: str) -> int:
    return parse_integer(typed, try_next="minidock run --pids-limit 50 busybox true")


def _ulimit(typed: str) -> Body:
    limit = _checked(typed, "--ulimit", parse_ulimit)
    return {"Name": limit.name, "Soft": limit.soft, "Hard": limit.hard}


def _security(typed: str) -> str:
    """Read one --security-opt; a seccomp profile travels as its text.

    Source: docker/cli, opts.go, parseSecurityOpts().
    """
    name, separator, value = typed.partition("=" if "=" in typed else ":")
    if not separator and name != "no-new-privileges":
        raise WordsRefused(
            f'invalid --security-opt: "{typed}"',
            why="it is no-new-privileges, or NAME=VALUE",
            try_next="minidock run --security-opt no-new-privileges busybox true",
        )
    if name != "seccomp" or value in ("unconfined", "builtin"):
        return f"{name}={value}" if separator else name
    return "seccomp=" + _profile(value)


def _profile(name: str) -> str:
    try:
        return json.dumps(json.loads(Path(name).read_bytes()), separators=(",", ":"))
    except OSError as refusal:
        fault = f"open {name}: {(refusal.strerror or 'input/output error').lower()}"
        raise WordsRefused(
            f"opening seccomp profile ({name}) failed: {fault}",
            why="the profile is a file of this machine, or the word unconfined",
            try_next="minidock run busybox true",
        ) from refusal
    except (ValueError, RecursionError) as damage:
        raise WordsRefused(
            f"compacting json for seccomp profile ({name}) failed: {damage}",
            why="a seccomp profile is one JSON object",
            try_next="minidock run --security-opt seccomp=builtin busybox true",
        ) from damage


def _read(typed: str | None, spelling: str, parse: Callable[[str], int]) -> int:
    """Read a number that may be left out, which is 0."""
    return 0 if typed is None else _checked(typed, spelling, parse)


def _checked(typed: str, spelling: str, parse: Callable[[str], Value]) -> Value:
    """Parse the value of a flag; a refusal names the flag, as Docker's does."""
    try:
        return parse(typed)
    except MinidockError as refusal:
        raise invalid(
            typed, spelling, refusal.what, why=refusal.why, try_next=refusal.try_next
        ) from refusal
