"""Advice about a Dockerfile that works, but not as well as it could.

Nothing here refuses anything.  Each advice names its line, its reason and the lesson that
shows the difference, so that it can be tried and not only believed.

Source: docs.docker.com/build/building/best-practices, and what our lessons measure.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.instructions import Instruction
from pyminidock.dockerfile.parse import Dockerfile

_SECRET = re.compile(
    r"(?i)(^|_)(password|passwd|pwd|secret|token|api_?key|private_?key|credentials?)(_|$)"
)
_ARCHIVE = re.compile(r"\.(tar|tar\.(gz|bz2|xz|zst)|tgz|tbz2?|txz)$")
_ADDRESS = re.compile(r"(https?|ftp|git)://|git@|.*\.git(#|$)")
_INSTALLS = re.compile(r"\b(pip3? install|npm (install|ci)|yarn install|bundle install|"
                       r"go mod download|poetry install|mvn |cargo build)")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that could be better; `line` 0 is the file as a whole."""

    rule: str
    line: int
    text: str
    try_next: str
    lesson: str


def advice(dockerfile: Dockerfile, *, has_ignore_file: bool = True) -> tuple[Advice, ...]:
    r"""Give every advice there is, by line.

    `has_ignore_file` says whether a .dockerignore stands beside the file.

    >>> from pyminidock.dockerfile.parse import parse
    >>> [(a.rule, a.line) for a in advice(parse("FROM debian\nMAINTAINER me\n"))]
    [('unpinned-base', 1), ('maintainer', 2)]
    """
    steps = dockerfile.instructions
    found = [one for rule in _STEP_RULES for step in steps for one in rule(step)]
    for stage in _stages(steps):
        found += [one for rule in _STAGE_RULES for one in rule(stage)]
    found += _bases(steps)
    if not has_ignore_file:
        found += _no_ignore_file(steps)
    return tuple(sorted(found, key=lambda one: (one.line, one.rule)))


def _stages(steps: Sequence[Instruction]) -> Iterator[list[Instruction]]:
    stage: list[Instruction] = []
    for step in steps:
        if isinstance(step, said.From) and stage:
            yield stage
            stage = []
        stage.append(step)
    yield stage


# ── The base ─────────────────────────────────────────────────────────────────────────────


def _bases(steps: Sequence[Instruction]) -> Iterator[Advice]:
    """A tag that moves makes a build that cannot be repeated."""
    names: set[str] = {"scratch"}
    for step in steps:
        if not isinstance(step, said.From):
            continue
        last = step.base.rpartition("/")[2]
        is_open = "@" not in step.base and (":" not in last or last.endswith(":latest"))
        if is_open and "$" not in step.base and step.base.lower() not in names:
            yield Advice(
                "unpinned-base",
                step.span.first,
                f"{step.base} is whatever is newest on the day of the build",
                f"FROM {step.base.partition(':')[0]}:VERSION, or @sha256:… for exactly one",
                "image-names",
            )
        names.add(step.name)


# ── Single steps ─────────────────────────────────────────────────────────────────────────


def _package_lists(step: Instruction) -> Iterator[Advice]:
    """Files removed in a later layer stay in the earlier one."""
    text, line = _shell_text(step), step.span.first
    if isinstance(step, said.Run) and any("type=cache" in mount for mount in step.mounts):
        return
    installs = _runs(text, ("apt-get", "apt"), "install")
    if installs and "/var/lib/apt/lists" not in text:
        yield Advice(
            "apt-lists",
            line,
            "the lists of apt-get update stay in this layer for good",
            "end the same RUN with && rm -rf /var/lib/apt/lists/*",
            "layers",
        )
    if installs and not _runs(text, ("apt-get", "apt"), "update"):
        yield Advice(
            "apt-update",
            line,
            "the lists come from another layer, which the cache may keep for months",
            "RUN apt-get update && apt-get install -y …",
            "build-cache",
        )
    if _runs(text, ("pip", "pip3"), "install") and "--no-cache-dir" not in text:
        yield Advice(
            "pip-cache",
            line,
            "pip keeps what it fetched, and the layer keeps it too",
            "RUN --mount=type=cache,target=/pip pip install --cache-dir /pip …",
            "layers",
        )
    if _runs(text, ("apk",), "add") and "--no-cache" not in text:
        yield Advice(
            "apk-cache",
            line,
            "the index of apk stays in this layer",
            "apk add --no-cache …",
            "layers",
        )


def _runs(text: str, programs: tuple[str, ...], verb: str) -> bool:
    """Whether one of the commands of a shell text is `program … verb …`."""
    for command in re.split(r"[;&|\n]+", text):
        words = command.split()
        for place, word in enumerate(words):
            if word in programs:
                if verb in words[place:]:
                    return True
                break
    return False


def _lost_directory(step: Instruction) -> Iterator[Advice]:
    if re.fullmatch(r"cd [^;&|]+", _shell_text(step)):
        yield Advice(
            "lost-directory",
            step.span.first,
            "every RUN is a process of its own: its directory ends with it",
            "WORKDIR, or cd … && … in one RUN",
            "processes",
        )


def _secrets(step: Instruction) -> Iterator[Advice]:
    """ENV stays in the config, ARG in the history: both can be read by whoever pulls."""
    if not isinstance(step, said.Env | said.Arg):
        return
    for name, value in step.pairs:
        if _SECRET.search(name) and (value or isinstance(step, said.Arg)):
            yield Advice(
                "secret",
                step.span.first,
                f"{name} can be read out of the image by everybody who has it",
                f"RUN --mount=type=secret,id={name.lower()} …, or give it at docker run",
                "secrets",
            )


def _add_for_copy(step: Instruction) -> Iterator[Advice]:
    if not isinstance(step, said.Add) or not step.sources or step.checksum:
        return
    if not any(_ADDRESS.match(s) or _ARCHIVE.search(s) or "$" in s for s in step.sources):
        yield Advice(
            "add-for-copy",
            step.span.first,
            "ADD also unpacks archives and fetches addresses; nothing here needs that",
            f"COPY {' '.join(step.sources)} {step.destination}",
            "copy",
        )


def _relative_workdir(step: Instruction) -> Iterator[Advice]:
    if isinstance(step, said.Workdir) and not re.match(r"[/$\"']", step.path):
        yield Advice(
            "relative-workdir",
            step.span.first,
            "where this leads depends on the base image",
            f"WORKDIR /{step.path}",
            "image-config",
        )


def _shell_form(step: Instruction) -> Iterator[Advice]:
    """A shell in front takes the signals, and does not hand them on."""
    if not isinstance(step, said.Cmd | said.Entrypoint):
        return
    if step.command.is_shell and step.command.words:
        text = step.command.words[0]
        if not text.startswith("exec "):
            words = ", ".join(f'"{word}"' for word in text.split())
            yield Advice(
                "shell-form",
                step.span.first,
                "the shell becomes process 1, and docker stop has to kill it after 10 s",
                f"{step.keyword} [{words}]",
                "signals",
            )


def _old_words(step: Instruction) -> Iterator[Advice]:
    if isinstance(step, said.Maintainer):
        yield Advice(
            "maintainer",
            step.span.first,
            "MAINTAINER is one field that few tools show",
            f'LABEL org.opencontainers.image.authors="{step.name}"',
            "image-config",
        )
    if isinstance(step, said.Env | said.Label) and step.is_old_form:
        ((name, value),) = step.pairs
        yield Advice(
            "old-form",
            step.span.first,
            f"without = the whole line is one value, and {step.keyword} holds one pair",
            f'{step.keyword} {name}="{value}"',
            "image-config",
        )


# ── Whole stages ─────────────────────────────────────────────────────────────────────────


def _only_the_last_counts(stage: Sequence[Instruction]) -> Iterator[Advice]:
    last: dict[str, Instruction] = {}
    for step in stage:
        if not isinstance(step, said.Cmd | said.Entrypoint | said.Healthcheck):
            continue
        before = last.get(step.keyword)
        if before is not None:
            yield Advice(
                "overruled",
                before.span.first,
                f"the {step.keyword} in line {step.span.first} takes the place of this one",
                "keep one of them",
                "image-config",
            )
        last[step.keyword] = step


def _sources_before_packages(stage: Sequence[Instruction]) -> Iterator[Advice]:
    """Whatever changes in the sources makes everything below run again."""
    whole: Instruction | None = None
    for step in stage:
        if _copies_everything(step):
            whole = step
        elif whole is not None and _INSTALLS.search(_shell_text(step)):
            yield Advice(
                "sources-before-packages",
                whole.span.first,
                f"after a change to any file line {step.span.first} installs all again",
                "COPY the list of packages first, install, then COPY the rest",
                "build-cache",
            )
            return


def _no_ignore_file(steps: Sequence[Instruction]) -> Iterator[Advice]:
    for step in steps:
        if _copies_everything(step):
            yield Advice(
                "no-ignore-file",
                step.span.first,
                "everything in the folder is sent and copied: .git, caches, keys",
                "write a .dockerignore with .git and whatever the image does not need",
                "build-context",
            )
            return


def _copies_everything(step: Instruction) -> bool:
    """Whether a step takes the whole context."""
    if isinstance(step, said.Copy) and step.from_name:
        return False
    return isinstance(step, said.Transfer) and not {".", "./", "*"}.isdisjoint(step.sources)


def _shell_text(step: Instruction) -> str:
    """What a RUN hands to a shell, heredocs included; empty for anything else."""
    if not isinstance(step, said.Run) or not step.command.is_shell:
        return ""
    return "\n".join((*step.command.words, *(h.text for h in step.heredocs)))


_STEP_RULES: tuple[Callable[[Instruction], Iterator[Advice]], ...] = (
    _package_lists,
    _lost_directory,
    _secrets,
    _add_for_copy,
    _relative_workdir,
    _shell_form,
    _old_words,
)
_STAGE_RULES: tuple[Callable[[Sequence[Instruction]], Iterator[Advice]], ...] = (
    _only_the_last_counts,
    _sources_before_packages,
)
