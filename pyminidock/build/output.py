r"""What a build says while it goes on: the classic builder's lines, to the letter.

    Step 2/3 : RUN echo hi
     ---> Running in 8f5cbd47db78
    hi
     ---> Removed intermediate container 8f5cbd47db78
     ---> 37229480ea43
    Successfully built 37229480ea43
    Successfully tagged app:latest

A tool that reads them finds image ids where it expects them.  In one thing these lines are
more exact than Docker's: "Running in" stands where a container ran.  Docker makes one for
ENV as well, we do not, and what did not happen is not printed.

Source: measured on Docker Engine 26.1.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

SHORT = 12  # digits of an id
_RED, _PLAIN = "\x1b[91m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Text:
    """Something to print as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class StageDone:
    """The image of a stage, for programs."""

    image: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The end of a build that failed; `code` is 0 or the exit status of a RUN.

    `caret` shows the line of the Dockerfile, with marks under the fault.
    """

    message: str
    code: int = 0
    why: str = ""
    try_next: str = ""
    caret: str = ""


Message: TypeAlias = Text | StageDone | Failed
Tell: TypeAlias = Callable[[Message], object]
"""Takes what a build says; must not block for long, and never raises."""


def short(image: str) -> str:
    """Shorten an id.

    >>> short("sha256:8994fee9364d0000")
    '8994fee9364d'
    """
    return image.removeprefix("sha256:")[:SHORT]


def step(number: int, total: int, text: str, *, note: str = "") -> tuple[Text, Text]:
    """Announce a step; Docker sends the line and its end apart.

    >>> step(1, 2, "FROM x")[0].text, step(1, 2, "RUN y", note="skipped")[0].text
    ('Step 1/2 : FROM x', 'Step 1/2 : RUN y (skipped)')
    """
    said = f"Step {number}/{total} : {text}" + (f" ({note})" if note else "")
    return Text(said), Text("\n")


@lru_cache(maxsize=256)
def arrow(image: str) -> Text:
    r"""Name the image after a step; "" is the empty image of `FROM scratch`.

    >>> arrow("").text
    ' ---> \n'
    """
    return Text(f" ---> {short(image)}\n")


CACHED = Text(" ---> Using cache\n")


def running(container: str) -> Text:
    """Say in which container a RUN runs."""
    return Text(f" ---> Running in {short(container)}\n")


def removed(container: str) -> Text:
    """Say that the container of a RUN is gone."""
    return Text(f" ---> Removed intermediate container {short(container)}\n")


def printed(data: str, *, is_error: bool) -> Text:
    """Pass on what a program wrote; errors are red."""
    return Text(f"{_RED}{data}{_PLAIN}" if is_error else data)


def triggers(count: int) -> Text:
    """Announce the instructions that the base image had kept for its children."""
    return Text(f"# Executing {count} build trigger{'' if count == 1 else 's'}\n")


def unconsumed(names: Iterable[str]) -> Text:
    r"""Warn of build arguments that no ARG has asked for.

    >>> unconsumed({"B", "A"}).text
    '[Warning] One or more build-args [A B] were not consumed\n'
    """
    return Text(
        f"[Warning] One or more build-args [{' '.join(sorted(names))}] were not consumed\n"
    )


def success(image: str, names: Sequence[str]) -> tuple[Text, ...]:
    """Say which image was built, and what it is called."""
    tagged = (Text(f"Successfully tagged {name}\n") for name in names)
    return (Text(f"Successfully built {short(image)}\n"), *tagged)
