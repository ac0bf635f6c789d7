r"""What the history of an image says about each instruction, letter by letter.

`docker history` shows, for every step, the command that made it.  For a RUN that is the
command itself; all other instructions run nothing, and the classic builder wrote them as a
comment that a shell would ignore:

    RUN apk add curl          /bin/sh -c apk add curl
    ... with build arguments  |1 VERSION=7 /bin/sh -c apk add curl
    ENV A=1                   /bin/sh -c #(nop)  ENV A=1        two blanks
    COPY . /app               /bin/sh -c #(nop) COPY dir:9d… in /app      one blank

The words before `#(nop)` are the shell in force.  The lists in brackets are Go's way to
print its values, which explains `'\x04'` for four retries.

Source: measured on Docker Engine 26.1; moby, builder/dockerfile/dispatchers.go.
"""

from collections.abc import Iterable, Mapping, Sequence

from pyminidock.dockerfile.gotext import duration_text, quote_all, quote_number
from pyminidock.image.config import Healthcheck

DEFAULT_SHELL = ("/bin/sh", "-c")


def comment(shell: Sequence[str], text: str, *, blanks: int = 2) -> str:
    """Word an instruction that runs nothing.

    >>> comment((), "ENV A=1")
    '/bin/sh -c #(nop)  ENV A=1'
    >>> comment(("/bin/sh", "-xc"), "WORKDIR /w", blanks=1)
    '/bin/sh -xc #(nop) WORKDIR /w'
    """
    return " ".join(shell or DEFAULT_SHELL) + " #(nop)" + " " * blanks + text


def run(words: Iterable[str], arguments: Mapping[str, str] | None) -> str:
    """Word a RUN; `arguments` are the build arguments it sees, None if none were declared.

    >>> run(["/bin/sh", "-c", "make"], {"B": "2", "A": "1"})
    '|2 A=1 B=2 /bin/sh -c make'
    """
    prefix: tuple[str, ...] = ()
    if arguments is not None:
        sorted_ = [f"{name}={value}" for name, value in sorted(arguments.items())]
        prefix = (f"|{len(sorted_)}", *sorted_)
    return " ".join((*prefix, *words))


def healthcheck(check: Healthcheck) -> str:
    r"""Print a health check as Go prints the struct.

    >>> print(healthcheck(Healthcheck(("CMD-SHELL", "true"), 5 * 10**9, retries=4)))
    HEALTHCHECK &{["CMD-SHELL" "true"] "5s" "0s" "0s" "0s" '\x04'}
    """
    times = (
        check.interval_ns, check.timeout_ns, check.start_period_ns, check.start_interval_ns,
    )  # fmt: skip
    spans = " ".join(f'"{duration_text(span)}"' for span in times)
    return f"HEALTHCHECK &{{{quote_all(check.test)} {spans} {quote_number(check.retries)}}}"
