"""What counts for the cache, and what is said when it differs."""

from dataclasses import replace
from typing import Any

import pytest

from pyminidock.build.cachekey import (
    MOST_CAUSES,
    Cause,
    Inputs,
    Seen,
    Summing,
    differences,
    fingerprint,
    inputs_of,
    seen_of,
    sum_of,
    sum_of_all,
)


def seen(name: str, content: bytes = b"", **facts: Any) -> Seen:
    facts = {"kind": "file", "size": len(content), **facts}
    summing = Summing(name.encode(), Seen(**facts))
    for at in range(0, len(content), 3):  # content comes in pieces
        summing.feed(content[at : at + 3])
    return summing.seen()


def test_a_file_has_the_sum_that_a_docker_engine_measured() -> None:
    docker = "fa52fee9e5ddcbbed25cc82fda4dedd37851d0f8c927e97384f055eaebf0c75d"
    assert seen("f1", b"x").sum == docker


def test_several_sources_have_the_sum_that_a_docker_engine_measured() -> None:
    file = sum_of([("f1", seen("f1", b"x"))], is_directory=False)
    directory = sum_of([("d", None), ("d/z", seen("d/z", b"y"))], is_directory=True)
    docker = "multi:c0d29205c78ee07fcee1ca03c0baf7218da3c2a09dc2bbc0bf2097f6ff37ec16"
    assert sum_of_all([file, directory]) == docker


@pytest.mark.parametrize(
    "change",
    [{"mode": 0o755}, {"uid": 7}, {"gid": 7}, {"kind": "symlink"}, {"link": "x"},
     {"device": (1, 3)}],
)  # fmt: skip
def test_whatever_counts_changes_the_sum(change: dict[str, Any]) -> None:
    assert seen("f", b"x", **change).sum != seen("f", b"x").sum


def test_a_name_counts() -> None:
    assert seen("f", b"x").sum != seen("g", b"x").sum


def inputs(**facts: Any) -> Inputs:
    return Inputs(**{"text": "COPY . /", "effect": "COPY  in / "} | facts)


def test_two_spellings_of_one_effect_are_the_same_step() -> None:
    assert inputs(text="copy . /").key() == inputs().key()


@pytest.mark.parametrize(
    "change",
    [{"effect": "COPY  in /x "}, {"arguments": {"V": "1"}}, {"settings": {"platform": "x"}},
     {"sources": "file:1"}],
)  # fmt: skip
def test_whatever_can_change_the_result_changes_the_key(change: dict[str, Any]) -> None:
    assert inputs(**change).key() != inputs().key()


def test_what_is_kept_can_be_read_again() -> None:
    files = {"a": seen("a", b"x"), "l": seen("l", kind="symlink", link="a")}
    step = inputs(arguments={"A": "1"}, settings={"s": "2"}, files=files, sources="multi:1")
    kept = dict(map(seen_of, step.file_rows()))
    assert replace(inputs_of(step.to_json()), files=kept) == step
    older = {path: [s.kind, s.mode, s.uid, s.gid, s.size, s.link, s.sum, s.content]
             for path, s in files.items()}  # fmt: skip
    assert inputs_of({**step.to_json(), "files": older}) == step


A = seen("a", b"one")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        pytest.param(seen("a", b"two"), [("content",)], id="another content"),
        pytest.param(seen("a", b"longer"), [("content",)], id="another length"),
        pytest.param(seen("a", b"one", mode=0o600), [("mode", "0644", "0600")], id="mode"),
        pytest.param(seen("a", b"one", uid=5), [("owner", "0:0", "5:0")], id="owner"),
        pytest.param(
            seen("a", b"two", mode=0o600), [("mode", "0644", "0600"), ("content",)],
            id="mode and content",
        ),
        pytest.param(
            seen("a", kind="symlink", link="b"), [("kind", "file", "symlink")], id="kind"
        ),
        pytest.param(None, [("removed", A.sum, "")], id="gone"),
        pytest.param(A, [], id="nothing"),
    ],
)  # fmt: skip
def test_a_file_that_differs_is_named_with_what_differs(
    now: Seen | None, told: list[tuple[str, ...]]
) -> None:
    old = inputs(files={"a": A}, sources="1")
    new = inputs(files={"a": now} if now else {}, sources="2")
    found = differences(old, new)
    assert all((cause.cause, cause.path) == ("file", "a") for cause in found)
    said = [(cause.detail, cause.before, cause.after) for cause in found]
    assert [each[: len(t)] for each, t in zip(said, told, strict=True)] == told


def test_a_file_that_came_is_named() -> None:
    new = inputs(files={"a": A}, sources="2")
    assert differences(inputs(sources="1"), new) == (
        Cause("file", "added", "a", "", A.sum),
    )


def test_two_causes_at_once_are_both_told() -> None:
    old = inputs(text="RUN a", effect="a", arguments={"V": fingerprint("1"), "W": "w"})
    new = replace(
        old, text="RUN b", effect="b", arguments={"V": fingerprint("2"), "W": "w"}
    )
    told = [(cause.cause, cause.detail) for cause in differences(old, new)]
    assert told == [("instruction", ""), ("argument", "V")]
    assert differences(old, new)[1].before != "1"


def test_of_many_causes_the_first_are_told() -> None:
    files = {f"{number:03}": A for number in range(100)}
    found = differences(inputs(sources="1"), inputs(files=files, sources="2"))
    assert [cause.path for cause in found] == sorted(files)[:MOST_CAUSES]


def test_words_that_are_filled_in_with_something_else_name_the_variable() -> None:
    old = inputs(
        text="ENV E=$V", effect="sh #(nop)  ENV E=1", variables={"V": "1", "W": "w"}
    )
    new = replace(old, effect="sh #(nop)  ENV E=2", variables={"V": "2", "W": "w"})
    assert old.key() == replace(old, variables={}).key()
    assert differences(old, new) == (Cause("variable", "V", "", "1", "2"),)


@pytest.mark.parametrize(
    ("text", "effect"), [("RUN a b", "{} a b"), ("CMD a", '{} #(nop)  CMD ["{}" "a"]')]
)
def test_another_shell_is_a_cause_of_its_own(text: str, effect: str) -> None:
    old, new = (
        inputs(text=text, effect=effect.replace("{}", shell))
        for shell in ("/bin/sh -c", "/bin/sh -ec")
    )
    assert differences(old, new) == (
        Cause("setting", "shell", "", "/bin/sh -c", "/bin/sh -ec"),
    )


def test_words_that_mean_something_else_for_no_known_reason_say_so() -> None:
    told = differences(inputs(text="RUN a", effect="x"), inputs(text="RUN a", effect="x y"))
    assert [cause.cause for cause in told] == ["setting"]
    told = differences(
        inputs(text="USER a", effect="sh #(nop)  USER 1"),
        inputs(text="USER a", effect="sh #(nop)  USER 2"),
    )
    assert [(cause.cause, cause.detail) for cause in told] == [("instruction", "meaning")]


def link(to: str, sum_: str) -> Seen:
    """Give a link with the sum of what it leads to."""
    return Seen("symlink", 0o777, link=to, sum=sum_)


def test_a_link_is_told_only_where_it_changed_itself_or_nothing_else_did() -> None:
    old = inputs(files={"a": A, "l": link("a", A.sum)}, sources="1")
    other = seen("a", b"two")
    echo = inputs(files={"a": other, "l": link("a", other.sum)}, sources="2")
    assert [cause.path for cause in differences(old, echo)] == ["a"]
    moved = inputs(files={"a": A, "l": link("b", "l")}, sources="2")
    assert [(c.path, c.detail) for c in differences(old, moved)] == [("l", "link")]
    far = inputs(files={"a": A, "l": link("a", "else")}, sources="2")
    assert [(c.path, c.detail) for c in differences(old, far)] == [("l", "content")]


def test_a_link_to_nothing_that_leads_to_another_nothing_is_another_step() -> None:
    old = inputs(files={"l": link("x", "l")}, sources="1")
    new = inputs(files={"l": link("y", "l")}, sources="1")
    assert old.key() != new.key()
    assert [(c.detail, c.before, c.after) for c in differences(old, new)] == [
        ("link", "x", "y")
    ]


def test_a_link_in_a_circle_does_not_count_in_the_sum_of_a_directory() -> None:
    others: list[tuple[str, Seen | None]] = [("d", None), ("d/x", A)]
    circle = ("d/l", link("l", ""))
    whole = sum_of([*others, circle], is_directory=True)
    assert whole == sum_of(others, is_directory=True)
