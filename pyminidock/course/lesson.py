"""A folder becomes a lesson.

    lessons/10-entrypoint-cmd/
        lesson.md      what is read: Markdown with cells, without outputs
        lesson.toml    what is asked: goals, levels, breaks, predictions      ──►  Lesson
        solution.sh    every way that must be accepted, by name
        wrong.sh       every near miss that must be refused, and why it is one
        notes.md       for whoever teaches it

A level says how the world looks when it begins and, in the language of `goal`, how it has
to look in the end.  A break is a level that begins broken and also asks for the cause.  A
prediction has options, each with the condition under which it is true: which one is right
is found out on the engine, so a text cannot disagree with it.

A file with a mistake is refused with the place of the mistake, because authors read that.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pyminidock.course.goal import GoalMalformed, Predicate, parse
from pyminidock.errors import MinidockError

_INSTALLED, _CLONED = (Path(__file__).parents[n] / "lessons" for n in (1, 2))
FOLDER = _INSTALLED if _INSTALLED.is_dir() else _CLONED
"""Where the lessons lie: a wheel has them within the package, a clone beside it;
MINIDOCK_LESSONS names another place."""


class LessonMalformed(MinidockError):
    """A lesson's file does not say what it has to."""

    status = 400


class NoSuchLesson(MinidockError):
    """No lesson, level or prediction is called so."""

    status = 404


@dataclass(frozen=True, slots=True)
class Image:
    """At its start a level builds this image."""

    name: str
    dockerfile: str


@dataclass(frozen=True, slots=True)
class Tag:
    """At its start a level gives this name, too, to an image that it built before."""

    name: str
    of: str


@dataclass(frozen=True, slots=True)
class Container:
    """At its start a level runs this container, without waiting for its end.

    `flags` are keywords of client.runbody; unsaid, it has no network.  One that is only
    `created` waits for somebody to start it.
    """

    name: str
    words: tuple[str, ...]  # the image, and what follows it
    flags: Mapping[str, Any] = field(default_factory=dict)
    is_started: bool = True


@dataclass(frozen=True, slots=True)
class Volume:
    """At its start a level makes this volume; one without a name is anonymous."""

    name: str


@dataclass(frozen=True, slots=True)
class Network:
    """At its start a level makes this network; an internal one has no way out."""

    name: str
    is_internal: bool = False


Start: TypeAlias = Image | Tag | Container | Volume | Network


@dataclass(frozen=True, slots=True)
class Option:
    """One answer; `when` is the condition under which it is true, None for a cause."""

    id: str
    text: str
    when: Predicate | None = None
    why: str = ""  # what to say to whoever chose it


@dataclass(frozen=True, slots=True)
class Wrong:
    """A near miss of wrong.sh, and the sentence with which it is refused."""

    way: str
    says: str


@dataclass(frozen=True, slots=True)
class Level:
    """Something to do: from `start` to `goal`, best with `par` operations."""

    id: str
    title: str
    task: str
    goal: tuple[Predicate, ...]
    par: int
    hints: tuple[str, ...]
    solution: str
    ways: tuple[str, ...]  # of solution.sh
    start: tuple[Start, ...] = ()
    containers: tuple[str, ...] = ()  # names that whoever plays will give
    images: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    question: str = ""  # of a break: what was the cause?
    causes: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """Something to foretell; the option whose condition holds is the right one."""

    id: str
    prompt: str
    options: tuple[Option, ...]
    look_at: str = ""  # the kind of event that decides, for whoever was wrong


@dataclass(frozen=True, slots=True)
class Lesson:
    """Everything about one lesson but its text, which is in `folder`/lesson.md."""

    number: str
    name: str
    folder: Path
    title: str
    minutes: int
    goals: tuple[str, ...]
    images: tuple[str, ...]
    levels: tuple[Level, ...] = ()
    predictions: tuple[Prediction, ...] = ()

    @property
    def text(self) -> str:
        """The Markdown that is read."""
        return (self.folder / "lesson.md").read_text(encoding="utf-8")


# ── Finding ──────────────────────────────────────────────────────────────────────────────


def lessons(folder: Path | None = None) -> tuple[Lesson, ...]:
    """Read all lessons, in order.  Raises LessonMalformed, NoSuchLesson."""
    found = folder or Path(os.environ.get("MINIDOCK_LESSONS", "") or FOLDER)
    if not found.is_dir():
        raise NoSuchLesson(
            f"there are no lessons in {found}",
            why="the lessons lie beside the package's folder, not in it",
            try_next="MINIDOCK_LESSONS=FOLDER, with the lessons of the repository",
        )
    return tuple(read(path.parent) for path in sorted(found.glob("*/lesson.toml")))


def find_level(id: str, folder: Path | None = None) -> Level:
    """Give the level that is called so.  Raises NoSuchLesson, LessonMalformed."""
    levels = [level for lesson in lessons(folder) for level in lesson.levels]
    for level in levels:
        if level.id == id:
            return level
    raise _unknown("level", id, [level.id for level in levels])


def find_prediction(id: str, folder: Path | None = None) -> Prediction:
    """Give the prediction that is called so.  Raises NoSuchLesson, LessonMalformed."""
    found = [asked for lesson in lessons(folder) for asked in lesson.predictions]
    for asked in found:
        if asked.id == id:
            return asked
    raise _unknown("prediction", id, [asked.id for asked in found])


def _unknown(kind: str, id: str, names: Sequence[str]) -> NoSuchLesson:
    return NoSuchLesson(
        f"no {kind} is called {id}",
        why=f"there are {', '.join(names) or 'none'}",
        try_next=f"the number that stands in the lesson, {names[0] if names else '00.1'}",
    )


# ── Reading ──────────────────────────────────────────────────────────────────────────────


def read(folder: Path) -> Lesson:
    """Read the folder of one lesson.  Raises LessonMalformed."""
    path = folder / "lesson.toml"
    text = path.read_text(encoding="utf-8")
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as mistake:
        raise _malformed(str(path), f"this is no TOML: {mistake}") from mistake
    number, _, name = folder.name.partition("-")
    top = _Table(told, path, text)
    tables = [*top.tables("levels"), *top.tables("breaks")]
    lesson = Lesson(
        number, name, folder, title=top.text("title"), minutes=top.number("minutes"),
        goals=top.texts("goals"), images=top.texts("images"),
        levels=tuple(_level(table) for table in tables),
        predictions=tuple(_prediction(table) for table in top.tables("predictions")),
    )  # fmt: skip
    top.end()
    return lesson


def _level(table: "_Table") -> Level:
    is_break = table.within == "breaks"
    level = Level(
        table.text("id"), table.text("title"), table.text("task"),
        goal=tuple(table.predicate("goal", each) for each in table.texts("goal")),
        par=table.number("par"), hints=table.texts("hints"),
        solution=table.text("solution"), ways=table.texts("ways"),
        start=tuple(_start(each) for each in table.tables("start", least=0)),
        containers=table.texts("containers", least=0),
        images=table.texts("images", least=0),
        volumes=table.texts("volumes", least=0),
        networks=table.texts("networks", least=0),
        wrong=tuple(
            Wrong(each.text("way"), each.text("says")) for each in table.tables("wrong")
        ),
        question=table.text("question") if is_break else "",
        causes=tuple(
            Option(each.text("id"), each.text("text"), why=each.text("why"))
            for each in table.tables("causes")
        ) if is_break else (),
    )  # fmt: skip
    if len(level.hints) != 3:
        raise table.mistake(
            "hints", "a level has three hints: where, with what, nearly how"
        )
    if len(level.ways) < 2:
        raise table.mistake("ways", "a level is solved in two ways at least")
    table.end("wrong", "causes")
    return level


def _start(table: "_Table") -> Start:
    made: Start
    if "image" in table.told:
        made = Image(table.text("image"), table.text("dockerfile"))
    elif "tag" in table.told:
        made = Tag(table.text("tag"), table.text("of"))
    elif "volume" in table.told:
        made = Volume(table.text("volume"))
    elif "network" in table.told:
        made = Network(table.text("network"), table.truth("internal"))
    else:
        made = Container(
            table.text("container"), table.texts("run"), table.mapping("flags"),
            not table.truth("created"),
        )  # fmt: skip
    table.end()
    return made


def _prediction(table: "_Table") -> Prediction:
    asked = Prediction(
        table.text("id"), table.text("prompt"),
        options=tuple(
            Option(each.text("id"), each.text("text"),
                   when=each.predicate("when", each.text("when")), why=each.text("why"))
            for each in table.tables("options", least=2)
        ),
        look_at=table.text("look_at", default=""),
    )  # fmt: skip
    table.end()
    return asked


@dataclass(slots=True)
class _Table:
    """One table of a lesson.toml, which knows where it stands in it."""

    told: Mapping[str, Any]
    path: Path
    source: str
    within: str = ""
    number_of: tuple[int, ...] = ()  # which [[levels]] it is, which [[levels.start]] in it
    asked: set[str] = field(default_factory=set)

    def text(self, key: str, default: str | None = None) -> str:
        """Give a text that must be there, unless there is a default."""
        return str(self._get(key, str, default))

    def number(self, key: str) -> int:
        """Give a number that must be there."""
        return int(self._get(key, int))

    def truth(self, key: str) -> bool:
        """Say whether something holds; what is not said does not."""
        return bool(self._get(key, bool, False))

    def texts(self, key: str, least: int = 1) -> tuple[str, ...]:
        """Give a list of texts."""
        found = self._get(key, list, None if least else [])
        if len(found) < least or not all(isinstance(each, str) for each in found):
            raise self.mistake(key, f"{key} is a list of texts")
        return tuple(found)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """Give what is said by name, if anything is."""
        return dict(self._get(key, dict, {}))

    def tables(self, key: str, least: int = 0) -> "list[_Table]":
        """Give the tables [[…KEY]] within this one."""
        found = self._get(key, list, None if least else [])
        if len(found) < least or not all(isinstance(each, dict) for each in found):
            raise self.mistake(key, f"there have to be {least} tables {key}")
        name = f"{self.within}.{key}" if self.within else key
        return [
            _Table(each, self.path, self.source, name, (*self.number_of, place))
            for place, each in enumerate(found)
        ]

    def predicate(self, key: str, written: str) -> Predicate:
        """Read one condition.  Raises LessonMalformed."""
        try:
            return parse(written)
        except GoalMalformed as mistake:
            raise self.mistake(key, str(mistake)) from mistake

    def end(self, *also: str) -> None:
        """Refuse what nobody asked for: a misspelled key would be a level without hints."""
        for key in self.told:
            if key not in self.asked and key not in also:
                raise self.mistake(key, f"nothing here is called {key}")

    def mistake(self, key: str, what: str) -> LessonMalformed:
        """Say where this table has a mistake."""
        return _malformed(f"{self.path}:{self._line(key)}", what)

    def _get(self, key: str, kind: type, default: Any = None) -> Any:
        self.asked.add(key)
        found = self.told.get(key, default)
        if found is None:
            raise self.mistake(key, f"{key} is missing")
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise self.mistake(key, f"{key} has to be a {kind.__name__}")
        return found

    def _line(self, key: str) -> int:
        """Find the line of a key, else of the table: Python's reader keeps neither."""
        lines = self.source.splitlines()
        first, end = 0, len(lines)
        for depth, nth in enumerate(self.number_of):
            name = ".".join(self.within.split(".")[: depth + 1])
            heads = [
                place
                for place in range(first, end)
                if lines[place].strip() == f"[[{name}]]"
            ]
            if nth >= len(heads):
                break  # it was written in another style
            end = heads[nth + 1] if nth + 1 < len(heads) else end
            first = heads[nth]
        for place in range(first, end):
            if lines[place].split("=")[0].strip().strip("[]").split(".")[-1] == key:
                return place + 1
        return first + 1


def _malformed(place: str, what: str) -> LessonMalformed:
    return LessonMalformed(
        f"{place}: {what}",
        why="a lesson is read before anybody plays it, so that no level is broken",
        try_next="compare with lessons/00-tour/lesson.toml",
    )
