"""The document that is an image: its defaults, its story and the names of its layers.

    {"architecture":"amd64","config":{…},"created":"…","history":[…],"os":"linux",
     "rootfs":{"type":"layers","diff_ids":["sha256:…",…]}}

The digest of these bytes is the image's id, so one changed byte is another image.  Whoever
receives a document keeps its bytes; `write_image` is for images of our own making, and
gives what Docker's engine would have written: keys of the document sorted, keys of the
config in the order of Docker's struct.

Source: OCI image specification, config.md; moby, image/image.go and
api/types/container/config.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pyminidock.image.config import Healthcheck, ImageConfig
from pyminidock.image.digest import Digest, sha256_of
from pyminidock.image.fields import Fields
from pyminidock.image.jsontext import DocumentMalformed, malformed, read, write

MAX_DOCUMENT_BYTES = 8 << 20
_SMALL_BYTES = 64 << 10  # worth remembering, and few enough
MAX_LAYERS = 127
MAX_LABEL_BYTES = 256 << 10  # all of them
MAX_VARIABLE_BYTES = 128 << 10  # one; execve(2) takes no longer string
MAX_ENVIRONMENT_BYTES = 1 << 20  # all of it

SWITCHES = (
    "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce",
    "NetworkDisabled",
)  # fmt: skip
_DOCUMENT = (
    "architecture", "author", "comment", "config", "container", "container_config",
    "created", "docker_version", "history", "os", "os.features", "os.version", "rootfs",
    "variant",
)  # fmt: skip
CONFIG_FIELDS = (
    "Hostname", "Domainname", "User", "ExposedPorts", "Env", "Cmd", "Healthcheck",
    "ArgsEscaped", "Image", "Volumes", "WorkingDir", "Entrypoint", "OnBuild", "Labels",
    "StopSignal", "StopTimeout", "Shell", *SWITCHES,
)  # fmt: skip
_WHEN_SET = (
    "ExposedPorts", "ArgsEscaped", "NetworkDisabled", "StopSignal", "Shell",
)  # fmt: skip
_HEALTHCHECK = ("Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries")
_HISTORY = ("created", "created_by", "author", "comment", "empty_layer")


class ImageMalformed(DocumentMalformed):
    """A document is no image, or one beyond a limit."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One instruction that made the image; the oldest comes first."""

    created: str = ""  # RFC 3339
    created_by: str = ""
    author: str = ""
    comment: str = ""
    is_empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """One image.  Its id is the digest of its bytes, see `write_image`."""

    config: ImageConfig = field(default_factory=ImageConfig)
    architecture: str = "amd64"
    os: str = "linux"
    variant: str = ""
    created: str = ""  # RFC 3339
    author: str = ""
    comment: str = ""
    history: tuple[HistoryEntry, ...] = ()
    diff_ids: tuple[Digest, ...] = ()  # bottom up
    container: str = ""  # the id of the container it was committed from
    container_config: Mapping[str, Any] | None = None  # as Docker spells it
    docker_version: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()


def id_of(image: Image) -> Digest:
    """Say which id an image of our own has."""
    return sha256_of(write_image(image))


def read_image(data: bytes) -> Image:
    """Read the document of an image, whoever wrote it.  Raises ImageMalformed.

    What equal bytes say is worked out once: a build asks for the same few images again.
    """
    return _read_again(data) if len(data) <= _SMALL_BYTES else _read(data)


def _read(data: bytes) -> Image:
    name = "the image's configuration"
    value = read(data, MAX_DOCUMENT_BYTES, name, ImageMalformed)
    told = Fields(value, name, ImageMalformed, _DOCUMENT)
    if told.raw.get("rootfs") is None:
        raise ImageMalformed(
            "invalid image JSON, no RootFS key",  # Docker's words
            why="an image is a list of layers, and the document has no such list",
            try_next="skopeo inspect --config, to see what the source says",
            lesson="image-documents",
        )
    roots = Fields(
        told.raw["rootfs"], f"{name}, rootfs", ImageMalformed, ("type", "diff_ids")
    )
    diff_ids = roots.digests("diff_ids")
    if len(diff_ids) > MAX_LAYERS:
        reason = f"{len(diff_ids)} layers, the limit is {MAX_LAYERS}"
        raise malformed(ImageMalformed, name, reason)
    container_config = told.raw.get("container_config")
    return Image(
        read_config(told.object("config")), told.text("architecture"),
        told.text("os"), told.text("variant"), told.text("created"), told.text("author"),
        told.text("comment"),
        tuple(_history(entry) for entry in told.list("history")), diff_ids,
        told.text("container"), None if container_config is None
        else told.object("container_config"),
        told.text("docker_version"), told.text("os.version"), told.texts("os.features"),
    )  # fmt: skip


_read_again = lru_cache(maxsize=256)(_read)


def read_config(value: Any) -> ImageConfig:
    """Read the defaults as Docker spells them.  Raises ImageMalformed."""
    name = "the image's configuration, config"
    told = Fields(value, name, ImageMalformed, CONFIG_FIELDS)
    timeout = told.raw.get("StopTimeout")
    config = ImageConfig(
        told.texts("Cmd"), told.texts("Entrypoint"), told.texts("Env"), told.text("User"),
        told.text("WorkingDir"), told.names("ExposedPorts"), told.names("Volumes"),
        told.pairs("Labels"), told.text("StopSignal"), told.texts("Shell"),
        _healthcheck(told.raw.get("Healthcheck")), told.texts("OnBuild"),
        told.flag("ArgsEscaped"), told.text("Image"), told.text("Hostname"),
        told.text("Domainname"), None if timeout is None else told.number("StopTimeout"),
        tuple(switch for switch in SWITCHES if told.flag(switch)),
    )  # fmt: skip
    _check_limits(config, name)
    return config


def _check_limits(config: ImageConfig, name: str) -> None:
    labels = sum(len(key.encode()) + len(text.encode()) for key, text in config.labels)
    longest = max((len(item.encode()) for item in config.environment), default=0)
    environment = sum(len(item.encode()) for item in config.environment)
    for what, size, limit in (
        ("labels", labels, MAX_LABEL_BYTES),
        ("a variable", longest, MAX_VARIABLE_BYTES),
        ("the environment", environment, MAX_ENVIRONMENT_BYTES),
    ):
        if size > limit:
            reason = f"{what} of {size} bytes, the limit is {limit}"
            raise malformed(ImageMalformed, name, reason)
    words = (
        *config.command, *config.entrypoint, *config.environment, *config.shell,
        *config.volumes, config.user, config.working_directory,
    )  # fmt: skip
    if any("\0" in word for word in words):
        raise malformed(
            ImageMalformed, name, "a NUL character, which no program can receive"
        )


def _healthcheck(value: Any) -> Healthcheck | None:
    if value is None:
        return None
    name = "the image's configuration, Healthcheck"
    told = Fields(value, name, ImageMalformed, _HEALTHCHECK)
    numbers = (told.number(key) for key in _HEALTHCHECK[1:])
    return Healthcheck(told.texts("Test"), *numbers)


def _history(value: Any) -> HistoryEntry:
    told = Fields(value, "the image's configuration, history", ImageMalformed, _HISTORY)
    return HistoryEntry(
        told.text("created"), told.text("created_by"), told.text("author"),
        told.text("comment"), told.flag("empty_layer"),
    )  # fmt: skip


def write_image(image: Image) -> bytes:
    """Write the document; equal images give equal bytes.

    >>> write_image(Image(created="2024-05-01T00:00:00Z"))[:35]
    b'{"architecture":"amd64","config":{"'
    """
    rootfs: dict[str, Any] = {"type": "layers"}
    if image.diff_ids:
        rootfs["diff_ids"] = list(image.diff_ids)
    said: dict[str, Any] = {
        "architecture": image.architecture, "author": image.author,
        "comment": image.comment,
        "config": config_fields(image.config), "container": image.container,
        "container_config": image.container_config, "created": image.created,
        "docker_version": image.docker_version,
        "history": [_history_fields(entry) for entry in image.history], "os": image.os,
        "os.features": list(image.os_features), "os.version": image.os_version,
        "rootfs": rootfs, "variant": image.variant,
    }  # fmt: skip
    always = ("architecture", "config", "os", "rootfs")
    return write({key: value for key, value in said.items() if value or key in always})


def config_fields(config: ImageConfig) -> dict[str, Any]:
    """Spell the defaults as Docker does, keys in the order of its struct.

    Null stands for an empty list, as the engine itself writes it.
    """
    true = {switch: switch in config.switches for switch in SWITCHES}
    said: dict[str, Any] = {
        "Hostname": config.hostname, "Domainname": config.domainname, "User": config.user,
        "AttachStdin": true["AttachStdin"], "AttachStdout": true["AttachStdout"],
        "AttachStderr": true["AttachStderr"], "ExposedPorts": _set(config.exposed_ports),
        "Tty": true["Tty"], "OpenStdin": true["OpenStdin"], "StdinOnce": true["StdinOnce"],
        "Env": list(config.environment) or None, "Cmd": list(config.command) or None,
        "Healthcheck": _healthcheck_fields(config.healthcheck),
        "ArgsEscaped": config.args_escaped, "Image": config.image,
        "Volumes": _set(config.volumes), "WorkingDir": config.working_directory,
        "Entrypoint": list(config.entrypoint) or None,
        "NetworkDisabled": true["NetworkDisabled"],
        "OnBuild": list(config.on_build) or None,
        "Labels": dict(config.labels) or None, "StopSignal": config.stop_signal,
        "StopTimeout": config.stop_timeout_s, "Shell": list(config.shell),
    }  # fmt: skip
    if config.stop_timeout_s is None:
        del said["StopTimeout"]
    if config.healthcheck is None:  # an empty one is an object without keys
        del said["Healthcheck"]
    return {key: value for key, value in said.items() if value or key not in _WHEN_SET}


def _set(names: tuple[str, ...]) -> dict[str, Any] | None:
    """Spell Go's set: an object of empty objects, sorted."""
    return {name: {} for name in sorted(names)} or None


def _healthcheck_fields(check: Healthcheck | None) -> dict[str, Any]:
    check = check or Healthcheck()
    values = (
        list(check.test), check.interval_ns, check.timeout_ns, check.start_period_ns,
        check.start_interval_ns, check.retries,
    )  # fmt: skip
    return {key: value for key, value in zip(_HEALTHCHECK, values, strict=True) if value}


def _history_fields(entry: HistoryEntry) -> dict[str, Any]:
    values = (
        entry.created, entry.created_by, entry.author, entry.comment, entry.is_empty_layer,
    )  # fmt: skip
    return {key: value for key, value in zip(_HISTORY, values, strict=True) if value}
