"""A story that is written down comes back, whatever happened to the file meanwhile."""

import json
from dataclasses import fields, replace
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock import events
from pyminidock.events import Event, LayerProbed, Mounted, UserResolved
from pyminidock.events.journal import (
    MAX_LINE_CHARACTERS,
    MAX_TRACE_CHARACTERS,
    Header,
    LineDamaged,
    Record,
    TraceUnreadable,
    data_of,
    event_of,
    from_line,
    header_from_line,
    header_to_line,
    line_of,
    read_trace,
    record_kinds,
    record_of,
    to_line,
    wording,
)

PROBED = record_of(
    LayerProbed("/etc/motd", "top", "absent"),
    seq=118, story="run-3f2a", operation="start-1", parent=111, phase="probe", t=0.184,
    wall=1767225600.5, src="unionfs/lookup.py:117", backend="simulated",
)  # fmt: skip
HEADER = Header("run-3f2a", "run busybox", "2026-01-01T00:00:00Z", "linux-root")

# Bytes of file names that are no UTF-8 travel as lone *low* surrogates (surrogateescape).
# High ones never occur, and before a low one JSON would read the pair as one character.
TEXT = st.text(
    st.characters(exclude_categories=[]).filter(lambda c: not "\ud800" <= c <= "\udbff")
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Give arbitrary values of the type that a field is annotated with."""
    if hint in SCALARS:
        return SCALARS[hint]
    assert get_origin(hint) is tuple, f"events hold plain values, not {hint}"
    of = get_args(hint)
    if of[-1] is Ellipsis:
        return st.lists(values_of(of[0]), max_size=4).map(tuple)
    return st.tuples(*map(values_of, of))


def events_of(cls: type[Event]) -> st.SearchStrategy[Event]:
    hints = get_type_hints(cls)
    return st.builds(
        cls, **{each.name: values_of(hints[each.name]) for each in fields(cls)}
    )


@pytest.mark.parametrize("cls", record_kinds().values(), ids=record_kinds())
@settings(max_examples=30, deadline=None)  # for each of some sixty classes
@given(data=st.data())
def test_every_event_comes_back_from_its_line(
    cls: type[Event], data: st.DataObject
) -> None:
    event = data.draw(events_of(cls))
    record = replace(PROBED, kind=events.kind_of(cls), data=data_of(event))
    line = to_line(record)
    assert line.isascii()
    assert "\n" not in line
    assert from_line(line) == record
    assert event_of(from_line(line)) == event
    said, circumstances = wording(event, record.linux), {
        name: getattr(record, name)
        for name in ("seq", "story", "operation", "parent", "phase", "t", "wall", "src",
                     "backend")
    }  # fmt: skip
    line = line_of(event, said, **circumstances)  # the journal's shorter way
    assert line.isascii()
    assert from_line(line) == replace(record, evidence=event.evidence)


def test_every_word_of_the_vocabulary_has_a_kind_of_its_own() -> None:
    vocabulary = get_args(events.AnyEvent)
    assert list(record_kinds().values()) == list(vocabulary)
    exported = {
        each
        for name in events.__all__
        if isinstance(each := getattr(events, name), type) and issubclass(each, Event)
    }
    ancestors = {Event, events.Effect, events.PlannedEffect}
    assert exported - ancestors == set(vocabulary)


def test_a_line_reads_as_people_expect_it() -> None:
    keys = list(json.loads(to_line(PROBED)))
    assert keys == [
        "seq", "kind", "story", "operation", "parent", "phase", "t", "wall", "src",
        "evidence", "backend", "linux", "data",
    ]  # fmt: skip
    assert set(keys) == {each.name for each in fields(Record)}
    assert '"evidence":"explained"' in to_line(PROBED)


def test_who_tells_a_fact_may_know_it_better_than_its_class() -> None:
    event = LayerProbed("/etc/motd", "top", "absent")
    record = record_of(event, seq=1, story="run-1", evidence="remembered")
    assert from_line(to_line(record)).evidence == "remembered"
    where = {"story": "run-1", "operation": "", "phase": "", "src": "", "backend": ""}
    line = line_of(
        event, wording(event, ""), seq=1, parent=0, t=0.0, wall=0.0,
        evidence="remembered", **where,
    )  # fmt: skip
    assert from_line(line) == record


def test_tuples_come_back_as_tuples_also_within_tuples() -> None:
    user = UserResolved("1000", 1000, 1000, (1000, 27), "/", "passwd:3")
    assert event_of(from_line(to_line(record_of(user, seq=1, story="run-1")))) == user


def test_a_whole_trace_comes_back() -> None:
    trace = read_trace([header_to_line(HEADER), to_line(PROBED) + "\n"])
    assert (trace.header, trace.records, trace.damage) == (HEADER, (PROBED,), None)


def test_a_header_says_first_what_it_is() -> None:
    assert header_to_line(HEADER).startswith(
        '{"format":"minidock-trace","version":1,"min_reader":1,"story":"run-3f2a",'
    )
    assert header_from_line(header_to_line(HEADER)) == HEADER


@pytest.mark.parametrize("keep", range(len(to_line(PROBED))))
def test_a_trace_that_was_cut_opens_up_to_the_cut(keep: int) -> None:
    whole = to_line(replace(PROBED, seq=117))
    trace = read_trace([header_to_line(HEADER), whole, to_line(PROBED)[:keep], whole])
    assert [record.seq for record in trace.records] == [117]
    assert trace.damage is not None
    assert trace.damage.startswith("line 3: ")


def test_a_word_of_a_newer_engine_stays_a_record() -> None:
    line = to_line(PROBED).replace("layer.probed", "layer.licked")
    record = from_line(line)
    assert record.kind == "layer.licked"
    assert record.data == PROBED.data
    assert event_of(record) is None


def test_a_field_that_a_newer_version_added_is_passed_over() -> None:
    newer = json.loads(to_line(PROBED))
    newer["colour"] = "red"
    newer["data"]["colour"] = "red"
    assert event_of(from_line(json.dumps(newer))) == event_of(PROBED)


def test_a_field_that_an_older_version_did_not_know_takes_its_default() -> None:
    older = json.loads(
        to_line(record_of(Mounted("proc", "proc", "/proc"), seq=1, story="r"))
    )
    del older["data"]["options"]
    assert event_of(from_line(json.dumps(older))) == Mounted("proc", "proc", "/proc")


@pytest.mark.parametrize("path", [None, 3, ("/etc",), {"a": 1}, True])
def test_an_event_with_a_field_of_another_type_is_a_generic_record(path: Any) -> None:
    record = from_line(to_line(replace(PROBED, data={**PROBED.data, "path": path})))
    assert record.data["path"] == path
    assert event_of(record) is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("", "no JSON", id="empty"),
        pytest.param("[]", "no JSON object", id="a list"),
        pytest.param("{}", '"backend" is missing', id="no field at all"),
        pytest.param(
            to_line(PROBED).replace("118", "true"), '"seq" is no int', id="a truth"
        ),
        pytest.param(
            to_line(PROBED).replace("118", "1.5"), '"seq" is no int', id="a float"
        ),
        pytest.param(to_line(PROBED).replace("0.184", "NaN"), "NaN", id="not a number"),
        pytest.param(to_line(PROBED).replace("0.184", "-Infinity"), "-Inf", id="infinity"),
        pytest.param(to_line(PROBED).replace("0.184", "1e999"), "1e999", id="overflow"),
        pytest.param(
            to_line(PROBED).replace("118", "9" * 5000), "no JSON", id="long number"
        ),
        pytest.param("[" * 100_000, "nested too deep", id="deep enough to hurt"),
        pytest.param('{"data":' + "[" * 17 + "]" * 17 + "}", "nested deeper", id="deep"),
        pytest.param(" " * MAX_LINE_CHARACTERS + "{}", "longer than 1 MiB", id="long"),
    ],
)
def test_a_damaged_line_says_why(line: str, why: str) -> None:
    with pytest.raises(LineDamaged) as damage:
        from_line(line)
    assert why in damage.value.why


@given(st.text())
def test_no_text_does_worse_than_a_damaged_line(text: str) -> None:
    with pytest.raises(LineDamaged):
        from_line(text)


def test_what_json_cannot_say_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_line(replace(PROBED, t=float("nan")))


@pytest.mark.parametrize(
    "first", ["", "#!/bin/sh", "{}", to_line(PROBED), '{"format":"minidock-trace"}']
)
def test_a_file_without_a_header_is_no_trace(first: str) -> None:
    with pytest.raises(TraceUnreadable) as refusal:
        read_trace([first, to_line(PROBED)])
    assert "no trace" in refusal.value.what
    assert "header" in refusal.value.why


def test_no_file_at_all_is_no_trace() -> None:
    with pytest.raises(TraceUnreadable):
        read_trace([])


def test_a_newer_format_is_refused_with_the_release_that_reads_it() -> None:
    newer = replace(HEADER, version=3, min_reader=2, engine={"version": "4.2"})
    with pytest.raises(TraceUnreadable) as refusal:
        read_trace([header_to_line(newer)])
    assert "version 2" in refusal.value.what
    assert "pyminidock 4.2 or newer" in refusal.value.try_next


def test_a_newer_format_that_older_readers_understand_is_read() -> None:
    newer = replace(HEADER, version=3, min_reader=1)
    assert read_trace([header_to_line(newer), to_line(PROBED)]).records == (PROBED,)


def test_a_trace_is_read_up_to_a_limit() -> None:
    fat = to_line(replace(PROBED, data={"path": "x" * (MAX_LINE_CHARACTERS - 1000)}))
    copies = MAX_TRACE_CHARACTERS // len(fat)
    trace = read_trace([header_to_line(HEADER), *[fat] * (copies + 1)])
    assert len(trace.records) == copies
    assert trace.damage is not None
    assert "longer than 64 MiB" in trace.damage
