"""Glass against the kernel's own overlayfs: random layers, random calls, the same answers.

The kernel is the judge, as it is of the pure model (`test_union_by_the_kernel`); the calls
are chosen there.  Each call has to give the same result or the same error; in the end the
merged tree and the meaning of the upper directory agree.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.edge.test_union_by_the_kernel import (
    CALLS,
    FOUND,
    PLAIN,
    RICH,
    Judge,
    granted,
    layer,
    meaning,
)
from tests.edge.union_model import Calls

pytestmark = pytest.mark.edge
Layers = list[list[list[Any]]]


@pytest.fixture(scope="module")
def judges() -> Iterator[tuple[Judge, Judge]]:
    """The kernel, and glass, each in a mount namespace of its own."""
    kernel, ours = Judge(), Judge()
    yield kernel, ours
    kernel.close()
    ours.close()


def tried(
    judges: tuple[Judge, Judge], options: str, layers: Layers, calls: list[list[Any]]
) -> None:
    """Do the same on both sides and compare everything that can be seen."""
    kernel, ours = judges
    right, here = (
        kernel.call(layers, options, calls),
        ours.call(layers, options, calls, "glass"),
    )
    for number, (answer, wanted) in enumerate(
        zip(here["answers"], right["answers"], strict=True)
    ):
        so_far = f"{options} {layers} {calls[: number + 1]}"
        assert answer == wanted, f"{so_far}\nthe kernel {wanted}, glass {answer}"
    assert here["merged"] == right["merged"], f"{options} {layers} {calls}"
    assert meaning(here["upper"]) == meaning(right["upper"]), f"{options} {layers} {calls}"


def chosen(layers: Layers, options: str, wishes: list[list[Any]]) -> list[list[Any]]:
    """Turn wishes into calls, by what the pure model shows when their turn comes."""
    model, calls = Calls(layers, options), list[list[Any]]()
    for wish in wishes:
        calls.append(granted(model, wish))
        model.call(*calls[-1])
    return calls


@pytest.mark.timeout(3600)  # 5,000 sequences in `make soak`
@pytest.mark.parametrize("options", [PLAIN, RICH], ids=["plain", "rich"])
def test_glass_does_what_the_kernel_does(
    judges: tuple[Judge, Judge], at_length: Callable[[int], int], options: str
) -> None:
    @settings(
        max_examples=at_length(2500),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(
        st.lists(layer(), min_size=1, max_size=3), st.lists(CALLS, min_size=1, max_size=40)
    )
    def sequence(layers: Layers, wishes: list[list[Any]]) -> None:
        tried(judges, options, layers, chosen(layers, options, wishes))

    sequence()


@pytest.mark.parametrize("options", [PLAIN, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize(("layers", "calls"), FOUND)
def test_once_found(
    judges: tuple[Judge, Judge], options: str, layers: Layers, calls: list[list[Any]]
) -> None:
    tried(judges, options, layers, calls)
