"""From the flags of `docker run` to the body of a create call, field by field as Docker's.

Most of what people type is read here and not in the engine, as with Docker: sizes, limits,
ports, the files behind --env-file and --security-opt seccomp=FILE.  So these mistakes are
found before anything is asked of an engine, and nothing had to be undone.

    --memory 64m -e A=1 busybox env  ──►  {"Image": "busybox", "Cmd": ["env"],
                                           "Env": ["A=1"], "HostConfig": {"Memory": …}}

Source: docker/cli, cli/command/container/opts.go, parse(); Docker Engine API v1.45.
"""

from collections.abc import Mapping, Sequence

from pyminidock.cli.endpoints import endpoints, exposed_ports, network_mode
from pyminidock.cli.failures import ERROR
from pyminidock.cli.flags import WINDOWS
from pyminidock.cli.hostconfig import host_config, volumes
from pyminidock.cli.readflags import (
    Body,
    Given,
    checked,
    environment,
    labels,
    read,
    refused,
    whole,
)
from pyminidock.cli.words import invalid
from pyminidock.grammar.durations import parse_duration

__all__ = ["create_body"]

_STREAMS = ("stdin", "stdout", "stderr")
_PULLS = ("always", "missing", "never")


def create_body(
    given: Given, words: Sequence[str], surroundings: Mapping[str, str], *,
    is_detached: bool = False,
) -> Body:  # fmt: skip
    """Make the body for IMAGE [COMMAND…], or with --from for [COMMAND…], with these flags.

    `surroundings` are the variables of the shell, for a bare `-e NAME`.
    Raises WordsRefused.
    """
    _check(given, is_detached=is_detached)
    streams = _attached(given)
    if is_detached:
        streams = set()
    reads = bool(given["interactive"])
    image, command = ("", words) if given["from"] else (words[0], words[1:])
    body: Body = {
        "Hostname": given["hostname"] or "",
        "Domainname": given["domainname"] or "",
        "User": given["user"] or "",
        "AttachStdin": "stdin" in streams,
        "AttachStdout": "stdout" in streams,
        "AttachStderr": "stderr" in streams,
        "Tty": bool(given["tty"]),
        "OpenStdin": reads,
        "StdinOnce": reads and "stdin" in streams,
        "Env": environment(given, surroundings) or None,
        "Cmd": list(command) or None,
        "Image": image,
        "Volumes": volumes(given),
        "WorkingDir": given["workdir"] or "",
        "Entrypoint": None if given["entrypoint"] is None else [given["entrypoint"]],
        "OnBuild": None,
        "Labels": labels(given),
        "HostConfig": host_config(given) | {"NetworkMode": network_mode(given)},
        "NetworkingConfig": {"EndpointsConfig": endpoints(given)},
    }
    more = {
        "ExposedPorts": exposed_ports(given),
        "Healthcheck": _healthcheck(given),
        "StopSignal": given["stop_signal"],
    }
    body |= {name: value for name, value in more.items() if value}
    if given["stop_timeout"] is not None:
        body["StopTimeout"] = checked(given["stop_timeout"], "--stop-timeout", whole)
    return body


def _check(given: Given, *, is_detached: bool) -> None:
    """Refuse flags that mean nothing here, or not together."""
    for name in WINDOWS:
        if given[name.replace("-", "_")] is not None:
            raise refused(
                f'"--{name}" is only supported on a Docker daemon running on windows, but '
                "the Docker daemon is running on linux",
                "Windows counts these things in its own way",
            )
    if given["pull"] is not None and given["pull"] not in _PULLS:
        raise refused(
            f"invalid pull option: '{given['pull']}': must be one of \"always\", "
            '"missing" or "never"',
            "an image is fetched before a container is made of it, or not",
        )
    if is_detached and given["attach"]:
        conflict = refused(
            "Conflicting options: -a and -d",
            "a container that is left alone has none of our streams",
        )
        conflict.exit_code = ERROR
        raise conflict


def _attached(given: Given) -> set[str]:
    """Decide which streams are ours: those of -a, or both outputs; -i adds the input."""
    streams: set[str] = set()
    for each in given["attach"]:
        if each.lower() not in _STREAMS:
            raise invalid(
                each, "-a, --attach", "valid streams are STDIN, STDOUT and STDERR",
                why="a program has these three streams",
                try_next="minidock run --attach stdout busybox true",
            )  # fmt: skip
        streams.add(each.lower())
    streams = streams or {"stdout", "stderr"}
    return streams | {"stdin"} if given["interactive"] else streams


def _healthcheck(given: Given) -> Body | None:
    """Put together how the container is asked whether it is well."""
    times = {
        "Interval": "interval", "Timeout": "timeout", "StartPeriod": "start_period",
        "StartInterval": "start_interval",
    }  # fmt: skip
    asked: Body = {}
    for field, name in times.items():
        spelling = f"--health-{name.replace('_', '-')}"
        asked[field] = read(given[f"health_{name}"], spelling, parse_duration)
    asked["Retries"] = read(given["health_retries"], "--health-retries", whole)
    command = given["health_cmd"]
    if given["no_healthcheck"]:
        if command or any(asked.values()):
            raise refused(
                "--no-healthcheck conflicts with --health-* options",
                "it is asked, or it is not",
            )
        return {"Test": ["NONE"]}
    for field, value in asked.items():
        if value < 0:
            name = times.get(field, "retries").replace("_", "-")
            raise refused(
                f"--health-{name} cannot be negative", "time does not go backwards"
            )
    found = {name: value for name, value in asked.items() if value}
    return ({"Test": ["CMD-SHELL", command]} if command else {}) | found or None
