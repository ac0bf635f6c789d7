"""The limits of a build, as a query spells them: numbers one by one, ulimits as JSON.

    memory=67108864&cpusetcpus=0&ulimits=[{"Name":"nofile","Soft":5,"Hard":9}]

A number that is none counts as 0, as with Docker; what cannot be kept is refused by the
first RUN, whose container it is.

Source: moby, api/server/router/build/build_routes.go, newImageBuildOptions.
"""

from collections.abc import Mapping

from pyminidock.api import structs
from pyminidock.api.body import Fields, kind_of, read_json
from pyminidock.api.failures import BadRequest
from pyminidock.build.options import Limits
from pyminidock.container.fields import ULIMIT
from pyminidock.grammar.ulimits import Ulimit


def read(query: Mapping[str, str]) -> Limits:
    """Read them.  Raises BadRequest.

    >>> read({"memory": "7", "cpushares": "x"}) == Limits(memory_bytes=7)
    True
    """
    return Limits(
        _number(query, "memory"), _number(query, "memswap"), _number(query, "cpushares"),
        _number(query, "cpuperiod"), _number(query, "cpuquota"),
        query.get("cpusetcpus", ""), query.get("cpusetmems", ""),
        query.get("cgroupparent", ""), _number(query, "shmsize"),
        _ulimits(query.get("ulimits", "")),
    )  # fmt: skip


def _number(query: Mapping[str, str], name: str) -> int:
    try:
        value = int(query.get(name, "0"))
    except ValueError:
        return 0
    return value if -(2**63) <= value < 2**63 else 0


def _ulimits(text: str) -> tuple[Ulimit, ...]:
    if not text:
        return ()
    try:
        value = read_json(text.encode())
        if value is None:
            return ()
        if not isinstance(value, list):
            raise _misfit(value, "[]*units.Ulimit")
        return tuple(_ulimit(each) for each in value if each is not None)
    except BadRequest as fault:
        raise BadRequest(
            f"error reading ulimit settings: {fault.what.removeprefix('invalid JSON: ')}",
            why="a list of limits is expected",
            try_next='[{"Name":"nofile","Soft":1024,"Hard":2048}]',
        ) from fault


def _ulimit(value: object) -> Ulimit:
    if not isinstance(value, dict):
        raise _misfit(value, "units.Ulimit")
    said, _ = structs.read(Fields(value, "", "Ulimit"), ULIMIT)
    return Ulimit(said.get("name", ""), said.get("soft", 0), said.get("hard", 0))


def _misfit(value: object, wanted: str) -> BadRequest:
    return BadRequest(
        f"json: cannot unmarshal {kind_of(value)} into Go value of type {wanted}",
        why="ulimits are objects in a list",
        try_next='[{"Name":"nofile","Soft":1024,"Hard":2048}]',
    )
