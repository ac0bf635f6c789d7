"""Saying the same lines to two engines through the stock `docker`, and comparing.

A line is what a person types into a shell: pipes, redirections and several words of
`docker` are allowed.  What differs between two runs of one engine is made equal first: ids
are numbered in the order in which they appear, times stand still, numbers of processes are
PID.  What is left over is the engine's own.

Scenes are files in `scenes/`; a line that ends in a backslash goes on in the next one.
`root` is an image that both have and $N is `--network none`; $1, $2 … are the ids in the
order in which the scene printed them.

    ~ in front of a line     its output has no order
    = in front               its output counts, but is of another machine: only its shape
"""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.minidock_cli import Minidock
from tests.reference import Reference, program

_ID = r"\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b"
_STILL = (
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)?", "TIME"),
    (r"\b(\d+|An?|About an?|Less than an?) (second|minute|hour)s?\b", "A WHILE"),
    (r"(?<=took )\d+(\.\d+)?m?s", "SPAN"),
)


def scenes_of(folder: str) -> Mapping[str, Sequence[str]]:
    """Read the lines of every scene in a folder beside this file, by its name."""
    return {
        file.stem: file.read_text().replace("\\\n", "").splitlines()
        for file in sorted((Path(__file__).parent / folder).glob("*.txt"))
    }


SCENES: Mapping[str, Sequence[str]] = scenes_of("scenes")
"""The lines of every scene, by its name."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one line printed, and how it ended."""

    code: int
    output: str
    error: str


class Speaker:
    """The stock command line with one engine behind it."""

    def __init__(self, engine: Reference | Minidock, folder: Path) -> None:
        self._folder, self.ids = folder, list[str]()
        socket = engine.host if isinstance(engine, Minidock) else engine.socket
        self.socket = Path(socket)
        self._root = str(engine.root if isinstance(engine, Minidock) else engine.state)
        docker = Path(program("docker")).parent
        self._environment = {
            "PATH": f"{docker}:/usr/bin:/bin:/usr/sbin:/sbin", "DOCKER_BUILDKIT": "0",
            "DOCKER_HOST": f"unix://{socket}", "DOCKER_CONFIG": str(folder / "docker"),
            "N": "--network none", "TZ": "UTC", "LC_ALL": "C.UTF-8",
        }  # fmt: skip

    def say(self, line: str, *, timeout_s: float = 90) -> Said:
        """Run a line.  Raises subprocess.TimeoutExpired."""
        is_loose, is_shape = line.startswith("~"), line.startswith("=")
        numbered = re.sub(
            r"\$(\d)", lambda found: self.ids[int(found[1]) - 1][:12], line.lstrip("~=")
        )
        done = subprocess.run(
            [shutil.which("bash") or "sh", "-c", numbered], cwd=self._folder, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s,
            env=self._environment,
        )  # fmt: skip
        output = self.plain(done.stdout.decode(errors="backslashreplace"))
        if is_loose:
            output = "\n".join(sorted(output.splitlines()))
        if is_shape:
            output = re.sub(r"[\d.]+[kMGTi]*B?\b|[^\s:{}\[\],\"]{3,}(?=\s*$)", "X", output)
        return Said(done.returncode, output, self.plain(done.stderr.decode()))

    def plain(self, text: str) -> str:
        """Let stand still what differs between two runs of the same engine."""
        text = re.sub(_ID, self._number, text)
        for pattern, word in _STILL:
            text = re.sub(pattern, word, text)
        text = text.replace(str(self._folder), "FOLDER").replace(self._root, "ROOT")
        return re.sub(r" +$", "", text, flags=re.MULTILINE)

    def _number(self, found: re.Match[str]) -> str:
        for number, known in enumerate(self.ids, 1):
            if known.startswith(found[0]) or found[0].startswith(known):
                return f"<{number}>"
        self.ids.append(found[0])
        return f"<{len(self.ids)}>"


class Told:
    """What one engine says to a scene, each line said when it is asked for."""

    def __init__(self, speaker: Speaker, lines: Sequence[str], *, before: str = "") -> None:
        """`before` is said ahead of the first line, and nobody listens."""
        self._speaker, self._lines, self._before = speaker, lines, before
        self._said: list[Said] = []

    def upto(self, number: int) -> Said:
        """Say the lines that were not said yet; give what the last one heard."""
        if self._before:
            self._speaker.say(self._before)
            self._speaker.ids.clear()
            self._before = ""
        for line in self._lines[len(self._said) : number + 1]:
            self._said.append(self._speaker.say(line))
        return self._said[number]
