"""The one network there is so far: `none`, in which a container has its own loopback.

Whatever a container asked for, it is alone in its network; so a list that named others
would promise what nobody keeps.  What makes or changes networks is refused with
one sentence (`api.elsewhere`).

Source: moby, daemon/network.go, api/types/filters; measured on Docker Engine 26.1.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from pyminidock.engine.document import moment
from pyminidock.engine.filters import Filters
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError

Document = dict[str, Any]
NONE = "none"
FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")


class NoSuchNetwork(MinidockError):
    """There is no network of this name or id."""

    status = 404


def list_(house: House, said: Mapping[str, Any] | None = None) -> list[Document]:
    """List the networks that pass the filters.  Raises FilterRefused."""
    wanted = Filters(said or {}, FILTERS)
    found = _none(house)
    fitting = {
        "name": lambda value: value in found["Name"],
        "id": found["Id"].startswith,
        "driver": lambda value: value == found["Driver"],
        "scope": lambda value: value == found["Scope"],
        "type": lambda value: value == "builtin",
        "label": lambda value: False,
        "dangling": lambda value: value.lower() in ("0", "false"),
    }
    is_wanted = all(
        any(map(fits, wanted.values(name)))
        for name, fits in fitting.items() if wanted.has(name)
    )  # fmt: skip
    return [found] if is_wanted else []


def inspect(house: House, reference: str) -> Document:
    """Tell of one network, by name or the beginning of its id.  Raises NoSuchNetwork."""
    found = _none(house)
    if reference != found["Name"] and not found["Id"].startswith(reference):
        raise NoSuchNetwork(
            f"network {reference[:200]} not found",
            why="a container is alone with its loopback here; other networks are to come",
            try_next="docker network ls",
            lesson="networks",
        )
    return found


def _none(house: House) -> Document:
    made = hashlib.sha256(f"{house.machine.hostname}:{house.root}:{NONE}".encode())
    return {
        "Name": NONE,
        "Id": made.hexdigest(),
        "Created": moment((house.root / "oci/oci-layout").stat().st_mtime),
        "Scope": "local",
        "Driver": "null",
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": None},
        "Internal": False,
        "Attachable": False,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {},
        "Options": {},
        "Labels": {},
    }
