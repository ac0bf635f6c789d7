"""The house: what every story needs, built once and handed to each.

    root       journal/ containers/ layers/ oci/ trash/ quarantine/ state.db
    kernel     whichever it is; only `kernels` knows
    recorder   numbers, journals and holds what is told
    bulletin   what Docker's clients hear of it
    records    what has to survive of containers
    store      what has to survive of images: blobs, trees, rows
    volumes    who is about to use which volume
    ports      which of the host's belong to whom; `rules` lets packets through
    networks   which there are, and who is in them
    names      who answers when a container asks for one
    attendants threads that wait for the ends of programs
    lives      what this engine knows beyond that

It decides nothing: stories are functions that take it.  Its first act is to look after what
an earlier engine left (`reconcile`), its last to let the containers go on without it.
"""

from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import pyminidock
from pyminidock.container.spec import (
    ContainerSpec,
    CreateRequest,
    from_json,
    to_json,
)
from pyminidock.engine.attendants import Attendants
from pyminidock.engine.bulletin import Bulletin
from pyminidock.engine.execbook import ExecBook
from pyminidock.engine.journals import Journals
from pyminidock.engine.lives import Life
from pyminidock.engine.nameserver import NameServer
from pyminidock.engine.networkbook import NetworkBook, ways_of
from pyminidock.engine.portbook import PortBook
from pyminidock.engine.recorder import Recorder
from pyminidock.engine.rulekeeping import RuleKeeper
from pyminidock.engine.rulekeeping import leave as leave_rules
from pyminidock.engine.volumebook import VolumeBook
from pyminidock.engine.writer import Writer
from pyminidock.events.journal import JSON
from pyminidock.image.config import ImageConfig
from pyminidock.image.digest import Digest, of_hex
from pyminidock.kernel.port import Kernel, Machine
from pyminidock.layers.snapshots import Snapshot, keep_spare, remove_tree
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.nat import Published
from pyminidock.network.objects import Net
from pyminidock.store.opening import Store, open_store
from pyminidock.store.records import Content, NoSuchContainer, Records, no_such_container

API_VERSION = "1.45"
REMOVALS_S = 10.0  # for a container's removal, when the engine is told to stop


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
    error: str = ""  # why the last start failed, or the exit code is a guess
    image: Digest = ""  # the id of the image it was made from
    defaults: ImageConfig = field(default_factory=ImageConfig)  # what that image said
    build: str = ""  # the story of the build that it works for, and does not outlive
    restarts: int = 0  # so often its policy started it since it was started by hand
    was_stopped: bool = False  # or signalled, by hand, since then
    endpoints: tuple[Endpoint, ...] | None = None  # None: as the request says
    interfaces: int = 0  # numbered in this run
    ports: tuple[Published, ...] = ()  # of the host, held in this run
    offers: tuple[str, ...] = ()  # its own ports, where others can reach them

    @property
    def layers(self) -> tuple[Digest, ...]:
        """Name the layers that it stands on, by chain id."""
        names = (Path(root).parent.name for root in self.roots)
        return tuple(of_hex(name) for name in names)


@dataclass(slots=True)
class House:
    """The rooms of one engine over one root directory, which its caller has locked."""

    root: Path
    kernel: Kernel
    publish_on: str = "127.0.0.1"  # where ports are bound for which no address is said
    records: Records = field(init=False)
    store: Store = field(init=False)
    networks: NetworkBook = field(init=False)
    names: NameServer = field(init=False)
    rules: RuleKeeper = field(init=False)
    ports: PortBook = field(init=False, default_factory=PortBook)
    journals: Journals = field(init=False)
    recorder: Recorder = field(init=False)
    bulletin: Bulletin = field(init=False)
    execs: ExecBook = field(init=False, default_factory=ExecBook)
    volumes: VolumeBook = field(init=False, default_factory=VolumeBook)
    attendants: Attendants = field(init=False, default_factory=Attendants)
    is_closed: bool = field(init=False, default=False)
    pruning: Lock = field(init=False, default_factory=Lock)  # one prune of containers
    _lives: dict[str, Life] = field(init=False, default_factory=dict)
    _kept: dict[str, Kept] = field(init=False, default_factory=dict)
    _spelt: dict[str, tuple[Kept, Content]] = field(init=False, default_factory=dict)
    _standing: dict[str, tuple[Digest, ...]] = field(init=False, default_factory=dict)
    _lock: Lock = field(init=False, default_factory=Lock)  # guards the four above

    def __post_init__(self) -> None:
        # They take a house.
        from pyminidock.engine.introducing import tell  # noqa: PLC0415
        from pyminidock.engine.noted import Noted  # noqa: PLC0415
        from pyminidock.engine.reconcile import reconcile  # noqa: PLC0415
        from pyminidock.engine.replugging import listen  # noqa: PLC0415

        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.records = Records(self.root, remove_tree)
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
        self.networks = NetworkBook(
            self.store.networks, str(self.root), new_id=self.kernel.new_id,
            wall=self.kernel.wall, publish_on=self.publish_on,
        )  # fmt: skip
        self.rules = RuleKeeper(self.networks.mark)
        self.networks.load(self.foreign_ways)
        self.networks.listen = partial(listen, self)
        self.names = NameServer(self.kernel.clock, partial(tell, self))
        noted = Noted(self)
        self.bulletin = Bulletin(noted.look)
        self.recorder.attend(self.bulletin)
        reconcile(self)
        noted.remember()

    @property
    def machine(self) -> Machine:
        """Give the facts that plans depend on."""
        return self.kernel.machine()

    def directory(self, container: str) -> Path:
        """Give the directory of a container: ROOT/containers/<id>."""
        return self.records.directory / container

    def foreign_ways(self) -> tuple[Net, ...]:
        """Give where the host knows ways to, besides the engine's own bridges."""
        facts = self.kernel.netfacts()
        ours = {network.bridge for network in self.networks.all()}
        return ways_of(each.destination for each in facts.routes if each.device not in ours)

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

    def amend(self, life: Life, *, is_durable: bool = True, **changes: Any) -> Kept:
        """Change fields of what is kept of a container, whoever changes others meanwhile.

        See Records.put for `is_durable`.
        """
        with life.writing:
            kept = replace(self.kept(life.id), **changes)
            self.keep(kept, is_durable=is_durable)
        return kept

    def note(self, life: Life, *, is_durable: bool = True, **changes: Any) -> Kept:
        """Amend what has happened already, whether or not the disk takes it.

        A full disk must not keep anybody from ending a container, or from hearing of its
        end; the next record that fits says it, and the exit record of the shim does.
        """
        with life.writing:
            kept = replace(self.kept(life.id), **changes)
            try:
                self.keep(kept, is_durable=is_durable)
            except OSError:
                with self._lock:
                    self._kept[kept.id] = kept
        return kept

    def kept(self, container: str) -> Kept:
        """Give what is kept of a container, by its full id.  Raises NoSuchContainer."""
        with self._lock:
            if container in self._kept:
                return self._kept[container]
        return from_json(Kept, self.records.get(container))

    def life(self, reference: str) -> Life:
        """Find a container by its name, id or part of it.  Raises NoSuchContainer."""
        container = self._by_link(reference) or self.records.find(reference)
        with self._lock:
            found = self._lives.get(container)
        if found is None:  # its removal has begun to be final
            raise no_such_container(reference)
        return found

    def _by_link(self, reference: str) -> str:
        """Find whom `web/db` means: whom web's links call db; "" if it means nobody."""
        web, _, called = reference.removeprefix("/").rpartition("/")
        with self._lock:
            links = [each.request.reach.linked for each in self._kept.values()
                     if web and each.name == web]  # fmt: skip
        for name, alias in (pair for pairs in links for pair in pairs):
            with suppress(NoSuchContainer):
                if alias == called:
                    return self.records.find(name)
        return ""

    def lives(self) -> tuple[Life, ...]:
        """Give every container, oldest first; one that is being made is none yet."""
        with self._lock:
            admitted = (kept for kept in self._kept.values() if kept.id in self._lives)
            known = sorted(admitted, key=lambda kept: (kept.created, kept.id))
            return tuple(self._lives[kept.id] for kept in known)

    def forget(self, container: str) -> None:
        """Let go of a container that is no more, and of its second processes."""
        with self._lock:
            self._kept.pop(container, None)
            self._spelt.pop(container, None)
            self._lives.pop(container, None)
        self.execs.forget(container)

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
        """Stop telling and writing; containers go on with their shims.

        Removals that have begun are finished first, also those that nobody asked for.
        """
        from pyminidock.engine.replugging import leave  # noqa: PLC0415  (takes a house)

        self.is_closed = True
        for life in self.lives():
            life.wake()
            life.finishes_removal(REMOVALS_S)
        self.attendants.close()
        self.names.close()
        leave(self)
        leave_rules(self)
        self.recorder.close()
        self.store.close()
        self.kernel.close()


def _spelled(kept: Kept, before: Kept | None, content: Content) -> dict[str, Any]:
    """Spell a record; what is the same as `before` stands in its `content`."""
    return {
        name: content[name] if before and getattr(before, name) is value else spell(value)
        for name, value, spell in (
            (name, getattr(kept, name), _of_image if name == "defaults" else to_json)
            for name in _NAMES
        )
    }


_NAMES = tuple(each.name for each in fields(Kept))
_of_image = lru_cache(maxsize=64)(to_json)  # the same for all containers of one


def _engine() -> dict[str, JSON]:
    return {"version": pyminidock.__version__, "api": API_VERSION}


def _host(machine: Machine) -> dict[str, JSON]:
    kernel = ".".join(map(str, machine.kernel))
    return {"kernel": kernel, "arch": machine.arch, "storage": "overlay"}
