"""The source lens looks at the code that did it, on every kernel."""

import inspect
import re
from pathlib import Path

import pytest

from pyminidock import events
from pyminidock.engine.sources import VERBS, performers
from pyminidock.events.journal import record_kinds
from pyminidock.kernel import neteffects, recording, sifteffects


def test_every_effect_of_a_plan_has_its_verb() -> None:
    """The table is the recording kernel's own, the other way round."""
    source = inspect.getsource(recording.effect_of)
    source += inspect.getsource(neteffects.net_effect_of)
    source += inspect.getsource(sifteffects.sift_effect_of)
    line = r"case (?:net|port)?(?:calls|rules)\.(\w+)\([^\n]*\n +return events\.(\w+)\("
    said = re.findall(line, source)
    assert len(said) == source.count("return events.")
    seconds = ("JoinNamespace", "BorrowTree")  # told as what they resemble
    wanted = {event: verb for verb, event in said if verb not in seconds}
    assert {effect.__name__: verb for effect, verb in VERBS.items()} == wanted
    effects = {
        cls
        for cls in record_kinds().values()
        if issubclass(cls, events.Effect | events.PlannedEffect)
    }
    assert set(VERBS) == effects


@pytest.mark.parametrize("backend", ["simulated", "linux-root"])
def test_each_place_is_code_about_that_verb(backend: str) -> None:
    for effect, (file, number) in performers(backend).items():
        line = Path(file).read_text(encoding="utf-8").splitlines()[number - 1]
        if backend == "simulated":
            assert re.match(rf" +case \w+\.{VERBS[effect]}\(", line)
        else:
            assert line.lstrip().startswith("def "), (effect, line)


def test_verbs_have_places_of_their_own() -> None:
    for backend in ("simulated", "linux-root"):
        places = {VERBS[effect]: place for effect, place in performers(backend).items()}
        assert len(set(places.values())) == len(places)
