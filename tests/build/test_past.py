"""Two builds of one name side by side: what stayed, changed, came, went and moved."""

import pytest

from pyminidock.build.past import Past, beside
from pyminidock.store.cache import DoneStep

THEN = ("FROM", "WORKDIR /app", "COPY a .", "RUN make", "CMD app")


def past(then: tuple[str, ...], now: tuple[str, ...]) -> Past:
    return beside([DoneStep("", str(n), "", text) for n, text in enumerate(then)], now)


def told(then: tuple[str, ...], now: tuple[str, ...]) -> list[str]:
    """Give for each instruction of now what it was: words, and what was lost before it."""
    found = []
    for each in past(then, now).counterparts:
        said = each.step.text if each.step else "moved" if each.is_moved else "new"
        lost = (f" ({'-' if moved else 'x'} {step.text})" for step, moved in each.lost)
        found.append(said + "".join(lost))
    return found


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        pytest.param(THEN, [*THEN], id="the same"),
        pytest.param(
            ("FROM", "workdir  /app", "COPY a .", "RUN make", "CMD app"), [*THEN],
            id="spelt otherwise",
        ),
        pytest.param(
            ("FROM", "WORKDIR /app", "ADD b .", "RUN make", "CMD app"), [*THEN],
            id="one rewritten",
        ),
        pytest.param(
            ("FROM", "WORKDIR /srv", "COPY b .", "RUN make", "CMD app"), [*THEN],
            id="two rewritten, each of its kind",
        ),
        pytest.param(
            ("FROM", "WORKDIR /app", "USER a", "COPY a .", "RUN make", "CMD app"),
            ["FROM", "WORKDIR /app", "new", "COPY a .", "RUN make", "CMD app"],
            id="one more",
        ),
        pytest.param(
            ("FROM", "WORKDIR /app", "RUN make", "CMD app"),
            ["FROM", "WORKDIR /app", "RUN make (x COPY a .)", "CMD app"], id="one less",
        ),
        pytest.param(
            ("FROM", "WORKDIR /app", "RUN make", "COPY a .", "CMD app"),
            ["FROM", "WORKDIR /app", "moved", "COPY a .", "CMD app (- RUN make)"],
            id="two swapped",
        ),
        pytest.param(
            ("FROM", "RUN make", "CMD app", "WORKDIR /app"),
            ["FROM", "RUN make (- WORKDIR /app) (x COPY a .)", "CMD app", "moved"],
            id="one moved down, one gone",
        ),
        pytest.param(
            ("FROM", "WORKDIR /app", "COPY b .", "USER c", "CMD app"),
            ["FROM", "WORKDIR /app", "COPY a .", "new", "CMD app (x RUN make)"],
            id="of two the kinds are paired, the others are new and gone",
        ),
        pytest.param(("X", "Y"), ["new", "new"], id="nothing of it"),
    ],
)  # fmt: skip
def test_each_instruction_is_laid_beside_what_it_was(
    now: tuple[str, ...], wanted: list[str]
) -> None:
    assert told(THEN, now) == wanted


def test_without_a_last_build_there_is_nothing_to_lay_beside() -> None:
    assert told((), ("FROM", "RUN a")) == ["new", "new"]
    assert Past().of(3).step is None


def test_very_many_instructions_are_laid_side_by_side_in_no_time() -> None:
    then = ("FROM", *["RUN true"] * 3000, "CMD a")
    now = ("FROM", "USER b", *["RUN true"] * 2000, "ENV c", "CMD a")
    laid = past(then, now)
    assert len(laid.counterparts) == len(now)
    assert laid.counterparts[0].step == laid.steps[0]
    assert laid.counterparts[-1].step == laid.steps[-1]
    assert laid.counterparts[1].step is None
