"""The panel of a level: what has to be true, what is, and what may be asked for.

%level 10.1          the panel          %level 10.1 check       what is there instead
%level 10.1 start    begin              %level 10.1 hint        one more; costs a star
%level 10.1 undo     begin again
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from pyminidock.client.connect import connect
from pyminidock.course import levels, progress
from pyminidock.course.goal import Verdict
from pyminidock.course.lesson import Level, find_level
from pyminidock.errors import MinidockError
from pyminidock.viz.english.course import CARDS
from pyminidock.viz.scene import GLYPHS
from pyminidock.widgets.card import STATES, Card, cover, flowing, show
from pyminidock.widgets.discreet import Discreet


class WordUnknown(MinidockError):
    """Nothing can be asked of a level by this word."""

    status = 400


def panel(id: str, word: str = "") -> Card:
    """Do one word (start, check, hint, undo; or nothing) and show the panel of a level.

    Raises NoSuchLesson, WordUnknown, LevelBlocked, StartFailed, ProgressUnreadable.
    """
    level = find_level(id)
    if word not in ("", *_WORDS):
        raise WordUnknown(
            f"a level cannot {word}",
            why=f"what can be asked for is {', '.join(_WORDS)}",
            try_next=f"%level {id} check",
        )
    state = _do(level, word, {})
    is_check = word == "check"  # its task stands where the level was started
    causes = {
        "legend": level.question,
        "options": [{"id": each.id, "text": each.text} for each in level.causes],
    }  # fmt: skip
    card = {
        "kind": "level", "lang": "en", "label": f"{CARDS['level']} {id}", "busy": False,
        "title": CARDS["checked"] if is_check else level.title,
        "name": f"{CARDS['level']} {id}: {level.title}",
        "cover": cover("level", id), "task": "" if is_check else flowing(level.task),
        "named": CARDS["goals"],
        "hinted": CARDS["hints"], "solved": CARDS["solution"],
        "causes": causes if level.causes else None, "says": "", **state,
    }  # fmt: skip
    made = Card(card, lambda told: _hear(level, made, told))
    show(_static_level(card), _plain_level(card), made)
    return made


def _hear(level: Level, card: Card, told: Mapping[str, Any]) -> Mapping[str, Any]:
    word = str(told.get("t", ""))
    if word == "cause":
        levels.name_cause(level, str(told.get("id", "")))
        return {}
    if word not in _WORDS:
        return {}
    card.card = {**card.card, "busy": True, "says": CARDS.get(f"{word}ing", "")}
    return {"busy": False, **_do(level, word, card.card)}


_WORDS = ("start", "check", "hint", "undo")


def _do(level: Level, word: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """Do one word; give what the panel shows from now on."""
    says = ""
    goals = before.get("goals") or [_goal(Verdict(each.text, ok=False), is_known=False)
                                    for each in _asked(level)]  # fmt: skip
    status, count = before.get("status", ""), before.get("count", "")
    if word in ("start", "undo"):
        with connect() as client:
            levels.start(client, level)
        goals = [_goal(each, is_known=False) for each in _asked(level)]
        status = says = CARDS["started"]
        count = _counted(level, ())
    elif word == "check":
        with connect() as client:
            checked = levels.check(client, level)
        goals = [_goal(each) for each in checked.verdicts]
        status = CARDS["solved"] if checked.ok else CARDS["unsolved"]
        count = _counted(level, checked.deeds)
        if checked.ok:
            count += f" {checked.stars} of {levels.MOST_STARS} stars."
        says = f"{status} {checked.why}".strip()
    elif word == "hint":
        number, hint = levels.hint(level)
        says = hint if number <= len(level.hints) else CARDS["solution"]
    known = progress.load()["levels"].get(level.id, {})
    used = int(known.get("hints", 0))
    is_over = used >= len(level.hints)
    return {
        "goals": goals, "says": says, "count": count or _counted(level, None),
        "status": status or (CARDS["solved"] if known.get("done") else
                             CARDS["unsolved"] if "ready" in known else CARDS["unstarted"]),
        "hints": [f"{flowing(hint)}" for hint in level.hints[:used]],
        "solution": level.solution if used > len(level.hints) else "",
        "buttons": [
            {"id": "check", "label": CARDS["check"]},
            {"id": "hint", "label": CARDS["show"] if is_over else CARDS["hint"],
             "off": used > len(level.hints)},
            {"id": "undo", "label": CARDS["undo"]} if "ready" in known else
            {"id": "start", "label": CARDS["start"]},
        ],
    }  # fmt: skip


def _asked(level: Level) -> list[Verdict]:
    return [Verdict(each.shown, ok=False) for each in level.goal]


def _goal(verdict: Verdict, *, is_known: bool = True) -> dict[str, str]:
    state = STATES[verdict.ok if is_known else None]
    word = {True: "done", False: "not_yet"}[verdict.ok] if is_known else "not_checked"
    return {
        "text": verdict.text, "state": state, "glyph": GLYPHS[state], "word": CARDS[word],
        "why": " ".join(Discreet().output(verdict.why)),
    }  # fmt: skip


def _counted(level: Level, deeds: tuple[str, ...] | None) -> str:
    """Say how many operations were made, beside par; not of a level that never began."""
    if deeds is None:
        return f"par {level.par}"
    named = f" ({', '.join(deeds)})" if deeds else ""
    return (
        f"{len(deeds)} operation{'' if len(deeds) == 1 else 's'}{named}, par {level.par}."
    )


def _plain_level(card: Mapping[str, Any]) -> str:
    lines = [f"{card['name']}", *([card["task"]] if card["task"] else [])]
    for goal in card["goals"]:
        lines.append(f"  [{'x' if goal['state'] == 'hit' else ' '}] {goal['text']}")
        lines += [f"        {goal['why']}"] if goal["why"] else []
    return "\n".join([*lines, f"{card['status']} {card['count']}", *card["hints"]])


def _static_level(card: Mapping[str, Any]) -> str:
    goals = "".join(
        f"<li>{goal['glyph']} <code>{escape(goal['text'])}</code> {escape(goal['word'])}"
        f"{'<br>' + escape(goal['why']) if goal['why'] else ''}</li>"
        for goal in card["goals"]
    )
    hints = "".join(f"<li>{escape(hint)}</li>" for hint in card["hints"])
    causes = card["causes"]
    named = "".join(f"<li>{escape(each['text'])}</li>" for each in causes["options"]) if (
        causes) else ""  # fmt: skip
    return (
        f'<section id="{card["cover"]}"><p><strong>{escape(card["name"])}</strong></p>'
        + (f"<p>{escape(card['task'])}</p>" if card["task"] else "")
        + f"<ul>{goals}</ul>"
        + (f"<p>{escape(causes['legend'])}</p><ul>{named}</ul>" if causes else "")
        + f"<p>{escape(card['status'])} {escape(card['count'])}</p>"
        + (f"<ol>{hints}</ol>" if hints else "")
        + "</section>"
    )
