"""A build with too few descriptors ends in an error, and costs nothing that stays."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyminidock.errors import MinidockError
from tests.builder import Context, Kitchen, kitchen

CONTEXT: Context = {
    "Dockerfile": (
        "FROM busybox AS first\nCOPY app /srv/\nRUN cp /srv/app /srv/copy\n"
        "FROM busybox\nWORKDIR /srv\nCOPY --from=first /srv/copy .\n"
    ),
    "app": "print(1)\n",
}
MOST = 40  # more than a build needs at a time


@pytest.fixture
def cook(tmp_path: Path) -> Iterator[Kitchen]:
    with kitchen(tmp_path / "root", "busybox") as cook:
        yield cook


@contextmanager
def at_most(descriptors: int) -> Iterator[None]:
    """Let this process open only so many more: the numbers below are all taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    top, held = highest(), [os.dup(0)]
    while held[-1] < top:
        held.append(os.dup(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1] + 1 + descriptors, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in held:
            os.close(descriptor)


def highest() -> int:
    """Give the highest descriptor that is open."""
    return max(int(path.name) for path in Path("/proc/self/fd").iterdir())


@pytest.mark.edge
@pytest.mark.soak
def test_a_build_without_descriptors_fails_and_leaves_nothing(
    cook: Kitchen, at_length: Callable[[int], int]
) -> None:
    assert cook.build(CONTEXT, uses_cache=False).image
    ends = []
    for few in range(0, MOST, 1 if at_length(20) == 20 else 5):
        with at_most(few):
            ends.append(end_of(cook))
        assert cook.remains() == [], few
    print(*ends, sep="\n")  # noqa: T201
    assert ends[-1] == "built"
    assert {each.lower() for each in ends[: ends.index("built")]} <= {
        "too many open files", "the engine failed: too many open files",
    }  # fmt: skip
    assert cook.build(CONTEXT, uses_cache=False).image


def end_of(cook: Kitchen) -> str:
    """Build all of it; give what was said of a failure, "built" without one."""
    try:
        built = cook.build(CONTEXT, uses_cache=False, removes_always=True)
    except OSError as refusal:
        return refusal.strerror or ""
    except MinidockError as refusal:
        return refusal.what
    return built.failure.message if built.failure else "built"
