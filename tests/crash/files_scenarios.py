"""What the engine does with a container's files, as one process would do it."""

import io
import os
from pathlib import Path

from pyminidock.container.spec import CreateRequest
from pyminidock.engine import committing, run
from pyminidock.grammar.refs import parse
from pyminidock.kernel.linux.views import LinuxView
from pyminidock.layers import snapshots
from pyminidock.layers.archive import read_entries
from pyminidock.layers.incoming import How, Incoming
from tests.compat.archives import DIR, Wish, tar
from tests.crash.images_scenarios import house, web
from tests.engine.studio import DEADLINE_S

SIZES = {"one": 3_000_000, "d": 0, "d/two": 20, "d/three": 5_000}
ARCHIVE = tar(*(
    Wish(name, DIR) if name == "d" else Wish(name, said="x" * size)
    for name, size in SIZES.items()
))  # fmt: skip


def prepare_copy(root: Path) -> None:
    """Have a tree with an older file in it."""
    (root / "tree/d").mkdir(parents=True)
    (root / "tree/one").write_bytes(b"x" * SIZES["one"])


def copy(root: Path) -> None:
    """Unpack an archive into the tree."""
    view = LinuxView(os.open(root / "tree", os.O_PATH | os.O_DIRECTORY))
    Incoming(view, "/", How()).take(read_entries(io.BytesIO(ARCHIVE)))
    view.close()


def prepare_commit(root: Path) -> None:
    """Have a container that has written something."""
    web(root)
    with house(root) as made:
        container = run.create(made, CreateRequest("web:1", command=("sleep", "9")))
        upper = Path(made.kept(container).snapshot.upper)
        (upper / "written").write_bytes(b"y" * 50_000)
        snapshots.keep(made.directory(container))


def commit(root: Path) -> None:
    """Make an image of the container while it runs."""
    with house(root) as made:
        (life,) = made.lives()
        run.start(made, life.id)
        assert life.until(lambda: made.kept(life.id).state == "running", DEADLINE_S)
        committing.commit(made, life.id, committing.Wish(parse("made:1")))
