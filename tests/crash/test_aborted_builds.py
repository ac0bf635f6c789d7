"""A client goes away, at whatever it was told last: the build ends, and nothing is left."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest

from pyminidock.build.options import Options
from pyminidock.build.output import Failed, Message
from pyminidock.engine import build, images
from pyminidock.engine.house import House
from tests.builder import Kitchen, packed
from tests.crash import images_scenarios
from tests.crash.build_scenarios import CONTEXT, house, made
from tests.engine.studio import DEADLINE_S


@pytest.fixture
def here(tmp_path: Path) -> Iterator[House]:
    images_scenarios.web(tmp_path)
    with house(tmp_path) as opened:
        yield opened


def cancelled_at(here: House, nth: int) -> str:
    """Build until the nth message, go away; give how the build ended."""
    building = build.start(here, Options(tags=("app:1",), uses_cache=False))
    building.begin(BytesIO(packed(CONTEXT)))
    said: list[Message] = []

    def hear(message: Message) -> None:
        said.append(message)
        if len(said) == nth:
            building.cancel()

    image = building.run(hear)
    failed = [each.message for each in said if isinstance(each, Failed)]
    return failed[0] if failed else image


def test_whatever_was_told_last_an_abort_leaves_nothing(here: House) -> None:
    nth, ended = 0, ""
    while not ended.startswith("sha256:"):
        nth += 1
        ended = cancelled_at(here, nth)
        assert ended == "Build cancelled" or ended.startswith("sha256:")
        assert Kitchen(here).remains() == []
    assert nth > 10
    assert made(here, CONTEXT)


def test_whichever_event_is_held_an_abort_there_leaves_nothing(here: House) -> None:
    first = build.start(here, Options(uses_cache=False))
    first.begin(BytesIO(packed(CONTEXT)))
    first.run(lambda _: None)
    here.recorder.flush()
    records = here.journals.read(first.story).records
    kinds = dict.fromkeys(each.kind for each in records if each.evidence != "planned")
    print(*kinds)  # noqa: T201
    assert len(kinds) > 20
    for kind in kinds:
        _abort_at(here, kind)
        assert Kitchen(here).remains() == [], kind
    assert made(here, CONTEXT)
    assert images.find(here, "app:1")


def _abort_at(here: House, kind: str) -> None:
    building = build.start(here, Options(tags=("app:1",), uses_cache=False))
    here.recorder.story(building.story, "build")
    gate = here.recorder.gate(building.story, kind)
    thread = Thread(target=_build, args=(building,))
    thread.start()
    if gate.next_held(DEADLINE_S):
        gate.abort()
        gate.close()  # what is undone now may be of the same kind
    thread.join(DEADLINE_S)
    assert not thread.is_alive(), kind
    gate.close()


def _build(building: build.Building) -> None:
    try:
        building.begin(BytesIO(packed(CONTEXT)))
    except Exception:  # aborted while the context came
        return
    building.run(lambda _: None)
