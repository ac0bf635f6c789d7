"""A notebook is saved with its outputs, so they hold no secret: H-45 of the contract."""

import json
from collections.abc import Iterator

import pytest

from pyminidock import events as e
from pyminidock.events.journal import Record, Trace, to_line
from pyminidock.events.redaction import REDACTED, of_record
from pyminidock.widgets.discreet import Discreet, typed
from pyminidock.widgets.stepper import Stepper
from tests.reference import wait_until
from tests.viz import buildstory
from tests.widgets.test_stepper import PATIENCE_S, Posted

CANARY = "canary-xyzzy"
HEARD: tuple[e.Event, ...] = (
    *buildstory.OPENING,
    *buildstory.FROM,
    e.StepStarted(2, 3, "0", f"ENV API_TOKEN={CANARY}", 3),
    e.ConfigChanged(2, "environment", (), (f"API_TOKEN={CANARY}",)),
    e.StepStarted(3, 3, "0", f"RUN curl -H 'Authorization: Bearer {CANARY}'", 4),
    e.CacheMissed(3, "instruction", before=f"ENV A={CANARY}", after=f"ENV A={CANARY}2"),
    e.StepPrinted(3, "stdout", f"password: {CANARY}\n"),
    e.BuildFailed(3, f"https://me:{CANARY}@host/", 1, f"RUN --token {CANARY}"),
)


@pytest.fixture
def stepper() -> Iterator[Stepper]:
    made = Stepper(Trace(buildstory.HEADER, buildstory.baked(HEARD)))
    yield made
    made.close()


def test_neither_a_page_nor_what_is_saved_holds_a_secret(stepper: Stepper) -> None:
    """H-45: what a live engine tells a listener has more than a notebook may keep."""
    posted = Posted(stepper)
    posted.hear({"t": "hello", "have": 0})
    wait_until(lambda: len(posted.frames) == len(HEARD), PATIENCE_S, "all frames")
    for step in (0, *range(1, len(HEARD) + 1)):
        posted.hear({"t": "pin", "step": step})
        assert CANARY not in json.dumps(stepper._bundle())
    told = json.dumps(
        [posted.messages, posted.frames, stepper.widget.get_state()], default=str
    )
    assert "API_TOKEN" in told
    assert REDACTED in json.loads(json.dumps(str(posted.frames)))
    assert CANARY not in told


def test_a_record_for_a_page_is_what_the_journal_has() -> None:
    """H-45: of each event, with the plain Linux that goes with it."""
    for record in buildstory.baked(HEARD):
        assert CANARY not in to_line(of_record(record))


def test_a_word_that_a_newer_engine_invented_is_searched_as_well() -> None:
    """H-45: in all that it holds."""
    record = Record(
        seq=1, kind="thing.new", story="s", operation="", parent=0, phase="", t=0.0,
        wall=0.0, src="", evidence="observed", backend="",
        linux=f"mount -o password={CANARY}",
        data={"a": ({"b": f"TOKEN={CANARY}"}, "--password", CANARY), "n": 3},
    )  # fmt: skip
    shown = of_record(record)
    assert CANARY not in to_line(shown)
    assert shown.data["n"] == 3


def test_an_output_is_shown_without_values_that_were_handed_over() -> None:
    """H-44, H-45: a build's by name or length, a run's by name alone."""
    build = Discreet.of_build(
        {"buildargs": json.dumps({"WHO": CANARY, "N": "4", "NO": None})}
    )
    said = f"Step 2/3 : LABEL maker={CANARY}\nhi {CANARY}\nSECRET={CANARY} 4\n"
    said += "\x1b[2J\u202e\x00\n"
    assert build.output(said) == [
        f"Step 2/3 : LABEL maker={REDACTED}", f"hi {REDACTED}", f"SECRET={REDACTED} 4",
        "\\x1b[2J\\u202e\\x00",
    ]  # fmt: skip
    run = Discreet((f"MY_TOKEN={CANARY}", "GREETING=Hello there"))
    assert run.output(f"{CANARY}: Hello there") == [f"{REDACTED}: Hello there"]


def test_what_env_sets_is_learnt_while_the_story_is_told() -> None:
    """H-45: the output may have come before."""
    known = Discreet()
    assert known.output(f"hi {CANARY}") == [f"hi {CANARY}"]
    for record in buildstory.baked(HEARD):
        known.record(record)
    assert known.output(f"hi {CANARY}") == [f"hi {REDACTED}"]


def test_commands_that_were_typed_are_shown_without_secrets() -> None:
    """H-45: a prediction's card shows them, and what they printed."""
    known, shown = typed(
        [f"minidock run -e KEY={CANARY} busybox sh -c 'echo $KEY'", "a 'b"]
    )
    assert shown == [f"minidock run -e KEY={REDACTED} busybox sh -c 'echo $KEY'", "a 'b"]
    assert known.output(CANARY) == [REDACTED]
