"""The fifth column of `explain survives`: the power goes, and the machine boots again.

The guest runs twice on one disk; each test is one of its checks, so that a failure has a
name.
"""

import ast
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vm.machine import Check, boot, make_disk

GUEST = ast.parse(Path(__file__).with_name("rebooted.py").read_text())
CHECKS = [
    name.id
    for node in GUEST.body
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
    for name in node.value.elts
    if isinstance(name, ast.Name)
]


@pytest.fixture(scope="module")
def guest() -> Iterator[dict[str, Check]]:
    """Boot, let the power go, boot again; give what both said."""
    with tempfile.TemporaryDirectory(prefix="minidock-vm-") as name:
        place = Path(name)
        disk = make_disk(place)
        said: dict[str, Check] = {}
        for stage in ("before", "after"):
            options = f"GUEST=rebooted STAGE={stage}"
            said |= boot(place, options=options, disk=disk, timeout_s=700)
        yield said


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("check", CHECKS)
def test_what_is_said_of_a_reboot_is_what_becomes_of_everything(
    guest: dict[str, Check], check: str
) -> None:
    assert check in guest, {name: each.detail for name, each in guest.items()}
    assert guest[check].ok, guest[check].detail


def test_every_check_of_the_guest_has_a_test() -> None:
    functions = [n.name for n in GUEST.body if isinstance(n, ast.FunctionDef)]
    helpers = {"is_there", "port_of", "address_of"}
    assert {n for n in functions if "_" in n} - helpers == set(CHECKS)
