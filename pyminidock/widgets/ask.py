"""Foretell first: a question whose answer is there, and covered.

    %%predict 10.both
    minidock run --rm hello Greetings!

The commands of the cell are done when the cell runs.  What they printed is shown by
*Reveal*, which waits for an answer; on a page without a kernel it is folded away.
"""

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import no_var_expand

from pyminidock.cli.failures import tell
from pyminidock.client.connect import connect
from pyminidock.course import predict
from pyminidock.course.lesson import find_prediction
from pyminidock.course.predict import Revealed
from pyminidock.errors import MinidockError
from pyminidock.viz.english.course import CARDS
from pyminidock.viz.scene import GLYPHS
from pyminidock.widgets.card import STATES, Card, cover, flowing, show
from pyminidock.widgets.discreet import typed
from pyminidock.widgets.panel import panel

_SURE = ("low", "medium", "high")


def ask(id: str, body: str) -> Card:
    """Do what `body` says, and make the card that asks for it first.

    Raises NoSuchLesson, CommandUnknown, and what the engine refuses.
    """
    with connect() as client:
        revealed = predict.reveal(client, find_prediction(id), body)
    asked = revealed.prediction
    card = {
        "kind": "predict", "lang": "en", "label": CARDS["predict"], "title": id,
        "name": f"{CARDS['predict']} {id}", "cover": cover("predict", id),
        "prompt": flowing(asked.prompt),
        "options": [{"id": each.id, "text": each.text} for each in asked.options],
        "sure": {
            "legend": CARDS["sure"],
            "options": [{"id": word, "text": CARDS[word]} for word in _SURE],
        },
        "reveal": CARDS["reveal"], "first": CARDS["first"], "covered": CARDS["covered"],
        "result": None, "says": "",
    }  # fmt: skip

    def hear(told: Mapping[str, Any]) -> Mapping[str, Any]:
        option = str(told.get("option", ""))
        if told.get("t") != "reveal" or option not in [each.id for each in asked.options]:
            return {}
        sure = str(told.get("sure", ""))
        sure = sure if sure in _SURE else ""
        is_right = predict.answered(revealed, option, sure)
        result = _result(revealed, option, is_right=is_right)
        return {"result": result, "says": f"{result['verdict']} {result['why']}"}

    made = Card(card, hear)
    show(_static_question(revealed), _plain_question(revealed), made)
    return made


def _result(revealed: Revealed, option: str, *, is_right: bool) -> dict[str, str]:
    """What is uncovered."""
    if revealed.answer is None:
        return {
            "state": "err", "glyph": GLYPHS["err"], "verdict": CARDS["unknown"],
            "why": CARDS["run_above"], "output": _transcript(revealed), "answer": "",
            "named": CARDS["printed"], "evidence": "",
        }  # fmt: skip
    chosen = next(each for each in revealed.prediction.options if each.id == option)
    return {
        "state": STATES[is_right], "glyph": GLYPHS[STATES[is_right]],
        "verdict": CARDS["right"] if is_right else CARDS["wrong"], "why": chosen.why,
        "output": _transcript(revealed), "named": CARDS["printed"],
        "answer": "" if is_right else f"{revealed.answer.text} {revealed.answer.why}",
        "evidence": _evidence(revealed),
    }  # fmt: skip


def _transcript(revealed: Revealed) -> str:
    """The commands as they were typed, and what was printed."""
    known, shown = typed(command.lstrip("%!") for command in revealed.commands)
    return "\n".join([*(f"$ {line}" for line in shown), *known.output(revealed.output)])


def _evidence(revealed: Revealed) -> str:
    found = revealed.evidence
    if found is None:
        return ""
    return (
        f"Step {found.step} decides: {found.sentence}. "
        f"See it: %minidock trace show {found.story}"
    )


def _plain_question(revealed: Revealed) -> str:
    options = [
        f"  {place}. {each.text}"
        for place, each in enumerate(revealed.prediction.options, start=1)
    ]
    return "\n".join([flowing(revealed.prediction.prompt), *options])


def _static_question(revealed: Revealed) -> str:
    """The question for a page without a kernel; the answer is folded."""
    asked, answer = revealed.prediction, revealed.answer
    options = "".join(f"<li>{_prose(each.text)}</li>" for each in asked.options)
    told = CARDS["unknown"] if answer is None else f"{answer.text} {answer.why}"
    return (
        f'<section id="{cover("predict", asked.id)}">'
        f"<p><strong>{CARDS['predict']} {escape(asked.id)}.</strong> "
        f"{_prose(flowing(asked.prompt))}</p><ol>{options}</ol>"
        f"<details><summary>{CARDS['answer']}</summary>"
        f"<pre>{escape(_transcript(revealed))}</pre><p>{_prose(told)}</p></details></section>"
    )


def _prose(words: str) -> str:
    """Give words as HTML; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(words))


# ── Magics ───────────────────────────────────────────────────────────────────────────────


def register(shell: InteractiveShell) -> None:
    """Teach a notebook %%predict and %level."""
    shell.magics_manager.register_function(_predict, "cell", "predict")
    shell.magics_manager.register_function(_level, "line", "level")


@no_var_expand
def _predict(line: str, cell: str) -> None:
    """%%predict ID: the commands of the cell are done; foretell, then look."""
    _safely(lambda: ask(line.strip(), cell))


@no_var_expand
def _level(line: str) -> None:
    """%level ID [start|check|hint|undo]: the panel of a level."""
    id, _, word = line.strip().partition(" ")
    _safely(lambda: panel(id, word.strip()))


def _safely(show: Callable[[], object]) -> None:
    """Show, or tell a refusal as the command line does: no traceback."""
    try:
        show()
    except MinidockError as refusal:
        tell(refusal)
