"""Stages: who needs whom, what a name means, and what a target can do without."""

import time

import pytest

from pyminidock.dockerfile.malformed import DockerfileMalformed
from pyminidock.dockerfile.parse import parse
from pyminidock.dockerfile.stages import find_target, in_order, needed, stages

CHAIN = """\
ARG TAG=1
FROM golang:$TAG AS Build
RUN make
FROM busybox AS docs
FROM build as test
FROM scratch
COPY --from=build /app /
COPY --from=2 /report /
COPY --from=nginx:1 /etc/nginx /etc/nginx
RUN --mount=type=bind,from=alpine,target=/a true
"""


def test_names_and_numbers_become_stages_and_the_rest_images() -> None:
    build, docs, test, last = stages(parse(CHAIN))
    assert (build.name, build.start.base, build.base_as_written) == (
        "build", "golang:1", "golang:$TAG",
    )  # fmt: skip
    assert (test.base, docs.base, last.base) == (0, None, None)
    assert last.sources == {"build": 0, "2": 2}
    assert last.images == ("nginx:1", "alpine")
    assert [stage.needs for stage in (build, docs, test, last)] == [
        set(), set(), {0}, {0, 2},
    ]  # fmt: skip


def test_a_target_needs_what_it_names_and_nothing_else() -> None:
    made = stages(parse(CHAIN))
    assert needed(made, find_target(made)) == {0, 2, 3}
    assert needed(made, find_target(made, "TEST")) == {0, 2}
    assert needed(made, find_target(made, "docs")) == {1}


@pytest.mark.parametrize("target", ["zz", "0", "golang"])
def test_a_target_is_the_name_of_a_stage(target: str) -> None:
    with pytest.raises(DockerfileMalformed) as refused:
        find_target(stages(parse(CHAIN)), target)
    assert refused.value.what == f'target stage "{target}" could not be found'
    assert "build, docs, test" in refused.value.try_next


def test_a_build_argument_may_choose_a_stage() -> None:
    text = "ARG B=busybox\nFROM alpine AS one\nFROM $B\n"
    assert stages(parse(text))[1].base is None
    assert stages(parse(text), {"B": "ONE"})[1].base == 0


def test_from_looks_upwards_only() -> None:
    first, _ = stages(parse("FROM later\nFROM busybox AS later\n"))
    assert (first.base, first.start.base) == (None, "later")


def test_copy_may_look_down_and_then_the_order_changes() -> None:
    text = "FROM a AS one\nCOPY --from=two / /\nFROM b AS two\nFROM one\n"
    made = stages(parse(text))
    assert in_order(made, needed(made, 2)) == (1, 0, 2)
    assert in_order(made, frozenset((1,))) == (1,)


def test_a_file_of_arguments_has_no_stage() -> None:
    assert stages(parse("ARG A\n")) == ()


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("FROM a AS x\nFROM b AS X\n", "x stage name already used", 2),
        ("FROM a\nRUN x\nCOPY --from=7 / /\n",
         "invalid from flag value 7: index out of bounds", 3),
        ("FROM a\nCOPY --from=-1 / /\n",
         "invalid from flag value -1: index out of bounds", 2),
        ("FROM a\nCOPY --from=0 / /\n",
         "invalid from flag value 0: refers to current build stage", 2),
        ("FROM a AS me\nCOPY --from=me / /\n",
         "circular dependency detected on stage: me", 1),
        ("FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /\n",
         "circular dependency detected on stage: x", 1),
    ],
)  # fmt: skip
def test_impossible_needs_are_refused(text: str, message: str, line: int) -> None:
    with pytest.raises(DockerfileMalformed) as refused:
        stages(parse(text))
    assert (refused.value.what, refused.value.line) == (message, line)
    assert "^" in refused.value.caret()


def test_a_name_without_a_value_leaves_nothing_to_begin_from() -> None:
    (stage,) = stages(parse("FROM ${X}\n"))
    assert (stage.start.base, stage.base_as_written) == ("", "${X}")


def test_a_long_chain_of_stages_takes_no_longer_than_its_length() -> None:
    text = "FROM a AS s0\n" + "".join(f"FROM s{n} AS s{n + 1}\n" for n in range(10_000))
    started = time.process_time()
    made = stages(parse(text))
    assert len(in_order(made, needed(made, len(made) - 1))) == 10_001
    assert time.process_time() - started < 10
