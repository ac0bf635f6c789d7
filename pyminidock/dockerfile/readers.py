"""One reader for each instruction: words in, a value out, or Docker's words of refusal.

Docker reads in two passes: the first cuts every instruction of the file into words, the
second understands them.  So a file with two faults shows the first fault of the first
pass, wherever it stands.  `cutting` is that pass, this is the second.

Source: buildkit 0.13, frontend/dockerfile/instructions/parse.go, whose order of checks
decides which of two faults is told.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.cutting import Cut
from pyminidock.dockerfile.expand import SubstitutionFailed
from pyminidock.dockerfile.flags import FlagKind, Flags
from pyminidock.dockerfile.gotext import SPACES, DurationMalformed, parse_duration, quote
from pyminidock.dockerfile.heredocs import Heredoc, parse_heredoc
from pyminidock.dockerfile.instructions import Instruction
from pyminidock.dockerfile.malformed import Fault
from pyminidock.dockerfile.mounts import check_mount
from pyminidock.dockerfile.suggest import guess_keyword

_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
_SHORTEST_INTERVAL_NS = 1_000_000
_FORM = "what stands behind the keyword is counted in words"
TEXT, YES, LIST = FlagKind.TEXT, FlagKind.YES, FlagKind.LIST


def understand(made: Cut) -> Instruction:
    """Turn words into an instruction.  Raises Fault."""
    reader = _READERS.get(made.keyword)
    if reader is None:
        raise Fault(
            f"unknown instruction: {made.keyword}"
            f"{guess_keyword(made.keyword, said.KEYWORDS)}",
            f"an instruction is one of {', '.join(said.KEYWORDS)}",
            made.keyword,
        )
    line = made.line
    common: Mapping[str, Any] = {
        "span": said.Span(line.first, line.last),
        "text": line.text.strip(SPACES),
        "flags": made.flags,
    }
    return reader(made, common)


def _from(made: Cut, common: Mapping[str, Any]) -> Instruction:
    words = made.words
    name = ""
    if len(words) == 3 and words[1].lower() == "as":
        name = words[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            raise Fault(
                f"invalid name for build stage: {quote(words[2])}, "
                "name can't start with a number or contain symbols",
                "a number already means a stage: the one at that place",
                words[2],
            )
    elif len(words) != 1:
        raise Fault(
            "FROM requires either one or three arguments",
            "it is FROM image, or FROM image AS name",
            " ".join(words[1:]),
        )
    flags = made.known_flags(platform=TEXT)
    return said.From(words[0], name, flags.text("platform"), **common)


def _run(made: Cut, common: Mapping[str, Any]) -> Instruction:
    flags = made.known_flags(mount=LIST, network=TEXT)
    for mount in flags.all("mount"):
        check_mount(mount)
    network = flags.text("network") if "network" in flags.values else "default"
    if network not in ("default", "none", "host"):
        why = "a build has the default network, the host's, or none"
        raise Fault(f"invalid network mode {quote(network)}", why, network)
    return said.Run(
        made.command(), flags.all("mount"), network, made.line.heredocs, **common
    )


def _copy(made: Cut, common: Mapping[str, Any]) -> Instruction:
    _need_destination(made)
    flags = made.known_flags(chown=TEXT, chmod=TEXT, link=YES, **{"from": TEXT})
    return said.Copy(
        *_sources(made),
        flags.text("chown"),
        flags.text("chmod"),
        flags.is_set("link"),
        flags.text("from"),
        **common,
    )


def _add(made: Cut, common: Mapping[str, Any]) -> Instruction:
    _need_destination(made)
    flags = made.known_flags(
        chown=TEXT, chmod=TEXT, link=YES, keep_git_dir=YES, checksum=TEXT
    )
    return said.Add(
        *_sources(made),
        flags.text("chown"),
        flags.text("chmod"),
        flags.is_set("link"),
        flags.text("checksum"),
        flags.is_set("keep-git-dir"),
        **common,
    )


def _need_destination(made: Cut) -> None:
    if len(made.words) < 2:
        raise Fault(
            f"{made.keyword} requires at least two arguments, but only one was provided. "
            "Destination could not be determined",
            "the last word is where the files go",
        )


def _sources(made: Cut) -> tuple[tuple[str, ...], str, tuple[Heredoc, ...]]:
    """Sources, destination and documents, which stand among the sources as `<<NAME`."""
    *sources, destination = made.words
    if _heredoc(destination):
        raise Fault(
            f"{made.keyword} cannot accept a heredoc as a destination",
            "a heredoc is content; the last word is where it goes",
            destination,
        )
    content = {heredoc.name: heredoc for heredoc in made.line.heredocs}
    paths: list[str] = []
    heredocs: list[Heredoc] = []
    for source in sources:
        heredoc = _heredoc(source)
        if heredoc is None:
            paths.append(source)
        else:
            known = content.get(heredoc.name)
            heredocs.append(replace(heredoc, content=known.content if known else ""))
    return tuple(paths), destination, tuple(heredocs)


def _heredoc(word: str) -> Heredoc | None:
    try:
        return parse_heredoc(word)
    except SubstitutionFailed:
        return None


def _env(made: Cut, common: Mapping[str, Any]) -> Instruction:
    made.known_flags()
    return said.Env(_named_pairs(made), made.is_old_form, **common)


def _label(made: Cut, common: Mapping[str, Any]) -> Instruction:
    made.known_flags()
    return said.Label(_named_pairs(made), made.is_old_form, **common)


def _named_pairs(made: Cut) -> tuple[tuple[str, str], ...]:
    _need_one(made)
    pairs = tuple(zip(made.words[::2], made.words[1::2], strict=True))
    if not all(name for name, _ in pairs):
        raise _blank_name(made)
    return pairs


def _blank_name(made: Cut) -> Fault:
    return Fault(
        f"{made.keyword} names can not be blank", "something stands before the =", "="
    )


def _arg(made: Cut, common: Mapping[str, Any]) -> Instruction:
    _need_one(made)
    pairs: list[tuple[str, str | None]] = []
    for word in made.words:
        name, equals, value = word.partition("=")
        if equals and not name:
            raise _blank_name(made)
        pairs.append((name, value if equals else None))
    return said.Arg(tuple(pairs), **common)


def _need_one(made: Cut) -> None:
    if not made.words:
        raise Fault(f"{made.keyword} requires at least one argument", _FORM)


def _the_one(made: Cut) -> str:
    if len(made.words) != 1:
        raise Fault(f"{made.keyword} requires exactly one argument", _FORM)
    return made.words[0]


def _expose(made: Cut, common: Mapping[str, Any]) -> Instruction:
    _need_one(made)
    made.known_flags()
    return said.Expose(tuple(sorted(made.words)), **common)


def _user(made: Cut, common: Mapping[str, Any]) -> Instruction:
    user = _the_one(made)
    made.known_flags()
    return said.User(user, **common)


def _workdir(made: Cut, common: Mapping[str, Any]) -> Instruction:
    path = _the_one(made)
    made.known_flags()
    return said.Workdir(path, **common)


def _maintainer(made: Cut, common: Mapping[str, Any]) -> Instruction:
    name = _the_one(made)
    made.known_flags()
    return said.Maintainer(name, **common)


def _stopsignal(made: Cut, common: Mapping[str, Any]) -> Instruction:
    return said.Stopsignal(_the_one(made), **common)


def _volume(made: Cut, common: Mapping[str, Any]) -> Instruction:
    _need_one(made)
    made.known_flags()
    paths = tuple(path.strip(SPACES) for path in made.words)
    if not all(paths):
        raise Fault("VOLUME specified can not be an empty string", "a volume is a path")
    return said.Volume(paths, **common)


def _cmd(made: Cut, common: Mapping[str, Any]) -> Instruction:
    made.known_flags()
    return said.Cmd(made.command(), **common)


def _entrypoint(made: Cut, common: Mapping[str, Any]) -> Instruction:
    made.known_flags()
    return said.Entrypoint(made.command(), **common)


def _shell(made: Cut, common: Mapping[str, Any]) -> Instruction:
    made.known_flags()
    _need_one(made)
    if not made.is_json:
        raise Fault(
            "SHELL requires the arguments to be in JSON form",
            'it is a list of words: SHELL ["/bin/sh", "-c"]',
            made.words[0],
        )
    return said.Shell(made.words, **common)


def _healthcheck(made: Cut, common: Mapping[str, Any]) -> Instruction:
    _need_one(made)
    kind, words = made.words[0].upper(), made.words[1:]
    if kind == "NONE":
        if words:
            why = "NONE takes the check of the base image away, nothing else"
            raise Fault("HEALTHCHECK NONE takes no arguments", why, words[0])
        return said.Healthcheck(("NONE",), **common)
    flags = made.known_flags(
        interval=TEXT, timeout=TEXT, start_period=TEXT, start_interval=TEXT, retries=TEXT
    )
    if kind != "CMD":
        raise Fault(
            f"Unknown type {quote(kind)} in HEALTHCHECK (try CMD)",
            "a check is HEALTHCHECK CMD command, or HEALTHCHECK NONE",
            made.words[0],
        )
    if not words:
        raise Fault("Missing command after HEALTHCHECK CMD", "a check is a command")
    return said.Healthcheck(
        ("CMD" if made.is_json else "CMD-SHELL", *words),
        _interval(flags, "interval"),
        _interval(flags, "timeout"),
        _interval(flags, "start-period"),
        _interval(flags, "start-interval"),
        _retries(flags.text("retries")),
        **common,
    )


def _interval(flags: Flags, name: str) -> int:
    text = flags.text(name)
    if not text:
        return 0
    try:
        nanoseconds = parse_duration(text)
    except DurationMalformed as malformed:
        raise Fault(str(malformed), "a time is 30s, 1m30s or 500ms", text) from malformed
    if nanoseconds and nanoseconds < _SHORTEST_INTERVAL_NS:
        fault = f"Interval {quote(name)} cannot be less than 1ms"
        raise Fault(fault, "a check takes time itself", text)
    return nanoseconds


def _retries(text: str) -> int:
    if not text:
        return 0
    digits = text.lstrip("+-").lstrip("0")
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        fault = f"strconv.ParseInt: parsing {quote(text)}: invalid syntax"
    elif len(digits) > 10 or not -(1 << 31) <= int(text) < 1 << 31:
        fault = f"strconv.ParseInt: parsing {quote(text)}: value out of range"
    elif int(text) < 0:
        fault = f"--retries cannot be negative ({int(text)})"
    else:
        return int(text)
    raise Fault(fault, "so many failures in a row make a container unhealthy", text)


def _onbuild(made: Cut, common: Mapping[str, Any]) -> Instruction:
    _need_one(made)
    made.known_flags()
    trigger = made.words[0].strip(SPACES).upper()
    why = "a trigger is one step of the image that is built on this one"
    if trigger == "ONBUILD":
        raise Fault(
            "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", why, made.words[0]
        )
    if trigger in ("MAINTAINER", "FROM"):
        raise Fault(f"{trigger} isn't allowed as an ONBUILD trigger", why, trigger)
    expression = re.sub(r"(?i)^\s*ONBUILD\s*", "", made.line.text, count=1)
    for heredoc in made.line.heredocs:
        expression += f"\n{heredoc.content}{heredoc.name}"
    return said.Onbuild(expression, trigger, **common)


_READERS: dict[str, Callable[[Cut, Mapping[str, Any]], Instruction]] = {
    "ADD": _add, "ARG": _arg, "CMD": _cmd, "COPY": _copy, "ENTRYPOINT": _entrypoint,
    "ENV": _env, "EXPOSE": _expose, "FROM": _from, "HEALTHCHECK": _healthcheck,
    "LABEL": _label, "MAINTAINER": _maintainer, "ONBUILD": _onbuild, "RUN": _run,
    "SHELL": _shell, "STOPSIGNAL": _stopsignal, "USER": _user, "VOLUME": _volume,
    "WORKDIR": _workdir,
}  # fmt: skip
