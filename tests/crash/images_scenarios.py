"""What the engine does with images, each as one process would do it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyminidock.engine import images, loading, removing
from pyminidock.engine.house import House
from pyminidock.grammar.refs import parse
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.recording import Recording
from tests.engine.archives import config, layer, old_docker, tar

BASE, MORE = layer("base", b"below" * 500), layer("more", b"above" * 300_000)
WEB = tar(old_docker([BASE], config(BASE), "web:1"))
APP = tar(old_docker([BASE, MORE], config(BASE, MORE), "app:1", "app:2"))


@contextmanager
def house(root: Path) -> Iterator[House]:
    made = House(root, Recording(ModelBody()))
    yield made
    made.close()


def take_in(root: Path, archive: bytes) -> None:
    with house(root) as made:
        loading.load(made, io.BytesIO(archive), lambda _: None)


def web(root: Path) -> None:
    """Have an image `web` of one layer, and nothing else."""
    take_in(root, WEB)


def web_and_app(root: Path) -> None:
    """Have an image `app` besides, which stands on the layer of `web`."""
    take_in(root, WEB)
    take_in(root, APP)


def load(root: Path) -> None:
    """Load `app`, which shares a layer with `web`."""
    take_in(root, APP)


def import_tree(root: Path) -> None:
    """Make an image of a tree of files."""
    with house(root) as made:
        loading.import_tree(made, io.BytesIO(MORE), name=parse("tree:1"))


def tag(root: Path) -> None:
    """Give `web` another name."""
    with house(root) as made:
        images.tag(made, "web:1", "alias:1")


def remove(root: Path) -> None:
    """Remove `app` with both its names."""
    with house(root) as made:
        for row in made.store.images.all():
            if len(row.layers) == 2:
                removing.remove(made, row.id, force=True)


def prune(root: Path) -> None:
    """Remove all that no container uses."""
    with house(root) as made:
        removing.prune(made, {"dangling": ["false"]})
