"""Records the stories that lessons show where no engine can run: `make traces`.

    lessons/00-tour/trace/run.jsonl       one story a file, as `minidock trace export` gives
                    trace/build.jsonl     it; told by a real engine, as root

What is recorded is what the lesson's reader would have typed.  A story names the lines of
the engine that told it, so it is recorded anew when those lines move; a test says when.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LESSONS = Path(__file__).parents[1] / "lessons"
HELLO = """\
FROM busybox
RUN echo "hello from a layer" > /hello.txt
CMD ["cat", "/hello.txt"]
"""
GREETING = """\
FROM busybox
ENTRYPOINT ["echo"]
CMD ["Hello World"]
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine for the recording, and a folder to build in."""

    root: Path
    folder: Path

    def minidock(self, *words: str) -> str:
        """Run a command that must succeed; give what it printed."""
        return subprocess.run(
            [sys.executable, "-m", "pyminidock", *words], cwd=self.folder, check=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "MINIDOCK_ROOT": str(self.root)},
        ).stdout  # fmt: skip

    def build(self, name: str, dockerfile: str) -> None:
        """Build an image of a text."""
        (self.folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        self.minidock("build", "-t", name, ".")


Deed = Callable[[Engine], object]
STORIES: dict[str, dict[str, Deed]] = {
    "00-tour": {
        "run": lambda engine: engine.minidock("run", "--rm", "busybox", "echo", "hi"),
        "note": lambda engine: engine.minidock(
            "run", "--name", "note", "busybox", "sh", "-c", "echo me > /etc/motd; sleep 0.2"
        ),
        "build": lambda engine: engine.build("hello", HELLO),
        "again": lambda engine: engine.build("hello", HELLO),
        "changed": lambda engine: engine.build(
            "hello", HELLO.replace("hello from", "hi from")
        ),
    },
    "10-entrypoint-cmd": {
        "build": lambda engine: engine.build("greeting", GREETING),
        "run": lambda engine: engine.minidock("run", "--rm", "greeting"),
        "words": lambda engine: engine.minidock("run", "--rm", "greeting", "Good morning"),
    },
}


@contextmanager
def an_engine() -> Iterator[Engine]:
    """Give an engine that is gone at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="minidock-") as root,
        tempfile.TemporaryDirectory() as folder,
    ):
        engine = Engine(Path(root), Path(folder))
        try:
            engine.minidock("bootstrap", "busybox")
            yield engine
        finally:
            engine.minidock("system", "reset", "--force")


def record(lesson: str, engine: Engine) -> dict[str, str]:
    """Let the stories of a lesson happen, in order; give each as the text of its file."""
    told = {}
    for name, deed in STORIES[lesson].items():
        deed(engine)
        told[name] = engine.minidock("trace", "export", "last")
    return told


def main() -> None:
    """Record everything, and write it where the lessons are."""
    for lesson in STORIES:
        with an_engine() as engine:
            for name, text in record(lesson, engine).items():
                place = LESSONS / lesson / "trace" / f"{name}.jsonl"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="ascii")
                sys.stdout.write(f"{place.relative_to(LESSONS.parent)}\n")


if __name__ == "__main__":
    main()
