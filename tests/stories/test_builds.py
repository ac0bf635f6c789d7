"""The course's builds, told as they were told before."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pyminidock.events.journal import Record
from pyminidock.viz.frames import Player
from pyminidock.viz.world import fold_all
from tests.builder import Context, File
from tests.stories.golden import compare, lines, normalised, pictures
from tests.stories.stage import Part, Stage, stage

pytestmark = pytest.mark.stories

HELLO: Context = {"Dockerfile": 'FROM alpine\nENTRYPOINT ["echo"]\nCMD ["Hello World"]\n'}
APP: Context = {
    "Dockerfile": "# five steps\nFROM python\nWORKDIR /app\nCOPY requirements.txt .\n"
    "RUN pip install -r requirements.txt\nENV LEVEL=1\nCOPY sample.py .\n"
    'CMD ["python3", "sample.py"]\n',
    "requirements.txt": "flask\n", "sample.py": "print(1)\n",
}  # fmt: skip
EDITED = {**APP, "sample.py": File(b"print(2)\n", 0o755)}
PIP = {"pip": Part("installed flask\n", {"lib/flask/app.py": "app = 1\n"})}
BROKEN = {"pip": Part("no such package: flask\n", {}, 7)}
STAGES: Context = {
    "Dockerfile": "FROM python AS tests\nRUN pytest\n\nFROM python AS build\nCOPY a /a\n\n"
    "FROM scratch\nCOPY --from=build /a /a\n",
    "a": "A\n",
}


def cold(stage: Stage) -> tuple[Record, ...]:
    return stage.build(APP, PIP)


def cached(stage: Stage) -> tuple[Record, ...]:
    stage.build(APP, PIP)
    return stage.build(APP)


def edited(stage: Stage) -> tuple[Record, ...]:
    stage.build(APP, PIP)
    return stage.build(EDITED)


def failed(stage: Stage) -> tuple[Record, ...]:
    return stage.build(APP, BROKEN)


def stages(stage: Stage) -> tuple[Record, ...]:
    return stage.build(STAGES)


def hello(stage: Stage) -> tuple[Record, ...]:
    return stage.build(HELLO)


STORIES: dict[str, tuple[str, Callable[[Stage], tuple[Record, ...]]]] = {
    "hello-world": ("alpine", hello), "python-app-cold": ("python", cold),
    "python-app-cached": ("python", cached), "python-app-edited": ("python", edited),
    "python-app-failed": ("python", failed), "two-stages": ("python", stages),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_a_build_tells_what_it_told_before_and_looks_as_it_looked(
    tmp_path: Path, name: str
) -> None:
    base, told = STORIES[name]
    with stage(tmp_path / "root", base) as opened:
        records = told(opened)
    story = normalised(records, tmp_path / "root")
    compare(f"{name}.jsonl", list(lines(story)))
    compare(f"{name}.txt", list(pictures(story)))


@pytest.mark.parametrize("name", STORIES)
def test_first_to_last_to_first_shows_each_moment_as_folding_up_to_it(
    tmp_path: Path, name: str
) -> None:
    base, told = STORIES[name]
    with stage(tmp_path / "root", base) as opened:
        records = told(opened)
    player = Player(records)
    there = [player.go(n) for n in range(player.last + 1)]
    back = [player.go(n) for n in range(player.last, -1, -1)]
    assert back[::-1] == there
    for position in range(0, player.last, 7):
        assert player.go(position) == fold_all(records[:position])
