"""What an image remembers of an instruction: the `CREATED BY` of `docker history`.

    /bin/sh -c #(nop)  ENV A=1           metadata: the shell in force, a comment, two blanks
    /bin/sh -c #(nop) WORKDIR /w         WORKDIR, COPY and ADD: one blank
    |1 V=7 /bin/sh -c make               RUN: the arguments it saw, and what ran

The words double as the classic builder's cache key, so they are exact.

Source: docker-build-and-api 1.5; moby, builder/dockerfile/dispatchers.go.
"""

from collections.abc import Sequence

from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.gotext import duration_text, quote_all, quote_number
from pyminidock.dockerfile.instructions import Instruction


def metadata_words(step: Instruction, shell: Sequence[str]) -> tuple[str, ...]:
    """The words of an instruction that changes the config alone; `step` is filled in.

    `shell` is the one in force, for SHELL the new one.

    >>> " ".join(metadata_words(said.Env((("A", "1"),)), ["/bin/sh", "-c"]))
    '/bin/sh -c #(nop)  ENV A=1'
    """
    return (*shell, "#(nop) ", history_text(step, shell))


def transfer_words(
    step: said.Copy | said.Add, fingerprint: str, destination: str, shell: Sequence[str]
) -> tuple[str, ...]:
    """The words of COPY and ADD; `fingerprint` stands for the content of the sources."""
    owner = f"--chown={step.chown} " if step.chown else ""
    return (*shell, f"#(nop) {step.keyword} {owner}{fingerprint} in {destination} ")


def workdir_words(path: str, shell: Sequence[str]) -> tuple[str, ...]:
    """The words of WORKDIR; `path` is absolute."""
    return (*shell, f"#(nop) WORKDIR {path}")


def run_words(
    argv: Sequence[str], remembered: Sequence[str], *, has_arguments: bool
) -> tuple[str, ...]:
    """The words of RUN: `remembered` is sorted NAME=value.

    With arguments of which none counts, the number is 0.

    >>> run_words(["/bin/sh", "-c", "make"], ["V=7"], has_arguments=True)
    ('|1', 'V=7', '/bin/sh', '-c', 'make')
    """
    if not has_arguments:
        return tuple(argv)
    return (f"|{len(remembered)}", *remembered, *argv)


def history_text(step: Instruction, shell: Sequence[str] = said.DEFAULT_SHELL) -> str:
    """The instruction as the history spells it; not for RUN, COPY, ADD, WORKDIR, FROM.

    >>> history_text(said.Cmd(said.Command(("echo $X",))))
    'CMD ["/bin/sh" "-c" "echo $X"]'
    """
    match step:
        case said.Env() | said.Label():
            words = [f"{name}={value}" for name, value in step.pairs]
        case said.Arg():
            words = [n if value is None else f"{n}={value}" for n, value in step.pairs]
        case said.Expose():
            words = list(step.ports)
        case said.Cmd() | said.Entrypoint():
            words = [quote_all(step.command.argv(tuple(shell)))]
        case said.Healthcheck():
            words = [_healthcheck(step)]
        case _:
            words = [_single(step)]
    return " ".join((step.keyword, *words))


def _single(step: Instruction) -> str:
    """The instructions that hold one text or one list."""
    match step:
        case said.User():
            return step.user
        case said.Stopsignal():
            return step.signal
        case said.Onbuild():
            return step.expression
        case said.Maintainer():
            return step.name
        case said.Volume():
            return f"[{' '.join(step.paths)}]"
        case said.Shell():
            return f"[{' '.join(step.words)}]"
    raise TypeError(f"{step.keyword} has no history text of its own")


def _healthcheck(step: said.Healthcheck) -> str:
    """A Go structure, printed with %q: its times are quoted, its number a character."""
    times = (
        step.interval_ns,
        step.timeout_ns,
        step.start_period_ns,
        step.start_interval_ns,
    )
    spelled = " ".join(f'"{duration_text(time)}"' for time in times)
    return f"&{{{quote_all(step.test)} {spelled} {quote_number(step.retries)}}}"
