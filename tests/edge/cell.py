"""One container on the real kernel, from a request to its last byte, without an engine.

    cell.run("sh", "-c", "id", user="1000") -> Ran(out, err, code)

A cell has a root of its own, made by the test, so images can be as odd as they like; the
plan is the engine's own and can be changed before it is performed.
"""

import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyminidock.container.execs import resolve_exec
from pyminidock.container.faults import RequestRefused
from pyminidock.container.plan import end_plan, exec_plan, start_plan
from pyminidock.container.resolve import resolve
from pyminidock.container.spec import ContainerSpec, CreateRequest, ExecRequest, ImageConfig
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.port import Process, ProcessGone, Streams
from pyminidock.layers import snapshots
from tests.reference import busybox_root

ID = "c" * 64
FILES = ("etc/passwd", "etc/group")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program said, and how it ended."""

    out: str
    err: str
    code: int

    @property
    def lines(self) -> list[str]:
        """Its output, line by line."""
        return self.out.splitlines()


def same(plan: Plan) -> Plan:
    """Change nothing."""
    return plan


@dataclass
class Cell:
    """A place for one container at a time."""

    place: Path
    body: LinuxBody
    image: ImageConfig = field(default_factory=ImageConfig)
    answers: list[tuple[Call, int]] = field(default_factory=list)
    layers: tuple[Path, ...] = ()  # above the root, topmost first

    @property
    def root(self) -> Path:
        """The read-only tree below; a test may change it before it runs something."""
        return self.place / "root"

    @property
    def directory(self) -> Path:
        """What belongs to the container on the host."""
        return self.place / "containers" / ID

    @property
    def written(self) -> Path:
        """What the last container wrote, as it lies on the host."""
        return self.directory / "upper"

    @property
    def log(self) -> Path:
        """What the last container printed, as the shim keeps it."""
        return self.directory / f"{ID}-json.log"

    def spec(self, *command: str, **wishes: object) -> ContainerSpec:
        """Decide about a request as the engine does."""
        stack = [str(tree) for tree in (*self.layers, self.root)]
        files = self.body.look(stack, "", "", FILES)
        request = replace(CreateRequest("busybox", command=command), **wishes)  # type: ignore[arg-type]
        spec = resolve(
            request, self.image, files, self.body.machine(),
            container_id=ID, name="cell", directory=str(self.directory),
        )  # fmt: skip
        if told := spec.hindrance:  # as a start does it
            raise RequestRefused(
                told.what, why=told.why, try_next=told.try_next, lesson="",
                status=told.status,
            )  # fmt: skip
        return spec

    @contextmanager
    def started(
        self, *command: str, change: Callable[[Plan], Plan] = same, **wishes: object
    ) -> Iterator[Process]:
        """Start a program, and clear everything away at the end."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        snapshot = snapshots.prepare(self.directory, [*self.layers, self.root])
        for name in ("resolv.conf", "hostname", "hosts"):
            (self.directory / name).write_text(f"{name} of the engine\n")
        spec = self.spec(*command, **wishes)
        plan = change(start_plan(spec, snapshot, self.body.machine()))
        self.answers = []
        process = self.body.perform(
            plan,
            answer=lambda call, value, at: self.answers.append((call, value)),
            watchers=1,
        )
        assert process is not None
        try:
            yield process
        finally:
            with suppress(ProcessGone):  # most have ended by themselves
                self.body.signal(process, 9)
            self.body.wait(process)
            self.body.dismiss(process)
            self.body.perform(
                end_plan(spec, self.body.machine()), answer=lambda call, value, at: None
            )

    def run(
        self, *command: str, change: Callable[[Plan], Plan] = same, stdin: bytes = b"",
        **wishes: object,
    ) -> Ran:  # fmt: skip
        """Run a program to its end."""
        with self.started(
            *command, change=change, keeps_stdin=bool(stdin), **wishes
        ) as process:
            return self._follow(process, stdin)

    def exec(self, process: Process, *command: str, **wishes: object) -> Ran:
        """Run a second program beside a started one."""
        spec = self.spec("true")
        files = self.body.look([str(self.root)], "", "", FILES)
        directory = self.directory / f"exec-{len(list(self.directory.glob('exec-*')))}"
        directory.mkdir()
        request = replace(ExecRequest(command), **wishes)  # type: ignore[arg-type]
        exec_spec = resolve_exec(
            request, spec, files, self.body.machine(),
            exec_id=directory.name, directory=str(directory),
        )  # fmt: skip
        plan = exec_plan(spec, process, exec_spec, self.body.machine())
        second = self.body.perform(plan, answer=lambda call, value, at: None, watchers=1)
        assert second is not None
        ran = self._follow(second, b"")
        self.body.dismiss(second)
        return ran

    def _follow(self, process: Process, stdin: bytes) -> Ran:
        streams = self.body.attach(process)
        if stdin:
            streams.write(stdin)
            streams.close_stdin()
        said = collect(streams)
        streams.close()
        status = self.body.wait(process, 30)
        assert status is not None, "it does not end"
        return Ran(said[0].decode(errors="replace"), said[1].decode(errors="replace"),
                   status.code)  # fmt: skip


def collect(streams: Streams, timeout_s: float = 30) -> tuple[bytes, bytes]:
    """Read both streams to their end."""
    parts: dict[int, bytes] = {1: b"", 2: b""}
    while select.select([streams.fileno()], [], [], timeout_s)[0]:
        frame = streams.read()
        if frame is None:
            return parts[1], parts[2]
        parts[frame[0]] += frame[1]
    raise AssertionError("no output and no end")


def python_root(directory: Path) -> Path:
    """Add the distribution's Python to a root, to make system calls that shells cannot."""
    real = Path("/usr/bin/python3").resolve()
    library = Path("/usr/lib") / real.name
    shutil.copytree(
        library, directory / library.relative_to("/"), dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(
            "test", "idlelib", "tkinter", "ensurepip", "config-*", "__pycache__",
            "pydoc_data", "turtledemo", "dist-packages", "email", "xml", "asyncio",
        ),
    )  # fmt: skip
    objects = [real, *library.glob("lib-dynload/_ctypes.*")]
    listed = subprocess.run(["ldd", *objects], capture_output=True, text=True, check=True)
    needed = {
        word for word in listed.stdout.split() if word.startswith("/") and ".so" in word
    }
    for name in sorted(needed - {str(path) + ":" for path in objects}):
        target = directory / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, target)
    (directory / "usr" / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(real, directory / "usr" / "bin" / "python3")
    return directory


@contextmanager
def cell_at(place: Path, *, with_python: bool = False) -> Iterator[Cell]:
    """Make a cell with a BusyBox root, and leave nothing of it."""
    busybox_root(place / "root")
    if with_python:
        python_root(place / "root")
    body = LinuxBody(place)
    try:
        yield Cell(place, body)
    finally:
        body.close()


def descriptors(pid: int) -> dict[int, str]:
    """Where the descriptors of a process lead."""
    return {int(p.name): str(p.readlink()) for p in Path(f"/proc/{pid}/fd").iterdir()}
