"""Every level is solved in every way its solution knows, and no near miss gets through.

The scripts say `docker`.  They run with our own command line under that name; once, each
level is solved with the stock one.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.course import levels, progress
from pyminidock.course.goal import judge, parse
from pyminidock.course.lesson import Lesson, Level, Wrong, find_level, lessons
from pyminidock.course.levels import NoSuchCause
from pyminidock.course.sight import Look
from pyminidock.course.solve import play
from pyminidock.course.staging import LevelBlocked
from pyminidock.course.trial import stop_one
from tests.minidock_cli import Minidock

PAIRS = [(lesson, level) for lesson in lessons() for level in lesson.levels]
WAYS = [(lesson, level, way) for lesson, level in PAIRS for way in level.ways]
IMAGES = {name for _, level in PAIRS for name in level.images}
MISSES = [(lesson, level, miss) for lesson, level in PAIRS for miss in level.wrong]


@pytest.fixture
def client(minidock: Minidock) -> Iterator[Client]:
    with connect(minidock.root, f"unix://{minidock.host}", start=False) as found:
        yield found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.json"


@pytest.fixture(autouse=True)
def _clean(client: Client, minidock: Minidock) -> Iterator[None]:
    """A test leaves nothing behind, and no image under a name that a level needs."""
    yield
    for told in client.containers(all=True):
        client.remove(told["Id"], force=True, volumes=True)
    for name in IMAGES:
        with suppress(Refused):
            client.images.remove(name)
    for told in client.request("GET", "/volumes").json()["Volumes"] or ():
        client.request("DELETE", f"/volumes/{told['Name']}")
    client.request("POST", "/networks/prune")


def played(  # noqa: PLR0913, PLR0917  (a script has two arguments of its own)
    lesson: Lesson, level: Level, script: str, way: str, client: Client,
    path: Path, engine: Minidock, *, is_stock: bool = False,
) -> levels.Checked:  # fmt: skip
    levels.start(client, level, path)
    environment = engine.environment | {
        "DOCKER_HOST": f"unix://{engine.host}", "DOCKER_BUILDKIT": "0",
    }  # fmt: skip
    done = play(lesson, script, level.id, way, environment=environment, is_stock=is_stock,
                within=path.parent)  # fmt: skip
    assert "no such way" not in done.stdout
    for line in done.stdout.splitlines():
        if line.startswith("cause: "):
            levels.name_cause(level, line.removeprefix("cause: "), path)
    return levels.check(client, level, path)


@pytest.mark.parametrize(
    ("lesson", "level", "way"), WAYS, ids=[f"{lv.id}-{way}" for _, lv, way in WAYS]
)
def test_each_way_of_the_solution_reaches_the_goal(  # noqa: PLR0913, PLR0917
    lesson: Lesson, level: Level, way: str, client: Client, path: Path,
    minidock: Minidock,
) -> None:  # fmt: skip
    checked = played(lesson, level, "solution.sh", way, client, path, minidock)
    checked.demand()
    assert checked.deeds is not None
    assert len(checked.deeds) == level.par, checked.deeds
    assert progress.load(path)["levels"][level.id]["done"] is True


@pytest.mark.parametrize(("lesson", "level"), PAIRS, ids=[level.id for _, level in PAIRS])
def test_the_stock_command_line_reaches_it_as_well(
    lesson: Lesson, level: Level, client: Client, path: Path,
    minidock: Minidock,
) -> None:  # fmt: skip
    way = level.ways[0]
    checked = played(
        lesson, level, "solution.sh", way, client, path, minidock, is_stock=True
    )
    checked.demand()
    assert checked.deeds is not None
    assert len(checked.deeds) == level.par, checked.deeds


@pytest.mark.parametrize(
    ("lesson", "level", "miss"), MISSES, ids=[f"{lv.id}-{m.way}" for _, lv, m in MISSES]
)
def test_a_near_miss_is_refused_and_told_what_is_there_instead(  # noqa: PLR0913, PLR0917
    lesson: Lesson, level: Level, miss: Wrong, client: Client, path: Path,
    minidock: Minidock,
) -> None:  # fmt: skip
    way, says = miss.way, miss.says
    checked = played(lesson, level, "wrong.sh", way, client, path, minidock)
    assert not checked
    assert says in checked.why
    assert "done" not in progress.load(path)["levels"][level.id]
    with pytest.raises(AssertionError, match=level.id):
        checked.demand()


def test_a_start_again_is_an_undo(client: Client, path: Path, minidock: Minidock) -> None:
    lesson, level = next(each for each in PAIRS if each[1].id == "10.4")
    solved = played(lesson, level, "solution.sh", level.ways[0], client, path, minidock)
    assert solved
    client.life.stop("door1", seconds=0)
    levels.undo(client, level, path)
    assert client.inspect("door1")["State"]["Running"]
    again = levels.check(client, level, path)
    assert not again
    assert again.deeds == ()
    assert "the cause is not named yet" in again.why


def test_a_program_that_greets_before_it_listens_is_tried_again(client: Client) -> None:
    """As process 1 it never hears a signal that comes before its trap is set."""
    late = "echo welcome; sleep 0.6; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    body = {"Image": "busybox", "Entrypoint": ["sh", "-c", late]}
    maker = client.create(body, "maker")
    client.request("POST", "/commit", {"container": maker, "repo": "late"}, body={})
    stopped = stop_one(client, "late")
    assert stopped
    assert stopped.exit_code == 0
    client.remove(maker)
    client.images.remove("late")


def test_what_belongs_to_the_player_is_not_removed(
    client: Client,
    path: Path,
    minidock: Minidock,
) -> None:
    level = find_level("00.1")
    mine = client.create({"Image": "busybox", "Cmd": ["true"]}, "c1")
    with pytest.raises(LevelBlocked, match="container c1 is yours"):
        levels.start(client, level, path)
    assert client.inspect("c1")["Id"] == mine
    client.remove("c1")
    client.images.tag("busybox", "h")
    with pytest.raises(LevelBlocked, match="image h is yours"):
        levels.start(client, find_level("10.1"), path)
    assert client.images.inspect("h")["Id"] == client.images.inspect("busybox")["Id"]
    client.images.remove("h")


def test_what_stands_on_a_level_s_image_is_the_player_s(
    client: Client,
    path: Path,
    minidock: Minidock,
) -> None:
    level = find_level("10.3")
    levels.start(client, level, path)
    mine = client.create({"Image": "vault"}, "mine")  # inherits the label of vault
    levels.undo(client, level, path)
    assert client.inspect("mine")["Id"] == mine
    assert levels.check(client, level, path).verdicts[-1].ok, "vault is what it was"


def test_hints_come_one_by_one_and_cost_stars_and_never_lock(
    client: Client,
    path: Path,
    minidock: Minidock,
) -> None:
    lesson, level = PAIRS[0]
    levels.start(client, level, path)
    given = [levels.hint(level, path) for _ in range(5)]
    assert given == [
        *enumerate(level.hints, start=1), (4, level.solution), (4, level.solution)
    ]  # fmt: skip
    environment = minidock.environment
    play(lesson, "solution.sh", level.id, level.ways[0], environment=environment)
    checked = levels.check(client, level, path)
    assert checked.ok
    assert checked.stars == 0
    assert "0 of 3 stars" in repr(checked)


def test_a_cause_that_is_not_offered_is_refused(path: Path) -> None:
    with pytest.raises(NoSuchCause) as told:
        levels.name_cause(find_level("10.4"), "the moon", path)
    assert "shell-form" in told.value.why


def test_a_name_may_be_how_the_id_of_a_container_of_somebody_else_begins(
    client: Client, path: Path
) -> None:
    """As db of level 07.2 may: one id in 256 begins so."""
    other = client.create({"Image": "busybox", "Cmd": ["true"]}, "somebody")
    level = replace(find_level("07.2"), containers=(other[:4],), goal=())
    levels.start(client, level, path)
    assert client.inspect("somebody")["Id"] == other
    look = Look(client)
    assert judge(parse(f'container("{other[:4]}").exists'), look).ok is False
    assert judge(parse('container("somebody").exists'), look).ok is True
