"""The first images, made of what the machine has: no registry is asked.

    busybox    a static BusyBox and the files around it
    alpine     the same tree: a stand-in, labelled org.pyminidock.stand-in
    python     this machine's interpreter on top of it: a stand-in, too
    debian     a real one, through mmdebstrap, from the machine's own mirror

Each recipe writes its layers as archives; from there they come in like those of any other
image.  A stand-in has the name of one thing and is another, so it carries a label that
every view prints.

Source: architecture 8; mmdebstrap(1); os-release(5).
"""

import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pyminidock.errors import MinidockError
from pyminidock.events import Emit, ImageLoaded, ImageTagged, ignore
from pyminidock.grammar.refs import parse
from pyminidock.image.config import ImageConfig
from pyminidock.image.document import HistoryEntry, Image, write_image
from pyminidock.image.manifest import Platform
from pyminidock.image.platform import normal
from pyminidock.layers import busybox, hostpython
from pyminidock.layers.apply import policy_here
from pyminidock.layers.machine import ProgramFailed, run
from pyminidock.layers.publish import Sync, sync_everything, unpack
from pyminidock.layers.tarwriter import Writer
from pyminidock.store.admission import admit
from pyminidock.store.images import ImageRow
from pyminidock.store.layers import LayerRow
from pyminidock.store.opening import Store

STAND_IN = "org.pyminidock.stand-in"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEBIAN_PATIENCE_S = 900.0
_SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/{id}.sources")

Fill = Callable[[Path, BinaryIO], int]
"""Write one layer's archive, with a workshop at hand; give its time, in seconds of 1970."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one image is made; the layers bottom first, each with its line of history."""

    layers: tuple[tuple[str, Fill], ...]
    config: ImageConfig
    stand_in: str = ""
    tags: tuple[str, ...] = ("latest",)


@dataclass(frozen=True, slots=True)
class Base:
    """An image that was made; `trees` are its layers' host paths, topmost first."""

    name: str
    row: ImageRow
    config: ImageConfig
    trees: tuple[Path, ...] = field(default=())


class NoRecipe(MinidockError):
    """We do not know how to make an image of this name."""

    status = 400


def bootstrap(
    store: Store, name: str = "busybox", *, sync: Sync = sync_everything,
    emit: Emit = ignore,
) -> Base:  # fmt: skip
    """Make the image `name`, and give it its names; made twice it is the same image.

    Under a second for busybox, some for python, minutes for debian.  The caller holds a
    lease.  Raises NoRecipe, BusyboxMissing, ProgramFailed, StoreFull.
    """
    recipe = _recipe(name)
    rows: list[LayerRow] = []
    history: list[HistoryEntry] = []
    with tempfile.TemporaryDirectory(prefix="bootstrap-") as directory:
        for line, fill in recipe.layers:
            with tempfile.TemporaryFile(dir=directory) as archive:
                moment = fill(Path(directory), archive)
                archive.seek(0)
                below = rows[-1].chain_id if rows else ""
                rows.append(unpack(
                    store, archive, below, policy=policy_here(), sync=sync, emit=emit
                ))  # fmt: skip
            history.append(
                HistoryEntry(_moment(moment), line, comment="minidock bootstrap")
            )
    machine = normal(Platform("linux", platform.machine()))
    image = Image(
        recipe.config, machine.architecture, "linux", machine.variant,
        history[-1].created, history=tuple(history),
        diff_ids=tuple(row.diff_id for row in rows),
    )  # fmt: skip
    row = admit(store, write_image(image), rows, stand_in=recipe.stand_in)
    names = [parse(f"{name}:{tag}") for tag in recipe.tags]
    emit(ImageLoaded(row.id, tuple(each.familiar for each in names), len(rows)))
    for each in names:
        before = store.images.tag(each.canonical, row.id)
        emit(ImageTagged(row.id, each.familiar, before if before != row.id else ""))
    trees = tuple(store.layers.directory(chain) for chain in reversed(row.layers))
    return Base(name, row, recipe.config, trees)


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


# ── Recipes ──────────────────────────────────────────────────────────────────────────────


def find(name: str) -> Callable[[], Recipe]:
    """Find what makes the recipe of an image; nothing is done yet.  Raises NoRecipe."""
    made = RECIPES.get(name.removesuffix(":latest"))
    if made is None:
        raise NoRecipe(
            f"no recipe for an image named {name[:80]!r}",
            why=f"this machine can make {', '.join(RECIPES)} without a registry",
            try_next="minidock bootstrap busybox",
            lesson="images",
        )
    return made


def _recipe(name: str) -> Recipe:
    recipe = find(name)()
    if not recipe.stand_in:
        return recipe
    labels = ((STAND_IN, recipe.stand_in),)
    return replace(recipe, config=replace(recipe.config, labels=labels))


def _busybox() -> Recipe:
    config = ImageConfig(("sh",), environment=(_PATH,))
    return Recipe((("a static BusyBox of this machine", _fill_busybox),), config)


def _alpine() -> Recipe:
    config = ImageConfig(("/bin/sh",), environment=(_PATH,))
    return replace(_busybox(), config=config, stand_in="busybox")


def _python() -> Recipe:
    version = hostpython.version()
    config = ImageConfig(("python3",), environment=(_PATH, "LANG=C.UTF-8"))
    line = f"the Python {version} of this machine"
    layers = (*_busybox().layers, (line, _fill_python))
    return Recipe(layers, config, f"host python {version}", ("latest", version))


def _debian() -> Recipe:
    facts = platform.freedesktop_os_release()
    identity, suite = facts.get("ID", ""), facts.get("VERSION_CODENAME", "")
    config = ImageConfig(("bash",), environment=(_PATH,))
    is_it = identity == "debian" and suite != ""
    stand_in = "" if is_it else f"{identity} {suite}".strip() or "unknown"
    tags = ("latest", suite) if is_it else ("latest",)
    return Recipe(((f"mmdebstrap {suite}", _fill_debian),), config, stand_in, tags)


RECIPES: dict[str, Callable[[], Recipe]] = {
    "busybox": _busybox, "alpine": _alpine, "python": _python, "debian": _debian,
}  # fmt: skip


def _fill_busybox(workshop: Path, archive: BinaryIO) -> int:
    program = busybox.find_program(workshop)
    busybox.pack(program, Writer(archive.write))
    return int(program.stat().st_mtime)


def _fill_python(workshop: Path, archive: BinaryIO) -> int:
    hostpython.pack(Writer(archive.write))
    return int(hostpython.interpreter().stat().st_mtime)


def _fill_debian(workshop: Path, archive: BinaryIO) -> int:
    facts = platform.freedesktop_os_release()
    sources = [place.format(id=facts.get("ID", "debian")) for place in _SOURCES]
    mirrors = [place for place in sources if Path(place).is_file()]
    began = int(datetime.now(UTC).timestamp())
    try:
        run(
            "mmdebstrap", "--variant=minbase", "--format=tar", "--quiet",
            facts.get("VERSION_CODENAME", "stable"), "-", *mirrors,
            output=archive, patience_s=_DEBIAN_PATIENCE_S,
        )  # fmt: skip
    except ProgramFailed as failure:
        raise ProgramFailed(
            f"debian cannot be made here: {failure.what}",
            why="mmdebstrap builds it from the packages of the machine's own mirror",
            try_next="apt-get install -y mmdebstrap && minidock bootstrap debian",
            lesson="images",
        ) from failure
    return began
