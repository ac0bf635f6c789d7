"""A meter that sees nothing proves nothing: every kind of leak, is named."""

import pytest

from tests.edge.leak_injections import INJECTIONS
from tests.edge.private import run

Found = dict[str, tuple[str, list[str], list[str]]]


@pytest.fixture(scope="module")
def found() -> Found:
    """What the meter saw of each injection, in namespaces of its own."""
    measured = run("tests.edge.leak_injections", timeout_s=120)
    assert isinstance(measured, dict)
    return measured


@pytest.mark.edge
@pytest.mark.parametrize("kind", INJECTIONS)
def test_a_leak_is_named_by_the_meter_and_gone_when_it_is_gone(
    found: Found, kind: str
) -> None:
    expected, seen, afterwards = found[kind]
    assert expected in seen
    assert afterwards == []


@pytest.mark.edge
@pytest.mark.parametrize("kind", ["process", "zombie", "cgroup", "descriptor", "thread"])
def test_nothing_else_is_named(found: Found, kind: str) -> None:
    expected, seen, _ = found[kind]
    assert seen == [expected]
