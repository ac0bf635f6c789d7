"""A container becomes an image: `docker commit`.

    what it wrote          ──► a layer, unless that is nothing
    how it was configured  ──► the image's defaults, under those that are asked for
    its image              ──► the parent, with all its layers and its history

Its processes stand still meanwhile, unless that is not wanted.  Everything is on the disk
before the row of the image is, and the name comes last.

Source: moby, daemon/commit.go and daemon/images/image_commit.go; image/image.go,
NewChildImage().
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyminidock
from pyminidock.build.bench import MOST_LAYERS, TooManyLayers, timestamp
from pyminidock.engine import images, inspect
from pyminidock.engine.defaults import changed
from pyminidock.engine.house import House, Kept
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.stillness import standing_still
from pyminidock.engine.voice import Voice
from pyminidock.events import ContainerCommitted
from pyminidock.grammar.refs import Reference
from pyminidock.image.config import Healthcheck, ImageConfig
from pyminidock.image.digest import Digest
from pyminidock.image.document import (
    HistoryEntry,
    Image,
    config_fields,
    read_config,
    write_image,
)
from pyminidock.layers.apply import policy_here
from pyminidock.layers.publish import commit_copy
from pyminidock.store import gc
from pyminidock.store.admission import admit
from pyminidock.store.failpoints import reach
from pyminidock.store.files import telling_full
from pyminidock.store.layers import LayerRow


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a commit; `config` None: the container's own."""

    name: Reference | None = None
    author: str = ""
    comment: str = ""
    config: Mapping[str, Any] | None = None  # as Docker spells it
    changes: Sequence[str] = ()
    pauses: bool = True


def commit(house: House, reference: str, wish: Wish, *, via: Via = NOBODY) -> Digest:
    """Make an image of a container; give its id.

    Raises NoSuchContainer, ContainerBusy, ChangeRefused, ImageMalformed, TooManyLayers,
    TreeNotPortable, StoreFull; then there is no image, and the container goes on.
    """
    life = house.life(reference)
    with (
        operation(house, life.story, "commit", via) as voice,
        life.only("commit", voice),
        standing_still(house, life, voice) if wish.pauses else nullcontext(),
    ):
        kept = house.kept(life.id)
        own = _own(house, kept)
        asked = own if wish.config is None else read_config(wish.config)
        config = under(changed(asked, _lines(wish.changes)), own)
        with _bringing(house, f"commit {kept.name}"):
            image = _image(house, kept, wish, (config, own), voice)
        reach("commit.admitted")
        named = ""
        if wish.name is not None:
            images.give_name(house, image, wish.name, emit=voice)
            named = wish.name.familiar
            reach("commit.tagged")
        voice(ContainerCommitted(life.id, image, named, wish.comment))
    return image


def _own(house: House, kept: Kept) -> ImageConfig:
    """Read how a container was configured, without what its start added."""
    told = read_config(inspect.inspect(house, kept.id)["Config"])
    return replace(told, environment=kept.spec.given_environment)


def _lines(changes: Sequence[str]) -> list[str]:
    """Take the instructions apart; several may come as one text."""
    return [line for change in changes for line in change.splitlines()]


@contextmanager
def _bringing(house: House, what: str) -> Iterator[None]:
    """Hold a lease; if the work fails, sweep away what it had brought."""
    try:
        with house.store.leases.lease(what), telling_full(house.root):
            house.store.check_reserve()
            yield
    except BaseException:
        gc.sweep(house.store, house.layers_in_use)
        raise


def _image(
    house: House, kept: Kept, wish: Wish, configs: tuple[ImageConfig, ImageConfig],
    voice: Voice,
) -> Digest:  # fmt: skip
    """Write the layer, the document and the row; `configs` are the image's and its own."""
    config, own = configs
    parent = images.read(house, images.row_of(house, kept.image))
    rows = [row for row in map(house.store.layers.get, parent.row.layers) if row]
    layer = _layer(house, kept, rows, voice)
    reach("commit.layer")
    moment = timestamp(house.kernel.wall())
    said = " ".join(own.command)
    entry = HistoryEntry(
        moment, said, wish.author, wish.comment, is_empty_layer=layer is None
    )
    made = replace(
        parent.image, config=config, created=moment, author=wish.author, comment="",
        history=(*parent.image.history, entry), container=kept.id,
        container_config=config_fields(own), docker_version=pyminidock.__version__,
        diff_ids=(*parent.image.diff_ids, *((layer.diff_id,) if layer else ())),
    )  # fmt: skip
    return _admitted(house, made, [*rows, *((layer,) if layer else ())], kept.image)


def _admitted(house: House, made: Image, rows: list[LayerRow], parent: Digest) -> Digest:
    row = admit(house.store, write_image(made), rows, parent=parent, is_local_build=True)
    return row.id


def _layer(house: House, kept: Kept, rows: list[LayerRow], voice: Voice) -> LayerRow | None:
    """Make a layer of what a container wrote; None if it wrote nothing."""
    upper = Path(kept.snapshot.upper)
    if not any(upper.iterdir()):
        return None
    if len(rows) >= MOST_LAYERS:
        raise TooManyLayers(
            "max depth exceeded",
            why=f"an image has at most {MOST_LAYERS} layers: Docker takes no more",
            try_next="docker export CONTAINER | docker import -",
            lesson="layers",
        )
    return commit_copy(
        house.store, upper, rows[-1].chain_id if rows else "",
        policy=policy_here(is_single_user=house.machine.is_single_user),
        sync=house.kernel.sync, emit=voice,
    )  # fmt: skip


# ── Defaults under defaults ──────────────────────────────────────────────────────────────


def under(wanted: ImageConfig, own: ImageConfig) -> ImageConfig:
    """Fill what a configuration leaves open from the container's own.

    Source: moby, daemon/commit.go, merge().

    >>> under(ImageConfig(environment=("A=2",)), ImageConfig(environment=("A=1", "B=1")))
    ... # doctest: +ELLIPSIS
    ImageConfig(command=(), entrypoint=(), environment=('A=2', 'B=1'), ...)
    """
    known = {variable.split("=")[0] for variable in wanted.environment}
    more = tuple(each for each in own.environment if each.split("=")[0] not in known)
    command, entrypoint = wanted.command, wanted.entrypoint
    if not entrypoint:
        command, entrypoint = command or own.command, own.entrypoint
    return replace(
        wanted, command=command, entrypoint=entrypoint,
        environment=(*wanted.environment, *more), user=wanted.user or own.user,
        exposed_ports=tuple(sorted({*wanted.exposed_ports, *own.exposed_ports})),
        labels=tuple(sorted((dict(own.labels) | dict(wanted.labels)).items())),
        healthcheck=_health(wanted.healthcheck, own.healthcheck),
        working_directory=wanted.working_directory or own.working_directory,
        volumes=tuple(sorted({*wanted.volumes, *own.volumes})),
        stop_signal=wanted.stop_signal or own.stop_signal,
    )  # fmt: skip


def _health(wanted: Healthcheck | None, own: Healthcheck | None) -> Healthcheck | None:
    if wanted is None or own is None:
        return wanted or own
    return Healthcheck(
        wanted.test or own.test, wanted.interval_ns or own.interval_ns,
        wanted.timeout_ns or own.timeout_ns,
        wanted.start_period_ns or own.start_period_ns,
        wanted.start_interval_ns or own.start_interval_ns, wanted.retries or own.retries,
    )  # fmt: skip
