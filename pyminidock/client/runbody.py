"""What a script asks of a run, as the body of a create call.

    engine.run("busybox", "env", env={"A": "1"}, memory="64m", rm=True)

A keyword is the long flag of `docker run` with "_" for "-"; its value is what one would
type, or Python's own: a number, a list, a mapping.  What is not listed here can be given
whole: `host_config` is Docker's HostConfig, and goes over everything else.
"""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pyminidock.errors import MinidockError
from pyminidock.grammar.ports import parse_publish
from pyminidock.grammar.sizes import parse_cpus, parse_memory

Body = dict[str, Any]
Several = Mapping[Any, Any] | Iterable[Any] | str | None

KEYWORDS = (
    "cap_add", "cap_drop", "cpus", "entrypoint", "env", "glass", "host_config", "hostname",
    "init",
    "interactive", "label", "memory", "name", "network", "pids_limit", "privileged",
    "publish", "read_only", "rm", "security_opt", "stop_signal", "tmpfs", "tty", "user",
    "volume", "workdir",
)  # fmt: skip
_PLURALS = {"ports": "publish", "volumes": "volume", "labels": "label",
            "environment": "env"}  # fmt: skip


class KeywordUnknown(MinidockError):
    """A run was asked for with a word that means nothing here."""

    status = 400


def run_body(image: str, command: str | Iterable[str] | None, asked: Body) -> Body:
    """Make the body of a create call.

    A command of one text is cut as a shell would cut it.  Raises KeywordUnknown, and what
    the grammar of sizes and ports refuses.

    >>> run_body("busybox", "echo hi", {"rm": True})["Cmd"]
    ['echo', 'hi']
    """
    given = _known(asked)
    reads = bool(given.get("interactive"))
    ports = _ports(given.get("publish"))
    body: Body = {
        "Image": image,
        "Cmd": _words(command) or None,
        "Entrypoint": _words(given.get("entrypoint"), is_whole=True),
        "Env": _pairs(given.get("env")) or None,
        "Hostname": given.get("hostname", ""),
        "User": str(given.get("user", "")),
        "WorkingDir": given.get("workdir", ""),
        "Labels": dict(pair.partition("=")[::2] for pair in _pairs(given.get("label"))),
        "Tty": bool(given.get("tty")),
        "AttachStdin": reads, "AttachStdout": True, "AttachStderr": True,
        "OpenStdin": reads, "StdinOnce": reads,
        "ExposedPorts": {port: {} for port in ports},
        "Volumes": {each: {} for each in _list(given.get("volume")) if ":" not in each},
        "HostConfig": _host_config(given) | {"PortBindings": ports},
    }  # fmt: skip
    if given.get("stop_signal"):
        body["StopSignal"] = given["stop_signal"]
    body["HostConfig"] |= given.get("host_config") or {}
    return body


def _known(asked: Body) -> Body:
    """Put every keyword into its one spelling."""
    given = {_PLURALS.get(name, name): value for name, value in asked.items()}
    if unknown := sorted(given.keys() - set(KEYWORDS)):
        raise KeywordUnknown(
            f"run() got an unknown keyword: {unknown[0]}",
            why=f"the keywords are {', '.join(KEYWORDS)}",
            try_next='host_config={"Memory": 67108864}, or %minidock run with any flag',
            lesson="command-line",
        )
    return given


def _host_config(given: Body) -> Body:
    network = given.get("network")
    config: Body = {
        "AutoRemove": bool(given.get("rm")),
        "Binds": [_bind(each) for each in _list(given.get("volume")) if ":" in each],
        "CapAdd": _list(given.get("cap_add")),
        "CapDrop": _list(given.get("cap_drop")),
        "NetworkMode": network or "default",
        "Privileged": bool(given.get("privileged")),
        "ReadonlyRootfs": bool(given.get("read_only")),
        "SecurityOpt": _list(given.get("security_opt")),
        "Tmpfs": dict(each.partition(":")[::2] for each in _list(given.get("tmpfs"))),
    }
    if given.get("glass"):
        config["StorageOpt"] = {"glass": "on"}
    if given.get("memory") is not None:
        config["Memory"] = parse_memory(str(given["memory"]))
    if given.get("cpus") is not None:
        config["NanoCpus"] = parse_cpus(str(given["cpus"]))
    if given.get("pids_limit") is not None:
        config["PidsLimit"] = int(given["pids_limit"])
    if given.get("init"):
        config["Init"] = True
    return config


def _words(command: Several, *, is_whole: bool = False) -> list[str] | None:
    """Give the words of a command; a whole one is a single word, as after --entrypoint."""
    if command is None:
        return None
    if isinstance(command, str):
        return [command] if is_whole else shlex.split(command)
    return [str(each) for each in command]


def _list(given: Several) -> list[str]:
    if given is None:
        return []
    return [given] if isinstance(given, str) else [str(each) for each in given]


def _pairs(given: Several) -> list[str]:
    """Give NAME=VALUE for each.

    >>> _pairs({"A": 1})
    ['A=1']
    """
    if isinstance(given, Mapping):
        return [f"{name}={value}" for name, value in given.items()]
    return _list(given)


def _ports(given: Several) -> dict[str, list[dict[str, str]]]:
    """Give Docker's port bindings.

    >>> _ports({8080: 80})
    {'80/tcp': [{'HostIp': '', 'HostPort': '8080'}]}
    """
    if isinstance(given, Mapping):
        given = [f"{host}:{inside}" for host, inside in given.items()]
    found: dict[str, list[dict[str, str]]] = {}
    for text in _list(given):
        for each in parse_publish(text):
            bound = {"HostIp": each.address, "HostPort": each.host_port}
            found.setdefault(each.port, []).append(bound)
    return found


def _bind(given: str) -> str:
    """Make the source of a bind absolute; a name without a slash is a volume."""
    source, colon, rest = given.partition(":")
    if source.startswith((".", "~")):
        source = str(Path(source).expanduser().absolute())
    return source + colon + rest
