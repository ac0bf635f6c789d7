"""Mounts as people type them: `-v /srv:/data:ro`, `--mount type=bind,src=/srv,dst=/data`.

A volume flag without a source wants a new volume, one with a source binds a directory of
the host or a volume with a name.  Whether any of it is there, the engine finds out.

Source: docker/cli, opts/mount.go and cli/compose/loader/volume.go.
"""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

from pyminidock.errors import MinidockError
from pyminidock.grammar.sizes import SizeRefused, parse_memory

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_ALONE = ("readonly", "ro", "volume-nocopy", "bind-nonrecursive")
_GROUPS = {"BindOptions": "bind", "VolumeOptions": "volume", "TmpfsOptions": "tmpfs"}
Body = dict[str, Any]


class MountRefused(MinidockError):
    """The text is no mount."""

    status = 400


def has_source(text: str) -> bool:
    """Tell whether the argument of `-v` binds something; else it wants a new volume.

    >>> has_source("/srv:/data"), has_source("/data")
    (True, False)
    """
    if not text:
        raise _refusal("invalid empty volume spec")
    parts = text.split(":")
    if len(parts) > 1 and "" in parts[:-1]:
        raise _refusal(f"invalid spec: {text}: empty section between colons")
    return len(parts) > 1 and text != "/"


def parse_mount(text: str, absolute: Callable[[str], str]) -> Body:
    """Read the argument of `--mount`; `absolute` completes a path that begins with a dot.

    >>> parse_mount("type=bind,src=/srv,dst=/data,ro", str)
    {'Type': 'bind', 'Source': '/srv', 'Target': '/data', 'ReadOnly': True}
    """
    fields = next(csv.reader(io.StringIO(text)), None)
    if not fields:
        raise _refusal("EOF")
    found = _Fields()
    for field in fields:
        name, equals, value = field.partition("=")
        name = name.lower()
        if not equals and name not in _ALONE:
            raise _refusal(f"invalid field '{field}' must be a key=value pair")
        found.take(name, value if equals else "true", field)
    return found.mount(absolute)


class _Fields:
    """The fields of one mount, as they come."""

    def __init__(self) -> None:
        self._mount: Body = {"Type": "volume"}
        self._options: dict[str, Body] = {}

    def take(self, name: str, value: str, field: str) -> None:  # noqa: PLR0912 (a table)
        """Take one field."""
        match name:
            case "type":
                self._mount["Type"] = value.lower()
            case "source" | "src":
                self._mount["Source"] = value
            case "target" | "dst" | "destination":
                self._mount["Target"] = value
            case "readonly" | "ro":
                self._mount["ReadOnly"] = _truth(name, value)
            case "consistency":
                self._mount["Consistency"] = value.lower()
            case "bind-propagation":
                self._of("BindOptions")["Propagation"] = value.lower()
            case "bind-nonrecursive":
                self._of("BindOptions")["NonRecursive"] = _truth(name, value)
            case "bind-recursive":
                self._recursive(value)
            case "volume-subpath":
                self._of("VolumeOptions")["Subpath"] = value
            case "volume-nocopy":
                self._of("VolumeOptions")["NoCopy"] = _truth(name, value)
            case "volume-label":
                labels = self._of("VolumeOptions").setdefault("Labels", {})
                labels.update([value.partition("=")[::2]])
            case "volume-driver":
                self._driver()["Name"] = value
            case "volume-opt":
                self._driver().setdefault("Options", {}).update([value.partition("=")[::2]])
            case "tmpfs-size":
                self._of("TmpfsOptions")["SizeBytes"] = _size(name, value)
            case "tmpfs-mode":
                self._of("TmpfsOptions")["Mode"] = _mode(name, value)
            case _:
                raise _refusal(f"unexpected key '{name}' in '{field}'")

    def mount(self, absolute: Callable[[str], str]) -> Body:
        """Give the mount, if its fields go together."""
        kind = self._mount["Type"]
        source = self._mount.get("Source", "")
        if kind == "bind" and source.startswith("."):
            self._mount["Source"] = absolute(source)
        if not self._mount.get("Target"):
            raise _refusal("target is required")
        for name, its_kind in _GROUPS.items():
            if name in self._options and its_kind != kind:
                what = f"cannot mix '{its_kind}-*' options with mount type '{kind}'"
                raise _refusal(what)
        bind = self._options.get("BindOptions", {})
        if bind.get("ReadOnlyForceRecursive"):
            is_private = bind.get("Propagation") == "rprivate"
            asked = {
                "readonly": self._mount.get("ReadOnly"),
                "bind-propagation=rprivate": is_private,
            }
            for option, is_there in asked.items():
                if not is_there:
                    raise _refusal(
                        f"option 'bind-recursive=readonly' requires '{option}' to be "
                        "specified in conjunction"
                    )
        order = ("Type", "Source", "Target", "ReadOnly", "Consistency")
        made = {name: self._mount[name] for name in order if self._mount.get(name)}
        return made | self._options

    def _of(self, name: str) -> Body:
        return self._options.setdefault(name, {})

    def _driver(self) -> Body:
        driver: Body = self._of("VolumeOptions").setdefault("DriverConfig", {})
        return driver

    def _recursive(self, value: str) -> None:
        """Read how deep a bind mount goes."""
        meant = {"enabled": "", "disabled": "NonRecursive", "writable":
                 "ReadOnlyNonRecursive", "readonly": "ReadOnlyForceRecursive"}  # fmt: skip
        if value not in meant:
            raise _refusal(
                f'invalid value for bind-recursive: {value} (must be "enabled", '
                '"disabled", "writable", or "readonly")'
            )
        if meant[value]:
            self._of("BindOptions")[meant[value]] = True


def _truth(name: str, value: str) -> bool:
    if value not in (*_TRUE, *_FALSE):
        raise _refusal(f"invalid value for {name}: {value}")
    return value in _TRUE


def _size(name: str, value: str) -> int:
    try:
        return parse_memory(value)
    except SizeRefused:
        raise _refusal(f"invalid value for {name}: {value}") from None


def _mode(name: str, value: str) -> int:
    if not re.fullmatch("[0-7]{1,11}", value):
        raise _refusal(f"invalid value for {name}: {value}")
    return int(value, 8)


def _refusal(what: str) -> MountRefused:
    return MountRefused(
        what,
        why="a mount is SOURCE:TARGET[:ro], or type=bind|volume|tmpfs,src=…,dst=…",
        try_next="minidock run --mount type=tmpfs,dst=/scratch busybox true",
        lesson="mounts",
    )
