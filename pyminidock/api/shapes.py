"""Docker's words for a container, and ours.

Into the engine: the create, update and exec bodies of API 1.45 become requests.  Fields
that no Docker knows are ignored; a container that silently got less isolation than was
asked for would be a lie, so `container.verify` refuses what this engine cannot build.

Source: Docker Engine API v1.45, ContainerCreate, ContainerUpdate, ContainerExec.
"""

from typing import Any

from pyminidock.api import structs
from pyminidock.api.body import Fields
from pyminidock.api.failures import BadRequest
from pyminidock.container import asked, fields
from pyminidock.container.spec import CreateRequest, ExecRequest

_STREAMS = ("stdin", "stdout", "stderr")
_PARTS = {
    "resources": asked.Resources, "worlds": asked.Worlds, "places": asked.Places,
    "reach": asked.Reach,
}  # fmt: skip


def create_request(body: Fields, name: str) -> CreateRequest:
    """Read the body of POST /containers/create.  Raises BadRequest.

    >>> create_request(Fields({"Image": "busybox", "Cmd": ["true"]}), "n").command
    ('true',)
    """
    body = body.within("", fields.CONFIG.go)
    own, empty = structs.read(body, fields.CONFIG)
    host = body.part("HostConfig", "container.HostConfig")
    hosts, empty_too = structs.read(host.within(host.place, "HostConfig"), fields.HOST)
    endpoints = _endpoints(body.part("NetworkingConfig", "network.NetworkingConfig"))
    if not any(body.get(row.name) is not None for row in fields.CONFIG.rows):
        raise BadRequest(
            "config cannot be empty in order to create a container",
            why="the body names the image at least",
            try_next='{"Image": "busybox"}',
        )
    return build_request(
        own | hosts | ({"reach.endpoints": endpoints} if endpoints else {}),
        name=name,
        given_empty=(*empty, *empty_too),
        attaches=tuple(n for n in _STREAMS if _attaches(body, n)),
        **_policies(host),
    )


def build_request(values: dict[str, Any], **rest: Any) -> CreateRequest:
    """Make a request of attributes, some of them with dots."""
    whole = {name: value for name, value in values.items() if "." not in name}
    for part, kind in _PARTS.items():
        inner = {
            name.partition(".")[2]: value
            for name, value in values.items()
            if name.startswith(f"{part}.")
        }
        whole[part] = kind(**inner)
    whole["network_mode"] = whole.get("network_mode") or "default"
    return CreateRequest(**({"image": ""} | whole | rest))


def update_request(body: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the body of POST /containers/{id}/update: limits, and the restart policy.

    What is 0, "" or null stays as it is.  Raises BadRequest.
    """
    body = body.within("", fields.UPDATE.go)
    values, _ = structs.read(body, fields.UPDATE)
    return values, _restarts(body.part("RestartPolicy", "container.RestartPolicy"))


def _attaches(body: Fields, stream: str) -> bool:
    part = body.within("Config.", body.struct)
    return part.flag(f"Attach{stream.capitalize()}")


def _policies(host: Fields) -> dict[str, Any]:
    """Read LogConfig and RestartPolicy."""
    log = host.part("LogConfig", "container.LogConfig")
    options = tuple(log.mapping("Config").items())
    log_words = {"log_driver": log.text("Type"), "log_options": options}
    return log_words | _restarts(host.part("RestartPolicy", "container.RestartPolicy"))


def _restarts(policy: Fields) -> dict[str, Any]:
    return {
        "restart_policy": policy.text("Name"),
        "restart_retries": policy.number("MaximumRetryCount"),
    }


def _endpoints(networking: Fields) -> tuple[asked.Endpoint, ...]:
    """Read NetworkingConfig.EndpointsConfig."""
    config = networking.part("EndpointsConfig", "map[string]*network.EndpointSettings")
    return tuple(
        endpoint_settings(Fields({name: settings}, config.place, config.struct), name, name)
        for name, settings in config.members.items()
    )


def endpoint_settings(config: Fields, name: str, network: str) -> asked.Endpoint:
    """Read one EndpointSettings, the member `name` of an object: a place in `network`."""
    settings = config.get(name)
    alone = Fields({name: settings}, config.place, config.struct)
    part = alone.part(name, "network.EndpointSettings")
    addresses = part.part("IPAMConfig", "network.EndpointIPAMConfig")
    return asked.Endpoint(
        network,
        addresses.text("IPv4Address"),
        addresses.text("IPv6Address"),
        addresses.texts("LinkLocalIPs") or (),
        part.texts("Links") or (),
        part.texts("Aliases") or (),
        part.text("MacAddress"),
        tuple(part.mapping("DriverOpts").items()),
        is_null=settings is None,
    )


def exec_request(body: Fields) -> ExecRequest:
    """Read the body of POST /containers/{id}/exec.  Raises BadRequest."""
    body = body.within("", "ExecConfig")
    command = body.texts("Cmd")
    if not command:
        raise BadRequest(
            "No exec command specified",
            why="a second process needs a program to run",
            try_next='{"Cmd": ["sh"]}',
        )
    return ExecRequest(
        command=command,
        environment=body.texts("Env") or (),
        user=body.text("User"),
        working_directory=body.text("WorkingDir"),
        has_terminal=body.flag("Tty"),
        keeps_stdin=body.flag("AttachStdin"),
        console_size=console_size(body),
        is_privileged=body.flag("Privileged"),
        shows_stdout=body.flag("AttachStdout"),
        shows_stderr=body.flag("AttachStderr"),
        detach_keys=body.text("DetachKeys"),
    )


def console_size(fields: Fields) -> tuple[int, int]:
    """Read ConsoleSize: rows and columns; as in Go, what is missing is 0."""
    rows, columns, *_ = (*fields.numbers("ConsoleSize"), 0, 0)
    return (rows, columns)
