"""The house: what every story needs, built once and handed to each.

    root       journal/ containers/ layers/ oci/ trash/ quarantine/ state.db
    kernel     whichever it is; only `kernels` knows
    recorder   numbers, journals and holds what is told
    records    what has to survive of containers
    store      what has to survive of images: blobs, trees, rows
    lives      what this engine knows beyond that

It decides nothing: stories are functions that take it.  Its first act is to look after what
an earlier engine left (`reconcile`), its last to let the containers go on without it.
"""

from dataclasses import dataclass, field, fields
from pathlib import Path
from threading import Lock
from typing import Any

import pyminidock
from pyminidock.container.spec import (
    ContainerSpec,
    CreateRequest,
    ExecRequest,
    from_json,
    to_json,
)
from pyminidock.engine.journals import Journals
from pyminidock.engine.lives import Life
from pyminidock.engine.recorder import Recorder
from pyminidock.engine.writer import Writer
from pyminidock.events.journal import JSON
from pyminidock.image.config import ImageConfig
from pyminidock.image.digest import Digest, of_hex
from pyminidock.kernel.port import ExitStatus, Kernel, Machine, Process
from pyminidock.layers.snapshots import Snapshot, keep_spare, remove_tree
from pyminidock.store.opening import Store, open_store
from pyminidock.store.records import Content, Records, no_such_container

API_VERSION = "1.45"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a container on disk; times are seconds since 1970."""

    id: str
    name: str
    created: float
    request: CreateRequest
    spec: ContainerSpec
    snapshot: Snapshot
    roots: tuple[str, ...]  # host paths of the image's trees, topmost first
    stand_in: str = ""
    state: str = "created"  # created, starting, running, exited; the kernel knows better
    pid: int = 0
    started: float = 0.0
    finished: float = 0.0
    exit_code: int = 0
    was_out_of_memory: bool = False
    image: Digest = ""  # the id of the image it was made from
    defaults: ImageConfig = field(default_factory=ImageConfig)  # what that image said
    build: str = ""  # the story of the build that it works for, and does not outlive

    @property
    def layers(self) -> tuple[Digest, ...]:
        """Name the layers that it stands on, by chain id."""
        names = (Path(root).parent.name for root in self.roots)
        return tuple(of_hex(name) for name in names)


@dataclass(slots=True)
class Exec:
    """A second process of a container; it ends with the first one at the latest."""

    id: str
    life: Life
    request: ExecRequest
    process: Process | None = None
    exit: ExitStatus | None = None


@dataclass(slots=True)
class House:
    """The rooms of one engine over one root directory, which its caller has locked."""

    root: Path
    kernel: Kernel
    records: Records = field(init=False)
    store: Store = field(init=False)
    journals: Journals = field(init=False)
    recorder: Recorder = field(init=False)
    execs: dict[str, Exec] = field(init=False, default_factory=dict)
    is_closed: bool = field(init=False, default=False)
    _lives: dict[str, Life] = field(init=False, default_factory=dict)
    _kept: dict[str, Kept] = field(init=False, default_factory=dict)
    _spelt: dict[str, tuple[Kept, Content]] = field(init=False, default_factory=dict)
    _standing: dict[str, tuple[Digest, ...]] = field(init=False, default_factory=dict)
    _lock: Lock = field(init=False, default_factory=Lock)  # guards the four above

    def __post_init__(self) -> None:
        from pyminidock.engine.reconcile import reconcile  # noqa: PLC0415  (it takes a house)

        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.records = Records(self.root)
        self.journals = Journals(self.root / "journal")
        machine = self.kernel.machine()
        self.recorder = Recorder(
            self.kernel.clock,
            self.kernel.wall,
            backend=machine.backend,
            writer=Writer(self.journals, engine=_engine(), host=_host(machine)),
        )
        keep_spare()
        self.store = open_store(self.root, wall=self.kernel.wall, remove_tree=remove_tree)
        reconcile(self)

    @property
    def machine(self) -> Machine:
        """Give the facts that plans depend on."""
        return self.kernel.machine()

    def directory(self, container: str) -> Path:
        """Give the directory of a container: ROOT/containers/<id>."""
        return self.records.directory / container

    # ── Containers ────────────────────────────────────────────────────────────────────────

    def admit(self, kept: Kept, life: Life) -> None:
        """Take a container in that is on disk already."""
        with self._lock:
            self._kept[kept.id], self._lives[kept.id] = kept, life

    def keep(self, kept: Kept, *, is_durable: bool = True) -> None:
        """Write what is kept of a container; see Records.put for `is_durable`."""
        with self._lock:
            before, content = self._spelt.get(kept.id, (None, {}))
        content = _spelled(kept, before, content)
        self.records.put(kept.id, content, is_durable=is_durable)
        with self._lock:
            self._kept[kept.id], self._spelt[kept.id] = kept, (kept, content)

    def kept(self, container: str) -> Kept:
        """Give what is kept of a container, by its full id.  Raises NoSuchContainer."""
        with self._lock:
            if container in self._kept:
                return self._kept[container]
        return from_json(Kept, self.records.get(container))

    def life(self, reference: str) -> Life:
        """Find a container by its name, id or part of it.  Raises NoSuchContainer."""
        container = self.records.find(reference)
        with self._lock:
            found = self._lives.get(container)
        if found is None:  # its removal has begun to be final
            raise no_such_container(reference)
        return found

    def lives(self) -> tuple[Life, ...]:
        """Give every container, oldest first."""
        with self._lock:
            known = sorted(self._kept.values(), key=lambda kept: (kept.created, kept.id))
            return tuple(self._lives[kept.id] for kept in known)

    def forget(self, container: str) -> None:
        """Let go of a container that is no more, and of its second processes."""
        with self._lock:
            self._kept.pop(container, None)
            self._spelt.pop(container, None)
            self._lives.pop(container, None)
        for each in [each for each in self.execs.values() if each.life.id == container]:
            self.execs.pop(each.id, None)

    # ── Images ────────────────────────────────────────────────────────────────────────────

    def stand_on(self, container: str, layers: tuple[Digest, ...]) -> None:
        """Keep layers for a container that is being made; nothing lets go of them."""
        with self._lock:
            self._standing[container] = layers

    def step_off(self, container: str) -> None:
        """Let go of what was kept for a container; its record keeps it from now on."""
        with self._lock:
            self._standing.pop(container, None)

    def layers_in_use(self) -> set[Digest]:
        """Name the layers that containers stand on, by chain id."""
        with self._lock:
            kept, standing = list(self._kept.values()), list(self._standing.values())
        return {
            chain for each in (*standing, *(one.layers for one in kept)) for chain in each
        }

    def close(self) -> None:
        """Stop telling and writing; containers go on with their shims."""
        self.is_closed = True
        self.recorder.close()
        self.store.close()
        self.kernel.close()


def _spelled(kept: Kept, before: Kept | None, content: Content) -> dict[str, Any]:
    """Spell a record; what is the same as `before` stands in its `content`."""
    return {
        name: content[name] if before and getattr(before, name) is value else to_json(value)
        for name, value in ((each.name, getattr(kept, each.name)) for each in fields(kept))
    }


def _engine() -> dict[str, JSON]:
    return {"version": pyminidock.__version__, "api": API_VERSION}


def _host(machine: Machine) -> dict[str, JSON]:
    kernel = ".".join(map(str, machine.kernel))
    return {"kernel": kernel, "arch": machine.arch, "storage": "overlay"}
