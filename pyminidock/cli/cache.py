"""`minidock explain cache IMAGE`: what each step did, why, and what would spare the work.

    Step 5/6 : COPY . .
      done in 4 ms, 10 B written
      because sample.py has another content: 3fa0b12c9d4e → 98fe77a10b2c

First the steps, then the sums, then what to do about the first step that was missed: those
behind it follow from it, unless they have a cause of their own.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from pyminidock.client.connect import connect

Step = Mapping[str, Any]
Cause = Mapping[str, str]

_COLOURS = {"hit": "green", "miss": "yellow"}
_FACTLESS = (
    "first",
    "disabled",
    "unfinished",
    "forgotten",
)  # causes that need no before and after
_ADVICE = {
    "disabled": "Without --no-cache, steps that are the same come from the cache.",
    "source": "With --cache-from only steps of the images that it names are taken.",
    "removed": "`rmi` and prunes take the images of steps along; rmi --no-prune does not.",
    "argument": "An ARG counts from its own line on: declare it just before the RUN that "
    "needs it.",
    "instruction": "What is edited often belongs near the end of the Dockerfile.",
    "variable": "What is set anew for each build belongs near the end of the Dockerfile.",
    "setting": "The same words with another setting are another step.",
    "parent/base": "A tag can move to another image; FROM NAME@sha256:… cannot.",
    "file": "What is edited often belongs into a COPY near the end of the Dockerfile.",
    "file/mode": "`chmod {before} {path}` brings the cached step back.",
    "file/added": "If the image does not need it: echo {path} >>.dockerignore",
    "first": "Build it again: what is the same then comes from the cache.",
}
_ORDER = {_ADVICE["instruction"], _ADVICE["variable"], _ADVICE["file"]}  # if a RUN follows


def cache(words: tuple[str, ...], **given: Any) -> int:
    """Print step by step how an image came about: from the cache, or why not."""
    with connect() as client:
        told = client.builds.explain(words[0])
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
        return 0
    for line in report(told, words[0]):
        click.echo(line)
    return 0


def report(told: Mapping[str, Any], asked: str) -> Iterator[str]:
    """Write all that is to be printed, a line each."""
    steps = told["steps"]
    yield from _heading(told, asked)
    yield ""
    for number, step in enumerate(steps, 1):
        yield from _worded(step, number)
    if told["told_by"] == "story":
        yield ""
        yield from _sums(steps)
        yield from _advice(steps)


# ── Who tells ────────────────────────────────────────────────────────────────────────────


def _heading(told: Mapping[str, Any], asked: str) -> Iterator[str]:
    """Say which image this is, and who tells the rest."""
    others = [name for name in told["names"] if name.removesuffix(":latest") != asked]
    also = f", also called {', '.join(others)}" if others and others != [asked] else ""
    really = f" (stand-in: {told['stand_in']})" if told["stand_in"] else ""
    yield click.style(f"{asked} is image {short(told['image'])}{also}{really}", bold=True)
    if told["told_by"] == "story":
        yield f"This is its last build.  All of it: minidock trace show {told['story']}"
    elif told["told_by"] == "cache":
        yield "The record of its build is no longer kept: why its steps were done is not"
        yield "known any more.  What each of them made, and what it cost, is."
    elif told["is_built_here"]:
        yield "It was built here, but neither the record of that nor its steps are kept any"
        yield "more.  This is what the image says of itself; build it again to see more."
    else:
        yield "It was not built here but came as a whole, so no cache was asked for it."
        yield "This is what the image says of itself, oldest first."


def short(text: str) -> str:
    """Shorten an id or a digest; other texts stay.

    >>> short("sha256:" + "ab" * 32), short("dir:" + "cd" * 32), short("0644"), short("")
    ('abababababab', 'cdcdcdcdcdcd', '0644', '–')
    """
    return re.sub(r"^(?:\w+:)?([0-9a-f]{12})[0-9a-f]{4,}$", r"\1", text) or "–"


# ── The steps ────────────────────────────────────────────────────────────────────────────


def _worded(step: Step, number: int) -> Iterator[str]:
    """Word one step: what it is, what was done and at what cost, and each cause."""
    at = f"{step['step'] or number}" + (f"/{step['total']}" if step["total"] else "")
    yield click.style(f"Step {at} : {_shown(step['text'])}", bold=True)
    yield click.style(f"  {_deed(step)}", fg=_COLOURS.get(step["verdict"]))
    for cause in step["causes"]:
        yield f"  because {worded(cause)}"


def _deed(step: Step) -> str:
    """Say what was done for a step, and what it cost or spared.

    >>> _deed({"verdict": "hit", "milliseconds": 1200, "size_bytes": 5, "source": ""})
    'from the cache: 1.20 s and 5 B saved'
    >>> _deed({"verdict": "miss", "milliseconds": 4, "size_bytes": 0, "source": ""})
    'done in 4 ms, nothing written'
    """
    from pyminidock.viz.buildwords import cost, size  # noqa: PLC0415  (costs 60 ms)

    took = cost(step["milliseconds"])
    wrote = size(step["size_bytes"]) if step["size_bytes"] else "nothing"
    spent = _spent(step)
    match step["verdict"]:
        case "base":
            return "the base: nothing to do"
        case "skipped":
            return "skipped: no stage needs it"
        case "hit" if step["source"]:
            return (
                f"from {step['source']}, which --cache-from names: {spent or wrote} saved"
            )
        case "hit":
            return f"from the cache: {spent} saved" if spent else "from the cache"
        case "miss":
            return f"done in {took}, {wrote} written"
    return f"made: {spent}" if spent else "made"


def _spent(step: Step) -> str:
    """Say what a step had cost, as far as that is known."""
    from pyminidock.viz.buildwords import cost, size  # noqa: PLC0415  (costs 60 ms)

    took = cost(step["milliseconds"]) if step["milliseconds"] else ""
    wrote = size(step["size_bytes"]) if step["size_bytes"] else ""
    return " and ".join(filter(None, (took, wrote)))


def worded(cause: Cause) -> str:
    """Say one cause of a miss, with what was before and what is now.

    >>> worded({"cause": "file", "detail": "mode", "path": "a.py", "before": "0644",
    ...         "after": "0755"})
    'a.py has another mode: 0644 → 0755'
    """
    from pyminidock.events import CacheMissed  # noqa: PLC0415
    from pyminidock.viz.buildwords import reason  # noqa: PLC0415

    names = ("cause", "detail", "path", "before", "after")
    said = reason(CacheMissed(0, *(cause[name] for name in names)))
    before, after = (_shown(short(cause[name])) for name in ("before", "after"))
    if cause["cause"] in _FACTLESS or cause["detail"] == "step":
        return said
    if cause["detail"] in ("added", "moved") and before == "–":
        return said if cause["cause"] == "instruction" else f"{said}: {after}"
    if cause["detail"] in ("removed", "moved") or cause["cause"] in ("removed", "source"):
        return f"{said}: {before}"
    if before == after:  # values of ENV, ARG and LABEL are not recorded
        return f"{said}: a value in {after} (values are not recorded)"
    return f"{said}: {before} → {after}"


def _shown(text: str) -> str:
    r"""Give the first line of a text, safe for any terminal.

    >>> _shown("RUN <<EOF\necho\nEOF\n"), _shown("a\x1b[2J")
    ('RUN <<EOF …', 'a\\x1b[2J')
    """
    from pyminidock.viz.sentences import visible  # noqa: PLC0415

    first, _, rest = text.strip().partition("\n")
    return visible(first.rstrip("\\ ")) + (" …" if rest else "")


# ── What follows from it ─────────────────────────────────────────────────────────────────


def _sums(steps: Sequence[Step]) -> Iterator[str]:
    """Add up what was done and what was saved."""
    for verdict, words in (("miss", "done"), ("hit", "from the cache")):
        of = [step for step in steps if step["verdict"] == verdict]
        names = ("milliseconds", "size_bytes")
        spent = _spent({name: sum(step[name] for step in of) for name in names})
        end = f": {spent} {'saved' if verdict == 'hit' else 'spent'}" if spent else ""
        if of:
            yield f"{len(of)} step{'' if len(of) == 1 else 's'} {words}{end}"


def _advice(steps: Sequence[Step]) -> Iterator[str]:
    """Say what would spare the work, for the first miss and what followed from it alone."""
    missed = [step for step in steps if step["verdict"] == "miss"]
    if not missed:
        return
    first, lost = missed[0]["causes"], _lost(missed[1:])
    hints = dict.fromkeys(_hint(cause, is_alone=len(first) == 1) for cause in first)
    said = [hint for hint in hints if hint and (lost or hint not in _ORDER)]
    if first[0]["cause"] not in ("disabled", "first"):
        said += [lost] if lost else []
    if said:
        yield ""
    for line in said:
        yield click.style("Hint: ", fg="cyan") + line


def _hint(cause: Cause, *, is_alone: bool = True) -> str:
    """Give the advice for one cause, or nothing.

    >>> _hint({"cause": "file", "detail": "mode", "path": "a b", "before": "0644"})
    "`chmod 0644 'a b'` brings the cached step back."
    """
    kind = f"{cause['cause']}/{cause['detail']}"
    if kind == "file/mode" and not is_alone:
        return ""
    text = _ADVICE.get(kind) or _ADVICE.get(cause["cause"], "")
    path = shlex.quote(_shown(cause["path"]))
    return text.replace("{before}", cause["before"]).replace("{path}", path)


def _lost(behind: Iterable[Step]) -> str:
    """Say what was done again only because of the step before it."""
    from pyminidock.viz.buildwords import cost  # noqa: PLC0415

    again = [step for step in behind if [c["cause"] for c in step["causes"]] == ["parent"]]
    again = [step for step in again if step["text"][:4].upper() == "RUN "]
    if not again:
        return ""
    longest = max(again, key=lambda step: int(step["milliseconds"]))
    return (
        f"Step {longest['step']} took {cost(longest['milliseconds'])} again, with the same "
        "words: if it does not need what changed, put it in front."
    )
