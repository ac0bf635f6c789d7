"""The bodies to stand on: the model always, Linux where we are root."""

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import leaks
from tests.contract.plans import birth
from tests.contract.stands import (
    LinuxStand,
    ModelStand,
    Stand,
    end,
    linux_stand,
    model_stand,
    start,
)

ENDING = ("process ", "zombie ", "keyring ")


@pytest.fixture
def model() -> ModelStand:
    """The model alone, on a machine of its own."""
    return model_stand()


@pytest.fixture
def linux_root() -> Iterator[Path]:
    """A directory on a disk that can carry an overlay's upper layer; gone afterwards."""
    root = Path(tempfile.mkdtemp(prefix="minidock-contract-", dir="/var/tmp"))
    yield root
    shutil.rmtree(root)


@pytest.fixture
def linux(linux_root: Path) -> Iterator[LinuxStand]:
    """The kernel of this machine alone, with its helpers already running."""
    stand = linux_stand(linux_root)
    end(stand, start(stand, birth(stand.place)))
    stand.clear()
    stand.heard.clear()
    deadline = time.monotonic() + 5.0
    while "helper minidock-birth" not in (seen := stand.picture()):  # the next comes in
        assert time.monotonic() < deadline, seen
        threading.Event().wait(0.02)
    # Its shim may still be on its way out; nobody but helpers is to be in a first picture.
    idle = Counter({n: 9 for n in seen if not n.startswith(ENDING)})
    left = leaks.settled(idle, stand.picture, timeout_s=5.0)
    assert left == (), left
    yield stand
    stand.body.close()


@pytest.fixture(params=["model", pytest.param("linux", marks=pytest.mark.edge)])
def stand(request: pytest.FixtureRequest) -> Stand:
    """Each body in turn."""
    found: Stand = request.getfixturevalue(request.param)
    return found
