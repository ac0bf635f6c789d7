"""How the events of a build fill their words: what a size is, why a step had to be done.

One event can have several faces: a setting that got one more value, a file that hides
another one, a step that was missed for a file or because the step before it was done again.
The words are in `english.build`, under `kind/face`.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from pyminidock import events as e
from pyminidock.viz import english

SETTINGS = {
    "command": "CMD", "entrypoint": "ENTRYPOINT", "environment": "ENV", "user": "USER",
    "working_directory": "WORKDIR", "exposed_ports": "EXPOSE", "volumes": "VOLUME",
    "labels": "LABEL", "stop_signal": "STOPSIGNAL", "shell": "SHELL",
    "healthcheck": "HEALTHCHECK", "on_build": "ONBUILD",
}  # fmt: skip
GROWING = ("environment", "exposed_ports", "volumes", "labels", "on_build")
_CAUSES = {
    "first": "nothing like it was built on this image before",
    "disabled": "the cache was not to be used",
    "parent": "the step before it was done again",
    "parent/base": "FROM gave another image than before",
    "parent/image": "the image before it is another one",
    "instruction": "the instruction is another one",
    "instruction/added": "the instruction is new",
    "instruction/removed": "an instruction before it is gone",
    "instruction/moved": "the instruction stood elsewhere",
    "instruction/meaning": "the same words mean something else now",
    "source": "it was done here, but --cache-from names other images",
    "forgotten": "it is not what it was, and that is no longer kept",
    "removed": "what it had made was removed since",
    "unfinished": "the last build never came to its end",
}
_UNITS = ("B", "kB", "MB", "GB", "TB")

BuildWords = (
    e.ContextReceived | e.InstructionParsed | e.StepStarted | e.StepSkipped | e.CacheMissed
    | e.ConfigChanged | e.FileCopied | e.FileChanged | e.LayerFound | e.LayerCommitted
    | e.LayerUnpacked | e.LayersRemoved | e.StepPrinted | e.StepFinished | e.ImageTagged
    | e.BuildFailed
)  # fmt: skip


def words_of_build(  # noqa: PLR0911, PLR0912  (one line per fact)
    event: BuildWords, kind: str, facts: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]]:
    """Give the catalogue key of an event, and the facts that fill its template."""
    match event:
        case e.InstructionParsed() | e.StepStarted() | e.StepSkipped():
            keyword = event.text.split(maxsplit=1)[0].upper() if event.text.split() else ""
            purpose = english.INSTRUCTIONS.get(keyword, english.ANY_INSTRUCTION)
            return kind, {**facts, "text": opening(event.text), "purpose": purpose}
        case e.CacheMissed():
            return f"{kind}{_face(event)}", {**facts, "reason": reason(event)}
        case e.ConfigChanged():
            return _setting(event, kind, facts)
        case (
            e.ContextReceived() | e.LayerFound() | e.LayerCommitted() | e.LayerUnpacked()
            | e.LayersRemoved()
        ):  # fmt: skip
            said = {**facts, "size": size(event.size_bytes)}
            if not isinstance(event, e.LayersRemoved):
                said["count"] = several(event.files, "name")
            if isinstance(event, e.LayerFound):
                said["names"] = tuple(map(familiar, event.names)) or ("no named image",)
            return kind, said
        case e.FileCopied():
            key = f"{kind}/changed" if event.change == "changed" else kind
            return key, {**facts, "shape": _shape(event)}
        case e.FileChanged():
            said = {**facts, "shape": _shape(event), "size": size(event.size_bytes)}
            return f"{kind}/{_change(event.change)}", said
        case e.StepPrinted():
            return kind, {**facts, "text": event.text.strip("\r\n") or "(an empty line)"}
        case e.StepFinished():
            said = {**facts, "cost": cost(event.milliseconds)}
            face = "/cached" if event.was_cached else "" if event.image else "/nothing"
            return f"{kind}{face}", said
        case e.ImageTagged():
            said = {**facts, "name": familiar(event.name)}
            return (f"{kind}/moved" if event.previous else kind), said
        case e.BuildFailed():
            return (kind if event.enter_command else f"{kind}/early"), facts
        case _:
            assert_never(event)


def reason(event: e.CacheMissed) -> str:
    """Say in one clause why a step has to be done.

    >>> reason(e.CacheMissed(4, "file", "content", "sample.py"))
    'sample.py has another content'
    """
    if event.cause == "file":
        if event.detail in ("added", "removed"):
            return f"{event.path} was {event.detail}"
        return f"{event.path} has another {event.detail}"
    if event.cause in ("argument", "variable", "setting"):
        return f"the {event.cause} {event.detail} has another value"
    words = _CAUSES.get(f"{event.cause}/{event.detail}") or _CAUSES.get(event.cause)
    return words or event.cause or "no cause was told"


_FACES = (
    "first", "disabled", "parent", "instruction", "argument", "variable", "removed",
    "unfinished",
)  # fmt: skip


def _face(event: e.CacheMissed) -> str:
    match event.cause:
        case "file":
            is_value = event.detail in ("content", "mode", "owner")
            return "/file" if is_value else "/name"
        case "parent" if event.detail in ("base", "image"):
            return "/base"
        case "instruction" if not (event.before and event.after):
            return "/place"
        case cause:
            return f"/{cause}" if cause in _FACES else ""


def _setting(
    event: e.ConfigChanged, kind: str, facts: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]]:
    """Say what a field is, or what it has more than before."""
    said = {**facts, "setting": SETTINGS.get(event.field, event.field)}
    if not event.after:
        return f"{kind}/none", said
    gained = tuple(each for each in event.after if each not in event.before)
    if event.field in GROWING and gained:
        return f"{kind}/more", {**said, "gained": gained}
    return kind, said


def _shape(event: e.FileCopied | e.FileChanged) -> str:
    """Say what a name is; how large, where that means something."""
    is_file = event.kind == "file"
    return f"{event.kind}, {size(event.size_bytes)}" if is_file else event.kind


def _change(change: str) -> str:
    return change if change in ("added", "changed", "deleted") else "changed"


def opening(text: str, width: int = 76) -> str:
    r"""Give the beginning of a text on one line.

    >>> opening("RUN a && \\\n    b", 9)
    'RUN a &&…'
    """
    line = " ".join(text.replace("\\\n", " ").split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def several(count: int, word: str) -> str:
    """Count things.

    >>> several(1, "name"), several(1200, "name")
    ('1 name', '1,200 names')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def size(size_bytes: int) -> str:
    """Write a number of bytes for people, in powers of 1000 as Docker does.

    >>> size(0), size(999), size(12_345), size(7_340_032)
    ('0 B', '999 B', '12.3 kB', '7.34 MB')
    """
    amount, power = float(size_bytes), 0
    while abs(amount) >= 999.5 and power < len(_UNITS) - 1:
        amount, power = amount / 1000, power + 1
    shown = f"{amount:.3g}" if abs(amount) < 1000 else f"{amount:.0f}"
    return f"{shown} {_UNITS[power]}"


def cost(milliseconds: int) -> str:
    """Write how long something took.

    >>> cost(0), cost(42), cost(4_480), cost(75_000)
    ('0 ms', '42 ms', '4.48 s', '75.0 s')
    """
    if abs(milliseconds) < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.2f} s" if abs(seconds) < 10 else f"{seconds:.1f} s"


def familiar(name: str) -> str:
    """Shorten a canonical name as people write it.

    >>> familiar("docker.io/library/app:latest"), familiar("docker.io/me/app:2")
    ('app', 'me/app:2')
    """
    short = name.removeprefix("docker.io/").removeprefix("library/")
    return short.removesuffix(":latest") or name
