"""What only another kernel can show: cgroup v2, and an overlay that is missing.

The guest runs once; each test is one of its checks, so that a failure has a name.
"""

import ast
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vm.machine import Check, boot

GUEST = ast.parse(Path(__file__).with_name("guest.py").read_text())
CHECKS = [
    name.id
    for node in ast.walk(GUEST)
    if isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple)
    for name in node.iter.elts
    if isinstance(name, ast.Name)
]


@pytest.fixture(scope="session")
def guest() -> Iterator[dict[str, Check]]:
    """Boot the machine and give what it said."""
    with tempfile.TemporaryDirectory(prefix="minidock-vm-") as place:
        yield boot(Path(place))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("check", CHECKS)
def test_in_the_virtual_machine(guest: dict[str, Check], check: str) -> None:
    assert check in guest, "the guest did not come so far"
    assert guest[check].ok, guest[check].detail


def test_every_check_of_the_guest_has_a_test() -> None:
    functions = [n.name for n in GUEST.body if isinstance(n, ast.FunctionDef)]
    helpers = ("load_overlay", "_is_taken")
    checks = [n for n in functions if "_" in n and n not in helpers]
    assert set(checks) <= set(CHECKS)
