"""Devices as flags spell them: which to give, and how fast they may be used.

    --device /dev/null:/dev/zero:rw          HOST[:CONTAINER][:PERMISSIONS]
    --device-read-bps /dev/sda:1mb           a rate, in bytes
    --blkio-weight-device /dev/sda:300       a share, from 10 to 1000
    --gpus 'device=0,capabilities=compute'   what a driver is asked for

Source: docker/cli, opts/{throttledevice,weightdevice,gpus}.go and container/opts.go.
"""

import csv
import io
import re
from typing import Any

from pyminidock.errors import MinidockError
from pyminidock.grammar.sizes import SizeRefused, parse_memory

_CDI = re.compile(r"[A-Za-z][\w.-]*\.?[\w.-]*/[A-Za-z][\w-]*=[\w.:-]+")
Body = dict[str, Any]


class DeviceRefused(MinidockError):
    """The text names no device, or no use of it."""

    status = 400


def is_qualified(text: str) -> bool:
    """Tell whether a device is one that a vendor describes: vendor.com/class=name."""
    return bool(_CDI.fullmatch(text)) and not text.startswith("/")


def parse_device(text: str) -> Body:
    """Read the argument of `--device`.

    >>> parse_device("/dev/null:rw")["CgroupPermissions"]
    'rw'
    """
    host, *others = text.split(":", 2)
    container, mode = host, "rwm"
    if len(others) == 2:
        container, mode = others
        if not _is_mode(mode):
            raise _refusal(f"bad mode specified: {mode}")
    elif others and _is_mode(others[0]):
        mode = others[0]
    elif others:
        container = others[0]
    if not container.startswith("/"):
        raise _refusal(f"{container} is not an absolute path")
    return {"PathOnHost": host, "PathInContainer": container, "CgroupPermissions": mode}


def parse_device_rule(text: str) -> str:
    """Read the argument of `--device-cgroup-rule`."""
    if not re.fullmatch(r"[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}", text):
        raise _refusal(f"invalid device cgroup format '{text}'")
    return text


def parse_rate(text: str) -> Body:
    """Read a device and bytes a second.

    >>> parse_rate("/dev/sda:1mb")
    {'Path': '/dev/sda', 'Rate': 1048576}
    """
    path, rate = _pair(text)
    try:
        return {"Path": path, "Rate": parse_memory(rate)}
    except SizeRefused:
        raise _refusal(
            f"invalid rate for device: {text}. The correct format is <device-path>:<number>"
            "[<unit>]. Number must be a positive integer. Unit is optional and can be kb, "
            "mb, or gb"
        ) from None


def parse_operations(text: str) -> Body:
    """Read a device and operations a second."""
    path, rate = _pair(text)
    if not re.fullmatch("[0-9]{1,20}", rate):
        raise _refusal(
            f"invalid rate for device: {text}. The correct format is <device-path>:<number>"
            ". Number must be a positive integer"
        )
    return {"Path": path, "Rate": int(rate)}


def parse_weight(text: str) -> Body:
    """Read a device and its share."""
    path, weight = _pair(text)
    is_number = re.fullmatch("[0-9]{1,5}", weight)
    if not is_number or (int(weight) and not 10 <= int(weight) <= 1000):
        raise _refusal(f"invalid weight for device: {text}")
    return {"Path": path, "Weight": int(weight)}


def parse_gpus(text: str) -> Body:
    """Read the argument of `--gpus`.

    >>> parse_gpus("all")["Count"], parse_gpus("device=0")["DeviceIDs"]
    (-1, ['0'])
    """
    asked: Body = {"Driver": "", "Count": 0, "DeviceIDs": None, "Capabilities": None,
                   "Options": {}}  # fmt: skip
    capabilities, names = [], set()
    for field in next(csv.reader(io.StringIO(text)), []):
        name, equals, value = field.partition("=")
        if name in names:
            raise _refusal(f"gpu request key '{name}' can be specified only once")
        names.add(name)
        if not equals:
            asked["Count"] = _count(name)
        elif name == "driver":
            asked["Driver"] = value
        elif name == "count":
            asked["Count"] = _count(value)
        elif name == "device":
            asked["DeviceIDs"] = value.split(",")
        elif name == "capabilities":
            capabilities = value.split(",")
        elif name == "options":
            pairs = next(csv.reader(io.StringIO(value)), [])
            asked["Options"] = dict(pair.partition("=")[::2] for pair in pairs)
        else:
            raise _refusal(f"unexpected key '{name}' in '{field}'")
    is_counted = not asked["Count"] and asked["DeviceIDs"] is None
    asked["Count"] = 1 if is_counted else asked["Count"]
    asked["Capabilities"] = [[*capabilities, "gpu"]]
    return asked


def _count(text: str) -> int:
    if text == "all":
        return -1
    if not re.fullmatch("[0-9]+", text):
        raise _refusal(f'invalid count ({text}): value must be either "all" or an integer')
    return int(text)


def _is_mode(text: str) -> bool:
    return bool(re.fullmatch("[rwm]+", text)) and len(set(text)) == len(text)


def _pair(text: str) -> tuple[str, str]:
    path, colon, value = text.partition(":")
    if not colon or not path:
        raise _refusal(f"bad format: {text}")
    if not path.startswith("/dev/"):
        raise _refusal(f"bad format for device path: {text}")
    return path, value


def _refusal(what: str) -> DeviceRefused:
    return DeviceRefused(
        what,
        why="a device is a path below /dev, and behind a colon what it may be used for",
        try_next="minidock run --device /dev/null busybox true",
        lesson="devices",
    )
