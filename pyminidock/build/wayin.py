"""The way in: a command that leads to the place just before the step that failed.

    minidock run -it 5f5e83dc783e sh
    minidock run -it --entrypoint bash 5f5e83dc783e -eo pipefail

Every step stands on an image, and an image can be run.  The shell is the one that the RUN
would have had, and an entrypoint of the image must not come in its way.
"""

import shlex
from collections.abc import Iterable

from pyminidock.build.output import short
from pyminidock.build.stage import Standing


def way_in(standing: Standing | None) -> str:
    """Give the command, or "" where there is no image yet."""
    if standing is None or not standing.image:
        return ""
    return command(short(standing.image), standing.shell, standing.config.entrypoint)


def command(image: str, shell: tuple[str, ...], entrypoint: tuple[str, ...]) -> str:
    """Write the command.

    >>> command("5f5e", ("/bin/sh", "-c"), ())
    'minidock run -it 5f5e sh'
    >>> command("5f5e", ("/bin/bash", "-eo", "pipefail", "-c"), ("app",))
    'minidock run -it --entrypoint /bin/bash 5f5e -eo pipefail'
    """
    program, *words = shell[:-1] if shell[-1:] == ("-c",) else shell[:1]
    program = "sh" if program == "/bin/sh" else program
    if not entrypoint:
        return f"minidock run -it {image} {shlex.join((program, *words))}"
    return shlex.join(("minidock", "run", "-it", "--entrypoint", program, image, *words))


def invitation(enter: str, arguments: Iterable[str]) -> str:
    """Say it to people; a RUN sees build arguments, a container does not.

    >>> print(invitation("minidock run -it 5f5e sh", ["V"]), end="")
    To look around just before this step: minidock run -it 5f5e sh
    (add -e V=… there: build arguments are not in the image)
    """
    line = f"To look around just before this step: {enter}\n"
    names = " ".join(f"-e {name}=…" for name in arguments)
    missing = f"(add {names} there: build arguments are not in the image)\n"
    return line + (missing if names else "")
