"""What is left of a container is computed from where each of its facts lives."""

from dataclasses import replace

import pytest

from pyminidock.container.asked import PortBinding, Reach
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.container.survival import COLUMNS, Fact, Seen, survival
from pyminidock.grammar.tmpfs import TmpfsMount
from pyminidock.volume.points import MountPoint
from tests.container.wishes import decide, wish

SEEN = Seen("/srv/upper", ("/w",), 0, 2, "/srv/log")
POINTS = (
    MountPoint("volume", "/named", "/v/data/_data", name="data"),
    MountPoint("volume", "/un", "/v/7e/_data", name="7e", is_unnamed=True),
    MountPoint("bind", "/host", "/srv"),
    MountPoint("volume", "/mem", "/v/mem/_data", name="mem"),
)


def spec(**changes: object) -> ContainerSpec:
    made = decide(wish(network_mode="none"))
    return replace(made, points=POINTS, tmpfs=(TmpfsMount("/t"),), **changes)  # type: ignore[arg-type]


def fates(kind: str, found: tuple[Fact, ...]) -> str:
    (fact,) = (each for each in found if each.kind == kind)
    return " ".join(fact.fates)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("written file", "kept kept lost lost kept"),
        ("named volume", "kept kept kept kept kept"),
        ("unnamed volume", "kept kept left anew kept"),
        ("tree of the host", "kept kept kept kept kept"),
        ("volume in memory", "lost lost lost lost lost"),
        ("tmpfs", "lost lost lost lost lost"),
        ("output", "kept kept lost lost kept"),
        ("exit code", "kept lost lost lost kept"),
    ],
)
def test_where_a_fact_lives_decides_what_becomes_of_it(kind: str, expected: str) -> None:
    seen = replace(SEEN, in_memory=frozenset(("mem",)))
    found = survival(spec(), CreateRequest("busybox", network_mode="none"), seen)
    assert len(COLUMNS) == 5
    assert fates(kind, found) == expected


def test_with_rm_the_exit_is_the_removal() -> None:
    request = CreateRequest("busybox", network_mode="none", auto_remove=True)
    found = survival(
        spec(auto_remove=True), request, replace(SEEN, in_memory=frozenset(("mem",)))
    )
    assert fates("written file", found).startswith("lost kept lost")
    assert fates("unnamed volume", found).startswith("lost kept lost anew")
    assert fates("named volume", found) == "kept kept kept kept kept"


def test_a_port_that_was_chosen_by_the_engine_is_another_one_after_a_restart() -> None:
    reach = Reach(published=(
        PortBinding("80/tcp", (("", "8080"),)), PortBinding("81/tcp", (("", ""),)),
    ))  # fmt: skip
    found = survival(spec(), CreateRequest("busybox", reach=reach), SEEN)
    ports = {each.what: each.fates[1] for each in found if each.kind == "published port"}
    assert ports == {"8080 → 80/tcp": "kept", "any → 81/tcp": "anew"}
