"""An instruction with its variables filled in: which words of it are looked at.

    ENV LABEL ARG        names and values       FROM          base and --platform
    WORKDIR USER VOLUME  each word              COPY ADD      paths, --chown, --chmod, and
    STOPSIGNAL                                                the content of heredocs
    EXPOSE               one word may give several            RUN  the fields of --mount
    RUN's command, CMD, ENTRYPOINT, SHELL, HEALTHCHECK, ONBUILD, MAINTAINER, --from: nothing

RUN's own words are the shell's business, which finds the same variables in its environment.
All words of one instruction see the values from before it.

Source: docker-build-and-api 1.3; buildkit 0.13, instructions/commands.go, Expand().
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from pyminidock.dockerfile.expand import expand, expand_content, expand_words, is_plain
from pyminidock.dockerfile.instructions import (
    Add,
    Arg,
    Copy,
    Env,
    Expose,
    From,
    Instruction,
    Label,
    Stopsignal,
    User,
    Volume,
    Workdir,
)

Fill = Callable[[str], str]


def substitute(
    step: Instruction, environment: Mapping[str, str], escape: str = "\\"
) -> Instruction:
    """Fill in the variables of `step`; raises SubstitutionFailed.

    The fields of `RUN --mount` are read, and filled in, by `mounts.parse_mount`.

    >>> substitute(Workdir("/$A"), {"A": "app"}).path
    '/app'
    """

    def fill(word: str) -> str:
        return expand(word, environment, escape)

    match step:
        case Env() | Label():
            pairs = tuple((fill(name), fill(value)) for name, value in step.pairs)
            return replace(step, pairs=pairs)
        case Arg():
            return replace(step, pairs=tuple(_argument(pair, fill) for pair in step.pairs))
        case Copy() | Add():
            return _transfer(step, fill, environment)
        case Expose():
            words = (expand_words(port, environment, escape) for port in step.ports)
            return replace(step, ports=tuple(word for found in words for word in found))
        case From():
            return replace(step, base=fill(step.base), platform=fill(step.platform))
    return _single(step, fill)


def means_itself(step: Instruction) -> bool:
    """Whether nothing can be filled in: no sign of a text has a meaning.

    >>> means_itself(User("me", text="USER me")), means_itself(User("$U", text="USER $U"))
    (True, False)
    """
    if isinstance(step, Expose) or (isinstance(step, Copy | Add) and step.heredocs):
        return False  # blanks cut ports, and documents have texts of their own
    return bool(step.text) and is_plain(step.text)


def _single(step: Instruction, fill: Fill) -> Instruction:
    """The instructions that hold one text, or several of one kind."""
    match step:
        case User():
            return replace(step, user=fill(step.user))
        case Workdir():
            return replace(step, path=fill(step.path))
        case Stopsignal():
            return replace(step, signal=fill(step.signal))
        case Volume():
            return replace(step, paths=tuple(fill(path) for path in step.paths))
    return step


def _argument(pair: tuple[str, str | None], fill: Fill) -> tuple[str, str | None]:
    name, value = pair
    return fill(name), None if value is None else fill(value)


def _transfer(step: Copy | Add, fill: Fill, environment: Mapping[str, str]) -> Instruction:
    documents = tuple(
        replace(document, content=expand_content(document.text, environment), chomps=False)
        if document.expands
        else document
        for document in step.heredocs
    )
    if isinstance(step, Add):
        step = replace(step, checksum=fill(step.checksum))
    return replace(
        step,
        sources=tuple(fill(source) for source in step.sources),
        destination=fill(step.destination),
        heredocs=documents,
        chown=fill(step.chown),
        chmod=fill(step.chmod),
    )
